/* The rows of planted data, block by block, made by all threads. */
#ifndef ADASS_SYNTH_ROWS_H
#define ADASS_SYNTH_ROWS_H

#include "synth_teacher.h"

enum { SYNTH_BLOCK_ROWS = 1 << 15 };

typedef struct synth_block {
    size_t first, n; /* rows first..first+n-1 */
    uint32_t *ids;   /* [SYNTH_BLOCK_ROWS x n_fields] */
    uint8_t *labels; /* [SYNTH_BLOCK_ROWS] */
    uint8_t *splits; /* [SYNTH_BLOCK_ROWS], adass_split */
    float *logits;   /* [SYNTH_BLOCK_ROWS], the teacher's, without noise */
} synth_block;

/** Takes a block that is only lent. */
typedef adass_status synth_take(void *user, const synth_teacher *t, const synth_block *block,
                                adass_error *err);

/**
 * Makes the teacher's rows and hands them over in order. Ends with the first error, of `take` too, or when
 * the monitor says stop.
 */
adass_status adass_synth_rows(const synth_teacher *t, const adass_monitor *monitor,
                              synth_take *take, void *user, adass_error *err);

#endif
