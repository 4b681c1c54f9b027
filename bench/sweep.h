/* Parameter sweeps: the shapes that a family is measured at, as products of its axes' values. */
#ifndef ADASS_BENCH_SWEEP_H
#define ADASS_BENCH_SWEEP_H

#include "adass/kernels.h"

#include <stdbool.h>
#include <stddef.h>

/** What a shape may vary, in the order of a name's parts. */
typedef enum bench_axis {
    AXIS_TYPE,    /* of a table's elements, a bench_type */
    AXIS_FIELDS,  /* fields of a sample */
    AXIS_SIZE,    /* columns of a row, or BENCH_SIZE_MIXED */
    AXIS_ROWS,    /* of the table, or of all tables together */
    AXIS_BATCH,   /* samples, bags or rows a call */
    AXIS_WIDTH,   /* columns of a dense matrix */
    AXIS_N,       /* elements of an array */
    AXIS_IDS,     /* a bench_distribution */
    AXIS_POOLING, /* rows a bag */
    N_AXES
} bench_axis;

/** An adass_type, counted from 1. */
typedef enum bench_type {
    TYPE_F32 = ADASS_F32 + 1,
    TYPE_BF16 = ADASS_BF16 + 1,
    TYPE_F16 = ADASS_F16 + 1,
    TYPE_INT8 = ADASS_INT8 + 1
} bench_type;

typedef enum bench_distribution { IDS_UNIFORM = 1, IDS_ZIPF } bench_distribution;

/** Sizes 2, 4, ..., 64 in turn, field by field. */
enum { BENCH_SIZE_MIXED = 1 << 16 };

/** One value an axis; 0 where the family does not have the axis. */
typedef struct bench_shape {
    size_t v[N_AXES];
} bench_shape;

enum { BENCH_SWEEP_VALUES = 8 };

/** All combinations of the axes' values; an axis' values end at the first 0. */
typedef struct bench_sweep {
    bool small; /* of the small set too */
    size_t values[N_AXES][BENCH_SWEEP_VALUES];
} bench_sweep;

/** Number of shapes of a sweep: at least 1. */
size_t bench_sweep_count(const bench_sweep *sweep);

/** Shape i < bench_sweep_count(); the last axis varies first. */
bench_shape bench_sweep_shape(const bench_sweep *sweep, size_t i);

/**
 * Writes "/<key>:<value>" for each axis that the shape has and that lies in [first, last), e.g.
 * "/size:16/rows:1e6/ids:zipf1.05"; cut at `chars`, which count the end.
 */
void bench_shape_print(const bench_shape *shape, bench_axis first, bench_axis last, char *out,
                       size_t chars);

/** The type that AXIS_TYPE says. */
adass_type bench_shape_type(const bench_shape *shape);

/** Bytes of a row of `size` columns of the shape's type, without gaps. */
size_t bench_row_bytes(const bench_shape *shape, size_t size);

/** Columns of field f. */
size_t bench_field_size(const bench_shape *shape, size_t f);

/** The largest size of a field, and the sum over all fields. */
size_t bench_largest_size(const bench_shape *shape);
size_t bench_total_size(const bench_shape *shape);

#endif
