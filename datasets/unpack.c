/*
 * Unpacking gzip, zstd and xz as a stream; parts in a row, as `cat a.gz b.gz` makes them, are one
 * text.
 */
#include "unpack.h"

#include <errno.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/*
 * More than any level of xz asks for (65 MiB); a file that needs more is refused rather than
 * obeyed.
 */
#define XZ_MEMORY_BYTES (UINT64_C(512) << 20)

enum { CHUNK_BYTES = 1 << 16 };

/* What a codec works on: it moves `in` and `out` forward. */
typedef struct window {
    const uint8_t *in;
    size_t in_left;
    uint8_t *out;
    size_t out_left;
} window;

typedef enum step_result { STEP_MORE, STEP_PART_ENDS, STEP_DAMAGED } step_result;

typedef union codec_state {
    z_stream gz;
    ZSTD_DStream *zst;
    lzma_stream xz;
} codec_state;

typedef struct codec {
    const char *magic;
    size_t magic_length;
    bool (*begin)(codec_state *state); /* false: out of memory */
    step_result (*step)(codec_state *state, window *w);
    void (*end)(codec_state *state);
} codec;

struct adass_unpack {
    FILE *file;
    const codec *codec; /* NULL: plain */
    codec_state state;
    bool begun;   /* the codec holds memory */
    bool between; /* before a part, or after one: the file may end here */
    bool damaged;
    uint64_t taken; /* bytes read from the file */
    size_t at, n;   /* unread bytes of the chunk */
    uint8_t chunk[CHUNK_BYTES];
};

/* ---- codecs ---- */

static bool gz_begin(codec_state *state)
{
    state->gz = (z_stream){ 0 };
    return inflateInit2(&state->gz, 15 + 16) == Z_OK; /* 16: with gzip's header and checksum */
}

static step_result gz_step(codec_state *state, window *w)
{
    z_stream *z = &state->gz;
    z->next_in = (z_const Bytef *)w->in;
    z->avail_in = (uInt)w->in_left;
    z->next_out = w->out;
    z->avail_out = (uInt)w->out_left;
    const int result = inflate(z, Z_NO_FLUSH);
    *w = (window){ z->next_in, z->avail_in, z->next_out, z->avail_out };
    return result == Z_STREAM_END                    ? STEP_PART_ENDS
           : result == Z_OK || result == Z_BUF_ERROR ? STEP_MORE
                                                     : STEP_DAMAGED;
}

static void gz_end(codec_state *state) { inflateEnd(&state->gz); }

static bool zst_begin(codec_state *state)
{
    state->zst = ZSTD_createDStream();
    return state->zst != NULL;
}

static step_result zst_step(codec_state *state, window *w)
{
    ZSTD_inBuffer in = { w->in, w->in_left, 0 };
    ZSTD_outBuffer out = { w->out, w->out_left, 0 };
    const size_t result = ZSTD_decompressStream(state->zst, &out, &in);
    *w = (window){ w->in + in.pos, w->in_left - in.pos, w->out + out.pos, w->out_left - out.pos };
    return ZSTD_isError(result) ? STEP_DAMAGED : result == 0 ? STEP_PART_ENDS : STEP_MORE;
}

static void zst_end(codec_state *state) { ZSTD_freeDStream(state->zst); }

static bool xz_begin(codec_state *state)
{
    state->xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_stream_decoder(&state->xz, XZ_MEMORY_BYTES, 0) == LZMA_OK;
}

static step_result xz_step(codec_state *state, window *w)
{
    lzma_stream *x = &state->xz;
    x->next_in = w->in;
    x->avail_in = w->in_left;
    x->next_out = w->out;
    x->avail_out = w->out_left;
    const lzma_ret result = lzma_code(x, LZMA_RUN);
    *w = (window){ x->next_in, x->avail_in, x->next_out, x->avail_out };
    return result == LZMA_STREAM_END                       ? STEP_PART_ENDS
           : result == LZMA_OK || result == LZMA_BUF_ERROR ? STEP_MORE
                                                           : STEP_DAMAGED;
}

static void xz_end(codec_state *state) { lzma_end(&state->xz); }

static const codec codecs[] = {
    { "\x1f\x8b", 2, gz_begin, gz_step, gz_end },
    { "\x28\xb5\x2f\xfd", 4, zst_begin, zst_step, zst_end },
    { "\xfd"
      "7zXZ\0",
      6, xz_begin, xz_step, xz_end },
};

/* ---- the stream ---- */

static void refill(adass_unpack *u)
{
    u->at = 0;
    u->n = fread(u->chunk, 1, CHUNK_BYTES, u->file);
    u->taken += u->n;
}

static void recognise(adass_unpack *u)
{
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++)
        if (u->n >= codecs[i].magic_length &&
            memcmp(u->chunk, codecs[i].magic, codecs[i].magic_length) == 0)
            u->codec = &codecs[i];
}

static adass_status open_file(adass_unpack **out, FILE *file, const char *path, adass_error *err)
{
    adass_unpack *u = malloc(sizeof *u);
    if (u == NULL) {
        if (file != NULL)
            fclose(file);
        return adass_fail_memory(err, path, (double)sizeof *u);
    }
    u->codec = NULL;
    u->begun = u->damaged = false;
    u->between = true;
    u->taken = 0;
    u->file = file;
    if (u->file != NULL)
        refill(u);
    if (u->file == NULL || ferror(u->file)) { /* a folder opens, but cannot be read */
        const adass_status status =
            adass_fail(err, ADASS_EIO, "%s: cannot be %s: %s", path,
                       u->file == NULL ? "opened" : "read", strerror(errno));
        adass_unpack_close(u);
        return status;
    }
    recognise(u);
    *out = u;
    return ADASS_OK;
}

adass_status adass_unpack_open(adass_unpack **out, const char *path, adass_error *err)
{
    return open_file(out, fopen(path, "rb"), path, err);
}

adass_status adass_unpack_open_fd(adass_unpack **out, int fd, const char *name, adass_error *err)
{
    const int copy = dup(fd); /* the descriptor stays the caller's */
    FILE *file = copy >= 0 && lseek(copy, 0, SEEK_SET) == 0 ? fdopen(copy, "rb") : NULL;
    if (file == NULL && copy >= 0)
        close(copy);
    return open_file(out, file, name, err);
}

uint64_t adass_unpack_taken(const adass_unpack *unpack) { return unpack->taken; }

int adass_unpack_plain_fd(const adass_unpack *unpack)
{
    return unpack->codec == NULL ? fileno(unpack->file) : -1;
}

/* What the chunk holds first; then straight into the caller's memory. */
static size_t read_plain(adass_unpack *u, void *bytes, size_t capacity)
{
    if (u->at == u->n) {
        const size_t got = fread(bytes, 1, capacity, u->file);
        u->taken += got;
        return got;
    }
    const size_t n = u->n - u->at < capacity ? u->n - u->at : capacity;
    memcpy(bytes, u->chunk + u->at, n);
    u->at += n;
    return n;
}

static bool begin_part(adass_unpack *u)
{
    if (u->begun)
        u->codec->end(&u->state);
    u->begun = u->codec->begin(&u->state);
    u->between = false;
    return u->begun;
}

static step_result step(adass_unpack *u, uint8_t *bytes, size_t capacity, size_t *n)
{
    window w = { u->chunk + u->at, u->n - u->at, bytes, capacity };
    const step_result result = u->codec->step(&u->state, &w);
    u->at = u->n - w.in_left;
    *n = capacity - w.out_left;
    return result;
}

static adass_status fail_why(const char **why, adass_status status, const char *text)
{
    *why = text;
    return status;
}

adass_status adass_unpack_read(adass_unpack *unpack, void *bytes, size_t capacity, size_t *n,
                               const char **why)
{
    adass_unpack *u = unpack;
    const size_t most = capacity < UINT32_MAX ? capacity : UINT32_MAX; /* what zlib can be told */
    *n = 0;
    while (*n == 0) {
        if (u->codec == NULL)
            *n = read_plain(u, bytes, capacity);
        else if (u->at == u->n)
            refill(u);
        if (ferror(u->file))
            return fail_why(why, ADASS_EIO, strerror(errno));
        if (u->codec == NULL)
            return ADASS_OK;
        const bool file_ends = u->at == u->n;
        if (file_ends && u->between)
            return ADASS_OK;
        if (u->between && !begin_part(u))
            return fail_why(why, ADASS_ENOMEM, "out of memory");
        const step_result result = u->damaged ? STEP_DAMAGED : step(u, bytes, most, n);
        u->between = result == STEP_PART_ENDS;
        u->damaged = result == STEP_DAMAGED;
        if (u->damaged && *n == 0)
            return fail_why(why, ADASS_EFORMAT, "the packed data is damaged");
        if (file_ends && *n == 0 && !u->between)
            return fail_why(why, ADASS_EFORMAT, "the packed data is cut: the file ends too early");
    }
    return ADASS_OK;
}

void adass_unpack_close(adass_unpack *unpack)
{
    if (unpack == NULL)
        return;
    if (unpack->begun)
        unpack->codec->end(&unpack->state);
    if (unpack->file != NULL)
        fclose(unpack->file);
    free(unpack);
}
