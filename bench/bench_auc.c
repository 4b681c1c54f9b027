/* Family `auc`: the exact area under the ROC curve. An item is a score. */
#include "axes.h"
#include "harness.h"

#include "adass/memory.h"
#include "adass/metrics.h"
#include "adass/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t n;
    bool small;
} counts[] = { { "1e4", 10000, false }, { "1e6", 1000000, true }, { "1e7", 10000000, false } };

enum { N_COUNTS = sizeof counts / sizeof counts[0], CHECKED = 2000 };

typedef struct auc_case {
    const bench_axes *axes;
    size_t count;
} auc_case;

typedef struct auc {
    auc_case cases[N_COUNTS];
} auc;

/* Scores with ties, labels that follow them a little. */
static void make_scores(float *scores, float *labels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double unit = adass_unit(adass_mix_at(21, i));
        scores[i] = (float)floor(unit * 0x1p20) - 0x1p19f;
        labels[i] = adass_unit(adass_mix_at(22, i)) < 0.1 + 0.3 * unit ? 1.0f : 0.0f;
    }
}

/* All pairs of the first scores. */
static bool check(const float *scores, const float *labels, size_t n, adass_error *err)
{
    double better = 0.0, pairs = 0.0, got = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (labels[i] > 0.5f && labels[j] <= 0.5f) {
                better += scores[i] > scores[j] ? 1.0 : scores[i] == scores[j] ? 0.5 : 0.0;
                pairs += 1.0;
            }
    return adass_auc(scores, labels, n, &got, err) == ADASS_OK &&
           fabs(got - better / pairs) < 1e-12;
}

static void run_case(adass_bench_state *state, void *user)
{
    const auc_case *c = user;
    const size_t n = counts[c->count].n;
    float *scores = adass_alloc(n * sizeof *scores), *labels = adass_alloc(n * sizeof *labels);
    adass_error err;
    bool ok = scores != NULL && labels != NULL;
    if (!ok)
        adass_bench_skip(state, "out of memory");
    if (ok) {
        make_scores(scores, labels, n);
        ok = check(scores, labels, n < CHECKED ? n : CHECKED, &err);
        if (!ok)
            adass_bench_skip(state, "wrong result: AUC differs from the count of all pairs");
    }
    double result;
    while (adass_bench_next(state))
        ok = adass_auc(scores, labels, n, &result, &err) == ADASS_OK && ok;
    const bench_cost cost = { .items = (double)n, .read = 2.0 * sizeof(float) * (double)n };
    const bench_runner runner = bench_axes_runner(c->axes, c->axes->isas[0]->isa, 1);
    const bench_limit limit = bench_rates_limit(c->axes->rates, &cost, &runner);
    adass_bench_set_items(state, cost.items);
    adass_bench_set_bytes(state, cost.read);
    bench_set_limit(state, &limit, 1.0);
    free(scores);
    free(labels);
}

static void *create(const bench_axes *axes)
{
    auc *shared = calloc(1, sizeof *shared);
    for (size_t i = 0; shared != NULL && i < N_COUNTS; i++) {
        shared->cases[i] = (auc_case){ axes, i };
        char name[BENCH_NAME_CHARS];
        snprintf(name, sizeof name, "auc/isa:%s/type:f32/n:%s/threads:1", "scalar", counts[i].name);
        adass_bench_register(&(adass_bench_case){ .name = name,
                                                  .run = run_case,
                                                  .user = &shared->cases[i],
                                                  .threads = 1,
                                                  .small = counts[i].small });
    }
    return shared;
}

const bench_family bench_auc = { create, free };
