/*
 * The memory accesses of a training step and nothing else: the bare loop that a step which only looks rows up and changes
 * them, as FM's does, is held against. It walks the same tables by the same ids.
 */
#ifndef ADASS_BENCH_STEP_ROWS_H
#define ADASS_BENCH_STEP_ROWS_H

#include "limits.h"

#include "adass/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Where a batch's lines stand in bench_step_rows.lines: [read, updated) and [updated, end). */
typedef struct bench_step_lines {
    size_t read, updated, end;
} bench_step_lines;

typedef struct bench_step_rows {
    float *memory; /* the model's tables; lines count from here */
    uint32_t *lines;
    bench_step_lines *batches; /* [n_batches] */
    size_t n_batches;
} bench_step_rows;

/**
 * Lists the cache lines of `n_batches` batches: for each id, in the order of the samples, those of its row and of its
 * first-order weight, which are read; for each distinct id of a batch, field by field, those two again and both of
 * their moments, which are changed.
 *
 * @param model  with f32 tables, first-order weights and moments; borrowed
 * @param ids    [n_batches * batch x fields]
 * @return false when memory is short
 */
bool bench_step_rows_make(bench_step_rows *rows, const adass_model *model, const uint32_t *ids,
                          size_t batch, size_t n_batches);

/** Accepts zeros. */
void bench_step_rows_free(bench_step_rows *rows);

/**
 * Reads a batch's lines, waits for all threads, and writes those that change back as they are.
 *
 * @param ahead  places between a line and the one that is prefetched
 */
void bench_step_rows_run(const bench_step_rows *rows, const bench_limit_loops *loops, size_t batch,
                         int threads, size_t ahead);

#endif
