/*
 * Families `lookup` (rows of one table) and `lookup_fields` (39 fields of equal size, whose tables
 * make up the stated rows together). An item is a row; bytes are what is read of the rows and the
 * ids plus what is written.
 *
 * An iteration walks a piece of a pool of ids in batches, each thread over batches of its own,
 * which it writes to one buffer over and over: the output stays in its cache as the next layer
 * would want it, the rows do not, because the pool holds more ids than the table's cached part.
 */
#include "axes.h"
#include "harness.h"
#include "shapes.h"

#include "adass/memory.h"
#include "adass/rng.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t sizes[] = { 4, 8, 16, 32, 64, 128 };

/*
 * Tables in the second-level cache, in the third-level cache of most machines, and in memory (at
 * the larger sizes).
 */
static const struct {
    const char *name;
    size_t rows;
} tables[] = { { "1e3", 1000 }, { "1e5", 100000 }, { "1e6", 1000000 } };

typedef enum distribution { IDS_UNIFORM, IDS_ZIPF, N_DISTRIBUTIONS } distribution;

static const char *const distribution_names[N_DISTRIBUTIONS] = { "uniform", "zipf1.05" };

enum {
    N_SIZES = sizeof sizes / sizeof sizes[0],
    N_TABLES = sizeof tables / sizeof tables[0],
    MAX_ROWS = 1000000,
    MAX_SIZE = 128,
    N_FIELDS = BENCH_CRITEO_FIELDS,
    BATCH_SAMPLES = 104, /* of all fields: about as many rows as of one */
    BATCH_ROWS = BATCH_SAMPLES * N_FIELDS,
    BATCHES = 16, /* an iteration */
    ITERATION_ROWS = BATCHES * BATCH_ROWS,
    POOL_ITERATIONS = 16,
    POOL_ROWS = POOL_ITERATIONS * ITERATION_ROWS
};

typedef struct lookup lookup;

typedef struct lookup_case {
    lookup *shared;
    const adass_kernels *kernels;
    bool fields; /* lookup_fields */
    size_t table, size;
    distribution ids;
    int threads;
} lookup_case;

struct lookup {
    float *rows; /* [MAX_ROWS x MAX_SIZE], the memory of every table */
    lookup_case
        cases[2 * N_SIZES * N_TABLES * N_DISTRIBUTIONS * BENCH_ISAS_MAX * BENCH_THREADS_MAX];
};

/* One case while it runs. */
typedef struct run {
    const lookup_case *c;
    const float *rows;
    uint32_t *ids; /* [POOL_ROWS]: for lookup_fields [samples x N_FIELDS] */
    float *out;    /* [threads][BATCH_ROWS x size] */
    adass_field_view views[N_FIELDS];
} run;

static bool make_rows(lookup *shared)
{
    if (shared->rows != NULL)
        return true;
    shared->rows = adass_alloc(sizeof(float) * MAX_ROWS * MAX_SIZE);
    if (shared->rows == NULL)
        return false;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < (size_t)MAX_ROWS * MAX_SIZE; i++)
        shared->rows[i] = (float)(adass_mix32((uint32_t)i) >> 8); /* exact */
    return true;
}

/* Rows of a field's table. */
static size_t field_rows(const lookup_case *c)
{
    return tables[c->table].rows / (c->fields ? N_FIELDS : 1);
}

static void make_ids(const run *r)
{
    const size_t vocab = field_rows(r->c);
    for (size_t i = 0; i < POOL_ROWS; i++) {
        const uint64_t word = adass_mix_at(5, i);
        r->ids[i] = r->c->ids == IDS_ZIPF ? bench_zipf_id(adass_unit(word), vocab)
                                          : (uint32_t)(word % vocab);
    }
}

static bool begin(run *r, const lookup_case *c)
{
    r->c = c;
    r->ids = malloc(sizeof *r->ids * POOL_ROWS);
    r->out = adass_alloc(sizeof(float) * (size_t)c->threads * BATCH_ROWS * c->size);
    if (r->ids == NULL || r->out == NULL || !make_rows(c->shared))
        return false;
    r->rows = c->shared->rows;
    make_ids(r);
    for (size_t f = 0; f < N_FIELDS; f++)
        r->views[f] = (adass_field_view){ .rows = r->rows + f * field_rows(c) * c->size,
                                          .stride = c->size,
                                          .size = c->size,
                                          .offset = f * c->size,
                                          .column = f };
    return true;
}

static void end(run *r)
{
    free(r->ids);
    free(r->out);
}

/* One batch: row i of the output is the row that ids[i] names, in both families. */
static void run_batch(const run *r, float *out, const uint32_t *ids)
{
    const lookup_case *c = r->c;
    if (c->fields)
        c->kernels->lookup_fields(out, N_FIELDS * c->size, r->views, N_FIELDS, ids, N_FIELDS,
                                  BATCH_SAMPLES);
    else
        c->kernels->lookup(out, c->size, ADASS_F32, r->rows, c->size, ids, 1, BATCH_ROWS, 1,
                           c->size);
}

/* The first batch against a plain loop; lookups are copies, so the bits are equal. */
static bool check(const run *r)
{
    const lookup_case *c = r->c;
    run_batch(r, r->out, r->ids);
    for (size_t i = 0; i < BATCH_ROWS; i++) {
        const size_t field = c->fields ? i % N_FIELDS : 0;
        const float *row = r->rows + (field * field_rows(c) + r->ids[i]) * c->size;
        for (size_t k = 0; k < c->size; k++)
            if (r->out[i * c->size + k] != row[k])
                return false;
    }
    return true;
}

static void run_iteration(const run *r, const uint32_t *ids)
{
    const lookup_case *c = r->c;
#pragma omp parallel num_threads(c->threads)
    {
        float *out = r->out + (size_t)omp_get_thread_num() * BATCH_ROWS * c->size;
#pragma omp for schedule(static)
        for (size_t b = 0; b < BATCHES; b++)
            run_batch(r, out, ids + b * BATCH_ROWS);
    }
}

static void run_case(adass_bench_state *state, void *user)
{
    const lookup_case *c = user;
    run r = { 0 };
    if (!begin(&r, c))
        adass_bench_skip(state, "out of memory");
    else if (!check(&r))
        adass_bench_skip(state, "wrong result: rows differ from those of a plain loop");
    for (size_t i = 0; adass_bench_next(state); i++)
        run_iteration(&r, r.ids + i % POOL_ITERATIONS * ITERATION_ROWS);
    adass_bench_set_items(state, ITERATION_ROWS);
    adass_bench_set_bytes(state, (double)ITERATION_ROWS *
                                     (2.0 * sizeof(float) * (double)c->size + sizeof(uint32_t)));
    end(&r);
}

static void register_case(const lookup_case *c)
{
    char name[BENCH_NAME_CHARS], fields[32] = "";
    if (c->fields)
        snprintf(fields, sizeof fields, "/fields:%d", N_FIELDS);
    snprintf(name, sizeof name, "%s/isa:%s/type:f32%s/size:%zu/rows:%s/ids:%s/pooling:1/threads:%d",
             c->fields ? "lookup_fields" : "lookup", c->kernels->isa, fields, c->size,
             tables[c->table].name, distribution_names[c->ids], c->threads);
    adass_bench_register(&(adass_bench_case){
        .name = name, .run = run_case, .user = (void *)c, .threads = c->threads });
}

/* The cases of one ISA and number of threads. */
static lookup_case *add_cases(lookup_case *next, const lookup_case *common)
{
    for (int fields = 0; fields < 2; fields++)
        for (size_t s = 0; s < N_SIZES; s++)
            for (size_t t = 0; t < N_TABLES; t++)
                for (int d = 0; d < N_DISTRIBUTIONS; d++) {
                    *next = *common;
                    next->fields = fields == 1;
                    next->size = sizes[s];
                    next->table = t;
                    next->ids = (distribution)d;
                    register_case(next++);
                }
    return next;
}

static void *create(const bench_axes *axes)
{
    lookup *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    lookup_case *next = shared->cases;
    for (size_t i = 0; i < axes->n_isas; i++)
        for (size_t t = 0; t < axes->n_threads; t++) {
            const lookup_case common = { .shared = shared,
                                         .kernels = axes->isas[i],
                                         .threads = axes->threads[t] };
            next = add_cases(next, &common);
        }
    return shared;
}

static void destroy(void *user)
{
    lookup *shared = user;
    if (shared == NULL)
        return;
    free(shared->rows);
    free(shared);
}

const bench_family bench_lookup = { create, destroy };
