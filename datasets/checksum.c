/* Checksums of files and bytes. */
#include "checksum.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_BYTES = 1 << 18 };

void adass_checksum_text(XXH128_hash_t hash, char out[ADASS_CHECKSUM_CHARS])
{
    XXH128_canonical_t bytes; /* the same order of bytes on every machine */
    XXH128_canonicalFromHash(&bytes, hash);
    for (size_t i = 0; i < sizeof bytes.digest; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes.digest[i]);
}

void adass_checksum_bytes(const void *bytes, size_t n, char out[ADASS_CHECKSUM_CHARS])
{
    adass_checksum_text(XXH3_128bits(bytes, n), out);
}

/* Feeds the file to the hash; false when reading fails, with the reason in errno. */
static bool hash_file(FILE *file, XXH3_state_t *state, unsigned char *chunk, size_t *bytes)
{
    size_t n;
    *bytes = 0;
    while ((n = fread(chunk, 1, CHUNK_BYTES, file)) > 0) {
        (void)XXH3_128bits_update(state, chunk, n);
        *bytes += n;
    }
    return !ferror(file);
}

adass_status adass_checksum_file(const char *path, char out[ADASS_CHECKSUM_CHARS], size_t *bytes,
                                 adass_error *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    XXH3_state_t *state = XXH3_createState();
    unsigned char *chunk = malloc(CHUNK_BYTES);
    adass_status status = ADASS_OK;
    if (state == NULL || chunk == NULL) {
        status = adass_fail_memory(err, "a checksum", CHUNK_BYTES);
    } else {
        (void)XXH3_128bits_reset(state);
        if (hash_file(file, state, chunk, bytes))
            adass_checksum_text(XXH3_128bits_digest(state), out);
        else
            status = adass_fail(err, ADASS_EIO, "%s: cannot be read: %s", path, strerror(errno));
    }
    free(chunk);
    XXH3_freeState(state);
    fclose(file);
    return status;
}
