/* The kernels around the dense layers and the loss. */
#include "op.h"

static size_t of(const bench_shape *shape, bench_axis axis) { return shape->v[axis]; }

/* Arrays within the second-level cache, beyond it, and beyond all caches. */
static const bench_sweep array_sweeps[] = {
    { .small = true, .values = { [AXIS_TYPE] = { TYPE_F32 }, [AXIS_N] = { 4096 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 }, [AXIS_N] = { 250000, 10000000 } } },
};

/* Layers of 400 outputs: a block of samples, a batch, and more than the caches hold. */
static const bench_sweep matrix_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 }, [AXIS_BATCH] = { 128 }, [AXIS_WIDTH] = { 400 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_BATCH] = { 4096, 32768 },
                  [AXIS_WIDTH] = { 400 } } },
};

#define ARRAY_SWEEPS .sweeps = array_sweeps, .n_sweeps = sizeof array_sweeps / sizeof *array_sweeps
#define MATRIX_SWEEPS                                                                              \
    .sweeps = matrix_sweeps, .n_sweeps = sizeof matrix_sweeps / sizeof *matrix_sweeps

/* ---- bce ---- */

enum { BCE_Z, BCE_Y, BCE_LOSS, BCE_DZ };

static bool bce_make(bench_data *data)
{
    const size_t n = of(data->shape, AXIS_N);
    return bench_data_add(data, n, FILL_SIGNED, false) &&
           bench_data_add(data, n, FILL_LABELS, false) &&
           bench_data_add(data, n, FILL_ZERO, true) && bench_data_add(data, n, FILL_ZERO, true);
}

static void bce_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    kernels->bce(bench_data_part(data, BCE_LOSS, call->thread),
                 bench_data_part(data, BCE_DZ, call->thread),
                 bench_data_part(data, BCE_Z, call->thread),
                 bench_data_part(data, BCE_Y, call->thread), of(data->shape, AXIS_N), 0.25f);
}

const bench_op bench_op_bce = { .name = "bce",
                                ARRAY_SWEEPS,
                                .make = bce_make,
                                .run = bce_run,
                                .cost = bench_cost_bce,
                                .tolerance = 2e-6 };

/* ---- relu_backward ---- */

enum { RELU_DA, RELU_A, RELU_DZ };

static bool relu_make(bench_data *data)
{
    const size_t n = of(data->shape, AXIS_N);
    return bench_data_add(data, n, FILL_SIGNED, false) &&
           bench_data_add(data, n, FILL_SIGNED, false) && bench_data_add(data, n, FILL_ZERO, true);
}

static void relu_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    kernels->relu_backward(
        bench_data_part(data, RELU_DZ, call->thread), bench_data_part(data, RELU_DA, call->thread),
        bench_data_part(data, RELU_A, call->thread), of(data->shape, AXIS_N), 1.25f);
}

const bench_op bench_op_relu_backward = { .name = "relu_backward",
                                          ARRAY_SWEEPS,
                                          .make = relu_make,
                                          .run = relu_run,
                                          .cost = bench_cost_relu_backward };

/* ---- dropout ---- */

static bool dropout_make(bench_data *data)
{
    return bench_data_add(data, of(data->shape, AXIS_N), FILL_SIGNED, true);
}

/* The same elements at every call and a scale of 1: what stays stays as it is. */
static void dropout_run(const adass_kernels *kernels, const bench_data *data,
                        const bench_call *call)
{
    kernels->dropout(bench_data_part(data, 0, call->thread), of(data->shape, AXIS_N), 0, 7,
                     1u << 30, 1.0f);
}

const bench_op bench_op_dropout = { .name = "dropout",
                                    ARRAY_SWEEPS,
                                    .make = dropout_make,
                                    .run = dropout_run,
                                    .cost = bench_cost_dropout };

/* ---- bias_relu ---- */

enum { MATRIX, COLUMNS };

static bool matrix_make(bench_data *data, bench_fill columns, bool matrix_is_output)
{
    const size_t width = of(data->shape, AXIS_WIDTH);
    return bench_data_add(data, of(data->shape, AXIS_BATCH) * width, FILL_SIGNED,
                          matrix_is_output) &&
           bench_data_add(data, width, columns, !matrix_is_output);
}

static bool bias_relu_make(bench_data *data) { return matrix_make(data, FILL_SIGNED, true); }

static void bias_relu_run(const adass_kernels *kernels, const bench_data *data,
                          const bench_call *call)
{
    const size_t width = of(data->shape, AXIS_WIDTH);
    kernels->bias_relu(bench_data_part(data, MATRIX, call->thread), width,
                       bench_data_part(data, COLUMNS, call->thread), of(data->shape, AXIS_BATCH),
                       width, true);
}

const bench_op bench_op_bias_relu = { .name = "bias_relu",
                                      MATRIX_SWEEPS,
                                      .make = bias_relu_make,
                                      .run = bias_relu_run,
                                      .cost = bench_cost_bias_relu };

/* ---- dequantize_relu ---- */

enum { DEQUANTIZE_SUMS, DEQUANTIZE_ROWS, DEQUANTIZE_COLUMNS, DEQUANTIZE_BIAS, DEQUANTIZE_Y };

/* The sums are small floats' bits: whole numbers of about 2^30 of both signs. */
static bool dequantize_make(bench_data *data)
{
    const size_t batch = of(data->shape, AXIS_BATCH), width = of(data->shape, AXIS_WIDTH);
    return bench_data_add(data, batch * width, FILL_SIGNED, false) &&
           bench_data_add(data, batch, FILL_POSITIVE, false) &&
           bench_data_add(data, width, FILL_POSITIVE, false) &&
           bench_data_add(data, width, FILL_SIGNED, false) &&
           bench_data_add(data, batch * width, FILL_ZERO, true);
}

static void dequantize_run(const adass_kernels *kernels, const bench_data *data,
                           const bench_call *call)
{
    const size_t width = of(data->shape, AXIS_WIDTH);
    kernels->dequantize_relu(
        bench_data_part(data, DEQUANTIZE_Y, call->thread), width,
        (const int32_t *)(const void *)bench_data_part(data, DEQUANTIZE_SUMS, call->thread),
        bench_data_part(data, DEQUANTIZE_ROWS, call->thread),
        bench_data_part(data, DEQUANTIZE_COLUMNS, call->thread),
        bench_data_part(data, DEQUANTIZE_BIAS, call->thread), of(data->shape, AXIS_BATCH), width);
}

const bench_op bench_op_dequantize_relu = { .name = "dequantize_relu",
                                            MATRIX_SWEEPS,
                                            .make = dequantize_make,
                                            .run = dequantize_run,
                                            .cost = bench_cost_dequantize_relu };

/* ---- column_sums, column_squares ---- */

static bool columns_make(bench_data *data) { return matrix_make(data, FILL_ZERO, false); }

static void columns_run(adass_column_sums_fn *kernel, const bench_data *data,
                        const bench_call *call)
{
    const size_t width = of(data->shape, AXIS_WIDTH);
    kernel(bench_data_part(data, COLUMNS, call->thread),
           bench_data_part(data, MATRIX, call->thread), width, of(data->shape, AXIS_BATCH), width);
}

static void column_sums_run(const adass_kernels *kernels, const bench_data *data,
                            const bench_call *call)
{
    columns_run(kernels->column_sums, data, call);
}

static void column_squares_run(const adass_kernels *kernels, const bench_data *data,
                               const bench_call *call)
{
    columns_run(kernels->column_squares, data, call);
}

const bench_op bench_op_column_sums = { .name = "column_sums",
                                        MATRIX_SWEEPS,
                                        .make = columns_make,
                                        .run = column_sums_run,
                                        .cost = bench_cost_column_sums };

const bench_op bench_op_column_squares = { .name = "column_squares",
                                           MATRIX_SWEEPS,
                                           .make = columns_make,
                                           .run = column_squares_run,
                                           .cost = bench_cost_column_squares };
