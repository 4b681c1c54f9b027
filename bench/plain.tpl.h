/*
 * Every kernel as the loops that its formula says, for the compiler to do its best. Included once
 * for each ISA, after PLAIN_ISA; `restrict` says what the contracts promise.
 */
#include "plain.h"

#include "adass/rng.h"

#include <math.h>
#include <string.h>

#define PLAIN_JOIN(op, isa) plain_##op##_##isa
#define PLAIN_NAME(op, isa) PLAIN_JOIN(op, isa)
#define PLAIN_FN(op) PLAIN_NAME(op, PLAIN_ISA)

/* ---- types of rows ---- */

static inline float PLAIN_FN(of_bits)(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline uint32_t PLAIN_FN(bits_of)(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Finite numbers, subnormals too: the exponents' bias differs by 112. */
static inline float PLAIN_FN(of_f16)(uint16_t x)
{
    const uint32_t magnitude = (uint32_t)(x & 0x7fffu) << 13, sign = (uint32_t)(x & 0x8000u) << 16;
    return PLAIN_FN(of_bits)(PLAIN_FN(bits_of)(PLAIN_FN(of_bits)(magnitude) * 0x1p112f) | sign);
}

/* To the nearest, halfway cases to the even one; numbers of normal size in the type. */
static inline uint16_t PLAIN_FN(to_16_bits)(float x, adass_type type)
{
    const uint32_t bits = PLAIN_FN(bits_of)(x), magnitude = bits & 0x7fffffffu;
    if (type == ADASS_BF16)
        return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t normal = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - (112u << 23)) >> 13;
    const uint32_t below = PLAIN_FN(bits_of)(PLAIN_FN(of_bits)(magnitude) + 0.5f) - 0x3f000000u;
    return (uint16_t)(sign | (magnitude < 0x38800000u ? below : normal));
}

/* out[k] = row[k], or out[k] += row[k]. */
static inline void PLAIN_FN(take_row)(float *restrict out, adass_type type,
                                      const char *restrict row, size_t size, bool add)
{
    const uint16_t *half = (const uint16_t *)(const void *)row;
    const float *full = (const float *)(const void *)row;
    const int8_t *columns = (const int8_t *)row + sizeof(float);
    float scale = 0.0f;
    if (type == ADASS_INT8)
        memcpy(&scale, row, sizeof scale);
    switch (type) {
    case ADASS_F32:
        for (size_t k = 0; k < size; k++)
            out[k] = add ? out[k] + full[k] : full[k];
        break;
    case ADASS_BF16:
        for (size_t k = 0; k < size; k++) {
            const float x = PLAIN_FN(of_bits)((uint32_t)half[k] << 16);
            out[k] = add ? out[k] + x : x;
        }
        break;
    case ADASS_F16:
        for (size_t k = 0; k < size; k++) {
            const float x = PLAIN_FN(of_f16)(half[k]);
            out[k] = add ? out[k] + x : x;
        }
        break;
    case ADASS_INT8:
        for (size_t k = 0; k < size; k++) {
            const float x = scale * (float)columns[k];
            out[k] = add ? out[k] + x : x;
        }
        break;
    }
}

static void PLAIN_FN(dequantize_rows)(float *restrict out, size_t out_ld, adass_type type,
                                      const void *restrict rows, size_t stride, size_t n,
                                      size_t size)
{
    for (size_t i = 0; i < n; i++)
        PLAIN_FN(take_row)
    (out + i * out_ld, type, (const char *)rows + i * stride * adass_type_bytes(type), size, false);
}

/* Rows of finite numbers, the largest not next to nothing. */
static void PLAIN_FN(quantize_int8)(char *restrict row, const float *restrict x, size_t size)
{
    float largest = 0.0f;
    for (size_t k = 0; k < size; k++)
        largest = fabsf(x[k]) > largest ? fabsf(x[k]) : largest;
    const float scale = largest / 127.0f, inverse = 1.0f / scale;
    memcpy(row, &scale, sizeof scale);
    int8_t *columns = (int8_t *)row + sizeof scale;
    for (size_t k = 0; k < size; k++)
        columns[k] = (int8_t)rintf(x[k] * inverse);
}

static void PLAIN_FN(quantize_rows)(adass_type type, void *restrict rows, size_t stride,
                                    const float *restrict x, size_t x_ld, size_t n, size_t size)
{
    for (size_t i = 0; i < n; i++) {
        char *row = (char *)rows + i * stride * adass_type_bytes(type);
        uint16_t *half = (uint16_t *)(void *)row;
        if (type == ADASS_F32)
            memcpy(row, x + i * x_ld, size * sizeof *x);
        else if (type == ADASS_INT8)
            PLAIN_FN(quantize_int8)(row, x + i * x_ld, size);
        else
            for (size_t k = 0; k < size; k++)
                half[k] = PLAIN_FN(to_16_bits)(x[i * x_ld + k], type);
    }
}

/* ---- lookups ---- */

static void PLAIN_FN(lookup)(float *restrict out, size_t out_ld, adass_type type,
                             const void *restrict rows, size_t stride, const uint32_t *restrict ids,
                             size_t ids_ld, size_t n, size_t pooling, size_t size)
{
    const size_t row_bytes = stride * adass_type_bytes(type);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < pooling; j++)
            PLAIN_FN(take_row)
    (out + i * out_ld, type, (const char *)rows + ids[(i * pooling + j) * ids_ld] * row_bytes, size,
     j > 0);
}

static void PLAIN_FN(lookup_fields)(float *restrict out, size_t out_ld,
                                    const adass_field_view *restrict fields, size_t n_fields,
                                    const uint32_t *restrict ids, size_t ids_ld, size_t n)
{
    for (size_t b = 0; b < n; b++)
        for (size_t f = 0; f < n_fields; f++) {
            const size_t row_bytes = fields[f].stride * adass_type_bytes(fields[f].type);
            const size_t id = ids[b * ids_ld + fields[f].column];
            PLAIN_FN(take_row)
            (out + b * out_ld + fields[f].offset, fields[f].type,
             (const char *)fields[f].rows + id * row_bytes, fields[f].size, false);
        }
}

/* ---- factorization machine ---- */

static size_t PLAIN_FN(largest)(const adass_field_view *fields, size_t n_fields)
{
    size_t largest = 0;
    for (size_t f = 0; f < n_fields; f++)
        largest = fields[f].size > largest ? fields[f].size : largest;
    return largest;
}

static void PLAIN_FN(fm_forward)(float *restrict y, float *restrict sums, size_t sums_ld,
                                 const float *restrict x, size_t x_ld,
                                 const adass_field_view *restrict fields, size_t n_fields, size_t n)
{
    const size_t largest = PLAIN_FN(largest)(fields, n_fields);
    for (size_t b = 0; b < n; b++) {
        float squares[ADASS_SIZE_MAX] = { 0.0f };
        float *sum = sums + b * sums_ld;
        memset(sum, 0, largest * sizeof *sum);
        for (size_t f = 0; f < n_fields; f++) {
            const float *v = x + b * x_ld + fields[f].offset;
            for (size_t k = 0; k < fields[f].size; k++) {
                sum[k] += v[k];
                squares[k] += v[k] * v[k];
            }
        }
        float total = 0.0f;
        for (size_t k = 0; k < largest; k++)
            total += sum[k] * sum[k] - squares[k];
        y[b] += 0.5f * total;
    }
}

static void PLAIN_FN(lookup_fm)(float *restrict y, float *restrict sums, size_t sums_ld,
                                float *restrict out, size_t out_ld,
                                const adass_field_view *restrict fields, size_t n_fields,
                                const uint32_t *restrict ids, size_t ids_ld, size_t n)
{
    for (size_t b = 0; b < n; b++) {
        PLAIN_FN(lookup_fields)
        (out + b * out_ld, out_ld, fields, n_fields, ids + b * ids_ld, ids_ld, 1);
        PLAIN_FN(fm_forward)
        (y + b, sums + b * sums_ld, sums_ld, out + b * out_ld, out_ld, fields, n_fields, 1);
    }
}

static void PLAIN_FN(fm_backward)(float *restrict dx, size_t dx_ld, const float *restrict dy,
                                  const float *restrict x, size_t x_ld, const float *restrict sums,
                                  size_t sums_ld, const adass_field_view *restrict fields,
                                  size_t n_fields, size_t n, bool accumulate)
{
    for (size_t b = 0; b < n; b++)
        for (size_t f = 0; f < n_fields; f++) {
            const float *v = x + b * x_ld + fields[f].offset, *sum = sums + b * sums_ld;
            float *to = dx + b * dx_ld + fields[f].offset;
            for (size_t k = 0; k < fields[f].size; k++) {
                const float g = dy[b] * (sum[k] - v[k]);
                to[k] = accumulate ? to[k] + g : g;
            }
        }
}

static void PLAIN_FN(linear_forward)(float *restrict y, const adass_field_view *restrict fields,
                                     size_t n_fields, const uint32_t *restrict ids, size_t ids_ld,
                                     size_t n)
{
    for (size_t b = 0; b < n; b++)
        for (size_t f = 0; f < n_fields; f++)
            y[b] += fields[f].linear[ids[b * ids_ld + fields[f].column] * fields[f].linear_stride];
}

/* ---- updates ---- */

static void PLAIN_FN(linear_backward)(float *restrict out, const float *restrict dy,
                                      const uint32_t *restrict group, size_t n)
{
    uint32_t next = 0; /* groups come in order of first occurrence */
    for (size_t i = 0; i < n; i++) {
        if (group[i] == next) {
            out[group[i]] = dy[i];
            next++;
        } else {
            out[group[i]] += dy[i];
        }
    }
}

static void PLAIN_FN(dedup_accumulate)(float *restrict out, size_t out_ld,
                                       const float *restrict grads, size_t grads_ld,
                                       const uint32_t *restrict group, size_t n, size_t size)
{
    uint32_t next = 0; /* groups come in order of first occurrence */
    for (size_t i = 0; i < n; i++) {
        float *to = out + group[i] * out_ld;
        const float *grad = grads + i * grads_ld;
        if (group[i] == next) {
            for (size_t k = 0; k < size; k++)
                to[k] = grad[k];
            next++;
        } else {
            for (size_t k = 0; k < size; k++)
                to[k] += grad[k];
        }
    }
}

static void PLAIN_FN(fm_backward_rows)(float *grads, const float *summed, const float *restrict dy,
                                       const float *restrict rows, size_t stride,
                                       const uint32_t *restrict ids, size_t n, size_t size,
                                       bool accumulate)
{
    for (size_t i = 0; i < n; i++) {
        const float *x = rows + (ids != NULL ? ids[i] : i) * stride;
        for (size_t k = 0; k < size; k++) {
            const float g = summed[i * size + k] - dy[i] * x[k];
            grads[i * size + k] = accumulate ? grads[i * size + k] + g : g;
        }
    }
}

static void PLAIN_FN(sgd_rows)(float *restrict w, size_t w_stride, const uint32_t *restrict ids,
                               const float *restrict grads, size_t grads_ld, size_t n, size_t size,
                               const adass_sgd *restrict sgd)
{
    const adass_sgd s = *sgd;
    for (size_t i = 0; i < n; i++) {
        float *row = w + ids[i] * w_stride;
        for (size_t k = 0; k < size; k++)
            row[k] -= s.learning_rate * (grads[i * grads_ld + k] + s.l2 * row[k]);
    }
}

static void PLAIN_FN(adagrad_rows)(float *restrict w, size_t w_stride, float *restrict squares,
                                   size_t squares_stride, const uint32_t *restrict ids,
                                   const float *restrict grads, size_t grads_ld, size_t n,
                                   size_t size, const adass_adagrad *restrict adagrad)
{
    const adass_adagrad a = *adagrad;
    for (size_t i = 0; i < n; i++) {
        float *row = w + ids[i] * w_stride, *sums = squares + ids[i] * squares_stride;
        for (size_t k = 0; k < size; k++) {
            const float g = grads[i * grads_ld + k] + a.l2 * row[k];
            sums[k] += g * g;
            row[k] -= a.learning_rate * g / (sqrtf(sums[k]) + a.epsilon);
        }
    }
}

/* 16 partial sums and halves added to halves: the order that the contract states. */
static void PLAIN_FN(adagrad_rowwise)(float *restrict w, size_t w_stride, float *restrict squares,
                                      const uint32_t *restrict ids, const float *restrict grads,
                                      size_t grads_ld, size_t n, size_t size,
                                      const adass_adagrad *restrict adagrad)
{
    enum { PARTS = 16 };
    const adass_adagrad a = *adagrad;
    for (size_t i = 0; i < n; i++) {
        float *row = w + ids[i] * w_stride, parts[PARTS] = { 0.0f };
        const float *grad = grads + i * grads_ld;
        for (size_t k = 0; k < size; k++) {
            const float g = grad[k] + a.l2 * row[k];
            parts[k % PARTS] += g * g;
        }
        for (size_t half = PARTS / 2; half > 0; half /= 2)
            for (size_t p = 0; p < half; p++)
                parts[p] += parts[p + half];
        squares[ids[i]] += parts[0] / (float)size;
        const float step = a.learning_rate / (sqrtf(squares[ids[i]]) + a.epsilon);
        for (size_t k = 0; k < size; k++)
            row[k] -= step * (grad[k] + a.l2 * row[k]);
    }
}

static void PLAIN_FN(adam_dense)(float *restrict w, float *restrict m, float *restrict v,
                                 const float *restrict grads, size_t n,
                                 const adass_adam *restrict adam)
{
    const adass_adam a = *adam;
    for (size_t i = 0; i < n; i++) {
        const float g = grads[i] + a.l2 * w[i];
        m[i] = a.beta1 * m[i] + a.rest1 * g;
        v[i] = a.beta2 * v[i] + a.rest2 * (g * g);
        w[i] -= a.step_size * m[i] / (sqrtf(v[i]) * a.inv_sqrt_bc2 + a.epsilon);
    }
}

static void PLAIN_FN(adam_rows)(float *restrict w, size_t w_stride, float *restrict m,
                                float *restrict v, size_t moment_stride,
                                const uint32_t *restrict ids, const float *restrict grads,
                                size_t grads_ld, size_t n, size_t size,
                                const adass_adam *restrict adam)
{
    for (size_t i = 0; i < n; i++)
        PLAIN_FN(adam_dense)
    (w + ids[i] * w_stride, m + ids[i] * moment_stride, v + ids[i] * moment_stride,
     grads + i * grads_ld, size, adam);
}

/* ---- dense layers and the loss ---- */

static void PLAIN_FN(bce)(float *restrict loss, float *restrict dz, const float *restrict z,
                          const float *restrict y, size_t n, float scale)
{
    for (size_t b = 0; b < n; b++) {
        const float e = expf(-fabsf(z[b])), positive = 1.0f / (1.0f + e);
        loss[b] = fmaxf(z[b], 0.0f) - z[b] * y[b] + log1pf(e);
        dz[b] = ((z[b] > 0.0f ? positive : e * positive) - y[b]) * scale;
    }
}

static size_t PLAIN_FN(copy_ids)(uint32_t *restrict out, const uint32_t *const *ids, size_t n,
                                 const uint32_t *restrict last, size_t n_fields)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t above = 0;
        for (size_t f = 0; f < n_fields; f++) {
            out[i * n_fields + f] = ids[i][f];
            above |= ids[i][f] > last[f];
        }
        if (above != 0)
            return i;
    }
    return n;
}

static void PLAIN_FN(bias_relu)(float *restrict y, size_t ld, const float *restrict bias,
                                size_t rows, size_t cols, bool relu)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            const float a = y[r * ld + c] + bias[c];
            y[r * ld + c] = relu && !(a > 0.0f) ? 0.0f : a;
        }
}

static void PLAIN_FN(dequantize_relu)(float *restrict y, size_t ld, const int32_t *restrict sums,
                                      const float *restrict row_scale,
                                      const float *restrict col_scale, const float *restrict bias,
                                      size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++) {
            const float scale = row_scale[r] * col_scale[c];
            const float product = (float)sums[r * cols + c] * scale;
            const float a = product + bias[c];
            y[r * ld + c] = a > 0.0f ? a : 0.0f;
        }
}

static void PLAIN_FN(relu_backward)(float *dz, const float *da, const float *restrict a, size_t n,
                                    float scale)
{
    for (size_t i = 0; i < n; i++) {
        const float g = da[i] * scale;
        dz[i] = a[i] > 0.0f ? g : 0.0f;
    }
}

static void PLAIN_FN(dropout)(float *restrict a, size_t n, uint32_t first, uint32_t key,
                              uint32_t threshold, float scale)
{
    for (size_t i = 0; i < n; i++) {
        const uint32_t hash = adass_mix32(adass_mix32(first + (uint32_t)i) ^ key);
        a[i] = hash >= threshold ? a[i] * scale : 0.0f;
    }
}

static void PLAIN_FN(column_sums)(float *restrict out, const float *restrict x, size_t x_ld,
                                  size_t rows, size_t cols)
{
    memset(out, 0, cols * sizeof *out);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            out[c] += x[r * x_ld + c];
}

static void PLAIN_FN(column_squares)(float *restrict out, const float *restrict x, size_t x_ld,
                                     size_t rows, size_t cols)
{
    memset(out, 0, cols * sizeof *out);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            out[c] += x[r * x_ld + c] * x[r * x_ld + c];
}

/* From the library's own list: a kernel without its plain loops does not compile. */
#define PLAIN_TABLE_NAME(isa) bench_plain_##isa
#define PLAIN_TABLE(isa) PLAIN_TABLE_NAME(isa)
#define PLAIN_STRING_OF(isa) #isa
#define PLAIN_STRING(isa) PLAIN_STRING_OF(isa)
#define PLAIN_SLOT(isa, op) .op = PLAIN_FN(op),

extern const adass_kernels PLAIN_TABLE(PLAIN_ISA);
const adass_kernels PLAIN_TABLE(PLAIN_ISA) = { .isa = PLAIN_STRING(PLAIN_ISA),
                                               ADASS_KERNEL_OPS(PLAIN_SLOT, unused) };
