/* A training step's memory accesses alone. step_rows.h says what functions do. */
#include "step_rows.h"

#include "adass/kernels.h"
#include "cost.h"

#include <omp.h>
#include <stdlib.h>

/* Appends the lines in which `floats` floats from `row` on lie. */
static void add_lines(bench_step_rows *rows, size_t *n, const float *row, size_t floats)
{
    const size_t first = (size_t)(row - rows->memory);
    for (size_t line = first / BENCH_LINE_FLOATS; line * BENCH_LINE_FLOATS < first + floats; line++)
        rows->lines[(*n)++] = (uint32_t)line;
}

static void add_read(bench_step_rows *rows, size_t *n, const adass_model *model,
                     const uint32_t *ids, size_t batch)
{
    for (size_t b = 0; b < batch; b++)
        for (size_t f = 0; f < model->n_fields; f++) {
            const adass_table *table = &model->tables[f];
            const size_t id = ids[b * model->n_fields + f];
            add_lines(rows, n, table->rows + id * table->width, table->width);
            add_lines(rows, n, table->linear + id, 1);
        }
}

/* @param work  [2 * batch + adass_dedup_slots(batch)] */
static void add_updated(bench_step_rows *rows, size_t *n, const adass_model *model,
                        const uint32_t *ids, size_t batch, uint32_t *work)
{
    for (size_t f = 0; f < model->n_fields; f++) {
        const adass_table *table = &model->tables[f];
        const size_t distinct = adass_dedup_ids(work, work + batch, ids + f, model->n_fields, batch,
                                                table->vocab, work + 2 * batch);
        for (size_t i = 0; i < distinct; i++) {
            const size_t id = work[i];
            add_lines(rows, n, table->rows + id * table->width, table->width);
            add_lines(rows, n, table->moments + id * 2 * table->width, 2 * table->width);
            add_lines(rows, n, table->linear + id, 1);
            add_lines(rows, n, table->linear_moments + id * 2, 2);
        }
    }
}

/* Lines of all that belongs to an id, at most; of each part one more than its bytes, where it straddles. */
static size_t lines_of_id(const adass_model *model)
{
    size_t most = 0;
    for (size_t f = 0; f < model->n_fields; f++) {
        const size_t lines = 4 * model->tables[f].width / BENCH_LINE_FLOATS + 12;
        most = lines > most ? lines : most;
    }
    return most;
}

bool bench_step_rows_make(bench_step_rows *rows, const adass_model *model, const uint32_t *ids,
                          size_t batch, size_t n_batches)
{
    const size_t most = batch * n_batches * model->n_fields * lines_of_id(model);
    uint32_t *work = malloc((2 * batch + adass_dedup_slots(batch)) * sizeof *work);
    *rows = (bench_step_rows){ .memory = model->memory,
                               .lines = malloc(most * sizeof *rows->lines),
                               .batches = calloc(n_batches, sizeof *rows->batches),
                               .n_batches = n_batches };
    const bool ok = work != NULL && rows->lines != NULL && rows->batches != NULL;
    for (size_t i = 0, n = 0; ok && i < n_batches; i++) {
        const uint32_t *of_batch = ids + i * batch * model->n_fields;
        rows->batches[i].read = n;
        add_read(rows, &n, model, of_batch, batch);
        rows->batches[i].updated = n;
        add_updated(rows, &n, model, of_batch, batch, work);
        rows->batches[i].end = n;
    }
    free(work);
    if (!ok)
        bench_step_rows_free(rows);
    return ok;
}

void bench_step_rows_free(bench_step_rows *rows)
{
    free(rows->lines);
    free(rows->batches);
    *rows = (bench_step_rows){ 0 };
}

void bench_step_rows_run(const bench_step_rows *rows, const bench_limit_loops *loops, size_t batch,
                         int threads, size_t ahead)
{
    const bench_step_lines *at = &rows->batches[batch % rows->n_batches];
#pragma omp parallel num_threads(threads)
    {
        const size_t t = (size_t)omp_get_thread_num(), of = (size_t)omp_get_num_threads();
        const size_t n_read = at->updated - at->read, n_updated = at->end - at->updated;
        const size_t read = n_read * t / of, updated = n_updated * t / of;
        (void)loops->read_lines(rows->memory, rows->lines + at->read + read,
                                n_read * (t + 1) / of - read, 1, ahead);
#pragma omp barrier
        loops->update_lines(rows->memory, rows->lines + at->updated + updated,
                            n_updated * (t + 1) / of - updated, 1, ahead, 0.0f);
    }
}
