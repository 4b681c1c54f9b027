/* Stochastic rounding: exact values stay, others go to a neighbour, on average to themselves. */
#include "adass/rng.h"
#include "adass/round.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { DRAWS = 20000, VALUES = 200 };

static const adass_type types[] = { ADASS_BF16, ADASS_F16 };

/* All values of a type come back from floats as they were, and NaNs as NaNs. */
static void test_exact_values_stay(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++)
        for (uint32_t bits = 0; bits < 1u << 16; bits++) {
            const uint16_t half = (uint16_t)bits;
            float x;
            uint16_t back;
            adass_widen(types[t], &x, &half, 1);
            adass_round_stochastic(types[t], &back, &x, 1, bits, 0xffffffffu);
            if (x != x) {
                float again;
                adass_widen(types[t], &again, &back, 1);
                assert_true(again != again);
            } else {
                assert_int_equal(back, half);
            }
        }
}

/* Against the kernels, which the oracle of test_kernels knows. */
static void test_widened_as_kernels_do(void **state)
{
    (void)state;
    const adass_kernels *kernels = NULL;
    adass_error err;
    assert_int_equal(adass_kernels_get("best", &kernels, &err), ADASS_OK);
    for (size_t t = 0; t < 2; t++)
        for (uint32_t bits = 0; bits < 1u << 16; bits++) {
            const uint16_t half = (uint16_t)bits;
            float ours, theirs;
            adass_widen(types[t], &ours, &half, 1);
            kernels->dequantize_rows(&theirs, 1, types[t], &half, 1, 1, 1);
            if (theirs == theirs)
                assert_memory_equal(&ours, &theirs, sizeof ours);
            else
                assert_true(ours != ours);
        }
}

/* Distance of the type's values around x. */
static double unit_at(adass_type type, double x)
{
    int exponent;
    (void)frexp(fabs(x), &exponent); /* |x| < 2^exponent */
    if (type == ADASS_F16)
        return ldexp(1.0, exponent < -13 ? -24 : exponent - 11);
    return ldexp(1.0, exponent < -125 ? -133 : exponent - 8);
}

static void check_value(adass_type type, float x, uint32_t key)
{
    double sum = 0.0;
    const double unit = unit_at(type, (double)x);
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint16_t half;
        float back;
        adass_round_stochastic(type, &half, &x, 1, i, key);
        adass_widen(type, &back, &half, 1);
        if (!(fabs((double)back - (double)x) < unit))
            fail_msg("%s: %.9g became %.9g, more than a unit of %.3g away", adass_type_name(type),
                     (double)x, (double)back, unit);
        sum += (double)back - (double)x;
    }
    /* each draw's deviation is at most half a unit: 5 of the mean's */
    if (!(fabs(sum / DRAWS) <= 2.5 * unit / sqrt(DRAWS)))
        fail_msg("%s: %.9g becomes %.9g too much on average, a unit is %.3g", adass_type_name(type),
                 (double)x, sum / DRAWS, unit);
}

static void test_unbiased(void **state)
{
    (void)state;
    adass_rng rng;
    adass_rng_init(&rng, 8);
    for (size_t t = 0; t < 2; t++)
        for (uint32_t i = 0; i < VALUES; i++) {
            const double scale =
                ldexp(1.0, -(int)adass_rng_below(&rng, types[t] == ADASS_F16 ? 26 : 60));
            check_value(types[t], (float)(scale * (2.0 * adass_rng_unit(&rng) - 1.0)), i);
        }
}

/* An element's bits follow from its number and the key, wherever the run of elements begins. */
static void test_counted(void **state)
{
    (void)state;
    float x[64];
    uint16_t all[64], part[64], other[64];
    for (int i = 0; i < 64; i++)
        x[i] = 0.01f * (float)(i + 1);
    for (size_t t = 0; t < 2; t++) {
        adass_round_stochastic(types[t], all, x, 64, 1000, 5);
        adass_round_stochastic(types[t], part, x + 40, 24, 1040, 5);
        adass_round_stochastic(types[t], other, x, 64, 1000, 6);
        assert_memory_equal(all + 40, part, 24 * sizeof *part);
        assert_memory_not_equal(all, other, sizeof all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_exact_values_stay),
                                        cmocka_unit_test(test_widened_as_kernels_do),
                                        cmocka_unit_test(test_unbiased),
                                        cmocka_unit_test(test_counted) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
