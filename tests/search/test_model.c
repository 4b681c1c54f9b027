/*
 * Models against an independent forward pass in double: outputs, and the gradient of every
 * parameter group against finite differences; subnets against stand-alone models with the same
 * weights; independence of the number of threads.
 *
 * The gradient of a first step is read from Adam's first moment, which is then (1 - beta1) times
 * it.
 */
#include "adass/memory.h"
#include "adass/model.h"
#include "adass/rng.h"
#include "clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIELDS = 4, SAMPLES = 300, WIDEST = 7 };

static const size_t vocab[FIELDS] = { 11, 5, 23, 2 };
static const size_t full[FIELDS] = { WIDEST, WIDEST, WIDEST, WIDEST };
static const size_t mixed[FIELDS] = { 3, WIDEST, 1, 2 };
static const size_t dropped[FIELDS] = { 3, 0, 5, 2 };
static const size_t none[FIELDS] = { 0 };

/* What is tested: the backbones, and those with pairs once more with maps in front of FM. */
enum { FM_PROJECT = ADASS_N_BACKBONES, DEEPFM_PROJECT, N_KINDS };

static bool has_maps(int kind) { return kind >= ADASS_N_BACKBONES; }

static const char *kind_name(int kind)
{
    return kind == FM_PROJECT       ? "fm with maps"
           : kind == DEEPFM_PROJECT ? "deepfm with maps"
                                    : adass_backbone_name((adass_backbone)kind);
}

static int kind_of(const adass_model *model)
{
    if (model->config.align == ADASS_ALIGN_SLICE)
        return (int)model->config.backbone;
    return model->config.backbone == ADASS_FM ? FM_PROJECT : DEEPFM_PROJECT;
}

typedef struct fixture {
    uint32_t ids[SAMPLES * FIELDS];
    float labels[SAMPLES];
    adass_batch batch;
    adass_compute compute;
} fixture;

static adass_model_config config_of(int kind, float dropout)
{
    const adass_backbone backbone = kind == FM_PROJECT       ? ADASS_FM
                                    : kind == DEEPFM_PROJECT ? ADASS_DEEPFM
                                                             : (adass_backbone)kind;
    return (adass_model_config){ .backbone = backbone,
                                 .align = has_maps(kind) ? ADASS_ALIGN_PROJECT : ADASS_ALIGN_SLICE,
                                 .n_hidden = 2,
                                 .hidden = { 9, 5 },
                                 .dropout = dropout,
                                 .init_std = 0.5f,
                                 .seed = 42 };
}

static const adass_trainer_config trainer_config = { .batch_size = SAMPLES,
                                                     .learning_rate = 0.01,
                                                     .beta1 = 0.9,
                                                     .beta2 = 0.999,
                                                     .epsilon = 1e-8,
                                                     .l2 = 0.0 };

static int set_up(void **state)
{
    fixture *x = calloc(1, sizeof *x);
    adass_rng rng;
    adass_rng_init(&rng, 7);
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t f = 0; f < FIELDS; f++)
            x->ids[i * FIELDS + f] = (uint32_t)adass_rng_below(&rng, vocab[f]);
        x->labels[i] = (float)adass_rng_below(&rng, 2);
    }
    x->batch = (adass_batch){ .n = SAMPLES, .ids = x->ids, .labels = x->labels };
    x->compute.threads = 2;
    adass_error err;
    if (adass_kernels_get("best", &x->compute.kernels, &err) != ADASS_OK)
        return -1;
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

/* Logistic regression has no embeddings. */
static const size_t *sizes_for(int kind, const size_t *sizes)
{
    return kind == ADASS_LR ? none : sizes;
}

/* A model whose biases and first-order weights are not 0 either; of full widths, a supernet. */
static adass_model *new_model(int kind, float dropout, const size_t *widths)
{
    adass_model *model = NULL;
    adass_error err;
    adass_model_config config = config_of(kind, dropout);
    config.maps_for_all = widths == full;
    if (adass_model_create(&model, &config, FIELDS, vocab, sizes_for(kind, widths), &err) !=
        ADASS_OK)
        fail_msg("%s", err.message);
    if (model->n_layers == 0)
        model->bias = 0.5f; /* away from the labels' balance, where it has no gradient */
    adass_rng rng;
    adass_rng_init(&rng, 3);
    for (size_t i = FIELDS; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = adass_model_tensor(model, i, NULL);
        for (size_t k = 0; k < t.rows * t.cols; k++)
            t.data[k] += (float)(0.2 * adass_rng_unit(&rng) - 0.1);
    }
    return model;
}

/* ---- the oracle ---- */

static double reference_dropout(const adass_model *model, double a, size_t layer, size_t sample,
                                size_t unit)
{
    const float rate = model->config.dropout;
    const size_t units = model->layers[layer].outputs;
    const uint32_t key = (uint32_t)adass_mix_at(model->config.seed, 1 * ADASS_HIDDEN_MAX + layer);
    const uint32_t hash = adass_mix32(adass_mix32((uint32_t)(sample * units + unit)) ^ key);
    return hash >= (uint32_t)((double)rate * 0x1p32) ? a / (1.0 - (double)rate) : 0.0;
}

static double reference_mlp(const adass_model *model, const size_t *sizes, double x[FIELDS][WIDEST],
                            size_t sample, bool training)
{
    double now[64] = { 0 }, next[64];
    for (size_t l = 0; l < model->n_layers; l++) {
        const adass_layer *layer = &model->layers[l];
        for (size_t o = 0; o < layer->outputs; o++) {
            double sum = (double)layer->bias[o];
            if (l == 0)
                for (size_t f = 0; f < FIELDS; f++)
                    for (size_t k = 0; k < sizes[f]; k++)
                        sum +=
                            x[f][k] * (double)layer->w[(model->block[f] + k) * layer->outputs + o];
            for (size_t i = 0; l > 0 && i < layer->inputs; i++)
                sum += now[i] * (double)layer->w[i * layer->outputs + o];
            if (l + 1 < model->n_layers) {
                sum = sum > 0.0 ? sum : 0.0;
                if (training)
                    sum = reference_dropout(model, sum, l, sample, o);
            }
            next[o] = sum;
        }
        memcpy(now, next, sizeof now);
    }
    return now[0];
}

/* Cross layers, summed over the subnet's columns of the model's packed embeddings. */
static double reference_cross(const adass_model *model, const size_t *sizes,
                              double x[FIELDS][WIDEST])
{
    double x0[FIELDS * WIDEST] = { 0 }, now[FIELDS * WIDEST], next[FIELDS * WIDEST], z = 0.0;
    bool used[FIELDS * WIDEST] = { false };
    const size_t width = model->block[FIELDS];
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t k = 0; k < sizes[f]; k++) {
            x0[model->block[f] + k] = x[f][k];
            used[model->block[f] + k] = true;
        }
    memcpy(now, x0, sizeof now);
    for (size_t l = 0; l < model->n_cross; l++) {
        for (size_t o = 0; o < width; o++) {
            double sum = (double)model->cross[l].bias[o];
            for (size_t i = 0; i < width; i++)
                sum += now[i] * (double)model->cross[l].w[i * width + o];
            next[o] = used[o] ? x0[o] * sum + now[o] : 0.0;
        }
        memcpy(now, next, sizeof now);
    }
    for (size_t o = 0; o < width; o++)
        z += now[o] * (double)model->cross_out[o];
    return z;
}

/* Pairs over the first `largest` components, after the maps of those that have one. */
static double reference_pairs(const adass_model *model, const size_t *sizes,
                              double x[FIELDS][WIDEST])
{
    double y[FIELDS][WIDEST] = { { 0 } }, z = 0.0;
    size_t largest = 0;
    for (size_t f = 0; f < FIELDS; f++)
        largest = sizes[f] > largest ? sizes[f] : largest;
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t k = 0; k < sizes[f]; k++) {
            const float *map = model->tables[f].map;
            y[f][k] += map == NULL || sizes[f] == largest ? x[f][k] : 0.0;
            for (size_t o = 0; map != NULL && sizes[f] < largest && o < largest; o++)
                y[f][o] += x[f][k] * (double)map[k * model->largest + o];
        }
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t g = 0; g < f; g++)
            for (size_t k = 0; k < largest; k++)
                z += y[f][k] * y[g][k];
    return z;
}

static double reference_logit(const adass_model *model, const size_t *sizes, const uint32_t *ids,
                              size_t sample, bool training)
{
    double x[FIELDS][WIDEST] = { { 0 } }, z = (double)model->bias;
    const bool has_cross = model->config.backbone == ADASS_DCNV2;
    const bool has_linear = model->config.backbone != ADASS_DNN && !has_cross;
    const bool has_mlp = model->config.backbone == ADASS_DNN || has_cross ||
                         model->config.backbone == ADASS_WDL ||
                         model->config.backbone == ADASS_DEEPFM;
    const bool has_pairs =
        model->config.backbone == ADASS_FM || model->config.backbone == ADASS_DEEPFM;
    for (size_t f = 0; f < FIELDS; f++) {
        const adass_table *t = &model->tables[f];
        for (size_t k = 0; k < sizes[f]; k++)
            x[f][k] = (double)t->rows[ids[f] * t->width + k];
        if (has_linear && (sizes[f] > 0 || model->config.backbone == ADASS_LR))
            z += (double)t->linear[ids[f]];
    }
    if (has_pairs)
        z += reference_pairs(model, sizes, x);
    if (has_mlp)
        z += reference_mlp(model, sizes, x, sample, training);
    if (has_cross)
        z += reference_cross(model, sizes, x);
    return z;
}

static double reference_loss(const adass_model *model, const size_t *sizes, const fixture *x)
{
    double sum = 0.0;
    for (size_t i = 0; i < SAMPLES; i++) {
        const double z = reference_logit(model, sizes, x->ids + i * FIELDS, i, true);
        sum += log1p(exp(z)) - z * (double)x->labels[i];
    }
    return sum / SAMPLES;
}

/* ---- tests ---- */

static void check_predict(const fixture *x, int kind, const size_t *sizes)
{
    adass_error err;
    adass_model *model = new_model(kind, 0.0f, full);
    float logits[SAMPLES];
    assert_int_equal(adass_model_predict(model, &x->compute, sizes, x->ids, SAMPLES, logits, &err),
                     ADASS_OK);
    for (size_t i = 0; i < SAMPLES; i++) {
        const double want = reference_logit(model, sizes, x->ids + i * FIELDS, i, false);
        if (fabs((double)logits[i] - want) > 1e-5 * (1.0 + fabs(want)))
            fail_msg("%s: logit %zu is %g, expected %g", kind_name(kind), i, (double)logits[i],
                     want);
    }
    adass_model_destroy(model);
}

static void test_predict(void **state)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        check_predict(*state, kind, sizes_for(kind, full));
        check_predict(*state, kind, sizes_for(kind, mixed));
        check_predict(*state, kind, sizes_for(kind, dropped));
    }
}

/* Whether the sizes reach a column of the model's packed embeddings. */
static bool reaches(const adass_model *model, size_t column, const size_t *sizes)
{
    for (size_t f = 0; f < FIELDS; f++)
        if (column >= model->block[f] && column < model->block[f] + sizes[f])
            return true;
    return false;
}

/* The same as moment_of() for the tensors of cross layers; NULL for others. */
static const float *cross_moment_of(const adass_model *model, const adass_tensor *t, size_t i,
                                    const size_t *sizes, bool *reached)
{
    *reached = reaches(model, i, sizes);
    if (model->n_cross > 0 && t->data == model->cross_out)
        return &model->cross_out_m[i];
    for (size_t l = 0; l < model->n_cross; l++) {
        const adass_layer *layer = &model->cross[l];
        if (t->data == layer->bias)
            return &layer->bias_m[i];
        *reached = reaches(model, i / t->cols, sizes) && reaches(model, i % t->cols, sizes);
        if (t->data == layer->w)
            return &layer->w_m[i];
        *reached = reaches(model, i, sizes);
    }
    return NULL;
}

/* The same for the tensors of maps. */
static const float *map_moment_of(const adass_model *model, const adass_tensor *t, size_t i,
                                  const size_t *sizes, bool *reached)
{
    size_t largest = 0;
    for (size_t f = 0; f < FIELDS; f++)
        largest = sizes[f] > largest ? sizes[f] : largest;
    for (size_t f = 0; f < FIELDS; f++) {
        const adass_table *table = &model->tables[f];
        *reached = sizes[f] < largest && i / t->cols < sizes[f] && i % t->cols < largest;
        if (table->map != NULL && t->data == table->map)
            return &table->map_m[i];
    }
    return NULL;
}

/* First moment of element i of a tensor, and whether the subnet reaches the element. */
static float moment_of(const adass_model *model, const adass_tensor *t, size_t i,
                       const size_t *sizes, bool *reached)
{
    const float *cross = cross_moment_of(model, t, i, sizes, reached);
    if (cross != NULL)
        return *cross;
    const float *map = map_moment_of(model, t, i, sizes, reached);
    if (map != NULL)
        return *map;
    *reached = true;
    for (size_t f = 0; f < FIELDS; f++) {
        const adass_table *table = &model->tables[f];
        const size_t row = i / t->cols, column = i % t->cols;
        if (t->data == table->rows) {
            *reached = column < sizes[f];
            return table->moments[row * 2 * table->width + column];
        }
        if (t->data == table->linear) {
            *reached = sizes[f] > 0 || model->config.backbone == ADASS_LR;
            return table->linear_moments[2 * i];
        }
        if (t->data == model->layers[0].w && row >= model->block[f] && row < model->block[f + 1]) {
            *reached = row - model->block[f] < sizes[f];
            return model->layers[0].w_m[i];
        }
    }
    for (size_t l = 0; l < model->n_layers; l++) {
        if (t->data == model->layers[l].w)
            return model->layers[l].w_m[i];
        if (t->data == model->layers[l].bias)
            return model->layers[l].bias_m[i];
    }
    return model->bias_m;
}

/* Central difference of the reference loss around the weights before the step. */
static double difference(adass_model *before, const adass_tensor *t, size_t i, const size_t *sizes,
                         const fixture *x)
{
    /* Small h, since a sample's ReLU that flips within +-h falsifies the difference. */
    const float h = 0x1p-16f, w = t->data[i];
    t->data[i] = w + h;
    const double above = reference_loss(before, sizes, x);
    const double up = (double)t->data[i];
    t->data[i] = w - h;
    const double below = reference_loss(before, sizes, x);
    const double down = (double)t->data[i];
    t->data[i] = w;
    return (above - below) / (up - down);
}

static void check_gradients(const fixture *x, int kind, float dropout, const size_t *sizes)
{
    adass_error err;
    double loss;
    adass_model *model = new_model(kind, dropout, full), *before = new_model(kind, dropout, full);
    adass_trainer *trainer = NULL;
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, &trainer_config, &err),
                     ADASS_OK);
    assert_int_equal(adass_trainer_step(trainer, sizes, &x->batch, NULL, &loss, &err), ADASS_OK);
    assert_true(fabs(loss - reference_loss(before, sizes, x)) < 1e-6);
    for (size_t t = 0; t < adass_model_tensor_count(model); t++) {
        const adass_tensor now = adass_model_tensor(model, t, NULL),
                           was = adass_model_tensor(before, t, NULL);
        size_t moved = 0, inside = 0;
        const size_t apart = now.rows * now.cols > 300 ? 11 : 1; /* cross layers are large */
        for (size_t i = 0; i < now.rows * now.cols; i++) {
            bool reached;
            const double gradient =
                (double)moment_of(model, &now, i, sizes, &reached) / (1.0 - 0.9);
            if (!reached &&
                (gradient != 0.0 || memcmp(&now.data[i], &was.data[i], sizeof(float)) != 0))
                fail_msg("%s, %s[%zu] lies outside the subnet but was changed", kind_name(kind),
                         now.name, i);
            inside += reached;
            if (i % apart != 0)
                continue;
            const double expected = difference(before, &was, i, sizes, x);
            if (fabs(gradient - expected) > 2e-4 + 1e-3 * fabs(expected))
                fail_msg("%s, dropout %g, %s[%zu]: gradient %g, by differences %g", kind_name(kind),
                         (double)dropout, now.name, i, gradient, expected);
            moved += fabs(gradient) > 1e-3;
        }
        if (moved == 0 && inside > 0)
            fail_msg("%s: no gradient in %s: nothing was tested", kind_name(kind), now.name);
    }
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
    adass_model_destroy(before);
}

/* Hooks that scale one packed column and note sum_b x dL/dx of it. */
typedef struct scaling {
    size_t column;
    float factor;
    double sums[8]; /* of a block each */
} scaling;

static void scale(void *user, const adass_packed *p)
{
    const scaling *s = user;
    assert_null(p->dx);
    for (size_t b = 0; b < p->n; b++)
        p->x[b * p->ld + s->column] *= s->factor;
}

static void note_sum(void *user, const adass_packed *p)
{
    scaling *s = user;
    for (size_t b = 0; b < p->n; b++)
        s->sums[p->block] +=
            (double)p->x[b * p->ld + s->column] * (double)p->dx[b * p->ld + s->column];
}

/*
 * The loss's derivative by a mask on a column is sum_b x dL/dx of that column; what the forward hook
 * does counts in the loss; and a frozen trainer changes nothing.
 */
static void test_hooks(void **state)
{
    const fixture *x = *state;
    const float h = 0x1p-8f;
    adass_error err;
    for (int b = 0; b < ADASS_N_BACKBONES; b++) {
        if (b == ADASS_LR)
            continue; /* has no embeddings */
        adass_model *model = new_model(b, 0.0f, full), *same = new_model(b, 0.0f, full);
        double losses[3];
        scaling s = { .column = mixed[0] + 1 };
        const adass_step_hooks hooks = { .user = &s, .forward = scale, .backward = note_sum };
        adass_trainer_config config = trainer_config;
        config.hooks = &hooks;
        config.frozen = true;
        adass_trainer *trainer = NULL;
        assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, &config, &err),
                         ADASS_OK);
        for (int i = 0; i < 3; i++) {
            s.factor = 1.0f + h * (float)(i - 1);
            assert_int_equal(adass_trainer_step(trainer, mixed, &x->batch, NULL, &losses[i], &err),
                             ADASS_OK);
        }
        assert_true(fabs(losses[1] - reference_loss(same, mixed, x)) < 1e-6);
        const double slope = (losses[2] - losses[0]) / (2.0 * (double)h);
        s.factor = 1.0f;
        memset(s.sums, 0, sizeof s.sums);
        assert_int_equal(adass_trainer_step(trainer, mixed, &x->batch, NULL, &losses[1], &err),
                         ADASS_OK);
        double sum = 0.0;
        for (size_t j = 0; j < 8; j++)
            sum += s.sums[j];
        if (fabs(sum) < 1e-4 || fabs(sum - slope) > 2e-4 + 1e-2 * fabs(slope))
            fail_msg("%s: derivative %g, by differences %g", adass_backbone_name((adass_backbone)b),
                     sum, slope);
        for (size_t t = 0; t < adass_model_tensor_count(model); t++) {
            const adass_tensor now = adass_model_tensor(model, t, NULL),
                               was = adass_model_tensor(same, t, NULL);
            assert_memory_equal(now.data, was.data, now.rows * now.cols * sizeof *now.data);
        }
        assert_int_equal(model->steps, 0);
        adass_trainer_destroy(trainer);
        adass_model_destroy(model);
        adass_model_destroy(same);
    }
}

static void test_gradients(void **state)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        check_gradients(*state, kind, 0.0f, sizes_for(kind, full));
        check_gradients(*state, kind, 0.3f, sizes_for(kind, mixed));
        check_gradients(*state, kind, 0.0f, sizes_for(kind, dropped));
    }
}

static void cut_cross(adass_model *model, const adass_model *super, const size_t *sizes)
{
    const size_t width = model->block[FIELDS], wide = super->block[FIELDS];
    size_t from[FIELDS * WIDEST], n = 0; /* the super model's columns */
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t k = 0; k < sizes[f]; k++)
            from[n++] = super->block[f] + k;
    for (size_t o = 0; super->n_cross > 0 && o < width; o++) {
        model->cross_out[o] = super->cross_out[from[o]];
        for (size_t l = 0; l < super->n_cross; l++) {
            model->cross[l].bias[o] = super->cross[l].bias[from[o]];
            for (size_t i = 0; i < width; i++)
                model->cross[l].w[i * width + o] = super->cross[l].w[from[i] * wide + from[o]];
        }
    }
}

static void cut_maps(adass_model *model, const adass_model *super, const size_t *sizes)
{
    for (size_t f = 0; f < FIELDS; f++)
        for (size_t k = 0; model->tables[f].map != NULL && k < sizes[f]; k++)
            for (size_t o = 0; o < model->largest; o++)
                model->tables[f].map[k * model->largest + o] =
                    super->tables[f].map[k * super->largest + o];
}

/* A stand-alone model of the sizes, with the weights that the subnet of `super` has. */
static adass_model *stand_alone(const adass_model *super, const size_t *sizes)
{
    adass_model *model = new_model(kind_of(super), super->config.dropout, sizes);
    for (size_t f = 0; f < FIELDS; f++) {
        const adass_table *from = &super->tables[f], *to = &model->tables[f];
        for (size_t row = 0; row < vocab[f]; row++)
            memcpy(to->rows + row * to->width, from->rows + row * from->width,
                   sizes[f] * sizeof(float));
        if (from->linear != NULL)
            memcpy(to->linear, from->linear, vocab[f] * sizeof(float));
        for (size_t k = 0; super->n_layers > 0 && k < sizes[f]; k++)
            memcpy(model->layers[0].w + (model->block[f] + k) * model->layers[0].outputs,
                   super->layers[0].w + (super->block[f] + k) * super->layers[0].outputs,
                   super->layers[0].outputs * sizeof(float));
    }
    for (size_t l = 0; l < super->n_layers; l++) {
        const adass_layer *from = &super->layers[l], *to = &model->layers[l];
        if (l > 0)
            memcpy(to->w, from->w, from->inputs * from->outputs * sizeof(float));
        memcpy(to->bias, from->bias, from->outputs * sizeof(float));
    }
    cut_cross(model, super, sizes);
    cut_maps(model, super, sizes);
    model->bias = super->bias;
    return model;
}

static void expect_same_outputs(const fixture *x, const adass_model *super,
                                const adass_model *alone, const size_t *sizes)
{
    float a[SAMPLES], b[SAMPLES];
    adass_error err;
    assert_int_equal(adass_model_predict(super, &x->compute, sizes, x->ids, SAMPLES, a, &err),
                     ADASS_OK);
    assert_int_equal(adass_model_predict(alone, &x->compute, NULL, x->ids, SAMPLES, b, &err),
                     ADASS_OK);
    assert_memory_equal(a, b, sizeof a);
}

static void test_subnet_is_stand_alone(void **state)
{
    const fixture *x = *state;
    const size_t *assignments[] = { mixed, dropped, full };
    for (int kind = 0; kind < N_KINDS; kind++)
        for (size_t i = 0; i < 3; i++) {
            adass_error err;
            double loss_super, loss_alone;
            const size_t *sizes = sizes_for(kind, assignments[i]);
            adass_model *super = new_model(kind, 0.2f, full);
            adass_model *alone = stand_alone(super, sizes);
            expect_same_outputs(x, super, alone, sizes);
            adass_model *heir = new_model(kind, 0.2f, sizes);
            adass_model_inherit(heir, super);
            expect_same_outputs(x, super, heir, sizes);
            adass_model_destroy(heir);
            adass_trainer *train_super = NULL, *train_alone = NULL;
            assert_int_equal(
                adass_trainer_create(&train_super, super, &x->compute, &trainer_config, &err),
                ADASS_OK);
            assert_int_equal(
                adass_trainer_create(&train_alone, alone, &x->compute, &trainer_config, &err),
                ADASS_OK);
            for (int step = 0; step < 5; step++) { /* training keeps them the same, too */
                assert_int_equal(
                    adass_trainer_step(train_super, sizes, &x->batch, NULL, &loss_super, &err),
                    ADASS_OK);
                assert_int_equal(
                    adass_trainer_step(train_alone, NULL, &x->batch, NULL, &loss_alone, &err),
                    ADASS_OK);
                assert_true(loss_super == loss_alone);
            }
            expect_same_outputs(x, super, alone, sizes);
            adass_trainer_destroy(train_super);
            adass_trainer_destroy(train_alone);
            adass_model_destroy(super);
            adass_model_destroy(alone);
        }
}

/* Parameters after ten steps; the caller frees them. */
static float *trained(const fixture *x, int kind, int threads)
{
    adass_error err;
    double loss, first = 0.0;
    const adass_compute compute = { .kernels = x->compute.kernels, .threads = threads };
    adass_model *model = new_model(kind, 0.1f, full);
    const size_t *sizes = has_maps(kind) ? mixed : NULL; /* maps serve smaller sizes alone */
    adass_trainer *trainer = NULL;
    assert_int_equal(adass_trainer_create(&trainer, model, &compute, &trainer_config, &err),
                     ADASS_OK);
    for (int step = 0; step < 10; step++) {
        assert_int_equal(adass_trainer_step(trainer, sizes, &x->batch, NULL, &loss, &err),
                         ADASS_OK);
        if (step == 0)
            first = loss;
    }
    assert_true(loss < first); /* it learns */
    float *values = malloc(adass_model_param_count(model) * sizeof *values);
    adass_model_store(model, values);
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
    return values;
}

static void test_threads_do_not_matter(void **state)
{
    for (int kind = 0; kind < N_KINDS; kind++) {
        adass_model *shape = new_model(kind, 0.1f, full);
        const size_t bytes = adass_model_param_count(shape) * sizeof(float);
        float *one = trained(*state, kind, 1);
        for (int threads = 2; threads <= 5; threads++) {
            float *more = trained(*state, kind, threads);
            assert_memory_equal(one, more, bytes);
            free(more);
        }
        free(one);
        adass_model_destroy(shape);
    }
}

/* A model with tables of a type. */
static adass_model *typed_model(int kind, adass_type type)
{
    adass_model *model = NULL;
    adass_error err;
    adass_model_config config = config_of(kind, 0.1f);
    config.table_type = type;
    config.maps_for_all = true;
    assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab, full, &err), ADASS_OK);
    return model;
}

static void train_typed(const fixture *x, adass_model *model, int threads, int steps)
{
    adass_error err;
    double loss;
    const adass_compute compute = { .kernels = x->compute.kernels, .threads = threads };
    const size_t *sizes = has_maps(kind_of(model)) ? mixed : NULL;
    adass_trainer *trainer = NULL;
    assert_int_equal(adass_trainer_create(&trainer, model, &compute, &trainer_config, &err),
                     ADASS_OK);
    for (int i = 0; i < steps; i++)
        assert_int_equal(adass_trainer_step(trainer, sizes, &x->batch, NULL, &loss, &err),
                         ADASS_OK);
    adass_trainer_destroy(trainer);
}

/*
 * From the same values, a step with tables of 16 bits ends within a unit of f32's, whatever the
 * backbone; other parameters are the same bits.
 */
static void test_compact_step(void **state)
{
    const adass_type types[] = { ADASS_BF16, ADASS_F16 };
    const int kinds[] = {
        ADASS_FM, ADASS_DNN, ADASS_DEEPFM, ADASS_DCNV2, FM_PROJECT, DEEPFM_PROJECT
    };
    for (size_t i = 0; i < 12; i++) {
        const adass_type type = types[i % 2];
        adass_model *compact = typed_model(kinds[i / 2], type),
                    *wide = typed_model(kinds[i / 2], ADASS_F32);
        const size_t n = adass_model_param_count(compact), rows = 41 * WIDEST;
        float *before = malloc(n * sizeof *before), *a = malloc(n * sizeof *a),
              *b = malloc(n * sizeof *b);
        adass_model_store(compact, before);
        adass_model_restore(wide, before);
        adass_model_store(wide, a);
        assert_memory_equal(a, before, n * sizeof *a); /* both ways exact */
        train_typed(*state, compact, 2, 1);
        train_typed(*state, wide, 2, 1);
        adass_model_store(compact, a);
        adass_model_store(wide, b);
        assert_memory_not_equal(a, before, rows * sizeof *a);
        for (size_t k = 0; k < rows; k++)
            if (!(fabsf(a[k] - b[k]) <=
                  (type == ADASS_BF16 ? 0x1p-7f : 0x1p-10f) * fabsf(b[k]) + 0x1p-20f))
                fail_msg("element %zu: %g instead of %g", k, (double)a[k], (double)b[k]);
        assert_memory_equal(a + rows, b + rows, (n - rows) * sizeof *a);
        free(before);
        free(a);
        free(b);
        adass_model_destroy(compact);
        adass_model_destroy(wide);
    }
}

/* Rounding's random numbers are counted: they do not depend on the number of threads. */
static void test_compact_threads(void **state)
{
    for (int type = ADASS_BF16; type <= ADASS_F16; type++) {
        adass_model *one = typed_model(ADASS_DEEPFM, (adass_type)type);
        const size_t n = adass_model_param_count(one);
        float *want = malloc(n * sizeof *want), *got = malloc(n * sizeof *got);
        train_typed(*state, one, 1, 10);
        adass_model_store(one, want);
        for (int threads = 2; threads <= 4; threads++) {
            adass_model *more = typed_model(ADASS_DEEPFM, (adass_type)type);
            train_typed(*state, more, threads, 10);
            adass_model_store(more, got);
            assert_memory_equal(want, got, n * sizeof *got);
            adass_model_destroy(more);
        }
        free(want);
        free(got);
        adass_model_destroy(one);
    }
}

static double largest_difference(const float *a, const float *b, size_t n)
{
    double largest = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= largest)) /* not a number counts as a difference */
            largest = difference;
    }
    return largest;
}

/* Copies of all types predict nearly the same, f32 exactly; int8 is not trained. */
static void test_quantized(void **state)
{
    const fixture *x = *state;
    const double most[ADASS_TYPES] = { 0.0, 0.2, 0.02, 0.2 };
    adass_error err;
    float want[SAMPLES], got[SAMPLES];
    for (int i = ADASS_F32; i <= 2 * ADASS_F16 + 1; i++) {
        const int from = i / 2;
        adass_model *model =
            typed_model(i % 2 == 0 ? ADASS_DEEPFM : DEEPFM_PROJECT, (adass_type)from);
        train_typed(x, model, 2, 5);
        assert_int_equal(
            adass_model_predict(model, &x->compute, mixed, x->ids, SAMPLES, want, &err), ADASS_OK);
        for (int type = 0; type < ADASS_TYPES; type++) {
            adass_model *copy = NULL;
            assert_int_equal(
                adass_model_quantize(&copy, model, x->compute.kernels, (adass_type)type, &err),
                ADASS_OK);
            assert_int_equal(
                adass_model_predict(copy, &x->compute, mixed, x->ids, SAMPLES, got, &err),
                ADASS_OK);
            const double worst = largest_difference(got, want, SAMPLES);
            if (!(worst <= (type == from ? 0.0 : type == ADASS_F32 ? 0.0 : most[type])))
                fail_msg("%s from %s: logits differ by %g", adass_type_name((adass_type)type),
                         adass_type_name((adass_type)from), worst);
            adass_trainer *trainer = NULL;
            if (type == ADASS_INT8)
                assert_int_equal(
                    adass_trainer_create(&trainer, copy, &x->compute, &trainer_config, &err),
                    ADASS_EINVAL);
            adass_model_destroy(copy);
        }
        adass_model_destroy(model);
    }
}

/* The clocks: parts that are done take time, others none, and all together are the steps' time. */
static void test_seconds(void **state)
{
    const fixture *x = *state;
    adass_error err;
    double loss, seconds[ADASS_STEP_PARTS];
    adass_model *model = new_model(ADASS_DNN, 0.1f, full);
    adass_trainer *trainer = NULL;
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, &trainer_config, &err),
                     ADASS_OK);
    const double began = adass_clock_seconds();
    for (int step = 0; step < 50; step++)
        assert_int_equal(adass_trainer_step(trainer, NULL, &x->batch, NULL, &loss, &err), ADASS_OK);
    const double wall = adass_clock_seconds() - began;
    adass_trainer_seconds(trainer, seconds);
    double sum = 0.0;
    for (int part = 0; part < ADASS_STEP_PARTS; part++) {
        assert_true(seconds[part] > 0.0);
        assert_true(strlen(adass_step_part_name((adass_step_part)part)) > 0);
        sum += seconds[part];
    }
    assert_true(sum <= wall * x->compute.threads && sum > 0.5 * wall * x->compute.threads);
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
}

/* On every ISA the same training ends near the same weights. */
static void test_isas_agree(void **state)
{
    const fixture *x = *state;
    adass_model *shape = new_model(ADASS_DEEPFM, 0.1f, full);
    const size_t n = adass_model_param_count(shape);
    float *best = trained(x, ADASS_DEEPFM, 2);
    for (size_t i = 0; i < adass_isa_count(); i++) {
        fixture other = *x;
        adass_error err;
        if (!adass_isa_supported(i, NULL))
            continue;
        assert_int_equal(adass_kernels_get(adass_isa_name(i), &other.compute.kernels, &err),
                         ADASS_OK);
        float *values = trained(&other, ADASS_DEEPFM, 2);
        for (size_t k = 0; k < n; k++)
            assert_true(fabsf(values[k] - best[k]) < 5e-3f);
        free(values);
    }
    free(best);
    adass_model_destroy(shape);
}

static void test_l2_pulls_touched_rows(void **state)
{
    const fixture *x = *state;
    adass_error err;
    double loss;
    adass_trainer_config strong = trainer_config;
    strong.l2 = 0.5;
    adass_model *model = new_model(ADASS_FM, 0.0f, full), *plain = new_model(ADASS_FM, 0.0f, full);
    adass_model *before = new_model(ADASS_FM, 0.0f, full);
    adass_trainer *a = NULL, *b = NULL;
    assert_int_equal(adass_trainer_create(&a, model, &x->compute, &strong, &err), ADASS_OK);
    assert_int_equal(adass_trainer_create(&b, plain, &x->compute, &trainer_config, &err), ADASS_OK);
    adass_batch batch = x->batch;
    batch.n = 1; /* most rows are not touched */
    assert_int_equal(adass_trainer_step(a, NULL, &batch, NULL, &loss, &err), ADASS_OK);
    assert_int_equal(adass_trainer_step(b, NULL, &batch, NULL, &loss, &err), ADASS_OK);
    const adass_table *with = &model->tables[2], *without = &plain->tables[2];
    for (size_t row = 0; row < vocab[2]; row++)
        for (size_t k = 0; k < WIDEST; k++) {
            const size_t at = row * 2 * WIDEST + k;
            const double by_l2 = (double)(with->moments[at] - without->moments[at]);
            if (row != x->ids[2]) {
                assert_true(with->moments[at] == 0.0f);
                continue;
            }
            const double w = (double)before->tables[2].rows[row * WIDEST + k];
            assert_true(fabs(by_l2 - (1.0 - 0.9) * 0.5 * w) <=
                        1e-6 * (1.0 + fabs(w))); /* first moment: (1 - beta1) l2 w */
            assert_true(fabs(by_l2) > 0.0);
        }
    adass_trainer_destroy(a);
    adass_trainer_destroy(b);
    adass_model_destroy(model);
    adass_model_destroy(plain);
    adass_model_destroy(before);
}

static void one_step(const fixture *x, adass_model *model, const adass_trainer_config *config)
{
    adass_trainer *trainer = NULL;
    adass_error err;
    double loss;
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, config, &err), ADASS_OK);
    assert_int_equal(adass_trainer_step(trainer, NULL, &x->batch, NULL, &loss, &err), ADASS_OK);
    adass_trainer_destroy(trainer);
}

/* One parameter's step: from `w` by the gradient in Adam's first moment, with the squares before it. */
static void expect_adagrad(float w, float moment, double *squares, const adass_trainer_config *c,
                           float got)
{
    const double g = (double)moment / (1.0 - c->beta1);
    *squares += g * g;
    const double step = c->row_rate * g / (sqrt(*squares) + c->row_epsilon / (double)c->batch_size);
    if (fabs((double)got - ((double)w - step)) > 1e-4 * fabs(step) + 1e-7)
        fail_msg("a parameter of %g is %g after a step of %g", (double)w, (double)got, step);
}

/* Two steps by Adagrad; Adam on a copy of the model tells each one's gradient. */
static void check_adagrad(const fixture *x, int kind)
{
    double row_squares[FIELDS][32][WIDEST] = { { { 0.0 } } }, squares[FIELDS][32] = { { 0.0 } };
    adass_trainer_config config = trainer_config;
    adass_model *model = new_model(kind, 0.0f, mixed);
    const size_t n = adass_model_param_count(model);
    float *params = malloc(n * sizeof *params);
    assert_non_null(params);
    for (int i = 0; i < 2; i++) {
        adass_model *before = new_model(kind, 0.0f, mixed), *twin = new_model(kind, 0.0f, mixed);
        adass_model_store(model, params);
        adass_model_restore(before, params);
        adass_model_restore(twin, params);
        config.row_optimizer = ADASS_ROWS_ADAM;
        one_step(x, twin, &config);
        config.row_optimizer = ADASS_ROWS_ADAGRAD;
        config.row_rate = 0.3;
        config.row_epsilon = 2.0;
        one_step(x, model, &config);
        for (size_t f = 0; f < FIELDS; f++) {
            const adass_table *a = &before->tables[f], *b = &twin->tables[f],
                              *c = &model->tables[f];
            for (size_t row = 0; row < vocab[f]; row++) {
                for (size_t k = 0; k < a->width; k++)
                    expect_adagrad(a->rows[row * a->width + k], b->moments[row * 2 * a->width + k],
                                   &row_squares[f][row][k], &config, c->rows[row * a->width + k]);
                if (a->linear != NULL)
                    expect_adagrad(a->linear[row], b->linear_moments[2 * row], &squares[f][row],
                                   &config, c->linear[row]);
            }
        }
        if (i == 0) /* Adam's first step is the same for all that is no row */
            assert_true(model->n_layers > 0
                            ? model->layers[0].bias[0] == twin->layers[0].bias[0] &&
                                  model->layers[0].bias[0] != before->layers[0].bias[0]
                            : model->bias == twin->bias && model->bias != before->bias);
        adass_model_destroy(before);
        adass_model_destroy(twin);
    }
    free(params);
    adass_model_destroy(model);
}

static void test_adagrad(void **state)
{
    static const int kinds[] = { ADASS_LR, ADASS_FM, ADASS_DEEPFM, DEEPFM_PROJECT };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        check_adagrad(*state, kinds[i]);
    adass_row_optimizer optimizer;
    adass_error err;
    assert_int_equal(adass_row_optimizer_parse("adagrad", &optimizer, &err), ADASS_OK);
    assert_int_equal(optimizer, ADASS_ROWS_ADAGRAD);
    assert_int_equal(adass_row_optimizer_parse("sgd", &optimizer, &err), ADASS_EINVAL);
}

static void test_gradient_notes(void **state)
{
    const fixture *x = *state;
    adass_error err;
    double loss;
    adass_field_gradient *notes = calloc(FIELDS, sizeof *notes);
    adass_model *model = new_model(ADASS_DEEPFM, 0.0f, full);
    adass_trainer *trainer = NULL;
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, &trainer_config, &err),
                     ADASS_OK);
    assert_int_equal(adass_trainer_step(trainer, mixed, &x->batch, notes, &loss, &err), ADASS_OK);
    for (size_t f = 0; f < FIELDS; f++) {
        const adass_table *t = &model->tables[f];
        for (size_t k = 0; k < WIDEST; k++) {
            double squares = 0.0;
            for (size_t row = 0; row < vocab[f]; row++) {
                const double g = (double)t->moments[row * 2 * WIDEST + k] / (1.0 - 0.9);
                squares += g * g;
            }
            assert_true(fabs((double)notes[f].squares[k] - squares) <= 1e-5 * squares);
            assert_true(k >= mixed[f] || squares > 0.0);
        }
        assert_true(notes[f].touched > 0 && notes[f].touched <= vocab[f]);
    }
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
    free(notes);
}

/*
 * What maps a model has; that they start as the padding that slice does; and that with one size for
 * all fields there are none.
 */
static void test_maps(void **state)
{
    const fixture *x = *state;
    adass_error err;
    float padded[SAMPLES], mapped[SAMPLES];
    const size_t even[FIELDS] = { 4, 4, 4, 4 };
    for (int kind = FM_PROJECT; kind <= DEEPFM_PROJECT; kind++) {
        const adass_model_config config = config_of(kind, 0.0f);
        adass_model_config slice = config;
        slice.align = ADASS_ALIGN_SLICE;
        adass_model *with = NULL, *without = NULL, *uniform = NULL;
        assert_int_equal(adass_model_create(&with, &config, FIELDS, vocab, mixed, &err), ADASS_OK);
        assert_int_equal(adass_model_create(&without, &slice, FIELDS, vocab, mixed, &err),
                         ADASS_OK);
        assert_int_equal(adass_model_create(&uniform, &config, FIELDS, vocab, even, &err),
                         ADASS_OK);
        assert_int_equal(adass_model_projection_params(with), (3 + 1 + 2) * WIDEST);
        assert_int_equal(adass_model_projection_params(without), 0);
        assert_int_equal(adass_model_projection_params(uniform), 0);
        assert_int_equal(adass_model_other_params(with), adass_model_other_params(without));
        assert_int_equal(adass_model_param_count(with),
                         adass_model_param_count(without) + (3 + 1 + 2) * WIDEST);
        assert_int_equal(
            adass_model_predict(with, &x->compute, NULL, x->ids, SAMPLES, mapped, &err), ADASS_OK);
        assert_int_equal(
            adass_model_predict(without, &x->compute, NULL, x->ids, SAMPLES, padded, &err),
            ADASS_OK);
        for (size_t i = 0; i < SAMPLES; i++)
            assert_true(fabsf(mapped[i] - padded[i]) <= 1e-5f * (1.0f + fabsf(padded[i])));
        adass_model_destroy(with);
        adass_model_destroy(without);
        adass_model_destroy(uniform);
    }
}

static void test_refusals(void **state)
{
    const fixture *x = *state;
    adass_error err;
    adass_model *model = NULL;
    adass_model_config config = config_of(ADASS_DEEPFM, 1.0f);
    assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab, full, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "dropout"));
    config = config_of(ADASS_DEEPFM, 0.0f);
    const size_t wide[FIELDS] = { 300, 1, 1, 1 };
    assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab, wide, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "300"));
    assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab, none, &err), ADASS_EINVAL);
    config.backbone = ADASS_LR;
    assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab, full, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "lr has no embeddings"));
    config.backbone = ADASS_DEEPFM;
    config.n_hidden = 0;
    assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab, full, &err), ADASS_EINVAL);
    adass_backbone backbone;
    assert_int_equal(adass_backbone_parse("dfm", &backbone, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "deepfm"));

    const int without_pairs[] = { ADASS_DNN, ADASS_WDL, ADASS_DCNV2, ADASS_LR };
    for (size_t i = 0; i < 4; i++) {
        config = config_of(without_pairs[i], 0.0f);
        config.align = ADASS_ALIGN_PROJECT;
        assert_int_equal(adass_model_create(&model, &config, FIELDS, vocab,
                                            sizes_for(without_pairs[i], full), &err),
                         ADASS_EINVAL);
        assert_non_null(strstr(err.message, "slice"));
    }
    adass_align align;
    assert_int_equal(adass_align_parse("pad", &align, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "project"));
    const adass_step_hooks hooks = { .forward = scale };
    adass_trainer_config hooked = trainer_config;
    hooked.hooks = &hooks;
    adass_trainer *trainer = NULL;
    model = new_model(FM_PROJECT, 0.0f, mixed);
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, &hooked, &err),
                     ADASS_EINVAL);
    assert_non_null(strstr(err.message, "slice"));
    adass_model_destroy(model);

    double loss; /* a diverged model is told, not trained on */
    model = new_model(ADASS_FM, 0.0f, full);
    model->bias = INFINITY;
    assert_int_equal(adass_trainer_create(&trainer, model, &x->compute, &trainer_config, &err),
                     ADASS_OK);
    assert_int_equal(adass_trainer_step(trainer, NULL, &x->batch, NULL, &loss, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "diverged"));
    adass_trainer_destroy(trainer);
    adass_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_predict, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gradients, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hooks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_subnet_is_stand_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads_do_not_matter, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compact_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_compact_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_quantized, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_seconds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_isas_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_l2_pulls_touched_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_adagrad, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_gradient_notes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_maps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
