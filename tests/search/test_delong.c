/* DeLong's test against its definition, and against resampling. */
#include "delong.h"

#include "adass/metrics.h"
#include "adass/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 400 };

typedef struct sample {
    float a[ROWS], b[ROWS], labels[ROWS];
} sample;

/* Two scores of different worth, with ties. */
static void draw(sample *s, uint64_t seed)
{
    adass_rng rng;
    adass_rng_init(&rng, seed);
    for (size_t i = 0; i < ROWS; i++) {
        s->labels[i] = adass_rng_unit(&rng) < 0.3 ? 1.0f : 0.0f;
        const double common = adass_rng_normal(&rng) + 1.0 * (double)s->labels[i];
        s->a[i] = (float)(floor(4.0 * (common + 0.3 * adass_rng_normal(&rng))) / 4.0);
        s->b[i] = (float)(floor(4.0 * (common + 0.8 * adass_rng_normal(&rng))) / 4.0);
    }
}

static adass_delong compare(const sample *s)
{
    adass_error err;
    double difference[ROWS] = { 0 };
    assert_int_equal(adass_placements_add(s->a, s->labels, ROWS, 1.0, difference, &err), ADASS_OK);
    assert_int_equal(adass_placements_add(s->b, s->labels, ROWS, -1.0, difference, &err), ADASS_OK);
    return adass_delong_of(difference, s->labels, ROWS);
}

/* Placements by counting all pairs; their means over either class are the exact AUC. */
static void test_placements(void **state)
{
    (void)state;
    sample s;
    adass_error err;
    double placements[ROWS] = { 0 }, sums[2] = { 0 }, counts[2] = { 0 }, auc;
    draw(&s, 1);
    assert_int_equal(adass_placements_add(s.a, s.labels, ROWS, 1.0, placements, &err), ADASS_OK);
    assert_int_equal(adass_auc(s.a, s.labels, ROWS, &auc, &err), ADASS_OK);
    for (size_t i = 0; i < ROWS; i++) {
        double wins = 0.0, others = 0.0;
        for (size_t j = 0; j < ROWS; j++) {
            if (s.labels[i] == s.labels[j])
                continue;
            const double sign = s.labels[i] > 0.5f ? 1.0 : -1.0;
            const double ahead = sign * ((double)s.a[i] - (double)s.a[j]);
            wins += ahead > 0.0 ? 1.0 : ahead == 0.0 ? 0.5 : 0.0;
            others += 1.0;
        }
        assert_true(fabs(placements[i] - wins / others) < 1e-12);
        sums[s.labels[i] > 0.5f] += placements[i];
        counts[s.labels[i] > 0.5f] += 1.0;
    }
    assert_true(fabs(sums[0] / counts[0] - auc) < 1e-12);
    assert_true(fabs(sums[1] / counts[1] - auc) < 1e-12);
}

/* The standard error is the spread of the difference over samples of rows. */
static void test_standard_error(void **state)
{
    (void)state;
    enum { SAMPLES = 400 };
    double sum = 0.0, squares = 0.0, errors = 0.0;
    size_t significant = 0;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        sample s;
        draw(&s, 100 + i);
        const adass_delong d = compare(&s);
        sum += d.difference;
        squares += d.difference * d.difference;
        errors += d.std_error / SAMPLES;
        significant += d.p < 0.05;
    }
    const double mean = sum / SAMPLES, spread = sqrt(squares / SAMPLES - mean * mean);
    print_message("difference %.4f, spread %.4f, mean standard error %.4f, %zu of %d below 0.05\n",
                  mean, spread, errors, significant, SAMPLES);
    assert_true(mean > 0.01);
    assert_true(fabs(errors / spread - 1.0) < 0.15);
    assert_true(significant > SAMPLES / 4);
}

static void test_same_scores(void **state)
{
    (void)state;
    sample s;
    draw(&s, 2);
    memcpy(s.b, s.a, sizeof s.b);
    const adass_delong d = compare(&s);
    assert_true(d.difference == 0.0 && d.std_error == 0.0 && d.p == 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_placements),
        cmocka_unit_test(test_standard_error),
        cmocka_unit_test(test_same_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
