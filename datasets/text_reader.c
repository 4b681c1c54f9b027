/* Lines of plain and packed text. */
#include "text_reader.h"

#include "checksum.h"
#include "unpack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Room for the longest line with its end, the 0 behind it, and some more: short lines are rarely
 * moved.
 */
enum { BUFFER_BYTES = ADASS_LINE_BYTES_MAX + (1 << 18) };

struct adass_text_reader {
    char *path;
    adass_unpack *source;
    XXH3_state_t *hash;
    size_t line;    /* number of the last line given */
    bool ended;     /* the source is */
    size_t at, end; /* unread bytes of the buffer */
    char buffer[BUFFER_BYTES];
};

adass_status adass_text_reader_open(adass_text_reader **out, const char *path, adass_error *err)
{
    adass_text_reader *r = malloc(sizeof *r);
    if (r == NULL)
        return adass_fail_memory(err, path, (double)sizeof *r);
    r->path = strdup(path);
    r->source = NULL;
    r->hash = XXH3_createState();
    r->line = r->at = r->end = 0;
    r->ended = false;
    adass_status status =
        r->path != NULL && r->hash != NULL ? ADASS_OK : adass_fail_memory(err, path, 1024.0);
    if (status == ADASS_OK)
        status = adass_unpack_open(&r->source, path, err);
    if (status != ADASS_OK) {
        adass_text_reader_close(r);
        return status;
    }
    (void)XXH3_128bits_reset(r->hash);
    *out = r;
    return ADASS_OK;
}

/* Reads on behind `end`; one byte stays free for the 0 behind the last line. */
static adass_status read_on(adass_text_reader *r, adass_error *err)
{
    if (r->end == BUFFER_BYTES - 1) {
        memmove(r->buffer, r->buffer + r->at, r->end - r->at);
        r->end -= r->at;
        r->at = 0;
    }
    size_t n;
    const char *why;
    const adass_status status =
        adass_unpack_read(r->source, r->buffer + r->end, BUFFER_BYTES - 1 - r->end, &n, &why);
    if (status != ADASS_OK)
        return adass_fail(err, status, "%s:%zu: %s", r->path, r->line + 1, why);
    (void)XXH3_128bits_update(r->hash, r->buffer + r->end, n);
    r->end += n;
    r->ended = n == 0;
    return ADASS_OK;
}

/*
 * Length of the next line with its LF, read as far as needed; of the rest when the file ends
 * without one.
 */
static adass_status find_end(adass_text_reader *r, size_t *length, adass_error *err)
{
    size_t searched = 0;
    for (;;) {
        const char *start = r->buffer + r->at;
        const char *end = memchr(start + searched, '\n', r->end - r->at - searched);
        searched = r->end - r->at;
        *length = end != NULL ? (size_t)(end - start) + 1 : searched;
        if (end != NULL || r->ended)
            return ADASS_OK;
        if (searched > ADASS_LINE_BYTES_MAX + 1) /* 1: for a CR */
            return ADASS_OK;
        const adass_status status = read_on(r, err);
        if (status != ADASS_OK)
            return status;
    }
}

/* Takes LF or CR LF off. */
static size_t text_length(const char *text, size_t length)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    if (length > 0 && text[length - 1] == '\r')
        length--;
    return length;
}

adass_status adass_text_reader_next(adass_text_reader *reader, adass_line *out, adass_error *err)
{
    size_t length;
    const adass_status status = find_end(reader, &length, err);
    if (status != ADASS_OK)
        return status;
    char *text = reader->buffer + reader->at;
    *out = (adass_line){ .path = reader->path, .number = reader->line + 1 };
    if (length == 0)
        return ADASS_OK;
    out->text = text;
    out->length = text_length(text, length);
    if (out->length > ADASS_LINE_BYTES_MAX)
        return adass_fail(err, ADASS_EFORMAT,
                          "%s:%zu: a line of more than %d bytes; is it a text file?", reader->path,
                          out->number, ADASS_LINE_BYTES_MAX);
    const char *nul = memchr(text, '\0', out->length);
    if (nul != NULL)
        return adass_fail(err, ADASS_EFORMAT, "%s:%zu:%zu: a NUL byte; is it a text file?",
                          reader->path, out->number, (size_t)(nul - text) + 1);
    text[out->length] = '\0';
    reader->at += length;
    reader->line++;
    return ADASS_OK;
}

void adass_text_reader_checksum(const adass_text_reader *reader, char out[ADASS_CHECKSUM_CHARS])
{
    adass_checksum_text(XXH3_128bits_digest(reader->hash), out);
}

void adass_text_reader_close(adass_text_reader *reader)
{
    if (reader == NULL)
        return;
    adass_unpack_close(reader->source);
    XXH3_freeState(reader->hash);
    free(reader->path);
    free(reader);
}
