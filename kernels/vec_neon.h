/* The vector layer on NEON (AArch64): 4 lanes. See vec.md for the meaning of each function. */
#ifndef ADASS_VEC_NEON_H
#define ADASS_VEC_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

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

static inline VF v_add(VF a, VF b) { return vaddq_f32(a, b); }
static inline VF v_sub(VF a, VF b) { return vsubq_f32(a, b); }
static inline VF v_mul(VF a, VF b) { return vmulq_f32(a, b); }
static inline VF v_div(VF a, VF b) { return vdivq_f32(a, b); }
static inline VF v_sqrt(VF a) { return vsqrtq_f32(a); }
static inline VF v_fma(VF a, VF b, VF c) { return vfmaq_f32(c, a, b); }
static inline float v_sum(VF a) { return vaddvq_f32(a); }

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
static inline VU u_shl(VU a, int bits) { return vshlq_u32(a, vdupq_n_s32(bits)); }
static inline VU u_shr(VU a, int bits) { return vshlq_u32(a, vdupq_n_s32(-bits)); }
static inline VU u_bits(VF a) { return vreinterpretq_u32_f32(a); }
static inline VF v_bits(VU a) { return vreinterpretq_f32_u32(a); }

static inline VU u_count(uint32_t first)
{
    static const uint32_t lanes[VW] = { 0, 1, 2, 3 };
    return u_add(u_set1(first), vld1q_u32(lanes));
}

static inline VF v_if_ge(VU a, VU b, VF yes)
{
    return v_bits(vandq_u32(vcgeq_u32(a, b), u_bits(yes)));
}

#endif
