/*
 * The split of a row: train, valid, test as 8:1:1, by a hash of its number, so that no row depends
 * on another.
 */
#ifndef ADASS_SPLIT_AT_H
#define ADASS_SPLIT_AT_H

#include "adass/dataset.h"
#include "adass/rng.h"

static inline adass_split adass_split_at(uint64_t seed, uint64_t row)
{
    const double place = adass_unit(adass_mix_at(seed, row));
    return place < 0.8 ? ADASS_TRAIN : place < 0.9 ? ADASS_VALID : ADASS_TEST;
}

#endif
