/* AUC and log-loss against their definitions: pair by pair, by sorting, and in double. */
#include "adass/metrics.h"
#include "adass/rng.h"

#include <math.h>
#include <omp.h>
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

typedef struct row {
    float score, label;
} row;

static int by_score(const void *a, const void *b)
{
    const float x = ((const row *)a)->score, y = ((const row *)b)->score;
    return (x > y) - (x < y);
}

/* The definition by sorting, for numbers of scores that pairs would take too long for. */
static double by_sorting(const float *scores, const float *labels, size_t n)
{
    row *rows = malloc(n * sizeof *rows);
    assert_non_null(rows);
    for (size_t i = 0; i < n; i++)
        rows[i] = (row){ scores[i], labels[i] };
    qsort(rows, n, sizeof *rows, by_score);
    uint64_t twice = 0, positives = 0, negatives = 0;
    for (size_t begin = 0, end; begin < n; begin = end) {
        uint64_t tied[2] = { 0, 0 };
        for (end = begin; end < n && !(rows[end].score > rows[begin].score); end++)
            tied[rows[end].label > 0.5f]++;
        twice += tied[1] * (2 * negatives + tied[0]);
        negatives += tied[0];
        positives += tied[1];
    }
    free(rows);
    return (double)twice / 2.0 / ((double)positives * (double)negatives);
}

/* Scores of a model, probabilities, few levels, nearly one value; all with some of both labels. */
static float score_of_kind(adass_rng *rng, int kind, float label)
{
    const double u = adass_rng_unit(rng);
    switch (kind) {
    case 0:
        return (float)(log(u / (1.0 - u) + 1e-9) + label);
    case 1:
        return (float)u;
    case 2:
        return (float)adass_rng_below(rng, 5) - 2.0f;
    default:
        return 1.0f + (float)adass_rng_below(rng, 9) * 0x1p-23f;
    }
}

/* Enough scores for several threads: the same bits as the definition from any number of them. */
static void test_threads(void **state)
{
    (void)state;
    const size_t n = 700001;
    float *scores = malloc(n * sizeof *scores), *labels = malloc(n * sizeof *labels);
    float *before = malloc(n * sizeof *before);
    assert_true(scores != NULL && labels != NULL && before != NULL);
    adass_rng rng;
    adass_rng_init(&rng, 2);
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < n; i++) {
            labels[i] = adass_rng_unit(&rng) < 0.2 ? 1.0f : 0.0f;
            scores[i] = score_of_kind(&rng, kind, labels[i]);
        }
        memcpy(before, scores, n * sizeof *scores);
        const double want = by_sorting(scores, labels, n);
        for (int threads = 1; threads <= 7; threads += 2) {
            adass_error err;
            double auc = 0.0;
            omp_set_num_threads(threads);
            assert_int_equal(adass_auc(scores, labels, n, &auc, &err), ADASS_OK);
            if (auc != want)
                fail_msg("kind %d, %d threads: %.17g, by sorting %.17g", kind, threads, auc, want);
            assert_memory_equal(scores, before, n * sizeof *scores);
        }
        for (size_t bad = n - 1; bad > 0; bad = bad * 2 / 3) { /* the first of them is named */
            adass_error err;
            double auc = 7.0;
            scores[bad] = NAN;
            assert_int_equal(adass_auc(scores, labels, n, &auc, &err), ADASS_EINVAL);
            assert_int_equal(strtoull(strstr(err.message, "score ") + 6, NULL, 10), bad);
            assert_true(auc == 7.0);
        }
    }
    free(scores);
    free(labels);
    free(before);
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
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_logloss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
