/* Bytes and operations of a call. cost.h says what functions do. */
#include "cost.h"

enum { F32 = sizeof(float), ID = sizeof(uint32_t) };

static bench_cost of_arrays(double items, double read, double written, double updated)
{
    return (bench_cost){ .items = items, .read = read, .written = written, .updated = updated };
}

static void add_rows(bench_cost *cost, const bench_shape *shape, double count, size_t bytes,
                     bool written)
{
    const size_t fields = shape->v[AXIS_FIELDS];
    cost->rows[cost->n_rows++] = (bench_rows){ .count = count,
                                               .bytes = bytes,
                                               .table_rows = shape->v[AXIS_ROWS],
                                               .fields = fields > 0 ? fields : 1,
                                               .ids = shape->v[AXIS_IDS],
                                               .distinct = written ? shape->v[AXIS_BATCH] : 0,
                                               .written = written };
}

static double batch_of(const bench_shape *shape) { return (double)shape->v[AXIS_BATCH]; }

bench_cost bench_cost_lookup(const bench_shape *shape, double unique)
{
    (void)unique;
    const double size = (double)shape->v[AXIS_SIZE];
    const double rows = batch_of(shape) * (double)shape->v[AXIS_POOLING];
    bench_cost cost = of_arrays(rows, ID * rows, F32 * size * batch_of(shape), 0.0);
    add_rows(&cost, shape, rows, bench_row_bytes(shape, shape->v[AXIS_SIZE]), false);
    cost.rows[0].copied = shape->v[AXIS_POOLING] == 1 && bench_shape_type(shape) == ADASS_F32;
    return cost;
}

/* Of mixed sizes the mean, in whole lines: no more than the rows take. */
static size_t mean_row_bytes(const bench_shape *shape)
{
    size_t bytes = 0;
    for (size_t f = 0; f < shape->v[AXIS_FIELDS]; f++)
        bytes += bench_row_bytes(shape, bench_field_size(shape, f));
    const size_t mean = bytes / shape->v[AXIS_FIELDS];
    return mean > BENCH_LINE_BYTES ? mean / BENCH_LINE_BYTES * BENCH_LINE_BYTES : mean;
}

bench_cost bench_cost_lookup_fields(const bench_shape *shape, double unique)
{
    (void)unique;
    const double rows = batch_of(shape) * (double)shape->v[AXIS_FIELDS];
    const double total = batch_of(shape) * (double)bench_total_size(shape);
    bench_cost cost = of_arrays(rows, ID * rows, F32 * total, 0.0);
    add_rows(&cost, shape, rows, mean_row_bytes(shape), false);
    return cost;
}

bench_cost bench_cost_fm_forward(const bench_shape *shape, double unique)
{
    (void)unique;
    const double total = (double)bench_total_size(shape), b = batch_of(shape);
    const double largest = (double)bench_largest_size(shape);
    bench_cost cost = of_arrays(b, b * F32 * total, b * F32 * largest, b * F32);
    cost.multiplies = b * (total + largest);
    return cost;
}

bench_cost bench_cost_fm_backward(const bench_shape *shape, double unique)
{
    (void)unique;
    const double total = (double)bench_total_size(shape), b = batch_of(shape);
    const double largest = (double)bench_largest_size(shape);
    bench_cost cost = of_arrays(b, b * F32 * (total + largest + 1.0), b * F32 * total, 0.0);
    cost.multiplies = b * total;
    return cost;
}

bench_cost bench_cost_lookup_fm(const bench_shape *shape, double unique)
{
    const bench_cost fm = bench_cost_fm_forward(shape, unique);
    bench_cost cost = bench_cost_lookup_fields(shape, unique);
    cost.written += fm.written;
    cost.updated += fm.updated;
    cost.multiplies = fm.multiplies;
    return cost;
}

bench_cost bench_cost_linear_forward(const bench_shape *shape, double unique)
{
    (void)unique;
    const double weights = batch_of(shape) * (double)shape->v[AXIS_FIELDS];
    bench_cost cost = of_arrays(batch_of(shape), ID * weights, 0.0, F32 * batch_of(shape));
    add_rows(&cost, shape, weights, F32, false);
    return cost;
}

bench_cost bench_cost_linear_backward(const bench_shape *shape, double unique)
{
    const double b = batch_of(shape);
    return of_arrays(b, b * (F32 + ID), unique * F32, 0.0);
}

bench_cost bench_cost_dedup_accumulate(const bench_shape *shape, double unique)
{
    const double size = (double)shape->v[AXIS_SIZE], b = batch_of(shape);
    return of_arrays(b, b * (F32 * size + ID), unique * F32 * size, 0.0);
}

bench_cost bench_cost_fm_backward_rows(const bench_shape *shape, double unique)
{
    const double size = (double)shape->v[AXIS_SIZE], floats = F32 * size * unique;
    bench_cost cost = of_arrays(unique, floats + (ID + F32) * unique, floats, 0.0);
    add_rows(&cost, shape, unique, F32 * shape->v[AXIS_SIZE], false);
    cost.rows[0].distinct = shape->v[AXIS_BATCH];
    cost.multiplies = size * unique;
    return cost;
}

/* Lazy updates: the gradients in order; weights and state by row, read and written. */
static bench_cost of_update(const bench_shape *shape, double rows)
{
    const double grads = rows * F32 * (double)shape->v[AXIS_SIZE];
    bench_cost cost = of_arrays(rows, grads + ID * rows, 0.0, 0.0);
    add_rows(&cost, shape, rows, F32 * shape->v[AXIS_SIZE], true);
    return cost;
}

bench_cost bench_cost_sgd_rows(const bench_shape *shape, double unique)
{
    bench_cost cost = of_update(shape, unique);
    cost.multiplies = 2.0 * unique * (double)shape->v[AXIS_SIZE];
    return cost;
}

bench_cost bench_cost_adagrad_rows(const bench_shape *shape, double unique)
{
    bench_cost cost = of_update(shape, unique);
    add_rows(&cost, shape, unique, F32 * shape->v[AXIS_SIZE], true);
    cost.multiplies = 3.0 * unique * (double)shape->v[AXIS_SIZE];
    cost.divisions = 2.0 * unique * (double)shape->v[AXIS_SIZE];
    return cost;
}

bench_cost bench_cost_adagrad_rowwise(const bench_shape *shape, double unique)
{
    bench_cost cost = of_update(shape, unique);
    add_rows(&cost, shape, unique, F32, true);
    cost.multiplies = 3.0 * unique * (double)shape->v[AXIS_SIZE];
    cost.divisions = 3.0 * unique;
    return cost;
}

bench_cost bench_cost_adam_rows(const bench_shape *shape, double unique)
{
    bench_cost cost = of_update(shape, unique);
    add_rows(&cost, shape, unique, 2 * F32 * shape->v[AXIS_SIZE], true); /* both moments */
    cost.multiplies = 8.0 * unique * (double)shape->v[AXIS_SIZE];
    cost.divisions = 2.0 * unique * (double)shape->v[AXIS_SIZE];
    return cost;
}

bench_cost bench_cost_adam_dense(const bench_shape *shape, double unique)
{
    (void)unique;
    const double n = (double)shape->v[AXIS_N];
    bench_cost cost = of_arrays(n, F32 * n, 0.0, 3.0 * F32 * n);
    cost.multiplies = 8.0 * n;
    cost.divisions = 2.0 * n;
    return cost;
}

static double scales_of(const bench_shape *shape)
{
    return bench_shape_type(shape) == ADASS_INT8 ? batch_of(shape) * (double)shape->v[AXIS_SIZE]
                                                 : 0.0;
}

bench_cost bench_cost_quantize_rows(const bench_shape *shape, double unique)
{
    (void)unique;
    const double b = batch_of(shape), floats = b * (double)shape->v[AXIS_SIZE];
    const double rows = b * (double)bench_row_bytes(shape, shape->v[AXIS_SIZE]);
    bench_cost cost = of_arrays(b, F32 * floats, rows, 0.0);
    cost.multiplies = scales_of(shape);
    return cost;
}

bench_cost bench_cost_dequantize_rows(const bench_shape *shape, double unique)
{
    bench_cost cost = bench_cost_quantize_rows(shape, unique);
    const double rows = cost.written;
    cost.written = cost.read;
    cost.read = rows;
    return cost;
}

bench_cost bench_cost_bce(const bench_shape *shape, double unique)
{
    (void)unique;
    const double n = (double)shape->v[AXIS_N];
    bench_cost cost = of_arrays(n, 2.0 * F32 * n, 2.0 * F32 * n, 0.0);
    /* exp 11, log1p 9, the sigmoid's product, scale and label; two quotients */
    cost.multiplies = 23.0 * n;
    cost.divisions = 2.0 * n;
    return cost;
}

static double matrix_of(const bench_shape *shape)
{
    return batch_of(shape) * (double)shape->v[AXIS_WIDTH];
}

bench_cost bench_cost_copy_ids(const bench_shape *shape, double unique)
{
    (void)unique;
    const double row = ID * (double)shape->v[AXIS_FIELDS];
    return of_arrays(batch_of(shape), row * (batch_of(shape) + 1.0), row * batch_of(shape), 0.0);
}

bench_cost bench_cost_bias_relu(const bench_shape *shape, double unique)
{
    (void)unique;
    return of_arrays(matrix_of(shape), F32 * (double)shape->v[AXIS_WIDTH], 0.0,
                     F32 * matrix_of(shape));
}

bench_cost bench_cost_dequantize_relu(const bench_shape *shape, double unique)
{
    (void)unique;
    const double matrix = matrix_of(shape), columns = (double)shape->v[AXIS_WIDTH];
    bench_cost cost =
        of_arrays(matrix, F32 * (matrix + batch_of(shape) + 2.0 * columns), F32 * matrix, 0.0);
    cost.multiplies = 2.0 * matrix;
    return cost;
}

bench_cost bench_cost_relu_backward(const bench_shape *shape, double unique)
{
    (void)unique;
    const double n = (double)shape->v[AXIS_N];
    bench_cost cost = of_arrays(n, 2.0 * F32 * n, F32 * n, 0.0);
    cost.multiplies = n;
    return cost;
}

bench_cost bench_cost_dropout(const bench_shape *shape, double unique)
{
    (void)unique;
    const double n = (double)shape->v[AXIS_N];
    bench_cost cost = of_arrays(n, 0.0, 0.0, F32 * n);
    cost.multiplies = 5.0 * n; /* two in each of the two hashes, and the scale */
    return cost;
}

bench_cost bench_cost_column_sums(const bench_shape *shape, double unique)
{
    (void)unique;
    return of_arrays(matrix_of(shape), F32 * matrix_of(shape), F32 * (double)shape->v[AXIS_WIDTH],
                     0.0);
}

bench_cost bench_cost_column_squares(const bench_shape *shape, double unique)
{
    bench_cost cost = bench_cost_column_sums(shape, unique);
    cost.multiplies = matrix_of(shape);
    return cost;
}

bench_cost bench_cost_model(double samples, double multiplies, double passes, size_t fields,
                            size_t rows, size_t row_bytes)
{
    const double lookups = samples * (double)fields;
    return (bench_cost){ .items = samples,
                         .multiplies = passes * samples * multiplies,
                         .rows = { { .count = lookups,
                                     .bytes = row_bytes,
                                     .table_rows = rows,
                                     .fields = fields,
                                     .ids = IDS_ZIPF } },
                         .n_rows = 1 };
}

double bench_cost_bytes(const bench_cost *cost)
{
    double bytes = cost->read + cost->written + 2.0 * cost->updated;
    for (size_t i = 0; i < cost->n_rows; i++)
        bytes +=
            cost->rows[i].count * (double)cost->rows[i].bytes * (cost->rows[i].written ? 2.0 : 1.0);
    return bytes;
}

double bench_cost_array_bytes(const bench_cost *cost)
{
    return cost->read + cost->written + cost->updated;
}

size_t bench_row_lines(size_t row_bytes)
{
    return (row_bytes + BENCH_LINE_BYTES - 1) / BENCH_LINE_BYTES;
}
