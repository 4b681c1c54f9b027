/*
 * The vector layer on AVX-512 (F, BW, DQ, VL): 16 lanes, partial vectors by mask. See vec.md for
 * the meaning of each function.
 */
#ifndef ADASS_VEC_AVX512_H
#define ADASS_VEC_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADASS_FN(op) adass_##op##_avx512

enum { VW = 16 };
typedef __m512 VF;
typedef __m512i VU;

static inline __mmask16 v_mask(size_t n) { return (__mmask16)((1u << n) - 1u); }

static inline VF v_zero(void) { return _mm512_setzero_ps(); }
static inline VF v_set1(float x) { return _mm512_set1_ps(x); }
static inline VF v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, VF x) { _mm512_storeu_ps(p, x); }

/*
 * The usual small sizes without a mask: a masked vector is 64 bytes wide for the core, whose
 * left-out lanes are in another line more often than not. With it a lookup of size 4 took 2 to 2.5
 * times as long (Cascade Lake).
 */
static inline VF v_loadn(const float *p, size_t n)
{
    if (n >= VW)
        return v_load(p);
    if (n == 8)
        return _mm512_zextps256_ps512(_mm256_loadu_ps(p));
    if (n == 4)
        return _mm512_zextps128_ps512(_mm_loadu_ps(p));
    if (n == 2)
        return _mm512_zextps128_ps512(
            _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)p));
    return _mm512_maskz_loadu_ps(v_mask(n), p);
}

static inline void v_storen(float *p, VF x, size_t n)
{
    if (n >= VW)
        v_store(p, x);
    else if (n == 8)
        _mm256_storeu_ps(p, _mm512_castps512_ps256(x));
    else if (n == 4)
        _mm_storeu_ps(p, _mm512_castps512_ps128(x));
    else if (n == 2)
        _mm_storel_pi((__m64 *)(void *)p, _mm512_castps512_ps128(x));
    else
        _mm512_mask_storeu_ps(p, v_mask(n), x);
}

/* x in a register: gcc loads it again for each use, which are two loads for most of a line where rows
   straddle lines (fm_forward in the second-level cache 1.2 to 1.35 times as long). */
static inline VF v_once(VF x)
{
#ifdef __AVX512F__ /* not when emulated */
    __asm__("" : "+v"(x));
#endif
    return x;
}
static inline VF v_add(VF a, VF b) { return _mm512_add_ps(a, b); }
static inline VF v_sub(VF a, VF b) { return _mm512_sub_ps(a, b); }
static inline VF v_mul(VF a, VF b) { return _mm512_mul_ps(a, b); }
static inline VF v_div(VF a, VF b) { return _mm512_div_ps(a, b); }
static inline VF v_sqrt(VF a) { return _mm512_sqrt_ps(a); }

/*
 * A shorter vector takes the divider half the time or less: adam_rows of size 4 takes 7.8 instead of
 * 10.1 ns a row, adagrad_rows 5.1 instead of 9.8. By AVX2 shorter ones gained nothing.
 */
static inline VF v_divn(VF a, VF b, size_t n)
{
    if (n <= 4)
        return _mm512_zextps128_ps512(
            _mm_div_ps(_mm512_castps512_ps128(a), _mm512_castps512_ps128(b)));
    if (n <= 8)
        return _mm512_zextps256_ps512(
            _mm256_div_ps(_mm512_castps512_ps256(a), _mm512_castps512_ps256(b)));
    return v_div(a, b);
}

static inline VF v_sqrtn(VF a, size_t n)
{
    if (n <= 4)
        return _mm512_zextps128_ps512(_mm_sqrt_ps(_mm512_castps512_ps128(a)));
    if (n <= 8)
        return _mm512_zextps256_ps512(_mm256_sqrt_ps(_mm512_castps512_ps256(a)));
    return v_sqrt(a);
}

static inline VF v_max(VF a, VF b) { return _mm512_max_ps(a, b); }
static inline VF v_fma(VF a, VF b, VF c) { return _mm512_fmadd_ps(a, b, c); }
static inline float v_sum(VF a) { return _mm512_reduce_add_ps(a); }

/* Not _mm512_reduce_add_ps, whose order is the compiler's. */
static inline float v_sum_halves(VF a)
{
    a = v_add(a, _mm512_shuffle_f32x4(a, a, 0x4e));
    a = v_add(a, _mm512_shuffle_f32x4(a, a, 0xb1));
    a = v_add(a, _mm512_permute_ps(a, 0x4e));
    return _mm512_cvtss_f32(v_add(a, _mm512_permute_ps(a, 0xb1)));
}

static inline VF v_if_positive(VF test, VF yes, VF no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(test, v_zero(), _CMP_GT_OQ), no, yes);
}

static inline VU u_set1(uint32_t x) { return _mm512_set1_epi32((int32_t)x); }
static inline VU u_add(VU a, VU b) { return _mm512_add_epi32(a, b); }
static inline VU u_mul(VU a, VU b) { return _mm512_mullo_epi32(a, b); }
static inline VU u_xor(VU a, VU b) { return _mm512_xor_si512(a, b); }
static inline VU u_max(VU a, VU b) { return _mm512_max_epu32(a, b); }
static inline VU u_shr(VU a, int bits) { return _mm512_srli_epi32(a, (unsigned)bits); }
static inline VU u_shl(VU a, int bits) { return _mm512_slli_epi32(a, (unsigned)bits); }
static inline VU u_bits(VF a) { return _mm512_castps_si512(a); }
static inline VF v_bits(VU a) { return _mm512_castsi512_ps(a); }
static inline VU u_loadn(const uint32_t *p, size_t n)
{
    return u_bits(v_loadn((const float *)(const void *)p, n));
}
static inline void u_storen(uint32_t *p, VU x, size_t n)
{
    v_storen((float *)(void *)p, v_bits(x), n);
}
static inline bool u_any(VU a) { return _mm512_test_epi32_mask(a, a) != 0; }
static inline uint32_t u_largest(VU a) { return _mm512_reduce_max_epu32(a); }

static inline VU u_count(uint32_t first)
{
    return u_add(u_set1(first),
                 _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

static inline VF v_if_ge(VU a, VU b, VF yes)
{
    return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(a, b), yes);
}

static inline __m256i halves_loadn(const void *p, size_t n)
{
    return n >= VW ? _mm256_loadu_si256(p) : _mm256_maskz_loadu_epi16(v_mask(n), p);
}

static inline void halves_storen(void *p, __m256i x, size_t n)
{
    if (n >= VW)
        _mm256_storeu_si256(p, x);
    else
        _mm256_mask_storeu_epi16(p, v_mask(n), x);
}

static inline VF v_loadn_bf16(const void *p, size_t n)
{
    return v_bits(u_shl(_mm512_cvtepu16_epi32(halves_loadn(p, n)), 16));
}

static inline void v_storen_bf16(void *p, VF x, size_t n)
{
    const VU bits = u_bits(x);
    const VU odd = _mm512_and_si512(u_shr(bits, 16), u_set1(1));
    const VU rounded = u_add(bits, u_add(odd, u_set1(0x7fff)));
    const __mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const VU half = _mm512_mask_or_epi32(rounded, is_nan, bits, u_set1(0x400000));
    halves_storen(p, _mm512_cvtepi32_epi16(u_shr(half, 16)), n);
}

static inline VF v_loadn_f16(const void *p, size_t n)
{
    return _mm512_cvtph_ps(halves_loadn(p, n));
}

static inline void v_storen_f16(void *p, VF x, size_t n)
{
    halves_storen(p, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT), n);
}

static inline VF v_loadn_i8(const void *p, size_t n)
{
    const __m128i bytes = n >= VW ? _mm_loadu_si128(p) : _mm_maskz_loadu_epi8(v_mask(n), p);
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
}

static inline VF v_loadn_i32(const int32_t *p, size_t n)
{
    return _mm512_cvtepi32_ps(n >= VW ? _mm512_loadu_si512(p)
                                      : _mm512_maskz_loadu_epi32(v_mask(n), p));
}

static inline void v_storen_i8(void *p, VF x, size_t n)
{
    const __m128i bytes = _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(x));
    if (n >= VW)
        _mm_storeu_si128(p, bytes);
    else
        _mm_mask_storeu_epi8(p, v_mask(n), bytes);
}

#endif
