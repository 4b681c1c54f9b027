/*
 * Family `reader`: an epoch in random order over rows of Criteo's shape, and what it costs a
 * training of FM. An item is a row.
 *
 *   what:read      the reader alone: an epoch's order, and all its batches
 *   what:fm        an epoch of FM's training steps on the reader's batches
 *   what:fm_still  the same steps on the rows where they lie, in the file's order: no reader
 *
 * `read` carries two counters, measured against an epoch of fm_still in the same run: of_fm_still, its time as a share
 * of the latter's, and cpu_of_fm_still, the same of the processors' time, of which neighbours take less away. The
 * difference of the other two cases is what reading adds to training.
 *
 * The rows are a dataset in $TMPDIR, with ids by a power law.
 */
#include "axes.h"
#include "harness.h"
#include "shapes.h"

#include "adass/model.h"
#include "adass/rng.h"

#include "writer.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The last size takes a minute a case, and 1.6 GB: it is there for the best ISA alone. */
static const struct {
    const char *name;
    size_t rows;
} sizes[] = { { "1e5", 100000 }, { "1e6", 1000000 }, { "1e7", 10000000 } };

enum {
    N_SIZES = sizeof sizes / sizeof sizes[0],
    N_FIELDS = BENCH_CRITEO_FIELDS,
    EMBEDDING_SIZE = 16,
    ROW_BYTES = N_FIELDS * sizeof(uint32_t) + 1,
    WRITTEN_ROWS = 1 << 16 /* at a time */
};

typedef enum what { WHAT_READ, WHAT_FM, WHAT_FM_STILL, N_WHATS } what;

static const char *const what_names[N_WHATS] = { "read", "fm", "fm_still" };

typedef struct reader reader;

typedef struct reader_case {
    reader *shared;
    const adass_kernels *kernels;
    int threads;
    size_t size;
    what what;
    double still_seconds; /* of an epoch of fm_still, once measured; 0: not yet */
    double still_cpu;     /* the processors' */
} reader_case;

struct reader {
    adass_dataset *dataset; /* the rows of the present size; NULL before the first */
    adass_model *model;     /* shared: a case goes on where the one before stopped */
    reader_case cases[N_SIZES * N_WHATS * BENCH_ISAS_MAX * BENCH_THREADS_MAX];
};

/* One case while it runs. */
typedef struct run {
    reader_case *c;
    const adass_dataset *dataset;
    adass_batches *batches;
    adass_compute compute;
    adass_trainer *trainer;
    uint64_t epoch;
    float *labels; /* fm_still: a batch's */
} run;

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double seconds_now(void) { return seconds_of(CLOCK_MONOTONIC); }

static double cpu_now(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

/* ---- the rows ---- */

/* Rows of the file from `first` on. */
static void fill_rows(uint32_t *ids, uint8_t *labels, size_t first, size_t n)
{
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < N_FIELDS; f++)
            ids[i * N_FIELDS + f] = bench_zipf_id(
                adass_unit(adass_mix_at(1, (first + i) * N_FIELDS + f)), bench_criteo_vocab[f]);
        labels[i] = adass_mix_at(2, first + i) % 4 == 0;
    }
}

static adass_status write_rows(adass_writer *w, size_t rows, adass_error *err)
{
    uint32_t *ids = malloc(WRITTEN_ROWS * N_FIELDS * sizeof *ids);
    uint8_t *labels = malloc(WRITTEN_ROWS);
    adass_status status = ids != NULL && labels != NULL
                              ? ADASS_OK
                              : adass_fail_memory(err, "rows", WRITTEN_ROWS * (double)ROW_BYTES);
    for (size_t first = 0; first < rows && status == ADASS_OK; first += WRITTEN_ROWS) {
        const size_t n = rows - first < WRITTEN_ROWS ? rows - first : WRITTEN_ROWS;
        fill_rows(ids, labels, first, n);
        status = adass_writer_add(w, ADASS_TRAIN, ids, labels, n, err);
    }
    free(ids);
    free(labels);
    return status;
}

static adass_status finish_rows(adass_writer *w, adass_error *err)
{
    char names[N_FIELDS][8];
    adass_field fields[N_FIELDS];
    for (size_t f = 0; f < N_FIELDS; f++) {
        snprintf(names[f], sizeof names[f], "f%zu", f);
        fields[f] = (adass_field){ .name = names[f], .vocab = bench_criteo_vocab[f] };
    }
    json_t *made = json_pack("{s:s}", "by", "adass-bench");
    const adass_status status = adass_writer_finish(w, fields, 0.0, made, err);
    json_decref(made);
    return status;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static adass_status open_rows(reader *shared, const char *dir, size_t rows, adass_error *err)
{
    adass_writer *w = NULL;
    adass_status status = adass_writer_open(&w, dir, N_FIELDS, err);
    if (status == ADASS_OK)
        status = write_rows(w, rows, err);
    if (status == ADASS_OK)
        status = finish_rows(w, err);
    adass_writer_close(w);
    return status == ADASS_OK ? adass_dataset_open(&shared->dataset, dir, err) : status;
}

/* A dataset in $TMPDIR; nothing of it has a name any more when it is used. */
static adass_status make_rows(reader *shared, size_t rows, adass_error *err)
{
    const char *base = getenv("TMPDIR");
    char folder[4096], dir[4096 + 8];
    if (shared->dataset != NULL && shared->dataset->splits[ADASS_TRAIN].n == rows)
        return ADASS_OK;
    adass_dataset_close(shared->dataset);
    shared->dataset = NULL;
    snprintf(folder, sizeof folder, "%s/adass-bench-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return adass_fail(err, ADASS_EIO, "%s: no folder for the rows; set TMPDIR", folder);
    snprintf(dir, sizeof dir, "%s/rows", folder);
    const adass_status status = open_rows(shared, dir, rows, err);
    (void)nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return status;
}

static adass_status make_model(reader *shared, adass_error *err)
{
    if (shared->model != NULL)
        return ADASS_OK;
    const adass_model_config config = { .backbone = ADASS_FM, .init_std = 0.01f, .seed = 1 };
    size_t widths[N_FIELDS];
    for (size_t f = 0; f < N_FIELDS; f++)
        widths[f] = EMBEDDING_SIZE;
    return adass_model_create(&shared->model, &config, N_FIELDS, bench_criteo_vocab, widths, err);
}

/* ---- epochs ---- */

/* An epoch through the reader; with `train`, a step on each batch. */
static adass_status read_epoch(run *r, bool train, size_t *rows, adass_error *err)
{
    adass_batches_shuffle(r->batches, 1, r->epoch++);
    for (*rows = 0;;) {
        adass_batch batch;
        double loss;
        adass_status status = adass_batches_next(r->batches, &batch, err);
        if (status == ADASS_OK && train && batch.n > 0)
            status = adass_trainer_step(r->trainer, NULL, &batch, NULL, &loss, err);
        if (status != ADASS_OK || batch.n == 0)
            return status;
        *rows += batch.n;
    }
}

static adass_status still_epoch(run *r, adass_error *err)
{
    const adass_rows *rows = &r->dataset->splits[ADASS_TRAIN];
    adass_status status = ADASS_OK;
    for (size_t first = 0; first < rows->n && status == ADASS_OK; first += BENCH_BATCH) {
        const size_t left = rows->n - first;
        const adass_batch batch = { .n = left < BENCH_BATCH ? left : BENCH_BATCH,
                                    .ids = rows->ids + first * N_FIELDS,
                                    .labels = r->labels };
        double loss;
        for (size_t i = 0; i < batch.n; i++)
            r->labels[i] = adass_rows_label(rows, first + i);
        status = adass_trainer_step(r->trainer, NULL, &batch, NULL, &loss, err);
    }
    return status;
}

/* Every row once, with its own ids: sums over an epoch against those of the file. */
static adass_status check(run *r, adass_error *err)
{
    const adass_rows *rows = &r->dataset->splits[ADASS_TRAIN];
    uint64_t read = 0, still = 0, n = 0;
    adass_batches_shuffle(r->batches, 1, r->epoch++);
    for (;;) {
        adass_batch batch;
        const adass_status status = adass_batches_next(r->batches, &batch, err);
        if (status != ADASS_OK)
            return status;
        if (batch.n == 0)
            break;
        for (size_t i = 0; i < batch.n; i++)
            read += adass_mix64(batch.ids[i * N_FIELDS + 15] + ((uint64_t)batch.labels[i] << 32));
        n += batch.n;
    }
    for (size_t i = 0; i < rows->n; i++)
        still += adass_mix64(rows->ids[i * N_FIELDS + 15] + ((uint64_t)rows->labels_u8[i] << 32));
    if (n != rows->n || read != still)
        return adass_fail(err, ADASS_EINVAL, "wrong result: an epoch is not the rows of the file");
    return ADASS_OK;
}

static adass_status begin(run *r, reader_case *c, adass_error *err)
{
    r->c = c;
    r->compute = (adass_compute){ .kernels = c->kernels, .threads = c->threads };
    r->labels = malloc(BENCH_BATCH * sizeof *r->labels);
    if (r->labels == NULL)
        return adass_fail_memory(err, "labels", BENCH_BATCH * sizeof *r->labels);
    const adass_trainer_config config = { .batch_size = BENCH_BATCH,
                                          .learning_rate = 1e-3,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8 };
    adass_status status = make_rows(c->shared, sizes[c->size].rows, err);
    r->dataset = c->shared->dataset;
    if (status == ADASS_OK)
        status = make_model(c->shared, err);
    if (status == ADASS_OK)
        status = adass_trainer_create(&r->trainer, c->shared->model, &r->compute, &config, err);
    if (status == ADASS_OK)
        status =
            adass_batches_open(&r->batches, r->dataset, ADASS_TRAIN, BENCH_BATCH, SIZE_MAX, err);
    return status == ADASS_OK ? check(r, err) : status;
}

static void end(run *r)
{
    adass_batches_close(r->batches);
    adass_trainer_destroy(r->trainer);
    free(r->labels);
}

static adass_status measure_still(run *r, adass_error *err)
{
    if (r->c->what != WHAT_READ || r->c->still_seconds > 0.0)
        return ADASS_OK;
    const double began = seconds_now(), cpu_began = cpu_now();
    const adass_status status = still_epoch(r, err);
    r->c->still_seconds = seconds_now() - began;
    r->c->still_cpu = cpu_now() - cpu_began;
    return status;
}

static void run_case(adass_bench_state *state, void *user)
{
    reader_case *c = user;
    adass_error err;
    run r = { 0 };
    size_t rows = 0, epochs = 0;
    adass_status status = begin(&r, c, &err);
    if (status == ADASS_OK)
        status = measure_still(&r, &err);
    const double began = seconds_now(), cpu_began = cpu_now();
    for (; status == ADASS_OK && adass_bench_next(state); epochs++)
        status = c->what == WHAT_FM_STILL ? still_epoch(&r, &err)
                                          : read_epoch(&r, c->what == WHAT_FM, &rows, &err);
    const double share = 1.0 / (double)(epochs > 0 ? epochs : 1);
    const double seconds = (seconds_now() - began) * share, cpu = (cpu_now() - cpu_began) * share;
    if (status != ADASS_OK)
        adass_bench_skip(state, "%s", err.message);
    adass_bench_set_items(state, (double)sizes[c->size].rows);
    if (c->what == WHAT_READ) {
        adass_bench_set_counter(state, "of_fm_still", seconds / c->still_seconds);
        adass_bench_set_counter(state, "cpu_of_fm_still", cpu / c->still_cpu);
    }
    end(&r);
}

static void register_case(reader *shared, reader_case *c)
{
    c->shared = shared;
    char name[BENCH_NAME_CHARS];
    snprintf(name, sizeof name,
             "reader/isa:%s/type:u32/what:%s/shape:criteo/rows:%s/batch:%d/threads:%d",
             c->kernels->isa, what_names[c->what], sizes[c->size].name, BENCH_BATCH, c->threads);
    adass_bench_register(&(adass_bench_case){ .name = name,
                                              .run = run_case,
                                              .user = c,
                                              .threads = c->threads,
                                              .small = c->size == 0 && c->what == WHAT_READ });
}

static void *create(const bench_axes *axes)
{
    reader *shared = calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    reader_case *next = shared->cases;
    for (size_t s = 0; s < N_SIZES; s++)
        for (size_t i = 0; i < (s + 1 < N_SIZES ? axes->n_isas : 1); i++)
            for (size_t t = 0; t < axes->n_threads; t++)
                for (int w = 0; w < N_WHATS; w++, next++) {
                    *next = (reader_case){ .kernels = axes->isas[i],
                                           .threads = axes->threads[t],
                                           .size = s,
                                           .what = (what)w };
                    register_case(shared, next);
                }
    return shared;
}

static void destroy(void *user)
{
    reader *shared = user;
    if (shared == NULL)
        return;
    adass_dataset_close(shared->dataset);
    adass_model_destroy(shared->model);
    free(shared);
}

const bench_family bench_reader = { create, destroy };
