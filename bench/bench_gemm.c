/*
 * Families `gemm` and `dense`: the matrix products of a step and nothing else. An item is a sample.
 *
 * `gemm` is oneDNN's own rate, the bound of the families `train` and `predict`, in three ways, of
 * which the fastest is the bound: rows:4096 hands sgemm whole batches and lets it use its own
 * threads; rows:256 shares blocks out to single-threaded calls, as the training step does, which
 * keeps operands in the second-level cache; rows:256/weights:packed gives the hidden layers'
 * products with blocks to matmul, with weights packed once a step.
 *
 * `dense` is what dense.h makes of the same; its of_limit is against the fastest of the three.
 */
#include "axes.h"
#include "direct_matmul.h"
#include "harness.h"
#include "shapes.h"

#include "adass/dense.h"
#include "adass/memory.h"

#include <dnnl.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SIZE = 16,
    WIDEST = BENCH_CRITEO_FIELDS * SIZE,
    N_HIDDEN = BENCH_HIDDEN_LAYERS,
    N_LAYERS = N_HIDDEN + 1,
    BLOCK_SAMPLES = 256, /* a call, where the batch is cut */
    BLOCK_INPUTS = 128,  /* rows of a weight gradient a call */
    MEASURED_PASSES = 8, /* for the limit of `dense` */
    THREADS_MAX = 256
};

/* DeepFM's layers on Criteo: the packed embeddings, the hidden layers, the logit. */
static const size_t units[N_LAYERS + 1] = { WIDEST, BENCH_HIDDEN, BENCH_HIDDEN, BENCH_HIDDEN, 1 };

typedef enum pass { PASS_PREDICT, PASS_TRAIN, N_PASSES } pass;

static const char *const pass_names[N_PASSES] = { "predict", "train" };

typedef enum way { WAY_WHOLE, WAY_BLOCKS, WAY_PACKED, WAY_DENSE, N_WAYS } way;

static const char *const way_families[N_WAYS] = { "gemm", "gemm", "gemm", "dense" };
static const char *const way_rows[N_WAYS] = { "rows:4096", "rows:256", "rows:256/weights:packed",
                                              "rows:256" };

typedef struct gemm_case {
    const bench_axes *axes;
    pass pass;
    way way;
    int threads;
} gemm_case;

typedef struct gemm {
    gemm_case cases[N_PASSES * N_WAYS * BENCH_THREADS_MAX];
} gemm;

/* Operands of any layer, never written, a result for each thread, and the products' objects. */
typedef struct matrices {
    pass pass;
    way way;
    int threads;
    const adass_kernels *kernels;
    float *x, *dy, *w, *bias, *out;
    direct_matmul *direct[THREADS_MAX][2 * N_HIDDEN]; /* forward, then backward */
    adass_dense_plan *plans[N_HIDDEN];                /* backward */
} matrices;

static float *filled(size_t n)
{
    float *p = adass_alloc(n * sizeof *p);
    for (size_t i = 0; p != NULL && i < n; i++)
        p[i] = (float)(i % 7) - 3.0f;
    return p;
}

static bool make_plan(matrices *m, size_t layer)
{
    const size_t in = units[layer], out = units[layer + 1];
    const adass_dense_plan_config config = { .backward = true,
                                             .samples = BLOCK_SAMPLES,
                                             .outputs = out,
                                             .from_ld = out,
                                             .to_ld = in,
                                             .threads = m->threads };
    return adass_dense_plan_create(&m->plans[layer], &config, NULL) == ADASS_OK;
}

static bool make_direct(matrices *m, size_t layer, bool backward)
{
    const size_t in = units[layer], out = units[layer + 1];
    bool ok = true;
    for (int i = 0; i < m->threads; i++) {
        direct_matmul *p =
            direct_matmul_create(BLOCK_SAMPLES, backward ? in : out, backward ? out : in, backward);
        m->direct[i][layer + (backward ? N_HIDDEN : 0)] = p;
        ok = ok && p != NULL;
    }
    return ok;
}

/* The objects of all ways: `dense` is held against the others. */
static bool begin(matrices *m, const gemm_case *c)
{
    m->pass = c->pass;
    m->threads = c->threads;
    m->kernels = c->axes->isas[0];
    m->x = filled((size_t)BENCH_BATCH * WIDEST);
    m->dy = filled((size_t)BENCH_BATCH * BENCH_HIDDEN);
    m->w = filled((size_t)WIDEST * BENCH_HIDDEN);
    m->bias = filled(BENCH_HIDDEN);
    m->out = filled((size_t)m->threads * BENCH_BATCH * WIDEST);
    bool ok = m->x != NULL && m->dy != NULL && m->w != NULL && m->bias != NULL && m->out != NULL;
    for (size_t i = 0; i < N_HIDDEN; i++)
        ok = ok && make_plan(m, i) && make_direct(m, i, false) && make_direct(m, i, true);
    return ok;
}

static void end(matrices *m)
{
    for (size_t i = 0; i < N_HIDDEN; i++)
        adass_dense_plan_destroy(m->plans[i]);
    for (size_t i = 0; i < 2 * N_HIDDEN; i++)
        for (int t = 0; t < m->threads; t++)
            direct_matmul_destroy(m->direct[t][i]);
    float *owned[] = { m->x, m->dy, m->w, m->bias, m->out };
    for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++)
        free(owned[i]);
    free(m);
}

/* c[m x n] = op(a) op(b). */
static bool multiply(char trans_a, char trans_b, size_t m, size_t n, size_t k, const float *a,
                     size_t lda, const float *b, size_t ldb, float *c)
{
    return dnnl_sgemm(trans_a, trans_b, (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1.0f, a,
                      (dnnl_dim_t)lda, b, (dnnl_dim_t)ldb, 0.0f, c, (dnnl_dim_t)n) == dnnl_success;
}

static bool forward(const matrices *m, float *result, size_t layer, size_t first, size_t n)
{
    const size_t in = units[layer], out = units[layer + 1];
    const float *x = m->x + first * in;
    if (m->way == WAY_DENSE)
        return adass_dense_forward(m->kernels, result, out, x, in, m->w, m->bias, n, in, out,
                                   layer < N_HIDDEN, NULL) == ADASS_OK;
    if (m->way == WAY_PACKED && layer < N_HIDDEN)
        return direct_matmul_run(m->direct[omp_get_thread_num()][layer], result, x);
    return multiply('N', 'N', n, out, in, x, in, m->w, out, result);
}

static bool backward(const matrices *m, float *result, size_t layer, size_t first, size_t n)
{
    const size_t in = units[layer], out = units[layer + 1];
    const float *dy = m->dy + first * out;
    if (m->way == WAY_DENSE && layer < N_HIDDEN)
        return adass_dense_plan_run(m->plans[layer], result, dy, NULL, NULL) == ADASS_OK;
    if (m->way == WAY_DENSE)
        return adass_dense_backward_input(result, in, dy, out, m->w, n, in, out, false, NULL) ==
               ADASS_OK;
    if (m->way == WAY_PACKED && layer < N_HIDDEN)
        return direct_matmul_run(m->direct[omp_get_thread_num()][N_HIDDEN + layer], result, dy);
    return multiply('N', 'T', n, in, out, dy, out, m->w, out, result);
}

/*
 * The products of samples [first, first + n): forward through the layers, and back to the gradient
 * of their inputs.
 */
static bool run_samples(const matrices *m, float *result, size_t first, size_t n)
{
    bool ok = true;
    for (size_t i = 0; i < N_LAYERS; i++)
        ok = forward(m, result, i, first, n) && ok;
    for (size_t i = N_LAYERS; m->pass == PASS_TRAIN && i-- > 0;)
        ok = backward(m, result, i, first, n) && ok;
    return ok;
}

/* Rows [first, first + n) of a layer's weight gradient, over the whole batch. */
static bool run_weights(const matrices *m, float *result, size_t layer, size_t first, size_t n)
{
    const size_t in = units[layer], out = units[layer + 1];
    if (m->way == WAY_DENSE)
        return adass_dense_backward_weights(result, m->x + first, in, m->dy, out, BENCH_BATCH, n,
                                            out, NULL) == ADASS_OK;
    return multiply('T', 'N', n, out, BENCH_BATCH, m->x + first, in, m->dy, out, result);
}

static bool run_whole(const matrices *m)
{
    bool ok = run_samples(m, m->out, 0, BENCH_BATCH);
    for (size_t i = 0; m->pass == PASS_TRAIN && i < N_LAYERS; i++)
        ok = run_weights(m, m->out, i, 0, units[i]) && ok;
    return ok;
}

/* Number of products with packed weights: forward first, but for `dense`, which has none forward. */
static size_t packs(const matrices *m)
{
    if (m->way == WAY_DENSE)
        return m->pass == PASS_TRAIN ? N_HIDDEN : 0;
    return m->way == WAY_PACKED ? (m->pass == PASS_TRAIN ? 2 : 1) * N_HIDDEN : 0;
}

/* The weights of product i < packs(), for all threads. */
static bool pack(matrices *m, size_t i)
{
    if (m->way == WAY_DENSE)
        return adass_dense_plan_pack(m->plans[i], m->w, units[i], NULL) == ADASS_OK;
    bool ok = true;
    for (int t = 0; t < m->threads; t++) /* a copy each: no thread's object serves another one */
        ok = direct_matmul_pack(m->direct[t][i], m->w) && ok;
    return ok;
}

static bool run_blocks(matrices *m)
{
    const size_t n_packs = packs(m);
    bool all_ok = true;
#pragma omp parallel num_threads(m->threads) reduction(&& : all_ok)
    {
        adass_dense_single_thread();
        float *result = m->out + (size_t)omp_get_thread_num() * BENCH_BATCH * WIDEST;
        bool ok = true;
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n_packs; i++)
            ok = pack(m, i) && ok;
#pragma omp for schedule(dynamic)
        for (size_t first = 0; first < BENCH_BATCH; first += BLOCK_SAMPLES)
            ok = run_samples(m, result, first, BLOCK_SAMPLES) && ok;
        for (size_t i = 0; m->pass == PASS_TRAIN && i < N_LAYERS; i++) {
#pragma omp for schedule(dynamic) nowait
            for (size_t first = 0; first < units[i]; first += BLOCK_INPUTS) {
                const size_t left = units[i] - first;
                ok = run_weights(m, result, i, first, left < BLOCK_INPUTS ? left : BLOCK_INPUTS) &&
                     ok;
            }
        }
        all_ok = ok;
    }
    return all_ok;
}

static bool run(matrices *m, way which)
{
    m->way = which;
    return which == WAY_WHOLE ? run_whole(m) : run_blocks(m);
}

/*
 * The first layer's first sample against a plain loop: sums of small whole numbers, exact in any
 * order. With bias and ReLU where they are fused.
 */
static bool check(matrices *m, way which)
{
    m->way = which;
    for (size_t i = 0; i < packs(m); i++)
        if (!pack(m, i))
            return false;
    if (!forward(m, m->out, 0, 0, BLOCK_SAMPLES))
        return false;
    for (size_t o = 0; o < BENCH_HIDDEN; o++) {
        float sum = which == WAY_DENSE ? m->bias[o] : 0.0f;
        for (size_t i = 0; i < WIDEST; i++)
            sum += m->x[i] * m->w[i * BENCH_HIDDEN + o];
        if (m->out[o] != (which == WAY_DENSE ? fmaxf(sum, 0.0f) : sum))
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

/* The shortest of some passes of the ways that call oneDNN directly, in turn. */
static double direct_seconds(matrices *m)
{
    double best = INFINITY;
    for (int i = 0; i < MEASURED_PASSES; i++)
        for (way w = WAY_WHOLE; w < WAY_DENSE; w++) {
            const double began = omp_get_wtime();
            (void)run(m, w);
            best = fmin(best, omp_get_wtime() - began);
        }
    return best;
}

/* Of one thread's share; oneDNN uses the best ISA that it finds, whatever is asked of ours. */
static bench_limit limit_of(matrices *m, const gemm_case *c)
{
    if (c->way == WAY_DENSE)
        return (bench_limit){ .seconds = direct_seconds(m), .bound = "onednn" };
    const bench_cost cost = { .multiplies = flop_of(c->pass) / 2.0 / c->threads };
    const bench_runner runner = bench_axes_runner(c->axes, c->axes->isas[0]->isa, c->threads);
    return bench_rates_limit(c->axes->rates, &cost, &runner);
}

static void run_case(adass_bench_state *state, void *user)
{
    const gemm_case *c = user;
    const int threads_before = omp_get_max_threads();
    matrices *m = calloc(1, sizeof *m);
    omp_set_num_threads(c->threads);
    if (m == NULL || c->threads > THREADS_MAX || !begin(m, c)) {
        adass_bench_skip(state, "out of memory, or oneDNN cannot");
        if (m != NULL)
            end(m);
        return;
    }
    if (!check(m, c->way))
        adass_bench_skip(state, "wrong result: the product differs from that of a plain loop");
    const bench_limit limit = limit_of(m, c);
    bool ok = true;
    while (adass_bench_next(state))
        ok = run(m, c->way) && ok;
    if (!ok)
        adass_bench_skip(state, "oneDNN failed");
    adass_bench_set_items(state, BENCH_BATCH);
    adass_bench_set_rate(state, "flop_per_second", flop_of(c->pass));
    bench_set_limit(state, &limit, 1.0);
    omp_set_num_threads(threads_before);
    end(m);
}

static void register_case(gemm_case *c)
{
    char name[BENCH_NAME_CHARS];
    snprintf(name, sizeof name,
             "%s/isa:onednn/type:f32/of:%s/backbone:deepfm/shape:criteo/size:%d/batch:%d/%s/"
             "threads:%d",
             way_families[c->way], pass_names[c->pass], SIZE, BENCH_BATCH, way_rows[c->way],
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
        for (int w = 0; w < N_WAYS; w++)
            for (size_t t = 0; t < axes->n_threads; t++, next++) {
                *next = (gemm_case){
                    .axes = axes, .pass = (pass)p, .way = (way)w, .threads = axes->threads[t]
                };
                register_case(next);
            }
    return shared;
}

const bench_family bench_gemm = { create, free };
