/* The check of a split's ids and labels, which kernels take for granted. */
#include "check_rows.h"

#include "adass/batches.h"

#include <stdbool.h>

adass_status adass_row_fail(const adass_dataset *dataset, adass_split split, size_t row,
                            adass_error *err)
{
    const adass_rows *rows = &dataset->splits[split];
    const uint32_t *ids = rows->ids + row * dataset->n_fields;
    for (size_t f = 0; f < dataset->n_fields; f++)
        if (ids[f] >= dataset->fields[f].vocab)
            return adass_fail(
                err, ADASS_EFORMAT,
                "%s/%s/ids.npy: row %zu: id %u of field '%s' is outside its vocabulary of %zu; the "
                "file is damaged (adass data show --verify), prepare the dataset again",
                dataset->dir, adass_split_name(split), row, ids[f], dataset->fields[f].name,
                dataset->fields[f].vocab);
    /* Labels are outside [0, 1] only in a file that another program wrote or changed. */
    return adass_fail(
        err, ADASS_EFORMAT,
        "%s/%s/labels.npy: row %zu: label %g is outside [0, 1]; prepare the dataset again",
        dataset->dir, adass_split_name(split), row, (double)adass_rows_label(rows, row));
}

static bool row_is_bad(const adass_dataset *dataset, const adass_rows *rows, size_t row)
{
    const uint32_t *ids = rows->ids + row * dataset->n_fields;
    for (size_t f = 0; f < dataset->n_fields; f++)
        if (ids[f] >= dataset->fields[f].vocab)
            return true;
    const float label = adass_rows_label(rows, row);
    return !(label >= 0.0f && label <= 1.0f);
}

adass_status adass_dataset_check_rows(const adass_dataset *dataset, adass_split split,
                                      adass_error *err)
{
    const adass_rows *rows = &dataset->splits[split];
    size_t bad = SIZE_MAX; /* the first bad row, whatever the number of threads */
#pragma omp parallel for schedule(static) reduction(min : bad)
    for (size_t r = 0; r < rows->n; r++)
        if (row_is_bad(dataset, rows, r) && r < bad)
            bad = r;
    return bad == SIZE_MAX ? ADASS_OK : adass_row_fail(dataset, split, bad, err);
}
