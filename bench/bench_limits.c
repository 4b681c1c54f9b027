/*
 * Family `limits`: what the machine itself can do, to hold the other families against.
 */
#include "axes.h"
#include "harness.h"
#include "limits.h"

#include "adass/memory.h"
#include "adass/rng.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FMA_ROUNDS = 1 << 20,
    COPY_FLOATS = 1 << 26, /* 256 MiB each for source and destination: beyond any cache */
    LINES_READ = 1 << 18   /* an iteration, over all threads */
};

/*
 * Tables of the random reads: within a third-level cache, beyond it, and beyond the reach of the
 * address translation's caches.
 */
static const struct {
    const char *name;
    size_t bytes;
} tables[] = { { "1Mi", 1u << 20 }, { "64Mi", 64u << 20 }, { "512Mi", 512u << 20 } };

enum { N_TABLES = sizeof tables / sizeof tables[0], N_CASES = 2 + N_TABLES };

typedef struct limits limits;

typedef struct limit_case {
    limits *shared;
    const bench_limit_loops *loops;
    int threads;
    size_t table; /* of the random reads */
} limit_case;

struct limits {
    float *from, *to; /* [COPY_FLOATS] each; one after the other they are the random reads' table */
    limit_case cases[N_CASES * BENCH_ISAS_MAX * BENCH_THREADS_MAX];
};

extern const bench_limit_loops bench_limits_scalar;
#if defined(__x86_64__)
extern const bench_limit_loops bench_limits_avx2, bench_limits_avx512;
#elif defined(__aarch64__)
extern const bench_limit_loops bench_limits_neon;
#endif

static const bench_limit_loops *const all_loops[] = {
#if defined(__x86_64__)
    &bench_limits_avx512,
    &bench_limits_avx2,
#elif defined(__aarch64__)
    &bench_limits_neon,
#endif
    &bench_limits_scalar,
};

static const bench_limit_loops *loops_of(const char *isa)
{
    for (size_t i = 0; i < sizeof all_loops / sizeof all_loops[0]; i++)
        if (strcmp(all_loops[i]->isa, isa) == 0)
            return all_loops[i];
    return NULL;
}

static bool make_memory(limits *shared)
{
    if (shared->from == NULL)
        shared->from = adass_alloc(2 * sizeof(float) * COPY_FLOATS);
    if (shared->from == NULL)
        return false;
    shared->to = shared->from + COPY_FLOATS;
    for (size_t i = 0; i < 2 * (size_t)COPY_FLOATS; i++)
        shared->from[i] = (float)(i % 1024);
    return true;
}

static void run_fma(adass_bench_state *state, void *user)
{
    const limit_case *c = user;
    float sink = 0.0f;
    while (adass_bench_next(state)) {
#pragma omp parallel num_threads(c->threads) reduction(+ : sink)
        sink += c->loops->fma(FMA_ROUNDS);
    }
    if (sink <= 0.0f)
        adass_bench_skip(state, "wrong result: every chain ends near 1, their sum is %g",
                         (double)sink);
    adass_bench_set_rate(state, "flop_per_second",
                         2.0 * FMA_ROUNDS * BENCH_FMA_CHAINS * (double)c->loops->lanes *
                             c->threads);
}

static void run_copy(adass_bench_state *state, void *user)
{
    const limit_case *c = user;
    limits *shared = c->shared;
    if (!make_memory(shared)) {
        adass_bench_skip(state, "out of memory");
        return;
    }
    const size_t part = COPY_FLOATS / (size_t)c->threads / 64 * 64;
    while (adass_bench_next(state)) {
#pragma omp parallel num_threads(c->threads)
        {
            const size_t at = (size_t)omp_get_thread_num() * part;
            c->loops->copy(shared->to + at, shared->from + at, part);
        }
    }
    adass_bench_set_bytes(state, 2.0 * (double)(part * (size_t)c->threads * sizeof(float)));
}

static void run_read_lines(adass_bench_state *state, void *user)
{
    enum { POOL = 1 << 22 }; /* lines, walked through: 16 iterations go by before one comes again */
    const limit_case *c = user;
    const size_t n_lines = tables[c->table].bytes / (sizeof(float) * BENCH_LINE_FLOATS);
    uint32_t *lines = malloc(sizeof *lines * POOL);
    if (lines == NULL || !make_memory(c->shared)) {
        adass_bench_skip(state, "out of memory");
        free(lines);
        return;
    }
    for (size_t i = 0; i < POOL; i++)
        lines[i] = (uint32_t)(adass_mix_at(3, i) % n_lines);
    const size_t part = LINES_READ / (size_t)c->threads;
    float sink = 0.0f;
    for (size_t i = 0; adass_bench_next(state); i++) {
        const uint32_t *now = lines + i % (POOL / LINES_READ) * LINES_READ;
#pragma omp parallel num_threads(c->threads) reduction(+ : sink)
        sink +=
            c->loops->read_lines(c->shared->from, now + (size_t)omp_get_thread_num() * part, part);
    }
    if (sink <= 0.0f)
        adass_bench_skip(state, "wrong result: the lines hold positive numbers, their sum is %g",
                         (double)sink);
    adass_bench_set_items(state, (double)(part * (size_t)c->threads));
    adass_bench_set_bytes(state,
                          (double)(part * (size_t)c->threads * BENCH_LINE_FLOATS * sizeof(float)));
    free(lines);
}

static void register_case(limit_case *c, const char *what, adass_bench_fn *run)
{
    char name[BENCH_NAME_CHARS];
    snprintf(name, sizeof name, "limits/isa:%s/type:f32/what:%s/threads:%d", c->loops->isa, what,
             c->threads);
    adass_bench_register(
        &(adass_bench_case){ .name = name, .run = run, .user = c, .threads = c->threads });
}

static void *create(const bench_axes *axes)
{
    limits *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    limit_case *next = shared->cases;
    for (size_t i = 0; i < axes->n_isas; i++)
        for (size_t t = 0; t < axes->n_threads; t++) {
            const limit_case c = { .shared = shared,
                                   .loops = loops_of(axes->isas[i]->isa),
                                   .threads = axes->threads[t] };
            if (c.loops == NULL)
                continue;
            *next = c;
            register_case(next++, "fma", run_fma);
            *next = c;
            register_case(next++, "copy/bytes:256Mi", run_copy);
            for (size_t k = 0; k < N_TABLES; k++) {
                char what[64];
                snprintf(what, sizeof what, "read_lines/bytes:%s", tables[k].name);
                *next = c;
                next->table = k;
                register_case(next++, what, run_read_lines);
            }
        }
    return shared;
}

static void destroy(void *user)
{
    limits *shared = user;
    if (shared == NULL)
        return;
    free(shared->from);
    free(shared);
}

const bench_family bench_limits = { create, destroy };
