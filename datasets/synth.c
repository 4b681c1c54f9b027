/* Planted data: a teacher with known ranks, and rows drawn from it. */
#include "adass/synth.h"

#include "adass/metrics.h"
#include "adass/rng.h"
#include "meta.h"
#include "portable_math.h"
#include "split_at.h"
#include "writer.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_FIELDS = 64,
    MAX_RANK = 64,
    HIDDEN = 8,
    BLOCK_ROWS = 1 << 15,
    CALIBRATION_ROWS = 1 << 16
};

typedef struct shape_field {
    const char *name;
    size_t vocab; /* with the OOV id */
    size_t rank;
    double exponent; /* of the frequencies */
} shape_field;

typedef struct synth_shape {
    const char *name;
    size_t rows; /* by default */
    double label_rate;
    double logit_std;                /* spread of the teacher's logits: how much there is to know */
    double linear, pairs, nonlinear; /* shares of the logit's variance, sum 1 */
    size_t n_fields;
    const shape_field *fields;
} synth_shape;

/* Ranks go across vocabularies, so that a size cannot be guessed from the vocabulary. */
static const shape_field tiny_fields[] = {
    { "f0", 2001, 2, 1.0 }, { "f1", 1501, 8, 1.0 }, { "f2", 801, 16, 0.8 }, { "f3", 501, 1, 1.0 },
    { "f4", 301, 16, 0.6 }, { "f5", 121, 4, 0.8 },  { "f6", 61, 8, 0.6 },   { "f7", 31, 2, 0.6 },
};

/* Fields and vocabularies of MovieLens-1M. Large vocabularies have ranks that some hundred rows a feature can teach. */
static const shape_field movielens_fields[] = {
    { "user", 6041, 4, 0.6 }, { "item", 3679, 8, 0.9 },     { "gender", 3, 1, 0.5 },
    { "age", 8, 4, 0.5 },     { "occupation", 22, 8, 0.5 }, { "zip", 3440, 1, 0.6 },
    { "year", 82, 16, 0.9 },  { "genres", 302, 16, 0.9 },
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const synth_shape shapes[] = {
    { "tiny", 200000, 0.3, 2.0, 0.2, 0.65, 0.15, COUNT(tiny_fields), tiny_fields },
    { "movielens", 1000000, 0.575, 1.5, 0.3, 0.55, 0.15, COUNT(movielens_fields),
      movielens_fields },
};

/* Streams of random numbers, apart from one another. */
enum {
    STREAM_VECTORS = 1,
    STREAM_LINEAR = 100,
    STREAM_IDS = 200,
    STREAM_HIDDEN = 300,
    STREAM_LABELS,
    STREAM_SPLIT
};

/* Draws ids by Walker's alias method. */
typedef struct id_law {
    size_t n; /* ids 1..n */
    double *keep;
    uint32_t *alias;
} id_law;

typedef struct teacher {
    const synth_shape *shape;
    uint64_t seed;
    id_law laws[MAX_FIELDS];
    float *vectors[MAX_FIELDS]; /* [vocab x rank] */
    float *linear[MAX_FIELDS];  /* [vocab] */
    double component[MAX_RANK]; /* s_k */
    float *hidden_in;           /* [sum of ranks x HIDDEN] */
    double hidden_out[HIDDEN];
    double scale[3], bias; /* of the linear, pair and nonlinear parts */
} teacher;

static double normal_at(uint64_t seed, uint64_t i)
{
    return adass_normal(adass_mix_at(seed, 3 * i), adass_mix_at(seed, 3 * i + 1),
                        adass_mix_at(seed, 3 * i + 2));
}

/* ---- ids ---- */

static adass_status law_init(id_law *law, uint32_t n, double exponent, adass_error *err)
{
    law->n = n;
    law->keep = malloc(n * sizeof *law->keep);
    law->alias = calloc(n, sizeof *law->alias);
    uint32_t *work = malloc(n * sizeof *work);
    if (law->keep == NULL || law->alias == NULL || work == NULL) {
        free(work);
        return adass_fail_memory(err, "an id distribution", (double)n * 16.0);
    }
    double total = 0.0;
    for (size_t i = 0; i < n; i++) {
        law->keep[i] = portable_exp(-exponent * portable_log((double)(i + 1)));
        total += law->keep[i];
    }
    size_t small = 0,
           large = n; /* work: those below the mean from the front, the others from the back */
    for (size_t i = 0; i < n; i++) {
        law->keep[i] *= (double)n / total;
        if (law->keep[i] < 1.0)
            work[small++] = (uint32_t)i;
        else
            work[--large] = (uint32_t)i;
    }
    while (small > 0 && large < n) {
        const uint32_t less = work[--small], more = work[large];
        law->alias[less] = more;
        law->keep[more] -= 1.0 - law->keep[less];
        if (law->keep[more] < 1.0) {
            large++;
            work[small++] = more;
        }
    }
    while (small > 0)
        law->keep[work[--small]] = 1.0;
    while (large < n)
        law->keep[work[large++]] = 1.0;
    free(work);
    return ADASS_OK;
}

static uint32_t law_draw(const id_law *law, uint64_t word)
{
    const double u = adass_unit(word) * (double)law->n;
    const size_t i = (size_t)u;
    return 1 + (u - (double)i < law->keep[i] ? (uint32_t)i : law->alias[i]);
}

/* ---- the teacher ---- */

static size_t total_rank(const synth_shape *shape)
{
    size_t total = 0;
    for (size_t f = 0; f < shape->n_fields; f++)
        total += shape->fields[f].rank;
    return total;
}

static void teacher_free(teacher *t)
{
    for (size_t f = 0; f < MAX_FIELDS; f++) {
        free(t->laws[f].keep);
        free(t->laws[f].alias);
        free(t->vectors[f]);
        free(t->linear[f]);
    }
    free(t->hidden_in);
}

/* s_k: every component's sum over pairs of fields has variance 1 / (number of components). */
static void balance_components(teacher *t)
{
    const synth_shape *shape = t->shape;
    size_t components = 0;
    for (size_t k = 0; k < MAX_RANK; k++) {
        size_t fields = 0;
        for (size_t f = 0; f < shape->n_fields; f++)
            fields += shape->fields[f].rank > k;
        const double pairs = (double)fields * ((double)fields - 1.0) / 2.0;
        t->component[k] = pairs > 0.0 ? 1.0 / sqrt(pairs) : 0.0;
        components += pairs > 0.0;
    }
    for (size_t k = 0; k < MAX_RANK; k++)
        t->component[k] /= sqrt((double)components);
}

static adass_status teacher_init(teacher *t, const synth_shape *shape, uint64_t seed,
                                 adass_error *err)
{
    *t = (teacher){ .shape = shape, .seed = seed };
    const size_t width = total_rank(shape);
    t->hidden_in = malloc(HIDDEN * width * sizeof *t->hidden_in);
    if (t->hidden_in == NULL)
        return adass_fail_memory(err, "the teacher", (double)width * HIDDEN * 4.0);
    const uint64_t hidden_seed = adass_seed_derive(seed, STREAM_HIDDEN);
    for (size_t i = 0; i < HIDDEN * width; i++)
        t->hidden_in[i] = (float)(normal_at(hidden_seed, i) * 2.0 / sqrt((double)width));
    for (size_t h = 0; h < HIDDEN; h++)
        t->hidden_out[h] = normal_at(hidden_seed, HIDDEN * width + h);
    for (size_t f = 0; f < shape->n_fields; f++) {
        const shape_field *field = &shape->fields[f];
        const size_t floats = field->vocab * field->rank;
        t->vectors[f] = malloc(floats * sizeof *t->vectors[f]);
        t->linear[f] = malloc(field->vocab * sizeof *t->linear[f]);
        if (t->vectors[f] == NULL || t->linear[f] == NULL)
            return adass_fail_memory(err, "the teacher", (double)floats * 4.0);
        const uint64_t vector_seed = adass_seed_derive(seed, STREAM_VECTORS + f);
        const uint64_t linear_seed = adass_seed_derive(seed, STREAM_LINEAR + f);
        for (size_t i = 0; i < floats; i++)
            t->vectors[f][i] = (float)normal_at(vector_seed, i);
        for (size_t i = 0; i < field->vocab; i++)
            t->linear[f][i] = (float)normal_at(linear_seed, i);
        const adass_status status =
            law_init(&t->laws[f], (uint32_t)field->vocab - 1, field->exponent, err);
        if (status != ADASS_OK)
            return status;
    }
    balance_components(t);
    return ADASS_OK;
}

static void draw_ids(const teacher *t, uint64_t row, uint32_t *ids)
{
    for (size_t f = 0; f < t->shape->n_fields; f++)
        ids[f] =
            law_draw(&t->laws[f], adass_mix_at(adass_seed_derive(t->seed, STREAM_IDS + f), row));
}

/* The three parts of a row's logit, not yet scaled. */
static void logit_parts(const teacher *t, const uint32_t *ids, double parts[3])
{
    const synth_shape *shape = t->shape;
    double sum[MAX_RANK] = { 0 }, squares[MAX_RANK] = { 0 }, hidden[HIDDEN] = { 0 };
    const float *in = t->hidden_in;
    parts[0] = parts[1] = parts[2] = 0.0;
    for (size_t f = 0; f < shape->n_fields; f++) {
        const size_t rank = shape->fields[f].rank;
        const float *x = t->vectors[f] + ids[f] * rank;
        parts[0] += (double)t->linear[f][ids[f]];
        for (size_t k = 0; k < rank; k++, in += HIDDEN) {
            const double v = (double)x[k];
            sum[k] += v;
            squares[k] += v * v;
            for (size_t h = 0; h < HIDDEN; h++)
                hidden[h] += (double)in[h] * v;
        }
    }
    for (size_t k = 0; k < MAX_RANK; k++)
        parts[1] += t->component[k] * 0.5 * (sum[k] * sum[k] - squares[k]);
    for (size_t h = 0; h < HIDDEN; h++)
        parts[2] += t->hidden_out[h] * hidden[h] / (1.0 + fabs(hidden[h]));
}

static double logit_of(const teacher *t, const uint32_t *ids)
{
    double parts[3];
    logit_parts(t, ids, parts);
    return t->bias + t->scale[0] * parts[0] + t->scale[1] * parts[1] + t->scale[2] * parts[2];
}

/* Scales of the parts and the bias, from a sample of rows that is not part of the data. */
static adass_status calibrate(teacher *t, adass_error *err)
{
    double *logits = malloc(CALIBRATION_ROWS * sizeof *logits);
    double(*parts)[3] = malloc(CALIBRATION_ROWS * sizeof *parts);
    if (logits == NULL || parts == NULL) {
        free(logits);
        free(parts);
        return adass_fail_memory(err, "the teacher's calibration", CALIBRATION_ROWS * 32.0);
    }
    double mean[3] = { 0 }, variance[3] = { 0 };
    for (size_t i = 0; i < CALIBRATION_ROWS; i++) {
        uint32_t ids[MAX_FIELDS];
        draw_ids(t, (UINT64_C(1) << 62) + i, ids);
        logit_parts(t, ids, parts[i]);
        for (int p = 0; p < 3; p++)
            mean[p] += parts[i][p] / CALIBRATION_ROWS;
    }
    for (size_t i = 0; i < CALIBRATION_ROWS; i++)
        for (int p = 0; p < 3; p++)
            variance[p] += (parts[i][p] - mean[p]) * (parts[i][p] - mean[p]) / CALIBRATION_ROWS;
    const double share[3] = { t->shape->linear, t->shape->pairs, t->shape->nonlinear };
    for (int p = 0; p < 3; p++)
        t->scale[p] = t->shape->logit_std * sqrt(share[p] / variance[p]);
    for (size_t i = 0; i < CALIBRATION_ROWS; i++)
        logits[i] =
            t->scale[0] * parts[i][0] + t->scale[1] * parts[i][1] + t->scale[2] * parts[i][2];

    double low = -30.0, high = 30.0; /* bisection: the label rate rises with the bias */
    for (int step = 0; step < 50; step++) {
        t->bias = 0.5 * (low + high);
        double rate = 0.0;
        for (size_t i = 0; i < CALIBRATION_ROWS; i++)
            rate += portable_sigmoid(logits[i] + t->bias) / CALIBRATION_ROWS;
        if (rate < t->shape->label_rate)
            low = t->bias;
        else
            high = t->bias;
    }
    free(logits);
    free(parts);
    return ADASS_OK;
}

/* ---- rows ---- */

typedef struct block {
    uint32_t *ids;   /* [BLOCK_ROWS x n_fields] */
    uint8_t *labels; /* [BLOCK_ROWS] */
    uint8_t *splits; /* [BLOCK_ROWS] */
    float *logits;   /* [BLOCK_ROWS] */
} block;

/*
 * What is kept of the rows: the teacher's test scores with labels, and the rows of each class a
 * split.
 */
typedef struct scores {
    float *logits, *labels;
    size_t n, capacity;
    size_t classes[ADASS_N_SPLITS][2];
} scores;

static void make_rows(const teacher *t, block *b, uint64_t first, size_t n)
{
    const uint64_t label_seed = adass_seed_derive(t->seed, STREAM_LABELS);
    const uint64_t split_seed = adass_seed_derive(t->seed, STREAM_SPLIT);
    const size_t n_fields = t->shape->n_fields;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        draw_ids(t, first + i, b->ids + i * n_fields);
        const double logit = logit_of(t, b->ids + i * n_fields);
        const double luck = adass_unit(adass_mix_at(label_seed, first + i));
        b->logits[i] = (float)logit;
        b->labels[i] = luck < portable_sigmoid(logit);
        b->splits[i] = (uint8_t)adass_split_at(split_seed, first + i);
    }
}

static adass_status keep_score(scores *s, float logit, float label, adass_error *err)
{
    if (s->n == s->capacity) {
        const size_t capacity = s->capacity * 2 + 4096;
        float *logits = realloc(s->logits, capacity * sizeof *logits);
        if (logits != NULL)
            s->logits = logits;
        float *labels = realloc(s->labels, capacity * sizeof *labels);
        if (labels != NULL)
            s->labels = labels;
        if (logits == NULL || labels == NULL)
            return adass_fail_memory(err, "the teacher's scores", (double)capacity * 8.0);
        s->capacity = capacity;
    }
    s->logits[s->n] = logit;
    s->labels[s->n++] = label;
    return ADASS_OK;
}

static adass_status write_block(const teacher *t, const block *b, size_t n, adass_writer *writer,
                                scores *test, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < n && status == ADASS_OK; i++) {
        const adass_split split = (adass_split)b->splits[i];
        status =
            adass_writer_add(writer, split, b->ids + i * t->shape->n_fields, &b->labels[i], 1, err);
        test->classes[split][b->labels[i]]++;
        if (status == ADASS_OK && split == ADASS_TEST)
            status = keep_score(test, b->logits[i], (float)b->labels[i], err);
    }
    return status;
}

static adass_status write_rows(const teacher *t, size_t rows, const adass_monitor *monitor,
                               adass_writer *writer, scores *test, adass_error *err)
{
    block b = {
        .ids = malloc(BLOCK_ROWS * t->shape->n_fields * sizeof *b.ids),
        .labels = malloc(BLOCK_ROWS),
        .splits = malloc(BLOCK_ROWS),
        .logits = malloc(BLOCK_ROWS * sizeof *b.logits),
    };
    adass_status status = ADASS_OK;
    if (b.ids == NULL || b.labels == NULL || b.splits == NULL || b.logits == NULL)
        status = adass_fail_memory(err, "a block of rows", BLOCK_ROWS * 4.0 * MAX_FIELDS);
    for (size_t first = 0; first < rows && status == ADASS_OK; first += BLOCK_ROWS) {
        const size_t n = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
        make_rows(t, &b, first, n);
        status = write_block(t, &b, n, writer, test, err);
        if (status == ADASS_OK)
            status = adass_monitor_tick(monitor, "synth", first + n, rows, "", err);
    }
    free(b.ids);
    free(b.labels);
    free(b.splits);
    free(b.logits);
    return status;
}

/* Without both classes in each split nothing can be trained, stopped early or measured. */
static adass_status check_classes(const scores *s, size_t rows, adass_error *err)
{
    for (size_t split = 0; split < ADASS_N_SPLITS; split++)
        for (int c = 0; c < 2; c++)
            if (s->classes[split][c] == 0)
                return adass_fail(
                    err, ADASS_EINVAL,
                    "%zu rows are too few: the %s split has no row with label %d; ask for more",
                    rows, adass_split_name((adass_split)split), c);
    return ADASS_OK;
}

static adass_status finish(const teacher *t, size_t rows, adass_writer *writer, const scores *test,
                           adass_error *err)
{
    double teacher_auc = 0.0;
    adass_status status = check_classes(test, rows, err);
    if (status == ADASS_OK)
        status = adass_auc(test->logits, test->labels, test->n, &teacher_auc, err);
    if (status != ADASS_OK)
        return status;
    json_t *made = json_pack("{s:s, s:s, s:I, s:o}", "by", "synth", "shape", t->shape->name, "rows",
                             (json_int_t)rows, "seed", adass_json_u64(t->seed));
    if (made == NULL)
        return adass_fail_memory(err, "meta.json", 1024.0);
    adass_field fields[MAX_FIELDS];
    for (size_t f = 0; f < t->shape->n_fields; f++)
        fields[f] = (adass_field){
            .name = (char *)t->shape->fields[f].name,
            .vocab = t->shape->fields[f].vocab,
            .oov = 0,
            .true_rank = t->shape->fields[f].rank,
        };
    status = adass_writer_finish(writer, fields, teacher_auc, made, err);
    json_decref(made);
    return status;
}

static const synth_shape *find_shape(const char *name, adass_error *err)
{
    for (size_t i = 0; i < COUNT(shapes); i++)
        if (strcmp(name, shapes[i].name) == 0)
            return &shapes[i];
    adass_fail(err, ADASS_EINVAL, "no shape named '%s'; there are tiny and movielens", name);
    return NULL;
}

adass_status adass_synth_write(const adass_synth_options *options, const char *out_dir,
                               adass_error *err)
{
    const synth_shape *shape = find_shape(options->shape, err);
    if (shape == NULL)
        return ADASS_EINVAL;
    const size_t rows = options->rows != 0 ? options->rows : shape->rows;
    teacher t;
    adass_writer *writer = NULL;
    scores test = { 0 };
    adass_status status = adass_writer_open(&writer, out_dir, shape->n_fields, err);
    if (status != ADASS_OK) /* told before the work */
        return status;
    status = teacher_init(&t, shape, options->seed, err);
    if (status == ADASS_OK)
        status = calibrate(&t, err);
    if (status == ADASS_OK)
        status = write_rows(&t, rows, options->monitor, writer, &test, err);
    if (status == ADASS_OK)
        status = finish(&t, rows, writer, &test, err);
    adass_writer_close(writer);
    free(test.logits);
    free(test.labels);
    teacher_free(&t);
    return status;
}
