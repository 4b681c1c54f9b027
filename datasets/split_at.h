/*
 * The split of a row: train, valid, test as 8:1:1 or in another ratio, by a hash of its number, so
 * that no row depends on another.
 */
#ifndef ADASS_SPLIT_AT_H
#define ADASS_SPLIT_AT_H

#include "adass/dataset.h"
#include "adass/rng.h"

/** @param train_end, valid_end  shares of the rows that end up before them */
static inline adass_split adass_split_by(uint64_t seed, uint64_t row, double train_end,
                                         double valid_end)
{
    const double place = adass_unit(adass_mix_at(seed, row));
    return place < train_end ? ADASS_TRAIN : place < valid_end ? ADASS_VALID : ADASS_TEST;
}

static inline adass_split adass_split_at(uint64_t seed, uint64_t row)
{
    return adass_split_by(seed, row, 0.8, 0.9);
}

#endif
