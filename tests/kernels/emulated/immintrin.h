/*
 * The AVX-512 intrinsics that kernels/vec_avx512.h uses, lane by lane in plain C after their
 * definitions, for machines that have no AVX-512. It stands in for the compiler's header.
 */
#ifndef ADASS_EMULATED_IMMINTRIN_H
#define ADASS_EMULATED_IMMINTRIN_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    float lane[16];
} __m512;
typedef struct {
    uint32_t lane[16];
} __m512i;
typedef struct {
    uint16_t lane[16];
} __m256i;
typedef struct {
    int8_t lane[16];
} __m128i;
typedef struct {
    float lane[8];
} __m256;
typedef struct {
    float lane[4];
} __m128;
typedef struct {
    float lane[2];
} __m64;
typedef uint16_t __mmask16;

enum { _CMP_UNORD_Q = 3, _CMP_GT_OQ = 30, _MM_FROUND_TO_NEAREST_INT = 0 };

/* A function whose result's every lane i is `value`. */
#define EACH(type, name, args, value)                                                              \
    static inline type name args                                                                   \
    {                                                                                              \
        type r;                                                                                    \
        for (int i = 0; i < 16; i++)                                                               \
            r.lane[i] = value;                                                                     \
        return r;                                                                                  \
    }
#define MASK(name, args, condition)                                                                \
    static inline __mmask16 name args                                                              \
    {                                                                                              \
        unsigned r = 0;                                                                            \
        for (int i = 0; i < 16; i++)                                                               \
            r |= (unsigned)(condition) << i;                                                       \
        return (__mmask16)r;                                                                       \
    }
/* Loads and stores of `type` at any alignment, whole and masked; masked lanes are not touched. */
#define MEMORY(type, element, load, store, masked_load, masked_store)                              \
    static inline type load(const void *p)                                                         \
    {                                                                                              \
        type r;                                                                                    \
        memcpy(&r, p, sizeof r);                                                                   \
        return r;                                                                                  \
    }                                                                                              \
    static inline void store(void *p, type x) { memcpy(p, &x, sizeof x); }                         \
    static inline type masked_load(__mmask16 m, const void *p)                                     \
    {                                                                                              \
        type r = { { 0 } };                                                                        \
        for (size_t i = 0; i < 16; i++)                                                            \
            if (m >> i & 1)                                                                        \
                memcpy(&r.lane[i], (const char *)p + i * sizeof(element), sizeof(element));        \
        return r;                                                                                  \
    }                                                                                              \
    static inline void masked_store(void *p, __mmask16 m, type x)                                  \
    {                                                                                              \
        for (size_t i = 0; i < 16; i++)                                                            \
            if (m >> i & 1)                                                                        \
                memcpy((char *)p + i * sizeof(element), &x.lane[i], sizeof(element));              \
    }

MEMORY(__m512, float, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_maskz_loadu_ps,
       _mm512_mask_storeu_ps)
MEMORY(__m512i, int32_t, _mm512_loadu_si512, _mm512_storeu_si512, _mm512_maskz_loadu_epi32,
       _mm512_mask_storeu_epi32)
MEMORY(__m256i, uint16_t, _mm256_loadu_si256, _mm256_storeu_si256, _mm256_maskz_loadu_epi16,
       _mm256_mask_storeu_epi16)
MEMORY(__m128i, int8_t, _mm_loadu_si128, _mm_storeu_si128, _mm_maskz_loadu_epi8,
       _mm_mask_storeu_epi8)

/* Loads, stores and conversions of the shorter vectors of floats. */
#define SHORTER(type, load, store, widen, narrow)                                                  \
    static inline type load(const float *p)                                                        \
    {                                                                                              \
        type r;                                                                                    \
        memcpy(&r, p, sizeof r);                                                                   \
        return r;                                                                                  \
    }                                                                                              \
    static inline void store(float *p, type x) { memcpy(p, &x, sizeof x); }                        \
    static inline __m512 widen(type x)                                                             \
    {                                                                                              \
        __m512 r = { { 0.0f } };                                                                   \
        memcpy(&r, &x, sizeof x);                                                                  \
        return r;                                                                                  \
    }                                                                                              \
    static inline type narrow(__m512 x)                                                            \
    {                                                                                              \
        type r;                                                                                    \
        memcpy(&r, &x, sizeof r);                                                                  \
        return r;                                                                                  \
    }

SHORTER(__m256, _mm256_loadu_ps, _mm256_storeu_ps, _mm512_zextps256_ps512, _mm512_castps512_ps256)
SHORTER(__m128, _mm_loadu_ps, _mm_storeu_ps, _mm512_zextps128_ps512, _mm512_castps512_ps128)

/* Quotients and roots of the shorter vectors of floats. */
#define SHORTER_DIVIDE(type, lanes, divide, root)                                                  \
    static inline type divide(type a, type b)                                                      \
    {                                                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            a.lane[i] /= b.lane[i];                                                                \
        return a;                                                                                  \
    }                                                                                              \
    static inline type root(type a)                                                                \
    {                                                                                              \
        for (int i = 0; i < lanes; i++)                                                            \
            a.lane[i] = sqrtf(a.lane[i]);                                                          \
        return a;                                                                                  \
    }

SHORTER_DIVIDE(__m256, 8, _mm256_div_ps, _mm256_sqrt_ps)
SHORTER_DIVIDE(__m128, 4, _mm_div_ps, _mm_sqrt_ps)

static inline __m128 _mm_setzero_ps(void) { return (__m128){ { 0.0f } }; }

static inline __m128 _mm_loadl_pi(__m128 a, const __m64 *p)
{
    memcpy(&a, p, sizeof *p);
    return a;
}

static inline void _mm_storel_pi(__m64 *p, __m128 x) { memcpy(p, &x, sizeof *p); }

static inline uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static inline float of_f16(uint16_t half)
{
    const uint32_t sign = (half & 0x8000u) << 16, fraction = half & 0x3ffu;
    const int exponent = half >> 10 & 31;
    if (exponent == 31)
        return of_bits(sign | 0x7f800000u | fraction << 13 | (fraction != 0 ? 0x400000u : 0u));
    const uint32_t whole = exponent > 0 ? fraction | 0x400u : fraction;
    return of_bits(sign | bits_of(ldexpf((float)whole, (exponent > 0 ? exponent : 1) - 25)));
}

static inline uint16_t to_f16(float x)
{
    const uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000u;
    const float magnitude = fabsf(x);
    int exponent;
    if (isnan(x))
        return (uint16_t)(sign | 0x7e00u | (bits >> 13 & 0x3ffu));
    if (magnitude == 0.0f)
        return (uint16_t)sign;
    if (magnitude >= 65520.0f)
        return (uint16_t)(sign | 0x7c00u);
    frexpf(magnitude, &exponent);
    exponent = exponent - 1 < -14 ? -14 : exponent - 1;
    const uint32_t whole = (uint32_t)lrintf(ldexpf(magnitude, 10 - exponent));
    return (uint16_t)(sign | (((uint32_t)(exponent + 14) << 10) + whole));
}

static inline int8_t saturated(int32_t x) { return (int8_t)(x > 127 ? 127 : x < -128 ? -128 : x); }

#define PS(name, value) EACH(__m512, _mm512_##name##_ps, (__m512 a, __m512 b), value)
PS(add, a.lane[i] + b.lane[i])
PS(sub, a.lane[i] - b.lane[i])
PS(mul, a.lane[i] * b.lane[i])
PS(div, a.lane[i] / b.lane[i])
PS(max, a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i])
EACH(__m512, _mm512_fmadd_ps, (__m512 a, __m512 b, __m512 c), fmaf(a.lane[i], b.lane[i], c.lane[i]))
EACH(__m512, _mm512_sqrt_ps, (__m512 a), sqrtf(a.lane[i]))
EACH(__m512, _mm512_set1_ps, (float x), x)
EACH(__m512, _mm512_setzero_ps, (void), 0.0f)
EACH(__m512, _mm512_maskz_mov_ps, (__mmask16 m, __m512 a), m >> i & 1 ? a.lane[i] : 0.0f)
EACH(__m512, _mm512_mask_blend_ps, (__mmask16 m, __m512 a, __m512 b),
     m >> i & 1 ? b.lane[i] : a.lane[i])
MASK(_mm512_cmp_ps_mask, (__m512 a, __m512 b, int how),
     how == _CMP_GT_OQ ? a.lane[i] > b.lane[i] : isnan(a.lane[i]) || isnan(b.lane[i]))

static inline float _mm512_reduce_add_ps(__m512 a)
{
    for (int half = 8; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            a.lane[i] += a.lane[i + half];
    return a.lane[0];
}

EACH(__m512, _mm512_shuffle_f32x4, (__m512 a, __m512 b, int from),
     (i < 8 ? a : b).lane[4 * (from >> i / 4 * 2 & 3) + i % 4])
EACH(__m512, _mm512_permute_ps, (__m512 a, int from), a.lane[i / 4 * 4 + (from >> i % 4 * 2 & 3)])

static inline float _mm512_cvtss_f32(__m512 a) { return a.lane[0]; }

#define EPI32(name, value) EACH(__m512i, _mm512_##name, (__m512i a, __m512i b), value)
EPI32(add_epi32, a.lane[i] + b.lane[i])
EPI32(mullo_epi32, a.lane[i] * b.lane[i])
EPI32(and_si512, a.lane[i] & b.lane[i])
EPI32(xor_si512, a.lane[i] ^ b.lane[i])
EPI32(max_epu32, a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i])

static inline uint32_t _mm512_reduce_max_epu32(__m512i a)
{
    uint32_t largest = 0;
    for (int i = 0; i < 16; i++)
        largest = a.lane[i] > largest ? a.lane[i] : largest;
    return largest;
}

EACH(__m512i, _mm512_mask_or_epi32, (__m512i other, __mmask16 m, __m512i a, __m512i b),
     m >> i & 1 ? a.lane[i] | b.lane[i] : other.lane[i])
EACH(__m512i, _mm512_set1_epi32, (int32_t x), (uint32_t)x)
EACH(__m512i, _mm512_slli_epi32, (__m512i a, unsigned n), n < 32 ? a.lane[i] << n : 0)
EACH(__m512i, _mm512_srli_epi32, (__m512i a, unsigned n), n < 32 ? a.lane[i] >> n : 0)
#define _mm512_setr_epi32(...) ((__m512i){ { __VA_ARGS__ } })
MASK(_mm512_cmpge_epu32_mask, (__m512i a, __m512i b), a.lane[i] >= b.lane[i])
MASK(_mm512_test_epi32_mask, (__m512i a, __m512i b), (a.lane[i] & b.lane[i]) != 0)

EACH(__m512i, _mm512_castps_si512, (__m512 a), bits_of(a.lane[i]))
EACH(__m512, _mm512_castsi512_ps, (__m512i a), of_bits(a.lane[i]))
EACH(__m512i, _mm512_cvtps_epi32, (__m512 a), (uint32_t)lrintf(a.lane[i]))
EACH(__m512, _mm512_cvtepi32_ps, (__m512i a), (float)(int32_t)a.lane[i])
EACH(__m512i, _mm512_cvtepu16_epi32, (__m256i a), a.lane[i])
EACH(__m512i, _mm512_cvtepi8_epi32, (__m128i a), (uint32_t)a.lane[i])
EACH(__m256i, _mm512_cvtepi32_epi16, (__m512i a), (uint16_t)a.lane[i])
EACH(__m128i, _mm512_cvtsepi32_epi8, (__m512i a), saturated((int32_t)a.lane[i]))
EACH(__m512, _mm512_cvtph_ps, (__m256i a), of_f16(a.lane[i]))

static inline __m256i _mm512_cvtps_ph(__m512 a, int rounding)
{
    __m256i r;
    (void)rounding; /* to nearest: the one in use */
    for (int i = 0; i < 16; i++)
        r.lane[i] = to_f16(a.lane[i]);
    return r;
}

#endif
