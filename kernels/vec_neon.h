/* The vector layer on NEON (AArch64): 4 lanes. See vec.md for the meaning of each function. */
#ifndef ADASS_VEC_NEON_H
#define ADASS_VEC_NEON_H

#include <arm_neon.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ADASS_FN(op) adass_##op##_neon

enum { VW = 4 };
typedef float32x4_t VF;
typedef uint32x4_t VU;

static inline VF v_zero(void) { return vdupq_n_f32(0.0f); }
static inline VF v_set1(float x) { return vdupq_n_f32(x); }
static inline VF v_load(const float *p) { return vld1q_f32(p); }
static inline void v_store(float *p, VF x) { vst1q_f32(p, x); }

/* NEON has no masks: a pair and a single lane. */
static inline VF v_loadn(const float *p, size_t n)
{
    if (n >= VW)
        return v_load(p);
    if (n == 1)
        return vld1q_lane_f32(p, v_zero(), 0);
    const VF pair = vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
    return n == 3 ? vld1q_lane_f32(p + 2, pair, 2) : pair;
}

static inline void v_storen(float *p, VF x, size_t n)
{
    if (n >= VW) {
        v_store(p, x);
        return;
    }
    if (n == 1) {
        vst1q_lane_f32(p, x, 0);
        return;
    }
    vst1_f32(p, vget_low_f32(x));
    if (n == 3)
        vst1q_lane_f32(p + 2, x, 2);
}

static inline VF v_once(VF x) { return x; }
static inline VF v_add(VF a, VF b) { return vaddq_f32(a, b); }
static inline VF v_sub(VF a, VF b) { return vsubq_f32(a, b); }
static inline VF v_mul(VF a, VF b) { return vmulq_f32(a, b); }
static inline VF v_div(VF a, VF b) { return vdivq_f32(a, b); }
static inline VF v_sqrt(VF a) { return vsqrtq_f32(a); }
#include "vec_undivided.h"
static inline VF v_fma(VF a, VF b, VF c) { return vfmaq_f32(c, a, b); }
static inline float v_sum(VF a) { return vaddvq_f32(a); }

static inline float v_sum_halves(VF a)
{
    const float32x2_t s = vadd_f32(vget_low_f32(a), vget_high_f32(a));
    return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}

/* Not vmaxq_f32, which prefers NaN and 0 over -0, where the other ISAs return b. */
static inline VF v_max(VF a, VF b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }

static inline VF v_if_positive(VF test, VF yes, VF no)
{
    return vbslq_f32(vcgtzq_f32(test), yes, no);
}

static inline VU u_set1(uint32_t x) { return vdupq_n_u32(x); }
static inline VU u_add(VU a, VU b) { return vaddq_u32(a, b); }
static inline VU u_mul(VU a, VU b) { return vmulq_u32(a, b); }
static inline VU u_xor(VU a, VU b) { return veorq_u32(a, b); }
static inline VU u_max(VU a, VU b) { return vmaxq_u32(a, b); }
static inline VU u_shl(VU a, int bits) { return vshlq_u32(a, vdupq_n_s32(bits)); }
static inline VU u_shr(VU a, int bits) { return vshlq_u32(a, vdupq_n_s32(-bits)); }
static inline VU u_bits(VF a) { return vreinterpretq_u32_f32(a); }
static inline VF v_bits(VU a) { return vreinterpretq_f32_u32(a); }
static inline VU u_loadn(const uint32_t *p, size_t n)
{
    uint32_t part[VW] = { 0 };
    if (n >= VW)
        return vld1q_u32(p);
    for (size_t i = 0; i < n; i++)
        part[i] = p[i];
    return vld1q_u32(part);
}
static inline void u_storen(uint32_t *p, VU x, size_t n)
{
    uint32_t part[VW];
    if (n >= VW) {
        vst1q_u32(p, x);
        return;
    }
    vst1q_u32(part, x);
    for (size_t i = 0; i < n; i++)
        p[i] = part[i];
}
static inline uint32_t u_largest(VU a) { return vmaxvq_u32(a); }
static inline bool u_any(VU a) { return u_largest(a) != 0; }

static inline VU u_count(uint32_t first)
{
    static const uint32_t lanes[VW] = { 0, 1, 2, 3 };
    return u_add(u_set1(first), vld1q_u32(lanes));
}

static inline VF v_if_ge(VU a, VU b, VF yes)
{
    return v_bits(vandq_u32(vcgeq_u32(a, b), u_bits(yes)));
}

/* The first n <= 8 bytes, the other bytes 0; nothing else is read: parts that overlap make it up. */
static inline uint64_t bytes_loadn(const void *from, size_t n)
{
    const unsigned char *p = from;
    uint64_t all;
    uint32_t head, tail;
    if (n == 8) {
        memcpy(&all, p, 8);
        return all;
    }
    if (n >= 4) {
        memcpy(&head, p, 4);
        memcpy(&tail, p + n - 4, 4);
        return head | (uint64_t)tail << 8 * (n - 4);
    }
    return n == 0 ? 0
                  : p[0] | (uint64_t)p[n / 2] << 8 * (n / 2) | (uint64_t)p[n - 1] << 8 * (n - 1);
}

/* The first n <= 8 bytes and no others. */
static inline void bytes_storen(void *to, uint64_t x, size_t n)
{
    char *p = to;
    if (n == 8) {
        memcpy(p, &x, 8);
        return;
    }
    for (size_t part = 4; part > 0; part /= 2)
        if (n & part) {
            memcpy(p, &x, part);
            p += part;
            x >>= 8 * part;
        }
}

/* Four elements of 16 bits at most. */
static inline uint16x4_t halves_loadn(const void *p, size_t n)
{
    return vcreate_u16(bytes_loadn(p, n < VW ? 2 * n : 8));
}

static inline void halves_storen(void *p, uint16x4_t x, size_t n)
{
    bytes_storen(p, vget_lane_u64(vreinterpret_u64_u16(x), 0), n < VW ? 2 * n : 8);
}

static inline VF v_loadn_bf16(const void *p, size_t n)
{
    return v_bits(vshll_n_u16(halves_loadn(p, n), 16));
}

static inline void v_storen_bf16(void *p, VF x, size_t n)
{
    const VU bits = u_bits(x);
    const VU odd = vandq_u32(u_shr(bits, 16), u_set1(1));
    const VU rounded = u_add(bits, u_add(odd, u_set1(0x7fff)));
    const VU quiet = vorrq_u32(bits, u_set1(0x400000));
    halves_storen(p, vshrn_n_u32(vbslq_u32(vceqq_f32(x, x), rounded, quiet), 16), n);
}

static inline VF v_loadn_f16(const void *p, size_t n)
{
    return vcvt_f32_f16(vreinterpret_f16_u16(halves_loadn(p, n)));
}

static inline void v_storen_f16(void *p, VF x, size_t n)
{
    halves_storen(p, vreinterpret_u16_f16(vcvt_f16_f32(x)), n);
}

static inline VF v_loadn_i8(const void *p, size_t n)
{
    const int8x8_t bytes = vcreate_s8(bytes_loadn(p, n < VW ? n : VW));
    return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
}

static inline VF v_loadn_i32(const int32_t *p, size_t n)
{
    int32_t part[VW] = { 0 };
    if (n < VW)
        memcpy(part, p, n * sizeof *part);
    return vcvtq_f32_s32(vld1q_s32(n < VW ? part : p));
}

static inline void v_storen_i8(void *p, VF x, size_t n)
{
    const int16x4_t words = vqmovn_s32(vcvtnq_s32_f32(x));
    const int8x8_t bytes = vqmovn_s16(vcombine_s16(words, words));
    bytes_storen(p, vget_lane_u64(vreinterpret_u64_s8(bytes), 0), n < VW ? n : VW);
}

#endif
