/* lookup: sums of rows of one table. Included once for each ISA, after its vector layer. */
#include "adass/kernels.h"
#include "row.tpl.h"

/* The ids of a call and the table that they name rows of. */
typedef struct bags {
    const void *rows;
    size_t stride, ids_ld;
    size_t pooling;
    bool straddles;
} bags;

/* The columns that are summed in registers at a time: from k on, the last vector of `lanes`. */
typedef struct piece {
    size_t k, vectors, lanes;
} piece;

/* Ids between the one whose row is read and those whose rows are prefetched meanwhile. */
typedef struct ids_ahead {
    size_t far, near;
} ids_ahead;

ADASS_INLINE const char *bag_row(const bags *b, adass_type type, uint32_t id)
{
    return (const char *)b->rows + id * (b->stride * element_bytes(type));
}

ADASS_INLINE void bag_prefetch(const bags *b, adass_type type, const uint32_t *id, ids_ahead ahead,
                               size_t size)
{
    row_prefetch_steps(bag_row(b, type, id[ahead.far]), bag_row(b, type, id[ahead.near]),
                       slice_bytes(type, size), b->straddles);
}

ADASS_INLINE VF piece_load(const table_row *r, adass_type type, piece p, size_t v)
{
    return row_load(*r, type, p.k + v * VW, v + 1 < p.vectors ? VW : p.lanes);
}

/* One piece of the sum over a bag; p.vectors is a constant. The first one prefetches as well. */
ADASS_INLINE void bag_piece(float *out, const bags *b, adass_type type, const uint32_t *ids,
                            ids_ahead ahead, piece p, size_t size)
{
    enum { MOST = 8 };
    VF sum[MOST];
    if (p.k == 0)
        bag_prefetch(b, type, ids, ahead, size);
    const table_row first = row_begin(bag_row(b, type, ids[0]), type);
    for (size_t v = 0; v < p.vectors; v++)
        sum[v] = piece_load(&first, type, p, v);
    for (size_t j = 1; j < b->pooling; j++) {
        const uint32_t *id = ids + j * b->ids_ld;
        if (p.k == 0)
            bag_prefetch(b, type, id, ahead, size);
        const table_row r = row_begin(bag_row(b, type, *id), type);
        for (size_t v = 0; v < p.vectors; v++)
            sum[v] = v_add(sum[v], piece_load(&r, type, p, v));
    }
    for (size_t v = 0; v < p.vectors; v++)
        v_storen(out + p.k + v * VW, sum[v], v + 1 < p.vectors ? VW : p.lanes);
}

/* One bag; rows are read again for each piece of columns, from the first-level cache. */
ADASS_INLINE void bag_sum(float *out, const bags *b, adass_type type, const uint32_t *ids,
                          ids_ahead ahead, size_t size)
{
    size_t k = 0;
    for (; k + 8 * VW <= size; k += 8 * VW)
        bag_piece(out, b, type, ids, ahead, (piece){ k, 8, VW }, size);
    for (; k + 4 * VW <= size; k += 4 * VW)
        bag_piece(out, b, type, ids, ahead, (piece){ k, 4, VW }, size);
    for (; k + 2 * VW <= size; k += 2 * VW)
        bag_piece(out, b, type, ids, ahead, (piece){ k, 2, VW }, size);
    for (; k + VW <= size; k += VW)
        bag_piece(out, b, type, ids, ahead, (piece){ k, 1, VW }, size);
    if (k < size)
        bag_piece(out, b, type, ids, ahead, (piece){ k, 1, size - k }, size);
}

/*
 * A bag of one row. Not a sum: there gcc moved stores between lines (AVX2, size 32), which took 1.4
 * times as long.
 */
ADASS_INLINE void bag_copy(float *out, const bags *b, adass_type type, const uint32_t *id,
                           ids_ahead ahead, size_t size)
{
    bag_prefetch(b, type, id, ahead, size);
    row_copy(out, row_begin(bag_row(b, type, *id), type), type, size);
}

ADASS_INLINE void bag_any(float *out, const bags *b, adass_type type, const uint32_t *ids,
                          ids_ahead ahead, size_t size)
{
    if (b->pooling == 1)
        bag_copy(out, b, type, ids, ahead, size);
    else
        bag_sum(out, b, type, ids, ahead, size);
}

/*
 * Copies of rows of many lines wait for the lines they write as well: these are fetched 2 KiB ahead,
 * as numbers, for the end may be near. With this and row_prefetch_steps() as it is, sizes 64 and 128
 * take .88 to .98 times as long (Cascade Lake, all levels).
 */
ADASS_INLINE void copy_prefetch(const float *out, size_t size)
{
    enum { AHEAD = 2048 };
    if (size * sizeof *out <= 2 * LINE_BYTES)
        return;
    const uintptr_t ahead = (uintptr_t)out + AHEAD;
    for (size_t at = 0; at < size * sizeof *out; at += LINE_BYTES)
        __builtin_prefetch((const void *)(ahead + at));
}

/* The last bags have nothing far ahead: they ask for their own rows, which costs next to nothing. */
ADASS_INLINE void lookup_sized(float *out, size_t out_ld, const bags *shared, adass_type type,
                               const uint32_t *ids, size_t n, size_t pooling, size_t size)
{
    const bags b = { shared->rows, shared->stride, shared->ids_ld, pooling, shared->straddles };
    const size_t bag_ids = pooling * b.ids_ld, far = rows_far(slice_bytes(type, size));
    const size_t last = (far + pooling - 1) / pooling;
    const ids_ahead full = { far * b.ids_ld, ROWS_NEAR * b.ids_ld }, none = { 0, 0 };
    size_t i = 0;
    for (; i + last < n; i++, ids += bag_ids) {
        if (pooling == 1)
            copy_prefetch(out + i * out_ld, size);
        bag_any(out + i * out_ld, &b, type, ids, full, size);
    }
    for (; i < n; i++, ids += bag_ids)
        bag_any(out + i * out_ld, &b, type, ids, none, size);
}

#define LOOKUP_ONE(size) lookup_sized(out, out_ld, b, type, ids, n, 1, size)
#define LOOKUP_BAGS(size) lookup_sized(out, out_ld, b, type, ids, n, b->pooling, size)

ADASS_INLINE void lookup_typed(float *out, size_t out_ld, const bags *b, adass_type type,
                               const uint32_t *ids, size_t n, size_t size)
{
    if (b->pooling == 1)
        ADASS_WITH_SIZE(size, LOOKUP_ONE)
    else
        ADASS_WITH_SIZE(size, LOOKUP_BAGS)
}

#define LOOKUP_TYPE(type) lookup_typed(out, out_ld, &b, type, ids, n, size)

static void ADASS_FN(lookup)(float *out, size_t out_ld, adass_type type, const void *rows,
                             size_t stride, const uint32_t *ids, size_t ids_ld, size_t n,
                             size_t pooling, size_t size)
{
    const bool straddles =
        rows_straddle(rows, stride * element_bytes(type), slice_bytes(type, size));
    const bags b = { rows, stride, ids_ld, pooling, straddles };
    ADASS_WITH_TYPE(type, LOOKUP_TYPE)
}
