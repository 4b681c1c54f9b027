/* Dense layers of bytes against plain loops in whole numbers: exact, on several threads at a time. */
#include "adass/dense.h"
#include "adass/dense_bytes.h"
#include "adass/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROUNDS = 60, THREADS = 3, GUARD = 77 };

typedef struct shape {
    size_t n, inputs, outputs, x_ld;
} shape;

static shape random_shape(adass_rng *rng)
{
    shape s = { .n = 1 + (size_t)adass_rng_below(rng, 70),
                .inputs = 1 + (size_t)adass_rng_below(rng, 900),
                .outputs = 1 + (size_t)adass_rng_below(rng, 70) };
    s.x_ld = s.inputs + (size_t)adass_rng_below(rng, 20);
    return s;
}

/* Where there is no instruction for it, large products saturate: small ones then. */
static void fill(uint8_t *x, size_t n_x, int8_t *w, size_t n_w, adass_rng *rng)
{
    const uint64_t most = adass_bytes_fast() ? 255 : 100;
    for (size_t i = 0; i < n_x; i++)
        x[i] = (uint8_t)adass_rng_below(rng, most + 1);
    for (size_t i = 0; i < n_w; i++)
        w[i] = (int8_t)((int)adass_rng_below(rng, 255) - 127);
}

static bool is_product(const int32_t *sums, const uint8_t *x, const int8_t *w, const shape *s)
{
    for (size_t r = 0; r < s->n; r++)
        for (size_t o = 0; o < s->outputs; o++) {
            int32_t want = 0;
            for (size_t i = 0; i < s->inputs; i++)
                want += x[r * s->x_ld + i] * w[i * s->outputs + o];
            if (sums[r * s->outputs + o] != want)
                return false;
        }
    return sums[s->n * s->outputs] == GUARD; /* nothing is written behind the last */
}

static void test_products(void **unused)
{
    (void)unused;
    adass_rng rng;
    adass_error err;
    adass_rng_init(&rng, 12);
    for (int round = 0; round < ROUNDS; round++) {
        const shape s = random_shape(&rng);
        const size_t n_x = s.n * s.x_ld, n_w = s.inputs * s.outputs, n_sums = s.n * s.outputs + 1;
        uint8_t *x = malloc(n_x);
        int8_t *w = malloc(n_w);
        int32_t *sums = malloc(THREADS * n_sums * sizeof *sums);
        assert_true(x != NULL && w != NULL && sums != NULL);
        fill(x, n_x, w, n_w, &rng);
        adass_bytes_layer *layer;
        assert_int_equal(
            adass_bytes_layer_create(&layer, w, s.inputs, s.outputs, s.n, s.x_ld, &err), ADASS_OK);
        int right = 0;
#pragma omp parallel for num_threads(THREADS) reduction(+ : right)
        for (int t = 0; t < THREADS; t++) {
            adass_error mine;
            adass_dense_single_thread();
            sums[((size_t)t + 1) * n_sums - 1] = GUARD;
            right +=
                adass_bytes_layer_run(layer, sums + (size_t)t * n_sums, x, &mine) == ADASS_OK &&
                is_product(sums + (size_t)t * n_sums, x, w, &s);
        }
        assert_int_equal(right, THREADS);
        adass_bytes_layer_destroy(layer);
        free(x);
        free(w);
        free(sums);
    }
    adass_bytes_layer_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_products) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
