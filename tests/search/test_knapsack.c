/* The multiple-choice knapsack against trying every choice. */
#include "knapsack.h"

#include "adass/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { GROUPS = 6, CHOICES = 4 };

static double best_of_all(const double *value, const uint64_t *cost, uint64_t budget)
{
    double best = -INFINITY;
    for (size_t i = 0; i < 1u << (2 * GROUPS); i++) {
        double sum = 0.0;
        uint64_t total = 0;
        for (size_t g = 0; g < GROUPS; g++) {
            const size_t cell = g * CHOICES + (i >> (2 * g)) % CHOICES;
            sum += value[cell];
            total += cost[cell];
        }
        if (total <= budget)
            best = fmax(best, sum);
    }
    return best;
}

static void test_against_all(void **state)
{
    (void)state;
    adass_rng rng;
    adass_rng_init(&rng, 1);
    for (int trial = 0; trial < 50; trial++) {
        double value[GROUPS * CHOICES];
        uint64_t cost[GROUPS * CHOICES];
        for (size_t i = 0; i < GROUPS * CHOICES; i++) {
            value[i] = adass_rng_unit(&rng) - 0.3; /* also below 0, and not rising with cost */
            cost[i] = adass_rng_below(&rng, 1000);
        }
        const uint64_t budget = 1000 + adass_rng_below(&rng, 4000);
        const double best = best_of_all(value, cost, budget);
        uint8_t choice[GROUPS];
        adass_error err;
        const adass_status status =
            adass_knapsack_solve(value, cost, GROUPS, CHOICES, budget, choice, &err);
        if (isinf(best)) {
            assert_int_equal(status, ADASS_EINVAL);
            continue;
        }
        assert_int_equal(status, ADASS_OK);
        double sum = 0.0;
        uint64_t total = 0;
        for (size_t g = 0; g < GROUPS; g++) {
            sum += value[g * CHOICES + choice[g]];
            total += cost[g * CHOICES + choice[g]];
        }
        assert_true(total <= budget);
        assert_true(fabs(sum - best) < 1e-12);
    }
}

/* Fronts beyond the limit are thinned: the budget holds, and the loss is small. */
static void test_many_points(void **state)
{
    (void)state;
    enum { MANY = 26 };
    static double value[MANY * 2];
    static uint64_t cost[MANY * 2];
    uint64_t all = 0;
    adass_rng rng;
    adass_rng_init(&rng, 2);
    for (size_t g = 0; g < MANY; g++) { /* value = cost: every sum is a point of the front */
        cost[2 * g + 1] = 1000003 + adass_rng_below(&rng, 50000000);
        value[2 * g + 1] = (double)cost[2 * g + 1];
        all += cost[2 * g + 1];
    }
    uint8_t choice[MANY];
    adass_error err;
    assert_int_equal(adass_knapsack_solve(value, cost, MANY, 2, all / 2, choice, &err), ADASS_OK);
    uint64_t total = 0;
    for (size_t g = 0; g < MANY; g++)
        total += cost[2 * g + choice[g]];
    assert_true(total <= all / 2);
    assert_true((double)total > (1.0 - MANY * 0x1p-17) * (double)(all / 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_all),
        cmocka_unit_test(test_many_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
