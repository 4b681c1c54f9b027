/* What follows the gradients: dedup_accumulate, fm_backward_rows and the optimizers' updates. */
#include "op.h"

enum { POOL_IDS = 1 << 20 };

static size_t of(const bench_shape *shape, bench_axis axis) { return shape->v[axis]; }

/* ---- by row ---- */

static const bench_sweep row_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_SIZE] = { 16 },
                  [AXIS_ROWS] = { 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_ZIPF } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_SIZE] = { 4, 16, 64 },
                  [AXIS_ROWS] = { 1000, 100000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM, IDS_ZIPF } } },
};

enum { N_ROW_SWEEPS = sizeof row_sweeps / sizeof row_sweeps[0] };

/* Each thread has rows of its own. */
static bench_ids distinct_ids(const bench_shape *shape)
{
    return (bench_ids){ .rows = of(shape, AXIS_ROWS),
                        .fields = 1,
                        .ids = of(shape, AXIS_IDS),
                        .a_call = of(shape, AXIS_BATCH),
                        .distinct = true,
                        .capacity = POOL_IDS };
}

static size_t own_rows(const bench_data *data)
{
    return of(data->shape, AXIS_ROWS) / (size_t)data->threads;
}

/* ---- dedup_accumulate ---- */

enum { GRADS, WEIGHTS, STATE };

static bool dedup_make(bench_data *data)
{
    const size_t n = of(data->shape, AXIS_BATCH) * of(data->shape, AXIS_SIZE);
    return bench_data_add(data, n, FILL_SIGNED, false) && bench_data_add(data, n, FILL_ZERO, true);
}

static void dedup_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    const size_t size = of(data->shape, AXIS_SIZE);
    kernels->dedup_accumulate(bench_data_part(data, WEIGHTS, call->thread), size,
                              bench_data_part(data, GRADS, call->thread), size, call->group,
                              of(data->shape, AXIS_BATCH), size);
}

const bench_op bench_op_dedup_accumulate = { .name = "dedup_accumulate",
                                             .sweeps = row_sweeps,
                                             .n_sweeps = N_ROW_SWEEPS,
                                             .ids = distinct_ids,
                                             .make = dedup_make,
                                             .run = dedup_run,
                                             .cost = bench_cost_dedup_accumulate };

/* ---- fm_backward_rows ---- */

enum { DY = 1, SUMMED }; /* and the gradients at 0 */

static size_t fm_rows_table(const bench_shape *shape)
{
    return of(shape, AXIS_ROWS) * of(shape, AXIS_SIZE) * sizeof(float);
}

static bool fm_rows_make(bench_data *data)
{
    const size_t n = of(data->shape, AXIS_BATCH), size = of(data->shape, AXIS_SIZE);
    return bench_data_add(data, n * size, FILL_ZERO, true) &&
           bench_data_add(data, n, FILL_SIGNED, false) &&
           bench_data_add(data, n * size, FILL_SIGNED, false);
}

static void fm_rows_run(const adass_kernels *kernels, const bench_data *data,
                        const bench_call *call)
{
    const size_t size = of(data->shape, AXIS_SIZE);
    kernels->fm_backward_rows(bench_data_part(data, GRADS, call->thread),
                              bench_data_part(data, SUMMED, call->thread),
                              bench_data_part(data, DY, call->thread), data->table, size, call->ids,
                              call->n_ids, size, false);
}

const bench_op bench_op_fm_backward_rows = { .name = "fm_backward_rows",
                                             .sweeps = row_sweeps,
                                             .n_sweeps = N_ROW_SWEEPS,
                                             .ids = distinct_ids,
                                             .table_bytes = fm_rows_table,
                                             .make = fm_rows_make,
                                             .run = fm_rows_run,
                                             .cost = bench_cost_fm_backward_rows };

/* ---- linear_backward ---- */

static const bench_sweep linear_sweeps[] = {
    { .small = true,
      .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_ROWS] = { 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_ZIPF } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 },
                  [AXIS_ROWS] = { 1000, 1000000 },
                  [AXIS_BATCH] = { 4096 },
                  [AXIS_IDS] = { IDS_UNIFORM, IDS_ZIPF } } },
};

static bool linear_make(bench_data *data)
{
    const size_t n = of(data->shape, AXIS_BATCH);
    return bench_data_add(data, n, FILL_SIGNED, false) && bench_data_add(data, n, FILL_ZERO, true);
}

static void linear_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    kernels->linear_backward(bench_data_part(data, WEIGHTS, call->thread),
                             bench_data_part(data, GRADS, call->thread), call->group,
                             of(data->shape, AXIS_BATCH));
}

const bench_op bench_op_linear_backward = { .name = "linear_backward",
                                            .sweeps = linear_sweeps,
                                            .n_sweeps =
                                                sizeof linear_sweeps / sizeof linear_sweeps[0],
                                            .ids = distinct_ids,
                                            .make = linear_make,
                                            .run = linear_run,
                                            .cost = bench_cost_linear_backward };

/* ---- optimizers ---- */

/* Gradients, weights, and so many floats of state a row. */
static bool update_make(bench_data *data, size_t state)
{
    const size_t size = of(data->shape, AXIS_SIZE), rows = own_rows(data);
    return bench_data_add(data, of(data->shape, AXIS_BATCH) * size, FILL_SIGNED, false) &&
           bench_data_add(data, rows * size, FILL_SIGNED, true) &&
           (state == 0 || bench_data_add(data, rows * state, FILL_POSITIVE, true));
}

static bool sgd_make(bench_data *data) { return update_make(data, 0); }

static void sgd_run(const adass_kernels *kernels, const bench_data *data, const bench_call *call)
{
    static const adass_sgd sgd = { .learning_rate = 1e-6f, .l2 = 1e-6f };
    const size_t size = of(data->shape, AXIS_SIZE);
    kernels->sgd_rows(bench_data_part(data, WEIGHTS, call->thread), size, call->ids,
                      bench_data_part(data, GRADS, call->thread), size, call->n_ids, size, &sgd);
}

const bench_op bench_op_sgd_rows = { .name = "sgd_rows",
                                     .sweeps = row_sweeps,
                                     .n_sweeps = N_ROW_SWEEPS,
                                     .ids = distinct_ids,
                                     .make = sgd_make,
                                     .run = sgd_run,
                                     .cost = bench_cost_sgd_rows };

static const adass_adagrad adagrad = { .learning_rate = 1e-6f, .epsilon = 1e-8f, .l2 = 1e-6f };

static bool adagrad_make(bench_data *data) { return update_make(data, of(data->shape, AXIS_SIZE)); }

static void adagrad_run(const adass_kernels *kernels, const bench_data *data,
                        const bench_call *call)
{
    const size_t size = of(data->shape, AXIS_SIZE);
    kernels->adagrad_rows(bench_data_part(data, WEIGHTS, call->thread), size,
                          bench_data_part(data, STATE, call->thread), size, call->ids,
                          bench_data_part(data, GRADS, call->thread), size, call->n_ids, size,
                          &adagrad);
}

const bench_op bench_op_adagrad_rows = { .name = "adagrad_rows",
                                         .sweeps = row_sweeps,
                                         .n_sweeps = N_ROW_SWEEPS,
                                         .ids = distinct_ids,
                                         .make = adagrad_make,
                                         .run = adagrad_run,
                                         .cost = bench_cost_adagrad_rows };

static bool rowwise_make(bench_data *data) { return update_make(data, 1); }

static void rowwise_run(const adass_kernels *kernels, const bench_data *data,
                        const bench_call *call)
{
    const size_t size = of(data->shape, AXIS_SIZE);
    kernels->adagrad_rowwise(bench_data_part(data, WEIGHTS, call->thread), size,
                             bench_data_part(data, STATE, call->thread), call->ids,
                             bench_data_part(data, GRADS, call->thread), size, call->n_ids, size,
                             &adagrad);
}

const bench_op bench_op_adagrad_rowwise = { .name = "adagrad_rowwise",
                                            .sweeps = row_sweeps,
                                            .n_sweeps = N_ROW_SWEEPS,
                                            .ids = distinct_ids,
                                            .make = rowwise_make,
                                            .run = rowwise_run,
                                            .cost = bench_cost_adagrad_rowwise };

/* Small steps: weights stay of their size through millions of updates. */
static const adass_adam adam = { .step_size = 1e-6f,
                                 .beta1 = 0.9f,
                                 .beta2 = 0.999f,
                                 .rest1 = 0.1f,
                                 .rest2 = 0.001f,
                                 .epsilon = 1e-8f,
                                 .inv_sqrt_bc2 = 1.0f,
                                 .l2 = 1e-6f };

static bool adam_rows_make(bench_data *data)
{
    return update_make(data, 2 * of(data->shape, AXIS_SIZE));
}

static void adam_rows_run(const adass_kernels *kernels, const bench_data *data,
                          const bench_call *call)
{
    const size_t size = of(data->shape, AXIS_SIZE);
    float *moments = bench_data_part(data, STATE, call->thread);
    kernels->adam_rows(bench_data_part(data, WEIGHTS, call->thread), size, moments, moments + size,
                       2 * size, call->ids, bench_data_part(data, GRADS, call->thread), size,
                       call->n_ids, size, &adam);
}

const bench_op bench_op_adam_rows = { .name = "adam_rows",
                                      .sweeps = row_sweeps,
                                      .n_sweeps = N_ROW_SWEEPS,
                                      .ids = distinct_ids,
                                      .make = adam_rows_make,
                                      .run = adam_rows_run,
                                      .cost = bench_cost_adam_rows };

/* ---- adam_dense ---- */

static const bench_sweep dense_sweeps[] = {
    { .small = true, .values = { [AXIS_TYPE] = { TYPE_F32 }, [AXIS_N] = { 250000 } } },
    { .values = { [AXIS_TYPE] = { TYPE_F32 }, [AXIS_N] = { 10000, 4000000 } } },
};

static bool adam_dense_make(bench_data *data)
{
    const size_t n = of(data->shape, AXIS_N);
    return bench_data_add(data, n, FILL_SIGNED, false) &&
           bench_data_add(data, n, FILL_SIGNED, true) &&
           bench_data_add(data, n, FILL_SIGNED, true) &&
           bench_data_add(data, n, FILL_POSITIVE, true);
}

static void adam_dense_run(const adass_kernels *kernels, const bench_data *data,
                           const bench_call *call)
{
    kernels->adam_dense(bench_data_part(data, WEIGHTS, call->thread),
                        bench_data_part(data, STATE, call->thread),
                        bench_data_part(data, STATE + 1, call->thread),
                        bench_data_part(data, GRADS, call->thread), of(data->shape, AXIS_N), &adam);
}

const bench_op bench_op_adam_dense = { .name = "adam_dense",
                                       .sweeps = dense_sweeps,
                                       .n_sweeps = sizeof dense_sweeps / sizeof dense_sweeps[0],
                                       .make = adam_dense_make,
                                       .run = adam_dense_run,
                                       .cost = bench_cost_adam_dense };
