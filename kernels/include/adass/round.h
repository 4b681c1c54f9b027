/*
 * Stochastic rounding of floats to 16 bits, for tables that are trained in less than f32: a step
 * much smaller than half a unit in the last place is then taken now and then, instead of never
 * (Gupta et al., arXiv 1502.02551). Plain C: it is no kernel of kernels.h and the same on each ISA.
 */
#ifndef ADASS_ROUND_H
#define ADASS_ROUND_H

#include <stddef.h>
#include <stdint.h>

#include "adass/kernels.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * out[i] becomes one of the two neighbours of x[i] in the type, the upper one with the probability
 * of x[i]'s distance from the lower: on average x[i]. A value of the type stays what it is. The
 * random number of element i is adass_mix32(adass_mix32(first + i) ^ key) alone, so that elements
 * can be rounded by any thread in any order.
 *
 * @param type  BF16 or F16
 * @param first number of the first element; numbers are taken modulo 2^32
 * @param key   of this step and table
 */
void adass_round_stochastic(adass_type type, uint16_t *out, const float *x, size_t n,
                            uint32_t first, uint32_t key);

/** The values of BF16 or F16 as floats, exactly. */
void adass_widen(adass_type type, float *out, const uint16_t *x, size_t n);

#ifdef __cplusplus
}
#endif

#endif
