/*
 * Dense algebra against plain loops in double, within the bound of a sum of k products: gamma(k +
 * 2) times the sum of magnitudes.
 */
#include "adass/dense.h"
#include "adass/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 60 };

typedef struct shape {
    size_t n, inputs, outputs, x_ld, y_ld;
} shape;

static double bound(size_t k, double magnitude)
{
    const double u = 0x1p-24, steps = (double)k + 2.0;
    return steps * u / (1.0 - steps * u) * magnitude + 1e-37;
}

static float *random_floats(adass_rng *rng, size_t n)
{
    float *p = malloc((n + 1) * sizeof *p);
    if (p == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(2.0 * adass_rng_unit(rng) - 1.0);
    return p;
}

static shape random_shape(adass_rng *rng)
{
    shape s = { .n = (size_t)adass_rng_below(rng, 70),
                .inputs = (size_t)adass_rng_below(rng, 90),
                .outputs = 1 + (size_t)adass_rng_below(rng, 70) };
    s.x_ld = s.inputs + 1 + (size_t)adass_rng_below(rng, 4);
    s.y_ld = s.outputs + (size_t)adass_rng_below(rng, 4);
    return s;
}

static void expect_near(double got, double exact, double most, const char *what, const shape *s)
{
    if (!(fabs(got - exact) <= most))
        fail_msg("%s %zu x %zu x %zu: %.9g, exact %.9g, bound %.3g", what, s->n, s->inputs,
                 s->outputs, got, exact, most);
}

static void check_forward(const shape *s, const float *x, const float *w, const float *bias,
                          adass_rng *rng, const adass_kernels *kernels, bool relu)
{
    adass_error err;
    float *y = random_floats(rng, s->n * s->y_ld),
          *before = malloc((s->n * s->y_ld + 1) * sizeof *before);
    memcpy(before, y, s->n * s->y_ld * sizeof *y);
    assert_int_equal(adass_dense_forward(kernels, y, s->y_ld, x, s->x_ld, w, bias, s->n, s->inputs,
                                         s->outputs, relu, &err),
                     ADASS_OK);
    for (size_t r = 0; r < s->n; r++) {
        for (size_t o = 0; o < s->outputs; o++) {
            double sum = (double)bias[o], magnitude = fabs(sum);
            for (size_t i = 0; i < s->inputs; i++) {
                const double product = (double)x[r * s->x_ld + i] * (double)w[i * s->outputs + o];
                sum += product;
                magnitude += fabs(product);
            }
            expect_near((double)y[r * s->y_ld + o], relu && sum < 0.0 ? 0.0 : sum,
                        bound(s->inputs, magnitude), "forward", s);
        }
        for (size_t o = s->outputs; o < s->y_ld; o++) /* between the rows nothing is written */
            assert_true(y[r * s->y_ld + o] == before[r * s->y_ld + o]);
    }
    free(y);
    free(before);
}

static void check_backward_input(const shape *s, const float *dy, const float *w, adass_rng *rng,
                                 bool accumulate)
{
    adass_error err;
    float *dx = random_floats(rng, s->n * s->x_ld),
          *before = malloc((s->n * s->x_ld + 1) * sizeof *before);
    memcpy(before, dx, s->n * s->x_ld * sizeof *dx);
    assert_int_equal(adass_dense_backward_input(dx, s->x_ld, dy, s->y_ld, w, s->n, s->inputs,
                                                s->outputs, accumulate, &err),
                     ADASS_OK);
    for (size_t r = 0; r < s->n; r++)
        for (size_t i = 0; i < s->inputs; i++) {
            double sum = accumulate ? (double)before[r * s->x_ld + i] : 0.0, magnitude = fabs(sum);
            for (size_t o = 0; o < s->outputs; o++) {
                const double product = (double)dy[r * s->y_ld + o] * (double)w[i * s->outputs + o];
                sum += product;
                magnitude += fabs(product);
            }
            expect_near((double)dx[r * s->x_ld + i], sum, bound(s->outputs, magnitude),
                        "backward input", s);
        }
    free(dx);
    free(before);
}

static void check_backward_weights(const shape *s, const float *x, const float *dy, adass_rng *rng)
{
    adass_error err;
    float *dw = random_floats(rng, s->inputs * s->outputs);
    assert_int_equal(adass_dense_backward_weights(dw, x, s->x_ld, dy, s->y_ld, s->n, s->inputs,
                                                  s->outputs, &err),
                     ADASS_OK);
    for (size_t i = 0; i < s->inputs; i++)
        for (size_t o = 0; o < s->outputs; o++) {
            double sum = 0.0, magnitude = 0.0;
            for (size_t r = 0; r < s->n; r++) {
                const double product = (double)x[r * s->x_ld + i] * (double)dy[r * s->y_ld + o];
                sum += product;
                magnitude += fabs(product);
            }
            expect_near((double)dw[i * s->outputs + o], sum, bound(s->n, magnitude),
                        "backward weights", s);
        }
    free(dw);
}

/* Random shapes, no samples and no inputs among them. */
static void test_layers(void **state)
{
    (void)state;
    const adass_kernels *kernels = NULL;
    adass_error err;
    adass_rng rng;
    adass_rng_init(&rng, 4);
    assert_int_equal(adass_kernels_get("best", &kernels, &err), ADASS_OK);
    for (int round = 0; round < ROUNDS; round++) {
        shape s = random_shape(&rng);
        if (round == 0)
            s.n = 0;
        if (round == 1)
            s.inputs = 0;
        float *x = random_floats(&rng, s.n * s.x_ld), *dy = random_floats(&rng, s.n * s.y_ld);
        float *w = random_floats(&rng, s.inputs * s.outputs),
              *bias = random_floats(&rng, s.outputs);
        check_forward(&s, x, w, bias, &rng, kernels, round % 2 == 0);
        check_backward_input(&s, dy, w, &rng, round % 2 == 0);
        check_backward_weights(&s, x, dy, &rng);
        free(x);
        free(dy);
        free(w);
        free(bias);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
