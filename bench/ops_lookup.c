/* The kernels that read rows by id: lookup, lookup_fields, lookup_fm, linear_forward. */
#include "op.h"

enum { OUT = 0, POOL_IDS = 1 << 20 };

static size_t of(const bench_shape *shape, bench_axis axis) { return shape->v[axis]; }

static bench_ids ids_of(const bench_shape *shape, size_t fields, size_t a_call)
{
    return (bench_ids){ .rows = of(shape, AXIS_ROWS),
                        .fields = fields,
                        .ids = of(shape, AXIS_IDS),
                        .a_call = a_call,
                        .capacity = POOL_IDS };
}

/* ---- lookup ---- */

/* Tables in the second-level cache, in the third-level cache of most machines, and in memory. */
static const bench_sweep lookup_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_SIZE] = { 16, 64 },
                  [AXIS_ROWS] = { 1000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM },
                  [AXIS_POOLING] = { 1 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_SIZE] = { 4, 8, 16, 32, 64, 128 },
                  [AXIS_ROWS] = { 1000, 100000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM, IDS_ZIPF },
                  [AXIS_POOLING] = { 1 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_SIZE] = { 4, 16, 64, 128 },
                  [AXIS_ROWS] = { 1000, 100000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM, IDS_ZIPF },
                  [AXIS_POOLING] = { 20 } } },
    { .values = { [AXIS_TYPE] = { TYPE_BF16, TYPE_F16, TYPE_INT8 },
                  [AXIS_SIZE] = { 16, 64 },
                  [AXIS_ROWS] = { 1000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM },
                  [AXIS_POOLING] = { 1, 20 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_SIZE] = { 4, 16 },
                  [AXIS_ROWS] = { 4000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM },
                  [AXIS_POOLING] = { 1 } } },
};

static bench_ids lookup_ids(const bench_shape *shape)
{
    return ids_of(shape, 1, of(shape, AXIS_BATCH) * of(shape, AXIS_POOLING));
}

static size_t lookup_table(const bench_shape *shape)
{
    return of(shape, AXIS_ROWS) * bench_row_bytes(shape, of(shape, AXIS_SIZE));
}

static bool lookup_make(bench_data *data)
{
    return bench_data_add(data, of(data->shape, AXIS_BATCH) * of(data->shape, AXIS_SIZE), FILL_ZERO,
                          true);
}

static void lookup_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    const size_t size = of(data->shape, AXIS_SIZE);
    const adass_type type = bench_shape_type(data->shape);
    kernels->lookup(bench_data_part(data, OUT, call->thread), size, type, data->table,
                    adass_type_stride(type, size), call->ids, 1, of(data->shape, AXIS_BATCH),
                    of(data->shape, AXIS_POOLING), size);
}

const bench_op bench_op_lookup = { .name = "lookup",
                                   .sweeps = lookup_sweeps,
                                   .n_sweeps = sizeof lookup_sweeps / sizeof lookup_sweeps[0],
                                   .ids = lookup_ids,
                                   .table_bytes = lookup_table,
                                   .make = lookup_make,
                                   .run = lookup_run,
                                   .cost = bench_cost_lookup };

/* ---- lookup_fields ---- */

static const bench_sweep fields_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { BENCH_FIELDS_MAX },
                  [AXIS_SIZE] = { 16 },
                  [AXIS_ROWS] = { 1000000 },
                  [AXIS_BATCH] = { 64 },
                  [AXIS_IDS] = { IDS_ZIPF } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { BENCH_FIELDS_MAX },
                  [AXIS_SIZE] = { 4, 16, 64, BENCH_SIZE_MIXED },
                  [AXIS_ROWS] = { 1000, 100000, 1000000 },
                  [AXIS_BATCH] = { 64 },
                  [AXIS_IDS] = { IDS_UNIFORM, IDS_ZIPF } } },
    { .values = { [AXIS_TYPE] = { TYPE_BF16, TYPE_F16, TYPE_INT8 },
                  [AXIS_FIELDS] = { BENCH_FIELDS_MAX },
                  [AXIS_SIZE] = { 16 },
                  [AXIS_ROWS] = { 1000000 },
                  [AXIS_BATCH] = { 64 },
                  [AXIS_IDS] = { IDS_ZIPF } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { 8, BENCH_FIELDS_MAX },
                  [AXIS_SIZE] = { 16, BENCH_SIZE_MIXED },
                  [AXIS_ROWS] = { 1000000 },
                  [AXIS_BATCH] = { 1, 4096 },
                  [AXIS_IDS] = { IDS_ZIPF } } },
};

static bench_ids fields_ids(const bench_shape *shape)
{
    return ids_of(shape, of(shape, AXIS_FIELDS), of(shape, AXIS_BATCH) * of(shape, AXIS_FIELDS));
}

static size_t fields_table(const bench_shape *shape)
{
    size_t bytes = 0;
    for (size_t f = 0; f < of(shape, AXIS_FIELDS); f++)
        bytes += bench_row_bytes(shape, bench_field_size(shape, f));
    return of(shape, AXIS_ROWS) / of(shape, AXIS_FIELDS) * bytes;
}

static bool fields_make(bench_data *data)
{
    bench_data_fields(data);
    return bench_data_add(data, of(data->shape, AXIS_BATCH) * bench_total_size(data->shape),
                          FILL_ZERO, true);
}

static void fields_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    const size_t fields = of(data->shape, AXIS_FIELDS);
    kernels->lookup_fields(bench_data_part(data, OUT, call->thread), bench_total_size(data->shape),
                           data->fields, fields, call->ids, fields, of(data->shape, AXIS_BATCH));
}

const bench_op bench_op_lookup_fields = { .name = "lookup_fields",
                                          .sweeps = fields_sweeps,
                                          .n_sweeps =
                                              sizeof fields_sweeps / sizeof fields_sweeps[0],
                                          .ids = fields_ids,
                                          .table_bytes = fields_table,
                                          .make = fields_make,
                                          .run = fields_run,
                                          .cost = bench_cost_lookup_fields };

/* ---- lookup_fm ---- */

enum { SUMS = 1, SAMPLES };

static bool lookup_fm_make(bench_data *data)
{
    const size_t batch = of(data->shape, AXIS_BATCH);
    return fields_make(data) &&
           bench_data_add(data, batch * bench_largest_size(data->shape), FILL_ZERO, true) &&
           bench_data_add(data, batch, FILL_SIGNED, true);
}

static void lookup_fm_run(const adass_kernels *kernels, const bench_data *data,
                          const bench_call *call)
{
    const size_t fields = of(data->shape, AXIS_FIELDS);
    kernels->lookup_fm(bench_data_part(data, SAMPLES, call->thread),
                       bench_data_part(data, SUMS, call->thread), bench_largest_size(data->shape),
                       bench_data_part(data, OUT, call->thread), bench_total_size(data->shape),
                       data->fields, fields, call->ids, fields, of(data->shape, AXIS_BATCH));
}

static void lookup_fm_apart(const adass_kernels *kernels, const bench_data *data,
                            const bench_call *call)
{
    fields_run(kernels, data, call);
    kernels->fm_forward(bench_data_part(data, SAMPLES, call->thread),
                        bench_data_part(data, SUMS, call->thread), bench_largest_size(data->shape),
                        bench_data_part(data, OUT, call->thread), bench_total_size(data->shape),
                        data->fields, of(data->shape, AXIS_FIELDS), of(data->shape, AXIS_BATCH));
}

/* Like fm_forward; embeddings up to 2 in magnitude. */
const bench_op bench_op_lookup_fm = { .name = "lookup_fm",
                                      .sweeps = fields_sweeps,
                                      .n_sweeps = sizeof fields_sweeps / sizeof fields_sweeps[0],
                                      .ids = fields_ids,
                                      .table_bytes = fields_table,
                                      .make = lookup_fm_make,
                                      .run = lookup_fm_run,
                                      .run_apart = lookup_fm_apart,
                                      .cost = bench_cost_lookup_fm,
                                      .tolerance = 1e-3 };

/* ---- linear_forward ---- */

static const bench_sweep linear_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { BENCH_FIELDS_MAX },
                  [AXIS_ROWS] = { 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_ZIPF } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { 8, BENCH_FIELDS_MAX },
                  [AXIS_ROWS] = { 1000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM, IDS_ZIPF } } },
};

static size_t linear_table(const bench_shape *shape)
{
    return of(shape, AXIS_ROWS) * sizeof(float);
}

static bool linear_make(bench_data *data)
{
    bench_data_fields(data);
    return bench_data_add(data, of(data->shape, AXIS_BATCH), FILL_SIGNED, true);
}

static void linear_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    const size_t fields = of(data->shape, AXIS_FIELDS);
    kernels->linear_forward(bench_data_part(data, OUT, call->thread), data->fields, fields,
                            call->ids, fields, of(data->shape, AXIS_BATCH));
}

const bench_op bench_op_linear_forward = { .name = "linear_forward",
                                           .sweeps = linear_sweeps,
                                           .n_sweeps =
                                               sizeof linear_sweeps / sizeof linear_sweeps[0],
                                           .ids = fields_ids,
                                           .table_bytes = linear_table,
                                           .make = linear_make,
                                           .run = linear_run,
                                           .cost = bench_cost_linear_forward };

/* ---- copy_ids ---- */

/* Samples within the second-level cache, and beyond all caches. */
static const bench_sweep copy_ids_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { BENCH_FIELDS_MAX },
                  [AXIS_BATCH] = { 1024 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { 8, BENCH_FIELDS_MAX },
                  [AXIS_BATCH] = { 1024, 1000000 } } },
};

enum { COPY_OUT, COPY_IDS, COPY_LAST };

enum { COPY_GROUP = 16 }; /* samples a call, as the reader has it */

/* The ids are bits of floats below 1, which no last one of 1 is below. */
static bool copy_ids_make(bench_data *data)
{
    const size_t fields = of(data->shape, AXIS_FIELDS), n = of(data->shape, AXIS_BATCH) * fields;
    if (!bench_data_add(data, n, FILL_ZERO, true) ||
        !bench_data_add(data, n, FILL_POSITIVE, false) ||
        !bench_data_add(data, fields, FILL_ZERO, false))
        return false;
    for (size_t i = 0; i < fields * (size_t)data->threads; i++)
        data->arrays[COPY_LAST].all[i] = 1.0f;
    return true;
}

static uint32_t *ids_part(const bench_data *data, size_t array, size_t thread)
{
    return (uint32_t *)(void *)bench_data_part(data, array, thread);
}

static void copy_ids_run(const adass_kernels *kernels, const bench_data *data,
                         const bench_call *call)
{
    const size_t fields = of(data->shape, AXIS_FIELDS), n = of(data->shape, AXIS_BATCH);
    uint32_t *out = ids_part(data, COPY_OUT, call->thread);
    const uint32_t *ids = ids_part(data, COPY_IDS, call->thread);
    const uint32_t *last = ids_part(data, COPY_LAST, call->thread);
    const uint32_t *group[COPY_GROUP];
    for (size_t i = 0; i < n; i += COPY_GROUP) {
        const size_t left = n - i < COPY_GROUP ? n - i : COPY_GROUP;
        for (size_t k = 0; k < left; k++)
            group[k] = ids + (i + k) * fields;
        (void)kernels->copy_ids(out + i * fields, group, left, last, fields);
    }
}

const bench_op bench_op_copy_ids = { .name = "copy_ids",
                                     .sweeps = copy_ids_sweeps,
                                     .n_sweeps = sizeof copy_ids_sweeps / sizeof copy_ids_sweeps[0],
                                     .make = copy_ids_make,
                                     .run = copy_ids_run,
                                     .cost = bench_cost_copy_ids };
