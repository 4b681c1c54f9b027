/*
 * meta.json: the input as it is, and once more with the checksum that makes it whole, since a changed file gets no
 * further than the checksum.
 */
#include "checksum.h"
#include "fuzz.h"
#include "meta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_meta(const adass_meta *meta)
{
    FUZZ_CHECK(meta->n_fields > 0 && meta->made != NULL);
    for (size_t f = 0; f < meta->n_fields; f++) {
        FUZZ_CHECK(meta->fields[f].name[0] != '\0');
        FUZZ_CHECK(meta->fields[f].oov < meta->fields[f].vocab);
    }
}

static void read_meta(const void *text, size_t n)
{
    adass_meta meta;
    adass_error err;
    fuzz_write(fuzz_path("meta.json"), text, n);
    if (adass_meta_read(fuzz_path(""), &meta, &err) == ADASS_OK) {
        check_meta(&meta);
        adass_meta_free(&meta);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char checksum[ADASS_CHECKSUM_CHARS];
    char *text = malloc(n + 64);
    FUZZ_CHECK(text != NULL);
    read_meta(bytes, n);
    memcpy(text, bytes, n);
    adass_checksum_bytes(bytes, n, checksum);
    const int tail = sprintf(text + n, "  \"checksum\": \"%s\"\n}\n", checksum);
    read_meta(text, n + (size_t)tail);
    free(text);
    return 0;
}
