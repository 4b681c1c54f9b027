/*
 * A safetensors file: the input as it is, and once more with the checksum that makes it whole, since a changed file
 * gets no further than the checksum.
 */
#include "fuzz.h"
#include "safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { LENGTH_BYTES = 8, ROWS_MAX = 4096 };

/* Reads arrays "a" and "b" with the rows that the file says, and no others. */
static void read_arrays(adass_safetensors *file)
{
    adass_array arrays[] = { { .name = "a", .dtype = ADASS_DTYPE_F32, .cols = 1 },
                             { .name = "b", .dtype = ADASS_DTYPE_U8, .cols = 3 } };
    adass_error err;
    for (size_t i = 0; i < 2; i++) {
        const size_t rows = adass_safetensors_rows(file, arrays[i].name);
        arrays[i].rows = rows < ROWS_MAX ? rows : ROWS_MAX;
        arrays[i].data = malloc(arrays[i].rows * arrays[i].cols * 4 + 1);
        FUZZ_CHECK(arrays[i].data != NULL);
    }
    (void)adass_safetensors_read(file, arrays, 2, &err);
    free(arrays[0].data);
    free(arrays[1].data);
}

/* What is accepted has no array larger than the file. */
static void open_file(const void *bytes, size_t n)
{
    const char *path = fuzz_path("model.safetensors");
    adass_safetensors *file = NULL;
    adass_error err;
    fuzz_write(path, bytes, n);
    if (adass_safetensors_open(&file, path, &err) != ADASS_OK)
        return;
    (void)adass_safetensors_metadata(file, "identity");
    FUZZ_CHECK(adass_safetensors_rows(file, "a") <= n && adass_safetensors_rows(file, "b") <= n);
    read_arrays(file);
    adass_safetensors_close(file);
}

static void set_checksum(json_t *header, const uint8_t *data, size_t n)
{
    json_t *metadata = json_object_get(header, "__metadata__");
    char checksum[17];
    (void)json_object_del(metadata, "checksum");
    char *text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    XXH3_state_t *hash = XXH3_createState();
    FUZZ_CHECK(text != NULL && hash != NULL);
    (void)XXH3_64bits_reset(hash);
    (void)XXH3_64bits_update(hash, text, strlen(text));
    (void)XXH3_64bits_update(hash, data, n);
    snprintf(checksum, sizeof checksum, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(hash));
    (void)json_object_set_new(metadata, "checksum", json_string(checksum));
    XXH3_freeState(hash);
    free(text);
}

/* The same header and data, whole. */
static void open_whole(json_t *header, const uint8_t *data, size_t n)
{
    set_checksum(header, data, n);
    char *text = json_dumps(header, JSON_COMPACT);
    FUZZ_CHECK(text != NULL);
    const size_t length = strlen(text);
    uint8_t *file = malloc(LENGTH_BYTES + length + n);
    FUZZ_CHECK(file != NULL);
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        file[i] = (uint8_t)((uint64_t)length >> (8 * i));
    memcpy(file + LENGTH_BYTES, text, length);
    if (n > 0)
        memcpy(file + LENGTH_BYTES + length, data, n);
    open_file(file, LENGTH_BYTES + length + n);
    free(file);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    open_file(bytes, n);
    uint64_t length = 0;
    for (size_t i = 0; i < LENGTH_BYTES && i < n; i++)
        length |= (uint64_t)bytes[i] << (8 * i);
    if (n < LENGTH_BYTES)
        return 0;
    const uint8_t *text = bytes + LENGTH_BYTES;
    const size_t left = n - LENGTH_BYTES;
    const size_t header_bytes = length < left ? (size_t)length : left;
    json_t *header = json_loadb((const char *)text, header_bytes, 0, NULL);
    if (json_is_object(json_object_get(header, "__metadata__")))
        open_whole(header, text + header_bytes, left - header_bytes);
    json_decref(header);
    return 0;
}
