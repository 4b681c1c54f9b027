/*
 * The frequencies of a field's ids, p(id) ~ id^-exponent, to draw from in constant time and in little
 * memory however large the vocabulary.
 */
#ifndef ADASS_SYNTH_LAW_H
#define ADASS_SYNTH_LAW_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

/*
 * Walker's alias method over cells. Up to 8192 features every id is a cell, and the law exact. In larger
 * vocabularies ids from 512 on come in cells of 1/256 of their first id, within which all are equally likely
 * (off the power law by a factor of 1 +- exponent/512 at most), so that the table stays in the caches. The
 * OOV id, where it occurs, is a cell of its own.
 */
typedef struct synth_law {
    struct synth_cell *cells;
    uint32_t n_cells;
    uint32_t first_id; /* 0 where the OOV id occurs, else 1 */
    double exponent;
    double factor; /* p(id) = factor * id^-exponent */
} synth_law;

typedef struct synth_cell {
    double keep;    /* the cell itself rather than its alias */
    uint32_t alias; /* a cell */
    uint32_t first, width;
} synth_cell;

/**
 * @param n          features, ids 1..n
 * @param oov_share  share of id 0; 0: it does not occur
 * @return ADASS_OK or ADASS_ENOMEM; adass_synth_law_free() in either case
 */
adass_status adass_synth_law_init(synth_law *law, uint32_t n, double exponent, double oov_share,
                                  adass_error *err);

/** An id from a random word. */
uint32_t adass_synth_law_draw(const synth_law *law, uint64_t word);

/** p(id), id >= 1. */
double adass_synth_law_share(const synth_law *law, uint32_t id);

void adass_synth_law_free(synth_law *law);

#endif
