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
#include <stdint.h>
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

/* The nearest bf16 values, halfway cases to the even one, as floats and as bf16. */
static void to_bf16(uint16_t *out, float *rounded, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits = (bits + 0x7fffu + (bits >> 16 & 1u)) & 0xffff0000u;
        out[i] = (uint16_t)(bits >> 16);
        memcpy(&rounded[i], &bits, sizeof bits);
    }
}

/* One plan's product with its operands in double; bf16's operands are rounded already. */
static void expect_product(const adass_dense_plan_config *c, size_t inputs, const float *to,
                           const float *from, const float *w, const float *bias)
{
    const shape s = { c->samples, inputs, c->outputs, c->from_ld, c->to_ld };
    const size_t k_end = c->backward ? c->outputs : inputs,
                 cols = c->backward ? inputs : c->outputs;
    for (size_t r = 0; r < c->samples; r++) {
        for (size_t o = 0; o < cols; o++) {
            double sum = c->backward ? 0.0 : (double)bias[o], magnitude = fabs(sum);
            for (size_t k = 0; k < k_end; k++) {
                const float weight = w[c->backward ? o * c->outputs + k : k * c->outputs + o];
                const double product = (double)from[r * c->from_ld + k] * (double)weight;
                sum += product;
                magnitude += fabs(product);
            }
            expect_near((double)to[r * c->to_ld + o], c->relu && sum < 0.0 ? 0.0 : sum,
                        bound(k_end, magnitude), "planned product", &s);
        }
        for (size_t o = cols; o < c->to_ld; o++) /* between the rows nothing is written */
            assert_true(to[r * c->to_ld + o] == 7.0f);
    }
}

/*
 * One plan, several numbers of inputs, each of them twice with other weights. Where oneDNN has no
 * bf16 the plan says so.
 */
static void check_plan(const adass_dense_plan_config *c, adass_rng *rng)
{
    static const size_t inputs[] = { 16, 48, 16, 32, 48 };
    enum { MOST = 48 };
    adass_error err;
    adass_dense_plan *plan = NULL;
    assert_int_equal(adass_dense_plan_create(&plan, c, &err), ADASS_OK);
    const float nothing[16 * 73] = { 0 };
    if (c->type == ADASS_BF16 && !adass_dense_bf16_native() &&
        adass_dense_plan_pack(plan, nothing, 16, &err) == ADASS_EUNSUPPORTED) {
        assert_non_null(strstr(err.message, "bf16"));
        adass_dense_plan_destroy(plan);
        return;
    }
    const size_t n_from = c->samples * c->from_ld, n_w = MOST * c->outputs;
    float *to = malloc(c->samples * c->to_ld * sizeof *to);
    uint16_t *halves = malloc((n_from + n_w) * sizeof *halves);
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        float *from = random_floats(rng, n_from), *w = random_floats(rng, n_w);
        float *bias = random_floats(rng, c->outputs);
        assert_int_equal(adass_dense_plan_pack(plan, w, inputs[i], &err), ADASS_OK);
        if (c->type == ADASS_BF16) {
            to_bf16(halves, from, from, n_from);
            to_bf16(halves + n_from, w, w, n_w);
        }
        for (size_t k = 0; k < c->samples * c->to_ld; k++)
            to[k] = 7.0f;
        const void *operand = c->type == ADASS_BF16 ? (const void *)halves : from;
        assert_int_equal(adass_dense_plan_run(plan, to, operand, bias, &err), ADASS_OK);
        expect_product(c, inputs[i], to, from, w, bias);
        free(from);
        free(w);
        free(bias);
    }
    free(halves);
    free(to);
    adass_dense_plan_destroy(plan);
}

/* Both directions and types, with and without ReLU, rows apart. */
static void test_plans(void **state)
{
    (void)state;
    adass_rng rng;
    adass_rng_init(&rng, 5);
    for (int round = 0; round < ROUNDS; round++) {
        const bool backward = round % 2 == 0;
        const size_t outputs = 1 + (size_t)adass_rng_below(&rng, 70);
        const size_t input_ld = 48 + (size_t)adass_rng_below(&rng, 20),
                     output_ld = outputs + (size_t)adass_rng_below(&rng, 4);
        const adass_dense_plan_config config = {
            .backward = backward,
            .relu = !backward && round % 4 == 1,
            .type = round % 3 == 0 ? ADASS_BF16 : ADASS_F32,
            .samples = 1 + (size_t)adass_rng_below(&rng, 70),
            .outputs = outputs,
            .from_ld = backward ? output_ld : input_ld,
            .to_ld = backward ? input_ld : output_ld,
            .threads = 1,
        };
        check_plan(&config, &rng);
    }
}

/* Blocks by two threads at once are what one thread makes of them, bit for bit. */
static void test_plan_threads(void **state)
{
    (void)state;
    enum { N = 64, INPUTS = 96, OUTPUTS = 80, BLOCKS = 16 };
    adass_error err;
    adass_rng rng;
    adass_rng_init(&rng, 6);
    float *x = random_floats(&rng, (size_t)BLOCKS * N * INPUTS);
    float *w = random_floats(&rng, (size_t)INPUTS * OUTPUTS), *bias = random_floats(&rng, OUTPUTS);
    float *alone = random_floats(&rng, (size_t)BLOCKS * N * OUTPUTS);
    float *shared = random_floats(&rng, (size_t)BLOCKS * N * OUTPUTS);
    const adass_dense_plan_config config = { .relu = true,
                                             .samples = N,
                                             .outputs = OUTPUTS,
                                             .from_ld = INPUTS,
                                             .to_ld = OUTPUTS,
                                             .threads = 2 };
    adass_dense_plan *plan = NULL;
    assert_int_equal(adass_dense_plan_create(&plan, &config, &err), ADASS_OK);
    assert_int_equal(adass_dense_plan_pack(plan, w, INPUTS, &err), ADASS_OK);
    int failures = 0;
    for (size_t b = 0; b < BLOCKS; b++)
        failures += adass_dense_plan_run(plan, alone + b * N * OUTPUTS, x + b * N * INPUTS, bias,
                                         NULL) != ADASS_OK;
#pragma omp parallel for num_threads(2) reduction(+ : failures) schedule(dynamic)
    for (size_t b = 0; b < BLOCKS; b++)
        failures += adass_dense_plan_run(plan, shared + b * N * OUTPUTS, x + b * N * INPUTS, bias,
                                         NULL) != ADASS_OK;
    assert_int_equal(failures, 0);
    assert_memory_equal(alone, shared, BLOCKS * N * OUTPUTS * sizeof *alone);
    adass_dense_plan_destroy(plan);
    free(x);
    free(w);
    free(bias);
    free(alone);
    free(shared);
}

static void test_plan_refusals(void **state)
{
    (void)state;
    adass_error err;
    adass_dense_plan *plan = NULL;
    const adass_dense_plan_config config = {
        .type = ADASS_INT8, .samples = 1, .outputs = 1, .threads = 1
    };
    assert_int_equal(adass_dense_plan_create(&plan, &config, &err), ADASS_EUNSUPPORTED);
    assert_non_null(strstr(err.message, "int8"));
    assert_null(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_layers), cmocka_unit_test(test_plans),
                                        cmocka_unit_test(test_plan_threads),
                                        cmocka_unit_test(test_plan_refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
