/* Samplers: probabilities, draws, and what adaptive sampling learns. */
#include "sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIELDS = 3, K = 4 };

static const adass_candidates candidates = { .n = K, .sizes = { 0, 2, 4, 8 } };

static adass_sampler_setting setting_of(uint64_t total_steps)
{
    return (adass_sampler_setting){
        .n_fields = FIELDS,
        .candidates = candidates,
        .total_steps = total_steps,
        .epochs = 2,
        .adaptive = { .floor = 0.2,
                      .temperature = 1.0,
                      .warmup = 0.5,
                      .decay = 0.9,
                      .interval = 10 },
    };
}

static adass_sampler *create(const char *name, const adass_sampler_setting *setting,
                             const adass_sampler_kind **kind)
{
    adass_error err;
    adass_sampler *sampler = NULL;
    assert_int_equal(adass_sampler_find(name, kind, &err), ADASS_OK);
    assert_int_equal((*kind)->create(&sampler, setting, &err), ADASS_OK);
    return sampler;
}

/* Draws follow the stated probabilities, within five standard deviations. */
static void expect_draws(const adass_sampler_kind *kind, adass_sampler *sampler)
{
    enum { DRAWS = 20000 };
    size_t counts[FIELDS][K] = { { 0 } };
    adass_rng rng;
    adass_rng_init(&rng, 1);
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint8_t choice[FIELDS];
        kind->draw(sampler, i, &rng, choice);
        for (size_t f = 0; f < FIELDS; f++) {
            assert_true(choice[f] < K);
            counts[f][choice[f]]++;
        }
    }
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t k = 0; k < K; k++) {
            const double p = kind->probability(sampler, f, k), expected = p * DRAWS;
            assert_true(fabs((double)counts[f][k] - expected) <=
                        5.0 * sqrt(expected * (1.0 - p)) + 1.0);
        }
}

static void test_uniform(void **state)
{
    (void)state;
    const adass_sampler_setting setting = setting_of(100);
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("uniform", &setting, &kind);
    for (size_t k = 0; k < K; k++)
        assert_true(kind->probability(sampler, 0, k) == 0.25);
    expect_draws(kind, sampler);
    kind->destroy(sampler);
}

/*
 * Observations of steps [first, end) in which the columns of the last group of field 0 have gradients ten times
 * those of the others.
 */
static void observe(const adass_sampler_kind *kind, adass_sampler *sampler, uint64_t first,
                    uint64_t end, double loss_of_field0[K])
{
    adass_field_gradient *gradients = calloc(FIELDS, sizeof *gradients);
    adass_rng rng;
    adass_rng_init(&rng, 2);
    for (uint64_t step = first; step < end; step++) {
        uint8_t choice[FIELDS];
        kind->draw(sampler, step, &rng, choice);
        for (size_t f = 0; f < FIELDS; f++) {
            gradients[f].touched = 5;
            for (size_t c = 0; c < candidates.sizes[choice[f]]; c++)
                gradients[f].squares[c] = f == 0 && c >= 4 ? 100.0f : 1.0f;
        }
        kind->observe(sampler, step, choice,
                      loss_of_field0 != NULL ? loss_of_field0[choice[0]] : 0.5, gradients);
    }
    free(gradients);
}

static void test_adaptive(void **state)
{
    (void)state;
    const adass_sampler_setting setting = setting_of(400);
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("adaptive", &setting, &kind);
    observe(kind, sampler, 0, 199, NULL); /* the warm-up is half of 400 */
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t k = 0; k < K; k++)
            assert_true(kind->probability(sampler, f, k) == 0.25);
    observe(kind, sampler, 199, 300, NULL);
    for (size_t f = 0; f < FIELDS; f++) {
        double total = 0.0;
        for (size_t k = 0; k < K; k++) {
            assert_true(kind->probability(sampler, f, k) >= 0.2 / K - 1e-12); /* the floor */
            total += kind->probability(sampler, f, k);
        }
        assert_true(fabs(total - 1.0) < 1e-12);
    }
    /*
     * Field 0's last group needs the most: it is drawn more than its others, and more than in the
     * fields where groups do not differ.
     */
    for (size_t k = 0; k + 1 < K; k++)
        assert_true(kind->probability(sampler, 0, K - 1) > kind->probability(sampler, 0, k) + 0.05);
    assert_true(kind->probability(sampler, 0, K - 1) > kind->probability(sampler, 1, K - 1) + 0.05);
    expect_draws(kind, sampler);
    kind->destroy(sampler);
}

/*
 * Coupled draws keep each field's probabilities; where these are equal, all fields get the same
 * size, in the stated share of the draws.
 */
static void test_adaptive_coupling(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    adass_sampler_setting setting = setting_of(100);
    setting.adaptive.coupling = 0.5;
    setting.candidates =
        (adass_candidates){ .n = K,
                            .sizes = { 1, 2, 4, 8 } }; /* with size 0 some draws are made again */
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("adaptive", &setting, &kind);
    expect_draws(kind, sampler);
    adass_rng rng;
    adass_rng_init(&rng, 3);
    double alike = 0.0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        uint8_t choice[FIELDS];
        kind->draw(sampler, i, &rng, choice);
        alike += choice[0] == choice[1] && choice[1] == choice[2];
    }
    const double expected = 0.5 + 0.5 / (K * K); /* by chance one draw in K^2 */
    assert_true(fabs(alike / DRAWS - expected) < 5.0 * sqrt(0.25 / DRAWS));
    kind->destroy(sampler);
}

/*
 * A dropped field (size 0) has no gradient: it must not be taken for the least needy thing there
 * is, nor for a number.
 */
static void test_adaptive_size_zero(void **state)
{
    (void)state;
    adass_sampler_setting setting = setting_of(100);
    setting.adaptive.warmup = 0.0;
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("adaptive", &setting, &kind);
    observe(kind, sampler, 0, 100, NULL);
    for (size_t k = 1; k < K;
         k++) /* equal gradients in field 1: the positive sizes are equally likely */
        assert_true(fabs(kind->probability(sampler, 1, k) - kind->probability(sampler, 1, 1)) <
                    0.02);
    assert_true(kind->probability(sampler, 1, 0) >= 0.2 / K - 1e-12);
    kind->destroy(sampler);
}

/*
 * Sizes whose steps have higher losses are drawn more. That a dropped field costs most is no reason
 * to drop it more often.
 */
static void test_adaptive_loss(void **state)
{
    (void)state;
    adass_sampler_setting setting = setting_of(600);
    setting.adaptive.warmup = 0.0;
    setting.adaptive.interval = 600; /* one refresh, after uniform draws */
    const adass_sampler_kind *kind;
    double losses[K] = { 5.0, 0.5, 0.9, 0.5 };
    adass_sampler *sampler = create("adaptive", &setting, &kind);
    observe(kind, sampler, 0, 600, losses);
    const double p[K] = { kind->probability(sampler, 0, 0), kind->probability(sampler, 0, 1),
                          kind->probability(sampler, 0, 2), kind->probability(sampler, 0, 3) };
    if (!(p[2] > p[1] + 0.1 && p[0] < p[2] && p[0] <= 1.0 / K + 0.02))
        fail_msg("probabilities %.3f %.3f %.3f %.3f", p[0], p[1], p[2], p[3]);
    kind->destroy(sampler);
}

/* No draw drops every field, though coupled fields are dropped together. */
static void test_no_empty_model(void **state)
{
    (void)state;
    adass_sampler_setting setting = setting_of(100);
    setting.adaptive.coupling = 1.0;
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("adaptive", &setting, &kind);
    adass_rng rng;
    adass_rng_init(&rng, 5);
    for (uint64_t i = 0; i < 2000; i++) {
        uint8_t choice[FIELDS];
        kind->draw(sampler, i, &rng, choice);
        assert_true(choice[0] + choice[1] + choice[2] > 0);
    }
    kind->destroy(sampler);
}

/* Largest, smallest above 0, two random; the stated probabilities are the shares of the draws. */
static void test_sandwich(void **state)
{
    (void)state;
    enum { STEPS = 4000 };
    const adass_sampler_setting setting = setting_of(100);
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("sandwich", &setting, &kind);
    adass_rng rng;
    adass_rng_init(&rng, 6);
    double counts[K] = { 0 };
    size_t mixed = 0;
    for (uint64_t i = 0; i < STEPS; i++) {
        uint8_t choice[FIELDS];
        kind->draw(sampler, i, &rng, choice);
        for (size_t f = 0; f < FIELDS && i % 4 < 2; f++)
            assert_int_equal(choice[f], i % 4 == 0 ? K - 1 : 1);
        mixed += i % 4 >= 2 && choice[0] != choice[1];
        counts[choice[0]] += 1.0;
    }
    assert_true(mixed > STEPS / 4);
    double total = 0.0;
    for (size_t k = 0; k < K; k++) {
        const double p = kind->probability(sampler, 0, k);
        total += p;
        assert_true(fabs(counts[k] / STEPS - p) < 5.0 * sqrt(0.25 / STEPS));
    }
    assert_true(fabs(total - 1.0) < 1e-12);
    kind->destroy(sampler);
}

/* In K steps each field has each candidate once, in orders that differ between fields. */
static void test_fair(void **state)
{
    (void)state;
    const adass_sampler_setting setting = setting_of(100);
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("fair", &setting, &kind);
    adass_rng rng;
    adass_rng_init(&rng, 7);
    size_t different = 0;
    for (uint64_t round = 0; round < 50; round++) {
        unsigned seen[FIELDS] = { 0 };
        for (size_t i = 0; i < K; i++) {
            uint8_t choice[FIELDS];
            kind->draw(sampler, round * K + i, &rng, choice);
            for (size_t f = 0; f < FIELDS; f++)
                seen[f] |= 1u << choice[f];
            different += choice[0] != choice[1];
        }
        for (size_t f = 0; f < FIELDS; f++)
            assert_int_equal(seen[f], (1u << K) - 1);
    }
    assert_true(different > 50 * K / 2);
    kind->destroy(sampler);
}

/*
 * Uniform in the first epoch; then tau = 1/2 of the probability goes with the gradient norms. In
 * field 0 size 8 has root mean square gradient sqrt((4 + 4 * 100) / 8), sizes 2 and 4 have 1, size 0
 * counts as their average; in field 1 all are alike.
 */
static void test_pa_da(void **state)
{
    (void)state;
    const adass_sampler_setting setting = setting_of(200);
    const adass_sampler_kind *kind;
    adass_sampler *sampler = create("pa-da", &setting, &kind);
    observe(kind, sampler, 0, 99, NULL);
    assert_true(kind->probability(sampler, 0, K - 1) == 0.25);
    observe(kind, sampler, 99, 100, NULL);
    /* `squares` of a column is a sum over the 5 touched rows */
    const double large = sqrt(404.0 / 8.0), mean = (2.0 + large) / 3.0;
    assert_true(fabs(kind->probability(sampler, 0, K - 1) -
                     (0.5 * large / (2.0 + large + mean) + 0.125)) < 1e-9);
    assert_true(fabs(kind->probability(sampler, 1, K - 1) - 0.25) < 1e-9);
    double total = 0.0;
    for (size_t k = 0; k < K; k++)
        total += kind->probability(sampler, 0, k);
    assert_true(fabs(total - 1.0) < 1e-12);
    expect_draws(kind, sampler);
    kind->destroy(sampler);
}

static void test_refusals(void **state)
{
    (void)state;
    adass_error err;
    const adass_sampler_kind *kind;
    adass_sampler *sampler = NULL;
    assert_int_equal(adass_sampler_find("sandwitch", &kind, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "adaptive"));
    adass_sampler_setting setting = setting_of(10);
    setting.adaptive.temperature = 0.0;
    assert_int_equal(adass_sampler_adaptive.create(&sampler, &setting, &err), ADASS_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_adaptive),
        cmocka_unit_test(test_adaptive_coupling),
        cmocka_unit_test(test_adaptive_size_zero),
        cmocka_unit_test(test_adaptive_loss),
        cmocka_unit_test(test_no_empty_model),
        cmocka_unit_test(test_sandwich),
        cmocka_unit_test(test_fair),
        cmocka_unit_test(test_pa_da),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
