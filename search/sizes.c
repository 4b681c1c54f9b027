/* Size assignments. */
#include "adass/sizes.h"

#include "adass/kernels.h"
#include "json_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

adass_candidates adass_candidates_default(void)
{
    /* a budget of 0.8 forbids the largest size where a field dominates: half a step below it counts */
    return (adass_candidates){ .n = 9, .sizes = { 0, 2, 4, 8, 16, 24, 32, 48, 64 } };
}

adass_status adass_candidates_parse(const char *text, adass_candidates *out, adass_error *err)
{
    adass_candidates c = { 0 };
    const char *p = text;
    for (;;) {
        char *end;
        errno = 0;
        const unsigned long size = strtoul(p, &end, 10);
        if (end == p || *p == '-' || *p == '+' || errno != 0 || (*end != ',' && *end != '\0'))
            return adass_fail(err, ADASS_EINVAL,
                              "candidate sizes '%s': a number is expected at '%s'", text, p);
        if (size > ADASS_SIZE_MAX)
            return adass_fail(err, ADASS_EINVAL, "candidate size %lu is larger than %d", size,
                              ADASS_SIZE_MAX);
        if (c.n == ADASS_CANDIDATES_MAX)
            return adass_fail(err, ADASS_EINVAL, "candidate sizes '%s': more than %d", text,
                              ADASS_CANDIDATES_MAX);
        if (c.n > 0 && size <= c.sizes[c.n - 1])
            return adass_fail(err, ADASS_EINVAL,
                              "candidate sizes '%s' must rise, but %lu follows %zu", text, size,
                              c.sizes[c.n - 1]);
        c.sizes[c.n++] = size;
        if (*end == '\0')
            break;
        p = end + 1;
    }
    if (c.n < 2)
        return adass_fail(err, ADASS_EINVAL, "candidate sizes '%s': at least two are needed", text);
    *out = c;
    return ADASS_OK;
}

uint64_t adass_sizes_params(const size_t *vocab, const size_t *sizes, size_t n_fields)
{
    uint64_t params = 0;
    for (size_t f = 0; f < n_fields; f++)
        params += (uint64_t)vocab[f] * sizes[f];
    return params;
}

void adass_sizes_from_choice(const adass_candidates *candidates, const uint8_t *choice,
                             size_t n_fields, size_t *sizes)
{
    for (size_t f = 0; f < n_fields; f++)
        sizes[f] = candidates->sizes[choice[f]];
}

adass_status adass_sizes_write(const char *path, const adass_dataset *dataset, const size_t *sizes,
                               const adass_sizes_file *about, adass_error *err)
{
    json_t *fields = json_object(), *candidates = json_array();
    for (size_t f = 0; f < dataset->n_fields; f++)
        json_object_set_new(fields, dataset->fields[f].name, json_integer((json_int_t)sizes[f]));
    for (size_t k = 0; k < about->candidates.n; k++)
        json_array_append_new(candidates, json_integer((json_int_t)about->candidates.sizes[k]));
    json_t *root =
        json_pack("{s:s, s:s, s:o, s:o, s:I, s:o, s:s, s:I}", "format", "adass-sizes-1", "dataset",
                  about->dataset, "candidates", candidates, "sizes", fields, "params",
                  (json_int_t)about->params, "budget",
                  about->budget != 0 ? json_integer((json_int_t)about->budget) : json_null(),
                  "method", about->method, "seed", (json_int_t)about->seed);
    if (root == NULL)
        return adass_fail_memory(err, "sizes.json", 4096.0);
    const adass_status status = adass_json_write(path, root, err);
    json_decref(root);
    return status;
}

static adass_status take_sizes(const char *path, const json_t *root, const adass_dataset *dataset,
                               size_t *sizes, adass_error *err)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *fields = json_object_get(root, "sizes");
    if (format == NULL || strcmp(format, "adass-sizes-1") != 0 || !json_is_object(fields))
        return adass_fail(err, ADASS_EFORMAT,
                          "%s: not a sizes file: \"format\": \"adass-sizes-1\" and an object "
                          "\"sizes\" are expected",
                          path);
    for (size_t f = 0; f < dataset->n_fields; f++) {
        const char *name = dataset->fields[f].name;
        const json_t *size = json_object_get(fields, name);
        if (!json_is_integer(size) || json_integer_value(size) < 0 ||
            json_integer_value(size) > ADASS_SIZE_MAX)
            return adass_fail(err, ADASS_EFORMAT,
                              "%s: field '%s' of %s needs a size from 0 to %d under \"sizes\"",
                              path, name, dataset->dir, ADASS_SIZE_MAX);
        sizes[f] = (size_t)json_integer_value(size);
    }
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)fields, name, value)
    {
        size_t f = 0;
        while (f < dataset->n_fields && strcmp(name, dataset->fields[f].name) != 0)
            f++;
        if (f == dataset->n_fields)
            return adass_fail(err, ADASS_EFORMAT,
                              "%s: the sizes are for another dataset: %s has no field '%s'", path,
                              dataset->dir, name);
    }
    return ADASS_OK;
}

adass_status adass_sizes_read(const char *path, const adass_dataset *dataset, size_t *sizes,
                              adass_error *err)
{
    json_t *root = NULL;
    adass_status status = adass_json_read(path, &root, err);
    if (status == ADASS_OK)
        status = take_sizes(path, root, dataset, sizes, err);
    json_decref(root);
    return status;
}
