/*
 * Tables whose elements 32 bits cannot count: of 2^32 - 1 rows, 64 GiB of address space of which few
 * pages are touched. Where a row's place were computed in 32 bits, another row would be met.
 */
#include "adass/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

enum { SIZE = 4, N = 5 };

static const size_t table_bytes = (size_t)UINT32_MAX * SIZE * sizeof(float);
/* Their elements begin at 0, 2^31 + 4, 2^32 + 4, 2^33 + 12 and before 2^34. */
static const uint32_t ids[N] = { 0, (1u << 29) + 1, (1u << 30) + 1, (1u << 31) + 3,
                                 UINT32_MAX - 1 };

static float *map_table(void)
{
    void *p = mmap(NULL, table_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p != MAP_FAILED ? p : NULL;
}

typedef struct tables {
    float *w, *m, *v;
} tables;

static void fill(const tables *t)
{
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < SIZE; k++) {
            t->w[ids[i] * (size_t)SIZE + k] = (float)(10 * i + k);
            t->m[ids[i] * (size_t)SIZE + k] = t->v[ids[i] * (size_t)SIZE + k] = 0.0f;
        }
}

static void check_lookups(const adass_kernels *kernels, const tables *t)
{
    float out[N * SIZE], sums[N * SIZE], y[N] = { 0 };
    const adass_field_view view = { .rows = t->w, .stride = SIZE, .size = SIZE };
    for (int kind = 0; kind < 3; kind++) {
        memset(out, 0xff, sizeof out);
        if (kind == 0)
            kernels->lookup(out, SIZE, ADASS_F32, t->w, SIZE, ids, 1, N, 1, SIZE);
        else if (kind == 1)
            kernels->lookup_fields(out, SIZE, &view, 1, ids, 1, N);
        else
            kernels->lookup_fm(y, sums, SIZE, out, SIZE, &view, 1, ids, 1, N);
        for (size_t i = 0; i < N * SIZE; i++)
            assert_true(out[i] == (float)(10 * (i / SIZE) + i % SIZE));
    }
}

/* The first step of Adam moves every weight by the step size against the gradient's sign. */
static void check_updates(const adass_kernels *kernels, const tables *t)
{
    float grads[N * SIZE];
    for (size_t i = 0; i < N * SIZE; i++)
        grads[i] = 1.0f;
    const adass_sgd sgd = { .learning_rate = 0.5f };
    const adass_adam adam = { .step_size = 1.0f,
                              .beta1 = 0.9f,
                              .beta2 = 0.999f,
                              .rest1 = 0.1f,
                              .rest2 = 0.001f,
                              .inv_sqrt_bc2 = (float)(1.0 / sqrt(0.001)) };
    kernels->sgd_rows(t->w, SIZE, ids, grads, SIZE, N, SIZE, &sgd);
    kernels->adam_rows(t->w, SIZE, t->m, t->v, SIZE, ids, grads, SIZE, N, SIZE, &adam);
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < SIZE; k++) {
            const size_t at = ids[i] * (size_t)SIZE + k;
            assert_true(fabsf(t->w[at] - ((float)(10 * i + k) - 0.6f)) < 1e-4f);
            assert_true(t->m[at] == 0.1f && t->v[at] == 0.001f);
        }
}

static void test_beyond_32_bits(void **state)
{
    (void)state;
    const tables t = { map_table(), map_table(), map_table() };
    if (t.w == NULL || t.m == NULL || t.v == NULL)
        skip(); /* the address space is limited */
    for (size_t i = 0; i < adass_isa_count(); i++) {
        const adass_kernels *kernels = NULL;
        if (adass_kernels_get(adass_isa_name(i), &kernels, NULL) != ADASS_OK)
            continue;
        fill(&t);
        check_lookups(kernels, &t);
        check_updates(kernels, &t);
    }
    munmap(t.w, table_bytes);
    munmap(t.m, table_bytes);
    munmap(t.v, table_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_beyond_32_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
