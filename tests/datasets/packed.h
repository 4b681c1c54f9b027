/* Packs bytes for tests of packed input. */
#ifndef ADASS_TEST_PACKED_H
#define ADASS_TEST_PACKED_H

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "scratch.h"

typedef enum packing { PLAIN, GZ, ZST, XZ, N_PACKINGS } packing;

static const char *const packing_suffix[N_PACKINGS] = { "", ".gz", ".zst", ".xz" };

/* n bytes packed, in new memory; *n becomes the packed length. */
static inline void *pack(packing how, const void *bytes, size_t *n)
{
    const size_t capacity = *n + *n / 8 + 4096;
    uint8_t *out = malloc(capacity);
    assert_non_null(out);
    if (how == GZ) {
        z_stream z = { 0 };
        assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
        z.next_in = (z_const Bytef *)bytes;
        z.avail_in = (uInt)*n;
        z.next_out = out;
        z.avail_out = (uInt)capacity;
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        *n = z.total_out;
        deflateEnd(&z);
    } else if (how == ZST) {
        *n = ZSTD_compress(out, capacity, bytes, *n, 3);
        assert_false(ZSTD_isError(*n));
    } else if (how == XZ) {
        size_t at = 0;
        assert_int_equal(
            lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, bytes, *n, out, &at, capacity),
            LZMA_OK);
        *n = at;
    } else {
        memcpy(out, bytes, *n);
    }
    return out;
}

static inline void write_packed(const char *path, packing how, const void *bytes, size_t n)
{
    void *packed = pack(how, bytes, &n);
    write_bytes(path, packed, n);
    free(packed);
}

#endif
