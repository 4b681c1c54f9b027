/*
 * Family `eval`: the AUCs of subnets on 100,000 rows with Criteo's fields, as a search asks for them. An item is a subnet.
 *
 * subnets:1 is what adass_evaluator_measure() does, a prediction of one subnet; else a pass over so many (subnet_pass.h), in
 * floats or, type:int8, with the MLP in bytes.
 */
#include "axes.h"
#include "harness.h"
#include "shapes.h"

#include "adass/dense_bytes.h"
#include "adass/metrics.h"
#include "adass/model.h"
#include "adass/rng.h"
#include "adass/subnet_pass.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 100000, WIDTH = 64, MEAN_CANDIDATE = 21, FIELDS = BENCH_CRITEO_FIELDS };

static const size_t candidates[] = { 2, 4, 8, 16, 32, 64 };

enum { N_CANDIDATES = sizeof candidates / sizeof candidates[0] };

typedef struct variant {
    size_t subnets;
    adass_pass_precision precision;
} variant;

static const variant variants[] = {
    { 1, ADASS_PASS_FLOATS },
    { 8, ADASS_PASS_FLOATS },
    { 8, ADASS_PASS_SHARED },
    { 24, ADASS_PASS_SHARED },
};

enum { N_VARIANTS = sizeof variants / sizeof variants[0] };

typedef struct eval eval;

typedef struct eval_case {
    eval *shared;
    const bench_axes *axes;
    const adass_kernels *kernels;
    int threads;
    size_t variant;
} eval_case;

struct eval {
    adass_model *model;
    uint32_t *ids; /* [ROWS x FIELDS] */
    float *labels; /* [ROWS], a quarter of them 1 */
    float *logits; /* [ADASS_PASS_SUBNETS x ROWS] */
    eval_case cases[N_VARIANTS * BENCH_ISAS_MAX * BENCH_THREADS_MAX];
};

/* One case while it runs. */
typedef struct run {
    const eval *shared;
    variant variant;
    adass_compute compute;
    adass_subnet_pass *pass; /* NULL for one subnet */
    adass_rng rng;
    size_t sizes[ADASS_PASS_SUBNETS * FIELDS];
} run;

static adass_status make_model(eval *e, adass_error *err)
{
    adass_model_config config = {
        .backbone = ADASS_DEEPFM, .n_hidden = BENCH_HIDDEN_LAYERS, .init_std = 0.05f, .seed = 1
    };
    size_t widths[FIELDS];
    for (size_t i = 0; i < BENCH_HIDDEN_LAYERS; i++)
        config.hidden[i] = BENCH_HIDDEN;
    for (size_t f = 0; f < FIELDS; f++)
        widths[f] = WIDTH;
    return adass_model_create(&e->model, &config, FIELDS, bench_criteo_vocab, widths, err);
}

static adass_status make_shared(eval *e, adass_error *err)
{
    if (e->model != NULL)
        return ADASS_OK;
    if (e->ids == NULL)
        e->ids = malloc(sizeof *e->ids * ROWS * FIELDS);
    if (e->labels == NULL)
        e->labels = malloc(sizeof *e->labels * ROWS);
    if (e->logits == NULL)
        e->logits = malloc(sizeof *e->logits * ROWS * ADASS_PASS_SUBNETS);
    if (e->ids == NULL || e->labels == NULL || e->logits == NULL)
        return adass_fail_memory(err, "the rows", 4.0 * ROWS * (FIELDS + 1 + ADASS_PASS_SUBNETS));
    adass_rng rng;
    adass_rng_init(&rng, 1);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t f = 0; f < FIELDS; f++)
            e->ids[i * FIELDS + f] = bench_zipf_id(adass_rng_unit(&rng), bench_criteo_vocab[f]);
        e->labels[i] = adass_rng_unit(&rng) < 0.25 ? 1.0f : 0.0f;
    }
    return make_model(e, err);
}

/* Logits of subnets that are drawn anew. */
static adass_status predict(run *r, adass_error *err)
{
    const eval *e = r->shared;
    float *logits[ADASS_PASS_SUBNETS];
    for (size_t i = 0; i < r->variant.subnets * FIELDS; i++)
        r->sizes[i] = candidates[adass_rng_below(&r->rng, N_CANDIDATES)];
    for (size_t i = 0; i < r->variant.subnets; i++)
        logits[i] = e->logits + i * ROWS;
    return r->pass != NULL
               ? adass_subnet_pass_run(r->pass, r->sizes, r->variant.subnets, 0, ROWS, logits, err)
               : adass_model_predict(e->model, &r->compute, r->sizes, e->ids, ROWS, logits[0], err);
}

static adass_status evaluate(run *r, adass_error *err)
{
    adass_status status = predict(r, err);
    double auc;
    for (size_t i = 0; i < r->variant.subnets && status == ADASS_OK; i++)
        status = adass_auc(r->shared->logits + i * ROWS, r->shared->labels, ROWS, &auc, err);
    return status;
}

/* The last subnet of a pass against a prediction: the same in floats, in bytes nearly. */
static adass_status check(run *r, adass_error *err)
{
    const size_t last = r->variant.subnets - 1;
    const float *got = r->shared->logits + last * ROWS;
    float *want = malloc(sizeof *want * ROWS);
    if (want == NULL)
        return adass_fail_memory(err, "logits", 4.0 * ROWS);
    adass_status status = predict(r, err);
    if (status == ADASS_OK)
        status = adass_model_predict(r->shared->model, &r->compute, r->sizes + last * FIELDS,
                                     r->shared->ids, ROWS, want, err);
    double mean = 0.0, deviation = 0.0, error = 0.0;
    for (size_t i = 0; i < ROWS && status == ADASS_OK; i++)
        mean += (double)want[i] / ROWS;
    for (size_t i = 0; i < ROWS && status == ADASS_OK; i++) {
        deviation += pow((double)want[i] - mean, 2.0);
        error += pow((double)got[i] - (double)want[i], 2.0);
    }
    free(want);
    const double most = r->variant.precision == ADASS_PASS_SHARED ? 0.02 : 0.0;
    if (status == ADASS_OK && !(sqrt(error) <= most * sqrt(deviation)))
        return adass_fail(err, ADASS_EINVAL,
                          "wrong result: logits are off by %g of their deviation",
                          sqrt(error / deviation));
    return status;
}

static adass_status begin(run *r, const eval_case *c, adass_error *err)
{
    const adass_status status = make_shared(c->shared, err);
    if (status != ADASS_OK || r->variant.subnets == 1)
        return status;
    return adass_subnet_pass_create(&r->pass, c->shared->model, &r->compute, r->variant.precision,
                                    c->shared->ids, ROWS, err);
}

/*
 * One thread's share of a pass: the rows' embeddings once, the products of all subnets. A vector has
 * four times as many bytes as floats.
 */
static bench_cost cost_of(const variant *v, int threads)
{
    double products = (double)(FIELDS * MEAN_CANDIDATE + (BENCH_HIDDEN_LAYERS - 1) * BENCH_HIDDEN) *
                          BENCH_HIDDEN +
                      BENCH_HIDDEN;
    size_t rows = 0;
    for (size_t f = 0; f < FIELDS; f++)
        rows += bench_criteo_vocab[f];
    products *= (double)v->subnets / (v->precision == ADASS_PASS_SHARED ? 4.0 : 1.0);
    const size_t size = v->subnets == 1 ? MEAN_CANDIDATE : WIDTH;
    bench_cost cost = bench_cost_model((double)ROWS / threads, products, 1.0, FIELDS, rows,
                                       size * sizeof(float) / BENCH_LINE_BYTES * BENCH_LINE_BYTES);
    cost.items = (double)v->subnets;
    return cost;
}

static void run_case(adass_bench_state *state, void *user)
{
    const eval_case *c = user;
    adass_error err;
    run r = { .shared = c->shared,
              .variant = variants[c->variant],
              .compute = { .kernels = c->kernels, .threads = c->threads } };
    adass_rng_init(&r.rng, 2);
    adass_status status = begin(&r, c, &err);
    if (status == ADASS_OK)
        status = check(&r, &err);
    while (status == ADASS_OK && adass_bench_next(state))
        status = evaluate(&r, &err);
    if (status != ADASS_OK)
        adass_bench_skip(state, "%s", err.message);
    const bench_cost cost = cost_of(&r.variant, c->threads);
    const bench_runner runner = bench_axes_runner(c->axes, c->axes->isas[0]->isa, c->threads);
    const bench_limit limit = bench_rates_limit(c->axes->rates, &cost, &runner);
    adass_bench_set_items(state, cost.items);
    bench_set_limit(state, &limit, 1.0);
    adass_subnet_pass_destroy(r.pass);
}

static void register_case(eval_case *c)
{
    const variant *v = &variants[c->variant];
    char name[BENCH_NAME_CHARS];
    snprintf(name, sizeof name,
             "eval/isa:%s/type:%s/backbone:deepfm/shape:criteo/width:%d/sizes:uniform2-64/rows:1e5/"
             "subnets:%zu/threads:%d",
             c->kernels->isa, v->precision == ADASS_PASS_SHARED ? "int8" : "f32", WIDTH, v->subnets,
             c->threads);
    adass_bench_register(
        &(adass_bench_case){ .name = name, .run = run_case, .user = c, .threads = c->threads });
}

/* Bytes where the CPU multiplies them fast alone: elsewhere no search uses them. */
static void *create(const bench_axes *axes)
{
    eval *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    eval_case *next = shared->cases;
    for (size_t v = 0; v < N_VARIANTS; v++)
        for (size_t i = 0; i < axes->n_isas; i++)
            for (size_t t = 0; t < axes->n_threads; t++) {
                if (variants[v].precision == ADASS_PASS_SHARED && !adass_bytes_fast())
                    continue;
                *next = (eval_case){ .shared = shared,
                                     .axes = axes,
                                     .kernels = axes->isas[i],
                                     .threads = axes->threads[t],
                                     .variant = v };
                register_case(next++);
            }
    return shared;
}

static void destroy(void *user)
{
    eval *shared = user;
    if (shared == NULL)
        return;
    adass_model_destroy(shared->model);
    free(shared->ids);
    free(shared->labels);
    free(shared->logits);
    free(shared);
}

const bench_family bench_eval = { create, destroy };
