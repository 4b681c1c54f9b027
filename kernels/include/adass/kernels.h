/*
 * The SIMD kernels: one table of functions an instruction set (ISA), chosen at run time.
 *
 * Common contract of every kernel. B samples, M fields, field f read through its first d_f columns.
 * - Pure: no I/O, no allocation, no thread, no global state. Call it on disjoint outputs from as
 *   many threads as you like.
 * - Pointers need the alignment of their element only (of rows of INT8: none). Sizes 0..ADASS_SIZE_MAX, sample counts from
 *   0 on.
 * - Nothing is written outside the stated output; nothing is read outside the first d_f columns of
 *   a row, so that the last byte of a row may be the last of a page.
 * - Arguments are not checked: the caller answers for ids in range and for buffers of the stated
 *   shapes. Outputs do not overlap inputs unless the comment says so.
 * - "Order-preserving" kernels give the same bits on every ISA. "Reductions" may differ between
 *   ISAs within the bound that their comment states, with u = 2^-24 and gamma(k) = k*u / (1 - k*u).
 */
#ifndef ADASS_KERNELS_H
#define ADASS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ADASS_SIZE_MAX = 256 };

/**
 * What a table's rows are made of. Every type but f32 is for reading alone: kernels compute in
 * float, and reading a row gives these values on every ISA, bit for bit:
 *
 * - F32: columns of float.
 * - BF16, F16: columns of 16 bits, bfloat16 or IEEE 754 binary16; widened exactly, subnormals
 *   included.
 * - INT8: a float, the row's scale, and then columns of signed bytes, at any alignment:
 *   value = scale * column, rounded once. The scale stands in front, so that the first d columns
 *   are one piece of memory and a short row is one cache line.
 *
 * A stride counts elements: floats, 16-bit numbers, and for INT8 bytes, with the scale's four.
 */
typedef enum adass_type { ADASS_F32, ADASS_BF16, ADASS_F16, ADASS_INT8 } adass_type;

enum { ADASS_TYPES = 4 };

/** "f32", "bf16", "f16", "int8". */
const char *adass_type_name(adass_type type);

/** The smallest stride of a row of `size` columns, in elements of the type: size, or size + 4. */
size_t adass_type_stride(adass_type type, size_t size);

/** Bytes of one element of a stride: 4, 2, 2, 1. */
size_t adass_type_bytes(adass_type type);

/** How the kernels see one field: a view of tables that somebody else owns. */
typedef struct adass_field_view {
    const void *rows;     /* row i begins `stride * i` elements in; unused when size is 0 */
    size_t stride;        /* elements between the beginnings of two rows (see adass_type) */
    adass_type type;      /* of the rows; 0 is F32 */
    const float *linear;  /* first-order weights: linear[i * linear_stride] of id i; may be NULL */
    size_t linear_stride; /* floats between two first-order weights */
    size_t size;          /* d_f: columns read of each row */
    size_t offset;        /* first column of the field in the packed matrix */
    size_t column;        /* the field's column in the matrix of ids */
} adass_field_view;

/** Adam's numbers for one step (Kingma and Ba, arXiv 1412.6980, algorithm 1). */
typedef struct adass_adam {
    float step_size;    /* learning rate / (1 - beta1^t) */
    float beta1, beta2; /* decay of the two moments */
    /* 1 - beta1 and 1 - beta2, rounded from double: 1.0f - 0.999f would be off by 1.3e-5 */
    float rest1, rest2;
    float epsilon;      /* added to the root of the corrected second moment */
    float inv_sqrt_bc2; /* 1 / sqrt(1 - beta2^t) */
    float l2;           /* the gradient is grad + l2 * parameter */
} adass_adam;

/** Gradient descent: w -= learning_rate * (grad + l2 * w). */
typedef struct adass_sgd {
    float learning_rate, l2;
} adass_sgd;

/** Adagrad (Duchi, Hazan and Singer, JMLR 12, 2011). */
typedef struct adass_adagrad {
    float learning_rate;
    float epsilon; /* added to the root of the sum of squares */
    float l2;      /* the gradient is grad + l2 * parameter */
} adass_adagrad;

/**
 * Sums of rows of one table ("bags"), with later rows prefetched while earlier ones are added:
 *
 *   out[i * out_ld + k] = sum_{j < pooling} row(ids[(i * pooling + j) * ids_ld])[k], i < n, k < size
 *
 * added in float, in the order of j; a pooling of 1 is a copy, bit for bit.
 *
 * @param rows     a table of `type` (see adass_type); row r begins r * stride elements in
 * @param pooling  ids a row of the output, >= 1
 * Order-preserving; which NaN a sum of several is, is not said. Cost: pooling rows read and
 * size * 4 bytes written a row of the output.
 */
typedef void adass_lookup_fn(float *out, size_t out_ld, adass_type type, const void *rows,
                             size_t stride, const uint32_t *ids, size_t ids_ld, size_t n,
                             size_t pooling, size_t size);

/**
 * All fields of a block of samples, each of a type of its own, into the packed matrix:
 * out[b * out_ld + f.offset + k] = f.row(ids[b * ids_ld + f.column])[k], b < n, k < f.size, with
 * later rows prefetched while earlier ones are copied.
 *
 * @param out  [n x out_ld], out_ld >= the sum of the sizes
 * @param ids  [n x ids_ld]
 * Order-preserving (a copy).
 */
typedef void adass_lookup_fields_fn(float *out, size_t out_ld, const adass_field_view *fields,
                                    size_t n_fields, const uint32_t *ids, size_t ids_ld, size_t n);

/**
 * Second-order factorization-machine term over mixed sizes (Rendle, ICDM 2010, lemma 3.1; component
 * k sums over the fields with d_f > k):
 *
 *   sums[b, k] = sum_f x[b, f, k],   y[b] += 0.5 * sum_k (sums[b, k]^2 - sum_f x[b, f, k]^2)
 *
 * @param y     in/out, [n]
 * @param sums  out, [n x sums_ld], sums_ld >= the largest size; kept for fm_backward. The columns
 *         from the largest size on are left
 * @param x     packed matrix of lookup_fields, [n x x_ld]
 * Reduction: |y - exact| <= gamma(2 M + D_max + 8) * (|y before| + sum_k ((sum_f |x|)^2 + sum_f x^2)),
 * D_max the largest size. sums are order-preserving.
 */
typedef void adass_fm_forward_fn(float *y, float *sums, size_t sums_ld, const float *x, size_t x_ld,
                                 const adass_field_view *fields, size_t n_fields, size_t n);

/**
 * Gradient of fm_forward with respect to its input:
 * g = dy[b] * (sums[b, k] - x[b, f, k]);  dx[b, f, k] = g, or += g when `accumulate`.
 *
 * @param dx    out (or in/out), [n x dx_ld], laid out as x
 * Order-preserving.
 */
typedef void adass_fm_backward_fn(float *dx, size_t dx_ld, const float *dy, const float *x,
                                  size_t x_ld, const float *sums, size_t sums_ld,
                                  const adass_field_view *fields, size_t n_fields, size_t n,
                                  bool accumulate);

/**
 * lookup_fields into `out` and fm_forward of `out` into y and sums, in one pass over the rows. out
 * may be NULL, for those who want y and sums alone.
 *
 * out and sums are order-preserving: the same bits as those of the two after one another. y keeps
 * fm_forward's bound; squares are added in another order than there, so its bits may differ.
 */
typedef void adass_lookup_fm_fn(float *y, float *sums, size_t sums_ld, float *out, size_t out_ld,
                                const adass_field_view *fields, size_t n_fields,
                                const uint32_t *ids, size_t ids_ld, size_t n);

/**
 * First-order term: y[b] += sum_f f.linear[ids[b, f.column] * f.linear_stride], fields in order.
 * Order-preserving.
 */
typedef void adass_linear_forward_fn(float *y, const adass_field_view *fields, size_t n_fields,
                                     const uint32_t *ids, size_t ids_ld, size_t n);

/**
 * Gradient of linear_forward with respect to one field's weights, summed by group (see
 * adass_dedup_ids): out[group[i]] = sum of dy[i], added in the order of i. dedup_accumulate with a
 * size of 1 gives the same bits.
 *
 * @param out    [number of groups]; need not be cleared
 * @param group  [n], numbered in the order of first occurrence
 * Order-preserving.
 */
typedef void adass_linear_backward_fn(float *out, const float *dy, const uint32_t *group, size_t n);

/**
 * Sums the gradient rows of a batch by group (see adass_dedup_ids): out[group[i], k] = sum of
 * grads[i, k], added in the order of i, so that the result does not depend on threads.
 *
 * @param out    [number of groups x out_ld]; need not be cleared
 * @param grads  [n x grads_ld], row i begins at grads + i * grads_ld
 * @param group  [n], numbered in the order of first occurrence
 * Order-preserving.
 */
typedef void adass_dedup_accumulate_fn(float *out, size_t out_ld, const float *grads,
                                       size_t grads_ld, const uint32_t *group, size_t n,
                                       size_t size);

/**
 * What is left of fm_backward when it is summed by rows of a table: all samples b of a group read the same row x, so
 *
 *   sum_b dy[b] (sums[b, k] - x[k]) = sum_b dy[b] sums[b, k] - x[k] sum_b dy[b]
 *
 * grads[i, k] = summed[i, k] - dy[i] * x_i[k], or += that when `accumulate`, with x_i the row of ids[i], of i where
 * ids is NULL.
 *
 * @param grads   out (or in/out), [n x size]; may be `summed` when not `accumulate`
 * @param summed  [n x size]: dy[b] sums[b, k] added by group
 * @param dy      [n]: dy[b] added by group
 * @param rows    of f32; row r begins at rows + r * stride
 * Order-preserving: product, difference and sum are rounded one by one.
 */
typedef void adass_fm_backward_rows_fn(float *grads, const float *summed, const float *dy,
                                       const float *rows, size_t stride, const uint32_t *ids,
                                       size_t n, size_t size, bool accumulate);

/**
 * Lazy Adam on the first `size` columns of the rows listed in `ids` (each id at most once): moments
 * and weights of other rows and columns stay as they are (the rule of PyTorch's SparseAdam).
 *
 *   g = grads[i, k] + l2 * w;  m = beta1 m + rest1 g;  v = beta2 v + rest2 g^2;
 *   w -= step_size * m / (sqrt(v) * inv_sqrt_bc2 + epsilon)
 *
 * @param w     in/out; the row of ids[i] begins at w + ids[i] * w_stride
 * @param m, v  in/out; likewise with moment_stride (the two may be interleaved, so that a row's
 *         moments lie side by side)
 * @param grads [n x grads_ld]
 * Order-preserving.
 */
typedef void adass_adam_rows_fn(float *w, size_t w_stride, float *m, float *v, size_t moment_stride,
                                const uint32_t *ids, const float *grads, size_t grads_ld, size_t n,
                                size_t size, const adass_adam *adam);

/** The same update on n contiguous parameters. Order-preserving. */
typedef void adass_adam_dense_fn(float *w, float *m, float *v, const float *grads, size_t n,
                                 const adass_adam *adam);

/**
 * Gradient descent on the first `size` columns of the rows listed in `ids` (each id at most once):
 * w -= learning_rate * (grads[i, k] + l2 * w), with the row of ids[i] at w + ids[i] * w_stride.
 *
 * @param w     in/out. @param grads [n x grads_ld]
 * Order-preserving.
 */
typedef void adass_sgd_rows_fn(float *w, size_t w_stride, const uint32_t *ids, const float *grads,
                               size_t grads_ld, size_t n, size_t size, const adass_sgd *sgd);

/**
 * Adagrad likewise, with a sum of squares for each parameter:
 *
 *   g = grads[i, k] + l2 * w;  s += g^2;  w -= learning_rate * g / (sqrt(s) + epsilon)
 *
 * @param squares  in/out, s; the row of ids[i] begins at squares + ids[i] * squares_stride
 * Order-preserving.
 */
typedef void adass_adagrad_rows_fn(float *w, size_t w_stride, float *squares, size_t squares_stride,
                                   const uint32_t *ids, const float *grads, size_t grads_ld,
                                   size_t n, size_t size, const adass_adagrad *adagrad);

/**
 * Row-wise Adagrad: one sum for a whole row, which saves its optimizer state (FBGEMM's and DLRM's
 * "row-wise Adagrad"):
 *
 *   g_k = grads[i, k] + l2 * w_k;  s += (sum_k g_k^2) / size;
 *   w_k -= (learning_rate / (sqrt(s) + epsilon)) * g_k
 *
 * @param squares  in/out, s of id r is squares[r]
 * Order-preserving, with this order of the sum over k: 16 partial sums, of k mod 16 each, then
 * halves are added to halves (i and i + 8, i + 4, i + 2, i + 1).
 */
typedef void adass_adagrad_rowwise_fn(float *w, size_t w_stride, float *squares,
                                      const uint32_t *ids, const float *grads, size_t grads_ld,
                                      size_t n, size_t size, const adass_adagrad *adagrad);

/**
 * Rows of a table from floats: row i of `rows`, stride elements apart, from x + i * x_ld, i < n.
 * Reading them back gives
 *
 * - BF16, F16: the nearest value of the type, halfway cases to the even one, infinity for what is
 *   too large; a NaN stays a NaN;
 * - INT8: scale = max_k |x_k| / 127, column = x / scale to the nearest, so that the error is at
 *   most 0.5001 * scale. A row whose scale would be subnormal reads as zeros, one with an infinity
 *   or a NaN as NaNs.
 *
 * Columns beyond `size` are left. Order-preserving.
 */
typedef void adass_quantize_rows_fn(adass_type type, void *rows, size_t stride, const float *x,
                                    size_t x_ld, size_t n, size_t size);

/** The rows as floats: out[i * out_ld + k], i < n, k < size. Order-preserving (exact). */
typedef void adass_dequantize_rows_fn(float *out, size_t out_ld, adass_type type, const void *rows,
                                      size_t stride, size_t n, size_t size);

/**
 * Binary cross-entropy of logits z against labels y in [0, 1], stable for any finite z:
 *
 *   loss[b] = max(z, 0) - z * y + log(1 + exp(-|z|)),   dz[b] = (sigmoid(z) - y) * scale
 *
 * @param loss, dz  out, [n]; dz may be z
 * Bounds: |loss - exact| <= 8 u * (|z| + 1); |dz - exact| <= 8 u * |scale|.
 */
typedef void adass_bce_fn(float *loss, float *dz, const float *z, const float *y, size_t n,
                          float scale);

/**
 * y[r, c] += bias[c], then max(., 0) when `relu`. In place, y is [rows x cols] with leading
 * dimension ld.
 * Order-preserving.
 */
typedef void adass_bias_relu_fn(float *y, size_t ld, const float *bias, size_t rows, size_t cols,
                                bool relu);

/**
 * The end of a dense layer of bytes, from the whole sums of its products (dense_bytes.h) to its
 * activation, with scales of the input's rows and of the weights' columns:
 *
 *   y[r, c] = max(0, float(sums[r, c]) * (row_scale[r] * col_scale[c]) + bias[c])
 *
 * @param y     out, [rows x ld]
 * @param sums  [rows x cols], rows one after the other
 * Order-preserving.
 */
typedef void adass_dequantize_relu_fn(float *y, size_t ld, const int32_t *sums,
                                      const float *row_scale, const float *col_scale,
                                      const float *bias, size_t rows, size_t cols);

/**
 * Gradient through ReLU and inverted dropout, from the activation that both left: dz[i] = a[i] > 0
 * ? da[i] * scale : 0, with scale = 1 / (1 - rate) (1 without dropout). dz may be da.
 * Order-preserving.
 */
typedef void adass_relu_backward_fn(float *dz, const float *da, const float *a, size_t n,
                                    float scale);

/**
 * Inverted dropout in place: element i stays, times `scale`, when adass_mix32(adass_mix32(first +
 * i) ^ key) >= threshold, else it becomes 0.
 *
 * @param first      number of the first element in its layer, so that blocks can be done by any
 *         thread
 * @param key        of this step and layer
 * @param threshold  rate * 2^32
 * Order-preserving.
 */
typedef void adass_dropout_fn(float *a, size_t n, uint32_t first, uint32_t key, uint32_t threshold,
                              float scale);

/** out[c] = sum_r x[r, c], rows added in order. Order-preserving. */
typedef void adass_column_sums_fn(float *out, const float *x, size_t x_ld, size_t rows,
                                  size_t cols);

/** out[c] = sum_r x[r, c]^2, rows added in order. Order-preserving. */
typedef void adass_column_squares_fn(float *out, const float *x, size_t x_ld, size_t rows,
                                     size_t cols);

/**
 * Copies samples' ids, of any 32 bits, and checks the copies: out[i * n_fields + f] = ids[i][f].
 *
 * @param out   [n x n_fields], apart from the inputs
 * @param ids   [n], each to [n_fields]
 * @param last  [n_fields]: the largest id that a field may have
 * @return samples before the first with an id above its last one, which is copied as the last; n where all are good
 */
typedef size_t adass_copy_ids_fn(uint32_t *out, const uint32_t *const *ids, size_t n,
                                 const uint32_t *last, size_t n_fields);

/**
 * The one list of kernels: declarations, tables, tests and benchmarks are made from it.
 * To add one: its type above, a line here, and kernels/<op>.tpl.h.
 */
#define ADASS_KERNEL_OPS(X, isa)                                                                   \
    X(isa, lookup)                                                                                 \
    X(isa, lookup_fields)                                                                          \
    X(isa, lookup_fm)                                                                              \
    X(isa, fm_forward)                                                                             \
    X(isa, fm_backward)                                                                            \
    X(isa, linear_forward)                                                                         \
    X(isa, linear_backward)                                                                        \
    X(isa, dedup_accumulate)                                                                       \
    X(isa, fm_backward_rows)                                                                       \
    X(isa, sgd_rows)                                                                               \
    X(isa, adagrad_rows)                                                                           \
    X(isa, adagrad_rowwise)                                                                        \
    X(isa, adam_rows)                                                                              \
    X(isa, adam_dense)                                                                             \
    X(isa, quantize_rows)                                                                          \
    X(isa, dequantize_rows)                                                                        \
    X(isa, bce)                                                                                    \
    X(isa, bias_relu)                                                                              \
    X(isa, dequantize_relu)                                                                        \
    X(isa, relu_backward)                                                                          \
    X(isa, dropout)                                                                                \
    X(isa, column_sums)                                                                            \
    X(isa, column_squares)                                                                         \
    X(isa, copy_ids)

#define ADASS_KERNEL_SLOT(isa, op) adass_##op##_fn *op;

/** The kernels of one ISA. */
typedef struct adass_kernels {
    const char *isa; /* "scalar", "avx2", "avx512", "neon" */
    ADASS_KERNEL_OPS(ADASS_KERNEL_SLOT, unused)
} adass_kernels;

/**
 * The kernels of one ISA by name, or of the best one that CPU and operating system support.
 *
 * @param isa  "best" or NULL: what the environment variable ADASS_ISA names, else the best.
 *         Otherwise an ISA's name
 * @param out  set to a table that lives as long as the program
 * @return ADASS_OK; ADASS_EINVAL for a name this build does not know; ADASS_EUNSUPPORTED for an ISA
 *         this CPU lacks. There is no fallback: it would put a wrong label on a number. `out` is
 *         untouched on error.
 */
adass_status adass_kernels_get(const char *isa, const adass_kernels **out, adass_error *err);

/** Number of ISAs in this build, best first. */
size_t adass_isa_count(void);

/** Name of ISA i < adass_isa_count(). */
const char *adass_isa_name(size_t i);

/**
 * Whether CPU and operating system can run ISA i; otherwise *why (may be NULL) names what is
 * missing.
 */
bool adass_isa_supported(size_t i, const char **why);

/**
 * Groups equal ids, in the order of first occurrence.
 *
 * @param unique  out, [n] at most: the distinct ids
 * @param group   out, [n]: group[i] is the place of ids[i * ids_ld] in unique
 * @param vocab   all ids are below it; SIZE_MAX where nobody knows. Up to adass_dedup_slots(n), work is saved
 * @param slots   work space, [adass_dedup_slots(n)], contents ignored
 * @return number of distinct ids
 */
size_t adass_dedup_ids(uint32_t *unique, uint32_t *group, const uint32_t *ids, size_t ids_ld,
                       size_t n, size_t vocab, uint32_t *slots);

/** Work space of adass_dedup_ids for n ids, n < 2^31, in elements: a power of two >= 2 n. */
size_t adass_dedup_slots(size_t n);

#ifdef __cplusplus
}
#endif

#endif
