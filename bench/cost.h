/*
 * What one call of a kernel must move and compute at least, from its shape alone. The machine's
 * measured rates turn this into the shortest possible time (probe.h); README.md states the model.
 */
#ifndef ADASS_BENCH_COST_H
#define ADASS_BENCH_COST_H

#include "adass/kernels.h"
#include "sweep.h"

enum { COST_ROWS_MAX = 6, BENCH_LINE_BYTES = 64 };

/** Rows of a table in the order of ids. */
typedef struct bench_rows {
    double count;      /* rows a call */
    size_t bytes;      /* of a row, from the beginning of a line or a whole part of one */
    size_t table_rows; /* of all fields together */
    size_t fields;     /* tables of equal length that they are drawn from in turn; at least 1 */
    size_t ids;        /* a bench_distribution */
    size_t distinct;   /* ids drawn at a time, of which each counts once; 0: all count */
    bool copied;       /* as they are, one after the other to an output; a thread has its own */
    bool written;      /* back, after they are read; a thread has its own part of the table */
} bench_rows;

typedef struct bench_cost {
    double items;      /* that items_per_second counts */
    double multiplies; /* products, fused with a sum or not, float or integer */
    double divisions;  /* quotients and square roots */
    /* bytes of arrays that are walked in order: only read, only written, changed where they lie */
    double read, written, updated;
    bench_rows rows[COST_ROWS_MAX];
    size_t n_rows;
} bench_cost;

/**
 * @param unique  distinct ids of a call: the groups of dedup_accumulate, the rows of an update.
 *         Other kernels ignore it
 */
typedef bench_cost bench_cost_fn(const bench_shape *shape, double unique);

#define BENCH_COST(isa, op) bench_cost_fn bench_cost_##op;
ADASS_KERNEL_OPS(BENCH_COST, unused)

/** A training step, a supernet's step or a prediction of a batch: `passes` is 3 or 1. */
bench_cost bench_cost_model(double samples, double multiplies, double passes, size_t fields,
                            size_t rows, size_t row_bytes);

/** Bytes that the call reads and writes, rows included. */
double bench_cost_bytes(const bench_cost *cost);

/** What the arrays take, which decides the cache level that they come from. */
double bench_cost_array_bytes(const bench_cost *cost);

/** Lines that a row takes. */
size_t bench_row_lines(size_t row_bytes);

#endif
