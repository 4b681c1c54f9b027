/* The teacher's AUC in bounded memory. */
#include "synth_ceiling.h"

#include "adass/metrics.h"

#include <stdlib.h>

enum { BINS = 1 << 20, BIN_RANGE = 32 }; /* logits of [-32, 32]; those beyond share the last bins */

adass_status adass_synth_ceiling_init(synth_ceiling *c, adass_error *err)
{
    *c = (synth_ceiling){ 0 };
    c->logits = malloc(SYNTH_CEILING_EXACT * sizeof *c->logits);
    c->labels = malloc(SYNTH_CEILING_EXACT * sizeof *c->labels);
    c->bins = calloc(BINS, sizeof *c->bins);
    if (c->logits == NULL || c->labels == NULL || c->bins == NULL)
        return adass_fail_memory(err, "the teacher's scores",
                                 SYNTH_CEILING_EXACT * 8.0 + BINS * 16.0);
    return ADASS_OK;
}

static size_t bin_of(float logit)
{
    const double place = ((double)logit + BIN_RANGE) * (BINS / (2.0 * BIN_RANGE));
    return place <= 0.0 ? 0 : place >= BINS ? BINS - 1 : (size_t)place;
}

void adass_synth_ceiling_add(synth_ceiling *c, float logit, uint8_t label)
{
    if (c->n < SYNTH_CEILING_EXACT) {
        c->logits[c->n] = logit;
        c->labels[c->n] = (float)label;
    }
    c->bins[bin_of(logit)][label]++;
    c->n++;
}

adass_status adass_synth_ceiling_auc(const synth_ceiling *c, double *out, adass_error *err)
{
    if (c->n <= SYNTH_CEILING_EXACT)
        return adass_auc(c->logits, c->labels, c->n, out, err);
    double wins = 0.0, negatives = 0.0, positives = 0.0;
    for (size_t b = 0; b < BINS; b++) {
        const double negative = (double)c->bins[b][0], positive = (double)c->bins[b][1];
        wins += positive * (negatives + 0.5 * negative);
        negatives += negative;
        positives += positive;
    }
    if (negatives == 0.0 || positives == 0.0)
        return adass_fail(err, ADASS_EINVAL, "the AUC needs rows of both labels");
    *out = wins / positives / negatives;
    return ADASS_OK;
}

void adass_synth_ceiling_free(synth_ceiling *c)
{
    free(c->logits);
    free(c->labels);
    free(c->bins);
}
