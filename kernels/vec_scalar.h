/*
 * The vector layer on one lane: plain C, the reference point of every ISA. See vec.md for the
 * meaning of each function.
 */
#ifndef ADASS_VEC_SCALAR_H
#define ADASS_VEC_SCALAR_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ADASS_FN(op) adass_##op##_scalar

enum { VW = 1 };
typedef float VF;
typedef uint32_t VU;

static inline VF v_zero(void) { return 0.0f; }
static inline VF v_set1(float x) { return x; }
static inline VF v_load(const float *p) { return *p; }
static inline void v_store(float *p, VF x) { *p = x; }
static inline VF v_loadn(const float *p, size_t n)
{
    (void)n;
    return *p;
}
static inline void v_storen(float *p, VF x, size_t n)
{
    (void)n;
    *p = x;
}

/* The bits of a float16 in the top half of the float that it stands for, subnormals renormalised. */
static inline uint32_t f16_widen(uint32_t half)
{
    const uint32_t sign = (half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    if (magnitude >= 0x7c00u) /* infinity, or a NaN, which becomes quiet */
        return sign | 0x7f800000u | magnitude << 13 | (magnitude > 0x7c00u ? 0x400000u : 0u);
    if (magnitude >= 0x400u)
        return sign | ((magnitude << 13) + (112u << 23));
    const float value = (float)magnitude * 0x1p-24f; /* exact */
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return sign | bits;
}

/* To the nearest float16, halfway cases to even. */
static inline uint32_t f16_narrow(uint32_t bits)
{
    const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) /* NaN: quiet, with the top of its payload */
        return sign | 0x7e00u | (magnitude >> 13 & 0x3ffu);
    if (magnitude >= 0x477ff000u) /* rounds to 65536 or more */
        return sign | 0x7c00u;
    if (magnitude >= 0x38800000u) { /* normal */
        const uint32_t rebiased = magnitude - (112u << 23);
        return sign | (rebiased + 0xfffu + (rebiased >> 13 & 1u)) >> 13;
    }
    float
        value; /* subnormal: adding 0.5 rounds to a multiple of 2^-24 and leaves it in the low bits */
    memcpy(&value, &magnitude, sizeof value);
    value += 0.5f;
    uint32_t sum;
    memcpy(&sum, &value, sizeof sum);
    return sign | (sum - 0x3f000000u);
}

static inline VF v_once(VF x) { return x; }
static inline VF v_add(VF a, VF b) { return a + b; }
static inline VF v_sub(VF a, VF b) { return a - b; }
static inline VF v_mul(VF a, VF b) { return a * b; }
static inline VF v_div(VF a, VF b) { return a / b; }
static inline VF v_sqrt(VF a) { return sqrtf(a); }
#include "vec_undivided.h"
static inline VF v_max(VF a, VF b) { return a > b ? a : b; }
static inline VF v_fma(VF a, VF b, VF c) { return a * b + c; }
static inline float v_sum(VF a) { return a; }
static inline float v_sum_halves(VF a) { return a; }
static inline VF v_if_positive(VF test, VF yes, VF no) { return test > 0.0f ? yes : no; }

static inline VU u_set1(uint32_t x) { return x; }
static inline VU u_count(uint32_t first) { return first; }
static inline VU u_add(VU a, VU b) { return a + b; }
static inline VU u_mul(VU a, VU b) { return a * b; }
static inline VU u_xor(VU a, VU b) { return a ^ b; }
static inline VU u_max(VU a, VU b) { return a > b ? a : b; }
static inline VU u_shr(VU a, int bits) { return a >> bits; }
static inline VU u_shl(VU a, int bits) { return a << bits; }
static inline VF v_if_ge(VU a, VU b, VF yes) { return a >= b ? yes : 0.0f; }
static inline VU u_bits(VF a)
{
    VU u;
    memcpy(&u, &a, sizeof u);
    return u;
}
static inline VF v_bits(VU a)
{
    VF f;
    memcpy(&f, &a, sizeof f);
    return f;
}
/* Whole numbers as they are: plain C may not see them as floats. */
static inline VU u_loadn(const uint32_t *p, size_t n)
{
    (void)n;
    return *p;
}
static inline void u_storen(uint32_t *p, VU x, size_t n)
{
    (void)n;
    *p = x;
}
static inline bool u_any(VU a) { return a != 0; }
static inline uint32_t u_largest(VU a) { return a; }

static inline VF v_loadn_bf16(const void *p, size_t n)
{
    (void)n;
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return v_bits((VU)half << 16);
}

static inline void v_storen_bf16(void *p, VF x, size_t n)
{
    (void)n;
    const VU bits = u_bits(x);
    const VU rounded = x == x ? bits + 0x7fffu + (bits >> 16 & 1u) : bits | 0x400000u;
    const uint16_t half = (uint16_t)(rounded >> 16);
    memcpy(p, &half, sizeof half);
}

static inline VF v_loadn_f16(const void *p, size_t n)
{
    (void)n;
    uint16_t half;
    memcpy(&half, p, sizeof half);
    return v_bits(f16_widen(half));
}

static inline void v_storen_f16(void *p, VF x, size_t n)
{
    (void)n;
    const uint16_t half = (uint16_t)f16_narrow(u_bits(x));
    memcpy(p, &half, sizeof half);
}

static inline VF v_loadn_i8(const void *p, size_t n)
{
    (void)n;
    return (float)*(const int8_t *)p;
}

static inline VF v_loadn_i32(const int32_t *p, size_t n)
{
    (void)n;
    return (float)*p;
}

static inline void v_storen_i8(void *p, VF x, size_t n)
{
    (void)n;
    *(int8_t *)p = (int8_t)lrintf(x);
}

#endif
