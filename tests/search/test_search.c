/*
 * Stage 2: the budget is never exceeded, good subnets are found, and the same seed gives the same
 * answer.
 */
#include "finalist.h"
#include "fixture.h"

#include "adass/rng.h"
#include "adass/search.h"
#include "adass/supernet.h"
#include "finalists.h"
#include "refine.h"
#include "search_memory.h"
#include "shrink.h"
#include "subnet_scores.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ROWS = 20000, MAX_FIELDS = 16 };

typedef struct state {
    fixture base;
    adass_candidates candidates;
    adass_model *supernet;
    size_t vocab[MAX_FIELDS];
    uint64_t largest; /* parameters with the largest candidate everywhere */
} state;

static const adass_trainer_config step = { .batch_size = 512,
                                           .learning_rate = 3e-3,
                                           .beta1 = 0.9,
                                           .beta2 = 0.999,
                                           .epsilon = 1e-8,
                                           .l2 = 1e-5 };

static int set_up(void **out)
{
    static state s;
    adass_error err;
    size_t widths[MAX_FIELDS];
    if (fixture_open(&s.base, ROWS) != 0)
        return -1;
    s.candidates = (adass_candidates){ .n = 6, .sizes = { 2, 4, 8, 16, 32, 64 } };
    const size_t n = s.base.dataset->n_fields, widest = s.candidates.sizes[s.candidates.n - 1];
    for (size_t f = 0; f < n; f++) {
        s.vocab[f] = s.base.dataset->fields[f].vocab;
        widths[f] = widest;
    }
    s.largest = adass_sizes_params(s.vocab, widths, n);
    const adass_model_config model = { .backbone = ADASS_FM, .init_std = 0.05f, .seed = 1 };
    const adass_supernet_config config = {
        .sampler = "uniform", .step = step, .epochs = 3, .seed = 1
    };
    adass_supernet_result result;
    if (adass_model_create(&s.supernet, &model, n, s.vocab, widths, &err) != ADASS_OK ||
        adass_supernet_train(s.supernet, &s.candidates, s.base.dataset, &s.base.compute, &config,
                             NULL, &result, &err) != ADASS_OK) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    adass_supernet_result_free(&result);
    *out = &s;
    return 0;
}

static int tear_down(void **out)
{
    state *s = *out;
    adass_model_destroy(s->supernet);
    fixture_close(&s->base);
    return 0;
}

static adass_search_config small_config(uint64_t seed)
{
    return (adass_search_config){ .eval_rows = 300,
                                  .iterations = 3,
                                  .population = 4,
                                  .learning_rate = 0.5,
                                  .entropy = 0.1,
                                  .baseline_decay = 0.8,
                                  .penalty = 1.0,
                                  .penalty_rate = 1.0,
                                  .sweeps = 1,
                                  .step = step,
                                  .seed = seed };
}

static uint64_t params_of(const state *s, const uint8_t *choice)
{
    size_t sizes[MAX_FIELDS];
    adass_sizes_from_choice(&s->candidates, choice, s->base.dataset->n_fields, sizes);
    return adass_sizes_params(s->vocab, sizes, s->base.dataset->n_fields);
}

static adass_status search(const state *s, uint64_t budget, const adass_search_config *config,
                           const adass_compute *compute, uint8_t *choice,
                           adass_search_result *result)
{
    adass_error err;
    const adass_status status = adass_search(s->supernet, &s->candidates, s->base.dataset, compute,
                                             budget, config, NULL, choice, result, &err);
    if (status != ADASS_OK)
        fprintf(stderr, "%s\n", err.message);
    return status;
}

/*
 * Fifty seeds, budgets from 0.05 to 1.0, with and without the penalty that keeps the policy near
 * the budget: none is exceeded.
 */
static void test_budget_is_kept(void **out)
{
    const state *s = *out;
    static const double budgets[] = { 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0 };
    size_t repairs = 0;
    for (uint64_t seed = 1; seed <= 50; seed++)
        for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; b++) {
            const uint64_t budget = (uint64_t)(budgets[b] * (double)s->largest);
            adass_search_config config = small_config(seed);
            config.penalty = config.penalty_rate = seed % 2 == 0 ? 1.0 : 0.0;
            config.finalists = seed % 10 == 0 ? 0.1 : 0.0;
            uint8_t choice[MAX_FIELDS];
            adass_search_result result;
            assert_int_equal(search(s, budget, &config, &s->base.compute, choice, &result),
                             ADASS_OK);
            assert_true(result.params == params_of(s, choice));
            assert_true(result.params <= budget);
            repairs += result.repairs;
            adass_search_result_free(&result);

            adass_error err;
            assert_int_equal(adass_random_assignment(&s->candidates, s->vocab,
                                                     s->base.dataset->n_fields, budget, seed,
                                                     choice, &err),
                             ADASS_OK);
            assert_true(params_of(s, choice) <= budget);
            if (budgets[b] >= 0.2 &&
                budgets[b] <= 0.65) /* uniform draws reach these windows easily */
                assert_true((double)params_of(s, choice) >= 0.9 * (double)budget);
        }
    assert_true(repairs > 0); /* the guarantee was needed */
}

static void test_impossible_budget(void **out)
{
    const state *s = *out;
    const adass_search_config config = small_config(1);
    uint8_t choice[MAX_FIELDS];
    adass_search_result result;
    adass_error err;
    assert_int_equal(adass_search(s->supernet, &s->candidates, s->base.dataset, &s->base.compute,
                                  1000, &config, NULL, choice, &result, &err),
                     ADASS_EINVAL);
    assert_non_null(strstr(err.message, "1000"));
    adass_search_result_free(&result);
    assert_int_equal(adass_random_assignment(&s->candidates, s->vocab, s->base.dataset->n_fields,
                                             1000, 1, choice, &err),
                     ADASS_EINVAL);
}

/* The answer is better than nearly all random assignments under the same budget. */
static void test_finds_good_subnets(void **out)
{
    const state *s = *out;
    enum { RANDOM = 40 };
    const uint64_t budget = s->largest / 2;
    const size_t n = s->base.dataset->n_fields;
    adass_search_config config = small_config(3);
    config.eval_rows = 0;
    config.iterations = 40;
    config.population = 16;
    uint8_t choice[MAX_FIELDS];
    adass_search_result result;
    adass_error err;
    assert_int_equal(search(s, budget, &config, &s->base.compute, choice, &result), ADASS_OK);
    assert_true(result.evaluations > 100 && result.evaluations <= 40 * 16 + 1000);

    adass_evaluator *valid = NULL;
    assert_int_equal(
        adass_evaluator_open(&valid, s->base.dataset, ADASS_VALID, 0, &s->base.compute, &err),
        ADASS_OK);
    size_t beaten = 0;
    for (uint64_t seed = 0; seed < RANDOM; seed++) {
        size_t sizes[MAX_FIELDS];
        adass_metrics metrics;
        assert_int_equal(
            adass_random_assignment(&s->candidates, s->vocab, n, budget, seed, choice, &err),
            ADASS_OK);
        adass_sizes_from_choice(&s->candidates, choice, n, sizes);
        assert_int_equal(adass_evaluator_measure(valid, s->supernet, sizes, &metrics, &err),
                         ADASS_OK);
        beaten += result.inherited_auc > metrics.auc;
    }
    if (beaten < RANDOM * 9 / 10)
        fail_msg("only %zu of %d random assignments are below the search's answer (AUC %.4f)",
                 beaten, RANDOM, result.inherited_auc);
    for (size_t f = 0; f < n; f++) { /* a distribution for each field */
        double total = 0.0;
        for (size_t k = 0; k < s->candidates.n; k++)
            total += result.policy[f * s->candidates.n + k];
        assert_true(fabs(total - 1.0) < 1e-9);
    }
    adass_search_result_free(&result);
    adass_evaluator_close(valid);
}

/*
 * Without a penalty the policy spends more than the budget, and its mode has to be cut; with it the
 * policy itself learns to keep it.
 */
static void test_penalty_teaches_the_budget(void **out)
{
    const state *s = *out;
    const uint64_t budget = s->largest / 20;
    double expected[2];
    for (int with = 0; with < 2; with++) {
        adass_search_config config = small_config(4);
        config.iterations = 60;
        config.population = 16;
        config.penalty = config.penalty_rate = with ? 1.0 : 0.0;
        uint8_t choice[MAX_FIELDS];
        adass_search_result result;
        assert_int_equal(search(s, budget, &config, &s->base.compute, choice, &result), ADASS_OK);
        expected[with] = 0.0;
        for (size_t f = 0; f < s->base.dataset->n_fields; f++)
            for (size_t k = 0; k < s->candidates.n; k++)
                expected[with] += result.policy[f * s->candidates.n + k] * (double)s->vocab[f] *
                                  (double)s->candidates.sizes[k];
        adass_search_result_free(&result);
    }
    if (!(expected[1] < 1.5 * (double)budget && expected[0] > 1.6 * (double)budget))
        fail_msg(
            "expected parameters of the policy: %.0f with, %.0f without the penalty, budget %llu",
            expected[1], expected[0], (unsigned long long)budget);
}

enum { CLOSING_ITERATIONS = 40 };

/* What the policy spends, as a share of the budget, after each iteration: from the search's notes. */
static void note_spending(void *user, const char *stage, uint64_t done, uint64_t total,
                          const char *note)
{
    double *spent = user;
    const char *at = strstr(note, "expected parameters ");
    if (strcmp(stage, "search") != 0)
        return;
    assert_int_equal(total, CLOSING_ITERATIONS);
    assert_non_null(at);
    spent[done - 1] = strtod(at + strlen("expected parameters "), NULL);
}

/*
 * A penalty beside which AUC counts for nothing takes the policy to the budget. Closing, it gets there
 * at the end of the closing's share, and half way on it still spends some root of the excess; at once, it
 * is there half way on. What a uniform policy spends within the budget anyway, nothing closes.
 */
static void test_budget_closes(void **out)
{
    const state *s = *out;
    double spent[2][CLOSING_ITERATIONS];
    uint8_t choice[2][MAX_FIELDS];
    adass_search_result result[2];
    for (int i = 0; i < 2; i++) {
        adass_search_config config = small_config(4);
        config.iterations = CLOSING_ITERATIONS;
        config.population = 32;
        config.learning_rate = 0.2;
        config.penalty = config.penalty_rate = 3.0;
        config.sweeps = 0;
        config.closing = i == 0 ? 0.0 : 0.8;
        const adass_monitor monitor = { .progress = note_spending, .user = spent[i] };
        adass_error err;
        assert_int_equal(adass_search(s->supernet, &s->candidates, s->base.dataset,
                                      &s->base.compute, s->largest / 20, &config, &monitor,
                                      choice[i], &result[i], &err),
                         ADASS_OK);
        adass_search_result_free(&result[i]);
    }
    const size_t half = CLOSING_ITERATIONS * 4 / 10 - 1;
    print_message("half way on the policy spends %.2f of the budget at once, %.2f closing; %.2f and "
                  "%.2f at the end\n",
                  spent[0][half], spent[1][half], spent[0][CLOSING_ITERATIONS - 1],
                  spent[1][CLOSING_ITERATIONS - 1]);
    assert_true(spent[1][half] > 1.5 * spent[0][half]);
    assert_true(spent[1][CLOSING_ITERATIONS - 1] < 1.2);
    for (int i = 0; i < 2; i++) {
        adass_search_config config = small_config(4);
        config.iterations = CLOSING_ITERATIONS;
        config.closing = 0.8 * i;
        assert_int_equal(search(s, s->largest, &config, &s->base.compute, choice[i], &result[i]),
                         ADASS_OK);
    }
    assert_memory_equal(result[0].policy, result[1].policy,
                        s->base.dataset->n_fields * s->candidates.n * sizeof(double));
    for (int i = 0; i < 2; i++)
        adass_search_result_free(&result[i]);
}

static void test_same_seed_same_answer(void **out)
{
    const state *s = *out;
    const size_t n = s->base.dataset->n_fields, cells = n * s->candidates.n;
    const adass_search_config config = small_config(9);
    const adass_compute one = { .kernels = s->base.compute.kernels, .threads = 1 };
    const adass_compute *computes[] = { &s->base.compute, &s->base.compute, &one };
    uint8_t choice[3][MAX_FIELDS];
    adass_search_result result[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(search(s, s->largest / 3, &config, computes[i], choice[i], &result[i]),
                         ADASS_OK);
    for (int i = 1; i < 3; i++) {
        assert_memory_equal(choice[0], choice[i], n);
        assert_memory_equal(result[0].policy, result[i].policy, cells * sizeof(double));
        assert_true(result[0].inherited_auc == result[i].inherited_auc);
    }
    for (int i = 0; i < 3; i++)
        adass_search_result_free(&result[i]);
}

/*
 * The searchers beside the policy: inside the budget, the same for the same seed, with the stated
 * number of evaluations; evolution and random search return the best that they saw.
 */
static void test_other_searchers(void **out)
{
    const state *s = *out;
    static const char *const searchers[] = { "evolution", "random", "knapsack" };
    static const double budgets[] = { 0.05, 0.35, 1.0 };
    for (size_t i = 0; i < sizeof searchers / sizeof searchers[0]; i++)
        for (size_t b = 0; b < sizeof budgets / sizeof budgets[0]; b++) {
            const uint64_t budget = (uint64_t)(budgets[b] * (double)s->largest);
            adass_search_config config = small_config(5);
            config.searcher = searchers[i];
            config.iterations = 10;
            uint8_t choice[2][MAX_FIELDS];
            adass_search_result result[2];
            for (int j = 0; j < 2; j++) {
                assert_int_equal(
                    search(s, budget, &config, &s->base.compute, choice[j], &result[j]), ADASS_OK);
                assert_true(result[j].params == params_of(s, choice[j]));
                assert_true(result[j].params <= budget);
                assert_true(result[j].evaluations > 10 && result[j].evaluations <= 41);
                assert_null(result[j].policy);
                adass_search_result_free(&result[j]);
            }
            assert_memory_equal(choice[0], choice[1], s->base.dataset->n_fields);
        }
}

/* With as many evaluations, evolution and the fitted knapsack do better than random search. */
static void test_searchers_beat_random(void **out)
{
    const state *s = *out;
    static const char *const searchers[] = { "random", "evolution", "knapsack", "rl" };
    double mean[4] = { 0 };
    for (uint64_t seed = 1; seed <= 3; seed++)
        for (size_t i = 0; i < 4; i++) {
            adass_search_config config = small_config(seed);
            config.searcher = searchers[i];
            config.eval_rows = 0;
            config.iterations = 25;
            config.population = 16;
            uint8_t choice[MAX_FIELDS];
            adass_search_result result;
            assert_int_equal(search(s, s->largest / 4, &config, &s->base.compute, choice, &result),
                             ADASS_OK);
            mean[i] += result.inherited_auc / 3.0;
            adass_search_result_free(&result);
        }
    print_message("inherited AUC: random %.4f, evolution %.4f, knapsack %.4f, rl %.4f\n", mean[0],
                  mean[1], mean[2], mean[3]);
    assert_true(mean[1] > mean[0]);
}

/* Without competition every field pays alike, so that another policy comes out. */
static void test_equal_shares(void **out)
{
    const state *s = *out;
    const size_t cells = s->base.dataset->n_fields * s->candidates.n;
    uint8_t choice[2][MAX_FIELDS];
    adass_search_result result[2];
    for (int i = 0; i < 2; i++) {
        adass_search_config config = small_config(6);
        config.equal_shares = i == 1;
        assert_int_equal(
            search(s, s->largest / 10, &config, &s->base.compute, choice[i], &result[i]), ADASS_OK);
        assert_true(result[i].params <= s->largest / 10);
    }
    assert_true(memcmp(result[0].policy, result[1].policy, cells * sizeof(double)) != 0);
    for (int i = 0; i < 2; i++)
        adass_search_result_free(&result[i]);
}

/* Each field has the smallest size inside the budget that is as good as its best one. */
static void expect_settled(const state *s, uint64_t budget, const uint8_t *choice, uint64_t seed)
{
    const size_t n_fields = s->base.dataset->n_fields;
    adass_error err;
    adass_evaluator *evaluator;
    adass_subnet_scores *scores;
    assert_int_equal(
        adass_evaluator_open(&evaluator, s->base.dataset, ADASS_VALID, 0, &s->base.compute, &err),
        ADASS_OK);
    assert_int_equal(
        adass_subnet_scores_create(&scores, s->supernet, &s->candidates, evaluator, seed, NULL, &err),
        ADASS_OK);
    for (size_t f = 0; f < n_fields; f++) {
        uint8_t options[ADASS_CANDIDATES_MAX * MAX_FIELDS], number[ADASS_CANDIDATES_MAX];
        size_t n = 0, winner;
        for (size_t k = 0; k < s->candidates.n; k++) {
            memcpy(options + n * n_fields, choice, n_fields);
            options[n * n_fields + f] = (uint8_t)k;
            const uint64_t params = params_of(s, options + n * n_fields);
            if (params > 0 && params <= budget)
                number[n++] = (uint8_t)k;
        }
        assert_int_equal(
            adass_subnet_scores_smallest(scores, options, n, &(double){ 1.0 }, 1, &winner, &err),
            ADASS_OK);
        assert_int_equal(number[winner], choice[f]);
    }
    adass_subnet_scores_destroy(scores);
    adass_evaluator_close(evaluator);
}

/* Refined until nothing changes: no field has a smaller size that is as good, and little AUC is lost. */
static void test_refinement(void **out)
{
    const state *s = *out;
    uint8_t choice[2][MAX_FIELDS];
    adass_search_result result[2];
    size_t refined = 0;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        for (int i = 0; i < 2; i++) {
            adass_search_config config = small_config(seed);
            config.eval_rows = 0;
            config.sweeps = i == 0 ? 0 : 20;
            assert_int_equal(
                search(s, s->largest / 4, &config, &s->base.compute, choice[i], &result[i]),
                ADASS_OK);
            assert_true(result[i].params <= s->largest / 4);
            adass_search_result_free(&result[i]);
        }
        assert_int_equal(result[0].refined, 0);
        expect_settled(s, s->largest / 4, choice[1], seed);
        refined += result[1].refined;
        print_message("AUC %.4f -> %.4f, parameters %llu -> %llu\n", result[0].inherited_auc,
                      result[1].inherited_auc, (unsigned long long)result[0].params,
                      (unsigned long long)result[1].params);
        assert_true(result[1].inherited_auc > result[0].inherited_auc - 0.002);
    }
    assert_true(refined > 0);
}

/* ---- finalists ---- */

enum { FINALIST_STEPS = 60, FINALISTS_MAX = 17 };

typedef struct finale {
    adass_search_problem problem;
    adass_finalists_setting setting;
    adass_evaluator *evaluator;
    adass_subnet_scores *scores;
} finale;

static void open_finale(const state *s, uint64_t budget, finale *f)
{
    adass_error err;
    *f = (finale){ 0 };
    assert_int_equal(adass_evaluator_open(&f->evaluator, s->base.dataset, ADASS_VALID, 0,
                                          &s->base.compute, &err),
                     ADASS_OK);
    assert_int_equal(
        adass_subnet_scores_create(&f->scores, s->supernet, &s->candidates, f->evaluator, 7, NULL, &err),
        ADASS_OK);
    f->problem = (adass_search_problem){ .candidates = &s->candidates,
                                         .vocab = s->vocab,
                                         .n_fields = s->base.dataset->n_fields,
                                         .budget = budget,
                                         .seed = 7,
                                         .scores = f->scores };
    f->setting = (adass_finalists_setting){ .problem = &f->problem,
                                            .supernet = s->supernet,
                                            .dataset = s->base.dataset,
                                            .compute = &s->base.compute,
                                            .step = &step,
                                            .steps = FINALIST_STEPS };
}

static void close_finale(finale *f)
{
    adass_subnet_scores_destroy(f->scores);
    adass_evaluator_close(f->evaluator);
}

static double train_on(const state *s, const finale *f, const uint8_t *choice)
{
    size_t sizes[MAX_FIELDS];
    adass_sizes_from_choice(&s->candidates, choice, f->problem.n_fields, sizes);
    return finalist_auc(&s->base, &step, s->supernet, s->vocab, sizes, f->problem.seed,
                        FINALIST_STEPS);
}

/*
 * What the moves make of an assignment: of the fields of its largest candidate, or of all others. What
 * grows beyond the budget is shrunk back into it.
 */
static void list_moves(const state *s, const finale *f, const uint8_t *from, uint8_t *moved)
{
    const size_t n_fields = f->problem.n_fields, last = s->candidates.n - 1;
    uint8_t top = 0;
    for (size_t i = 0; i < n_fields; i++)
        top = from[i] > top ? from[i] : top;
    for (size_t i = 0; i < n_fields; i++) {
        const uint8_t k = from[i];
        moved[i] = k == top && k < last ? (uint8_t)(k + 1) : k;
        moved[n_fields + i] = k < top && k > 0 ? (uint8_t)(k - 1) : k;
        moved[2 * n_fields + i] = k == top ? (uint8_t)(k - 1) : k;
    }
    uint64_t steps = 0;
    adass_error err;
    assert_int_equal(adass_shrink(&f->problem, moved, &steps, &err), ADASS_OK);
    assert_true(params_of(s, moved) <= f->problem.budget);
}

/* The one given, its family, and the largest uniform sizes in the budget and the next, shrunk into it. */
static size_t list_first(const state *s, const finale *f, const uint8_t *choice, uint8_t *first)
{
    static const double margins[] = { 0.0, 2.0, 4.0, 8.0, 16.0 };
    enum { N = sizeof margins / sizeof margins[0] };
    const size_t n_fields = f->problem.n_fields;
    uint8_t *uniform = first + (1 + N) * n_fields;
    uint64_t steps = 0;
    adass_error err;
    memcpy(first, choice, n_fields);
    assert_int_equal(adass_refine_family(&f->problem, choice, margins, N, first + n_fields, &err),
                     ADASS_OK);
    memset(uniform, (int)s->candidates.n - 1, n_fields);
    while (params_of(s, uniform) > f->problem.budget && uniform[0] > 0)
        memset(uniform, uniform[0] - 1, n_fields);
    if (uniform[0] + 1u == s->candidates.n)
        return 1 + N + 1;
    memset(uniform + n_fields, uniform[0] + 1, n_fields);
    assert_int_equal(adass_shrink(&f->problem, uniform + n_fields, &steps, &err), ADASS_OK);
    assert_true(steps > 0 && params_of(s, uniform + n_fields) <= f->problem.budget);
    return 1 + N + 2;
}

/* The best AUC of those [n x n_fields] that keep the budget, each trained by the trainer alone. */
static double best_auc(const state *s, const finale *f, const uint8_t *choices, size_t n)
{
    double best = 0.0;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *choice = choices + i * f->problem.n_fields;
        const uint64_t params = params_of(s, choice);
        if (params > 0 && params <= f->problem.budget)
            best = fmax(best, train_on(s, f, choice));
    }
    return best;
}

typedef struct given_up {
    size_t n_finalists, steps[FINALISTS_MAX]; /* that each was trained */
} given_up;

static void note_step(void *user, const char *stage, uint64_t done, uint64_t total,
                      const char *note)
{
    given_up *g = user;
    if (strcmp(stage, "finalists") != 0)
        return;
    const size_t finalist = strtoul(note + strlen("finalist "), NULL, 10);
    assert_in_range(finalist, 1, FINALISTS_MAX);
    assert_true(total == FINALIST_STEPS || total == FINALIST_STEPS / 2);
    g->n_finalists = finalist;
    g->steps[finalist - 1] = done;
}

/* The number of finalists that gave up: at a check, and not the first, which nobody is ahead of. */
static size_t count_given_up(const given_up *g)
{
    size_t n = 0;
    assert_int_equal(g->steps[0], FINALIST_STEPS);
    for (size_t i = 0; i < g->n_finalists; i++) {
        assert_true(g->steps[i] > 0 && g->steps[i] % (FINALIST_STEPS / 4) == 0);
        n += g->steps[i] < FINALIST_STEPS;
    }
    return n;
}

/* Returns the number of those that gave up. */
static size_t choose(const state *s, finale *f, int threads, uint8_t *choice)
{
    const adass_compute compute = { .kernels = s->base.compute.kernels, .threads = threads };
    given_up g = { 0 };
    const adass_monitor monitor = { .progress = note_step, .user = &g };
    adass_finalists *finalists;
    adass_error err;
    f->setting.compute = &compute;
    f->problem.monitor = &monitor;
    assert_int_equal(adass_finalists_create(&finalists, &f->setting, &err), ADASS_OK);
    assert_int_equal(adass_finalists_choose(finalists, choice, &err), ADASS_OK);
    assert_in_range(adass_finalists_count(finalists), 3, FINALISTS_MAX);
    assert_int_equal(adass_finalists_count(finalists), g.n_finalists);
    adass_finalists_destroy(finalists);
    f->problem.monitor = NULL;
    return count_given_up(&g);
}

/*
 * From what is far too large, and from what lacks a field: the winner keeps the budget, and none of
 * the first finalists and of its own moves is better, trained by the trainer alone and to the end.
 * Somewhere a move has won, and somewhere one has given up. The same on one thread.
 */
static void test_finalists(void **out)
{
    const state *s = *out;
    enum { FIRST = 8, MOVES = 3 };
    const size_t n_fields = s->base.dataset->n_fields;
    static const double budgets[] = { 1.0, 0.3, 0.1 };
    static const uint8_t starts[] = { 5, 2, 1 }; /* candidates */
    bool has_moved = false;
    size_t n_given_up = 0;
    for (int i = 0; i < 3; i++) {
        finale f;
        uint8_t start[MAX_FIELDS], winner[MAX_FIELDS], single[MAX_FIELDS];
        uint8_t first[FIRST * MAX_FIELDS], moved[MOVES * MAX_FIELDS];
        open_finale(s, (uint64_t)(budgets[i] * (double)s->largest), &f);
        memset(start, starts[i], n_fields);
        start[0] = 0;
        memcpy(winner, start, n_fields);
        memcpy(single, start, n_fields);
        n_given_up += choose(s, &f, s->base.compute.threads, winner);
        choose(s, &f, 1, single);
        assert_memory_equal(winner, single, n_fields);
        assert_true(params_of(s, winner) <= f.problem.budget);
        const double got = train_on(s, &f, winner);
        const double before = best_auc(s, &f, first, list_first(s, &f, start, first));
        list_moves(s, &f, winner, moved);
        print_message("winner: AUC %.5f, the first %.5f\n", got, before);
        assert_true(got >= before);
        assert_true(got >= best_auc(s, &f, moved, MOVES));
        has_moved = has_moved || got > before;
        close_finale(&f);
    }
    assert_true(has_moved);
    assert_true(n_given_up > 0);
}

static void begin_memory(const state *s, adass_search_memory *memory, size_t steps)
{
    const adass_search_memory_key key = { .n_fields = s->base.dataset->n_fields,
                                          .finalists_steps = steps,
                                          .seed = 7 };
    adass_error err;
    assert_int_equal(adass_search_memory_begin(memory, &key, &err), ADASS_OK);
}

/*
 * Starts and budgets one after the other, each with and without what those before it have trained: the
 * same winners, in fewer steps. The second round has all in memory and trains nothing.
 */
static void test_finalists_are_remembered(void **out)
{
    const state *s = *out;
    const size_t n_fields = s->base.dataset->n_fields;
    static const double budgets[] = { 1.0, 0.3, 0.3, 0.1 };
    static const uint8_t starts[] = { 5, 3, 2, 1 }; /* candidates */
    enum { N = sizeof starts };
    adass_search_memory *memory;
    adass_error err;
    size_t steps[3] = { 0 };
    assert_int_equal(adass_search_memory_create(&memory, &err), ADASS_OK);
    begin_memory(s, memory, FINALIST_STEPS);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < N; i++) {
            uint8_t winner[2][MAX_FIELDS];
            double seconds[2];
            size_t count[2];
            for (int with = 0; with < 2; with++) {
                finale f;
                given_up g = { 0 };
                const adass_monitor monitor = { .progress = note_step, .user = &g };
                adass_finalists *finalists;
                open_finale(s, (uint64_t)(budgets[i] * (double)s->largest), &f);
                f.problem.monitor = &monitor;
                f.setting.memory = with ? memory : NULL;
                memset(winner[with], starts[i], n_fields);
                assert_int_equal(adass_finalists_create(&finalists, &f.setting, &err), ADASS_OK);
                assert_int_equal(adass_finalists_choose(finalists, winner[with], &err), ADASS_OK);
                seconds[with] = adass_finalists_remembered_seconds(finalists);
                count[with] = adass_finalists_count(finalists);
                for (size_t k = 0; k < FINALISTS_MAX; k++)
                    steps[with ? 1 + round : 0] += round == 0 || with ? g.steps[k] : 0;
                adass_finalists_destroy(finalists);
                close_finale(&f);
            }
            assert_memory_equal(winner[0], winner[1], n_fields);
            assert_int_equal(count[0], count[1]);
            assert_true(seconds[0] == 0.0);
            assert_true(seconds[1] > 0.0 || round == 0);
        }
    print_message("steps: %zu without, %zu with memory, then %zu\n", steps[0], steps[1], steps[2]);
    assert_true(steps[1] < steps[0]);
    assert_int_equal(steps[2], 0);
    adass_search_memory_destroy(memory);
}

/* Trains a finalist as the first, whom nobody is ahead of, for a budget of all parameters. */
static double train_first(const state *s, adass_search_memory *memory, size_t steps, given_up *g)
{
    const adass_monitor monitor = { .progress = note_step, .user = g };
    finale f;
    adass_finalists *finalists;
    adass_error err;
    uint8_t choice[MAX_FIELDS];
    double auc;
    *g = (given_up){ 0 };
    open_finale(s, s->largest, &f);
    f.problem.monitor = &monitor;
    f.setting.memory = memory;
    f.setting.steps = steps;
    memset(choice, 2, f.problem.n_fields);
    assert_int_equal(adass_finalists_create(&finalists, &f.setting, &err), ADASS_OK);
    assert_int_equal(adass_finalists_measure(finalists, choice, &auc, &err), ADASS_OK);
    adass_finalists_destroy(finalists);
    close_finale(&f);
    return auc;
}

/* One that gave up counts no further than it got, and none of another number of steps does. */
static void test_memory_of_less(void **out)
{
    const state *s = *out;
    const size_t n_fields = s->base.dataset->n_fields;
    uint8_t choice[MAX_FIELDS];
    adass_search_memory *memory;
    adass_error err;
    given_up g;
    memset(choice, 2, n_fields);
    const double auc = train_first(s, NULL, FINALIST_STEPS, &g);
    assert_int_equal(adass_search_memory_create(&memory, &err), ADASS_OK);
    begin_memory(s, memory, FINALIST_STEPS);
    const adass_remembered_finalist less = { .checks = 3, .aucs = { 0.7, 0.8, 0.9 }, .seconds = 1.0 },
                           whole = { .checks = 4, .aucs = { 0.5, 0.6, 0.7, 0.8 }, .seconds = 1.0 };
    assert_int_equal(adass_search_memory_put_finalist(memory, choice, &less, &err), ADASS_OK);
    assert_true(train_first(s, memory, FINALIST_STEPS, &g) == auc);
    assert_int_equal(g.steps[0], FINALIST_STEPS);
    assert_true(train_first(s, memory, FINALIST_STEPS, &g) == auc);
    assert_int_equal(g.steps[0], 0); /* it is remembered as a whole now */
    assert_int_equal(adass_search_memory_put_finalist(memory, choice, &whole, &err), ADASS_OK);
    assert_true(train_first(s, memory, FINALIST_STEPS, &g) == 0.8);
    begin_memory(s, memory, FINALIST_STEPS / 2);
    assert_true(train_first(s, memory, FINALIST_STEPS / 2, &g) < 0.8);
    adass_search_memory_destroy(memory);
}

/* Whole passes with 4,000 steps, at most 50 passes; a configured number stands. */
static void test_supernet_epochs(void **out)
{
    (void)out;
    static const struct {
        uint64_t rows;
        size_t configured, epochs;
    } cases[] = { { 3200000, 0, 3 },    { 800167, 0, 11 }, { 2048 * 1000, 0, 4 },
                  { 2048 * 999, 0, 5 }, { 160102, 0, 50 }, { 40000000, 0, 1 },
                  { 0, 0, 50 },         { 800167, 7, 7 },  { 1, 200, 200 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const adass_dataset dataset = { .splits[ADASS_TRAIN].n = cases[i].rows };
        const adass_supernet_config config = { .step.batch_size = 2048,
                                               .epochs = cases[i].configured };
        assert_int_equal(adass_supernet_epochs(&config, &dataset), cases[i].epochs);
    }
    const adass_dataset dataset = { .splits[ADASS_TRAIN].n = 10000 };
    const adass_supernet_config refused = { .step.batch_size = 0 }; /* by the reader, later */
    assert_int_equal(adass_supernet_epochs(&refused, &dataset), 1);
}

static void test_unknown_searcher(void **out)
{
    const state *s = *out;
    adass_search_config config = small_config(1);
    config.searcher = "annealing";
    uint8_t choice[MAX_FIELDS];
    adass_search_result result;
    adass_error err;
    assert_int_equal(adass_search(s->supernet, &s->candidates, s->base.dataset, &s->base.compute,
                                  s->largest, &config, NULL, choice, &result, &err),
                     ADASS_EINVAL);
    assert_non_null(strstr(err.message, "knapsack"));
    adass_search_result_free(&result);
}

static bool stop_at_once(void *user)
{
    (void)user;
    return true;
}

static void test_stops_on_request(void **out)
{
    const state *s = *out;
    const adass_search_config config = small_config(1);
    const adass_monitor monitor = { .stop = stop_at_once };
    uint8_t choice[MAX_FIELDS];
    adass_search_result result;
    adass_error err;
    assert_int_equal(adass_search(s->supernet, &s->candidates, s->base.dataset, &s->base.compute,
                                  s->largest, &config, &monitor, choice, &result, &err),
                     ADASS_EINTERRUPTED);
    adass_search_result_free(&result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget_is_kept),
        cmocka_unit_test(test_impossible_budget),
        cmocka_unit_test(test_finds_good_subnets),
        cmocka_unit_test(test_penalty_teaches_the_budget),
        cmocka_unit_test(test_budget_closes),
        cmocka_unit_test(test_same_seed_same_answer),
        cmocka_unit_test(test_other_searchers),
        cmocka_unit_test(test_searchers_beat_random),
        cmocka_unit_test(test_equal_shares),
        cmocka_unit_test(test_refinement),
        cmocka_unit_test(test_finalists),
        cmocka_unit_test(test_finalists_are_remembered),
        cmocka_unit_test(test_memory_of_less),
        cmocka_unit_test(test_supernet_epochs),
        cmocka_unit_test(test_unknown_searcher),
        cmocka_unit_test(test_stops_on_request),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
