/*
 * Planted data in the raw format of its shape's original, for importers.
 *
 * Criteo: label, I1..I13, C1..C26, separated by tabs. A feature is written as a value of its own: a category
 * as a bijective hash of its id in 8 hexadecimal digits; a rare one (id 0) as one of the field's rare values;
 * an integer as one that the benchmark's preparation (floor(ln(x)^2) of x > 2, else x) turns into the token
 * id - 1. Token 0 is the missing integer as well.
 */
#include "adass/synth.h"

#include "adass/rng.h"
#include "portable_math.h"
#include "synth_rows.h"
#include "synth_streams.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_BYTES_MAX = 512, /* 39 values of at most 11 characters */
    CHUNK_ROWS = 512,
    CHUNKS = SYNTH_BLOCK_ROWS / CHUNK_ROWS,
    TOKENS_MAX = 512
};

typedef struct raw_output {
    FILE *file;
    const char *path;
    uint64_t raw_seed[SYNTH_MAX_FIELDS];
    uint32_t token_low[TOKENS_MAX + 1]; /* the smallest integer of a token */
    char *text;                         /* [SYNTH_BLOCK_ROWS x LINE_BYTES_MAX] */
    size_t lengths[CHUNKS];
} raw_output;

/* ---- values ---- */

static void fill_tokens(raw_output *o)
{
    for (uint32_t t = 0; t <= TOKENS_MAX; t++)
        o->token_low[t] = t <= 2 ? t : (uint32_t)ceil(portable_exp(sqrt((double)t)));
}

static char *put_integer(char *p, uint32_t x)
{
    char digits[10];
    int n = 0;
    do
        digits[n++] = (char)('0' + x % 10);
    while ((x /= 10) != 0);
    while (n > 0)
        *p++ = digits[--n];
    return p;
}

static char *put_token(const raw_output *o, char *p, uint32_t token, uint64_t word)
{
    if (token == 0 && (word & 1) != 0)
        return p; /* missing */
    const uint32_t low = o->token_low[token];
    const uint32_t width = token <= 2 ? 1 : o->token_low[token + 1] - low;
    return put_integer(p, low + (uint32_t)(adass_unit(word) * (double)width));
}

static char *put_hex(char *p, uint32_t x)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        *p++ = "0123456789abcdef"[x >> shift & 15];
    return p;
}

static char *put_category(const synth_field *field, char *p, uint32_t id, uint64_t seed,
                          uint64_t word)
{
    if (id == 1 && field->missing)
        return p;
    const uint32_t value = id != 0 ? id
                                   : (uint32_t)field->vocab +
                                         (uint32_t)(adass_unit(word) * (double)field->rare_values);
    return put_hex(p, adass_mix32(value + (uint32_t)seed));
}

static char *put_row(const raw_output *o, const synth_shape *shape, char *p, uint64_t row,
                     uint8_t label, const uint32_t *ids)
{
    *p++ = (char)('0' + label);
    for (size_t f = 0; f < shape->n_fields; f++) {
        const uint64_t word = adass_mix_at(o->raw_seed[f], row);
        *p++ = '\t';
        p = shape->fields[f].numeric
                ? put_token(o, p, ids[f] - 1, word)
                : put_category(&shape->fields[f], p, ids[f], o->raw_seed[f], word);
    }
    *p++ = '\n';
    return p;
}

/* ---- the file ---- */

static adass_status fail_write(const raw_output *o, adass_error *err)
{
    return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", o->path, strerror(errno));
}

static adass_status write_block(void *user, const synth_teacher *t, const synth_block *b,
                                adass_error *err)
{
    raw_output *o = user;
#pragma omp parallel for schedule(static)
    for (size_t chunk = 0; chunk < CHUNKS; chunk++) {
        char *const begin = o->text + chunk * CHUNK_ROWS * LINE_BYTES_MAX, *p = begin;
        for (size_t i = chunk * CHUNK_ROWS; i < b->n && i < (chunk + 1) * CHUNK_ROWS; i++)
            p = put_row(o, t->shape, p, b->first + i, b->labels[i],
                        b->ids + i * t->shape->n_fields);
        o->lengths[chunk] = (size_t)(p - begin);
    }
    for (size_t chunk = 0; chunk < CHUNKS; chunk++)
        if (fwrite(o->text + chunk * CHUNK_ROWS * LINE_BYTES_MAX, 1, o->lengths[chunk], o->file) !=
            o->lengths[chunk])
            return fail_write(o, err);
    return ADASS_OK;
}

static adass_status write_file(raw_output *o, const adass_synth_options *options,
                               const synth_teacher *t, adass_error *err)
{
    for (size_t f = 0; f < t->shape->n_fields; f++)
        o->raw_seed[f] = adass_seed_derive(t->seed, SYNTH_STREAM_RAW + f);
    fill_tokens(o);
    o->text = malloc((size_t)SYNTH_BLOCK_ROWS * LINE_BYTES_MAX);
    if (o->text == NULL)
        return adass_fail_memory(err, "a block of rows", SYNTH_BLOCK_ROWS * (double)LINE_BYTES_MAX);
    adass_status status = adass_synth_rows(t, options->monitor, write_block, o, err);
    if (status == ADASS_OK && fflush(o->file) != 0)
        status = fail_write(o, err);
    free(o->text);
    return status;
}

/* Beside the target until it is complete. A name that exists is refused, as for datasets. */
static adass_status write_path(raw_output *o, const adass_synth_options *options,
                               const synth_teacher *t, adass_error *err)
{
    if (access(o->path, F_OK) == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "%s: it exists already; remove it or choose another name", o->path);
    char *temporary = malloc(strlen(o->path) + 32);
    if (temporary == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(o->path));
    sprintf(temporary, "%s.tmp-%ld", o->path, (long)getpid());
    o->file = fopen(temporary, "wbx");
    adass_status status = o->file != NULL ? write_file(o, options, t, err) : fail_write(o, err);
    const bool made = o->file != NULL;
    if (made && status == ADASS_OK && fsync(fileno(o->file)) != 0)
        status = fail_write(o, err);
    if (made && fclose(o->file) != 0 && status == ADASS_OK)
        status = fail_write(o, err);
    if (status == ADASS_OK && rename(temporary, o->path) != 0)
        status = fail_write(o, err);
    if (made && status != ADASS_OK)
        unlink(temporary);
    free(temporary);
    return status;
}

adass_status adass_synth_write_raw(const adass_synth_options *options, const char *out,
                                   adass_error *err)
{
    raw_output o = { .path = out };
    synth_teacher t;
    adass_status status = adass_synth_teacher_init(&t, options, err);
    if (status == ADASS_OK && strcmp(t.shape->name, "criteo") != 0)
        status = adass_fail(err, ADASS_EINVAL, "shape '%s' has no raw format here; 'criteo' has",
                            t.shape->name);
    if (status == ADASS_OK && strcmp(out, "-") == 0) {
        o.file = stdout;
        o.path = "standard output";
        status = write_file(&o, options, &t, err);
    } else if (status == ADASS_OK) {
        status = write_path(&o, options, &t, err);
    }
    adass_synth_teacher_free(&t);
    return status;
}
