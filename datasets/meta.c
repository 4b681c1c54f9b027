/* meta.json: text from a description, and a checked description from text. */
#include "meta.h"

#include "checksum.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES_MAX = 64 << 20, NAME_BYTES_MAX = 64 };

static const char format_tag[] = "adass-dataset-1";
static const char remedy[] = "prepare the dataset again";

static const char *const file_names[ADASS_N_FILES] = {
    "train/ids.npy",    "train/labels.npy", "valid/ids.npy",
    "valid/labels.npy", "test/ids.npy",     "test/labels.npy",
};

const char *adass_meta_file_name(size_t i) { return file_names[i]; }

char *adass_path_join(const char *dir, const char *name)
{
    char *path = malloc(strlen(dir) + strlen(name) + 2);
    if (path != NULL)
        sprintf(path, "%s/%s", dir, name);
    return path;
}

json_t *adass_json_u64(uint64_t value)
{
    return value <= INT64_MAX ? json_integer((json_int_t)value)
                              : json_sprintf("%llu", (unsigned long long)value);
}

/* ---- text ---- */

/* The end of the file: a comma was put before it. `checksum` is that of the bytes before. */
static void format_tail(char tail[64], const char *checksum)
{
    snprintf(tail, 64, "  \"checksum\": \"%s\"\n}\n", checksum);
}

/* Planted data has a rank for each field, 0 too. */
static json_t *field_to_json(const adass_field *field, bool planted)
{
    json_t *item = json_pack("{s:s, s:s, s:I, s:I}", "name", field->name, "kind", "categorical",
                             "vocab", (json_int_t)field->vocab, "oov", (json_int_t)field->oov);
    if ((planted || field->true_rank != 0) &&
        json_object_set_new(item, "true_rank", json_integer((json_int_t)field->true_rank)) != 0) {
        json_decref(item);
        return NULL;
    }
    return item;
}

/* Adding NULL fails, so that a value that could not be made shows here as well. */
static bool add_fields(json_t *list, const adass_meta *meta)
{
    bool ok = true;
    for (size_t f = 0; f < meta->n_fields && ok; f++)
        ok = json_array_append_new(list,
                                   field_to_json(&meta->fields[f], meta->teacher_auc != 0.0)) == 0;
    return ok;
}

static bool add_file(json_t *files, const char *name, const adass_meta_file *file)
{
    return json_object_set_new(files, name,
                               json_pack("{s:I, s:s}", "bytes", (json_int_t)file->bytes, "checksum",
                                         file->checksum)) == 0;
}

static bool add_files(json_t *files, const adass_meta *meta)
{
    bool ok = true;
    for (size_t i = 0; i < ADASS_N_FILES && ok; i++)
        ok = add_file(files, file_names[i], &meta->files[i]);
    return ok &&
           (!meta->has_vocabulary || add_file(files, ADASS_VOCABULARY_FILE, &meta->vocabulary));
}

static json_t *meta_to_json(const adass_meta *meta, json_t *made)
{
    json_t *root = json_pack("{s:s, s:[], s:{s:I, s:I, s:I}, s:{}}", "format", format_tag, "fields",
                             "rows", "train", (json_int_t)meta->rows[ADASS_TRAIN], "valid",
                             (json_int_t)meta->rows[ADASS_VALID], "test",
                             (json_int_t)meta->rows[ADASS_TEST], "files");
    bool ok = add_fields(json_object_get(root, "fields"), meta) &&
              add_files(json_object_get(root, "files"), meta);
    if (ok && meta->teacher_auc != 0.0)
        ok = json_object_set_new(root, "teacher_auc", json_real(meta->teacher_auc)) == 0;
    if (ok && json_object_set(root, "made", made) == 0)
        return root;
    json_decref(root);
    return NULL;
}

char *adass_meta_format(const adass_meta *meta, json_t *made)
{
    json_t *root = meta_to_json(meta, made);
    char *body = root != NULL ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    char *text = body != NULL ? malloc(strlen(body) + 80) : NULL;
    if (text != NULL) {
        char checksum[ADASS_CHECKSUM_CHARS];
        const size_t n =
            (size_t)sprintf(text, "%.*s,\n", (int)(strlen(body) - 2), body); /* without "\n}" */
        adass_checksum_bytes(text, n, checksum);
        format_tail(text + n, checksum);
    }
    free(body);
    return text;
}

/* ---- reading ---- */

typedef struct reader {
    const char *path;
    adass_meta meta;
    adass_error *err;
} reader;

static adass_status fail_at(const reader *r, const char *format, ...) ADASS_PRINTF(2, 3);

static adass_status fail_at(const reader *r, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return adass_fail(r->err, ADASS_EFORMAT, "%s: %s; %s", r->path, what, remedy);
}

/* The whole file, ended by 0. */
static adass_status read_text(const char *path, char **out, size_t *length, adass_error *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO,
                          "%s: cannot be opened: %s; a prepared dataset has this file", path,
                          strerror(errno));
    size_t n = 0, capacity = 1 << 14;
    char *text = malloc(capacity);
    while (text != NULL && n <= TEXT_BYTES_MAX) {
        n += fread(text + n, 1, capacity - 1 - n, file);
        if (n < capacity - 1)
            break;
        char *more = realloc(text, capacity *= 2);
        if (more == NULL)
            free(text);
        text = more;
    }
    const bool failed = ferror(file);
    const int reason = errno;
    fclose(file);
    if (text == NULL)
        return adass_fail_memory(err, path, (double)capacity);
    if (failed || n > TEXT_BYTES_MAX) {
        free(text);
        return failed ? adass_fail(err, ADASS_EIO, "%s: cannot be read: %s", path, strerror(reason))
                      : adass_fail(err, ADASS_EFORMAT, "%s: larger than %d bytes; %s", path,
                                   TEXT_BYTES_MAX, remedy);
    }
    text[n] = '\0';
    *out = text;
    *length = n;
    return ADASS_OK;
}

static adass_status check_checksum(reader *r, const char *text, size_t length)
{
    char tail[64];
    format_tail(tail, "00000000000000000000000000000000");
    const size_t tail_length = strlen(tail);
    if (length < tail_length)
        return fail_at(r, "the checksum is not at the end");
    const size_t n = length - tail_length;
    adass_checksum_bytes(text, n, r->meta.checksum);
    format_tail(tail, r->meta.checksum);
    if (memcmp(text + n, tail, tail_length) != 0)
        return fail_at(r, "the file is not what its checksum says: it was changed or damaged");
    return ADASS_OK;
}

/* A whole number of [low, high] from a member of `object`; `where` is for the message. */
static adass_status read_number(reader *r, const json_t *object, const char *where, const char *key,
                                size_t low, size_t high, size_t *out)
{
    const json_t *value = json_object_get(object, key);
    const json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < low || (uint64_t)number > high)
        return fail_at(r, "%s: '%s' is no whole number from %zu to %zu", where, key, low, high);
    *out = (size_t)number;
    return ADASS_OK;
}

static adass_status read_field(reader *r, const json_t *item, size_t f)
{
    adass_field *field = &r->meta.fields[f];
    char where[32];
    snprintf(where, sizeof where, "field %zu", f);
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *kind = json_string_value(json_object_get(item, "kind"));
    if (name == NULL || name[0] == '\0' || strlen(name) > NAME_BYTES_MAX)
        return fail_at(r, "%s has no name of 1 to %d bytes", where, NAME_BYTES_MAX);
    if (kind == NULL || strcmp(kind, "categorical") != 0)
        return fail_at(r, "%s: its kind is not 'categorical'", where);
    field->name = strdup(name);
    if (field->name == NULL)
        return adass_fail_memory(r->err, r->path, (double)strlen(name));
    size_t oov = 0;
    adass_status status = read_number(r, item, where, "vocab", 1, UINT32_MAX, &field->vocab);
    if (status == ADASS_OK)
        status = read_number(r, item, where, "oov", 0, field->vocab - 1, &oov);
    if (status == ADASS_OK && json_object_get(item, "true_rank") != NULL)
        status = read_number(r, item, where, "true_rank", 0, UINT32_MAX, &field->true_rank);
    field->oov = (uint32_t)oov;
    return status;
}

static int by_name(const void *a, const void *b)
{
    const adass_field *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* Sizes and results go by the field's name, so that two of the same name would be mixed up. */
static adass_status check_names(reader *r)
{
    const size_t n = r->meta.n_fields;
    adass_field *sorted = malloc(n * sizeof *sorted);
    if (sorted == NULL)
        return adass_fail_memory(r->err, r->path, (double)(n * sizeof *sorted));
    memcpy(sorted, r->meta.fields, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_name);
    adass_status status = ADASS_OK;
    for (size_t f = 1; f < n && status == ADASS_OK; f++)
        if (strcmp(sorted[f - 1].name, sorted[f].name) == 0)
            status = fail_at(r, "two fields are named '%s'", sorted[f].name);
    free(sorted);
    return status;
}

static adass_status read_fields(reader *r, const json_t *list)
{
    const size_t n = json_array_size(list);
    if (n == 0 || n > ADASS_FIELDS_MAX)
        return fail_at(r, "'fields' is no list of 1 to %d fields", ADASS_FIELDS_MAX);
    r->meta.fields = calloc(n, sizeof *r->meta.fields);
    if (r->meta.fields == NULL)
        return adass_fail_memory(r->err, r->path, (double)(n * sizeof *r->meta.fields));
    r->meta.n_fields = n;
    for (size_t f = 0; f < n; f++) {
        const adass_status status = read_field(r, json_array_get(list, f), f);
        if (status != ADASS_OK)
            return status;
    }
    return check_names(r);
}

static adass_status read_rows(reader *r, const json_t *rows)
{
    const size_t most =
        SIZE_MAX / 8 / r->meta.n_fields; /* no product of sizes overflows below this */
    adass_status status = ADASS_OK;
    for (size_t s = 0; s < ADASS_N_SPLITS && status == ADASS_OK; s++)
        status = read_number(r, rows, "rows", adass_split_name((adass_split)s), 0, most,
                             &r->meta.rows[s]);
    return status;
}

static adass_status read_file(reader *r, const json_t *files, const char *name,
                              adass_meta_file *out)
{
    const json_t *item = json_object_get(files, name);
    const char *checksum = json_string_value(json_object_get(item, "checksum"));
    if (checksum == NULL || strlen(checksum) != ADASS_CHECKSUM_CHARS - 1 ||
        strspn(checksum, "0123456789abcdef") != ADASS_CHECKSUM_CHARS - 1)
        return fail_at(r, "'%s' has no checksum", name);
    memcpy(out->checksum, checksum, ADASS_CHECKSUM_CHARS);
    return read_number(r, item, name, "bytes", 0, SIZE_MAX, &out->bytes);
}

static adass_status read_files(reader *r, const json_t *files)
{
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < ADASS_N_FILES && status == ADASS_OK; i++)
        status = read_file(r, files, file_names[i], &r->meta.files[i]);
    r->meta.has_vocabulary = json_object_get(files, ADASS_VOCABULARY_FILE) != NULL;
    return status == ADASS_OK && r->meta.has_vocabulary
               ? read_file(r, files, ADASS_VOCABULARY_FILE, &r->meta.vocabulary)
               : status;
}

static adass_status read_teacher(reader *r, const json_t *value)
{
    if (value == NULL)
        return ADASS_OK;
    const double auc = json_number_value(value);
    if (!json_is_number(value) || !(auc > 0.0 && auc <= 1.0))
        return fail_at(r, "'teacher_auc' is no number in (0, 1]");
    r->meta.teacher_auc = auc;
    return ADASS_OK;
}

static adass_status read_made(reader *r, const json_t *value)
{
    if (!json_is_object(value))
        return fail_at(r, "'made' is no object");
    r->meta.made = json_dumps(value, JSON_COMPACT);
    return r->meta.made != NULL ? ADASS_OK : adass_fail_memory(r->err, r->path, 0.0);
}

static adass_status read_members(reader *r, const json_t *root)
{
    const char *tag = json_string_value(json_object_get(root, "format"));
    if (tag == NULL || strcmp(tag, format_tag) != 0)
        return fail_at(r, "'format' is %s%s%s, this version reads '%s'", tag != NULL ? "'" : "",
                       tag != NULL ? tag : "missing", tag != NULL ? "'" : "", format_tag);
    adass_status status = read_fields(r, json_object_get(root, "fields"));
    if (status == ADASS_OK)
        status = read_rows(r, json_object_get(root, "rows"));
    if (status == ADASS_OK)
        status = read_files(r, json_object_get(root, "files"));
    if (status == ADASS_OK)
        status = read_teacher(r, json_object_get(root, "teacher_auc"));
    if (status == ADASS_OK)
        status = read_made(r, json_object_get(root, "made"));
    return status;
}

/*
 * Syntax first, for its line and column; then the checksum; then the content, since a checksum does
 * not make it right.
 */
static adass_status parse(reader *r, const char *text, size_t length)
{
    json_error_t problem;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL)
        return adass_fail(r->err, ADASS_EFORMAT, "%s:%d:%d: %s; %s", r->path, problem.line,
                          problem.column, problem.text, remedy);
    adass_status status = check_checksum(r, text, length);
    if (status == ADASS_OK)
        status = read_members(r, root);
    json_decref(root);
    return status;
}

adass_status adass_meta_read(const char *dir, adass_meta *out, adass_error *err)
{
    char *path = adass_path_join(dir, "meta.json"), *text = NULL;
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(dir));
    reader r = { .path = path, .err = err };
    size_t length = 0;
    adass_status status = read_text(path, &text, &length, err);
    if (status == ADASS_OK)
        status = parse(&r, text, length);
    if (status == ADASS_OK)
        *out = r.meta;
    else
        adass_meta_free(&r.meta);
    free(text);
    free(path);
    return status;
}

void adass_meta_free(adass_meta *meta)
{
    for (size_t f = 0; f < meta->n_fields; f++)
        free(meta->fields[f].name);
    free(meta->fields);
    free(meta->made);
}
