/* The state of a stage, and its checkpoints. */
#include "state.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the list ---- */

static void add(adass_state *s, const char *name, adass_dtype dtype, void *data, size_t n)
{
    if (s->n == s->capacity) {
        const size_t capacity = 2 * s->capacity + 64;
        adass_array *arrays = realloc(s->arrays, capacity * sizeof *arrays);
        if (arrays == NULL) {
            s->failed = true;
            return;
        }
        s->arrays = arrays;
        s->capacity = capacity;
    }
    adass_array *a = &s->arrays[s->n++];
    *a = (adass_array){ .dtype = dtype, .rows = n, .cols = 1, .data = data };
    snprintf(a->name, sizeof a->name, "%s", name);
}

void adass_state_add_f64(adass_state *state, const char *name, double *data, size_t n)
{
    add(state, name, ADASS_DTYPE_F64, data, n);
}

void adass_state_add_f32(adass_state *state, const char *name, float *data, size_t n)
{
    add(state, name, ADASS_DTYPE_F32, data, n);
}

void adass_state_add_u64(adass_state *state, const char *name, uint64_t *data, size_t n)
{
    add(state, name, ADASS_DTYPE_U64, data, n);
}

void adass_state_add_u8(adass_state *state, const char *name, uint8_t *data, size_t n)
{
    add(state, name, ADASS_DTYPE_U8, data, n);
}

/* "<what><part>.<i>" */
static void add_numbered(adass_state *s, const char *what, const char *part, size_t i, float *data,
                         size_t n)
{
    char name[96];
    snprintf(name, sizeof name, "%s%s.%zu", what, part, i);
    adass_state_add_f32(s, name, data, n);
}

static void add_layer(adass_state *s, const char *what, size_t i, adass_layer *l)
{
    add_numbered(s, what, ".weight.m", i, l->w_m, l->inputs * l->outputs);
    add_numbered(s, what, ".weight.v", i, l->w_v, l->inputs * l->outputs);
    add_numbered(s, what, ".bias.m", i, l->bias_m, l->outputs);
    add_numbered(s, what, ".bias.v", i, l->bias_v, l->outputs);
}

void adass_state_add_model(adass_state *state, adass_model *model)
{
    for (size_t i = 0; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = adass_model_tensor(model, i, NULL);
        const adass_array a = adass_tensor_array(&t);
        add(state, a.name, a.dtype, a.data, a.rows * a.cols);
    }
    for (size_t f = 0; f < model->n_fields; f++) {
        const adass_table *t = &model->tables[f];
        add_numbered(state, "adam.", "embedding", f, t->moments, t->vocab * t->width * 2);
        if (t->linear != NULL)
            add_numbered(state, "adam.", "linear", f, t->linear_moments, t->vocab * 2);
        if (t->map != NULL) {
            add_numbered(state, "adam.projection", ".m", f, t->map_m, t->width * model->largest);
            add_numbered(state, "adam.projection", ".v", f, t->map_v, t->width * model->largest);
        }
    }
    for (size_t i = 0; i < model->n_layers; i++)
        add_layer(state, "adam.mlp", i, &model->layers[i]);
    for (size_t i = 0; i < model->n_cross; i++)
        add_layer(state, "adam.cross", i, &model->cross[i]);
    if (model->n_cross > 0) {
        const size_t n = model->block[model->n_fields];
        adass_state_add_f32(state, "adam.cross.out.m", model->cross_out_m, n);
        adass_state_add_f32(state, "adam.cross.out.v", model->cross_out_v, n);
    }
    adass_state_add_f32(state, "adam.bias.m", &model->bias_m, 1);
    adass_state_add_f32(state, "adam.bias.v", &model->bias_v, 1);
    adass_state_add_u64(state, "adam.steps", &model->steps, 1);
}

/* ---- keeping it ---- */

static const char format[] = "adass-checkpoint-1";

/* The stage's list and the keeper's own; to be freed by the caller. */
static adass_state make_list(adass_keeper *k, const adass_safetensors *from, double *seconds)
{
    adass_state state = { .from = from };
    adass_state_add_f64(&state, "seconds", seconds, 1);
    k->list(k->user, &state);
    return state;
}

static adass_status fail_list(const adass_state *s, adass_error *err)
{
    return adass_fail_memory(err, "a checkpoint", (double)(s->n * sizeof *s->arrays));
}

static bool is_of(const adass_safetensors *file, const char *identity)
{
    const char *of = adass_safetensors_metadata(file, "identity");
    const char *is = adass_safetensors_metadata(file, "format");
    return of != NULL && is != NULL && strcmp(of, identity) == 0 && strcmp(is, format) == 0;
}

static adass_status load(adass_keeper *k, adass_safetensors *file, adass_error *err)
{
    if (!is_of(file, k->config->identity))
        return k->config->replace
                   ? ADASS_OK
                   : adass_fail(err, ADASS_EINVAL,
                                "%s: a checkpoint of another configuration, dataset, ISA or build; "
                                "go on with what it was made with, or remove it",
                                k->config->path);
    double seconds = 0.0;
    adass_state state = make_list(k, file, &seconds);
    const adass_status status = state.failed
                                    ? fail_list(&state, err)
                                    : adass_safetensors_read(file, state.arrays, state.n, err);
    free(state.arrays);
    k->began -= seconds;
    return status;
}

adass_status adass_keeper_begin(adass_keeper *keeper, const adass_checkpoint *config,
                                adass_state_list list, void *user, adass_error *err)
{
    const double now = adass_clock_seconds();
    *keeper =
        (adass_keeper){ .config = config, .list = list, .user = user, .began = now, .saved = now };
    if (config == NULL || !config->resume || access(config->path, F_OK) != 0)
        return ADASS_OK;
    adass_safetensors *file = NULL;
    adass_error why;
    adass_status status = adass_safetensors_open(&file, config->path, &why);
    if (status != ADASS_OK)
        return adass_fail(err, status, "%s; remove it, and the stage begins anew", why.message);
    status = load(keeper, file, err);
    adass_safetensors_close(file);
    return status;
}

adass_status adass_keeper_check_order(const adass_keeper *keeper, const adass_batches *batches,
                                      uint64_t *window_rows, adass_error *err)
{
    const uint64_t rows = adass_batches_window_rows(batches);
    if (*window_rows != 0 && *window_rows != rows)
        return adass_fail(err, ADASS_EINVAL,
                          "%s: made on a machine of another memory, where rows come in another "
                          "order; go on there, or remove it",
                          keeper->config->path);
    *window_rows = rows;
    return ADASS_OK;
}

adass_status adass_keeper_save(adass_keeper *keeper, adass_error *err)
{
    if (keeper->config == NULL)
        return ADASS_OK;
    double seconds = adass_keeper_seconds(keeper);
    adass_state state = make_list(keeper, NULL, &seconds);
    json_t *metadata =
        json_pack("{s:s, s:s}", "format", format, "identity", keeper->config->identity);
    const adass_status status =
        state.failed || metadata == NULL
            ? fail_list(&state, err)
            : adass_safetensors_write(keeper->config->path, metadata, state.arrays, state.n, err);
    json_decref(metadata);
    free(state.arrays);
    keeper->saved = adass_clock_seconds(); /* so that slow disks do not take all of the time */
    return status;
}

adass_status adass_keeper_tick(adass_keeper *keeper, adass_status status, adass_error *err)
{
    if (keeper == NULL || keeper->config == NULL ||
        (status != ADASS_OK && status != ADASS_EINTERRUPTED))
        return status;
    if (status == ADASS_OK && adass_clock_seconds() - keeper->saved < keeper->config->every_seconds)
        return ADASS_OK;
    const adass_status saved = adass_keeper_save(keeper, err);
    return saved == ADASS_OK ? status : saved;
}

double adass_keeper_seconds(const adass_keeper *keeper)
{
    return adass_clock_seconds() - keeper->began;
}
