/*
 * Family `gemm`: oneDNN's own rate on the matrix products of a step and nothing else, the bound of
 * the families `train` and `predict`. An item is a sample.
 *
 * rows:4096 hands oneDNN whole batches and lets it use its own threads; rows:256 shares blocks out
 * to single-threaded calls, as the training step does, which keeps operands in the second-level
 * cache. The faster of the two is the bound.
 */
#include "axes.h"
#include "harness.h"
#include "shapes.h"

#include "adass/dense.h"
#include "adass/memory.h"

#include <dnnl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SIZE = 16,
    WIDEST = BENCH_CRITEO_FIELDS * SIZE,
    N_LAYERS = BENCH_HIDDEN_LAYERS + 1,
    BLOCK_SAMPLES = 256, /* a call, where the batch is cut */
    BLOCK_INPUTS = 128   /* rows of a weight gradient a call */
};

/* DeepFM's layers on Criteo: the packed embeddings, the hidden layers, the logit. */
static const dnnl_dim_t units[N_LAYERS + 1] = { WIDEST, BENCH_HIDDEN, BENCH_HIDDEN, BENCH_HIDDEN,
                                                1 };

typedef enum pass { PASS_PREDICT, PASS_TRAIN, N_PASSES } pass;

static const char *const pass_names[N_PASSES] = { "predict", "train" };

typedef struct gemm_case {
    const bench_axes *axes;
    pass pass;
    bool blocks; /* rows:256 */
    int threads;
} gemm_case;

typedef struct gemm {
    gemm_case cases[N_PASSES * 2 * BENCH_THREADS_MAX];
} gemm;

/* Operands of any layer, never written, and a result for each thread. */
typedef struct matrices {
    float *x, *dy, *w, *out;
} matrices;

static float *filled(size_t n)
{
    float *p = adass_alloc(n * sizeof *p);
    for (size_t i = 0; p != NULL && i < n; i++)
        p[i] = (float)(i % 7) - 3.0f;
    return p;
}

static bool begin(matrices *m, int threads)
{
    m->x = filled((size_t)BENCH_BATCH * WIDEST);
    m->dy = filled((size_t)BENCH_BATCH * BENCH_HIDDEN);
    m->w = filled((size_t)WIDEST * BENCH_HIDDEN);
    m->out = filled((size_t)threads * BENCH_BATCH * WIDEST);
    return m->x != NULL && m->dy != NULL && m->w != NULL && m->out != NULL;
}

static void end(matrices *m)
{
    free(m->x);
    free(m->dy);
    free(m->w);
    free(m->out);
}

/* c[m x n] = op(a) op(b). */
static bool multiply(char trans_a, char trans_b, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k,
                     const float *a, dnnl_dim_t lda, const float *b, dnnl_dim_t ldb, float *c)
{
    return dnnl_sgemm(trans_a, trans_b, m, n, k, 1.0f, a, lda, b, ldb, 0.0f, c, n) == dnnl_success;
}

/*
 * The products of samples [first, first + n): forward through the layers, and back to the gradient
 * of their inputs.
 */
static bool run_samples(const matrices *m, float *result, pass which, dnnl_dim_t first,
                        dnnl_dim_t n)
{
    bool ok = true;
    for (size_t i = 0; i < N_LAYERS; i++) {
        const dnnl_dim_t in = units[i], out = units[i + 1];
        ok = ok && multiply('N', 'N', n, out, in, m->x + first * in, in, m->w, out, result);
    }
    for (size_t i = N_LAYERS; which == PASS_TRAIN && i-- > 0;) {
        const dnnl_dim_t in = units[i], out = units[i + 1];
        ok = ok && multiply('N', 'T', n, in, out, m->dy + first * out, out, m->w, out, result);
    }
    return ok;
}

/* Rows [first, first + n) of a layer's weight gradient, over the whole batch. */
static bool run_weights(const matrices *m, float *result, size_t layer, dnnl_dim_t first,
                        dnnl_dim_t n)
{
    const dnnl_dim_t in = units[layer], out = units[layer + 1];
    return multiply('T', 'N', n, out, BENCH_BATCH, m->x + first, in, m->dy, out, result);
}

static bool run_whole(const matrices *m, pass which)
{
    bool ok = run_samples(m, m->out, which, 0, BENCH_BATCH);
    for (size_t i = 0; which == PASS_TRAIN && i < N_LAYERS; i++)
        ok = ok && run_weights(m, m->out, i, 0, units[i]);
    return ok;
}

static bool run_blocks(const matrices *m, const gemm_case *c)
{
    bool all_ok = true;
#pragma omp parallel num_threads(c->threads) reduction(&& : all_ok)
    {
        adass_dense_single_thread();
        float *result = m->out + (size_t)omp_get_thread_num() * BENCH_BATCH * WIDEST;
        bool ok = true;
#pragma omp for schedule(dynamic)
        for (dnnl_dim_t first = 0; first < BENCH_BATCH; first += BLOCK_SAMPLES)
            ok = run_samples(m, result, c->pass, first, BLOCK_SAMPLES) && ok;
        for (size_t i = 0; c->pass == PASS_TRAIN && i < N_LAYERS; i++) {
#pragma omp for schedule(dynamic) nowait
            for (dnnl_dim_t first = 0; first < units[i]; first += BLOCK_INPUTS) {
                const dnnl_dim_t left = units[i] - first;
                ok = run_weights(m, result, i, first, left < BLOCK_INPUTS ? left : BLOCK_INPUTS) &&
                     ok;
            }
        }
        all_ok = ok;
    }
    return all_ok;
}

/*
 * The first layer's first sample against a plain loop: sums of small whole numbers, exact in any
 * order.
 */
static bool check(const matrices *m)
{
    if (!multiply('N', 'N', 1, BENCH_HIDDEN, WIDEST, m->x, WIDEST, m->w, BENCH_HIDDEN, m->out))
        return false;
    for (size_t o = 0; o < BENCH_HIDDEN; o++) {
        float sum = 0.0f;
        for (size_t i = 0; i < WIDEST; i++)
            sum += m->x[i] * m->w[i * BENCH_HIDDEN + o];
        if (m->out[o] != sum)
            return false;
    }
    return true;
}

static double flop_of(pass which)
{
    double multiply_adds = 0.0;
    for (size_t i = 0; i < N_LAYERS; i++)
        multiply_adds += (double)BENCH_BATCH * (double)units[i] * (double)units[i + 1];
    return multiply_adds * (which == PASS_TRAIN ? 6.0 : 2.0);
}

static void run_case(adass_bench_state *state, void *user)
{
    const gemm_case *c = user;
    const int threads_before = omp_get_max_threads();
    matrices m = { 0 };
    omp_set_num_threads(c->threads);
    if (!begin(&m, c->threads))
        adass_bench_skip(state, "out of memory");
    else if (!check(&m))
        adass_bench_skip(state, "wrong result: oneDNN's product differs from that of a plain loop");
    bool ok = true;
    while (adass_bench_next(state))
        ok = (c->blocks ? run_blocks(&m, c) : run_whole(&m, c->pass)) && ok;
    if (!ok)
        adass_bench_skip(state, "oneDNN failed");
    adass_bench_set_items(state, BENCH_BATCH);
    adass_bench_set_rate(state, "flop_per_second", flop_of(c->pass));
    /* of one thread's share; oneDNN uses the best ISA that it finds, whatever is asked of ours */
    const bench_cost cost = { .multiplies = flop_of(c->pass) / 2.0 / c->threads };
    const bench_runner runner = bench_axes_runner(c->axes, c->axes->isas[0]->isa, c->threads);
    const bench_limit limit = bench_rates_limit(c->axes->rates, &cost, &runner);
    bench_set_limit(state, &limit, 1.0);
    omp_set_num_threads(threads_before);
    end(&m);
}

static void register_case(gemm_case *c)
{
    char name[BENCH_NAME_CHARS];
    snprintf(name, sizeof name,
             "gemm/isa:onednn/type:f32/of:%s/backbone:deepfm/shape:criteo/size:%d/batch:%d/rows:%d/"
             "threads:%d",
             pass_names[c->pass], SIZE, BENCH_BATCH, c->blocks ? BLOCK_SAMPLES : BENCH_BATCH,
             c->threads);
    adass_bench_register(
        &(adass_bench_case){ .name = name, .run = run_case, .user = c, .threads = c->threads });
}

static void *create(const bench_axes *axes)
{
    gemm *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    gemm_case *next = shared->cases;
    for (int p = 0; p < N_PASSES; p++)
        for (int blocks = 0; blocks < 2; blocks++)
            for (size_t t = 0; t < axes->n_threads; t++, next++) {
                *next = (gemm_case){ .axes = axes,
                                     .pass = (pass)p,
                                     .blocks = blocks == 1,
                                     .threads = axes->threads[t] };
                register_case(next);
            }
    return shared;
}

const bench_family bench_gemm = { create, free };
