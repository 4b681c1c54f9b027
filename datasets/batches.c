/* Shuffled batches of a split. */
#include "adass/batches.h"
#include "adass/memory.h"
#include "adass/rng.h"

#include <stdlib.h>
#include <string.h>

struct adass_batches {
    const adass_rows *rows;
    size_t n_fields, batch_size, next; /* next: place in the order */
    uint32_t *order;                   /* [rows] */
    uint32_t *ids;                     /* [batch_size x n_fields] */
    float *labels;                     /* [batch_size] */
};

/* Labels are outside [0, 1] only in a file that another program wrote or changed. */
static adass_status check_labels(const adass_dataset *dataset, adass_split split, adass_error *err)
{
    const adass_rows *rows = &dataset->splits[split];
    size_t bad = SIZE_MAX;
#pragma omp parallel for schedule(static) reduction(min : bad)
    for (size_t r = 0; r < rows->n; r++) {
        const float label = adass_rows_label(rows, r);
        if (!(label >= 0.0f && label <= 1.0f) && r < bad)
            bad = r;
    }
    if (bad == SIZE_MAX)
        return ADASS_OK;
    return adass_fail(
        err, ADASS_EFORMAT,
        "%s/%s/labels.npy: row %zu: label %g is outside [0, 1]; prepare the dataset again",
        dataset->dir, adass_split_name(split), bad, (double)adass_rows_label(rows, bad));
}

static adass_status check_ids(const adass_dataset *dataset, adass_split split, adass_error *err)
{
    const adass_rows *rows = &dataset->splits[split];
    const size_t n_fields = dataset->n_fields;
    size_t bad = SIZE_MAX; /* the first bad row, whatever the number of threads */
#pragma omp parallel for schedule(static) reduction(min : bad)
    for (size_t r = 0; r < rows->n; r++)
        for (size_t f = 0; f < n_fields; f++)
            if (rows->ids[r * n_fields + f] >= dataset->fields[f].vocab && r < bad)
                bad = r;
    if (bad == SIZE_MAX)
        return ADASS_OK;
    size_t f = 0;
    while (rows->ids[bad * n_fields + f] < dataset->fields[f].vocab)
        f++;
    return adass_fail(
        err, ADASS_EFORMAT,
        "%s/%s/ids.npy: row %zu: id %u of field '%s' is outside its vocabulary of %zu; the "
        "file is damaged (adass data show --verify), prepare the dataset again",
        dataset->dir, adass_split_name(split), bad, rows->ids[bad * n_fields + f],
        dataset->fields[f].name, dataset->fields[f].vocab);
}

adass_status adass_dataset_check_rows(const adass_dataset *dataset, adass_split split,
                                      adass_error *err)
{
    const adass_status status = check_ids(dataset, split, err);
    return status == ADASS_OK ? check_labels(dataset, split, err) : status;
}

adass_status adass_batches_open(adass_batches **out, const adass_dataset *dataset,
                                adass_split split, size_t batch_size, adass_error *err)
{
    if (batch_size == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "a batch of 0 samples cannot be read; give at least 1");
    const adass_status status = adass_dataset_check_rows(dataset, split, err);
    if (status != ADASS_OK)
        return status;
    const adass_rows *rows = &dataset->splits[split];
    if (rows->n == 0 || rows->n > UINT32_MAX)
        return adass_fail(err, ADASS_EINVAL, "%s: the %s split has %zu rows; 1 to %u can be read",
                          dataset->dir, adass_split_name(split), rows->n, UINT32_MAX);
    adass_batches *b = calloc(1, sizeof *b);
    if (b == NULL)
        return adass_fail_memory(err, "the batch reader", sizeof *b);
    b->rows = rows;
    b->n_fields = dataset->n_fields;
    b->batch_size =
        batch_size < rows->n ? batch_size : rows->n; /* no memory for samples that do not exist */
    b->next = rows->n; /* nothing to read before adass_batches_shuffle() */
    b->order = malloc(rows->n * sizeof *b->order);
    b->ids = adass_alloc(b->batch_size * b->n_fields * sizeof *b->ids);
    b->labels = adass_alloc(b->batch_size * sizeof *b->labels);
    if (b->order == NULL || b->ids == NULL || b->labels == NULL) {
        const size_t words = rows->n + b->batch_size * (b->n_fields + 1);
        adass_batches_close(b);
        return adass_fail_memory(err, "the batch reader", (double)words * 4.0);
    }
    *out = b;
    return ADASS_OK;
}

void adass_batches_shuffle(adass_batches *batches, uint64_t seed, uint64_t epoch)
{
    adass_rng rng;
    adass_rng_init(&rng, adass_seed_derive(seed, epoch));
    const size_t n = batches->rows->n;
    for (size_t i = 0; i < n; i++)
        batches->order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) { /* Fisher and Yates */
        const size_t j = (size_t)adass_rng_below(&rng, i);
        const uint32_t swap = batches->order[i - 1];
        batches->order[i - 1] = batches->order[j];
        batches->order[j] = swap;
    }
    batches->next = 0;
}

void adass_batches_next(adass_batches *batches, adass_batch *out)
{
    const adass_rows *rows = batches->rows;
    const size_t left = rows->n - batches->next, n_fields = batches->n_fields;
    const size_t n = left < batches->batch_size ? left : batches->batch_size;
    const uint32_t *order = batches->order + batches->next;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        memcpy(batches->ids + i * n_fields, rows->ids + order[i] * n_fields,
               n_fields * sizeof *batches->ids);
        batches->labels[i] = adass_rows_label(rows, order[i]);
    }
    batches->next += n;
    *out = (adass_batch){ .n = n, .ids = batches->ids, .labels = batches->labels };
}

const uint32_t *adass_batches_order(const adass_batches *batches) { return batches->order; }

size_t adass_batches_count(const adass_batches *batches)
{
    return (batches->rows->n + batches->batch_size - 1) / batches->batch_size;
}

void adass_batches_close(adass_batches *batches)
{
    if (batches == NULL)
        return;
    free(batches->order);
    free(batches->ids);
    free(batches->labels);
    free(batches);
}
