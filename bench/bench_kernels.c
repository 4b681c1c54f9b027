/*
 * A family for each kernel, from the list of kernels: op.h says what a kernel brings, and what
 * follows is the same for all of them.
 *
 * Every shape is run by `ours` (the library's kernel of an ISA), `auto` (the plain loop compiled
 * for that ISA) and `scalar` (the plain loop without vectoriser), a fused kernel also by those that
 * it replaces (`apart`); a result that differs from that
 * of the plain loop is an error. In an iteration each thread makes some calls over arrays of its
 * own; ids come from a pool larger than the caches, where the threads begin at different places.
 */
#include "axes.h"
#include "harness.h"
#include "op.h"
#include "plain.h"

#include "adass/memory.h"
#include "adass/rng.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CALLS_MAX = 256,
    ITERATION_BYTES = 1 << 20,
    TEAM_ITERATION = 16,
    IMPLS_MAX = 3 * BENCH_ISAS_MAX
};

typedef struct impl {
    const char *name, *isa;
    const adass_kernels *kernels;
    bool apart; /* by bench_op's run_apart */
} impl;

typedef struct kernels kernels;

typedef struct kernel_case {
    kernels *shared;
    const bench_op *op;
    bench_shape shape;
    const impl *impl;
    int threads;
    bool small, checked;
} kernel_case;

struct kernels {
    const bench_axes *axes;
    impl impls[IMPLS_MAX];
    size_t n_impls;
    kernel_case *cases;
    size_t n_cases;
    void *table; /* the rows of all lookups */
    size_t table_bytes;
    /* what the case before this one used: its neighbours in the list use it too */
    const bench_op *op;
    bench_shape shape;
    bench_data data;
};

#define OP_OF(isa, op) &bench_op_##op,
static const bench_op *const ops[] = { ADASS_KERNEL_OPS(OP_OF, unused) };

enum { N_OPS = sizeof ops / sizeof ops[0] };

/* ---- data ---- */

/*
 * A word that is a sensible number in each type: two f16 between 0.5 and 2 in magnitude, two bf16 or
 * one f32 between 2^-15 and 2, and bytes are anything.
 */
static uint32_t word_of_rows(uint64_t word) { return ((uint32_t)word & 0x87ff87ffu) | 0x38003800u; }

static float fill_value(bench_fill fill, uint64_t word)
{
    const double unit = adass_unit(word);
    const uint32_t bits = word_of_rows(word);
    float row;
    memcpy(&row, &bits, sizeof row);
    switch (fill) {
    case FILL_WORDS:
        return row;
    case FILL_SIGNED:
        return (float)(2.0 * unit - 1.0);
    case FILL_POSITIVE:
        return (float)unit + 0x1p-20f;
    case FILL_LABELS:
        return unit < 0.25 ? 1.0f : 0.0f;
    default:
        return 0.0f;
    }
}

bool bench_data_add(bench_data *data, size_t length, bench_fill fill, bool is_output)
{
    bench_array *array = &data->arrays[data->n_arrays];
    const size_t line = BENCH_LINE_BYTES / sizeof(float);
    array->length = (length + line - 1) / line * line; /* no line belongs to two threads */
    array->is_output = is_output;
    array->all = adass_alloc(array->length * (size_t)data->threads * sizeof(float));
    if (array->all == NULL)
        return false;
    const uint64_t seed = 11 + data->n_arrays++;
    /* by the thread that will work on it */
#pragma omp parallel num_threads(data->threads)
    {
        float *part = array->all + (size_t)omp_get_thread_num() * array->length;
        for (size_t i = 0; i < array->length; i++)
            part[i] = fill_value(fill, adass_mix_at(seed, i));
    }
    return true;
}

float *bench_data_part(const bench_data *data, size_t array, size_t thread)
{
    return data->arrays[array].all + thread * data->arrays[array].length;
}

void bench_data_fields(bench_data *data)
{
    const size_t n = data->shape->v[AXIS_FIELDS], rows = data->shape->v[AXIS_ROWS] / n;
    const char *table = data->table;
    const float *linear = data->table;
    const adass_type type = bench_shape_type(data->shape);
    size_t offset = 0, bytes = 0;
    for (size_t f = 0; f < n; f++) {
        const size_t size = bench_field_size(data->shape, f);
        data->fields[f] = (adass_field_view){ .rows = table != NULL ? table + bytes : NULL,
                                              .stride = adass_type_stride(type, size),
                                              .type = type,
                                              .linear = linear != NULL ? linear + f * rows : NULL,
                                              .linear_stride = 1,
                                              .size = size,
                                              .offset = offset,
                                              .column = f };
        offset += size;
        bytes += rows * bench_row_bytes(data->shape, size);
    }
}

static void free_data(bench_data *data)
{
    for (size_t i = 0; i < data->n_arrays; i++)
        free(data->arrays[i].all);
    bench_id_pool_free(&data->pool);
    *data = (bench_data){ 0 };
}

/* Memory of the lookups' tables, filled once for all types and shapes. */
static bool make_table(kernels *shared, size_t bytes)
{
    if (bytes <= shared->table_bytes)
        return true;
    free(shared->table);
    shared->table = adass_alloc(bytes + BENCH_LINE_BYTES);
    shared->table_bytes = shared->table != NULL ? bytes : 0;
    uint32_t *words = shared->table;
    if (words != NULL) {
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < (bytes + 3) / 4; i++)
            words[i] = word_of_rows(adass_mix32((uint32_t)i));
    }
    return words != NULL;
}

static bool make_pool(bench_data *data, const bench_op *op)
{
    if (op->ids == NULL)
        return true;
    bench_ids ids = op->ids(data->shape);
    if (ids.distinct)
        ids.rows /= (size_t)data->threads;
    return bench_id_pool_make(&data->pool, &ids);
}

/* The data of a case: what the case before left, where it is the same. */
static bool make_data(kernels *shared, const kernel_case *c)
{
    bench_data *data = &shared->data;
    if (shared->op == c->op && data->threads == c->threads &&
        memcmp(&shared->shape, &c->shape, sizeof c->shape) == 0)
        return true;
    free_data(data);
    shared->op = NULL;
    shared->shape = c->shape;
    data->shape = &shared->shape;
    data->threads = c->threads;
    if (c->op->table_bytes != NULL && !make_table(shared, c->op->table_bytes(&c->shape)))
        return false;
    data->table = c->op->table_bytes != NULL ? shared->table : NULL;
    if (!make_pool(data, c->op) || !c->op->make(data))
        return false;
    shared->op = c->op;
    return true;
}

/* ---- calls ---- */

static void run_call(const kernel_case *c, const bench_data *data, size_t thread, size_t i)
{
    bench_call call = { .thread = thread };
    const bench_id_pool *pool = &data->pool;
    if (pool->n_calls > 0) {
        const size_t at = (thread * pool->n_calls / (size_t)c->threads + i) % pool->n_calls;
        call.ids = pool->ids + pool->starts[at];
        call.n_ids = pool->starts[at + 1] - pool->starts[at];
        if (pool->group != NULL)
            call.group = pool->group + at * pool->what.a_call;
    }
    (c->impl->apart ? c->op->run_apart : c->op->run)(c->impl->kernels, data, &call);
}

static bool differs(float got, float want, double tolerance)
{
    if (tolerance <= 0.0)
        return memcmp(&got, &want, sizeof got) != 0;
    return !(fabs((double)got - (double)want) <= tolerance * fmax(1.0, fabs((double)want)));
}

/* Outputs of the first thread as they were before a call: a copy for each array. */
typedef struct snapshot {
    float *parts[BENCH_ARRAYS_MAX];
} snapshot;

static bool snapshot_take(snapshot *s, const bench_data *data)
{
    bool ok = true;
    for (size_t a = 0; a < data->n_arrays; a++) {
        if (!data->arrays[a].is_output)
            continue;
        const size_t bytes = data->arrays[a].length * sizeof(float);
        s->parts[a] = malloc(bytes);
        if (s->parts[a] != NULL)
            memcpy(s->parts[a], data->arrays[a].all, bytes);
        ok = ok && s->parts[a] != NULL;
    }
    return ok;
}

static void snapshot_restore(const snapshot *s, const bench_data *data)
{
    for (size_t a = 0; a < data->n_arrays; a++)
        if (s->parts[a] != NULL)
            memcpy(data->arrays[a].all, s->parts[a], data->arrays[a].length * sizeof(float));
}

static void snapshot_free(snapshot *s)
{
    for (size_t a = 0; a < BENCH_ARRAYS_MAX; a++)
        free(s->parts[a]);
}

/* Says where results and wanted results differ. */
static bool compare(adass_bench_state *state, const kernel_case *c, const bench_data *data,
                    const snapshot *want)
{
    for (size_t a = 0; a < data->n_arrays; a++)
        for (size_t i = 0; want->parts[a] != NULL && i < data->arrays[a].length; i++)
            if (differs(data->arrays[a].all[i], want->parts[a][i], c->op->tolerance)) {
                adass_bench_skip(state,
                                 "wrong result: element %zu of array %zu is %.9g, plain loops "
                                 "give %.9g",
                                 i, a, (double)data->arrays[a].all[i], (double)want->parts[a][i]);
                return false;
            }
    return true;
}

/* One call against the same call of the plain loops, once a case. */
static bool check(adass_bench_state *state, kernel_case *c, const bench_data *data)
{
    if (c->checked)
        return true;
    kernel_case plain = *c;
    const impl reference = { .kernels = &bench_plain_scalar };
    plain.impl = &reference;
    snapshot before = { 0 }, want = { 0 };
    if (!snapshot_take(&before, data)) {
        adass_bench_skip(state, "out of memory");
    } else {
        run_call(&plain, data, 0, 0);
        if (snapshot_take(&want, data)) {
            snapshot_restore(&before, data);
            run_call(c, data, 0, 0);
            c->checked = compare(state, c, data, &want);
            snapshot_restore(&before, data);
        } else {
            adass_bench_skip(state, "out of memory");
        }
    }
    snapshot_free(&before);
    snapshot_free(&want);
    return c->checked;
}

static void run_iteration(const kernel_case *c, const bench_data *data, size_t first, size_t calls)
{
#pragma omp parallel num_threads(c->threads)
    {
        const size_t thread = (size_t)omp_get_thread_num();
        for (size_t i = 0; i < calls; i++)
            run_call(c, data, thread, first + i);
    }
}

static void run_case(adass_bench_state *state, void *user)
{
    kernel_case *c = user;
    const bench_data *data = &c->shared->data;
    if (!make_data(c->shared, c)) {
        adass_bench_skip(state, "out of memory");
        return;
    }
    if (!check(state, c, data))
        return;
    const bench_cost cost = c->op->cost(&c->shape, data->pool.mean_ids);
    const bench_runner runner = bench_axes_runner(c->shared->axes, c->impl->isa, c->threads);
    const bench_limit limit = bench_rates_limit(c->shared->axes->rates, &cost, &runner);
    const double bytes = bench_cost_bytes(&cost);
    /* several threads wait for each other once an iteration, which must not be what is measured */
    const size_t longer = c->threads > 1 ? TEAM_ITERATION : 1;
    const double wanted = ceil((double)(longer * ITERATION_BYTES) / bytes);
    const double most = (double)(longer * CALLS_MAX);
    const size_t calls = (size_t)fmin(wanted, most);
    run_iteration(c, data, 0, calls); /* warms up */
    for (size_t i = 1; adass_bench_next(state); i++)
        run_iteration(c, data, i * calls, calls);
    const double all = (double)calls * c->threads;
    adass_bench_set_items(state, all * cost.items);
    adass_bench_set_bytes(state, all * bytes);
    bench_set_limit(state, &limit, (double)calls);
}

/* ---- the list ---- */

static void register_case(const kernel_case *c)
{
    char name[BENCH_NAME_CHARS], type[32], rest[BENCH_NAME_CHARS / 2];
    bench_shape_print(&c->shape, AXIS_TYPE, AXIS_FIELDS, type, sizeof type);
    bench_shape_print(&c->shape, AXIS_FIELDS, N_AXES, rest, sizeof rest);
    snprintf(name, sizeof name, "%s/isa:%s%s%s/impl:%s/threads:%d", c->op->name, c->impl->isa, type,
             rest, c->impl->name, c->threads);
    adass_bench_register(&(adass_bench_case){ .name = name,
                                              .run = run_case,
                                              .user = (void *)c,
                                              .threads = c->threads,
                                              .small = c->small });
}

static void add_impls(kernels *shared, const bench_axes *axes)
{
    for (size_t i = 0; i < axes->n_isas; i++) {
        const char *isa = axes->isas[i]->isa;
        const adass_kernels *plain = bench_plain_get(isa);
        shared->impls[shared->n_impls++] = (impl){ "ours", isa, axes->isas[i], false };
        shared->impls[shared->n_impls++] = (impl){ "apart", isa, axes->isas[i], true };
        if (plain != NULL && plain != &bench_plain_scalar)
            shared->impls[shared->n_impls++] = (impl){ "auto", isa, plain, false };
    }
    shared->impls[shared->n_impls++] = (impl){ "scalar", "scalar", &bench_plain_scalar, false };
}

/* Whether an earlier sweep of the kernel has the shape. */
static bool is_repeated(const bench_op *op, size_t sweep, const bench_shape *shape)
{
    for (size_t s = 0; s < sweep; s++)
        for (size_t i = 0; i < bench_sweep_count(&op->sweeps[s]); i++) {
            const bench_shape other = bench_sweep_shape(&op->sweeps[s], i);
            if (memcmp(&other, shape, sizeof other) == 0)
                return true;
        }
    return false;
}

/* Baselines run on one thread, the kernels on all numbers of threads. */
static void add_shape(kernels *shared, const bench_axes *axes, const kernel_case *like)
{
    for (size_t t = 0; t < axes->n_threads; t++)
        for (size_t i = 0; i < shared->n_impls; i++) {
            if (axes->threads[t] > 1 && strcmp(shared->impls[i].name, "ours") != 0)
                continue;
            if (shared->impls[i].apart && like->op->run_apart == NULL)
                continue;
            kernel_case *c = &shared->cases[shared->n_cases++];
            *c = *like;
            c->impl = &shared->impls[i];
            c->threads = axes->threads[t];
            register_case(c);
        }
}

static size_t count_cases(const kernels *shared, const bench_axes *axes)
{
    size_t shapes = 0;
    for (size_t o = 0; o < N_OPS; o++)
        for (size_t s = 0; s < ops[o]->n_sweeps; s++)
            shapes += bench_sweep_count(&ops[o]->sweeps[s]);
    return shapes * shared->n_impls * axes->n_threads;
}

static void destroy(void *user)
{
    kernels *shared = user;
    if (shared == NULL)
        return;
    free_data(&shared->data);
    free(shared->table);
    free(shared->cases);
    free(shared);
}

static void *create(const bench_axes *axes)
{
    kernels *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    shared->axes = axes;
    add_impls(shared, axes);
    shared->cases = calloc(count_cases(shared, axes), sizeof *shared->cases);
    if (shared->cases == NULL) {
        destroy(shared);
        return NULL;
    }
    for (size_t o = 0; o < N_OPS; o++)
        for (size_t s = 0; s < ops[o]->n_sweeps; s++)
            for (size_t i = 0; i < bench_sweep_count(&ops[o]->sweeps[s]); i++) {
                const kernel_case like = { .shared = shared,
                                           .op = ops[o],
                                           .shape = bench_sweep_shape(&ops[o]->sweeps[s], i),
                                           .small = ops[o]->sweeps[s].small };
                if (!is_repeated(ops[o], s, &like.shape))
                    add_shape(shared, axes, &like);
            }
    return shared;
}

const bench_family bench_kernels = { create, destroy };
