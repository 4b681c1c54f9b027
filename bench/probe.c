/* Probes of the machine's limits. probe.h says what functions do. */
#include "probe.h"

#include "adass/memory.h"
#include "adass/rng.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum {
    FMA_ROUNDS = 1 << 19,
    DIVIDE_ROUNDS = 1 << 12,
    /* of a thread, at least: small arrays are gone over again and again, for far longer than threads
     * need to start */
    PASS_FLOATS = 1 << 23,
    HUGE_PAGE = 2 << 20
};

const char *bench_probe_name(bench_probe_kind kind)
{
    static const char *const names[N_PROBE_KINDS] = { "fma",        "divide",    "read",
                                                      "fill",       "copy",      "triad",
                                                      "update",     "read_rows", "copy_rows",
                                                      "update_rows" };
    return names[kind];
}

static bool is_rows(const bench_probe_key *key)
{
    return key->kind == PROBE_READ_ROWS || key->kind == PROBE_COPY_ROWS ||
           key->kind == PROBE_UPDATE_ROWS;
}

/* All threads read one table; who changes rows has one of its own. */
static size_t tables_of(const bench_probe_key *key)
{
    return key->kind == PROBE_UPDATE_ROWS ? (size_t)key->threads : 1;
}

/* ---- memory ---- */

/* Whole huge pages: a table's last part must not cost more address translation than its others. */
static float *filled(size_t floats)
{
    const size_t bytes = floats * sizeof(float), pages = (bytes + HUGE_PAGE - 1) / HUGE_PAGE;
    float *p = adass_alloc(bytes < HUGE_PAGE ? bytes : pages * HUGE_PAGE);
    if (p == NULL)
        return NULL;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < floats; i++)
        p[i] = (float)(1 + adass_mix32((uint32_t)i) % 1024);
    return p;
}

static size_t table_floats(const bench_probe_key *key)
{
    /* rows of all fields, and what a last run of lines may read more */
    return (key->ids.rows * key->row_bytes) / sizeof(float) + 2 * BENCH_LOOP_FLOATS +
           key->row_bytes / sizeof(float);
}

/* Where each row of the pool begins, as a line; thread t has part t of them. */
static bool place_rows(bench_probe *probe)
{
    const bench_probe_key *key = &probe->key;
    bench_id_pool pool;
    const bool ok = bench_id_pool_make(&pool, &key->ids);
    const size_t n = ok ? pool.starts[pool.n_calls] : 0, threads = (size_t)key->threads;
    const size_t fields = key->ids.fields, field_rows = key->ids.rows / fields;
    const bool shared = tables_of(key) == 1;
    const size_t part = shared ? n / threads : n;
    probe->n_lines = part;
    probe->lines = ok ? malloc(sizeof *probe->lines * part * threads) : NULL;
    const size_t own = table_floats(key) / BENCH_LINE_FLOATS;
    for (size_t i = 0; probe->lines != NULL && i < part * threads; i++) {
        const size_t at = i % n, row = at % fields * field_rows + pool.ids[at];
        const size_t first = shared ? 0 : i / part * own;
        probe->lines[i] = (uint32_t)(first + row * key->row_bytes / BENCH_LINE_BYTES);
    }
    bench_id_pool_free(&pool);
    return probe->lines != NULL;
}

static size_t arrays_of(bench_probe_kind kind)
{
    return kind == PROBE_TRIAD ? 3 : kind == PROBE_COPY ? 2 : 1;
}

static bool open_rows(bench_probe *probe)
{
    const size_t own = table_floats(&probe->key) / BENCH_LINE_FLOATS * BENCH_LINE_FLOATS;
    const size_t tables = own * tables_of(&probe->key);
    probe->array = probe->key.bytes / sizeof(float);
    probe->memory = filled(tables + probe->array * (size_t)probe->key.threads);
    probe->out = probe->memory + tables;
    if (probe->memory == NULL || !place_rows(probe))
        return false;
    probe->amount = (double)probe->n_lines * probe->key.threads;
    return true;
}

static bool open_arrays(bench_probe *probe)
{
    const size_t threads = (size_t)probe->key.threads, count = arrays_of(probe->key.kind);
    const size_t floats = probe->key.bytes / sizeof(float) / count;
    const size_t loops = floats / BENCH_LOOP_FLOATS;
    probe->array = (loops > 0 ? loops : 1) * BENCH_LOOP_FLOATS;
    probe->repeats = (PASS_FLOATS + probe->array - 1) / probe->array;
    probe->memory = filled(probe->array * count * threads);
    probe->amount =
        (double)(sizeof(float) * probe->array * count * probe->repeats) * (double)threads;
    return probe->memory != NULL;
}

bool bench_probe_open(bench_probe *probe, const bench_probe_key *key)
{
    *probe = (bench_probe){ .key = *key };
    const double lanes = (double)(key->loops->lanes * BENCH_FMA_CHAINS) * key->threads;
    if (key->kind == PROBE_FMA)
        probe->amount = FMA_ROUNDS * lanes;
    else if (key->kind == PROBE_DIVIDE)
        probe->amount = 2.0 * DIVIDE_ROUNDS * lanes;
    else
        return is_rows(key) ? open_rows(probe) : open_arrays(probe);
    return true;
}

void bench_probe_close(bench_probe *probe)
{
    free(probe->memory);
    free(probe->lines);
    *probe = (bench_probe){ 0 };
}

/* ---- passes ---- */

/* As many rows a call as the output holds; what is left of the pool is a shorter call. */
static void pass_copied_rows(const bench_probe *probe, size_t thread)
{
    const size_t floats = probe->key.row_bytes / sizeof(float), a_call = probe->array / floats;
    const uint32_t *lines = probe->lines + thread * probe->n_lines;
    for (size_t i = 0; i < probe->n_lines; i += a_call)
        probe->key.loops->copy_lines(probe->out + thread * probe->array, probe->memory, lines + i,
                                     probe->n_lines - i < a_call ? probe->n_lines - i : a_call,
                                     floats, probe->ahead);
}

static float pass_rows(const bench_probe *probe, size_t thread)
{
    const bench_limit_loops *loops = probe->key.loops;
    const size_t run = bench_row_lines(probe->key.row_bytes);
    const uint32_t *lines = probe->lines + thread * probe->n_lines;
    if (probe->key.kind == PROBE_READ_ROWS)
        return loops->read_lines(probe->memory, lines, probe->n_lines, run, probe->ahead);
    if (probe->key.kind == PROBE_COPY_ROWS)
        pass_copied_rows(probe, thread);
    else
        loops->update_lines(probe->memory, lines, probe->n_lines, run, probe->ahead, 0.0f);
    return 1.0f;
}

static float pass_array(const bench_probe *probe, size_t thread)
{
    const bench_array_loops *loops = probe->key.loops->arrays[probe->way];
    const size_t n = probe->array;
    float *a = probe->memory + thread * n * arrays_of(probe->key.kind);
    switch (probe->key.kind) {
    case PROBE_READ:
        return loops->read(a, n);
    case PROBE_FILL:
        loops->fill(a, n);
        break;
    case PROBE_COPY:
        loops->copy(a, a + n, n);
        break;
    case PROBE_TRIAD:
        loops->triad(a, a + n, a + 2 * n, n);
        break;
    default:
        loops->update(a, n, 0.0f);
        break;
    }
    return 1.0f;
}

static float pass_of(const bench_probe *probe, size_t thread)
{
    const bench_limit_loops *loops = probe->key.loops;
    if (probe->key.kind == PROBE_FMA)
        return loops->fma(FMA_ROUNDS);
    if (probe->key.kind == PROBE_DIVIDE)
        return loops->divide(DIVIDE_ROUNDS);
    if (is_rows(&probe->key))
        return pass_rows(probe, thread);
    float sink = 0.0f;
    for (size_t i = 0; i < probe->repeats; i++)
        sink += pass_array(probe, thread);
    return sink;
}

bool bench_probe_pass(bench_probe *probe)
{
    float sink = 0.0f;
#pragma omp parallel num_threads(probe->key.threads) reduction(+ : sink)
    sink += pass_of(probe, (size_t)omp_get_thread_num());
    return sink > 0.0f; /* all that is summed is positive */
}

/* ---- measuring ---- */

static double best_of_passes(bench_probe *probe, size_t passes)
{
    const double enough = 15e-3, begin = omp_get_wtime();
    double best = 0.0, before = begin;
    bool ok = bench_probe_pass(probe); /* warms up */
    for (size_t i = 0; ok && (i < passes || before - begin < enough); i++) {
        before = omp_get_wtime();
        ok = bench_probe_pass(probe);
        const double now = omp_get_wtime(), rate = probe->amount / (now - before);
        best = rate > best ? rate : best;
        before = now;
    }
    return ok ? best : 0.0;
}

static double best_of_rows(bench_probe *probe)
{
    static const size_t distances[] = { 0, 16, 32, 64 };
    double best = 0.0;
    for (size_t i = 0; i < sizeof distances / sizeof distances[0]; i++) {
        probe->ahead = distances[i];
        const double rate = best_of_passes(probe, 2);
        best = rate > best ? rate : best;
    }
    return best;
}

static double best_of_arrays(bench_probe *probe)
{
    double best = 0.0;
    for (bench_way way = BENCH_PLAIN; way < N_BENCH_WAYS; way++) {
        if (probe->key.loops->arrays[way] == NULL)
            continue;
        probe->way = way;
        const double rate = best_of_passes(probe, 5);
        best = rate > best ? rate : best;
    }
    return best;
}

double bench_probe_measure(const bench_probe_key *key)
{
    bench_probe probe;
    double rate = 0.0;
    if (bench_probe_open(&probe, key))
        rate = is_rows(key)                                          ? best_of_rows(&probe)
               : key->kind == PROBE_FMA || key->kind == PROBE_DIVIDE ? best_of_passes(&probe, 5)
                                                                     : best_of_arrays(&probe);
    bench_probe_close(&probe);
    return rate;
}
