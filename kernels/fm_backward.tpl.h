/* fm_backward: gradient of the second-order term. Included once for each ISA. */
#include "adass/kernels.h"
#include "fields.tpl.h"

enum { FM_PIECES = 512 };

/* A line of a field's columns, or what is left of them. */
typedef struct fm_piece {
    size_t offset;          /* in the packed matrix */
    uint32_t column, lanes; /* the first of them, and how many */
} fm_piece;

/*
 * The pieces of some fields by their numbers of lanes, made once a call: each usual number has a loop of its
 * own, without a branch. A branch on each field's size took 1.4 times as long within the second-level cache.
 */
typedef struct fm_pieces {
    size_t end[5];
    fm_piece all[FM_PIECES];
} fm_pieces;

static inline size_t fm_piece_kind(size_t lanes)
{
    return lanes >= LINE_FLOATS ? 0 : lanes == 8 ? 1 : lanes == 4 ? 2 : lanes == 2 ? 3 : 4;
}

/* Returns how many of the fields are taken. */
static inline size_t fm_pieces_of(fm_pieces *p, const adass_field_view *fields, size_t n_fields)
{
    size_t counts[5] = { 0 }, taken = 0, n = 0;
    for (; taken < n_fields; taken++) {
        const size_t whole = fields[taken].size / LINE_FLOATS,
                     rest = fields[taken].size % LINE_FLOATS;
        n += whole + (rest > 0);
        if (n > FM_PIECES)
            break;
        counts[0] += whole;
        counts[fm_piece_kind(rest)] += rest > 0;
    }
    for (size_t kind = 0, begin = 0; kind < 5; kind++) {
        p->end[kind] = begin;
        begin += counts[kind];
    }
    for (size_t f = 0; f < taken; f++)
        for (size_t k = 0; k < fields[f].size; k += LINE_FLOATS) {
            const size_t left = fields[f].size - k, lanes = left < LINE_FLOATS ? left : LINE_FLOATS;
            p->all[p->end[fm_piece_kind(lanes)]++] =
                (fm_piece){ fields[f].offset + k, (uint32_t)k, (uint32_t)lanes };
        }
    return taken;
}

ADASS_INLINE void fm_backward_part(float *dx, VF dy, const float *x, const float *sums,
                                   size_t lanes, bool accumulate)
{
    VF g = v_mul(dy, v_sub(v_loadn(sums, lanes), v_loadn(x, lanes)));
    if (accumulate)
        g = v_add(v_loadn(dx, lanes), g);
    v_storen(dx, g, lanes);
}

/*
 * Pieces [begin, end) of a sample, of `lanes` columns each, a constant; 0: of as many as they say. `fetch`: lines
 * of input and output 2 KiB ahead are fetched.
 */
ADASS_INLINE void fm_backward_pieces(float *dx, VF dy, const float *x, const float *sums,
                                     const fm_piece *begin, const fm_piece *end, size_t lanes,
                                     bool accumulate, bool fetch)
{
    enum { LATER = 512 };
    for (const fm_piece *p = begin; p < end; p++) {
        float *to = dx + p->offset;
        const float *from = x + p->offset, *sum = sums + p->column;
        if (fetch) {
            __builtin_prefetch(to + LATER, 1);
            __builtin_prefetch(from + LATER);
        }
        const size_t n = lanes > 0 ? lanes : p->lanes;
        for (size_t k = 0; k < n; k += VW)
            fm_backward_part(to + k, dy, from + k, sum + k, n - k < VW ? n - k : VW, accumulate);
    }
}

ADASS_INLINE void fm_backward_sample(float *dx, float dy, const float *x, const float *sums,
                                     const fm_pieces *p, bool accumulate, bool fetch)
{
    const VF by = v_set1(dy);
    const fm_piece *all = p->all;
    const size_t *end = p->end;
    fm_backward_pieces(dx, by, x, sums, all, all + end[0], LINE_FLOATS, accumulate, fetch);
    fm_backward_pieces(dx, by, x, sums, all + end[0], all + end[1], 8, accumulate, fetch);
    fm_backward_pieces(dx, by, x, sums, all + end[1], all + end[2], 4, accumulate, false);
    fm_backward_pieces(dx, by, x, sums, all + end[2], all + end[3], 2, accumulate, false);
    fm_backward_pieces(dx, by, x, sums, all + end[3], all + end[4], 0, accumulate, false);
}

/*
 * Lines are fetched where those that are read and written are not in the second-level cache: 39 fields of
 * sizes 2 to 64, batch 1024, take 270 instead of 310 ns a sample, batch 16384 510 instead of 650; size 64
 * 860 instead of 940, 1580 instead of 1650 (Cascade Lake, AVX-512; AVX2 less by a little).
 */
static void ADASS_FN(fm_backward)(float *dx, size_t dx_ld, const float *dy, const float *x,
                                  size_t x_ld, const float *sums, size_t sums_ld,
                                  const adass_field_view *fields, size_t n_fields, size_t n,
                                  bool accumulate)
{
    const bool fetch = n * dx_ld * sizeof(float) > OUT_CACHED;
    fm_pieces p;
    for (size_t f = 0, taken; f < n_fields; f += taken) {
        taken = fm_pieces_of(&p, fields + f, n_fields - f);
        for (size_t b = 0; b < n; b++) {
            float *to = dx + b * dx_ld;
            const float *from = x + b * x_ld, *sum = sums + b * sums_ld;
            if (accumulate)
                fm_backward_sample(to, dy[b], from, sum, &p, true, false);
            else if (fetch)
                fm_backward_sample(to, dy[b], from, sum, &p, false, true);
            else
                fm_backward_sample(to, dy[b], from, sum, &p, false, false);
        }
    }
}
