/* vocabulary.tsv: writing and reading. */
#include "vocabulary_file.h"

#include "checksum.h"
#include "delimited.h"
#include "meta.h"
#include "spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 16, N_COLUMNS = 3 };

static const char header[] = "field\tid\tvalue";

struct adass_value_texts {
    const adass_id_tables *tables;
    adass_spool *spool; /* of each text: its length, 8 bytes, then its bytes */
    uint64_t **places;  /* [vocabularies][ids], in the spool, plus 1; 0: not there yet */
};

/* ---- gathering ---- */

adass_status adass_value_texts_open(adass_value_texts **out, const adass_id_tables *tables,
                                    const char *beside, adass_error *err)
{
    adass_value_texts *t = calloc(1, sizeof *t);
    if (t == NULL)
        return adass_fail_memory(err, "the vocabulary", (double)sizeof *t);
    t->tables = tables;
    t->places = calloc(tables->n, sizeof *t->places);
    bool ok = t->places != NULL;
    for (size_t v = 0; v < tables->n && ok; v++) {
        t->places[v] = calloc(tables->tables[v].n + 1, sizeof **t->places);
        ok = t->places[v] != NULL;
    }
    adass_status status = ok ? adass_spool_open(&t->spool, beside, err)
                             : adass_fail_memory(err, "the vocabulary", 0.0);
    if (status == ADASS_OK)
        *out = t;
    else
        adass_value_texts_close(t);
    return status;
}

bool adass_value_texts_have(const adass_value_texts *texts, size_t vocabulary, uint32_t id)
{
    return __atomic_load_n(&texts->places[vocabulary][id], __ATOMIC_RELAXED) != 0;
}

adass_status adass_value_texts_add(adass_value_texts *texts, size_t vocabulary, uint32_t id,
                                   const char *text, size_t length, adass_error *err)
{
    if (adass_value_texts_have(texts, vocabulary, id))
        return ADASS_OK;
    const uint64_t place = adass_spool_bytes(texts->spool), bytes = length;
    const adass_status status = adass_spool_append(texts->spool, &bytes, sizeof bytes, err);
    __atomic_store_n(&texts->places[vocabulary][id], place + 1, __ATOMIC_RELAXED);
    return status == ADASS_OK ? adass_spool_append(texts->spool, text, length, err) : status;
}

void adass_value_texts_close(adass_value_texts *texts)
{
    if (texts == NULL)
        return;
    for (size_t v = 0; texts->places != NULL && v < texts->tables->n; v++)
        free(texts->places[v]);
    free(texts->places);
    adass_spool_close(texts->spool);
    free(texts);
}

/* ---- writing ---- */

/* The letter of an escape, or 0. */
static char escape_of(char c)
{
    switch (c) {
    case '\\':
        return '\\';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    default:
        return 0;
    }
}

static void write_text(FILE *file, const char *text, size_t length)
{
    size_t plain = 0; /* bytes before `i` that are not written yet */
    for (size_t i = 0; i < length; i++, plain++) {
        const char letter = escape_of(text[i]);
        if (letter == 0)
            continue;
        fwrite(text + i - plain, 1, plain, file);
        fputc('\\', file);
        fputc(letter, file);
        plain = (size_t)-1; /* becomes 0 */
    }
    fwrite(text + length - plain, 1, plain, file);
}

static adass_status sync_file(FILE *file, adass_error *err)
{
    if (ferror(file) || fflush(file) != 0 || fsync(fileno(file)) != 0)
        return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", ADASS_VOCABULARY_FILE,
                          strerror(errno));
    return ADASS_OK;
}

static adass_status write_values(const adass_value_texts *t, size_t v, const char *bytes,
                                 FILE *file, adass_error *err)
{
    for (uint32_t id = 1; id <= t->tables->tables[v].n; id++) {
        const uint64_t place = t->places[v][id];
        uint64_t length;
        if (place == 0)
            return adass_fail(err, ADASS_EIO,
                              "field %s: a value was not met again; the input changed, try again",
                              t->tables->names[v]);
        memcpy(&length, bytes + place - 1, sizeof length);
        if (length > ADASS_LINE_BYTES_MAX / 4)
            return adass_fail(err, ADASS_EFORMAT,
                              "field %s: a value of %llu bytes is too long to be written to %s",
                              t->tables->names[v], (unsigned long long)length,
                              ADASS_VOCABULARY_FILE);
        write_text(file, t->tables->names[v], strlen(t->tables->names[v]));
        fprintf(file, "\t%u\t", id);
        write_text(file, bytes + place - 1 + sizeof length, (size_t)length);
        if (fputc('\n', file) == EOF)
            break;
    }
    return ADASS_OK;
}

adass_status adass_value_texts_write(adass_value_texts *texts, FILE *file, adass_error *err)
{
    adass_status status = adass_spool_flush(texts->spool, err);
    const size_t n = (size_t)adass_spool_bytes(texts->spool);
    void *bytes = NULL;
    if (status == ADASS_OK && n > 0) {
        bytes = mmap(NULL, n, PROT_READ, MAP_SHARED, adass_spool_fd(texts->spool), 0);
        if (bytes == MAP_FAILED)
            return adass_fail(err, ADASS_EIO, "the values cannot be mapped: %s", strerror(errno));
    }
    fprintf(file, "%s\n", header);
    for (size_t v = 0; v < texts->tables->n && status == ADASS_OK; v++)
        status = write_values(texts, v, bytes, file, err);
    if (bytes != NULL)
        munmap(bytes, n);
    return status == ADASS_OK ? sync_file(file, err) : status;
}

adass_status adass_vocabulary_copy(const char *dir, FILE *file, adass_error *err)
{
    char *path = adass_path_join(dir, ADASS_VOCABULARY_FILE), chunk[COPY_BYTES];
    FILE *from = path != NULL ? fopen(path, "rb") : NULL;
    adass_status status = ADASS_OK;
    if (from == NULL) {
        status = adass_fail(err, ADASS_EIO, "%s/%s: cannot be opened: %s", dir,
                            ADASS_VOCABULARY_FILE, strerror(errno));
    } else {
        for (size_t n; (n = fread(chunk, 1, sizeof chunk, from)) > 0;)
            fwrite(chunk, 1, n, file);
        if (ferror(from))
            status = adass_fail(err, ADASS_EIO, "%s: cannot be read: %s", path, strerror(errno));
        fclose(from);
    }
    free(path);
    return status == ADASS_OK ? sync_file(file, err) : status;
}

/* ---- reading ---- */

typedef struct reading {
    adass_text_reader *reader;
    adass_id_tables *tables;
    adass_key *keys; /* [n], of the vocabulary that is being read */
    size_t n, capacity;
} reading;

static adass_key next_key(const void *values, size_t i) { return ((const adass_key *)values)[i]; }

/* Takes the escapes off, in place; false for a backslash that is none. */
static bool unescape(char *text, adass_cell *cell)
{
    size_t n = 0;
    for (size_t i = 0; i < cell->length; i++, n++) {
        text[n] = text[i];
        if (text[i] != '\\')
            continue;
        i++;
        const char letter = i < cell->length ? text[i] : '\0';
        if (letter != '\\' && letter != 't' && letter != 'n' && letter != 'r')
            return false;
        text[n] = (char)(letter == 't' ? '\t' : letter == 'n' ? '\n' : letter == 'r' ? '\r' : '\\');
    }
    cell->length = n;
    return true;
}

static adass_status add_key(reading *r, const adass_cell *value, adass_error *err)
{
    if (r->n == r->capacity) {
        const size_t capacity = r->capacity * 2 + 1024;
        if (capacity * sizeof *r->keys > r->tables->bound)
            return adass_fail(err, ADASS_ENOMEM,
                              "the vocabulary does not fit the memory bound; raise --memory");
        adass_key *keys = realloc(r->keys, capacity * sizeof *keys);
        if (keys == NULL)
            return adass_fail_memory(err, "a vocabulary", (double)capacity * sizeof *keys);
        r->keys = keys;
        r->capacity = capacity;
    }
    r->keys[r->n++] = adass_key_of(value->text, value->length);
    return ADASS_OK;
}

/* Ends vocabularies until the line's is reached: those that have no values are not in the file. */
static adass_status reach(reading *r, const adass_line *line, const adass_cell *name, size_t *v,
                          adass_error *err)
{
    adass_status status = ADASS_OK;
    while (status == ADASS_OK && !adass_cell_is(name, r->tables->names[*v])) {
        status = adass_id_tables_set(r->tables, *v, r->n, next_key, r->keys, err);
        r->n = 0;
        if (++*v == r->tables->n)
            return adass_fail_cell(err, line, name,
                                   "not a field that is imported, or not in its order");
    }
    return status;
}

static adass_status read_value(reading *r, adass_line *line, size_t *v, adass_error *err)
{
    static const adass_dialect dialect = { "\t", false, N_COLUMNS };
    adass_cell cells[N_COLUMNS];
    uint64_t id;
    adass_status status = adass_line_split(line, &dialect, cells, err);
    if (status != ADASS_OK)
        return status;
    if (!unescape(line->text, &cells[0]) ||
        !unescape(line->text + (cells[2].column - 1), &cells[2]))
        return adass_fail_cell(err, line, &cells[2], "a backslash that is no escape");
    status = reach(r, line, &cells[0], v, err);
    if (status != ADASS_OK)
        return status;
    if (!adass_cell_whole(&cells[1], &id) || id != r->n + 1)
        return adass_fail_cell(err, line, &cells[1], "not the next id");
    return add_key(r, &cells[2], err);
}

static adass_status check_header(const adass_line *line, adass_error *err)
{
    const adass_cell whole = { line->text, line->length, 1 };
    return line->text != NULL && adass_cell_is(&whole, header)
               ? ADASS_OK
               : adass_fail(err, ADASS_EFORMAT, "%s:1:1: the header of a vocabulary is missing",
                            line->path);
}

static adass_status read_all(reading *r, adass_error *err)
{
    adass_line line;
    size_t v = 0;
    adass_status status = adass_text_reader_next(r->reader, &line, err);
    if (status == ADASS_OK)
        status = check_header(&line, err);
    while (status == ADASS_OK) {
        status = adass_text_reader_next(r->reader, &line, err);
        if (status != ADASS_OK || line.text == NULL)
            break;
        status = read_value(r, &line, &v, err);
    }
    for (; v < r->tables->n && status == ADASS_OK; v++) {
        status = adass_id_tables_set(r->tables, v, r->n, next_key, r->keys, err);
        r->n = 0;
    }
    return status;
}

static adass_status check_checksum(const reading *r, const char *path, const adass_meta_file *file,
                                   adass_error *err)
{
    char checksum[ADASS_CHECKSUM_CHARS];
    adass_text_reader_checksum(r->reader, checksum);
    return strcmp(checksum, file->checksum) == 0
               ? ADASS_OK
               : adass_fail(err, ADASS_EFORMAT,
                            "%s: its checksum is %s, meta.json says %s: it was changed or damaged; "
                            "prepare the dataset again",
                            path, checksum, file->checksum);
}

static adass_status read_file(const char *path, const adass_meta_file *file,
                              adass_id_tables *tables, adass_error *err)
{
    reading r = { .tables = tables };
    adass_status status = adass_text_reader_open(&r.reader, path, err);
    if (status == ADASS_OK)
        status = read_all(&r, err);
    if (status == ADASS_OK)
        status = check_checksum(&r, path, file, err);
    adass_text_reader_close(r.reader);
    free(r.keys);
    return status;
}

adass_status adass_vocabulary_read(const char *dir, adass_id_tables *tables,
                                   char checksum[ADASS_CHECKSUM_CHARS], adass_error *err)
{
    adass_meta meta;
    adass_status status = adass_meta_read(dir, &meta, err);
    if (status != ADASS_OK)
        return status;
    char *path = adass_path_join(dir, ADASS_VOCABULARY_FILE);
    if (path == NULL)
        status = adass_fail_memory(err, "a path", (double)strlen(dir));
    else if (!meta.has_vocabulary)
        status = adass_fail(err, ADASS_EINVAL,
                            "%s: the dataset has no vocabulary; import it with --write-vocab", dir);
    else
        status = read_file(path, &meta.vocabulary, tables, err);
    if (status == ADASS_OK)
        memcpy(checksum, meta.vocabulary.checksum, ADASS_CHECKSUM_CHARS);
    free(path);
    adass_meta_free(&meta);
    return status;
}
