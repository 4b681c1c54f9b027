/* Logits of several subnets on the same rows in one pass. */
#include "adass/subnet_pass.h"

#include "adass/dense.h"
#include "adass/memory.h"
#include "backbone.h"
#include "cross.h"
#include "forward.h"
#include "int8_mlp.h"
#include "project.h"

#include <stdlib.h>
#include <string.h>

enum {
    TILE =
        16 /* rows whose embeddings, up to ADASS_SIZE_MAX a field, stay in the second-level cache */
};

struct adass_subnet_pass {
    const adass_model *model;
    adass_compute compute;
    const uint32_t *ids; /* [n x n_fields] */
    size_t n, n_subnets; /* n_subnets: of the run under way */
    adass_subnet subnets[ADASS_PASS_SUBNETS];
    bool shared;
    /* when shared only; mlp: NULL where the model has none */
    adass_int8_mlp *mlp;
    adass_int8_subnet bytes[ADASS_PASS_SUBNETS];
    float *linear; /* [n_fields x n], or NULL: each row's first-order weights */
    /* the largest size of each field among the subnets, and their views of its packed matrix */
    adass_subnet all;
    adass_field_view *views; /* [ADASS_PASS_SUBNETS x n_fields] */
};

/* One thread's work space: a block of floats, or one of bytes and a tile. */
typedef struct work {
    float *memory;
    adass_block block;
    adass_int8_block bytes;
} work;

/* Whether pairs are all of the model, or an MLP of f32 rows, which can be turned into bytes. */
static bool can_share(const adass_model *model)
{
    if (model->config.align == ADASS_ALIGN_PROJECT)
        return false;
    if (model->n_layers > 0)
        return model->n_cross == 0 && model->config.table_type == ADASS_F32;
    return adass_backbone_has_pairs(model->config.backbone);
}

adass_pass_precision adass_pass_precision_for(const adass_model *model)
{
    return can_share(model) && (model->n_layers == 0 || adass_bytes_fast()) ? ADASS_PASS_SHARED
                                                                            : ADASS_PASS_FLOATS;
}

/* ---- what all runs share ---- */

static adass_status make_linear(adass_subnet_pass *p, adass_error *err)
{
    const size_t n_fields = p->model->n_fields;
    p->linear = adass_alloc(p->n * n_fields * sizeof *p->linear);
    if (p->linear == NULL)
        return adass_fail_memory(err, "the rows' first-order weights",
                                 (double)(p->n * n_fields) * 4.0);
#pragma omp parallel for schedule(static) num_threads(p->compute.threads)
    for (size_t f = 0; f < n_fields; f++)
        for (size_t r = 0; r < p->n; r++)
            p->linear[f * p->n + r] = p->model->tables[f].linear[p->ids[r * n_fields + f]];
    return ADASS_OK;
}

static adass_status make_bytes(adass_subnet_pass *p, adass_error *err)
{
    adass_status status = adass_int8_mlp_create(&p->mlp, p->model, &p->compute, p->ids, p->n, err);
    for (size_t i = 0; i < ADASS_PASS_SUBNETS && status == ADASS_OK; i++)
        status = adass_int8_subnet_init(&p->bytes[i], p->mlp, err);
    return status;
}

static adass_status make_shared(adass_subnet_pass *p, adass_error *err)
{
    adass_status status = p->model->n_layers > 0 ? make_bytes(p, err) : ADASS_OK;
    if (status == ADASS_OK && adass_backbone_has_linear(p->model->config.backbone))
        status = make_linear(p, err);
    if (status == ADASS_OK)
        status = adass_subnet_init(&p->all, p->model, err);
    if (status != ADASS_OK)
        return status;
    p->views = calloc(ADASS_PASS_SUBNETS * p->model->n_fields, sizeof *p->views);
    return p->views != NULL ? ADASS_OK : adass_fail_memory(err, "the subnets' fields", 1e6);
}

adass_status adass_subnet_pass_create(adass_subnet_pass **out, const adass_model *model,
                                      const adass_compute *compute, adass_pass_precision precision,
                                      const uint32_t *ids, size_t n, adass_error *err)
{
    adass_subnet_pass *p = calloc(1, sizeof *p);
    if (p == NULL)
        return adass_fail_memory(err, "a pass over subnets", sizeof *p);
    p->model = model;
    p->compute = *compute;
    p->ids = ids;
    p->n = n;
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < ADASS_PASS_SUBNETS && status == ADASS_OK; i++)
        status = adass_subnet_init(&p->subnets[i], model, err);
    p->shared = precision == ADASS_PASS_SHARED && can_share(model);
    if (status == ADASS_OK && p->shared)
        status = make_shared(p, err);
    if (status != ADASS_OK) {
        adass_subnet_pass_destroy(p);
        return status;
    }
    *out = p;
    return ADASS_OK;
}

void adass_subnet_pass_destroy(adass_subnet_pass *pass)
{
    if (pass == NULL)
        return;
    for (size_t i = 0; i < ADASS_PASS_SUBNETS; i++) {
        adass_subnet_free(&pass->subnets[i]);
        adass_int8_subnet_free(&pass->bytes[i]);
    }
    adass_subnet_free(&pass->all);
    adass_int8_mlp_destroy(pass->mlp);
    free(pass->linear);
    free(pass->views);
    free(pass);
}

/* ---- a thread's work space ---- */

static void work_free(work *w)
{
    free(w->memory);
    adass_int8_block_free(&w->bytes);
}

static size_t widest(const adass_subnet_pass *p)
{
    size_t width = 0;
    for (size_t i = 0; i < p->n_subnets; i++)
        width = p->subnets[i].width > width ? p->subnets[i].width : width;
    return width;
}

static adass_status work_init(work *w, const adass_subnet_pass *p, adass_error *err)
{
    *w = (work){ .block = { .fleeting = p->model->n_layers == 0 } };
    const size_t rows = p->shared ? TILE : ADASS_BLOCK_SAMPLES;
    w->block.x_ld = adass_packed_ld(p->shared ? p->all.width : widest(p));
    w->block.sums_ld = ADASS_SIZE_MAX;
    size_t total = rows * (w->block.x_ld + w->block.sums_ld);
    const size_t n_hidden = p->shared || p->model->n_layers == 0 ? 0 : p->model->n_layers - 1;
    for (size_t i = 0; i < n_hidden; i++)
        total += rows * p->model->layers[i].outputs;
    total += adass_cross_share_room(p->model, &w->block, rows);
    total += adass_project_block_room(p->model, rows);
    w->memory = adass_alloc(total * sizeof *w->memory);
    if (w->memory == NULL)
        return adass_fail_memory(err, "prediction", (double)total * 4.0);
    float *next = w->memory;
    w->block.x = next;
    next += rows * w->block.x_ld;
    w->block.sums = next;
    next += rows * w->block.sums_ld;
    w->block.projected = next;
    next += adass_project_block_room(p->model, rows);
    for (size_t i = 0; i < n_hidden; i++) {
        w->block.activations[i] = next;
        next += rows * p->model->layers[i].outputs;
    }
    if (p->model->n_cross > 0)
        adass_cross_share(&w->block, next, rows);
    return p->mlp != NULL ? adass_int8_block_init(&w->bytes, p->mlp, err) : ADASS_OK;
}

/* ---- blocks ---- */

static adass_status run_floats(const adass_subnet_pass *p, work *w, size_t first, size_t n,
                               float *const *logits, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < p->n_subnets && status == ADASS_OK; i++) {
        w->block.logits = logits[i] + first;
        status = adass_forward_block(p->model, p->compute.kernels, &p->subnets[i],
                                     p->ids + first * p->model->n_fields, n, NULL, &w->block, err);
    }
    return status;
}

/* Adds the first-order weights of the subnet's fields. */
static void add_linear(const adass_subnet_pass *p, const adass_subnet *subnet, size_t first,
                       size_t n, float *logits)
{
    for (size_t v = 0; v < subnet->n_views; v++) {
        const float *linear = p->linear + subnet->field[v] * p->n + first;
        for (size_t b = 0; b < n; b++)
            logits[b] += linear[b];
    }
}

/* Adds FM's pairs to all subnets' logits, tile by tile. */
static void add_pairs(const adass_subnet_pass *p, const work *w, size_t first, size_t n,
                      float *const *logits)
{
    const adass_kernels *kernels = p->compute.kernels;
    const size_t n_fields = p->model->n_fields;
    for (size_t begin = first; begin < first + n; begin += TILE) {
        const size_t left = first + n - begin, rows = left < TILE ? left : TILE;
        kernels->lookup_fields(w->block.x, w->block.x_ld, p->all.views, p->all.n_views,
                               p->ids + begin * n_fields, n_fields, rows);
        for (size_t i = 0; i < p->n_subnets; i++)
            kernels->fm_forward(logits[i] + begin, w->block.sums, w->block.sums_ld, w->block.x,
                                w->block.x_ld, p->views + i * n_fields, p->subnets[i].n_views,
                                rows);
    }
}

/* The MLP's part of a subnet's logits, or the bias of a model without. */
static adass_status start_logits(const adass_subnet_pass *p, work *w, size_t subnet, size_t first,
                                 size_t n, float *logits, adass_error *err)
{
    if (p->mlp != NULL)
        return adass_int8_forward(p->mlp, p->compute.kernels, &p->subnets[subnet],
                                  &p->bytes[subnet], first, n, &w->bytes, logits, err);
    for (size_t b = 0; b < n; b++)
        logits[b] = p->model->bias;
    return ADASS_OK;
}

static adass_status run_shared(const adass_subnet_pass *p, work *w, size_t first, size_t n,
                               float *const *logits, adass_error *err)
{
    for (size_t i = 0; i < p->n_subnets; i++) {
        float *to = logits[i] + first;
        const adass_status status = start_logits(p, w, i, first, n, to, err);
        if (status != ADASS_OK)
            return status;
        if (p->linear != NULL)
            add_linear(p, &p->subnets[i], first, n, to);
    }
    if (adass_backbone_has_pairs(p->model->config.backbone))
        add_pairs(p, w, first, n, logits);
    return ADASS_OK;
}

/* The subnets' views of the matrix that all of them share. */
static void select_shared(adass_subnet_pass *p, const size_t *sizes)
{
    const size_t n_fields = p->model->n_fields;
    size_t offset = 0;
    p->all.n_views = 0;
    size_t seen[ADASS_PASS_SUBNETS] = { 0 }; /* views of each subnet so far */
    for (size_t f = 0; f < n_fields; f++) {
        size_t most = 0;
        for (size_t i = 0; i < p->n_subnets; i++) {
            const size_t size = sizes[i * n_fields + f];
            most = size > most ? size : most;
            if (size == 0)
                continue;
            adass_field_view *view = &p->views[i * n_fields + seen[i]];
            *view = p->subnets[i].views[seen[i]++];
            view->offset = offset;
        }
        if (most == 0)
            continue;
        p->all.views[p->all.n_views++] = adass_subnet_view(&p->model->tables[f], f, most, offset);
        offset += most;
    }
    p->all.width = offset;
}

static adass_status select_subnets(adass_subnet_pass *p, const size_t *sizes, size_t n_subnets,
                                   adass_error *err)
{
    adass_status result = ADASS_OK;
    adass_error failure = { 0 };
    p->n_subnets = n_subnets;
#pragma omp parallel num_threads(p->compute.threads)
    {
        adass_dense_single_thread();
#pragma omp for schedule(dynamic)
        for (size_t i = 0; i < n_subnets; i++) {
            adass_error mine = { 0 };
            adass_subnet_select(&p->subnets[i], p->model, sizes + i * p->model->n_fields);
            const adass_status status =
                p->mlp != NULL
                    ? adass_int8_subnet_select(&p->bytes[i], p->mlp, &p->subnets[i], &mine)
                    : ADASS_OK;
            if (status != ADASS_OK) {
#pragma omp critical(adass_subnet_pass)
                {
                    result = status;
                    failure = mine;
                }
            }
        }
    }
    if (p->shared)
        select_shared(p, sizes);
    return result == ADASS_OK ? ADASS_OK : adass_fail(err, result, "%s", failure.message);
}

adass_status adass_subnet_pass_run(adass_subnet_pass *pass, const size_t *sizes, size_t n_subnets,
                                   size_t first, size_t end, float *const *logits, adass_error *err)
{
    adass_subnet_pass *p = pass;
    const size_t rows = p->shared ? ADASS_INT8_SAMPLES : ADASS_BLOCK_SAMPLES;
    adass_error failure = { 0 };
    adass_status result = select_subnets(p, sizes, n_subnets, err);
    if (result != ADASS_OK)
        return result;
#pragma omp parallel num_threads(p->compute.threads)
    {
        adass_dense_single_thread();
        adass_error mine = { 0 };
        work w;
        adass_status status = work_init(&w, p, &mine);
#pragma omp for schedule(dynamic)
        for (size_t begin = first; begin < end; begin += rows) {
            const size_t n = end - begin < rows ? end - begin : rows;
            if (status == ADASS_OK)
                status = p->shared ? run_shared(p, &w, begin, n, logits, &mine)
                                   : run_floats(p, &w, begin, n, logits, &mine);
        }
        if (status != ADASS_OK) {
#pragma omp critical(adass_subnet_pass)
            {
                result = status;
                failure = mine;
            }
        }
        work_free(&w);
    }
    return result == ADASS_OK ? ADASS_OK : adass_fail(err, result, "%s", failure.message);
}
