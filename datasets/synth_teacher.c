/* The teacher of planted data. */
#include "synth_teacher.h"

#include "adass/rng.h"
#include "portable_math.h"
#include "synth_streams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_FEATURES_MAX = 1 << 16, CALIBRATION_ROWS = 1 << 16 };

/* Rare: less than one row in a hundred thousand. */
static const double rare_share = 1e-5;

static double normal_at(uint64_t seed, uint64_t i)
{
    return adass_normal(adass_mix_at(seed, 3 * i), adass_mix_at(seed, 3 * i + 1),
                        adass_mix_at(seed, 3 * i + 2));
}

/* ---- fields ---- */

/* Fields that the seed chooses lose their rank. Pairs need two fields that keep it. */
static adass_status choose_null_fields(synth_teacher *t, size_t n, adass_error *err)
{
    const uint64_t seed = adass_seed_derive(t->seed, SYNTH_STREAM_NULL);
    size_t carrying = 0;
    for (size_t f = 0; f < t->shape->n_fields; f++)
        carrying += t->rank[f] > 0;
    if (n + 2 > carrying)
        return adass_fail(err, ADASS_EINVAL,
                          "%zu null fields are too many: shape '%s' has %zu fields that carry "
                          "something, and two must be left",
                          n, t->shape->name, carrying);
    for (size_t i = 0; i < n; i++) {
        size_t chosen = SYNTH_MAX_FIELDS;
        for (size_t f = 0; f < t->shape->n_fields; f++)
            if (t->rank[f] > 0 &&
                (chosen == SYNTH_MAX_FIELDS || adass_mix_at(seed, f) < adass_mix_at(seed, chosen)))
                chosen = f;
        t->rank[chosen] = 0;
    }
    return ADASS_OK;
}

/* s_k: every component's sum over pairs of fields has variance 1 / (number of components). */
static void balance_components(synth_teacher *t)
{
    size_t components = 0;
    for (size_t k = 0; k < SYNTH_MAX_RANK; k++) {
        size_t fields = 0;
        for (size_t f = 0; f < t->shape->n_fields; f++)
            fields += t->rank[f] > k;
        const double pairs = (double)fields * ((double)fields - 1.0) / 2.0;
        t->component[k] = pairs > 0.0 ? 1.0 / sqrt(pairs) : 0.0;
        components += pairs > 0.0;
    }
    for (size_t k = 0; k < SYNTH_MAX_RANK; k++)
        t->component[k] /= sqrt((double)components);
}

static adass_status init_hidden(synth_teacher *t, adass_error *err)
{
    size_t width = 0;
    for (size_t f = 0; f < t->shape->n_fields; f++) {
        t->hidden_row[f] = width;
        width += t->rank[f];
    }
    t->hidden_in = malloc(SYNTH_HIDDEN * width * sizeof *t->hidden_in);
    if (t->hidden_in == NULL)
        return adass_fail_memory(err, "the teacher", (double)width * SYNTH_HIDDEN * 4.0);
    const uint64_t seed = adass_seed_derive(t->seed, SYNTH_STREAM_HIDDEN);
    for (size_t i = 0; i < SYNTH_HIDDEN * width; i++)
        t->hidden_in[i] = (float)(normal_at(seed, i) * 2.0 / sqrt((double)width));
    for (size_t h = 0; h < SYNTH_HIDDEN; h++)
        t->hidden_out[h] = normal_at(seed, SYNTH_HIDDEN * width + h);
    return ADASS_OK;
}

/* The first id whose share is below rare_share; shares fall with the id. */
static uint32_t first_rare(const synth_law *law, size_t vocab)
{
    uint32_t low = 1, high = (uint32_t)vocab;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (adass_synth_law_share(law, middle) < rare_share)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void derive_feature(const synth_teacher *t, size_t f, uint32_t id, double *out)
{
    const size_t rank = t->rank[f];
    memset(out, 0, (SYNTH_VECTOR + rank) * sizeof *out);
    if (id >= t->silent_from[f] || (id == 0 && t->oov_is_silent))
        return;
    const float *in = t->hidden_in + t->hidden_row[f] * SYNTH_HIDDEN;
    out[SYNTH_LINEAR] = (double)(float)normal_at(t->linear_seed[f], id);
    for (size_t k = 0; k < rank; k++, in += SYNTH_HIDDEN) {
        const double x = (double)(float)normal_at(t->vector_seed[f], id * rank + k);
        out[SYNTH_VECTOR + k] = x;
        out[SYNTH_SQUARES] += t->component[k] * (x * x);
        for (size_t h = 0; h < SYNTH_HIDDEN; h++)
            out[SYNTH_PROJECTED + h] += (double)in[h] * x;
    }
}

/* Larger tables would cost memory, and a miss of every cache costs more than a few hashes. */
static adass_status make_table(synth_teacher *t, size_t f, adass_error *err)
{
    const size_t vocab = t->shape->fields[f].vocab, width = SYNTH_VECTOR + t->rank[f];
    if (t->rank[f] == 0 || vocab > TABLE_FEATURES_MAX)
        return ADASS_OK;
    t->features[f] = malloc(vocab * width * sizeof *t->features[f]);
    if (t->features[f] == NULL)
        return adass_fail_memory(err, "the teacher", (double)(vocab * width) * 8.0);
#pragma omp parallel for schedule(static)
    for (size_t id = 0; id < vocab; id++)
        derive_feature(t, f, (uint32_t)id, t->features[f] + id * width);
    return ADASS_OK;
}

static adass_status init_field(synth_teacher *t, size_t f, bool rare_is_silent, adass_error *err)
{
    const synth_field *field = &t->shape->fields[f];
    t->id_seed[f] = adass_seed_derive(t->seed, SYNTH_STREAM_IDS + f);
    t->vector_seed[f] = adass_seed_derive(t->seed, SYNTH_STREAM_VECTORS + f);
    t->linear_seed[f] = adass_seed_derive(t->seed, SYNTH_STREAM_LINEAR + f);
    const double oov_share = (double)field->rare_values * t->shape->rare_occurrence;
    const adass_status status = adass_synth_law_init(&t->laws[f], (uint32_t)field->vocab - 1,
                                                     field->exponent, oov_share, err);
    if (status != ADASS_OK)
        return status;
    t->silent_from[f] = rare_is_silent ? first_rare(&t->laws[f], field->vocab) : UINT32_MAX;
    return make_table(t, f, err);
}

/* ---- the logit ---- */

const double *adass_synth_teacher_feature(const synth_teacher *t, size_t f, uint32_t id,
                                          double *buffer)
{
    if (t->features[f] != NULL)
        return t->features[f] + id * (SYNTH_VECTOR + t->rank[f]);
    derive_feature(t, f, id, buffer);
    return buffer;
}

/* The three parts of a row's logit, not yet scaled: first order, pairs, the small network. */
static void logit_parts(const synth_teacher *t, const uint32_t *ids, double parts[3])
{
    double sum[SYNTH_MAX_RANK] = { 0 }, hidden[SYNTH_HIDDEN] = { 0 };
    double linear = 0.0, pairs = 0.0, nonlinear = 0.0, buffer[SYNTH_FEATURE_MAX];
    for (size_t f = 0; f < t->shape->n_fields; f++) {
        const size_t rank = t->rank[f];
        if (rank == 0)
            continue;
        const double *x = adass_synth_teacher_feature(t, f, ids[f], buffer);
        linear += x[SYNTH_LINEAR];
        pairs -= x[SYNTH_SQUARES];
        for (size_t h = 0; h < SYNTH_HIDDEN; h++)
            hidden[h] += x[SYNTH_PROJECTED + h];
        for (size_t k = 0; k < rank; k++)
            sum[k] += x[SYNTH_VECTOR + k];
    }
    for (size_t k = 0; k < SYNTH_MAX_RANK; k++)
        pairs += t->component[k] * (sum[k] * sum[k]);
    for (size_t h = 0; h < SYNTH_HIDDEN; h++)
        nonlinear += t->hidden_out[h] * hidden[h] / (1.0 + fabs(hidden[h]));
    parts[0] = linear;
    parts[1] = 0.5 * pairs;
    parts[2] = nonlinear;
}

static double combine(const synth_teacher *t, double bias, const double parts[3])
{
    return bias + t->scale_linear * parts[0] + t->scale_pairs * parts[1] +
           t->scale_nonlinear * parts[2];
}

double adass_synth_teacher_logit(const synth_teacher *t, const uint32_t *ids)
{
    double parts[3];
    logit_parts(t, ids, parts);
    return combine(t, t->bias, parts);
}

double adass_synth_teacher_noise(const synth_teacher *t, uint64_t row)
{
    if (t->noise == 0.0)
        return 0.0;
    return t->noise * normal_at(adass_seed_derive(t->seed, SYNTH_STREAM_NOISE), row);
}

void adass_synth_teacher_draw(const synth_teacher *t, uint64_t row, uint32_t *ids)
{
    for (size_t f = 0; f < t->shape->n_fields; f++)
        ids[f] = adass_synth_law_draw(&t->laws[f], adass_mix_at(t->id_seed[f], row));
}

/* ---- calibration: scales and bias from a sample of rows that is not part of the data ---- */

static const uint64_t calibration_row = UINT64_C(1) << 62;

static void sample_parts(const synth_teacher *t, double (*parts)[3])
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < CALIBRATION_ROWS; i++) {
        uint32_t ids[SYNTH_MAX_FIELDS];
        adass_synth_teacher_draw(t, calibration_row + i, ids);
        logit_parts(t, ids, parts[i]);
    }
}

static double scale_of(double (*parts)[3], int part, double wanted_variance)
{
    double mean = 0.0, variance = 0.0;
    for (size_t i = 0; i < CALIBRATION_ROWS; i++)
        mean += parts[i][part] / CALIBRATION_ROWS;
    for (size_t i = 0; i < CALIBRATION_ROWS; i++)
        variance += (parts[i][part] - mean) * (parts[i][part] - mean) / CALIBRATION_ROWS;
    return sqrt(wanted_variance / variance);
}

/* The label rate rises with the bias: bisection. `rates` is work space. */
static double find_bias(const double *logits, double *rates, double label_rate)
{
    double low = -30.0, high = 30.0, bias = 0.0;
    for (int step = 0; step < 50; step++) {
        bias = 0.5 * (low + high);
        double rate = 0.0;
#pragma omp parallel for schedule(static)
        for (size_t i = 0; i < CALIBRATION_ROWS; i++)
            rates[i] = portable_sigmoid(logits[i] + bias) / CALIBRATION_ROWS;
        for (size_t i = 0; i < CALIBRATION_ROWS; i++) /* in order, for the same bits */
            rate += rates[i];
        if (rate < label_rate)
            low = bias;
        else
            high = bias;
    }
    return bias;
}

static adass_status calibrate(synth_teacher *t, adass_error *err)
{
    double(*parts)[3] = malloc(CALIBRATION_ROWS * sizeof *parts);
    double *logits = malloc(2 * CALIBRATION_ROWS * sizeof *logits);
    if (logits == NULL || parts == NULL) {
        free(logits);
        free(parts);
        return adass_fail_memory(err, "the teacher's calibration", CALIBRATION_ROWS * 40.0);
    }
    sample_parts(t, parts);
    const synth_shape *shape = t->shape;
    t->scale_linear = shape->logit_std * scale_of(parts, 0, shape->linear);
    t->scale_pairs = shape->logit_std * scale_of(parts, 1, shape->pairs);
    t->scale_nonlinear = shape->logit_std * scale_of(parts, 2, shape->nonlinear);
    for (size_t i = 0; i < CALIBRATION_ROWS; i++)
        logits[i] = combine(t, 0.0, parts[i]) + adass_synth_teacher_noise(t, calibration_row + i);
    t->bias = find_bias(logits, logits + CALIBRATION_ROWS, shape->label_rate);
    free(logits);
    free(parts);
    return ADASS_OK;
}

adass_status adass_synth_teacher_init(synth_teacher *t, const adass_synth_options *options,
                                      adass_error *err)
{
    *t = (synth_teacher){ .seed = options->seed,
                          .noise = options->noise,
                          .oov_is_silent = options->rare_is_silent };
    t->shape = adass_synth_shape_find(options->shape, err);
    if (t->shape == NULL)
        return ADASS_EINVAL;
    if (!(options->noise >= 0.0 && options->noise <= 100.0))
        return adass_fail(err, ADASS_EINVAL, "noise %g: it is a standard deviation of 0 to 100",
                          options->noise);
    t->rows = options->rows != 0 ? options->rows : t->shape->rows;
    for (size_t f = 0; f < t->shape->n_fields; f++)
        t->rank[f] = t->shape->fields[f].rank;
    adass_status status = choose_null_fields(t, options->null_fields, err);
    if (status == ADASS_OK)
        status = init_hidden(t, err);
    if (status == ADASS_OK)
        balance_components(t);
    for (size_t f = 0; f < t->shape->n_fields && status == ADASS_OK; f++)
        status = init_field(t, f, options->rare_is_silent, err);
    return status == ADASS_OK ? calibrate(t, err) : status;
}

void adass_synth_teacher_free(synth_teacher *t)
{
    for (size_t f = 0; f < SYNTH_MAX_FIELDS; f++) {
        adass_synth_law_free(&t->laws[f]);
        free(t->features[f]);
    }
    free(t->hidden_in);
}
