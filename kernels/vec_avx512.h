/*
 * The vector layer on AVX-512 (F, BW, DQ, VL): 16 lanes, partial vectors by mask. See vec.md for
 * the meaning of each function.
 */
#ifndef ADASS_VEC_AVX512_H
#define ADASS_VEC_AVX512_H

#include <immintrin.h>
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

static inline VF v_loadn(const float *p, size_t n)
{
    return n >= VW ? v_load(p) : _mm512_maskz_loadu_ps(v_mask(n), p);
}

static inline void v_storen(float *p, VF x, size_t n)
{
    if (n >= VW)
        v_store(p, x);
    else
        _mm512_mask_storeu_ps(p, v_mask(n), x);
}

static inline VF v_add(VF a, VF b) { return _mm512_add_ps(a, b); }
static inline VF v_sub(VF a, VF b) { return _mm512_sub_ps(a, b); }
static inline VF v_mul(VF a, VF b) { return _mm512_mul_ps(a, b); }
static inline VF v_div(VF a, VF b) { return _mm512_div_ps(a, b); }
static inline VF v_sqrt(VF a) { return _mm512_sqrt_ps(a); }
static inline VF v_max(VF a, VF b) { return _mm512_max_ps(a, b); }
static inline VF v_fma(VF a, VF b, VF c) { return _mm512_fmadd_ps(a, b, c); }
static inline float v_sum(VF a) { return _mm512_reduce_add_ps(a); }

static inline VF v_if_positive(VF test, VF yes, VF no)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(test, v_zero(), _CMP_GT_OQ), no, yes);
}

static inline VU u_set1(uint32_t x) { return _mm512_set1_epi32((int32_t)x); }
static inline VU u_add(VU a, VU b) { return _mm512_add_epi32(a, b); }
static inline VU u_mul(VU a, VU b) { return _mm512_mullo_epi32(a, b); }
static inline VU u_xor(VU a, VU b) { return _mm512_xor_si512(a, b); }
static inline VU u_shr(VU a, int bits) { return _mm512_srli_epi32(a, (unsigned)bits); }
static inline VU u_shl(VU a, int bits) { return _mm512_slli_epi32(a, (unsigned)bits); }
static inline VU u_bits(VF a) { return _mm512_castps_si512(a); }
static inline VF v_bits(VU a) { return _mm512_castsi512_ps(a); }

static inline VU u_count(uint32_t first)
{
    return u_add(u_set1(first),
                 _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

static inline VF v_if_ge(VU a, VU b, VF yes)
{
    return _mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(a, b), yes);
}

#endif
