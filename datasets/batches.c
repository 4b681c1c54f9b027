/*
 * Shuffled batches of a split, gathered by a thread of the reader's own.
 *
 * Two buffers: the caller holds one while the thread fills the other, and each hands over by the
 * counters below. All that follows `mutex` in the struct is guarded by it; the order and the buffer
 * being filled belong to the thread while `busy`.
 */
#include "adass/batches.h"

#include "adass/kernels.h"
#include "adass/memory.h"
#include "check_rows.h"
#include "row_order.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Rows are copied by so many, and as many prefetched meanwhile, to the second-level cache: too many for the first. */
enum { GROUP_ROWS = 16, LINE_BYTES = 64 };

enum { LOADED_BYTES = 1 << 26 }; /* at once, some 0.05 s of a fast disk */

enum { N_BUFFERS = 2 };

typedef struct buffer {
    uint32_t *ids; /* [batch_size x n_fields] */
    float *labels; /* [batch_size] */
    size_t n;
} buffer;

struct adass_batches {
    const adass_dataset *dataset;
    adass_split split;
    const adass_rows *rows;
    size_t n_fields, batch_size;
    uint32_t *last_id; /* [n_fields]: the vocabulary's */
    adass_copy_ids_fn *copy_ids;
    adass_row_order order;
    size_t place;            /* the next one of the present window */
    uint32_t advised_blocks; /* of the epoch's: they are being read from disk, or have been */
    buffer buffers[N_BUFFERS];
    pthread_t thread;
    bool has_thread;
    atomic_bool cancel; /* the epoch in hand is not wanted any more */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool stop, busy;
    bool quiet; /* the thread is to begin nothing */
    bool begin; /* an epoch waits for its order */
    uint64_t seed, epoch;
    size_t filled, taken, released; /* batches of the epoch; the caller holds released..taken */
    adass_error failure;            /* of batch `filled`, when its code is not ADASS_OK */
};

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* ---- the thread's work: gathering ---- */

/*
 * Has bytes of the mapping read and their pages found, which is faster in order than row by row. In pieces, so that a
 * caller who wants another epoch need not wait.
 */
static void load(const adass_batches *b, uintptr_t begin, uintptr_t end)
{
    for (uintptr_t at = begin; at < end && !atomic_load_explicit(&b->cancel, memory_order_relaxed);
         at += LOADED_BYTES) {
        const size_t n = end - at < LOADED_BYTES ? end - at : LOADED_BYTES;
        if (madvise((void *)at, n, MADV_POPULATE_READ) != 0)
            return; /* no harm: an older kernel, whose pages come as their rows are read */
    }
}

/* A split that fits is wanted as a whole from the first batch on; a block of a larger one later, while others are read. */
static void advise_block(const adass_batches *b, uint32_t block)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const size_t first = (size_t)block << b->order.block_shift;
    const uintptr_t begin = (uintptr_t)(b->rows->ids + first * b->n_fields) & ~(page - 1);
    const uintptr_t end =
        (uintptr_t)(b->rows->ids +
                    (first + adass_row_order_block_rows(&b->order, block)) * b->n_fields);
    if (b->order.n_blocks == 1)
        load(b, begin, end);
    else
        (void)madvise((void *)begin, end - begin, MADV_WILLNEED); /* no harm where it is refused */
}

/*
 * Has the present window read from disk, and as much of the next one as has been used of this one.
 */
static void advise_blocks(adass_batches *b)
{
    const adass_row_order *order = &b->order;
    const double used = (double)b->place / (double)(order->n_places + 1);
    uint64_t wanted = order->next_block + (uint64_t)(used * order->window_blocks);
    if (wanted > order->n_blocks)
        wanted = order->n_blocks;
    for (; b->advised_blocks < wanted; b->advised_blocks++) {
        advise_block(b, order->blocks[b->advised_blocks]);
        if (atomic_load_explicit(&b->cancel, memory_order_relaxed))
            return; /* it may not have been loaded to its end */
    }
}

/* What copying rows reads, in a local of its function: the compiler then knows that no copied row changes it. */
typedef struct source {
    const adass_rows *rows;
    const uint32_t *last_id;
    adass_copy_ids_fn *copy_ids;
    size_t n_fields;
    adass_row_order order;
} source;

static source source_of(const adass_batches *b)
{
    return (source){ .rows = b->rows,
                     .last_id = b->last_id,
                     .copy_ids = b->copy_ids,
                     .n_fields = b->n_fields,
                     .order = b->order };
}

/*
 * Where the ids of n places' rows lie; they are prefetched. Always inlined: gcc takes a function that only prefetches for
 * one without any effect, and leaves out the calls.
 */
__attribute__((always_inline)) static inline void find_rows(const source *from, size_t place,
                                                            size_t n, const uint32_t **ids)
{
    const size_t row_bytes = from->n_fields * sizeof(uint32_t);
    for (size_t i = 0; i < n; i++) {
        const size_t row = adass_row_order_at(&from->order, place + i);
        ids[i] = from->rows->ids + row * from->n_fields;
        const char *bytes = (const char *)ids[i];
        for (size_t at = 0; at < row_bytes; at += LINE_BYTES)
            __builtin_prefetch(bytes + at, 0, 2);
        __builtin_prefetch(bytes + row_bytes - 1, 0, 2); /* rows begin anywhere in a line */
        if (from->order.has_labels)
            continue;
        if (from->rows->labels_u8 != NULL)
            __builtin_prefetch(from->rows->labels_u8 + row);
        else
            __builtin_prefetch(from->rows->labels_f32 + row);
    }
}

/* Copies the labels of n places; returns how many come before the first that may not be. */
static inline size_t copy_labels(const source *from, size_t place, size_t n, float *labels)
{
    for (size_t i = 0; from->order.has_labels && i < n; i++)
        labels[i] = (float)adass_row_order_label(&from->order, place + i);
    for (size_t i = 0; !from->order.has_labels && i < n; i++) {
        labels[i] = adass_rows_label(from->rows, adass_row_order_at(&from->order, place + i));
        if (!(labels[i] >= 0.0f && labels[i] <= 1.0f))
            return i;
    }
    return n;
}

/*
 * Copies n more rows, all of them in the present window, a group while the next one is fetched. Copies are what is
 * checked: a file that changes under the mapping cannot hurt either.
 */
static adass_status copy_rows(adass_batches *b, buffer *to, size_t n, adass_error *err)
{
    const source from = source_of(b);
    const uint32_t *ids[2][GROUP_ROWS];
    size_t group = min_size(n, GROUP_ROWS), next;
    find_rows(&from, b->place, group, ids[0]);
    for (size_t done = 0, turn = 0; done < n; done += group, group = next, turn ^= 1) {
        const size_t place = b->place + done, at = to->n + done;
        next = min_size(n - done - group, GROUP_ROWS);
        find_rows(&from, place + group, next, ids[turn ^ 1]);
        const size_t good = min_size(copy_labels(&from, place, group, to->labels + at),
                                     from.copy_ids(to->ids + at * from.n_fields, ids[turn], group,
                                                   from.last_id, from.n_fields));
        if (good < group)
            return adass_row_fail(b->dataset, b->split,
                                  adass_row_order_at(&from.order, place + good), err);
    }
    b->place += n;
    to->n += n;
    return ADASS_OK;
}

/* Fills a buffer with the next rows of the order; 0 rows are left at the end of the epoch. */
static adass_status fill(adass_batches *b, buffer *to, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (to->n = 0; to->n < b->batch_size && status == ADASS_OK;) {
        if (b->place == b->order.n_places) {
            if (!adass_row_order_next_window(&b->order, &b->cancel))
                break;
            b->place = 0;
            advise_blocks(b);
        }
        const size_t left = b->order.n_places - b->place, wanted = b->batch_size - to->n;
        status = copy_rows(b, to, min_size(left, wanted), err);
    }
    advise_blocks(b);
    return status;
}

/* Passes over the first rows of the epoch, which are not read. */
static void skip_rows(adass_batches *b, uint64_t rows)
{
    while (rows > b->order.n_places - b->place) {
        rows -= b->order.n_places - b->place;
        if (!adass_row_order_next_window(&b->order, &b->cancel))
            return;
        b->place = 0;
    }
    b->place += (size_t)rows;
}

static void begin_epoch(adass_batches *b, size_t first)
{
    adass_row_order_begin(&b->order, b->seed, b->epoch, &b->cancel);
    b->place = 0;
    skip_rows(b, (uint64_t)first * b->batch_size);
    if (b->order.n_blocks > 1) /* a split that fits is read from disk only once */
        b->advised_blocks = b->order.first_block;
}

/* Waits until there is something to do; false when that is to stop. */
static bool wait_for_work(adass_batches *b)
{
    for (;;) {
        const bool idle = b->filled == adass_batches_count(b) ||
                          b->filled == b->released + N_BUFFERS || b->failure.code != ADASS_OK;
        if (b->stop || (!b->quiet && (b->begin || !idle)))
            return !b->stop;
        pthread_cond_wait(&b->changed, &b->mutex);
    }
}

static void *work(void *user)
{
    adass_batches *b = user;
    pthread_mutex_lock(&b->mutex);
    while (wait_for_work(b)) {
        const bool begin = b->begin;
        const size_t first = b->filled;
        buffer *to = &b->buffers[b->filled % N_BUFFERS];
        adass_error err = { 0 };
        b->begin = false;
        b->busy = true;
        pthread_mutex_unlock(&b->mutex);
        if (begin)
            begin_epoch(b, first);
        const adass_status status = fill(b, to, &err);
        pthread_mutex_lock(&b->mutex);
        b->busy = false;
        if (status == ADASS_OK)
            b->filled++;
        else
            b->failure = err;
        pthread_cond_signal(&b->changed);
    }
    pthread_mutex_unlock(&b->mutex);
    return NULL;
}

/* The thread takes no signals: they are the program's, whose handlers count on its own threads. */
static adass_status start_thread(adass_batches *b, adass_error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int failed = pthread_create(&b->thread, NULL, work, b);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0)
        return adass_fail(err, ADASS_EIO, "no thread for the batch reader: %s", strerror(failed));
    b->has_thread = true;
    return ADASS_OK;
}

/* Makes the thread drop what it does, and waits until it has. Called with the mutex. */
static void quiesce(adass_batches *b)
{
    atomic_store_explicit(&b->cancel, true, memory_order_relaxed);
    b->quiet = true;
    while (b->busy)
        pthread_cond_wait(&b->changed, &b->mutex);
    b->quiet = false;
    atomic_store_explicit(&b->cancel, false, memory_order_relaxed);
}

/* ---- the caller's side ---- */

/* Half of the memory of the machine. */
static size_t default_memory(void)
{
    return (size_t)sysconf(_SC_PHYS_PAGES) / 2 * (size_t)sysconf(_SC_PAGESIZE);
}

static adass_status alloc_buffers(adass_batches *b, adass_error *err)
{
    bool ok = true;
    b->last_id = adass_alloc(b->n_fields * sizeof *b->last_id);
    for (size_t i = 0; i < N_BUFFERS; i++) {
        b->buffers[i].ids = adass_alloc(b->batch_size * b->n_fields * sizeof(uint32_t));
        b->buffers[i].labels = adass_alloc(b->batch_size * sizeof(float));
        ok = ok && b->buffers[i].ids != NULL && b->buffers[i].labels != NULL;
    }
    if (!ok || b->last_id == NULL)
        return adass_fail_memory(err, "the batch reader",
                                 (double)(N_BUFFERS * b->batch_size * (b->n_fields + 1)) * 4.0);
    for (size_t f = 0; f < b->n_fields; f++)
        b->last_id[f] = (uint32_t)(b->dataset->fields[f].vocab - 1);
    return ADASS_OK;
}

static adass_status check_arguments(const adass_dataset *dataset, adass_split split,
                                    size_t batch_size, adass_error *err)
{
    if (batch_size == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "a batch of 0 samples cannot be read; give at least 1");
    if (dataset->splits[split].n == 0)
        return adass_fail(err, ADASS_EINVAL, "%s: the %s split has no rows to be read",
                          dataset->dir, adass_split_name(split));
    return ADASS_OK;
}

adass_status adass_batches_open(adass_batches **out, const adass_dataset *dataset,
                                adass_split split, size_t batch_size, size_t memory_bytes,
                                adass_error *err)
{
    adass_status status = check_arguments(dataset, split, batch_size, err);
    if (status != ADASS_OK)
        return status;
    const adass_kernels *kernels = NULL; /* a copy is the same by all of them */
    status = adass_kernels_get(NULL, &kernels, err);
    if (status != ADASS_OK)
        return status;
    adass_batches *b = calloc(1, sizeof *b);
    if (b == NULL)
        return adass_fail_memory(err, "the batch reader", sizeof *b);
    const adass_rows *rows = &dataset->splits[split];
    const size_t label_bytes = rows->labels_u8 != NULL ? 1 : sizeof(float);
    b->dataset = dataset;
    b->split = split;
    b->rows = rows;
    b->copy_ids = kernels->copy_ids;
    b->n_fields = dataset->n_fields;
    b->batch_size =
        batch_size < rows->n ? batch_size : rows->n; /* no memory for what is not there */
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->changed, NULL);
    b->filled = b->taken = b->released = adass_batches_count(b); /* as after an epoch */
    status = adass_row_order_init(&b->order, rows->n, rows->labels_u8,
                                  b->n_fields * sizeof(uint32_t) + label_bytes,
                                  memory_bytes != 0 ? memory_bytes : default_memory(), err);
    if (status == ADASS_OK)
        status = alloc_buffers(b, err);
    if (status == ADASS_OK)
        status = start_thread(b, err);
    if (status == ADASS_OK)
        *out = b;
    else
        adass_batches_close(b);
    return status;
}

void adass_batches_shuffle(adass_batches *batches, uint64_t seed, uint64_t epoch)
{
    adass_batches_shuffle_from(batches, seed, epoch, 0);
}

void adass_batches_shuffle_from(adass_batches *batches, uint64_t seed, uint64_t epoch, size_t first)
{
    adass_batches *b = batches;
    pthread_mutex_lock(&b->mutex);
    quiesce(b);
    b->seed = seed;
    b->epoch = epoch;
    b->filled = b->taken = b->released = first;
    b->failure.code = ADASS_OK;
    b->begin = first < adass_batches_count(b);
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->mutex);
}

adass_status adass_batches_next(adass_batches *batches, adass_batch *out, adass_error *err)
{
    adass_batches *b = batches;
    adass_status status = ADASS_OK;
    pthread_mutex_lock(&b->mutex);
    b->released = b->taken;
    pthread_cond_signal(&b->changed);
    while (b->taken < adass_batches_count(b) && b->taken == b->filled &&
           b->failure.code == ADASS_OK)
        pthread_cond_wait(&b->changed, &b->mutex);
    if (b->taken < b->filled) {
        const buffer *from = &b->buffers[b->taken++ % N_BUFFERS];
        *out = (adass_batch){ .n = from->n, .ids = from->ids, .labels = from->labels };
    } else if (b->failure.code != ADASS_OK) {
        status = adass_fail(err, b->failure.code, "%s", b->failure.message);
    } else {
        *out = (adass_batch){ 0 };
    }
    pthread_mutex_unlock(&b->mutex);
    return status;
}

size_t adass_batches_count(const adass_batches *batches)
{
    return (batches->rows->n - 1) / batches->batch_size + 1;
}

size_t adass_batches_window_rows(const adass_batches *batches)
{
    const adass_row_order *order = &batches->order;
    const uint64_t rows = (uint64_t)order->window_blocks << order->block_shift;
    return rows < order->n_rows ? rows : order->n_rows;
}

void adass_batches_close(adass_batches *batches)
{
    if (batches == NULL)
        return;
    if (batches->has_thread) {
        pthread_mutex_lock(&batches->mutex);
        batches->stop = true;
        atomic_store_explicit(&batches->cancel, true, memory_order_relaxed);
        pthread_cond_signal(&batches->changed);
        pthread_mutex_unlock(&batches->mutex);
        pthread_join(batches->thread, NULL);
    }
    pthread_cond_destroy(&batches->changed);
    pthread_mutex_destroy(&batches->mutex);
    adass_row_order_free(&batches->order);
    free(batches->last_id);
    for (size_t i = 0; i < N_BUFFERS; i++) {
        free(batches->buffers[i].ids);
        free(batches->buffers[i].labels);
    }
    free(batches);
}
