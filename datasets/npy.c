/* NumPy's .npy files: header parser and streaming writer. */
#include "npy.h"

#include "checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Prepared datasets are mapped as they are: a little-endian machine is needed."
#endif

/*
 * 128 bytes hold any shape, and leave the data aligned to a cache line. The buffer is a huge page: what is written to a
 * file's cache in one piece stays in one piece, and can be mapped as such.
 */
enum { PREFIX_BYTES = 10, HEADER_BYTES = 128, BUFFER_BYTES = 1 << 21 };

static const char magic[8] = { '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0 };

static const struct {
    const char *descr;
    size_t bytes;
} types[] = {
    [ADASS_NPY_U32] = { "<u4", 4 },
    [ADASS_NPY_U8] = { "|u1", 1 },
    [ADASS_NPY_F32] = { "<f4", 4 },
};

enum { N_TYPES = sizeof types / sizeof types[0] };

/* ---- parsing: functions return NULL, or what is wrong ---- */

typedef struct cursor {
    const char *p, *end;
} cursor;

static void skip_spaces(cursor *c)
{
    while (c->p < c->end && *c->p == ' ')
        c->p++;
}

/* Takes `text` and the spaces before it; leaves the cursor when something else is there. */
static bool take(cursor *c, const char *text)
{
    skip_spaces(c);
    const size_t n = strlen(text);
    if ((size_t)(c->end - c->p) < n || memcmp(c->p, text, n) != 0)
        return false;
    c->p += n;
    return true;
}

static bool take_number(cursor *c, size_t *out)
{
    skip_spaces(c);
    const char *first = c->p;
    size_t value = 0;
    for (; c->p < c->end && *c->p >= '0' && *c->p <= '9'; c->p++)
        if (__builtin_mul_overflow(value, (size_t)10, &value) ||
            __builtin_add_overflow(value, (size_t)(*c->p - '0'), &value))
            return false;
    *out = value;
    return c->p > first;
}

static const char *take_descr(cursor *c, adass_npy_info *info)
{
    for (size_t t = 0; t < N_TYPES; t++) {
        char quoted[8];
        snprintf(quoted, sizeof quoted, "'%s'", types[t].descr);
        if (take(c, quoted)) {
            info->type = (adass_npy_type)t;
            return NULL;
        }
    }
    return "the type is none of '<u4', '|u1' and '<f4'";
}

static const char *take_shape(cursor *c, adass_npy_info *info)
{
    static const char *const wrong = "the shape is not one of one or two dimensions";
    info->shape[1] = 1;
    if (!take(c, "(") || !take_number(c, &info->shape[0]) || !take(c, ","))
        return wrong;
    info->n_dims = take_number(c, &info->shape[1]) ? 2 : 1;
    if (info->n_dims == 2)
        (void)take(c, ",");
    else
        info->shape[1] = 1;
    return take(c, ")") ? NULL : wrong;
}

/* One entry of the dictionary; `seen` has a bit for each of the three keys. */
static const char *take_entry(cursor *c, adass_npy_info *info, unsigned *seen)
{
    static const char *const keys[] = { "'descr'", "'fortran_order'", "'shape'" };
    unsigned key = 0;
    while (key < 3 && !take(c, keys[key]))
        key++;
    if (key == 3 || !take(c, ":"))
        return "the header has an unknown entry";
    if ((*seen & 1u << key) != 0)
        return "the header has an entry twice";
    *seen |= 1u << key;
    if (key == 0)
        return take_descr(c, info);
    if (key == 2)
        return take_shape(c, info);
    return take(c, "False") ? NULL : "the array is not in C order";
}

static const char *take_header(cursor *c, adass_npy_info *info)
{
    unsigned seen = 0;
    if (!take(c, "{"))
        return "the header is no dictionary";
    while (!take(c, "}")) {
        const char *wrong = take_entry(c, info, &seen);
        if (wrong != NULL)
            return wrong;
        if (!take(c, ",") && (c->p == c->end || *c->p != '}'))
            return "the header's entries are not separated by commas";
    }
    if (seen != 7)
        return "the header lacks the type, the order or the shape";
    skip_spaces(c);
    return c->end - c->p == 1 && *c->p == '\n' ? NULL : "the header does not end in a new line";
}

/* Finds the header's text. */
static const char *frame(const char *bytes, size_t length, cursor *c, size_t *data_offset)
{
    if (length < PREFIX_BYTES || memcmp(bytes, magic, sizeof magic) != 0)
        return "it is no .npy file of version 1.0";
    const size_t n = (size_t)(unsigned char)bytes[8] | (size_t)(unsigned char)bytes[9] << 8;
    if (n > length - PREFIX_BYTES)
        return "it is cut within the header";
    *c = (cursor){ bytes + PREFIX_BYTES, bytes + PREFIX_BYTES + n };
    *data_offset = PREFIX_BYTES + n;
    return *data_offset % 4 == 0 ? NULL : "the data is not aligned";
}

static const char *check_length(const adass_npy_info *info, size_t length)
{
    size_t bytes;
    if (__builtin_mul_overflow(info->shape[0], info->shape[1], &bytes) ||
        __builtin_mul_overflow(bytes, types[info->type].bytes, &bytes))
        return "the shape is too large for any file";
    const size_t have = length - info->data_offset;
    return have < bytes   ? "it is shorter than its shape needs"
           : have > bytes ? "it is longer than its shape needs"
                          : NULL;
}

adass_status adass_npy_parse(const char *path, const void *bytes, size_t length,
                             adass_npy_info *out, adass_error *err)
{
    adass_npy_info info = { 0 };
    cursor c;
    const char *wrong = frame(bytes, length, &c, &info.data_offset);
    if (wrong == NULL)
        wrong = take_header(&c, &info);
    if (wrong == NULL)
        wrong = check_length(&info, length);
    if (wrong != NULL)
        return adass_fail(err, ADASS_EFORMAT, "%s: %s (%zu bytes); prepare the dataset again", path,
                          wrong, length);
    *out = info;
    return ADASS_OK;
}

/* ---- writing ---- */

struct adass_npy_writer {
    char *path;
    int fd;
    adass_npy_type type;
    size_t columns; /* 0: one dimension */
    size_t row_bytes;
    size_t rows, expected; /* SIZE_MAX: unknown */
    XXH3_state_t *hash;    /* of what left the buffer, when the rows are known */
    uint64_t offset;       /* of the buffer in the file */
    size_t buffered;
    unsigned char *buffer; /* [BUFFER_BYTES] */
};

static adass_status fail_write(const adass_npy_writer *w, adass_error *err)
{
    return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", w->path, strerror(errno));
}

/* Asks the disk to begin with what was written, so that the sync at the end finds little to wait for. */
static void start_writeback(const adass_npy_writer *w)
{
#ifdef SYNC_FILE_RANGE_WRITE
    sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#else
    (void)w;
#endif
}

static adass_status write_at(const adass_npy_writer *w, const unsigned char *bytes, size_t n,
                             uint64_t offset, adass_error *err)
{
    for (size_t done = 0; done < n;) {
        const ssize_t got = pwrite(w->fd, bytes + done, n - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_write(w, err);
        done += (size_t)got;
    }
    start_writeback(w);
    return ADASS_OK;
}

/* The buffer's bytes are about to leave it. */
static uint64_t pass_buffer(adass_npy_writer *w)
{
    const uint64_t offset = w->offset;
    if (w->expected != SIZE_MAX)
        (void)XXH3_128bits_update(w->hash, w->buffer, w->buffered);
    w->offset += w->buffered;
    w->buffered = 0;
    return offset;
}

static adass_status flush(adass_npy_writer *w, adass_error *err)
{
    const size_t n = w->buffered;
    return write_at(w, w->buffer, n, pass_buffer(w), err);
}

/* The full buffer for an empty one. */
static void leave(adass_npy_writer *w, adass_npy_later *later)
{
    unsigned char *full = w->buffer;
    later->offset = pass_buffer(w);
    later->writer = w;
    w->buffer = later->buffer;
    later->buffer = full;
}

static adass_status put(adass_npy_writer *w, const unsigned char *bytes, size_t n,
                        adass_npy_later *later, adass_error *err)
{
    while (n > 0) {
        const size_t space = BUFFER_BYTES - w->buffered;
        const size_t part = n < space ? n : space;
        memcpy(w->buffer + w->buffered, bytes, part);
        w->buffered += part;
        bytes += part;
        n -= part;
        if (w->buffered < BUFFER_BYTES)
            continue;
        adass_status status = ADASS_OK;
        if (later != NULL && later->writer == NULL)
            leave(w, later);
        else
            status = flush(w, err);
        if (status != ADASS_OK)
            return status;
    }
    return ADASS_OK;
}

static void format_header(const adass_npy_writer *w, size_t rows,
                          unsigned char header[HEADER_BYTES])
{
    char text[HEADER_BYTES - PREFIX_BYTES], columns[24] = "";
    if (w->columns != 0)
        snprintf(columns, sizeof columns, " %zu", w->columns);
    const int n =
        snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': False, 'shape': (%zu,%s), }",
                 types[w->type].descr, rows, columns);
    memset(header, ' ', HEADER_BYTES);
    memcpy(header, magic, sizeof magic);
    header[8] = HEADER_BYTES - PREFIX_BYTES;
    header[9] = 0;
    memcpy(header + PREFIX_BYTES, text, (size_t)n);
    header[HEADER_BYTES - 1] = '\n';
}

adass_status adass_npy_create(adass_npy_writer **out, const char *path, adass_npy_type type,
                              size_t columns, adass_error *err)
{
    adass_npy_writer *w = malloc(sizeof *w);
    char *copy = strdup(path);
    if (w == NULL || copy == NULL) {
        free(w);
        free(copy);
        return adass_fail_memory(err, "a file's buffer", (double)sizeof *w);
    }
    *w = (adass_npy_writer){ .path = copy,
                             .fd = -1,
                             .type = type,
                             .columns = columns,
                             .row_bytes = types[type].bytes * (columns != 0 ? columns : 1),
                             .expected = SIZE_MAX,
                             .hash = XXH3_createState(),
                             .buffered = HEADER_BYTES, /* the header's place */
                             .buffer = malloc(BUFFER_BYTES) };
    if (w->hash == NULL || w->buffer == NULL) {
        adass_npy_close(w);
        return adass_fail_memory(err, "a file's buffer", BUFFER_BYTES);
    }
    (void)XXH3_128bits_reset(w->hash);
    memset(w->buffer, 0, HEADER_BYTES);
    w->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        const adass_status status = fail_write(w, err);
        adass_npy_close(w);
        return status;
    }
    *out = w;
    return ADASS_OK;
}

void adass_npy_expect(adass_npy_writer *writer, size_t rows)
{
    writer->expected = rows;
    format_header(writer, rows, writer->buffer);
}

adass_status adass_npy_append(adass_npy_writer *writer, const void *rows, size_t n,
                              adass_error *err)
{
    return adass_npy_append_later(writer, rows, n, NULL, err);
}

adass_status adass_npy_later_init(adass_npy_later *later, adass_error *err)
{
    later->buffer = malloc(BUFFER_BYTES);
    return later->buffer != NULL ? ADASS_OK
                                 : adass_fail_memory(err, "a file's buffer", BUFFER_BYTES);
}

adass_status adass_npy_append_later(adass_npy_writer *writer, const void *rows, size_t n,
                                    adass_npy_later *later, adass_error *err)
{
    writer->rows += n;
    return put(writer, rows, n * writer->row_bytes, later, err);
}

adass_status adass_npy_write_later(adass_npy_later *later, adass_error *err)
{
    const adass_npy_writer *w = later->writer;
    later->writer = NULL;
    return w != NULL ? write_at(w, later->buffer, BUFFER_BYTES, later->offset, err) : ADASS_OK;
}

adass_status adass_npy_finish(adass_npy_writer *writer, adass_error *err)
{
    unsigned char header[HEADER_BYTES];
    adass_status status = flush(writer, err);
    if (status == ADASS_OK && writer->rows != writer->expected) {
        format_header(writer, writer->rows, header);
        status = write_at(writer, header, HEADER_BYTES, 0, err);
    }
    if (status == ADASS_OK && fsync(writer->fd) != 0)
        return fail_write(writer, err);
    return status;
}

adass_status adass_npy_checksum(const adass_npy_writer *writer, char out[ADASS_CHECKSUM_CHARS],
                                size_t *bytes, adass_error *err)
{
    if (writer->rows != writer->expected)
        return adass_checksum_file(writer->path, out, bytes, err);
    adass_checksum_text(XXH3_128bits_digest(writer->hash), out);
    *bytes = (size_t)writer->offset;
    return ADASS_OK;
}

size_t adass_npy_rows(const adass_npy_writer *writer) { return writer->rows; }

void adass_npy_close(adass_npy_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    XXH3_freeState(writer->hash);
    free(writer->buffer);
    free(writer->path);
    free(writer);
}
