/* Blocks of whole lines, read ahead, parsed by many threads and merged in order. */
#include "blocks.h"

#include "checksum.h"
#include "spool.h"
#include "unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Room for the longest line with its end; read in one go, so that a block is long enough to be worth a thread's turn. */
enum {
    BLOCK_BYTES = 2 * ADASS_LINE_BYTES_MAX,
    SPARE_BLOCKS = 2,
    COPY_BYTES = 1 << 18,
    PIECE_BYTES = 1 << 18
};

typedef struct input {
    const char *path;                    /* as it was given, or a name for messages */
    adass_spool *spool;                  /* what has no path, else NULL */
    uint64_t bytes;                      /* as stored; 0 when unknown */
    char checksum[ADASS_CHECKSUM_CHARS]; /* "" before the first pass */
} input;

struct adass_inputs {
    size_t n;
    uint64_t bytes; /* of all; 0 when one is unknown */
    input *items;
};

/* ---- the texts ---- */

static adass_status copy_stdin(input *in, const char *beside, const adass_monitor *monitor,
                               adass_error *err)
{
    in->path = "standard input";
    adass_status status = adass_spool_open(&in->spool, beside, err);
    char *bytes = malloc(COPY_BYTES);
    if (status == ADASS_OK && bytes == NULL)
        status = adass_fail_memory(err, "a copy of standard input", COPY_BYTES);
    while (status == ADASS_OK) {
        const ssize_t n = read(STDIN_FILENO, bytes, COPY_BYTES);
        if (n < 0 && errno != EINTR)
            status =
                adass_fail(err, ADASS_EIO, "standard input: cannot be read: %s", strerror(errno));
        if (n > 0)
            status = adass_spool_append(in->spool, bytes, (size_t)n, err);
        if (n == 0)
            break;
        if (status == ADASS_OK)
            status = adass_monitor_tick(monitor, "reading standard input, bytes",
                                        adass_spool_bytes(in->spool), 0, "", err);
    }
    free(bytes);
    if (status == ADASS_OK)
        status = adass_spool_flush(in->spool, err);
    if (status == ADASS_OK)
        in->bytes = adass_spool_bytes(in->spool);
    return status;
}

static adass_status open_input(input *in, const char *path, const char *beside,
                               const adass_monitor *monitor, adass_error *err)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return copy_stdin(in, beside, monitor, err);
    in->path = path;
    if (stat(path, &status) != 0)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return adass_fail(err, ADASS_EINVAL,
                          "%s: not a file; it is read more than once (give - for standard input)",
                          path);
    in->bytes = (uint64_t)status.st_size;
    return ADASS_OK;
}

static adass_status check_stdin_once(const char *const *paths, size_t n, adass_error *err)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += strcmp(paths[i], "-") == 0;
    return found <= 1 ? ADASS_OK
                      : adass_fail(err, ADASS_EINVAL, "standard input (-) is named twice");
}

/* NULL when there is no memory. */
static adass_inputs *make_inputs(size_t n, adass_error *err)
{
    adass_inputs *inputs = calloc(1, sizeof *inputs);
    input *items = calloc(n + 1, sizeof *items); /* + 1: never NULL for nothing */
    if (inputs == NULL || items == NULL) {
        free(inputs);
        free(items);
        (void)adass_fail_memory(err, "the inputs", (double)(n * sizeof *items));
        return NULL;
    }
    inputs->n = n;
    inputs->items = items;
    return inputs;
}

adass_status adass_inputs_open(adass_inputs **out, const char *const *paths, size_t n,
                               const char *beside, const adass_monitor *monitor, adass_error *err)
{
    adass_status status = check_stdin_once(paths, n, err);
    if (status != ADASS_OK)
        return status;
    adass_inputs *inputs = make_inputs(n, err);
    if (inputs == NULL)
        return ADASS_ENOMEM;
    for (size_t i = 0; i < n && status == ADASS_OK; i++) {
        status = open_input(&inputs->items[i], paths[i], beside, monitor, err);
        inputs->bytes += inputs->items[i].bytes;
    }
    if (status == ADASS_OK)
        *out = inputs;
    else
        adass_inputs_close(inputs);
    return status;
}

adass_status adass_inputs_open_spool(adass_inputs **out, adass_spool *spool, const char *name,
                                     adass_error *err)
{
    const adass_status status = adass_spool_flush(spool, err);
    adass_inputs *inputs = status == ADASS_OK ? make_inputs(1, err) : NULL;
    if (inputs == NULL) {
        adass_spool_close(spool);
        return status == ADASS_OK ? ADASS_ENOMEM : status;
    }
    inputs->bytes = adass_spool_bytes(spool);
    inputs->items[0] = (input){ .path = name, .spool = spool, .bytes = inputs->bytes };
    *out = inputs;
    return ADASS_OK;
}

size_t adass_inputs_count(const adass_inputs *inputs) { return inputs->n; }

const char *adass_inputs_checksum(const adass_inputs *inputs, size_t i)
{
    return inputs->items[i].checksum;
}

static adass_status open_unpack(const input *in, adass_unpack **out, adass_error *err)
{
    return in->spool != NULL ? adass_unpack_open_fd(out, adass_spool_fd(in->spool), in->path, err)
                             : adass_unpack_open(out, in->path, err);
}

adass_status adass_inputs_first_line(const adass_inputs *inputs, char *line, size_t capacity,
                                     adass_error *err)
{
    const input *in = &inputs->items[0];
    adass_unpack *source = NULL;
    adass_status status = open_unpack(in, &source, err);
    size_t length = 0, n = 1;
    while (status == ADASS_OK && n > 0 && length < capacity - 1 &&
           memchr(line, '\n', length) == NULL) {
        const char *why;
        status = adass_unpack_read(source, line + length, capacity - 1 - length, &n, &why);
        if (status != ADASS_OK)
            status = adass_fail(err, status, "%s:1: %s", in->path, why);
        length += n;
    }
    adass_unpack_close(source);
    line[length] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return status;
}

void adass_inputs_close(adass_inputs *inputs)
{
    if (inputs == NULL)
        return;
    for (size_t i = 0; i < inputs->n; i++)
        adass_spool_close(inputs->items[i].spool);
    free(inputs->items);
    free(inputs);
}

/* ---- a pass ---- */

typedef enum slot_state { SLOT_FREE, SLOT_FILLED, SLOT_TAKEN } slot_state;

typedef struct slot {
    adass_block block;
    slot_state state;
} slot;

typedef struct pass {
    adass_inputs *inputs;
    const adass_block_work *work;
    const adass_monitor *monitor;
    struct timespec began;
    /* the reader's */
    char *carry; /* [BLOCK_BYTES], the beginning of a line that the last block ends in */
    size_t carried;
    size_t line;
    uint64_t row, done, blocks;
    XXH3_state_t *hash;
    adass_status read_status;
    adass_error read_error;
    /* shared, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t n_slots;
    slot *slots;
    bool ended;    /* the reader has */
    bool stopped;  /* the pass failed: everybody ends */
    uint64_t turn; /* index of the block to be merged next */
    adass_status status;
    adass_error error;
} pass;

static bool is_stopped(pass *p)
{
    pthread_mutex_lock(&p->lock);
    const bool stopped = p->stopped;
    pthread_mutex_unlock(&p->lock);
    return stopped;
}

/* A block to be filled; NULL when the pass was stopped. */
static slot *wait_free(pass *p)
{
    pthread_mutex_lock(&p->lock);
    slot *found = NULL;
    while (found == NULL && !p->stopped) {
        for (size_t i = 0; i < p->n_slots && found == NULL; i++)
            if (p->slots[i].state == SLOT_FREE)
                found = &p->slots[i];
        if (found == NULL)
            pthread_cond_wait(&p->changed, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void set_state(pass *p, slot *s, slot_state state)
{
    pthread_mutex_lock(&p->lock);
    s->state = state;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

/* Counted in bytes at first, so that the compiler compares as many at a time as a register holds. */
static size_t count_ends(const char *text, size_t length)
{
    size_t n = 0;
    for (size_t i = 0; i < length;) {
        const size_t end = length - i < UINT8_MAX ? length : i + UINT8_MAX;
        uint8_t few = 0;
        for (; i < end; i++)
            few = (uint8_t)(few + (text[i] == '\n'));
        n += few;
    }
    return n;
}

static size_t count_lines(const char *text, size_t length)
{
    return count_ends(text, length) + (length > 0 && text[length - 1] != '\n');
}

/* Fills the block behind what was carried over; *ended: the text ends in it. */
static adass_status read_block(pass *p, const input *in, adass_unpack *source, adass_block *b,
                               bool *ended)
{
    memcpy(b->text, p->carry, p->carried);
    b->length = p->carried;
    p->carried = 0;
    *ended = false;
    while (!*ended && b->length < BLOCK_BYTES) {
        size_t n;
        const char *why;
        const adass_status status =
            adass_unpack_read(source, b->text + b->length, BLOCK_BYTES - b->length, &n, &why);
        if (status != ADASS_OK)
            return adass_fail(&p->read_error, status, "%s:%zu: %s", in->path,
                              p->line + count_lines(b->text, b->length), why);
        if (!p->work->lines_only)
            (void)XXH3_128bits_update(p->hash, b->text + b->length, n);
        b->length += n;
        *ended = n == 0;
    }
    return ADASS_OK;
}

/* Carries an unfinished last line over to the next block. */
static adass_status cut(pass *p, const input *in, adass_block *b)
{
    const char *end = memrchr(b->text, '\n', b->length);
    if (end == NULL)
        return adass_fail(&p->read_error, ADASS_EFORMAT,
                          "%s:%zu: a line of more than %d bytes; is it a text file?", in->path,
                          p->line, ADASS_LINE_BYTES_MAX);
    const size_t whole = (size_t)(end - b->text) + 1;
    p->carried = b->length - whole;
    memcpy(p->carry, b->text + whole, p->carried);
    b->length = whole;
    return ADASS_OK;
}

/* Takes a header off the first block of a text; it must not be changed where it turns out to be a row. */
static adass_status take_header(pass *p, adass_block *b, size_t *skipped)
{
    *skipped = 0;
    if (p->work->header == NULL || b->length == 0)
        return ADASS_OK;
    const char *end = memchr(b->text, '\n', b->length);
    const size_t length = end != NULL ? (size_t)(end - b->text) + 1 : b->length;
    char *copy = strndup(b->text, length);
    if (copy == NULL)
        return adass_fail_memory(&p->read_error, "a header", (double)length);
    size_t n = strcspn(copy, "\r\n");
    copy[n] = '\0';
    adass_line line = { b->path, 1, copy, n };
    bool is_header = false;
    const adass_status status = p->work->header(p->work->user, &line, &is_header, &p->read_error);
    free(copy);
    if (is_header)
        *skipped = length;
    return status;
}

/* A filled block: what is left of it goes to the front. */
static void publish(pass *p, slot *s, const input *in, size_t skipped, uint64_t done)
{
    adass_block *b = &s->block;
    b->length -= skipped;
    memmove(b->text, b->text + skipped, skipped > 0 ? b->length : 0);
    p->line += skipped > 0;
    b->path = in->path;
    b->line = p->line;
    b->row = p->row;
    b->done = p->done + done;
    b->index = p->blocks;
    const size_t lines = count_lines(b->text, b->length);
    p->line += lines;
    p->row += lines;
    p->blocks += b->length > 0;
    set_state(p, s, b->length > 0 ? SLOT_FILLED : SLOT_FREE);
}

static adass_status keep_checksum(pass *p, input *in)
{
    char checksum[ADASS_CHECKSUM_CHARS];
    adass_checksum_text(XXH3_128bits_digest(p->hash), checksum);
    if (in->checksum[0] != '\0' && strcmp(in->checksum, checksum) != 0)
        return adass_fail(&p->read_error, ADASS_EIO, "%s: it changed while it was read; try again",
                          in->path);
    memcpy(in->checksum, checksum, sizeof checksum);
    return ADASS_OK;
}

static adass_status read_blocks(pass *p, input *in, adass_unpack *source)
{
    bool ended = false;
    for (bool first = true; !ended; first = false) {
        slot *s = wait_free(p);
        if (s == NULL)
            return ADASS_OK; /* the pass has its own reason */
        size_t skipped = 0;
        s->block.path = in->path;
        adass_status status = read_block(p, in, source, &s->block, &ended);
        if (status == ADASS_OK && !ended)
            status = cut(p, in, &s->block);
        if (status == ADASS_OK && first)
            status = take_header(p, &s->block, &skipped);
        if (status != ADASS_OK)
            return status;
        publish(p, s, in, skipped, adass_unpack_taken(source));
    }
    p->done += in->bytes;
    return p->work->lines_only ? ADASS_OK : keep_checksum(p, in);
}

static adass_status read_input(pass *p, input *in)
{
    adass_unpack *source = NULL;
    adass_status status = open_unpack(in, &source, &p->read_error);
    p->line = 1;
    (void)XXH3_128bits_reset(p->hash);
    if (status == ADASS_OK)
        status = read_blocks(p, in, source);
    adass_unpack_close(source);
    return status;
}

static void *read_all(void *user)
{
    pass *p = user;
    for (size_t i = 0; i < p->inputs->n && p->read_status == ADASS_OK; i++) {
        if (is_stopped(p))
            break;
        p->read_status = read_input(p, &p->inputs->items[i]);
    }
    pthread_mutex_lock(&p->lock);
    p->ended = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* The earliest filled block; NULL when there will be no more. */
static slot *take(pass *p)
{
    slot *found = NULL;
    pthread_mutex_lock(&p->lock);
    for (;;) {
        for (size_t i = 0; i < p->n_slots; i++)
            if (p->slots[i].state == SLOT_FILLED &&
                (found == NULL || p->slots[i].block.index < found->block.index))
                found = &p->slots[i];
        if (found != NULL || p->ended || p->stopped)
            break;
        pthread_cond_wait(&p->changed, &p->lock);
    }
    if (p->stopped)
        found = NULL;
    if (found != NULL)
        found->state = SLOT_TAKEN;
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* Waits until all blocks before this one are merged; false when the pass was stopped. */
static bool wait_turn(pass *p, const slot *s)
{
    pthread_mutex_lock(&p->lock);
    while (p->turn != s->block.index && !p->stopped)
        pthread_cond_wait(&p->changed, &p->lock);
    const bool mine = !p->stopped;
    pthread_mutex_unlock(&p->lock);
    return mine;
}

/* The pass failed; the first reason counts. */
static void stop(pass *p, adass_status status, const adass_error *err)
{
    pthread_mutex_lock(&p->lock);
    if (!p->stopped) {
        p->status = status;
        p->error = *err;
        p->stopped = true;
    }
    pthread_mutex_unlock(&p->lock);
}

static void end_turn(pass *p, slot *s, adass_status status, const adass_error *err)
{
    if (status != ADASS_OK)
        stop(p, status, err);
    pthread_mutex_lock(&p->lock);
    p->turn++;
    s->state = SLOT_FREE;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}

static adass_status tick(const pass *p, const adass_block *b, adass_error *err)
{
    char note[64];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double seconds =
        (double)(now.tv_sec - p->began.tv_sec) + 1e-9 * (double)(now.tv_nsec - p->began.tv_nsec);
    snprintf(note, sizeof note, "%llu rows, %.0f rows/s", (unsigned long long)b->row,
             seconds > 0.0 ? (double)b->row / seconds : 0.0);
    return adass_monitor_tick(p->monitor, p->work->stage, b->done, p->inputs->bytes, note, err);
}

static void work_through(pass *p, int thread)
{
    for (slot *s = take(p); s != NULL; s = take(p)) {
        adass_error err;
        adass_status status = ADASS_OK;
        p->work->parse(p->work->user, thread, &s->block);
        if (!wait_turn(p, s))
            break;
        if (p->work->merge != NULL)
            status = p->work->merge(p->work->user, thread, &s->block, &err);
        if (status == ADASS_OK && thread == 0) /* the thread that began the work */
            status = tick(p, &s->block, &err);
        end_turn(p, s, status, &err);
    }
}

static adass_status run_threads(pass *p, int threads, adass_error *err)
{
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_all, p) != 0)
        return adass_fail(err, ADASS_ENOMEM, "a thread for reading cannot be started");
#pragma omp parallel num_threads(threads)
    work_through(p, omp_get_thread_num());
    pthread_join(reader, NULL);
    if (p->status == ADASS_OK && p->read_status != ADASS_OK) { /* behind all blocks */
        p->status = p->read_status;
        p->error = p->read_error;
    }
    if (p->status != ADASS_OK && err != NULL)
        *err = p->error;
    return p->status;
}

/* ---- lines of plain texts ---- */

/* Whether no text is packed, so that its parts can be read in any order. */
static bool are_plain(const adass_inputs *inputs)
{
    bool plain = true;
    for (size_t i = 0; i < inputs->n && plain; i++) {
        adass_unpack *source = NULL;
        adass_error unused; /* the pass will meet it again */
        plain = open_unpack(&inputs->items[i], &source, &unused) == ADASS_OK &&
                adass_unpack_plain_fd(source) >= 0;
        adass_unpack_close(source);
    }
    return plain;
}

/* The ends of lines in a piece of a text; a last line without one counts. */
static adass_status count_piece(const input *in, int fd, uint64_t offset, char *piece,
                                uint64_t *lines, adass_error *err)
{
    size_t n = 0;
    while (n < PIECE_BYTES) {
        const ssize_t got = pread(fd, piece + n, PIECE_BYTES - n, (off_t)(offset + n));
        if (got == 0)
            break;
        if (got > 0)
            n += (size_t)got;
        else if (errno != EINTR)
            return adass_fail(err, ADASS_EIO, "%s: cannot be read: %s", in->path, strerror(errno));
    }
    const bool last = offset + n >= in->bytes;
    *lines = last ? count_lines(piece, n) : count_ends(piece, n);
    return ADASS_OK;
}

/* Every thread takes every threads-th piece, which stays in its cache from reading to counting. */
static uint64_t count_pieces(pass *p, const input *in, int fd, int thread, int threads)
{
    uint64_t sum = 0, lines = 0;
    char *piece = malloc(PIECE_BYTES);
    adass_error err;
    adass_status status =
        piece != NULL ? ADASS_OK : adass_fail_memory(&err, "a piece of text", PIECE_BYTES);
    for (uint64_t at = (uint64_t)thread * PIECE_BYTES; at < in->bytes && !is_stopped(p);
         at += (uint64_t)threads * PIECE_BYTES) {
        if (status == ADASS_OK)
            status = count_piece(in, fd, at, piece, &lines, &err);
        if (status == ADASS_OK && thread == 0) /* the thread that began the work */
            status = adass_monitor_tick(p->monitor, p->work->stage, p->done + at, p->inputs->bytes,
                                        "", &err);
        if (status != ADASS_OK)
            stop(p, status, &err);
        sum += lines;
    }
    free(piece);
    return sum;
}

static void count_text(pass *p, const input *in, adass_unpack *source, int threads)
{
    adass_block *b = &p->slots[0].block;
    bool ended;
    size_t skipped = 0;
    uint64_t lines = 0;
    b->path = in->path;
    p->line = 1;
    adass_status status = ADASS_OK;
    if (p->work->header != NULL)
        status = read_block(p, in, source, b, &ended);
    if (status == ADASS_OK)
        status = take_header(p, b, &skipped);
    if (status != ADASS_OK) {
        stop(p, status, &p->read_error);
        return;
    }
    const int fd = adass_unpack_plain_fd(source);
#pragma omp parallel num_threads(threads) reduction(+ : lines)
    lines += count_pieces(p, in, fd, omp_get_thread_num(), threads);
    p->row += lines - (skipped > 0);
    p->done += in->bytes;
}

static adass_status count_texts(pass *p, int threads, adass_error *err)
{
    for (size_t i = 0; i < p->inputs->n && p->status == ADASS_OK; i++) {
        const input *in = &p->inputs->items[i];
        adass_unpack *source = NULL;
        const adass_status status = open_unpack(in, &source, &p->read_error);
        if (status != ADASS_OK)
            stop(p, status, &p->read_error);
        else
            count_text(p, in, source, threads);
        adass_unpack_close(source);
    }
    if (p->status != ADASS_OK && err != NULL)
        *err = p->error;
    return p->status;
}

/* ---- a pass, from its beginning to its end ---- */

static bool make_slots(pass *p)
{
    p->slots = calloc(p->n_slots, sizeof *p->slots);
    p->carry = malloc(BLOCK_BYTES);
    p->hash = XXH3_createState();
    bool ok = p->slots != NULL && p->carry != NULL && p->hash != NULL;
    for (size_t i = 0; ok && i < p->n_slots; i++) {
        p->slots[i].block.text = malloc(BLOCK_BYTES + 1);
        ok = p->slots[i].block.text != NULL;
    }
    return ok;
}

adass_status adass_blocks_run(adass_inputs *inputs, int threads, const adass_block_work *work,
                              const adass_monitor *monitor, uint64_t *lines, adass_error *err)
{
    pass p = { .inputs = inputs,
               .work = work,
               .monitor = monitor,
               .lock = PTHREAD_MUTEX_INITIALIZER,
               .changed = PTHREAD_COND_INITIALIZER,
               .n_slots = (size_t)threads + SPARE_BLOCKS };
    clock_gettime(CLOCK_MONOTONIC, &p.began);
    const adass_status status =
        !make_slots(&p) ? adass_fail_memory(err, "blocks of text", (double)p.n_slots * BLOCK_BYTES)
        : work->lines_only && are_plain(inputs) ? count_texts(&p, threads, err)
                                                : run_threads(&p, threads, err);
    *lines = p.row;
    for (size_t i = 0; p.slots != NULL && i < p.n_slots; i++)
        free(p.slots[i].block.text);
    free(p.slots);
    free(p.carry);
    XXH3_freeState(p.hash);
    pthread_mutex_destroy(&p.lock);
    pthread_cond_destroy(&p.changed);
    return status;
}

/* ---- lines of a block ---- */

bool adass_block_next(const adass_block *block, size_t *at, adass_line *line)
{
    if (*at == 0)
        line->number = block->line - 1;
    if (*at >= block->length)
        return false;
    char *text = block->text + *at;
    char *end = memchr(text, '\n', block->length - *at);
    size_t length = end != NULL ? (size_t)(end - text) : block->length - *at;
    *at += length + (end != NULL);
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    *line = (adass_line){ block->path, line->number + 1, text, length };
    return true;
}
