/*
 * The AUC of the teacher's logits on any number of rows, in memory that does not grow with them.
 *
 * Up to SYNTH_CEILING_EXACT rows the AUC is exact. Beyond, logits are counted in bins of equal width, and
 * two logits of one bin count as tied: an error of half the share of pairs (positive, negative) that share
 * a bin, at most. With logits of standard deviation 1 or more that is below 2e-5 (bin width 2^-14 times half
 * the largest density of the logits' difference), and as logits are random within a bin, far less in fact.
 */
#ifndef ADASS_SYNTH_CEILING_H
#define ADASS_SYNTH_CEILING_H

#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

enum { SYNTH_CEILING_EXACT = 1 << 21 };

typedef struct synth_ceiling {
    size_t n;
    float *logits, *labels; /* [SYNTH_CEILING_EXACT], of the first rows */
    uint64_t (*bins)[2];    /* rows of each label */
} synth_ceiling;

/** @return ADASS_OK or ADASS_ENOMEM; adass_synth_ceiling_free() in either case */
adass_status adass_synth_ceiling_init(synth_ceiling *c, adass_error *err);

void adass_synth_ceiling_add(synth_ceiling *c, float logit, uint8_t label);

/** Needs rows of both labels. @return ADASS_OK, ADASS_EINVAL or ADASS_ENOMEM */
adass_status adass_synth_ceiling_auc(const synth_ceiling *c, double *out, adass_error *err);

void adass_synth_ceiling_free(synth_ceiling *c);

#endif
