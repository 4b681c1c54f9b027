/* The factorization machine's second-order term: fm_forward and fm_backward. */
#include "op.h"

enum { X, SUMS, SAMPLES, DX };

/* Inputs in the second-level cache, in the third-level one, and in memory. */
static const bench_sweep sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { BENCH_FIELDS_MAX },
                  [AXIS_SIZE] = { 16 },
                  [AXIS_BATCH] = { 64 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_FIELDS] = { 8, BENCH_FIELDS_MAX },
                  [AXIS_SIZE] = { 4, 16, 64, BENCH_SIZE_MIXED },
                  [AXIS_BATCH] = { 64, 1024, 16384 } } },
};

enum { N_SWEEPS = sizeof sweeps / sizeof sweeps[0] };

static bool make(bench_data *data, bool backward)
{
    const size_t batch = data->shape->v[AXIS_BATCH], total = bench_total_size(data->shape);
    bench_data_fields(data);
    return bench_data_add(data, batch * total, FILL_SIGNED, false) &&
           bench_data_add(data, batch * bench_largest_size(data->shape), FILL_SIGNED, !backward) &&
           bench_data_add(data, batch, FILL_SIGNED, !backward) &&
           (!backward || bench_data_add(data, batch * total, FILL_ZERO, true));
}

static bool make_forward(bench_data *data) { return make(data, false); }

static bool make_backward(bench_data *data) { return make(data, true); }

static void run_forward(const adass_kernels *kernels, const bench_data *data,
                        const bench_call *call)
{
    const bench_shape *shape = data->shape;
    kernels->fm_forward(bench_data_part(data, SAMPLES, call->thread),
                        bench_data_part(data, SUMS, call->thread), bench_largest_size(shape),
                        bench_data_part(data, X, call->thread), bench_total_size(shape),
                        data->fields, shape->v[AXIS_FIELDS], shape->v[AXIS_BATCH]);
}

static void run_backward(const adass_kernels *kernels, const bench_data *data,
                         const bench_call *call)
{
    const bench_shape *shape = data->shape;
    const size_t total = bench_total_size(shape);
    kernels->fm_backward(bench_data_part(data, DX, call->thread), total,
                         bench_data_part(data, SAMPLES, call->thread),
                         bench_data_part(data, X, call->thread), total,
                         bench_data_part(data, SUMS, call->thread), bench_largest_size(shape),
                         data->fields, shape->v[AXIS_FIELDS], shape->v[AXIS_BATCH], false);
}

/* Within the kernel's bound on either side: gamma(2 * 39 + 64 + 8) of the sum of magnitudes. */
const bench_op bench_op_fm_forward = { .name = "fm_forward",
                                       .sweeps = sweeps,
                                       .n_sweeps = N_SWEEPS,
                                       .make = make_forward,
                                       .run = run_forward,
                                       .cost = bench_cost_fm_forward,
                                       .tolerance = 1e-3 };

const bench_op bench_op_fm_backward = { .name = "fm_backward",
                                        .sweeps = sweeps,
                                        .n_sweeps = N_SWEEPS,
                                        .make = make_backward,
                                        .run = run_backward,
                                        .cost = bench_cost_fm_backward };
