/* Making the rows of planted data. */
#include "synth_rows.h"

#include "adass/rng.h"
#include "portable_math.h"
#include "split_at.h"
#include "synth_streams.h"

#include <stdlib.h>

static void make_block(const synth_teacher *t, synth_block *b)
{
    const uint64_t label_seed = adass_seed_derive(t->seed, SYNTH_STREAM_LABELS);
    const uint64_t split_seed = adass_seed_derive(t->seed, SYNTH_STREAM_SPLIT);
    const size_t n_fields = t->shape->n_fields;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < b->n; i++) {
        const uint64_t row = b->first + i;
        uint32_t *ids = b->ids + i * n_fields;
        adass_synth_teacher_draw(t, row, ids);
        const double logit = adass_synth_teacher_logit(t, ids);
        const double chance = portable_sigmoid(logit + adass_synth_teacher_noise(t, row));
        b->logits[i] = (float)logit;
        b->labels[i] = adass_unit(adass_mix_at(label_seed, row)) < chance;
        b->splits[i] = (uint8_t)adass_split_at(split_seed, row);
    }
}

adass_status adass_synth_rows(const synth_teacher *t, const adass_monitor *monitor,
                              synth_take *take, void *user, adass_error *err)
{
    synth_block b = {
        .ids = malloc(SYNTH_BLOCK_ROWS * t->shape->n_fields * sizeof *b.ids),
        .labels = malloc(SYNTH_BLOCK_ROWS),
        .splits = malloc(SYNTH_BLOCK_ROWS),
        .logits = malloc(SYNTH_BLOCK_ROWS * sizeof *b.logits),
    };
    adass_status status = ADASS_OK;
    if (b.ids == NULL || b.labels == NULL || b.splits == NULL || b.logits == NULL)
        status =
            adass_fail_memory(err, "a block of rows", SYNTH_BLOCK_ROWS * 4.0 * SYNTH_MAX_FIELDS);
    for (; b.first < t->rows && status == ADASS_OK; b.first += b.n) {
        b.n = t->rows - b.first < SYNTH_BLOCK_ROWS ? t->rows - b.first : SYNTH_BLOCK_ROWS;
        make_block(t, &b);
        status = take(user, t, &b, err);
        if (status == ADASS_OK)
            status = adass_monitor_tick(monitor, "synth", b.first + b.n, t->rows, "", err);
    }
    free(b.ids);
    free(b.labels);
    free(b.splits);
    free(b.logits);
    return status;
}
