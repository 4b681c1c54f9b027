/* Rows between float and the types of tables: quantize_rows and dequantize_rows. */
#include "op.h"

enum { INPUT, OUTPUT };

/* Within the caches, and beyond them. */
static const bench_sweep sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_BF16, TYPE_INT8 },
                  [AXIS_SIZE] = { 16 },
                  [AXIS_BATCH] = { 4096 } } },
    { .values = { [AXIS_TYPE] = { TYPE_BF16, TYPE_F16, TYPE_INT8 },
                  [AXIS_SIZE] = { 16, 64 },
                  [AXIS_BATCH] = { 4096, 400000 } } },
};

enum { N_SWEEPS = sizeof sweeps / sizeof sweeps[0] };

static size_t floats(const bench_data *data)
{
    return data->shape->v[AXIS_BATCH] * data->shape->v[AXIS_SIZE];
}

/* The rows of the type, in a memory of floats. */
static size_t row_floats(const bench_data *data)
{
    const size_t bytes = bench_row_bytes(data->shape, data->shape->v[AXIS_SIZE]);
    return (data->shape->v[AXIS_BATCH] * bytes + sizeof(float) - 1) / sizeof(float);
}

static bool quantize_make(bench_data *data)
{
    return bench_data_add(data, floats(data), FILL_SIGNED, false) &&
           bench_data_add(data, row_floats(data), FILL_ZERO, true);
}

static void quantize_run(const adass_kernels *kernels, const bench_data *data,
                         const bench_call *call)
{
    const size_t size = data->shape->v[AXIS_SIZE];
    const adass_type type = bench_shape_type(data->shape);
    kernels->quantize_rows(
        type, bench_data_part(data, OUTPUT, call->thread), adass_type_stride(type, size),
        bench_data_part(data, INPUT, call->thread), size, data->shape->v[AXIS_BATCH], size);
}

const bench_op bench_op_quantize_rows = { .name = "quantize_rows",
                                          .sweeps = sweeps,
                                          .n_sweeps = N_SWEEPS,
                                          .make = quantize_make,
                                          .run = quantize_run,
                                          .cost = bench_cost_quantize_rows };

static bool dequantize_make(bench_data *data)
{
    return bench_data_add(data, row_floats(data), FILL_WORDS, false) &&
           bench_data_add(data, floats(data), FILL_ZERO, true);
}

static void dequantize_run(const adass_kernels *kernels, const bench_data *data,
                           const bench_call *call)
{
    const size_t size = data->shape->v[AXIS_SIZE];
    const adass_type type = bench_shape_type(data->shape);
    kernels->dequantize_rows(bench_data_part(data, OUTPUT, call->thread), size, type,
                             bench_data_part(data, INPUT, call->thread),
                             adass_type_stride(type, size), data->shape->v[AXIS_BATCH], size);
}

const bench_op bench_op_dequantize_rows = { .name = "dequantize_rows",
                                            .sweeps = sweeps,
                                            .n_sweeps = N_SWEEPS,
                                            .make = dequantize_make,
                                            .run = dequantize_run,
                                            .cost = bench_cost_dequantize_rows };
