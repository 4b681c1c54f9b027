/*
 * Family `limits`: what the machine itself can do, by the probes that the other families are held
 * against (probe.h). An item is what the probe counts: an operation, a byte or a row.
 */
#include "axes.h"
#include "harness.h"
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

/* Arrays of one thread, from the first-level cache to memory. */
static const struct {
    const char *name;
    size_t bytes;
} arrays[] = {
    { "16Ki", 16u << 10 }, { "256Ki", 256u << 10 }, { "4Mi", 4u << 20 }, { "256Mi", 256u << 20 }
};

/* Tables of random lines: in a cache, beyond it, beyond the reach of address translation's caches. */
static const struct {
    const char *name;
    size_t bytes;
} tables[] = {
    { "64Ki", 64u << 10 }, { "4Mi", 4u << 20 }, { "64Mi", 64u << 20 }, { "512Mi", 512u << 20 }
};

enum {
    N_ARRAYS = sizeof arrays / sizeof arrays[0],
    N_TABLES = sizeof tables / sizeof tables[0],
    N_CASES = 2 + 5 * N_ARRAYS + 3 * N_TABLES,
    POOL_IDS = 1 << 20,
    COPIED_ROWS = 4096 /* of a call, into the same output */
};

typedef struct limit_case {
    bench_probe_key key;
    const bench_axes *axes;
} limit_case;

typedef struct limits {
    limit_case cases[N_CASES * BENCH_ISAS_MAX * BENCH_THREADS_MAX];
    size_t n_cases;
} limits;

static void run_case(adass_bench_state *state, void *user)
{
    const limit_case *c = user;
    bench_probe probe;
    bool ok = bench_probe_open(&probe, &c->key);
    probe.ahead = 32;
    if (!ok)
        adass_bench_skip(state, "out of memory");
    ok = ok && bench_probe_pass(&probe); /* warms up */
    while (adass_bench_next(state))
        ok = bench_probe_pass(&probe) && ok;
    if (!ok)
        adass_bench_skip(state, "wrong result: a sum of positive numbers is not positive");
    adass_bench_set_items(state, probe.amount);
    if (c->key.kind == PROBE_FMA)
        adass_bench_set_rate(state, "flop_per_second", 2.0 * probe.amount);
    else if (c->key.row_bytes > 0)
        adass_bench_set_bytes(state, probe.amount * (double)c->key.row_bytes *
                                         (c->key.kind == PROBE_COPY_ROWS ? 2.0 : 1.0));
    else if (c->key.kind != PROBE_DIVIDE)
        adass_bench_set_bytes(state, probe.amount * (c->key.kind == PROBE_UPDATE ? 2.0 : 1.0));
    if (ok)
        adass_bench_set_rate(state, "of_limit",
                             probe.amount / bench_rates_get(c->axes->rates, &c->key));
    bench_probe_close(&probe);
}

static void add_case(limits *shared, const limit_case *like, bench_probe_kind kind,
                     const char *bytes)
{
    limit_case *c = &shared->cases[shared->n_cases++];
    *c = *like;
    c->key.kind = kind;
    char name[BENCH_NAME_CHARS], size[32] = "";
    if (bytes != NULL)
        snprintf(size, sizeof size, "/bytes:%s", bytes);
    snprintf(name, sizeof name, "limits/isa:%s/type:f32/what:%s%s/threads:%d", c->key.loops->isa,
             bench_probe_name(kind), size, c->key.threads);
    adass_bench_register(
        &(adass_bench_case){ .name = name,
                             .run = run_case,
                             .user = c,
                             .threads = c->key.threads,
                             .small = c->key.bytes <= arrays[1].bytes && c->key.ids.rows == 0 });
}

static void add_cases(limits *shared, const limit_case *like)
{
    add_case(shared, like, PROBE_FMA, NULL);
    add_case(shared, like, PROBE_DIVIDE, NULL);
    for (size_t a = 0; a < N_ARRAYS; a++) {
        limit_case of_array = *like;
        of_array.key.bytes = arrays[a].bytes;
        for (bench_probe_kind kind = PROBE_READ; kind <= PROBE_UPDATE; kind++)
            add_case(shared, &of_array, kind, arrays[a].name);
    }
    for (size_t t = 0; t < N_TABLES; t++) {
        limit_case of_table = *like;
        of_table.key.row_bytes = BENCH_LINE_BYTES;
        of_table.key.ids = (bench_ids){ .rows = tables[t].bytes / BENCH_LINE_BYTES,
                                        .fields = 1,
                                        .ids = IDS_UNIFORM,
                                        .a_call = 1024,
                                        .capacity = POOL_IDS };
        add_case(shared, &of_table, PROBE_READ_ROWS, tables[t].name);
        add_case(shared, &of_table, PROBE_UPDATE_ROWS, tables[t].name);
        of_table.key.bytes = COPIED_ROWS * BENCH_LINE_BYTES;
        add_case(shared, &of_table, PROBE_COPY_ROWS, tables[t].name);
    }
}

static void *create(const bench_axes *axes)
{
    limits *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    for (size_t i = 0; i < axes->n_isas; i++)
        for (size_t t = 0; t < axes->n_threads; t++) {
            const bench_limit_loops *loops = bench_limit_loops_get(axes->isas[i]->isa);
            const limit_case like = { .key = { .loops = loops, .threads = axes->threads[t] },
                                      .axes = axes };
            if (loops != NULL)
                add_cases(shared, &like);
        }
    return shared;
}

const bench_family bench_limits = { create, free };
