/*
 * The vector layer on one lane: plain C, the reference point of every ISA. See vec.md for the
 * meaning of each function.
 */
#ifndef ADASS_VEC_SCALAR_H
#define ADASS_VEC_SCALAR_H

#include <math.h>
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

static inline VF v_add(VF a, VF b) { return a + b; }
static inline VF v_sub(VF a, VF b) { return a - b; }
static inline VF v_mul(VF a, VF b) { return a * b; }
static inline VF v_div(VF a, VF b) { return a / b; }
static inline VF v_sqrt(VF a) { return sqrtf(a); }
static inline VF v_max(VF a, VF b) { return a > b ? a : b; }
static inline VF v_fma(VF a, VF b, VF c) { return a * b + c; }
static inline float v_sum(VF a) { return a; }
static inline VF v_if_positive(VF test, VF yes, VF no) { return test > 0.0f ? yes : no; }

static inline VU u_set1(uint32_t x) { return x; }
static inline VU u_count(uint32_t first) { return first; }
static inline VU u_add(VU a, VU b) { return a + b; }
static inline VU u_mul(VU a, VU b) { return a * b; }
static inline VU u_xor(VU a, VU b) { return a ^ b; }
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

#endif
