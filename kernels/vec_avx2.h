/* The vector layer on AVX2 with FMA: 8 lanes. See vec.md for the meaning of each function. */
#ifndef ADASS_VEC_AVX2_H
#define ADASS_VEC_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

static inline VF v_once(VF x) { return x; }
static inline VF v_add(VF a, VF b) { return _mm256_add_ps(a, b); }
static inline VF v_sub(VF a, VF b) { return _mm256_sub_ps(a, b); }
static inline VF v_mul(VF a, VF b) { return _mm256_mul_ps(a, b); }
static inline VF v_div(VF a, VF b) { return _mm256_div_ps(a, b); }
static inline VF v_sqrt(VF a) { return _mm256_sqrt_ps(a); }
#include "vec_undivided.h"
static inline VF v_max(VF a, VF b) { return _mm256_max_ps(a, b); }
static inline VF v_fma(VF a, VF b, VF c) { return _mm256_fmadd_ps(a, b, c); }

static inline float v_sum_halves(VF a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}

static inline float v_sum(VF a) { return v_sum_halves(a); }

static inline VF v_if_positive(VF test, VF yes, VF no)
{
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(test, v_zero(), _CMP_GT_OQ));
}

static inline VU u_set1(uint32_t x) { return _mm256_set1_epi32((int32_t)x); }
static inline VU u_add(VU a, VU b) { return _mm256_add_epi32(a, b); }
static inline VU u_mul(VU a, VU b) { return _mm256_mullo_epi32(a, b); }
static inline VU u_xor(VU a, VU b) { return _mm256_xor_si256(a, b); }
static inline VU u_max(VU a, VU b) { return _mm256_max_epu32(a, b); }
static inline VU u_shr(VU a, int bits) { return _mm256_srli_epi32(a, bits); }
static inline VU u_shl(VU a, int bits) { return _mm256_slli_epi32(a, bits); }
static inline VU u_bits(VF a) { return _mm256_castps_si256(a); }
static inline VF v_bits(VU a) { return _mm256_castsi256_ps(a); }
static inline VU u_loadn(const uint32_t *p, size_t n)
{
    uint32_t part[VW] = { 0 };
    if (n >= VW)
        return _mm256_loadu_si256((const __m256i *)(const void *)p);
    for (size_t i = 0; i < n; i++)
        part[i] = p[i];
    return _mm256_loadu_si256((const __m256i *)(const void *)part);
}
static inline void u_storen(uint32_t *p, VU x, size_t n)
{
    uint32_t part[VW];
    if (n >= VW) {
        _mm256_storeu_si256((__m256i *)(void *)p, x);
        return;
    }
    _mm256_storeu_si256((__m256i *)(void *)part, x);
    for (size_t i = 0; i < n; i++)
        p[i] = part[i];
}
static inline bool u_any(VU a) { return !_mm256_testz_si256(a, a); }

static inline uint32_t u_largest(VU a)
{
    __m128i m = _mm_max_epu32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0x4e));
    m = _mm_max_epu32(m, _mm_shuffle_epi32(m, 0xb1));
    return (uint32_t)_mm_cvtsi128_si32(m);
}

static inline VU u_count(uint32_t first)
{
    return u_add(u_set1(first), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline VF v_if_ge(VU a, VU b, VF yes)
{
    const VU ge = _mm256_cmpeq_epi32(_mm256_max_epu32(a, b), a);
    return _mm256_and_ps(_mm256_castsi256_ps(ge), yes);
}

/* The first n bytes, the other bytes 0; nothing else is read: parts that overlap make it up. */
static inline __m128i bytes_loadn(const void *from, size_t n)
{
    const unsigned char *p = from;
    uint64_t low = 0, high = 0;
    uint32_t head, tail;
    if (n >= 16)
        return _mm_loadu_si128(from);
    if (n >= 8) {
        memcpy(&low, p, 8);
        memcpy(&high, p + n - 8, 8);
        high = n > 8 ? high >> 8 * (16 - n) : 0;
    } else if (n >= 4) {
        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        low = head | (uint64_t)tail << 8 * (n - 4);
    } else if (n > 0) {
        low = p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
    }
    return _mm_set_epi64x((int64_t)high, (int64_t)low);
}

/* The first n bytes and no others. */
static inline void bytes_storen(void *to, __m128i x, size_t n)
{
    char *p = to;
    if (n >= 16) {
        _mm_storeu_si128(to, x);
        return;
    }
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(x);
    if (n & 8) {
        memcpy(p, &low, 8);
        p += 8;
        low = (uint64_t)_mm_extract_epi64(x, 1);
    }
    for (size_t part = 4; part > 0; part /= 2)
        if (n & part) {
            memcpy(p, &low, part);
            p += part;
            low >>= 8 * part;
        }
}

/* The low halves of the lanes. */
static inline __m128i u_low16(VU a)
{
    return _mm_packus_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
}

static inline VF v_loadn_bf16(const void *p, size_t n)
{
    return v_bits(u_shl(_mm256_cvtepu16_epi32(bytes_loadn(p, 2 * n)), 16));
}

static inline void v_storen_bf16(void *p, VF x, size_t n)
{
    const VU bits = u_bits(x);
    const VU odd = _mm256_and_si256(u_shr(bits, 16), u_set1(1));
    const VU rounded = u_add(bits, u_add(odd, u_set1(0x7fff)));
    const VU quiet = _mm256_or_si256(bits, u_set1(0x400000));
    const VF is_nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
    const VF half = _mm256_blendv_ps(v_bits(rounded), v_bits(quiet), is_nan);
    bytes_storen(p, u_low16(u_shr(u_bits(half), 16)), 2 * n);
}

static inline VF v_loadn_f16(const void *p, size_t n)
{
    return _mm256_cvtph_ps(bytes_loadn(p, 2 * n));
}

static inline void v_storen_f16(void *p, VF x, size_t n)
{
    bytes_storen(p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT), 2 * n);
}

static inline VF v_loadn_i8(const void *p, size_t n)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes_loadn(p, n < VW ? n : VW)));
}

static inline VF v_loadn_i32(const int32_t *p, size_t n)
{
    int32_t part[VW] = { 0 };
    if (n < VW)
        memcpy(part, p, n * sizeof *part);
    return _mm256_cvtepi32_ps(_mm256_loadu_si256((const __m256i *)(n < VW ? part : p)));
}

static inline void v_storen_i8(void *p, VF x, size_t n)
{
    const VU whole = _mm256_cvtps_epi32(x);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    bytes_storen(p, _mm_packs_epi16(words, words), n < VW ? n : VW);
}

#endif
