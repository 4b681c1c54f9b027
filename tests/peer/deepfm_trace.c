/*
 * Trains every backbone on a small planted problem and writes all that another implementation needs
 * to repeat it: data, order of the samples, start values; and what came out: the loss of each step,
 * the test logits and their AUC. check_deepfm.py reads it.
 *
 *   deepfm_trace DIR
 *
 * DIR must exist. Files in it: train_ids.npy, train_labels.npy, test_ids.npy, test_labels.npy,
 * order.npy (row numbers, one epoch a row) and, for each run,
 * <run>.json, <run>.losses.npy, <run>.logits.npy and <run>.<tensor>.npy with the start values.
 */
#include "adass/kernels.h"
#include "adass/metrics.h"
#include "adass/model.h"
#include "adass/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    FIELDS = 8,
    TRUE_RANK = 3,
    TRAIN = 51300,
    TEST = 20000,
    BATCH = 256, /* the last batch of an epoch is smaller */
    EPOCHS = 2,
    STEPS_AN_EPOCH = (TRAIN + BATCH - 1) / BATCH,
    THREADS = 2
};

/* Sizes of every kind: 1, powers of two, others, and a dropped field. */
static const size_t vocab[FIELDS] = { 3000, 1500, 800, 200, 50, 2000, 400, 7 };
static const size_t sizes[FIELDS] = { 4, 16, 8, 1, 2, 11, 0, 6 };

static const size_t no_sizes[FIELDS] = { 0 }; /* lr's */

static const double l2_of_runs[] = { 0.0, 1e-3 };

/* One set of samples. */
typedef struct samples {
    size_t n;
    uint32_t *ids; /* [n x FIELDS] */
    float *labels; /* [n] */
} samples;

typedef struct run {
    const char *dir;
    char name[64];
    const size_t *sizes;
    adass_compute compute;
    adass_model_config model;
    adass_trainer_config trainer;
} run;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "deepfm_trace: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void check(adass_status status, const adass_error *err)
{
    if (status != ADASS_OK)
        die("failed", err->message);
}

static void *allocate(size_t n, size_t bytes)
{
    void *p = calloc(n, bytes);
    if (p == NULL)
        die("allocation", "out of memory");
    return p;
}

/* ---- files ---- */

static FILE *create(const char *dir, const char *name, const char *extension)
{
    char path[4096];
    const int chars = snprintf(path, sizeof path, "%s/%s.%s", dir, name, extension);
    if (chars < 0 || (size_t)chars >= sizeof path)
        die(name, "the path is too long");
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        die(path, "cannot be created");
    return file;
}

static void finish(FILE *file, const char *name)
{
    const int failed = ferror(file);
    if (fclose(file) != 0 || failed)
        die(name, "cannot be written");
}

/*
 * A little-endian NumPy file, version 1.0: magic, length of the header, header padded to whole 64
 * bytes, data.
 */
static void write_npy(const char *dir, const char *name, const char *type, size_t element_bytes,
                      const void *data, size_t rows, size_t cols)
{
    enum { PREFIX = 10, HEADER = 128 - PREFIX };
    char header[HEADER + 1];
    const int chars = snprintf(header, sizeof header,
                               "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
                               type, rows, cols);
    FILE *file = create(dir, name, "npy");
    fwrite("\x93NUMPY\x01\x00", 1, 8, file);
    fputc(HEADER, file);
    fputc(0, file);
    fprintf(file, "%-*.*s\n", HEADER - 1, chars, header);
    fwrite(data, element_bytes, rows * cols, file);
    finish(file, name);
}

static void write_samples(const char *dir, const char *ids_name, const char *labels_name,
                          const samples *s)
{
    write_npy(dir, ids_name, "<u4", sizeof *s->ids, s->ids, s->n, FIELDS);
    write_npy(dir, labels_name, "<f4", sizeof *s->labels, s->labels, s->n, 1);
}

/* ---- the problem ---- */

/*
 * An id with p(id) ~ (id + 1)^-1.05, by the inverse of the continuous distribution on [1, vocab).
 */
static uint32_t draw_id(adass_rng *rng, size_t n)
{
    const double power = 1.0 - 1.05;
    const double x = pow(1.0 + adass_rng_unit(rng) * (pow((double)n, power) - 1.0), 1.0 / power);
    return (uint32_t)(fmin(x, (double)n) - 1.0);
}

/* Component k of the hidden truth of one feature; component TRUE_RANK is its first-order weight. */
static double truth(size_t field, uint32_t id, uint64_t k)
{
    adass_rng rng;
    adass_rng_init(&rng, adass_seed_derive(field, (uint64_t)id * (TRUE_RANK + 1) + k));
    return 0.5 * adass_rng_normal(&rng);
}

static double true_logit(const uint32_t *ids)
{
    double z = -1.0;
    for (size_t f = 0; f < FIELDS; f++)
        z += 0.7 * truth(f, ids[f], TRUE_RANK);
    for (uint64_t k = 0; k < TRUE_RANK; k++) {
        double sum = 0.0, squares = 0.0;
        for (size_t f = 0; f < FIELDS; f++) {
            const double x = truth(f, ids[f], k);
            sum += x;
            squares += x * x;
        }
        z += 0.5 * (sum * sum - squares);
    }
    return z;
}

static samples make_samples(size_t n, uint64_t seed)
{
    const samples s = { .n = n,
                        .ids = allocate(n * FIELDS, sizeof *s.ids),
                        .labels = allocate(n, sizeof *s.labels) };
    adass_rng rng;
    adass_rng_init(&rng, seed);
    for (size_t i = 0; i < n; i++) {
        uint32_t *ids = s.ids + i * FIELDS;
        for (size_t f = 0; f < FIELDS; f++)
            ids[f] = draw_id(&rng, vocab[f]);
        s.labels[i] = adass_rng_unit(&rng) < 1.0 / (1.0 + exp(-true_logit(ids))) ? 1.0f : 0.0f;
    }
    return s;
}

static void free_samples(samples *s)
{
    free(s->ids);
    free(s->labels);
}

/* A permutation of the training rows for each epoch, one after the other. */
static uint32_t *make_order(void)
{
    uint32_t *order = allocate((size_t)EPOCHS * TRAIN, sizeof *order);
    adass_rng rng;
    adass_rng_init(&rng, 99);
    for (size_t e = 0; e < EPOCHS; e++) {
        uint32_t *rows = order + e * TRAIN;
        for (uint32_t i = 0; i < TRAIN; i++) { /* Fisher and Yates, inside out */
            const size_t k = (size_t)adass_rng_below(&rng, i + 1);
            rows[i] = rows[k];
            rows[k] = i;
        }
    }
    return order;
}

/* ---- runs ---- */

static void write_start_values(const run *r, adass_model *model)
{
    for (size_t i = 0; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = adass_model_tensor(model, i, NULL);
        char name[sizeof r->name + sizeof t.name + 1];
        snprintf(name, sizeof name, "%s.%s", r->name, t.name);
        write_npy(r->dir, name, "<f4", sizeof *t.data, t.data, t.rows, t.cols);
    }
}

static void gather_batch(const samples *train, const uint32_t *rows, size_t n, uint32_t *ids,
                         float *labels)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < FIELDS; f++)
            ids[i * FIELDS + f] = train->ids[rows[i] * FIELDS + f];
        labels[i] = train->labels[rows[i]];
    }
}

static void train_epoch(adass_trainer *trainer, const samples *train, const uint32_t *order,
                        double *losses)
{
    uint32_t *ids = allocate((size_t)BATCH * FIELDS, sizeof *ids);
    float *labels = allocate(BATCH, sizeof *labels);
    for (size_t step = 0; step < STEPS_AN_EPOCH; step++) {
        const size_t left = TRAIN - step * BATCH;
        const adass_batch batch = { .n = left < BATCH ? left : BATCH,
                                    .ids = ids,
                                    .labels = labels };
        adass_error err;
        gather_batch(train, order + step * BATCH, batch.n, ids, labels);
        check(adass_trainer_step(trainer, NULL, &batch, NULL, &losses[step], &err), &err);
    }
    free(ids);
    free(labels);
}

static void train_run(const run *r, adass_model *model, const samples *train, const uint32_t *order)
{
    double *losses = allocate((size_t)EPOCHS * STEPS_AN_EPOCH, sizeof *losses);
    adass_trainer *trainer = NULL;
    adass_error err;
    check(adass_trainer_create(&trainer, model, &r->compute, &r->trainer, &err), &err);
    for (size_t e = 0; e < EPOCHS; e++)
        train_epoch(trainer, train, order + e * TRAIN, losses + e * STEPS_AN_EPOCH);
    adass_trainer_destroy(trainer);
    char name[sizeof r->name + 8];
    snprintf(name, sizeof name, "%s.losses", r->name);
    write_npy(r->dir, name, "<f8", sizeof *losses, losses, 1, (size_t)EPOCHS * STEPS_AN_EPOCH);
    free(losses);
}

static double test_run(const run *r, const adass_model *model, const samples *test)
{
    float *logits = allocate(test->n, sizeof *logits);
    double auc;
    adass_error err;
    check(adass_model_predict(model, &r->compute, NULL, test->ids, test->n, logits, &err), &err);
    check(adass_auc(logits, test->labels, test->n, &auc, &err), &err);
    char name[sizeof r->name + 8];
    snprintf(name, sizeof name, "%s.logits", r->name);
    write_npy(r->dir, name, "<f4", sizeof *logits, logits, test->n, 1);
    free(logits);
    return auc;
}

static void write_numbers(FILE *file, const char *name, const size_t *values, size_t n)
{
    fprintf(file, " \"%s\": [", name);
    for (size_t i = 0; i < n; i++)
        fprintf(file, "%s%zu", i > 0 ? ", " : "", values[i]);
    fprintf(file, "],\n");
}

static void write_description(const run *r, double auc)
{
    FILE *file = create(r->dir, r->name, "json");
    fprintf(file, "{\"backbone\": \"%s\", \"isa\": \"%s\",\n",
            adass_backbone_name(r->model.backbone), r->compute.kernels->isa);
    write_numbers(file, "sizes", r->sizes, FIELDS);
    write_numbers(file, "hidden", r->model.hidden, r->model.n_hidden);
    fprintf(file,
            " \"batch\": %zu, \"learning_rate\": %.17g, \"beta1\": %.17g, \"beta2\": %.17g,\n",
            r->trainer.batch_size, r->trainer.learning_rate, r->trainer.beta1, r->trainer.beta2);
    fprintf(file, " \"epsilon\": %.17g, \"l2\": %.17g, \"auc\": %.17g}\n", r->trainer.epsilon,
            r->trainer.l2, auc);
    finish(file, r->name);
}

static run describe_run(const char *dir, adass_backbone backbone, double l2)
{
    run r = {
        .dir = dir,
        .sizes = backbone == ADASS_LR ? no_sizes : sizes,
        .compute = { .threads = THREADS },
        .model = { .backbone = backbone,
                   .n_hidden = 2,
                   .hidden = { 32, 16 },
                   .init_std = 0.1f,
                   .seed = 2024 },
        .trainer = { .batch_size = BATCH,
                     .learning_rate = 1e-3,
                     .beta1 = 0.9,
                     .beta2 = 0.999,
                     .epsilon = 1e-8,
                     .l2 = l2 },
    };
    adass_error err;
    check(adass_kernels_get("best", &r.compute.kernels, &err), &err);
    snprintf(r.name, sizeof r.name, "%s-l2_%g", adass_backbone_name(backbone), l2);
    return r;
}

static void do_run(const run *r, const samples *train, const samples *test, const uint32_t *order)
{
    adass_model *model = NULL;
    adass_error err;
    check(adass_model_create(&model, &r->model, FIELDS, vocab, r->sizes, &err), &err);
    write_start_values(r, model);
    train_run(r, model, train, order);
    write_description(r, test_run(r, model, test));
    adass_model_destroy(model);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die("usage", "deepfm_trace DIR");
    const char *dir = argv[1];
    samples train = make_samples(TRAIN, 1), test = make_samples(TEST, 2);
    uint32_t *order = make_order();
    write_samples(dir, "train_ids", "train_labels", &train);
    write_samples(dir, "test_ids", "test_labels", &test);
    write_npy(dir, "order", "<u4", sizeof *order, order, EPOCHS, TRAIN);
    for (int backbone = 0; backbone < ADASS_N_BACKBONES; backbone++)
        for (size_t i = 0; i < sizeof l2_of_runs / sizeof l2_of_runs[0]; i++) {
            const run r = describe_run(dir, (adass_backbone)backbone, l2_of_runs[i]);
            do_run(&r, &train, &test, order);
        }
    free(order);
    free_samples(&train);
    free_samples(&test);
    return EXIT_SUCCESS;
}
