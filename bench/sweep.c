/* Parameter sweeps. sweep.h says what functions do. */
#include "sweep.h"

#include <stdio.h>
#include <string.h>

static const char *const keys[N_AXES] = {
    [AXIS_TYPE] = "type", [AXIS_FIELDS] = "fields", [AXIS_SIZE] = "size",
    [AXIS_ROWS] = "rows", [AXIS_BATCH] = "batch",   [AXIS_WIDTH] = "width",
    [AXIS_N] = "n",       [AXIS_IDS] = "ids",       [AXIS_POOLING] = "pooling",
};

static const size_t mixed_sizes[] = { 2, 4, 8, 16, 32, 64 };

enum { N_MIXED = sizeof mixed_sizes / sizeof mixed_sizes[0] };

static size_t axis_count(const size_t values[BENCH_SWEEP_VALUES])
{
    size_t n = 0;
    while (n < BENCH_SWEEP_VALUES && values[n] != 0)
        n++;
    return n > 0 ? n : 1;
}

size_t bench_sweep_count(const bench_sweep *sweep)
{
    size_t n = 1;
    for (size_t a = 0; a < N_AXES; a++)
        n *= axis_count(sweep->values[a]);
    return n;
}

bench_shape bench_sweep_shape(const bench_sweep *sweep, size_t i)
{
    bench_shape shape;
    for (size_t a = N_AXES; a-- > 0;) {
        const size_t n = axis_count(sweep->values[a]);
        shape.v[a] = sweep->values[a][i % n];
        i /= n;
    }
    return shape;
}

/* Round numbers as in "4e6": a digit and its zeros, from three of them on. */
static void print_number(char *out, size_t chars, size_t value)
{
    size_t digit = value, zeros = 0;
    while (digit >= 10 && digit % 10 == 0) {
        digit /= 10;
        zeros++;
    }
    if (digit < 10 && zeros >= 3)
        snprintf(out, chars, "%zue%zu", digit, zeros);
    else
        snprintf(out, chars, "%zu", value);
}

static void print_value(char *out, size_t chars, bench_axis axis, size_t value)
{
    if (axis == AXIS_TYPE)
        snprintf(out, chars, "%s", adass_type_name((adass_type)(value - TYPE_F32)));
    else if (axis == AXIS_IDS)
        snprintf(out, chars, "%s", value == IDS_ZIPF ? "zipf1.05" : "uniform");
    else if (axis == AXIS_SIZE && value == BENCH_SIZE_MIXED)
        snprintf(out, chars, "mixed2-64");
    else
        print_number(out, chars, value);
}

void bench_shape_print(const bench_shape *shape, bench_axis first, bench_axis last, char *out,
                       size_t chars)
{
    out[0] = '\0';
    for (bench_axis a = first; a < last; a++) {
        if (shape->v[a] == 0)
            continue;
        char value[32];
        print_value(value, sizeof value, a, shape->v[a]);
        const size_t used = strlen(out);
        snprintf(out + used, chars - used, "/%s:%s", keys[a], value);
    }
}

adass_type bench_shape_type(const bench_shape *shape)
{
    return (adass_type)(shape->v[AXIS_TYPE] - TYPE_F32);
}

size_t bench_row_bytes(const bench_shape *shape, size_t size)
{
    const adass_type type = bench_shape_type(shape);
    return adass_type_stride(type, size) * adass_type_bytes(type);
}

size_t bench_field_size(const bench_shape *shape, size_t f)
{
    return shape->v[AXIS_SIZE] == BENCH_SIZE_MIXED ? mixed_sizes[f % N_MIXED] : shape->v[AXIS_SIZE];
}

size_t bench_largest_size(const bench_shape *shape)
{
    size_t largest = 0;
    for (size_t f = 0; f < shape->v[AXIS_FIELDS]; f++) {
        const size_t size = bench_field_size(shape, f);
        largest = size > largest ? size : largest;
    }
    return largest;
}

size_t bench_total_size(const bench_shape *shape)
{
    size_t total = 0;
    for (size_t f = 0; f < shape->v[AXIS_FIELDS]; f++)
        total += bench_field_size(shape, f);
    return total;
}
