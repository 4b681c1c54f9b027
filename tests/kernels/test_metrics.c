/* AUC and log-loss against their definitions, pair by pair and in double. */
#include "adass/metrics.h"
#include "adass/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 400 };

/* The definition: pairs of a positive and a negative, ties half. */
static double by_pairs(const float *scores, const float *labels, size_t n)
{
    double wins = 0.0, pairs = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (labels[i] > 0.5f && labels[j] <= 0.5f) {
                wins += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
                pairs += 1.0;
            }
    return wins / pairs;
}

static void expect_auc(const float *scores, const float *labels, size_t n)
{
    adass_error err;
    double auc;
    assert_int_equal(adass_auc(scores, labels, n, &auc, &err), ADASS_OK);
    const double want = by_pairs(scores, labels, n);
    if (isnan(want) ? !isnan(auc) : fabs(auc - want) > 1e-12)
        fail_msg("AUC of %zu scores is %.15g, by pairs %.15g", n, auc, want);
}

static void test_random_scores(void **state)
{
    (void)state;
    adass_rng rng;
    adass_rng_init(&rng, 1);
    for (int round = 0; round < 200; round++) {
        float scores[MOST], labels[MOST];
        const size_t n = 1 + (size_t)adass_rng_below(&rng, MOST);
        const uint64_t levels = round % 3 == 0   ? 3
                                : round % 3 == 1 ? 50
                                                 : 1u << 30; /* many ties, some, none */
        for (size_t i = 0; i < n; i++) {
            scores[i] = (float)adass_rng_below(&rng, levels) - (float)levels / 2.0f;
            labels[i] = (float)adass_rng_below(&rng, 2);
        }
        expect_auc(scores, labels, n);
    }
}

static void test_special_scores(void **state)
{
    (void)state;
    const float scores[] = { 0.0f,    -0.0f, INFINITY, -INFINITY, 1e-42f,
                             -1e-42f, 3e38f, -3e38f,   0.0f,      -0.0f };
    for (unsigned bits = 0; bits < 1024; bits++) {
        float labels[10];
        for (unsigned i = 0; i < 10; i++)
            labels[i] = (float)(bits >> i & 1);
        expect_auc(scores, labels, 10);
    }
}

static void test_extremes(void **state)
{
    (void)state;
    adass_error err;
    double auc;
    const float rising[] = { 1, 2, 3, 4 }, last[] = { 0, 0, 1, 1 }, first[] = { 1, 1, 0, 0 };
    assert_int_equal(adass_auc(rising, last, 4, &auc, &err), ADASS_OK);
    assert_true(auc == 1.0);
    assert_int_equal(adass_auc(rising, first, 4, &auc, &err), ADASS_OK);
    assert_true(auc == 0.0);
    assert_int_equal(adass_auc(NULL, NULL, 0, &auc, &err), ADASS_OK);
    assert_true(isnan(auc));
    const float bad[] = { 1, NAN, 3, 4 };
    auc = 7.0;
    assert_int_equal(adass_auc(bad, last, 4, &auc, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "score 1"));
    assert_true(auc == 7.0);
}

/* 4e10 pairs, which do not fit 32 bits: scores known so that the answer is known. */
static void test_many_pairs(void **state)
{
    (void)state;
    const size_t n = 400000;
    float *scores = malloc(n * sizeof *scores), *labels = malloc(n * sizeof *labels);
    assert_true(scores != NULL && labels != NULL);
    for (
        size_t i = 0; i < n;
        i++) { /* positives and negatives in turn, rising: positive i beats all negatives up to i */
        scores[i] = (float)i;
        labels[i] = (float)(i % 2);
    }
    adass_error err;
    double auc;
    assert_int_equal(adass_auc(scores, labels, n, &auc, &err), ADASS_OK);
    const double half = (double)n / 2.0;
    assert_true(fabs(auc - (half + 1.0) / (2.0 * half)) < 1e-15);
    free(scores);
    free(labels);
}

static void test_logloss(void **state)
{
    (void)state;
    const float logits[] = { 0.0f, 2.0f, -3.0f, 100.0f, -100.0f, 50.0f },
                labels[] = { 1, 0, 1, 1, 0, 0 };
    const double want = (log(2.0) + log1p(exp(2.0)) + log1p(exp(3.0)) + log1p(exp(-100.0)) * 2.0 +
                         50.0 + log1p(exp(-50.0))) /
                        6.0;
    assert_true(fabs(adass_logloss(logits, labels, 6) - want) < 1e-12);
    assert_true(adass_logloss(NULL, NULL, 0) == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_scores), cmocka_unit_test(test_special_scores),
        cmocka_unit_test(test_extremes),      cmocka_unit_test(test_many_pairs),
        cmocka_unit_test(test_logloss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
