/*
 * Every kernel on every ISA that this CPU runs, against plain loops in double: random shapes, odd
 * sizes, unaligned rows, guard pages.
 *
 * Order-preserving kernels are compared bit by bit with the same loop in float (whose order the
 * contract fixes); reductions against their stated bound, and the worst error/bound ratio is
 * printed.
 *
 * Usage: test_kernels [seed]
 * ADASS_TEST_ELEMENTS=1e8: go on until each kernel of each ISA has had so many random numbers.
 */
#include "adass/kernels.h"
#include "adass/rng.h"
#include "guarded.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

enum { ROUNDS = 300, FEW_FIELDS = 12, MAX_FIELDS = 80, MAX_BUFFERS = 16 };

typedef struct context {
    const adass_kernels *k;
    adass_rng rng;
    guarded buffers[MAX_BUFFERS];
    size_t n_buffers; /* that the round under way has */
    double elements;  /* random numbers that the kernel under test was given */
    double worst;     /* error / bound */
    const char *op;
    int failures;
} context;

static sigjmp_buf crashed;

static void on_crash(int number) { siglongjmp(crashed, number); }

static void failed(context *c, const char *format, ...)
{
    if (c->failures++ > 5)
        return;
    va_list args;
    va_start(args, format);
    fprintf(stderr, "  %s_%s: ", c->op, c->k->isa);
    vfprintf(stderr, format, args);
    fprintf(stderr, "\n");
    va_end(args);
}

static void *fresh(context *c, size_t bytes)
{
    if (c->n_buffers == MAX_BUFFERS)
        abort();
    guarded *buffer = &c->buffers[c->n_buffers++];
    guarded_renew(buffer, bytes);
    return buffer->p;
}

static size_t below(context *c, size_t n) { return (size_t)adass_rng_below(&c->rng, n); }

/* Mostly ordinary values, now and then 0, a subnormal, or a large one. */
static float any_float(context *c)
{
    const size_t kind = below(c, 32);
    const float x = (float)(2.0 * adass_rng_unit(&c->rng) - 1.0);
    if (kind == 0)
        return 0.0f;
    if (kind == 1)
        return x * 0x1p-130f;
    if (kind == 2)
        return x * 1000.0f;
    return x;
}

static float *floats(context *c, size_t n)
{
    float *p = fresh(c, n * sizeof *p);
    for (size_t i = 0; i < n; i++)
        p[i] = any_float(c);
    c->elements += (double)n;
    return p;
}

/* An unguarded copy to compute the expectation in. */
static float *copy_of(const float *p, size_t n)
{
    float *q = malloc((n + 1) * sizeof *q);
    if (q == NULL)
        abort();
    memcpy(q, p, n * sizeof *q);
    return q;
}

static uint32_t *random_ids(context *c, size_t n, size_t vocab)
{
    uint32_t *ids = fresh(c, n * sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = i % 5 == 4 ? (uint32_t)(vocab - 1) : (uint32_t)below(c, vocab);
    return ids;
}

/* 1..256 with the small ones and those around multiples of 8 and 16 often. */
static size_t random_size(context *c)
{
    const size_t kind = below(c, 4);
    if (kind == 0)
        return 1 + below(c, 35);
    if (kind == 1)
        return (size_t)1 << below(c, 9);
    if (kind == 2)
        return 16 * (1 + below(c, 15)) - 1 + below(c, 3);
    return 1 + below(c, ADASS_SIZE_MAX);
}

/* Counts around the vector widths, and 0. */
static size_t random_count(context *c) { return below(c, 3) == 0 ? below(c, 5) : below(c, 70); }

/* Bit by bit; which NaN an operation gives is left to the CPU. */
static void expect_same(context *c, const float *got, const float *want, size_t n, const char *what)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&got[i], &want[i], sizeof *got) != 0 && !(isnan(got[i]) && isnan(want[i]))) {
            failed(c, "%s[%zu of %zu] is %a, expected %a", what, i, n, (double)got[i],
                   (double)want[i]);
            return;
        }
}

static double gamma_k(double k)
{
    const double u = 0x1p-24;
    return k * u / (1.0 - k * u);
}

static void expect_within(context *c, double got, double exact, double bound, const char *what,
                          size_t i)
{
    bound += 64.0 * 0x1p-149; /* operations may underflow */
    const double ratio = fabs(got - exact) / bound;
    if (ratio > c->worst)
        c->worst = ratio;
    if (!(ratio <= 1.0))
        failed(c, "%s[%zu] is %a, exact %a, error %.3g of the bound %.3g", what, i, got, exact,
               fabs(got - exact), bound);
}

/* ---- types of rows: the contract's values, in double ---- */

/* IEEE 754 binary16. */
static float f16_value(uint16_t half)
{
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    const double sign = half & 0x8000 ? -1.0 : 1.0;
    if (exponent == 31)
        return mantissa != 0 ? NAN : (float)sign * INFINITY;
    return (float)(sign *
                   (exponent == 0 ? ldexp(mantissa, -24) : ldexp(1024 + mantissa, exponent - 25)));
}

static float bf16_value(uint16_t half)
{
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Column k of the row that begins at `row`. */
static float column_value(adass_type type, const void *row, size_t k)
{
    uint16_t half = 0;
    float scale, value;
    if (type == ADASS_BF16 || type == ADASS_F16)
        memcpy(&half, (const char *)row + 2 * k, sizeof half);
    switch (type) {
    case ADASS_BF16:
        return bf16_value(half);
    case ADASS_F16:
        return f16_value(half);
    case ADASS_INT8:
        memcpy(&scale, row, sizeof scale);
        return (float)((double)scale * ((const signed char *)row)[sizeof scale + k]);
    default:
        memcpy(&value, (const char *)row + sizeof value * k, sizeof value);
        return value;
    }
}

/* A table whose last row's slice ends at a guard page. */
typedef struct table {
    adass_type type;
    size_t stride, vocab;
    void *rows;
} table;

static void *table_row(const table *t, size_t id)
{
    return (char *)t->rows + id * t->stride * adass_type_bytes(t->type);
}

static float table_value(const table *t, size_t id, size_t k)
{
    return column_value(t->type, table_row(t, id), k);
}

/* Any bits that are no NaN: infinities, subnormals and both zeros among them. */
static void random_row(context *c, const table *t, size_t id, size_t size)
{
    char *row = table_row(t, id);
    for (size_t k = 0; k < size; k++) {
        float value = any_float(c);
        const uint16_t half = (uint16_t)adass_rng_next(&c->rng);
        if (t->type == ADASS_F32)
            memcpy(row + 4 * k, &value, sizeof value);
        else if (t->type == ADASS_INT8)
            row[sizeof value + k] = (char)half;
        else if (t->type == ADASS_F16 && !isnan(f16_value(half)))
            memcpy(row + 2 * k, &half, sizeof half);
        else if (t->type == ADASS_BF16 && !isnan(bf16_value(half)))
            memcpy(row + 2 * k, &half, sizeof half);
    }
    const float scale = fabsf(any_float(c));
    if (t->type == ADASS_INT8)
        memcpy(row, &scale, sizeof scale);
}

static table random_table(context *c, adass_type type, size_t vocab, size_t size)
{
    table t = { .type = type, .vocab = vocab };
    t.stride = adass_type_stride(type, size) + below(c, 5);
    t.rows =
        fresh(c, ((vocab - 1) * t.stride + adass_type_stride(type, size)) * adass_type_bytes(type));
    for (size_t id = 0; id < vocab; id++)
        random_row(c, &t, id, size);
    return t;
}

static adass_type random_type(context *c) { return (adass_type)below(c, ADASS_TYPES); }

/* ---- fields ---- */

typedef struct block {
    adass_field_view fields[MAX_FIELDS];
    table tables[MAX_FIELDS];
    size_t n_fields, columns, n, width, x_ld, largest;
    uint32_t *ids;
} block;

/* Random fields with tables whose last row's slice ends at a guard page. */
static block random_block(context *c, bool with_tables, bool with_linear)
{
    block b = { .n_fields = 1 + below(c, FEW_FIELDS), .n = random_count(c) };
    /* more than a kernel's list holds */
    const bool wide = !with_tables && !with_linear && below(c, 40) == 0;
    if (wide) {
        b.n_fields = MAX_FIELDS - below(c, MAX_FIELDS / 2);
        b.n = below(c, 7);
    }
    b.columns = b.n_fields + below(c, 3);
    const size_t vocab = 1 + below(c, 40);
    for (size_t f = 0; f < b.n_fields; f++) {
        adass_field_view *v = &b.fields[f];
        v->size = below(c, 8) == 0 ? below(c, 3) : random_size(c);
        if (wide)
            v->size = ADASS_SIZE_MAX - below(c, 3);
        v->offset = b.width;
        v->column = (f + 1) % b.columns;
        b.width += v->size;
        if (with_tables && f < 6) {
            b.tables[f] = random_table(c, random_type(c), vocab, v->size);
            v->type = b.tables[f].type;
            v->stride = b.tables[f].stride;
            v->rows = b.tables[f].rows;
        } else if (with_tables) { /* the buffers of a round are limited: views of the same table */
            b.tables[f] = b.tables[f - 6];
            v->size = b.fields[f - 6].size;
            v->type = b.fields[f - 6].type;
            v->stride = b.fields[f - 6].stride;
            v->rows = b.fields[f - 6].rows;
            b.width = v->offset + v->size;
        }
        b.largest = v->size > b.largest ? v->size : b.largest;
        if (with_linear) {
            v->linear_stride = 1 + f % 3;
            v->linear = f < 6 ? floats(c, (vocab - 1) * v->linear_stride + 1) : b.fields[0].linear;
            if (f >= 6)
                v->linear_stride = b.fields[0].linear_stride;
        }
    }
    b.x_ld = b.width + below(c, 5);
    b.ids = random_ids(c, b.n * b.columns, vocab);
    return b;
}

static size_t matrix_floats(size_t rows, size_t ld, size_t cols)
{
    return rows == 0 ? 0 : (rows - 1) * ld + cols; /* the last row ends at the guard page */
}

/* ---- one function a kernel; each is one round ---- */

static void check_lookup(context *c)
{
    const size_t n = random_count(c), size = random_size(c), vocab = 1 + below(c, 50);
    const size_t pooling = below(c, 2) == 0 ? 1 : 1 + below(c, 40);
    const size_t out_ld = size + below(c, 5), ids_ld = 1 + below(c, 3);
    const table t = random_table(c, random_type(c), vocab, size);
    const uint32_t *ids = random_ids(c, n * pooling * ids_ld, vocab);
    const size_t total = matrix_floats(n, out_ld, size);
    float *out = floats(c, total), *want = copy_of(out, total);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++) {
            float *sum = &want[i * out_ld + k];
            for (size_t j = 0; j < pooling; j++) {
                const float value = table_value(&t, ids[(i * pooling + j) * ids_ld], k);
                *sum = j == 0 ? value : *sum + value;
            }
        }
    c->k->lookup(out, out_ld, t.type, t.rows, t.stride, ids, ids_ld, n, pooling, size);
    expect_same(c, out, want, total, "out");
    free(want);
}

/* The packed matrix that lookup_fields owes; gaps as they are in `out`. */
static float *packed(const block *b, const float *out, size_t total)
{
    float *want = copy_of(out, total);
    for (size_t i = 0; i < b->n; i++)
        for (size_t f = 0; f < b->n_fields; f++) {
            const adass_field_view *v = &b->fields[f];
            for (size_t k = 0; k < v->size; k++)
                want[i * b->x_ld + v->offset + k] =
                    table_value(&b->tables[f], b->ids[i * b->columns + v->column], k);
        }
    return want;
}

static void check_lookup_fields(context *c)
{
    const block b = random_block(c, true, false);
    const size_t total = matrix_floats(b.n, b.x_ld, b.width);
    float *out = floats(c, total), *want = packed(&b, out, total);
    c->k->lookup_fields(out, b.x_ld, b.fields, b.n_fields, b.ids, b.columns, b.n);
    expect_same(c, out, want, total, "out");
    free(want);
}

/* Sums in float, in the order of the fields: the contract of fm_forward's sums. */
static void fm_sums(const block *b, const float *x, float *sums)
{
    for (size_t k = 0; k < b->largest; k++) {
        sums[k] = 0.0f;
        for (size_t f = 0; f < b->n_fields; f++)
            if (b->fields[f].size > k)
                sums[k] += x[b->fields[f].offset + k];
    }
}

/* What fm_forward and lookup_fm owe: sums by the bits, y within the bound; `before` is y's start. */
static void expect_fm(context *c, const block *b, const float *x, const float *y,
                      const float *before, const float *sums, size_t sums_ld, const float *old_sums)
{
    const size_t n_sums = matrix_floats(b->n, sums_ld, b->largest);
    float *want = copy_of(old_sums, n_sums);
    for (size_t i = 0; i < b->n; i++)
        fm_sums(b, x + i * b->x_ld, want + i * sums_ld);
    expect_same(c, sums, want, n_sums, "sums");
    for (size_t i = 0; i < b->n; i++) {
        double exact = before[i], magnitude = fabs(before[i]);
        for (size_t k = 0; k < b->largest; k++) {
            double sum = 0.0, sum_abs = 0.0, squares = 0.0;
            for (size_t f = 0; f < b->n_fields; f++)
                if (b->fields[f].size > k) {
                    const double v = x[i * b->x_ld + b->fields[f].offset + k];
                    sum += v;
                    sum_abs += fabs(v);
                    squares += v * v;
                }
            exact += 0.5 * (sum * sum - squares);
            magnitude += sum_abs * sum_abs + squares;
        }
        const double steps = 2.0 * (double)b->n_fields + (double)b->largest + 8.0;
        if (magnitude < FLT_MAX) /* 16-bit rows may hold infinities and numbers near them */
            expect_within(c, y[i], exact, gamma_k(steps) * magnitude, "y", i);
    }
    free(want);
}

static void check_fm_forward(context *c)
{
    const block b = random_block(c, false, false);
    const size_t sums_ld = b.largest + below(c, 3);
    const size_t n_sums = matrix_floats(b.n, sums_ld, b.largest);
    const float *x = floats(c, matrix_floats(b.n, b.x_ld, b.width));
    float *y = floats(c, b.n), *sums = floats(c, n_sums);
    float *before = copy_of(y, b.n), *old_sums = copy_of(sums, n_sums);
    c->k->fm_forward(y, sums, sums_ld, x, b.x_ld, b.fields, b.n_fields, b.n);
    expect_fm(c, &b, x, y, before, sums, sums_ld, old_sums);
    free(before);
    free(old_sums);
}

static void check_lookup_fm(context *c)
{
    const block b = random_block(c, true, false);
    const size_t total = matrix_floats(b.n, b.x_ld, b.width);
    const size_t sums_ld = b.largest + below(c, 3);
    const size_t n_sums = matrix_floats(b.n, sums_ld, b.largest);
    float *out = floats(c, total), *y = floats(c, b.n), *sums = floats(c, n_sums);
    float *want_out = packed(&b, out, total), *before = copy_of(y, b.n);
    float *old_sums = copy_of(sums, n_sums);
    const bool kept = below(c, 2) == 1;
    c->k->lookup_fm(y, sums, sums_ld, kept ? out : NULL, b.x_ld, b.fields, b.n_fields, b.ids,
                    b.columns, b.n);
    if (kept)
        expect_same(c, out, want_out, total, "out");
    expect_fm(c, &b, want_out, y, before, sums, sums_ld, old_sums);
    free(want_out);
    free(before);
    free(old_sums);
}

static void check_fm_backward(context *c)
{
    const block b = random_block(c, false, false);
    const size_t total = matrix_floats(b.n, b.x_ld, b.width);
    const size_t sums_ld = b.largest + below(c, 3);
    const bool accumulate = below(c, 2) == 1;
    const float *x = floats(c, total), *dy = floats(c, b.n);
    const float *sums = floats(c, matrix_floats(b.n, sums_ld, b.largest));
    float *dx = floats(c, total), *want = copy_of(dx, total);
    for (size_t i = 0; i < b.n; i++)
        for (size_t f = 0; f < b.n_fields; f++)
            for (size_t k = 0; k < b.fields[f].size; k++) {
                const size_t at = i * b.x_ld + b.fields[f].offset + k;
                const float g = dy[i] * (sums[i * sums_ld + k] - x[at]);
                want[at] = accumulate ? want[at] + g : g;
            }
    c->k->fm_backward(dx, b.x_ld, dy, x, b.x_ld, sums, sums_ld, b.fields, b.n_fields, b.n,
                      accumulate);
    expect_same(c, dx, want, total, "dx");
    free(want);
}

static void check_linear_forward(context *c)
{
    const block b = random_block(c, false, true);
    float *y = floats(c, b.n), *want = copy_of(y, b.n);
    for (size_t i = 0; i < b.n; i++)
        for (size_t f = 0; f < b.n_fields; f++) {
            const adass_field_view *v = &b.fields[f];
            want[i] += v->linear[b.ids[i * b.columns + v->column] * v->linear_stride];
        }
    c->k->linear_forward(y, b.fields, b.n_fields, b.ids, b.columns, b.n);
    expect_same(c, y, want, b.n, "y");
    free(want);
}

static void check_dedup_accumulate(context *c)
{
    const size_t n = random_count(c), size = random_size(c), vocab = 1 + below(c, 60);
    const size_t ids_ld = 1 + below(c, 3), grads_ld = size + below(c, 4),
                 out_ld = size + below(c, 4);
    const uint32_t *ids = random_ids(c, n * ids_ld, vocab);
    const float *grads = floats(c, matrix_floats(n, grads_ld, size));
    uint32_t *unique = fresh(c, n * sizeof *unique), *group = fresh(c, n * sizeof *group);
    uint32_t *slots = fresh(c, adass_dedup_slots(n) * sizeof *slots);
    const size_t known = below(c, 2) == 1 ? vocab : SIZE_MAX;
    const size_t groups = adass_dedup_ids(unique, group, ids, ids_ld, n, known, slots);

    size_t seen = 0; /* group numbers come in the order of first occurrence and mean the right id */
    for (size_t i = 0; i < n; i++) {
        if (group[i] > seen || group[i] >= groups || unique[group[i]] != ids[i * ids_ld])
            failed(c, "group[%zu] is %u with %zu groups before it", i, group[i], seen);
        seen += group[i] == seen;
    }
    if (seen != groups)
        failed(c, "%zu groups returned, %zu found", groups, seen);
    for (size_t g = 0; g < groups; g++)
        for (size_t h = 0; h < g; h++)
            if (unique[g] == unique[h])
                failed(c, "id %u has groups %zu and %zu", unique[g], h, g);

    const size_t total = matrix_floats(groups, out_ld, size);
    float *out = floats(c, total), *want = copy_of(out, total);
    for (size_t g = 0; g < groups; g++)
        for (size_t k = 0; k < size; k++) {
            bool first = true;
            for (size_t i = 0; i < n; i++)
                if (ids[i * ids_ld] == unique[g]) {
                    const float v = grads[i * grads_ld + k];
                    want[g * out_ld + k] = first ? v : want[g * out_ld + k] + v;
                    first = false;
                }
        }
    c->k->dedup_accumulate(out, out_ld, grads, grads_ld, group, n, size);
    expect_same(c, out, want, total, "out");
    free(want);
}

static void check_linear_backward(context *c)
{
    const size_t n = random_count(c);
    uint32_t *group = fresh(c, n * sizeof *group);
    size_t groups = 0;
    for (size_t i = 0; i < n; i++) {
        group[i] = (uint32_t)below(c, groups + 1);
        groups += group[i] == groups;
    }
    const float *dy = floats(c, n);
    float *out = floats(c, groups), *want = copy_of(out, groups);
    size_t seen = 0;
    for (size_t i = 0; i < n; i++) {
        want[group[i]] = group[i] == seen ? dy[i] : want[group[i]] + dy[i];
        seen += group[i] == seen;
    }
    c->k->linear_backward(out, dy, group, n);
    expect_same(c, out, want, groups, "out");
    free(want);
}

static void check_fm_backward_rows(context *c)
{
    const size_t n = random_count(c), size = random_size(c), vocab = 1 + below(c, 60);
    const size_t stride = size + below(c, 4), rows_n = below(c, 2) == 1 ? vocab : n;
    const bool accumulate = below(c, 2) == 1, in_place = !accumulate && below(c, 2) == 1;
    const uint32_t *ids = rows_n == vocab ? random_ids(c, n, vocab) : NULL;
    const float *dy = floats(c, n), *rows = floats(c, matrix_floats(rows_n, stride, size));
    float *summed = floats(c, n * size), *grads = in_place ? summed : floats(c, n * size);
    float *want = copy_of(grads, n * size);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++) {
            const float product = dy[i] * rows[(ids != NULL ? ids[i] : i) * stride + k];
            const float g = summed[i * size + k] - product;
            want[i * size + k] = accumulate ? want[i * size + k] + g : g;
        }
    c->k->fm_backward_rows(grads, summed, dy, rows, stride, ids, n, size, accumulate);
    expect_same(c, grads, want, n * size, "grads");
    free(want);
}

/* ---- updates of rows ---- */

typedef struct update {
    size_t size, vocab, n, stride, grads_ld, total;
    float *w;
    const float *grads;
    uint32_t *ids;
} update;

static update random_update(context *c)
{
    update u = { .size = random_size(c), .vocab = 1 + below(c, 60) };
    u.n = below(c, u.vocab + 1);
    u.stride = u.size + below(c, 4);
    u.grads_ld = u.size + below(c, 4);
    u.total = (u.vocab - 1) * u.stride + u.size;
    u.w = floats(c, u.total);
    u.grads = floats(c, matrix_floats(u.n, u.grads_ld, u.size));
    u.ids = fresh(c, u.n * sizeof *u.ids);
    for (size_t i = 0; i < u.n; i++)
        u.ids[i] = (uint32_t)(u.vocab - 1 - i); /* distinct, the last row among them */
    return u;
}

/* g = grad + l2 * w of column k of the update's row i. */
static float update_gradient(const update *u, const float *w, size_t i, size_t k, float l2)
{
    const float decay = l2 * w[u->ids[i] * u->stride + k];
    return u->grads[i * u->grads_ld + k] + decay;
}

static void check_sgd_rows(context *c)
{
    const update u = random_update(c);
    const adass_sgd sgd = { 0.05f, below(c, 2) == 0 ? 0.0f : 1e-3f };
    float *want = copy_of(u.w, u.total);
    for (size_t i = 0; i < u.n; i++)
        for (size_t k = 0; k < u.size; k++) {
            const float step = sgd.learning_rate * update_gradient(&u, want, i, k, sgd.l2);
            want[u.ids[i] * u.stride + k] -= step;
        }
    c->k->sgd_rows(u.w, u.stride, u.ids, u.grads, u.grads_ld, u.n, u.size, &sgd);
    expect_same(c, u.w, want, u.total, "w");
    free(want);
}

static float *nonnegative(float *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = fabsf(p[i]);
    return p;
}

static adass_adagrad random_adagrad(context *c)
{
    return (adass_adagrad){ 0.05f, 1e-8f, below(c, 2) == 0 ? 0.0f : 1e-3f };
}

static void check_adagrad_rows(context *c)
{
    const update u = random_update(c);
    const adass_adagrad a = random_adagrad(c);
    const size_t squares_stride = u.size + below(c, 4);
    const size_t n_squares = (u.vocab - 1) * squares_stride + u.size;
    float *squares = nonnegative(floats(c, n_squares), n_squares);
    float *want = copy_of(u.w, u.total), *want_squares = copy_of(squares, n_squares);
    for (size_t i = 0; i < u.n; i++)
        for (size_t k = 0; k < u.size; k++) {
            const float g = update_gradient(&u, want, i, k, a.l2), square = g * g;
            float *sum = &want_squares[u.ids[i] * squares_stride + k];
            *sum += square;
            const float root = sqrtf(*sum) + a.epsilon, step = a.learning_rate * g;
            want[u.ids[i] * u.stride + k] -= step / root;
        }
    c->k->adagrad_rows(u.w, u.stride, squares, squares_stride, u.ids, u.grads, u.grads_ld, u.n,
                       u.size, &a);
    expect_same(c, u.w, want, u.total, "w");
    expect_same(c, squares, want_squares, n_squares, "squares");
    free(want);
    free(want_squares);
}

static void check_adagrad_rowwise(context *c)
{
    const update u = random_update(c);
    const adass_adagrad a = random_adagrad(c);
    float *squares = nonnegative(floats(c, u.vocab), u.vocab);
    float *want = copy_of(u.w, u.total), *want_squares = copy_of(squares, u.vocab);
    for (size_t i = 0; i < u.n; i++) {
        float parts[16] = { 0.0f };
        for (size_t k = 0; k < u.size; k++) {
            const float g = update_gradient(&u, want, i, k, a.l2), square = g * g;
            parts[k % 16] += square;
        }
        for (size_t half = 8; half > 0; half /= 2)
            for (size_t p = 0; p < half; p++)
                parts[p] += parts[p + half];
        float *sum = &want_squares[u.ids[i]];
        const float mean = parts[0] / (float)u.size;
        *sum += mean;
        const float root = sqrtf(*sum) + a.epsilon, rate = a.learning_rate / root;
        for (size_t k = 0; k < u.size; k++) {
            const float step = rate * update_gradient(&u, want, i, k, a.l2);
            want[u.ids[i] * u.stride + k] -= step;
        }
    }
    c->k->adagrad_rowwise(u.w, u.stride, squares, u.ids, u.grads, u.grads_ld, u.n, u.size, &a);
    expect_same(c, u.w, want, u.total, "w");
    expect_same(c, squares, want_squares, u.vocab, "squares");
    free(want);
    free(want_squares);
}

static adass_adam random_adam(context *c)
{
    const size_t t = 1 + below(c, 1000);
    return (adass_adam){
        .step_size = (float)(0.001 / (1.0 - pow(0.9, (double)t))),
        .beta1 = 0.9f,
        .beta2 = 0.999f,
        .rest1 = 0.1f,
        .rest2 = 0.001f,
        .epsilon = 1e-8f,
        .inv_sqrt_bc2 = (float)(1.0 / sqrt(1.0 - pow(0.999, (double)t))),
        .l2 = below(c, 2) == 0 ? 0.0f : 1e-3f,
    };
}

/* The formula of the contract, operation by operation in float. */
static void adam_one(float *w, float *m, float *v, float grad, const adass_adam *a)
{
    const float g = grad + a->l2 * *w;
    const float m_part = a->beta1 * *m, g_part = a->rest1 * g;
    *m = m_part + g_part;
    const float square = g * g;
    const float v_part = a->beta2 * *v, s_part = a->rest2 * square;
    *v = v_part + s_part;
    const float root = sqrtf(*v) * a->inv_sqrt_bc2;
    const float step = a->step_size * *m;
    *w = *w - step / (root + a->epsilon);
}

static void check_adam_rows(context *c)
{
    const size_t size = random_size(c), vocab = 1 + below(c, 60), n = below(c, vocab + 1);
    const size_t stride = size + below(c, 4), grads_ld = size + below(c, 4);
    const size_t moment_stride = size + below(c, 4);
    const size_t total = (vocab - 1) * stride + size;
    const size_t moments = (vocab - 1) * moment_stride + size;
    float *w = floats(c, total), *m = floats(c, moments);
    float *v = nonnegative(floats(c, moments), moments);
    const float *grads = floats(c, matrix_floats(n, grads_ld, size));
    uint32_t *ids = fresh(c, n * sizeof *ids);
    for (size_t i = 0; i < n; i++)
        ids[i] = (uint32_t)(vocab - 1 - i); /* distinct, the last row among them */
    const adass_adam adam = random_adam(c);
    float *want_w = copy_of(w, total);
    float *want_m = copy_of(m, moments), *want_v = copy_of(v, moments);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++) {
            const size_t at = ids[i] * moment_stride + k;
            adam_one(&want_w[ids[i] * stride + k], &want_m[at], &want_v[at],
                     grads[i * grads_ld + k], &adam);
        }
    c->k->adam_rows(w, stride, m, v, moment_stride, ids, grads, grads_ld, n, size, &adam);
    expect_same(c, w, want_w, total, "w");
    expect_same(c, m, want_m, moments, "m");
    expect_same(c, v, want_v, moments, "v");
    free(want_w);
    free(want_m);
    free(want_v);
}

static void check_adam_dense(context *c)
{
    const size_t n = random_count(c) + below(c, 200);
    float *w = floats(c, n), *m = floats(c, n), *v = nonnegative(floats(c, n), n);
    const float *grads = floats(c, n);
    const adass_adam adam = random_adam(c);
    float *want_w = copy_of(w, n), *want_m = copy_of(m, n), *want_v = copy_of(v, n);
    for (size_t i = 0; i < n; i++)
        adam_one(&want_w[i], &want_m[i], &want_v[i], grads[i], &adam);
    c->k->adam_dense(w, m, v, grads, n, &adam);
    expect_same(c, w, want_w, n, "w");
    expect_same(c, m, want_m, n, "m");
    expect_same(c, v, want_v, n, "v");
    free(want_w);
    free(want_m);
    free(want_v);
}

/* ---- quantization ---- */

/*
 * The nearest value with `digits` binary digits, none below 2^lowest, halfway cases to even; beyond
 * `most` infinity. In double, where every step is exact.
 */
static double nearest_value(double x, int digits, int lowest, double most)
{
    if (!isfinite(x) || x == 0.0)
        return x;
    int exponent;
    frexp(x, &exponent);
    const int unit = exponent - digits > lowest ? exponent - digits : lowest;
    const double rounded = ldexp(nearbyint(ldexp(x, -unit)), unit);
    return fabs(rounded) > most ? copysign(INFINITY, x) : rounded;
}

static void expect_nearest(context *c, adass_type type, float got, float x)
{
    const double want = type == ADASS_F32    ? (double)x
                        : type == ADASS_BF16 ? nearest_value(x, 8, -133, 0x1.fep127)
                                             : nearest_value(x, 11, -24, 65504.0);
    const float exact = (float)want;
    if (isnan(x) ? !isnan(got) : memcmp(&got, &exact, sizeof got) != 0)
        failed(c, "%s of %a is %a, expected %a", adass_type_name(type), (double)x, (double)got,
               want);
}

/* The row's scale is the contract's, and values are within half a step. */
static void expect_int8(context *c, const table *t, size_t id, const float *x, size_t size)
{
    float largest = 0.0f, scale;
    bool finite = true;
    for (size_t k = 0; k < size; k++) {
        finite = finite && isfinite(x[k]);
        largest = fmaxf(largest, fabsf(x[k]));
    }
    memcpy(&scale, table_row(t, id), sizeof scale);
    const float want = largest / 127.0f;
    if (!finite ? !isnan(scale) : scale != (want < 0x1p-126f ? 0.0f : want))
        failed(c, "scale is %a of a row with largest %a", (double)scale, (double)largest);
    for (size_t k = 0; k < size; k++) {
        const double got = (double)table_value(t, id, k);
        if (!finite && !isnan(got))
            failed(c, "column %zu of a row with NaN or infinity is %a", k, got);
        else if (finite && scale > 0.0f)
            expect_within(c, got, x[k], 0.5001 * (double)scale, "int8", k);
        else if (finite && got != 0.0)
            failed(c, "column %zu of a row of zeros is %a", k, got);
    }
}

/* Any float: any bits in one case of four, and values halfway between two of the narrow type. */
static float any_bits(context *c)
{
    static const uint32_t beyond[] = { 0xfff, 0x1000, 0x1001, 0x7fff, 0x8000, 0x8001 };
    uint32_t bits = (uint32_t)adass_rng_next(&c->rng);
    float value = any_float(c);
    if (below(c, 4) != 0) {
        memcpy(&bits, &value, sizeof bits);
        bits = (bits & ~0xffffu) | beyond[below(c, 6)];
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void check_quantize_rows(context *c)
{
    const adass_type type = random_type(c);
    const size_t size = random_size(c), n = below(c, 20), x_ld = size + below(c, 4);
    const bool special = below(c, 2) == 0;
    float *x = floats(c, matrix_floats(n, x_ld, size));
    for (size_t i = 0; special && i < matrix_floats(n, x_ld, size); i++)
        x[i] = type != ADASS_INT8 || below(c, 200) == 0 ? any_bits(c) : x[i] * 0x1p-120f;
    table t = random_table(c, type, n + 1, size);
    const size_t row_bytes = t.stride * adass_type_bytes(type);
    char *before = malloc(n * row_bytes + 1);
    memcpy(before, t.rows, n * row_bytes);
    c->k->quantize_rows(type, t.rows, t.stride, x, x_ld, n, size);
    const size_t used = adass_type_stride(type, size) * adass_type_bytes(type);
    for (size_t i = 0; i < n; i++) {
        if (type == ADASS_INT8)
            expect_int8(c, &t, i, x + i * x_ld, size);
        for (size_t k = 0; type != ADASS_INT8 && k < size; k++)
            expect_nearest(c, type, table_value(&t, i, k), x[i * x_ld + k]);
        if (memcmp(before + i * row_bytes + used, (char *)table_row(&t, i) + used,
                   row_bytes - used) != 0)
            failed(c, "bytes between rows %zu and %zu are changed", i, i + 1);
    }
    free(before);
}

static void check_dequantize_rows(context *c)
{
    const size_t size = random_size(c), n = 1 + below(c, 20), out_ld = size + below(c, 4);
    const table t = random_table(c, random_type(c), n, size);
    const size_t total = matrix_floats(n, out_ld, size);
    float *out = floats(c, total), *want = copy_of(out, total);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < size; k++)
            want[i * out_ld + k] = table_value(&t, i, k);
    c->k->dequantize_rows(out, out_ld, t.type, t.rows, t.stride, n, size);
    expect_same(c, out, want, total, "out");
    free(want);
}

static void check_bce(context *c)
{
    const size_t n = random_count(c);
    const float scale = 1.0f / (float)(n + 1);
    float *z = floats(c, n), *loss = floats(c, n), *dz = floats(c, n), *y = floats(c, n);
    for (size_t i = 0; i < n; i++) {
        static const float special[] = {
            0.0f, -0.0f, 87.0f, -87.5f, 104.0f, -1000.0f, 1e30f, -3e38f
        };
        z[i] = below(c, 6) == 0 ? special[below(c, 8)] : z[i] * (float)below(c, 30);
        y[i] = below(c, 3) == 0 ? (float)adass_rng_unit(&c->rng) : (float)below(c, 2);
    }
    c->k->bce(loss, dz, z, y, n, scale);
    for (size_t i = 0; i < n; i++) {
        const double logit = z[i], label = y[i], u = 0x1p-24;
        const double exact = fmax(logit, 0.0) - logit * label + log1p(exp(-fabs(logit)));
        const double sigmoid =
            logit >= 0 ? 1.0 / (1.0 + exp(-logit)) : exp(logit) / (1.0 + exp(logit));
        expect_within(c, loss[i], exact, 8.0 * u * (fabs(logit) + 1.0), "loss", i);
        expect_within(c, dz[i], (sigmoid - label) * (double)scale, 8.0 * u * (double)scale, "dz",
                      i);
    }
}

/* Samples anywhere, some with one id above its last one, also by the top bit alone. */
static void check_copy_ids(context *c)
{
    const size_t n = below(c, 6), fields = random_count(c),
                 bad = below(c, 2) == 0 ? below(c, n + 1) : n;
    const size_t bad_field = fields > 0 ? below(c, fields) : 0;
    uint32_t *last = fresh(c, fields * sizeof *last), *out = fresh(c, n * fields * sizeof *out);
    uint32_t *ids[6];
    const uint32_t *const_ids[6];
    for (size_t f = 0; f < fields; f++)
        last[f] = (uint32_t)(adass_rng_next(&c->rng) >> 33) >> below(c, 31);
    for (size_t i = 0; i < n; i++) {
        const_ids[i] = ids[i] = fresh(c, fields * sizeof *ids[i]);
        for (size_t f = 0; f < fields; f++)
            ids[i][f] = below(c, 3) == 0 ? last[f] : (uint32_t)below(c, (size_t)last[f] + 1);
    }
    if (bad < n && fields > 0)
        ids[bad][bad_field] = below(c, 2) == 0 ? last[bad_field] + 1 : last[bad_field] | 1u << 31;
    c->elements += (double)(n * fields);
    const size_t want = fields > 0 ? bad : n, got = c->k->copy_ids(out, const_ids, n, last, fields);
    if (got != want)
        failed(c, "%zu good samples instead of %zu of %zu, %zu fields", got, want, n, fields);
    for (size_t i = 0; i < n && i <= want; i++)
        for (size_t f = 0; f < fields; f++)
            if (out[i * fields + f] != ids[i][f])
                failed(c, "sample %zu, field %zu of %zu: not copied", i, f, fields);
}

static void check_bias_relu(context *c)
{
    const size_t rows = random_count(c), cols = random_size(c), ld = cols + below(c, 4);
    const bool relu = below(c, 2) == 1;
    const size_t total = matrix_floats(rows, ld, cols);
    float *y = floats(c, total), *want = copy_of(y, total);
    const float *bias = floats(c, cols);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < cols; k++) {
            const float a = want[r * ld + k] + bias[k];
            want[r * ld + k] = relu && !(a > 0.0f) ? 0.0f : a;
        }
    c->k->bias_relu(y, ld, bias, rows, cols, relu);
    expect_same(c, y, want, total, "y");
    free(want);
}

static void check_dequantize_relu(context *c)
{
    const size_t rows = random_count(c), cols = random_size(c), ld = cols + below(c, 4);
    const size_t total = matrix_floats(rows, ld, cols);
    float *y = floats(c, total), *want = copy_of(y, total);
    const float *row_scale = floats(c, rows), *col_scale = floats(c, cols);
    const float *bias = floats(c, cols);
    int32_t *sums = fresh(c, rows * cols * sizeof *sums);
    for (size_t i = 0; i < rows * cols; i++) /* of all magnitudes, also those that floats round */
        sums[i] = (int32_t)(adass_rng_next(&c->rng) >> 32) >> below(c, 32);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < cols; k++) {
            const float scale = row_scale[r] * col_scale[k];
            const float product = (float)sums[r * cols + k] * scale;
            const float a = product + bias[k];
            want[r * ld + k] = a > 0.0f ? a : 0.0f;
        }
    c->k->dequantize_relu(y, ld, sums, row_scale, col_scale, bias, rows, cols);
    expect_same(c, y, want, total, "y");
    free(want);
}

static void check_relu_backward(context *c)
{
    const size_t n = random_count(c) + below(c, 100);
    const float *da = floats(c, n), *a = floats(c, n), scale = any_float(c);
    float *dz = floats(c, n), *want = copy_of(dz, n);
    for (size_t i = 0; i < n; i++)
        want[i] = a[i] > 0.0f ? da[i] * scale : 0.0f;
    c->k->relu_backward(dz, da, a, n, scale);
    expect_same(c, dz, want, n, "dz");
    free(want);
}

static void check_dropout(context *c)
{
    const size_t n = random_count(c) + below(c, 100);
    const uint32_t first = (uint32_t)adass_rng_next(&c->rng),
                   key = (uint32_t)adass_rng_next(&c->rng);
    const uint32_t threshold = (uint32_t)(adass_rng_unit(&c->rng) * 0x1p32);
    float *a = floats(c, n), *want = copy_of(a, n);
    for (size_t i = 0; i < n; i++)
        want[i] = adass_mix32(adass_mix32(first + (uint32_t)i) ^ key) >= threshold ? want[i] * 1.25f
                                                                                   : 0.0f;
    c->k->dropout(a, n, first, key, threshold, 1.25f);
    expect_same(c, a, want, n, "a");
    free(want);
}

static void check_columns(context *c, adass_column_sums_fn *kernel, bool squared)
{
    const size_t rows = random_count(c), cols = random_size(c), ld = cols + below(c, 4);
    const float *x = floats(c, matrix_floats(rows, ld, cols));
    float *out = floats(c, cols), *want = copy_of(out, cols);
    for (size_t k = 0; k < cols; k++) {
        want[k] = 0.0f;
        for (size_t r = 0; r < rows; r++) {
            const float v = x[r * ld + k], term = squared ? v * v : v;
            want[k] += term;
        }
    }
    kernel(out, x, ld, rows, cols);
    expect_same(c, out, want, cols, "out");
    free(want);
}

static void check_column_sums(context *c) { check_columns(c, c->k->column_sums, false); }

static void check_column_squares(context *c) { check_columns(c, c->k->column_squares, true); }

/* ---- the list ---- */

typedef struct check {
    const char *op;
    void (*round)(context *c);
} check;

/* From the library's own list: a kernel without a check does not compile. */
#define CHECK(isa, op) { #op, check_##op },
static const check checks[] = { ADASS_KERNEL_OPS(CHECK, unused) };

static void run_check(context *c, const check *one, double elements)
{
    c->op = one->op;
    c->worst = 0.0;
    c->elements = 0.0;
    const int before = c->failures;
    const int number = sigsetjmp(crashed, 1);
    if (number == 0)
        for (int round = 0; (round < ROUNDS || c->elements < elements) && c->failures == before;
             round++) {
            c->n_buffers = 0;
            one->round(c);
        }
    else
        failed(c, "signal %d (%s)", number, strsignal(number));
    printf("%-6s %s_%s", c->failures == before ? "ok" : "FAILED", one->op, c->k->isa);
    if (c->worst > 0.0)
        printf(" (worst error %.3f of the bound)", c->worst);
    printf(elements > 0.0 ? " over %.3g elements\n" : "\n", c->elements);
}

/* All checks of one ISA; returns the number of failures. */
static int run_table(const adass_kernels *kernels, uint64_t seed, double elements)
{
    context c = { .k = kernels };
    for (size_t op = 0; op < sizeof checks / sizeof checks[0]; op++) {
        adass_rng_init(&c.rng, adass_seed_derive(seed, op));
        run_check(&c, &checks[op], elements);
    }
    for (size_t i = 0; i < MAX_BUFFERS; i++)
        if (c.buffers[i].mapped > 0)
            guarded_free(&c.buffers[i]);
    return c.failures;
}

#ifdef EMULATED_TABLE /* a build of this program for one table that the library does not have */
extern const adass_kernels EMULATED_TABLE;

static int run_tables(uint64_t seed, double elements)
{
    return run_table(&EMULATED_TABLE, seed, elements);
}
#else
static int run_tables(uint64_t seed, double elements)
{
    int failures = 0;
    for (size_t i = 0; i < adass_isa_count(); i++) {
        const char *why = NULL;
        if (!adass_isa_supported(i, &why)) {
            printf("not run: %s: %s\n", adass_isa_name(i), why);
            continue;
        }
        const adass_kernels *kernels;
        adass_error err;
        if (adass_kernels_get(adass_isa_name(i), &kernels, &err) != ADASS_OK) {
            printf("FAILED %s\n", err.message);
            return 1;
        }
        failures += run_table(kernels, seed, elements);
    }
    return failures;
}
#endif

int main(int argc, char **argv)
{
    const char *elements_text = getenv("ADASS_TEST_ELEMENTS");
    const double elements = elements_text != NULL ? strtod(elements_text, NULL) : 0.0;
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20261124;
    printf("seed %llu; again: %s %llu\n", (unsigned long long)seed, argv[0],
           (unsigned long long)seed);
    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGILL, on_crash);
    return run_tables(seed, elements) == 0 ? 0 : 1;
}
