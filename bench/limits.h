/* Loops that do nothing but reach a limit of the machine, once an ISA. */
#ifndef ADASS_BENCH_LIMITS_H
#define ADASS_BENCH_LIMITS_H

#include <stddef.h>
#include <stdint.h>

typedef struct bench_limit_loops {
    const char *isa;
    size_t lanes; /* floats a vector */

    /**
     * `rounds` rounds of BENCH_FMA_CHAINS independent vector FMAs; the result keeps the compiler
     * from leaving them out.
     */
    float (*fma)(size_t rounds);

    /** Copies n floats, n a multiple of 64, with the vector's ordinary stores. */
    void (*copy)(float *out, const float *in, size_t n);

    /** Sum of the cache lines (16 floats) numbered by lines[0..n), later ones prefetched. */
    float (*read_lines)(const float *table, const uint32_t *lines, size_t n);
} bench_limit_loops;

/*
 * Two FMA units with a latency of four need 8 chains; 12 leave room, and registers for them exist
 * on every ISA.
 */
enum { BENCH_FMA_CHAINS = 12, BENCH_LINE_FLOATS = 16 };

#endif
