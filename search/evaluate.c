/* Evaluation on a split. */
#include "evaluator.h"

#include "adass/memory.h"
#include "adass/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static adass_status fill(adass_evaluator *e, const adass_rows *rows, adass_error *err)
{
    const size_t n_fields = e->n_fields;
    e->labels = adass_alloc(e->n * sizeof *e->labels);
    e->logits = adass_alloc(e->n * sizeof *e->logits);
    if (e->n < rows->n)
        e->own_ids = adass_alloc(e->n * n_fields * sizeof *e->own_ids);
    if (e->labels == NULL || e->logits == NULL || (e->n < rows->n && e->own_ids == NULL))
        return adass_fail_memory(err, "the rows to evaluate",
                                 (double)(e->n * (n_fields + 2)) * 4.0);
    for (size_t i = 0; i < e->n; i++) {
        const size_t row = (size_t)((double)i * ((double)rows->n / (double)e->n));
        e->labels[i] = adass_rows_label(rows, row);
        if (e->own_ids != NULL)
            memcpy(e->own_ids + i * n_fields, rows->ids + row * n_fields,
                   n_fields * sizeof *e->own_ids);
    }
    e->ids = e->own_ids != NULL ? e->own_ids : rows->ids;
    return ADASS_OK;
}

adass_status adass_evaluator_open(adass_evaluator **out, const adass_dataset *dataset,
                                  adass_split split, size_t max_rows, const adass_compute *compute,
                                  adass_error *err)
{
    adass_status status = adass_dataset_check_rows(dataset, split, err);
    if (status != ADASS_OK)
        return status;
    const adass_rows *rows = &dataset->splits[split];
    adass_evaluator *e = calloc(1, sizeof *e);
    if (e == NULL)
        return adass_fail_memory(err, "an evaluator", sizeof *e);
    e->compute = *compute;
    e->n_fields = dataset->n_fields;
    e->n = max_rows == 0 || max_rows > rows->n ? rows->n : max_rows;
    snprintf(e->where, sizeof e->where, "%s, %s split", dataset->dir, adass_split_name(split));
    status = fill(e, rows, err);
    if (status != ADASS_OK) {
        adass_evaluator_close(e);
        return status;
    }
    *out = e;
    return ADASS_OK;
}

adass_status adass_evaluator_no_auc(const adass_evaluator *evaluator, adass_error *err)
{
    return adass_fail(
        err, ADASS_EINVAL,
        "%s: all %zu rows to evaluate have the same label, so there is no AUC; use more rows",
        evaluator->where, evaluator->n);
}

adass_status adass_evaluator_measure(adass_evaluator *evaluator, const adass_model *model,
                                     const size_t *sizes, adass_metrics *out, adass_error *err)
{
    adass_evaluator *e = evaluator;
    adass_status status =
        adass_model_predict(model, &e->compute, sizes, e->ids, e->n, e->logits, err);
    if (status == ADASS_OK)
        status = adass_auc(e->logits, e->labels, e->n, &out->auc, err);
    if (status == ADASS_OK && isnan(out->auc))
        status = adass_evaluator_no_auc(e, err);
    if (status == ADASS_OK)
        out->logloss = adass_logloss(e->logits, e->labels, e->n);
    return status;
}

void adass_evaluator_scores(const adass_evaluator *evaluator, const float **logits,
                            const float **labels)
{
    *logits = evaluator->logits;
    *labels = evaluator->labels;
}

size_t adass_evaluator_rows(const adass_evaluator *evaluator) { return evaluator->n; }

void adass_evaluator_close(adass_evaluator *evaluator)
{
    if (evaluator == NULL)
        return;
    free(evaluator->own_ids);
    free(evaluator->labels);
    free(evaluator->logits);
    free(evaluator);
}
