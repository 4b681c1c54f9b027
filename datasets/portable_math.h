/*
 * exp and log from correctly rounded operations alone: the same bits with every mathematical
 * library, which planted data needs so that a seed means the same bytes everywhere. Relative error:
 * about 3e-16 for log; for exp 1e-15 up to |x| = 10, 1e-14 up to 100.
 */
#ifndef ADASS_PORTABLE_MATH_H
#define ADASS_PORTABLE_MATH_H

#include <math.h>

static inline double portable_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent); /* exact */
    if (m < 0.70710678118654752) {
        m *= 2.0;
        exponent--;
    }
    const double s = (m - 1.0) / (m + 1.0), s2 = s * s; /* log m = 2 artanh(s), |s| < 0.172 */
    double p = 0.0;
    for (int k = 21; k >= 1; k -= 2)
        p = p * s2 + 1.0 / (double)k;
    return (double)exponent * 0.69314718055994531 + 2.0 * s * p;
}

static inline double portable_exp(double x)
{
    if (x > 700.0)
        x = 700.0;
    if (x < -700.0)
        return 0.0;
    const double n = floor(x * 1.4426950408889634 + 0.5);
    const double r = x - n * 0.69314718055994531;
    double p = 1.0;
    for (int k = 14; k >= 1; k--)
        p = 1.0 + p * r / (double)k;
    return ldexp(p, (int)n);
}

static inline double portable_sigmoid(double x) { return 1.0 / (1.0 + portable_exp(-x)); }

#endif
