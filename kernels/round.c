/* Stochastic rounding to 16 bits, and back. */
#include "adass/round.h"

#include "adass/rng.h"

#include <assert.h>
#include <string.h>

static uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A carry out of the bits that are dropped goes to the upper neighbour, exponent included. */
static uint16_t to_bf16(float x, uint32_t random)
{
    const uint32_t bits = bits_of(x);
    if (x != x)
        return (uint16_t)(bits >> 16 | 0x40u); /* a NaN stays one */
    return (uint16_t)((bits + (random & 0xffffu)) >> 16);
}

static uint16_t to_f16(float x, uint32_t random)
{
    const uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    if (x != x)
        return (uint16_t)(sign | 0x7e00u);
    if (magnitude < 0x38800000u) { /* below 2^-14, where the unit is 2^-24 */
        const float units = float_of(magnitude) * 0x1p24f;
        const uint32_t below = (uint32_t)units;
        const float rest = units - (float)below;
        return (uint16_t)(sign | (below + ((float)(random >> 8) * 0x1p-24f < rest)));
    }
    const uint32_t rounded = magnitude + (random & 0x1fffu);
    if (rounded >= 0x47800000u) /* 2^16 and infinity */
        return (uint16_t)(sign | 0x7c00u);
    return (uint16_t)(sign | (rounded - 0x38000000u) >> 13);
}

void adass_round_stochastic(adass_type type, uint16_t *out, const float *x, size_t n,
                            uint32_t first, uint32_t key)
{
    assert(type == ADASS_BF16 || type == ADASS_F16);
    for (size_t i = 0; type == ADASS_BF16 && i < n; i++)
        out[i] = to_bf16(x[i], adass_mix32(adass_mix32(first + (uint32_t)i) ^ key));
    for (size_t i = 0; type == ADASS_F16 && i < n; i++)
        out[i] = to_f16(x[i], adass_mix32(adass_mix32(first + (uint32_t)i) ^ key));
}

static float from_f16(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, magnitude = half & 0x7fffu;
    if (magnitude >= 0x7c00u)
        return float_of(sign | 0x7f800000u | (magnitude & 0x3ffu) << 13);
    if (magnitude >= 0x400u)
        return float_of(sign | ((magnitude << 13) + 0x38000000u));
    return float_of(sign | bits_of((float)magnitude * 0x1p-24f));
}

void adass_widen(adass_type type, float *out, const uint16_t *x, size_t n)
{
    assert(type == ADASS_BF16 || type == ADASS_F16);
    for (size_t i = 0; i < n; i++)
        out[i] = type == ADASS_BF16 ? float_of((uint32_t)x[i] << 16) : from_f16(x[i]);
}
