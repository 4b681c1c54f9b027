/*
 * How a kernel becomes a family of benchmarks. Each kernel of ADASS_KERNEL_OPS has one `bench_op`:
 * the shapes that it is measured at, its inputs, one call of it, and (cost.h) what a call costs.
 * bench_kernels.c does the rest for all of them: implementations, threads, checks, limits.
 */
#ifndef ADASS_BENCH_OP_H
#define ADASS_BENCH_OP_H

#include "cost.h"
#include "id_pool.h"
#include "sweep.h"

enum { BENCH_ARRAYS_MAX = 6, BENCH_FIELDS_MAX = 39 };

/** What an array is filled with. */
typedef enum bench_fill {
    FILL_ZERO,
    FILL_SIGNED,   /* uniform in (-1, 1) */
    FILL_POSITIVE, /* uniform in (0, 1) */
    FILL_LABELS,   /* 0 or 1 */
    FILL_WORDS     /* rows of any type: sensible numbers read as f32, bf16, f16 or bytes */
} bench_fill;

typedef struct bench_array {
    float *all;     /* [threads x length]: each thread has a part of its own */
    size_t length;  /* floats */
    bool is_output; /* compared with that of the plain loops; others are never written */
} bench_array;

/** The inputs and outputs of a shape, made once and shared by all implementations. */
typedef struct bench_data {
    const bench_shape *shape;
    int threads;
    size_t n_arrays;
    bench_array arrays[BENCH_ARRAYS_MAX];
    bench_id_pool pool;                        /* of kernels that take ids */
    const void *table;                         /* rows that all threads read: lookups */
    adass_field_view fields[BENCH_FIELDS_MAX]; /* of kernels over fields */
} bench_data;

/** One call: whose arrays, which ids. */
typedef struct bench_call {
    size_t thread;
    const uint32_t *ids, *group; /* of the pool, NULL without one */
    size_t n_ids;
} bench_call;

typedef struct bench_op {
    const char *name;
    const bench_sweep *sweeps;
    size_t n_sweeps;
    bench_ids (*ids)(const bench_shape *shape); /* the pool wanted, with a part of the rows for each
                                                   thread when `distinct`; NULL: no ids */
    size_t (*table_bytes)(const bench_shape *shape); /* of the shared table; NULL: none */
    bool (*make)(bench_data *data); /* arrays and fields; false when memory is short */
    void (*run)(const adass_kernels *kernels, const bench_data *data, const bench_call *call);
    /* the same by other kernels of the table, as impl:apart; NULL: there is no such way */
    void (*run_apart)(const adass_kernels *kernels, const bench_data *data, const bench_call *call);
    bench_cost_fn *cost;
    /* |result - plain loops'| <= tolerance * max(1, |plain loops'|); 0: the same bits */
    double tolerance;
} bench_op;

/** Adds the next array, so many floats for each thread. */
bool bench_data_add(bench_data *data, size_t length, bench_fill fill, bool is_output);

/** A thread's part of an array. */
float *bench_data_part(const bench_data *data, size_t array, size_t thread);

/** Fills data->fields for packed fields of the shape's sizes, with rows in the shared table. */
void bench_data_fields(bench_data *data);

#define BENCH_OP(isa, op) extern const bench_op bench_op_##op;
ADASS_KERNEL_OPS(BENCH_OP, unused)

#endif
