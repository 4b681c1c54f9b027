/* Statistics against values worked out by hand or known from tables. */
#include "stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.12g, expected %.12g", got, want);
}

static void test_sample(void **state)
{
    (void)state;
    const double values[] = { 2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0 };
    const adass_sample s = adass_sample_of(values, 8);
    expect_near(s.mean, 5.0, 1e-12);
    expect_near(s.std, sqrt(32.0 / 7.0), 1e-12);
    expect_near(s.half_width, 2.365 * sqrt(32.0 / 7.0) / sqrt(8.0), 1e-9); /* t(0.975, 7) = 2.365 */
    const adass_sample one = adass_sample_of(values, 1);
    expect_near(one.mean, 2.0, 0.0);
    expect_near(one.std, 0.0, 0.0);
    assert_true(isnan(one.half_width));
}

/* Beyond the table the expansion joins on: t(0.975, 40) = 2.0211, t(0.975, 120) = 1.9799. */
static void test_many_values(void **state)
{
    (void)state;
    double values[121];
    for (int i = 0; i < 121; i++)
        values[i] = i % 2;
    const adass_sample forty = adass_sample_of(values, 41), more = adass_sample_of(values, 121);
    expect_near(forty.half_width * sqrt(41.0) / forty.std, 2.0211, 0.005);
    expect_near(more.half_width * sqrt(121.0) / more.std, 1.9799, 0.002);
}

static void test_median(void **state)
{
    (void)state;
    double one[] = { 3.0 }, odd[] = { 9.0, 1.0, 1e9 }, even[] = { 4.0, 2.0, 8.0, 1.0 };
    expect_near(adass_median(one, 1), 3.0, 0.0);
    expect_near(adass_median(odd, 3), 9.0, 0.0);
    expect_near(adass_median(even, 4), 2.0, 0.0);
}

static void test_spearman(void **state)
{
    (void)state;
    double work[10];
    const double rising[] = { 1, 2, 3, 4, 5 }, squares[] = { 1, 4, 9, 16, 25 },
                 falling[] = { 5, 4, 3, 2, 1 };
    const double flat[] = { 1, 1, 1, 1, 1 }, swapped[] = { 1, 2, 3, 5, 4 };
    expect_near(adass_spearman(rising, squares, 5, work), 1.0, 1e-12);
    expect_near(adass_spearman(rising, falling, 5, work), -1.0, 1e-12);
    expect_near(adass_spearman(rising, swapped, 5, work), 1.0 - 6.0 * 2.0 / (5.0 * 24.0), 1e-12);
    assert_true(isnan(adass_spearman(rising, flat, 5, work)));
    /*
     * Ties at their mean rank: ranks 1.5 1.5 3 against 1 2 3; Pearson of the ranks is 1.5 /
     * sqrt(1.5 * 2).
     */
    const double tied[] = { 7, 7, 8 };
    expect_near(adass_spearman(tied, rising, 3, work), 1.5 / sqrt(3.0), 1e-12);
}

static void test_kendall(void **state)
{
    (void)state;
    const double a[] = { 1, 2, 3, 4 }, b[] = { 1, 2, 4, 3 }, falling[] = { 4, 3, 2, 1 };
    const double flat[] = { 1, 1, 1, 1 }, tied[] = { 1, 1, 2, 3 };
    expect_near(adass_kendall(a, b, 4), 2.0 / 3.0, 1e-12);
    expect_near(adass_kendall(a, falling, 4), -1.0, 1e-12);
    expect_near(adass_kendall(a, tied, 4), 5.0 / sqrt(6.0 * 5.0), 1e-12);
    assert_true(isnan(adass_kendall(a, flat, 4)));
}

static void test_log2_size(void **state)
{
    (void)state;
    expect_near(adass_log2_size(64) - adass_log2_size(16), 2.0, 0.0);
    expect_near(adass_log2_size(1) - adass_log2_size(0), 1.0, 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),    cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_spearman),  cmocka_unit_test(test_kendall),
        cmocka_unit_test(test_log2_size), cmocka_unit_test(test_median),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
