/* Safetensors files. */
#include "safetensors.h"

#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { HEADER_BYTES_MAX = 100 << 20, CHUNK_BYTES = 1 << 18, CHECKSUM_CHARS = 17 };

static const struct {
    const char *name;
    size_t bytes;
} dtypes[ADASS_N_DTYPES] = {
    [ADASS_DTYPE_F32] = { "F32", 4 }, [ADASS_DTYPE_BF16] = { "BF16", 2 },
    [ADASS_DTYPE_F16] = { "F16", 2 }, [ADASS_DTYPE_F64] = { "F64", 8 },
    [ADASS_DTYPE_U8] = { "U8", 1 },   [ADASS_DTYPE_U64] = { "U64", 8 },
};

static size_t bytes_of(const adass_array *a) { return a->rows * a->cols * dtypes[a->dtype].bytes; }

/* ---- the checksum ---- */

/* Begins the hash of a file with its header, whose metadata has no checksum at the moment. */
static XXH3_state_t *begin_hash(const json_t *header)
{
    char *text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    XXH3_state_t *hash = text != NULL ? XXH3_createState() : NULL;
    if (hash != NULL) {
        (void)XXH3_64bits_reset(hash);
        (void)XXH3_64bits_update(hash, text, strlen(text));
    }
    free(text);
    return hash;
}

static void end_hash(XXH3_state_t *hash, char checksum[CHECKSUM_CHARS])
{
    snprintf(checksum, CHECKSUM_CHARS, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(hash));
    XXH3_freeState(hash);
}

/* ---- writing ---- */

static json_t *make_header(json_t *metadata, const adass_array *arrays, size_t n)
{
    json_t *header = json_object();
    size_t at = 0;
    json_object_set(header, "__metadata__", metadata);
    for (size_t i = 0; i < n; i++) {
        const adass_array *a = &arrays[i];
        const size_t end = at + bytes_of(a);
        if (end == at)
            continue;
        json_object_set_new(header, a->name,
                            json_pack("{s:s, s:[I, I], s:[I, I]}", "dtype", dtypes[a->dtype].name,
                                      "shape", (json_int_t)a->rows, (json_int_t)a->cols,
                                      "data_offsets", (json_int_t)at, (json_int_t)end));
        at = end;
    }
    return header;
}

/* The header's text with the checksum of all; the caller frees it. */
static char *make_header_text(json_t *metadata, const adass_array *arrays, size_t n)
{
    char checksum[CHECKSUM_CHARS];
    json_t *header = make_header(metadata, arrays, n);
    XXH3_state_t *hash = header != NULL ? begin_hash(header) : NULL;
    char *text = NULL;
    if (hash != NULL) {
        for (size_t i = 0; i < n; i++)
            (void)XXH3_64bits_update(hash, arrays[i].data, bytes_of(&arrays[i]));
        end_hash(hash, checksum);
        json_object_set_new(metadata, "checksum", json_string(checksum));
        text = json_dumps(header, JSON_COMPACT);
    }
    json_decref(header);
    return text;
}

static bool put_length(FILE *file, uint64_t length)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
    return fwrite(bytes, sizeof bytes, 1, file) == 1;
}

typedef struct content {
    const char *header;
    const adass_array *arrays;
    size_t n;
} content;

/* The header is padded with spaces, so that the arrays begin at a multiple of 8 bytes. */
static bool put_content(FILE *file, const void *user)
{
    const content *c = user;
    const size_t length = strlen(c->header), padded = (length + 7) / 8 * 8;
    bool ok =
        put_length(file, padded) && fprintf(file, "%-*s", (int)padded, c->header) == (int)padded;
    for (size_t i = 0; i < c->n && ok; i++) {
        const size_t bytes = bytes_of(&c->arrays[i]);
        ok = bytes == 0 || fwrite(c->arrays[i].data, bytes, 1, file) == 1;
    }
    return ok;
}

adass_status adass_safetensors_write(const char *path, json_t *metadata, const adass_array *arrays,
                                     size_t n, adass_error *err)
{
    char *header = make_header_text(metadata, arrays, n);
    if (header == NULL)
        return adass_fail_memory(err, "a safetensors file's header", (double)(n + 1) * 256.0);
    const content c = { .header = header, .arrays = arrays, .n = n };
    const adass_status status = adass_file_write(path, put_content, &c, err);
    free(header);
    return status;
}

adass_array adass_tensor_array(const adass_tensor *t)
{
    adass_array a = { .dtype = ADASS_DTYPE_F32, .rows = t->rows, .cols = t->cols, .data = t->data };
    if (t->type != ADASS_F32) {
        a.dtype = t->type == ADASS_BF16 ? ADASS_DTYPE_BF16 : ADASS_DTYPE_F16;
        a.data = t->halves;
    }
    snprintf(a.name, sizeof a.name, "%s", t->name);
    return a;
}

adass_status adass_safetensors_write_model(const char *path, adass_model *model,
                                           const adass_dataset *dataset, adass_error *err)
{
    const size_t n = adass_model_tensor_count(model);
    json_t *metadata =
        json_pack("{s:s, s:s, s:s}", "format", "adass-model-1", "backbone",
                  adass_backbone_name(model->config.backbone), "dataset", dataset->checksum);
    const char **names = calloc(dataset->n_fields, sizeof *names);
    adass_array *arrays = calloc(n, sizeof *arrays);
    adass_status status = adass_fail_memory(err, "the model's header", (double)n * 256.0);
    if (metadata != NULL && names != NULL && arrays != NULL) {
        for (size_t f = 0; f < dataset->n_fields; f++)
            names[f] = dataset->fields[f].name;
        for (size_t i = 0; i < n; i++) {
            const adass_tensor t = adass_model_tensor(model, i, names);
            arrays[i] = adass_tensor_array(&t);
        }
        status = adass_safetensors_write(path, metadata, arrays, n, err);
    }
    free(arrays);
    free(names);
    json_decref(metadata);
    return status;
}

/* ---- reading ---- */

struct adass_safetensors {
    char *path;
    FILE *file;
    json_t *header, *metadata; /* the metadata is the header's */
    size_t begin;              /* of the data, in the file */
};

static adass_status fail_damaged(const char *path, const char *what, adass_error *err)
{
    return adass_fail(err, ADASS_EFORMAT, "%s: the file is damaged: %s", path, what);
}

static adass_status read_header(adass_safetensors *s, adass_error *err)
{
    unsigned char bytes[8];
    uint64_t length = 0;
    if (fread(bytes, sizeof bytes, 1, s->file) != 1)
        return fail_damaged(s->path, "it has no header", err);
    for (int i = 0; i < 8; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (length > HEADER_BYTES_MAX)
        return fail_damaged(s->path, "its header has an impossible length", err);
    s->begin = sizeof bytes + length;
    char *text = malloc(length + 1);
    if (text == NULL)
        return adass_fail_memory(err, "a safetensors file's header", (double)length);
    const bool complete = fread(text, 1, length, s->file) == length;
    s->header = complete ? json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL) : NULL;
    free(text);
    s->metadata = json_object_get(s->header, "__metadata__");
    return s->metadata != NULL ? ADASS_OK : fail_damaged(s->path, "its header is unreadable", err);
}

/* Hashes the rest of the file, *bytes long; false when memory or reading fails. */
static bool hash_data(FILE *file, XXH3_state_t *hash, size_t *bytes)
{
    unsigned char *chunk = malloc(CHUNK_BYTES);
    size_t n;
    *bytes = 0;
    while (chunk != NULL && (n = fread(chunk, 1, CHUNK_BYTES, file)) > 0) {
        (void)XXH3_64bits_update(hash, chunk, n);
        *bytes += n;
    }
    const bool complete = chunk != NULL && !ferror(file);
    free(chunk);
    return complete;
}

static adass_status check_content(adass_safetensors *s, size_t *data_bytes, adass_error *err)
{
    char checksum[CHECKSUM_CHARS];
    json_t *stated = json_incref(json_object_get(s->metadata, "checksum"));
    json_object_del(s->metadata, "checksum");
    XXH3_state_t *hash = begin_hash(s->header);
    adass_status status = ADASS_OK;
    if (hash == NULL) {
        status = adass_fail_memory(err, "a checksum", (double)s->begin);
    } else {
        const bool complete = hash_data(s->file, hash, data_bytes);
        end_hash(hash, checksum);
        if (!complete)
            status = adass_fail(err, ADASS_EIO, "%s: cannot be read: %s", s->path, strerror(errno));
        else if (!json_is_string(stated) || strcmp(json_string_value(stated), checksum) != 0)
            status = fail_damaged(s->path, "its checksum is another", err);
    }
    json_decref(stated);
    return status;
}

static size_t number_at(const json_t *list, size_t i)
{
    const json_int_t number = json_integer_value(json_array_get(list, i));
    return number > 0 ? (size_t)number : 0;
}

/* Bytes of an array by its type and shape; 0 where they are not those of any. */
static size_t described_bytes(const json_t *entry)
{
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    const json_t *shape = json_object_get(entry, "shape");
    size_t bytes = 0;
    for (size_t t = 0; dtype != NULL && t < ADASS_N_DTYPES; t++)
        if (strcmp(dtype, dtypes[t].name) == 0)
            bytes = dtypes[t].bytes;
    if (json_array_size(shape) != 2 || __builtin_mul_overflow(bytes, number_at(shape, 0), &bytes) ||
        __builtin_mul_overflow(bytes, number_at(shape, 1), &bytes))
        return 0;
    return bytes;
}

/* The arrays lie one behind the other, none empty, and fill the file: no shape is larger than what is there. */
static adass_status check_arrays(const adass_safetensors *s, size_t data_bytes, adass_error *err)
{
    const char *name;
    json_t *entry;
    size_t at = 0;
    json_object_foreach(s->header, name, entry)
    {
        if (entry == s->metadata)
            continue;
        const json_t *offsets = json_object_get(entry, "data_offsets");
        const size_t bytes = described_bytes(entry);
        if (bytes == 0 || bytes > data_bytes - at || json_array_size(offsets) != 2 ||
            number_at(offsets, 0) != at || number_at(offsets, 1) != at + bytes)
            return fail_damaged(s->path, "its arrays are not where the header says", err);
        at += bytes;
    }
    return at == data_bytes ? ADASS_OK
                            : fail_damaged(s->path, "it has data that is no array's", err);
}

adass_status adass_safetensors_open(adass_safetensors **out, const char *path, adass_error *err)
{
    adass_safetensors *s = calloc(1, sizeof *s);
    if (s != NULL)
        s->path = strdup(path);
    if (s == NULL || s->path == NULL) {
        free(s);
        return adass_fail_memory(err, "a safetensors file", sizeof *s);
    }
    s->file = fopen(path, "rb");
    size_t data_bytes = 0;
    adass_status status = ADASS_OK;
    if (s->file == NULL)
        status = adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    if (status == ADASS_OK)
        status = read_header(s, err);
    if (status == ADASS_OK)
        status = check_content(s, &data_bytes, err);
    if (status == ADASS_OK)
        status = check_arrays(s, data_bytes, err);
    if (status != ADASS_OK) {
        adass_safetensors_close(s);
        return status;
    }
    *out = s;
    return ADASS_OK;
}

const char *adass_safetensors_metadata(const adass_safetensors *file, const char *key)
{
    return json_string_value(json_object_get(file->metadata, key));
}

size_t adass_safetensors_rows(const adass_safetensors *file, const char *name)
{
    return number_at(json_object_get(json_object_get(file->header, name), "shape"), 0);
}

/* Where the array's data begins in the file; false when the file has another array of that name. */
static bool find_array(const adass_safetensors *s, const adass_array *a, size_t *begin)
{
    const json_t *entry = json_object_get(s->header, a->name);
    const json_t *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const char *dtype = json_string_value(json_object_get(entry, "dtype"));
    *begin = s->begin + number_at(offsets, 0);
    return dtype != NULL && strcmp(dtype, dtypes[a->dtype].name) == 0 &&
           number_at(shape, 0) == a->rows && number_at(shape, 1) == a->cols;
}

adass_status adass_safetensors_read(adass_safetensors *file, const adass_array *arrays, size_t n,
                                    adass_error *err)
{
    adass_safetensors *s = file;
    size_t present = 0;
    for (size_t i = 0; i < n; i++) {
        const adass_array *a = &arrays[i];
        size_t begin;
        if (bytes_of(a) == 0)
            continue;
        if (!find_array(s, a, &begin))
            return adass_fail(err, ADASS_EFORMAT, "%s: '%s' is missing or of another shape",
                              s->path, a->name);
        if (fseeko(s->file, (off_t)begin, SEEK_SET) != 0 ||
            fread(a->data, bytes_of(a), 1, s->file) != 1)
            return adass_fail(err, ADASS_EIO, "%s: '%s' cannot be read: %s", s->path, a->name,
                              ferror(s->file) ? strerror(errno) : "the file ends there");
        present++;
    }
    if (present + 1 != json_object_size(s->header))
        return adass_fail(err, ADASS_EFORMAT, "%s: it has arrays that are not wanted", s->path);
    return ADASS_OK;
}

void adass_safetensors_close(adass_safetensors *file)
{
    if (file == NULL)
        return;
    if (file->file != NULL)
        fclose(file->file);
    json_decref(file->header);
    free(file->path);
    free(file);
}
