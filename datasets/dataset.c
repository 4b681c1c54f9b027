/* Opening prepared datasets: meta.json, then the arrays mapped and held against it. */
#include "adass/dataset.h"

#include "checksum.h"
#include "meta.h"
#include "npy.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct adass_dataset_maps {
    adass_meta_file files[ADASS_N_FILES]; /* what meta.json says */
    void *bases[ADASS_N_FILES];           /* NULL: not mapped */
    bool has_vocabulary;
    adass_meta_file vocabulary;
};

const char *adass_split_name(adass_split split)
{
    static const char *const names[ADASS_N_SPLITS] = { "train", "valid", "test" };
    return names[split];
}

double adass_rows_label_rate(const adass_rows *rows)
{
    double sum = 0.0;
    for (size_t i = 0; i < rows->n; i++)
        sum += (double)adass_rows_label(rows, i);
    return rows->n > 0 ? sum / (double)rows->n : (double)NAN;
}

/*
 * Maps a file of the length that meta.json says. Rows are read in random order, and from small pages finding each one's
 * page takes longer than the row. Where the kernel's cache can hold files in huge pages, what it reads from disk from now
 * on comes in such; elsewhere the advice does no harm.
 */
static adass_status map_file(const char *path, size_t bytes, void **out, adass_error *err)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s; prepare the dataset again",
                          path, strerror(errno));
    struct stat status;
    void *base = MAP_FAILED;
    const int known = fstat(fd, &status);
    if (known == 0 && S_ISREG(status.st_mode) && bytes > 0 && (uintmax_t)status.st_size == bytes)
        base = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    const int reason = errno;
    if (base != MAP_FAILED)
        (void)madvise(base, bytes, MADV_HUGEPAGE);
    close(fd);
    if (known == 0 && (uintmax_t)status.st_size != bytes)
        return adass_fail(err, ADASS_EFORMAT,
                          "%s: it has %jd bytes, meta.json says %zu; prepare the dataset again",
                          path, (intmax_t)status.st_size, bytes);
    if (base == MAP_FAILED)
        return adass_fail(err, ADASS_EIO, "%s: cannot be mapped: %s", path, strerror(reason));
    *out = base;
    return ADASS_OK;
}

static adass_status fail_shape(const char *path, const adass_npy_info *info, size_t rows,
                               size_t columns, const char *type, adass_error *err)
{
    static const char *const names[] = { "uint32", "uint8", "float32" };
    return adass_fail(err, ADASS_EFORMAT,
                      "%s: it holds %zu x %zu of %s in %zu dimensions, meta.json needs %zu x %zu "
                      "of %s; prepare the "
                      "dataset again",
                      path, info->shape[0], info->shape[1], names[info->type], info->n_dims, rows,
                      columns, type);
}

static adass_status take_ids(adass_dataset *d, size_t split, const char *path, const void *base,
                             const adass_npy_info *info, adass_error *err)
{
    adass_rows *rows = &d->splits[split];
    if (info->type != ADASS_NPY_U32 || info->n_dims != 2 || info->shape[0] != rows->n ||
        info->shape[1] != d->n_fields)
        return fail_shape(path, info, rows->n, d->n_fields, "uint32", err);
    rows->ids = (const void *)((const char *)base + info->data_offset);
    return ADASS_OK;
}

static adass_status take_labels(adass_dataset *d, size_t split, const char *path, const void *base,
                                const adass_npy_info *info, adass_error *err)
{
    adass_rows *rows = &d->splits[split];
    if (info->type == ADASS_NPY_U32 || info->n_dims != 1 || info->shape[0] != rows->n)
        return fail_shape(path, info, rows->n, 1, "uint8 or float32", err);
    const void *data = (const char *)base + info->data_offset;
    if (info->type == ADASS_NPY_U8)
        rows->labels_u8 = data;
    else
        rows->labels_f32 = data;
    return ADASS_OK;
}

static adass_status open_file(adass_dataset *d, size_t i, adass_error *err)
{
    char *path = adass_path_join(d->dir, adass_meta_file_name(i));
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(d->dir));
    const size_t bytes = d->maps->files[i].bytes;
    adass_npy_info info;
    adass_status status = map_file(path, bytes, &d->maps->bases[i], err);
    if (status == ADASS_OK)
        status = adass_npy_parse(path, d->maps->bases[i], bytes, &info, err);
    if (status == ADASS_OK)
        status =
            (i % 2 == 0 ? take_ids : take_labels)(d, i / 2, path, d->maps->bases[i], &info, err);
    free(path);
    return status;
}

/*
 * The last part of a path, in new memory. Results carry it as JSON, which is UTF-8; a path may be
 * any bytes.
 */
static char *last_part(const char *dir)
{
    size_t end = strlen(dir);
    while (end > 1 && dir[end - 1] == '/')
        end--;
    size_t begin = end;
    while (begin > 0 && dir[begin - 1] != '/')
        begin--;
    char *name = strndup(dir + begin, end - begin);
    json_t *text = name != NULL ? json_string(name) : NULL;
    for (char *p = name; text == NULL && p != NULL && *p != '\0'; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    json_decref(text);
    return name;
}

/* Hands the description over to the dataset. */
static void take_meta(adass_dataset *d, const adass_meta *meta)
{
    d->n_fields = meta->n_fields;
    d->fields = meta->fields;
    d->made = meta->made;
    d->teacher_auc = meta->teacher_auc;
    memcpy(d->checksum, meta->checksum, sizeof d->checksum);
    memcpy(d->maps->files, meta->files, sizeof d->maps->files);
    d->maps->has_vocabulary = meta->has_vocabulary;
    d->maps->vocabulary = meta->vocabulary;
    for (size_t s = 0; s < ADASS_N_SPLITS; s++)
        d->splits[s].n = meta->rows[s];
}

static adass_status open_dataset(adass_dataset *d, const char *dir, adass_error *err)
{
    d->dir = strdup(dir);
    d->name = last_part(dir);
    d->maps = calloc(1, sizeof *d->maps);
    if (d->dir == NULL || d->name == NULL || d->maps == NULL)
        return adass_fail_memory(err, "a dataset", (double)sizeof *d->maps);
    adass_meta meta;
    adass_status status = adass_meta_read(dir, &meta, err);
    if (status != ADASS_OK)
        return status;
    take_meta(d, &meta);
    for (size_t i = 0; i < ADASS_N_FILES && status == ADASS_OK; i++)
        status = open_file(d, i, err);
    return status;
}

adass_status adass_dataset_open(adass_dataset **out, const char *dir, adass_error *err)
{
    adass_dataset *d = calloc(1, sizeof *d);
    if (d == NULL)
        return adass_fail_memory(err, "a dataset", (double)sizeof *d);
    const adass_status status = open_dataset(d, dir, err);
    if (status == ADASS_OK)
        *out = d;
    else
        adass_dataset_close(d);
    return status;
}

static adass_status verify_meta(const adass_dataset *dataset, adass_error *err)
{
    adass_meta meta;
    const adass_status status = adass_meta_read(dataset->dir, &meta, err);
    if (status != ADASS_OK)
        return status;
    const int differs = strcmp(meta.checksum, dataset->checksum);
    adass_meta_free(&meta);
    if (differs != 0)
        return adass_fail(
            err, ADASS_EFORMAT,
            "%s/meta.json: it was replaced since the dataset was opened; open it again",
            dataset->dir);
    return ADASS_OK;
}

static adass_status verify_file(const adass_dataset *dataset, const char *name,
                                const adass_meta_file *file, adass_error *err)
{
    char checksum[ADASS_CHECKSUM_CHARS];
    size_t bytes;
    char *path = adass_path_join(dataset->dir, name);
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(dataset->dir));
    adass_status status = adass_checksum_file(path, checksum, &bytes, err);
    if (status == ADASS_OK && (bytes != file->bytes || strcmp(checksum, file->checksum) != 0))
        status = adass_fail(err, ADASS_EFORMAT,
                            "%s: its checksum is %s, meta.json says %s: it was changed or damaged; "
                            "prepare the dataset "
                            "again",
                            path, checksum, file->checksum);
    free(path);
    return status;
}

adass_status adass_dataset_verify(const adass_dataset *dataset, adass_error *err)
{
    adass_status status = verify_meta(dataset, err);
    for (size_t i = 0; i < ADASS_N_FILES && status == ADASS_OK; i++)
        status = verify_file(dataset, adass_meta_file_name(i), &dataset->maps->files[i], err);
    if (status == ADASS_OK && dataset->maps->has_vocabulary)
        status = verify_file(dataset, ADASS_VOCABULARY_FILE, &dataset->maps->vocabulary, err);
    return status;
}

void adass_dataset_close(adass_dataset *dataset)
{
    if (dataset == NULL)
        return;
    for (size_t i = 0; dataset->maps != NULL && i < ADASS_N_FILES; i++)
        if (dataset->maps->bases[i] != NULL)
            munmap(dataset->maps->bases[i], dataset->maps->files[i].bytes);
    for (size_t f = 0; f < dataset->n_fields; f++)
        free(dataset->fields[f].name);
    free(dataset->fields);
    free(dataset->maps);
    free(dataset->made);
    free(dataset->name);
    free(dataset->dir);
    free(dataset);
}
