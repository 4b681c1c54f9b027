/* bce: binary cross-entropy and its gradient from logits. Included once for each ISA. */
#include "adass/kernels.h"
#include "row.tpl.h"

enum { BCE_VECTORS = 4 };

/*
 * exp(t) for t <= 0, clamped below at -87 (where the result is 1e-38): 2^n * exp(r), |r| <=
 * ln(2)/2, exp(r) by its Taylor series to r^7 (remainder below 6e-9 relative). Adding 1.5 * 2^23
 * rounds to an integer and leaves that integer in the low bits.
 */
static inline VF exp_negative(VF t)
{
    const VF magic = v_set1(12582912.0f);
    const VF x = v_max(t, v_set1(-87.0f));
    const VF shifted = v_add(v_mul(x, v_set1(1.44269504f)), magic);
    const VF n = v_sub(shifted, magic);
    VF r = v_fma(n, v_set1(-0.693359375f), x); /* ln 2 in two parts; n times the first is exact */
    r = v_fma(n, v_set1(2.12194440e-4f), r);
    VF p = v_set1(1.0f / 5040.0f);
    p = v_fma(p, r, v_set1(1.0f / 720.0f));
    p = v_fma(p, r, v_set1(1.0f / 120.0f));
    p = v_fma(p, r, v_set1(1.0f / 24.0f));
    p = v_fma(p, r, v_set1(1.0f / 6.0f));
    p = v_fma(p, r, v_set1(0.5f));
    p = v_fma(p, r, v_set1(1.0f));
    p = v_fma(p, r, v_set1(1.0f));
    const VU power = u_shl(u_add(u_bits(shifted), u_set1(127)), 23);
    return v_mul(p, v_bits(power));
}

/*
 * log(1 + e) for e in [0, 1]: 2 artanh(s) with s = e / (2 + e) <= 1/3, by its series to s^15
 * (remainder below 5e-9 relative).
 */
static inline VF log1p_unit(VF e)
{
    const VF s = v_div(e, v_add(e, v_set1(2.0f)));
    const VF s2 = v_mul(s, s);
    VF p = v_set1(2.0f / 15.0f);
    p = v_fma(p, s2, v_set1(2.0f / 13.0f));
    p = v_fma(p, s2, v_set1(2.0f / 11.0f));
    p = v_fma(p, s2, v_set1(2.0f / 9.0f));
    p = v_fma(p, s2, v_set1(2.0f / 7.0f));
    p = v_fma(p, s2, v_set1(2.0f / 5.0f));
    p = v_fma(p, s2, v_set1(2.0f / 3.0f));
    p = v_fma(p, s2, v_set1(2.0f));
    return v_mul(p, s);
}

/*
 * Several vectors, each step for all of them before the next step: one alone is a chain of some 40
 * operations that wait for each other, of which a CPU keeps no more than two or three underway.
 */
ADASS_INLINE void bce_part(float *loss, float *dz, const float *z, const float *y, size_t vectors,
                           size_t lanes, VF scale)
{
    VF logit[BCE_VECTORS], label[BCE_VECTORS], e[BCE_VECTORS];
    for (size_t i = 0; i < vectors; i++) {
        logit[i] = v_loadn(z + i * VW, lanes);
        label[i] = v_loadn(y + i * VW, lanes);
        e[i] = exp_negative(v_sub(v_zero(), v_max(logit[i], v_sub(v_zero(), logit[i]))));
    }
    for (size_t i = 0; i < vectors; i++) {
        const VF positive = v_div(v_set1(1.0f), v_add(v_set1(1.0f), e[i])); /* sigmoid(|z|) */
        const VF sigmoid = v_if_positive(logit[i], positive, v_mul(e[i], positive));
        v_storen(dz + i * VW, v_mul(v_sub(sigmoid, label[i]), scale), lanes);
    }
    for (size_t i = 0; i < vectors; i++) {
        const VF hinge = v_sub(v_max(logit[i], v_zero()), v_mul(logit[i], label[i]));
        v_storen(loss + i * VW, v_add(hinge, log1p_unit(e[i])), lanes);
    }
}

static void ADASS_FN(bce)(float *loss, float *dz, const float *z, const float *y, size_t n,
                          float scale)
{
    const VF s = v_set1(scale);
    size_t b = 0;
    for (; b + BCE_VECTORS * VW <= n; b += BCE_VECTORS * VW)
        bce_part(loss + b, dz + b, z + b, y + b, BCE_VECTORS, VW, s);
    for (; b + VW <= n; b += VW)
        bce_part(loss + b, dz + b, z + b, y + b, 1, VW, s);
    if (b < n)
        bce_part(loss + b, dz + b, z + b, y + b, 1, n - b, s);
}
