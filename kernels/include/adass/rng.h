/*
 * Random numbers that are the same on every machine, compiler and thread count.
 *
 * `adass_rng` is a sequential generator (xoshiro256**, Blackman and Vigna 2018, seeded by
 * splitmix64). `adass_mix64` and `adass_mix32` are hashes for counter-based use: the number of
 * element i depends on (seed, i) alone, so that any thread can make any part of a stream.
 */
#ifndef ADASS_RNG_H
#define ADASS_RNG_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_rng {
    uint64_t s[4];
} adass_rng;

/** The finaliser of splitmix64: a bijection of 64-bit words with full avalanche. */
static inline uint64_t adass_mix64(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/**
 * A bijection of 32-bit words with good avalanche (multipliers: Ettinger's hash-prospector search).
 */
static inline uint32_t adass_mix32(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

/** The word of place `i` in the stream `seed`. */
static inline uint64_t adass_mix_at(uint64_t seed, uint64_t i)
{
    return adass_mix64(seed + (i + 1) * 0x9e3779b97f4a7c15u);
}

/** A seed for purpose `stream` derived from a user's `seed`; different streams are independent. */
static inline uint64_t adass_seed_derive(uint64_t seed, uint64_t stream)
{
    return adass_mix64(adass_mix_at(seed, stream) ^ 0xd1b54a32d192ed03u);
}

static inline void adass_rng_init(adass_rng *rng, uint64_t seed)
{
    for (uint64_t i = 0; i < 4; i++)
        rng->s[i] = adass_mix_at(seed, i);
}

static inline uint64_t adass_rng_next(adass_rng *rng)
{
    uint64_t *s = rng->s;
    const uint64_t x = s[1] * 5;
    const uint64_t result = ((x << 7) | (x >> 57)) * 9;
    const uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

/** A word as a double in [0, 1), all 53 bits used. */
static inline double adass_unit(uint64_t word) { return (double)(word >> 11) * 0x1.0p-53; }

/** Uniform in [0, 1). */
static inline double adass_rng_unit(adass_rng *rng) { return adass_unit(adass_rng_next(rng)); }

/**
 * x % n, n >= 1. Large n by a quotient of doubles, which is off by one at most: CPUs before Ice Lake take some 40 cycles
 * for a division of 64 bits.
 */
static inline uint64_t adass_mod(uint64_t x, uint64_t n)
{
    if (n < (1u << 13) || n > (UINT64_C(1) << 52)) /* the quotient has to fit in a double, and n */
        return x % n;
    const int64_t quotient = (int64_t)((double)(int64_t)(x >> 1) * (2.0 / (double)(int64_t)n));
    const int64_t rest = (int64_t)(x - (uint64_t)quotient * n), size = (int64_t)n;
    return (uint64_t)(rest < 0 ? rest + size : rest < size ? rest : rest - size);
}

/** Uniform in [0, n), n >= 1, without bias (by rejection of what is left above the last whole n). */
static inline uint64_t adass_rng_below(adass_rng *rng, uint64_t n)
{
    for (;;) {
        const uint64_t x = adass_rng_next(rng), rest = adass_mod(x, n);
        if (x - rest <= UINT64_MAX - n)
            return rest;
    }
}

/** The sum of the word's four 16-bit parts, each as a uniform number in (0, 1). */
static inline double adass_unit_sum4(uint64_t word)
{
    const uint64_t sum =
        (word & 0xffff) + ((word >> 16) & 0xffff) + ((word >> 32) & 0xffff) + (word >> 48);
    return ((double)sum + 2.0) * 0x1.0p-16;
}

/**
 * Standard normal to the eye: the centred sum of twelve uniforms (mean 0, variance 1, within +-6,
 * kurtosis 2.9).
 * Additions only, so that the bits do not depend on a mathematical library, as those of Box-Muller
 * would.
 */
static inline double adass_normal(uint64_t word1, uint64_t word2, uint64_t word3)
{
    return adass_unit_sum4(word1) + adass_unit_sum4(word2) + adass_unit_sum4(word3) - 6.0;
}

static inline double adass_rng_normal(adass_rng *rng)
{
    const uint64_t word1 = adass_rng_next(rng), word2 = adass_rng_next(rng);
    return adass_normal(word1, word2, adass_rng_next(rng));
}

#ifdef __cplusplus
}
#endif

#endif
