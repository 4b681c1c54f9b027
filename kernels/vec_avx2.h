/* The vector layer on AVX2 with FMA: 8 lanes. See vec.md for the meaning of each function. */
#ifndef ADASS_VEC_AVX2_H
#define ADASS_VEC_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define ADASS_FN(op) adass_##op##_avx2

enum { VW = 8 };
typedef __m256 VF;
typedef __m256i VU;

static inline VF v_zero(void) { return _mm256_setzero_ps(); }
static inline VF v_set1(float x) { return _mm256_set1_ps(x); }
static inline VF v_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void v_store(float *p, VF x) { _mm256_storeu_ps(p, x); }

/* The first n < 4 floats, the other lanes 0. */
static inline __m128 v_load_below4(const float *p, size_t n)
{
    const __m128 pair =
        n & 2 ? _mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)(const void *)p) : _mm_setzero_ps();
    if (!(n & 1))
        return pair;
    const __m128 last = _mm_load_ss(p + (n & 2));
    return n & 2 ? _mm_movelh_ps(pair, last) : last;
}

/*
 * Parts instead of a masked load, whose left-out lanes cost time on AMD's cores when they lie in
 * another line or page, as they often do after a short row: with it a lookup of size 4 among 1e6
 * rows took 2.1 times as long (Zen 3, medians of 7 interleaved runs).
 */
static inline VF v_loadn(const float *p, size_t n)
{
    if (n >= VW)
        return v_load(p);
    if (n & 4)
        return _mm256_set_m128(v_load_below4(p + 4, n & 3), _mm_loadu_ps(p));
    return _mm256_zextps128_ps256(v_load_below4(p, n));
}

/* Halves instead of a masked store, which AMD's cores run as microcode. */
static inline void v_storen(float *p, VF x, size_t n)
{
    if (n >= VW) {
        v_store(p, x);
        return;
    }
    __m128 part = _mm256_castps256_ps128(x);
    if (n & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps(x, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, part);
}

static inline VF v_add(VF a, VF b) { return _mm256_add_ps(a, b); }
static inline VF v_sub(VF a, VF b) { return _mm256_sub_ps(a, b); }
static inline VF v_mul(VF a, VF b) { return _mm256_mul_ps(a, b); }
static inline VF v_div(VF a, VF b) { return _mm256_div_ps(a, b); }
static inline VF v_sqrt(VF a) { return _mm256_sqrt_ps(a); }
static inline VF v_max(VF a, VF b) { return _mm256_max_ps(a, b); }
static inline VF v_fma(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }

static inline float v_sum(VF a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

static inline VF v_if_positive(VF test, VF yes, VF no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(test, v_zero(), _CMP_GT_OQ));
}

static inline VU u_set1(uint32_t x) { return _mm256_set1_epi32((int32_t)x); }
static inline VU u_add(VU a, VU b) { return _mm256_add_epi32(a, b); }
static inline VU u_mul(VU a, VU b) { return _mm256_mullo_epi32(a, b); }
static inline VU u_xor(VU a, VU b) { return _mm256_xor_si256(a, b); }
static inline VU u_shr(VU a, int bits) { return _mm256_srli_epi32(a, bits); }
static inline VU u_shl(VU a, int bits) { return _mm256_slli_epi32(a, bits); }
static inline VU u_bits(VF a) { return _mm256_castps_si256(a); }
static inline VF v_bits(VU a) { return _mm256_castsi256_ps(a); }

static inline VU u_count(uint32_t first)
{
    return u_add(u_set1(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline VF v_if_ge(VU a, VU b, VF yes)
{
    const VU ge = _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a);
    return _mm256_and_ps(_mm256_castsi256_ps(ge), yes);
}

#endif
