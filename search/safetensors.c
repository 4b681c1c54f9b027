/* Models as safetensors files. */
#include "safetensors.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char **names_of(const adass_dataset *dataset)
{
    const char **names = calloc(dataset->n_fields, sizeof *names);
    for (size_t f = 0; names != NULL && f < dataset->n_fields; f++)
        names[f] = dataset->fields[f].name;
    return names;
}

static size_t bytes_of(const adass_tensor *t) { return t->rows * t->cols * sizeof *t->data; }

/* The header's JSON text; the caller frees it. */
static char *make_header(adass_model *model, const adass_dataset *dataset, const char *const *names)
{
    json_t *root =
        json_pack("{s:{s:s, s:s, s:s}}", "__metadata__", "format", "adass-model-1", "backbone",
                  adass_backbone_name(model->config.backbone), "dataset", dataset->checksum);
    size_t at = 0;
    for (size_t i = 0; i < adass_model_tensor_count(model); i++) {
        const adass_tensor t = adass_model_tensor(model, i, names);
        const size_t end = at + bytes_of(&t);
        if (end == at)
            continue;
        json_object_set_new(root, t.name,
                            json_pack("{s:s, s:[I, I], s:[I, I]}", "dtype", "F32", "shape",
                                      (json_int_t)t.rows, (json_int_t)t.cols, "data_offsets",
                                      (json_int_t)at, (json_int_t)end));
        at = end;
    }
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}

static bool put_length(FILE *file, uint64_t length)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
    return fwrite(bytes, sizeof bytes, 1, file) == 1;
}

/* The header is padded with spaces, so that the tensors begin at a multiple of 8 bytes. */
static bool put_model(FILE *file, adass_model *model, const char *header)
{
    const size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    bool ok = put_length(file, padded) && fprintf(file, "%-*s", (int)padded, header) == (int)padded;
    for (size_t i = 0; i < adass_model_tensor_count(model) && ok; i++) {
        const adass_tensor t = adass_model_tensor(model, i, NULL);
        const size_t bytes = bytes_of(&t);
        ok = bytes == 0 || fwrite(t.data, bytes, 1, file) == 1;
    }
    return ok && fflush(file) == 0 && fsync(fileno(file)) == 0;
}

static adass_status write_file(const char *path, adass_model *model, const char *header,
                               adass_error *err)
{
    char temporary[4096];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid()) >=
        sizeof temporary)
        return adass_fail(err, ADASS_EINVAL, "%s: the path is too long", path);
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", path, strerror(errno));
    const bool written = put_model(file, model, header);
    const bool closed = fclose(file) == 0;
    if (written && closed && rename(temporary, path) == 0)
        return ADASS_OK;
    const int reason = errno;
    unlink(temporary);
    return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", path, strerror(reason));
}

adass_status adass_safetensors_write(const char *path, adass_model *model,
                                     const adass_dataset *dataset, adass_error *err)
{
    const char **names = names_of(dataset);
    char *header = names != NULL ? make_header(model, dataset, names) : NULL;
    const adass_status status = header != NULL
                                    ? write_file(path, model, header, err)
                                    : adass_fail_memory(err, "the model's header", 65536.0);
    free(header);
    free(names);
    return status;
}
