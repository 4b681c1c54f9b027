/*
 * v_divn and v_sqrtn where a shorter vector gains nothing over a whole one. Included by the layers of such ISAs,
 * behind v_div and v_sqrt.
 */
#ifndef ADASS_VEC_UNDIVIDED_H
#define ADASS_VEC_UNDIVIDED_H

static inline VF v_divn(VF a, VF b, size_t n)
{
    (void)n;
    return v_div(a, b);
}

static inline VF v_sqrtn(VF a, size_t n)
{
    (void)n;
    return v_sqrt(a);
}

#endif
