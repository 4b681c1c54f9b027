/*
 * Families `gemm` and `dense`: the matrix products of a step and nothing else. An item is a sample.
 *
 * `gemm` is oneDNN's own rate, the bound of the families `train` and `predict`, in three ways, of
 * which the fastest is the bound: rows:<batch> hands sgemm whole batches and lets it use its own
 * threads; rows:256 shares blocks out to single-threaded calls, as the training step does, which
 * keeps operands in the second-level cache; rows:256/weights:packed gives the hidden layers'
 * products with blocks to matmul, with weights packed once a step.
 *
 * In bf16 there is no sgemm: whole batches go to matmul with packed weights, and blocks have but
 * the last way. The logit's products and the weight gradients stay in f32, as dense.h has no others.
 *
 * `dense` is what dense.h makes of the same; its of_limit is against the fastest of these ways.
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
    MEASURED_PASSES = 4, /* for the limit of `dense` */
    THREADS_MAX = 256
};

/* DeepFM's layers on Criteo: the packed embeddings, the hidden layers, the logit. */
static const size_t units[N_LAYERS + 1] = { WIDEST, BENCH_HIDDEN, BENCH_HIDDEN, BENCH_HIDDEN, 1 };

typedef enum pass { PASS_PREDICT, PASS_TRAIN, N_PASSES } pass;

static const char *const pass_names[N_PASSES] = { "predict", "train" };

typedef enum way { WAY_WHOLE, WAY_BLOCKS, WAY_PACKED, WAY_DENSE, N_WAYS } way;

static const char *const way_families[N_WAYS] = { "gemm", "gemm", "gemm", "dense" };

static const adass_type types[] = { ADASS_F32, ADASS_BF16 };

static const size_t batches[] = { BENCH_BATCH, 512 };

enum {
    N_TYPES = sizeof types / sizeof types[0],
    N_BATCHES = sizeof batches / sizeof batches[0],
    N_PRODUCTS = 2 * N_HIDDEN /* of the hidden layers: forward, then backward */
};

typedef struct gemm_case {
    const bench_axes *axes;
    pass pass;
    way way;
    adass_type type;
    size_t batch;
    int threads;
} gemm_case;

typedef struct gemm {
    gemm_case cases[N_TYPES * N_BATCHES * N_PASSES * N_WAYS * BENCH_THREADS_MAX];
} gemm;

/* Operands of any layer, never written, a result for each thread, and the products' objects. */
typedef struct matrices {
    pass pass;
    way way;
    adass_type type;
    size_t batch;
    int threads;
    const adass_kernels *kernels;
    float *x, *dy, *w, *bias, *out;
    uint16_t *x_bf16, *dy_bf16;
    direct_matmul *direct[THREADS_MAX][N_PRODUCTS];
    direct_matmul *whole[N_PRODUCTS];    /* of whole batches, on all threads */
    adass_dense_plan *plans[N_PRODUCTS]; /* NULL where dense.h goes without */
} matrices;

/* Small whole numbers, which bf16 has too: their products' sums are exact in either type. */
static float *filled(size_t n)
{
    float *p = adass_alloc(n * sizeof *p);
    for (size_t i = 0; p != NULL && i < n; i++)
        p[i] = (float)(i % 7) - 3.0f;
    return p;
}

static uint16_t *filled_bf16(const matrices *m, size_t n)
{
    float *from = filled(n);
    uint16_t *p = adass_alloc(n * sizeof *p);
    if (from != NULL && p != NULL)
        m->kernels->quantize_rows(ADASS_BF16, p, n, from, n, 1, n);
    free(from);
    return p;
}

static bool make_plan(matrices *m, size_t product)
{
    const bool backward = product >= N_HIDDEN;
    if (!backward && m->type == ADASS_F32)
        return true;
    const size_t in = units[product % N_HIDDEN], out = units[product % N_HIDDEN + 1];
    const adass_dense_plan_config config = { .backward = backward,
                                             .relu = !backward,
                                             .type = m->type,
                                             .samples = BLOCK_SAMPLES,
                                             .outputs = out,
                                             .from_ld = backward ? out : in,
                                             .to_ld = backward ? in : out,
                                             .threads = m->threads };
    return adass_dense_plan_create(&m->plans[product], &config, NULL) == ADASS_OK;
}

static bool make_direct(matrices *m, size_t product)
{
    const bool backward = product >= N_HIDDEN;
    const size_t in = units[product % N_HIDDEN], out = units[product % N_HIDDEN + 1];
    direct_matmul_shape shape = { .type = m->type,
                                  .n = BLOCK_SAMPLES,
                                  .m = backward ? in : out,
                                  .k = backward ? out : in,
                                  .transposed = backward,
                                  .threads = 1 };
    bool ok = true;
    for (int i = 0; i < m->threads; i++) {
        m->direct[i][product] = direct_matmul_create(&shape);
        ok = ok && m->direct[i][product] != NULL;
    }
    if (m->type == ADASS_F32)
        return ok;
    shape.n = m->batch;
    shape.threads = m->threads;
    m->whole[product] = direct_matmul_create(&shape);
    return ok && m->whole[product] != NULL;
}

/* The objects of all ways: `dense` is held against the others. */
static bool begin(matrices *m, const gemm_case *c)
{
    m->pass = c->pass;
    m->type = c->type;
    m->batch = c->batch;
    m->threads = c->threads;
    m->kernels = c->axes->isas[0];
    m->x = filled(m->batch * WIDEST);
    m->dy = filled(m->batch * BENCH_HIDDEN);
    m->w = filled((size_t)WIDEST * BENCH_HIDDEN);
    m->bias = filled(BENCH_HIDDEN);
    m->out = filled((size_t)m->threads * m->batch * WIDEST);
    m->x_bf16 = filled_bf16(m, m->batch * WIDEST);
    m->dy_bf16 = filled_bf16(m, m->batch * BENCH_HIDDEN);
    bool ok = m->x != NULL && m->dy != NULL && m->w != NULL && m->bias != NULL && m->out != NULL &&
              m->x_bf16 != NULL && m->dy_bf16 != NULL;
    for (size_t i = 0; i < N_PRODUCTS; i++)
        ok = ok && make_plan(m, i) && make_direct(m, i);
    return ok;
}

static void end(matrices *m)
{
    for (size_t i = 0; i < N_PRODUCTS; i++) {
        adass_dense_plan_destroy(m->plans[i]);
        direct_matmul_destroy(m->whole[i]);
        for (int t = 0; t < m->threads; t++)
            direct_matmul_destroy(m->direct[t][i]);
    }
    void *owned[] = { m->x, m->dy, m->w, m->bias, m->out, m->x_bf16, m->dy_bf16 };
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

/* Whether a hidden layer's product has its weights packed. */
static bool is_packed(const matrices *m, size_t product)
{
    const bool backward = product >= N_HIDDEN;
    if (backward && m->pass != PASS_TRAIN)
        return false;
    return m->way == WAY_PACKED || (m->way == WAY_WHOLE && m->type != ADASS_F32) ||
           (m->way == WAY_DENSE && (backward || m->type != ADASS_F32));
}

static bool run_packed(const matrices *m, size_t product, float *result, const void *from)
{
    if (m->way == WAY_DENSE)
        return adass_dense_plan_run(m->plans[product], result, from, m->bias, NULL) == ADASS_OK;
    if (m->way == WAY_WHOLE)
        return direct_matmul_run(m->whole[product], result, from);
    return direct_matmul_run(m->direct[omp_get_thread_num()][product], result, from);
}

static bool forward(const matrices *m, float *result, size_t layer, size_t first, size_t n)
{
    const size_t in = units[layer], out = units[layer + 1];
    const float *x = m->x + first * in;
    if (layer < N_HIDDEN && is_packed(m, layer))
        return run_packed(m, layer, result,
                          m->type == ADASS_F32 ? (const void *)x : m->x_bf16 + first * in);
    if (m->way == WAY_DENSE)
        return adass_dense_forward(m->kernels, result, out, x, in, m->w, m->bias, n, in, out,
                                   layer < N_HIDDEN, NULL) == ADASS_OK;
    return multiply('N', 'N', n, out, in, x, in, m->w, out, result);
}

static bool backward(const matrices *m, float *result, size_t layer, size_t first, size_t n)
{
    const size_t in = units[layer], out = units[layer + 1];
    const float *dy = m->dy + first * out;
    if (layer < N_HIDDEN && is_packed(m, N_HIDDEN + layer))
        return run_packed(m, N_HIDDEN + layer, result,
                          m->type == ADASS_F32 ? (const void *)dy : m->dy_bf16 + first * out);
    if (m->way == WAY_DENSE)
        return adass_dense_backward_input(result, in, dy, out, m->w, n, in, out, false, NULL) ==
               ADASS_OK;
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
        return adass_dense_backward_weights(result, m->x + first, in, m->dy, out, m->batch, n, out,
                                            NULL) == ADASS_OK;
    return multiply('T', 'N', n, out, m->batch, m->x + first, in, m->dy, out, result);
}

/* The weights of a product, for all threads, where they are packed. */
static bool pack(matrices *m, size_t product)
{
    if (!is_packed(m, product))
        return true;
    if (m->way == WAY_DENSE)
        return adass_dense_plan_pack(m->plans[product], m->w, units[product % N_HIDDEN], NULL) ==
               ADASS_OK;
    if (m->way == WAY_WHOLE)
        return direct_matmul_pack(m->whole[product], m->w);
    bool ok = true;
    for (int t = 0; t < m->threads; t++) /* a copy each: no thread's object serves another one */
        ok = direct_matmul_pack(m->direct[t][product], m->w) && ok;
    return ok;
}

static bool run_whole(matrices *m)
{
    bool ok = true;
    for (size_t i = 0; i < N_PRODUCTS; i++)
        ok = pack(m, i) && ok;
    ok = run_samples(m, m->out, 0, m->batch) && ok;
    for (size_t i = 0; m->pass == PASS_TRAIN && i < N_LAYERS; i++)
        ok = run_weights(m, m->out, i, 0, units[i]) && ok;
    return ok;
}

static bool run_blocks(matrices *m)
{
    bool all_ok = true;
#pragma omp parallel num_threads(m->threads) reduction(&& : all_ok)
    {
        adass_dense_single_thread();
        float *result = m->out + (size_t)omp_get_thread_num() * m->batch * WIDEST;
        bool ok = true;
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < N_PRODUCTS; i++)
            ok = pack(m, i) && ok;
#pragma omp for schedule(dynamic)
        for (size_t first = 0; first < m->batch; first += BLOCK_SAMPLES)
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

static bool check_forward(const matrices *m, size_t n)
{
    if (!forward(m, m->out, 0, 0, n))
        return false;
    for (size_t o = 0; o < BENCH_HIDDEN; o++) {
        float sum = m->way == WAY_DENSE ? m->bias[o] : 0.0f;
        for (size_t i = 0; i < WIDEST; i++)
            sum += m->x[i] * m->w[i * BENCH_HIDDEN + o];
        if (m->out[o] != (m->way == WAY_DENSE ? fmaxf(sum, 0.0f) : sum))
            return false;
    }
    return true;
}

static bool check_backward(const matrices *m, size_t n)
{
    if (!backward(m, m->out, 0, 0, n))
        return false;
    for (size_t i = 0; i < WIDEST; i++) {
        float sum = 0.0f;
        for (size_t o = 0; o < BENCH_HIDDEN; o++)
            sum += m->dy[o] * m->w[i * BENCH_HIDDEN + o];
        if (m->out[i] != sum)
            return false;
    }
    return true;
}

/*
 * The first layer's first sample against plain loops: sums of small whole numbers, exact in any
 * order and in bf16 too, so that no tolerance is needed. With bias and ReLU where they are fused.
 */
static bool check(matrices *m, way which)
{
    m->way = which;
    for (size_t i = 0; i < N_PRODUCTS; i++)
        if (!pack(m, i))
            return false;
    const size_t n = which == WAY_WHOLE ? m->batch : BLOCK_SAMPLES;
    return check_forward(m, n) && (m->pass != PASS_TRAIN || check_backward(m, n));
}

static double flop_of(const gemm_case *c)
{
    double multiply_adds = 0.0;
    for (size_t i = 0; i < N_LAYERS; i++)
        multiply_adds += (double)c->batch * (double)units[i] * (double)units[i + 1];
    return multiply_adds * (c->pass == PASS_TRAIN ? 6.0 : 2.0);
}

/* oneDNN's sgemm takes no bf16. */
static bool has_way(adass_type type, way which) { return type == ADASS_F32 || which != WAY_BLOCKS; }

/* The shortest of some passes of the ways that call oneDNN directly, in turn. */
static double direct_seconds(matrices *m)
{
    double best = INFINITY;
    for (int i = 0; i < MEASURED_PASSES; i++)
        for (way w = WAY_WHOLE; w < WAY_DENSE; w++) {
            if (!has_way(m->type, w))
                continue;
            const double began = omp_get_wtime();
            (void)run(m, w);
            best = fmin(best, omp_get_wtime() - began);
        }
    return best;
}

/*
 * Of one thread's share; oneDNN uses the best ISA that it finds, whatever is asked of ours. `gemm` is held
 * against products of f32 in either type: a CPU that multiplies bf16 itself may exceed them.
 */
static bench_limit limit_of(matrices *m, const gemm_case *c)
{
    const bool emulated = c->type == ADASS_BF16 && !adass_dense_bf16_native();
    if (c->way == WAY_DENSE)
        return (bench_limit){ .seconds = direct_seconds(m),
                              .bound = emulated ? "onednn, emulated" : "onednn" };
    const bench_cost cost = { .multiplies = flop_of(c) / 2.0 / c->threads };
    const bench_runner runner = bench_axes_runner(c->axes, c->axes->isas[0]->isa, c->threads);
    bench_limit limit = bench_rates_limit(c->axes->rates, &cost, &runner);
    if (emulated)
        limit.bound = "multiply, emulated";
    return limit;
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
    adass_bench_set_items(state, (double)c->batch);
    adass_bench_set_rate(state, "flop_per_second", flop_of(c));
    bench_set_limit(state, &limit, 1.0);
    omp_set_num_threads(threads_before);
    end(m);
}

static void register_case(gemm_case *c)
{
    char name[BENCH_NAME_CHARS];
    const bool whole = c->way == WAY_WHOLE;
    const bool packed = c->way == WAY_PACKED || (whole && c->type != ADASS_F32);
    snprintf(
        name, sizeof name,
        "%s/isa:onednn/type:%s/of:%s/backbone:deepfm/shape:criteo/size:%d/batch:%zu/rows:%zu%s/"
        "threads:%d",
        way_families[c->way], adass_type_name(c->type), pass_names[c->pass], SIZE, c->batch,
        whole ? c->batch : BLOCK_SAMPLES, packed ? "/weights:packed" : "", c->threads);
    adass_bench_register(
        &(adass_bench_case){ .name = name, .run = run_case, .user = c, .threads = c->threads });
}

/* Whether oneDNN multiplies the type at all, itself or emulated. */
static bool has_type(adass_type type)
{
    enum { N = 16 };
    const float w[N * N] = { 0 };
    const adass_dense_plan_config config = {
        .type = type, .samples = N, .outputs = N, .from_ld = N, .to_ld = N, .threads = 1
    };
    adass_dense_plan *plan = NULL;
    const bool ok = adass_dense_plan_create(&plan, &config, NULL) == ADASS_OK &&
                    adass_dense_plan_pack(plan, w, N, NULL) == ADASS_OK;
    adass_dense_plan_destroy(plan);
    return ok;
}

/* The cases of a type and a batch; returns the place of the next ones. */
static gemm_case *add_cases(gemm_case *next, const bench_axes *axes, adass_type type, size_t batch)
{
    for (int p = 0; p < N_PASSES; p++)
        for (int w = 0; w < N_WAYS; w++)
            for (size_t t = 0; has_way(type, (way)w) && t < axes->n_threads; t++, next++) {
                *next = (gemm_case){ .axes = axes,
                                     .pass = (pass)p,
                                     .way = (way)w,
                                     .type = type,
                                     .batch = batch,
                                     .threads = axes->threads[t] };
                register_case(next);
            }
    return next;
}

static void *create(const bench_axes *axes)
{
    gemm *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    gemm_case *next = shared->cases;
    for (size_t i = 0; i < N_TYPES; i++)
        for (size_t b = 0; b < N_BATCHES && has_type(types[i]); b++)
            next = add_cases(next, axes, types[i], batches[b]);
    return shared;
}

const bench_family bench_gemm = { create, free };
