/* Loops that do nothing but reach a limit of the machine, once an ISA. */
#ifndef ADASS_BENCH_LIMITS_H
#define ADASS_BENCH_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Two FMA units with a latency of four need 8 chains; 12 leave room, and registers for them exist
 * on every ISA. Arrays come in multiples of BENCH_LOOP_FLOATS.
 */
enum { BENCH_FMA_CHAINS = 12, BENCH_LINE_FLOATS = 16, BENCH_LOOP_FLOATS = 64 };

/* Loops over arrays in order. */
typedef struct bench_array_loops {
    float (*read)(const float *in, size_t n);
    void (*copy)(float *out, const float *in, size_t n);
    void (*fill)(float *out, size_t n);
    /** out = a + 0.5 b: STREAM's triad. */
    void (*triad)(float *out, const float *a, const float *b, size_t n);
    /** Adds `zero` to each element, which leaves what it is: the bits stay. */
    void (*update)(float *a, size_t n, float zero);
} bench_array_loops;

/* Ways to go over arrays: as they are; with the lines that come next prefetched; with stores past the caches. */
typedef enum bench_way { BENCH_PLAIN, BENCH_AHEAD, BENCH_PAST, N_BENCH_WAYS } bench_way;

typedef struct bench_limit_loops {
    const char *isa;
    size_t lanes; /* floats a vector */

    /**
     * `rounds` rounds of BENCH_FMA_CHAINS independent vector FMAs (fma), or of as many quotients
     * and as many square roots (divide). Results only keep the compiler from leaving the work out.
     */
    float (*fma)(size_t rounds);
    float (*divide)(size_t rounds);

    /** NULL where the ISA has no such way. */
    const bench_array_loops *arrays[N_BENCH_WAYS];

    /**
     * Touches n runs of `run` cache lines, run i from line lines[i] of the table on, and prefetches
     * those `ahead` places later (none for 0).
     */
    float (*read_lines)(const float *table, const uint32_t *lines, size_t n, size_t run,
                        size_t ahead);
    /** Copies the first `floats` floats of n runs of lines into out, one after the other. */
    void (*copy_lines)(float *out, const float *table, const uint32_t *lines, size_t n,
                       size_t floats, size_t ahead);
    /** As read_lines, and writes the lines back as they are. */
    void (*update_lines)(float *table, const uint32_t *lines, size_t n, size_t run, size_t ahead,
                         float zero);
} bench_limit_loops;

/** The loops of an ISA, NULL where this build has none. */
const bench_limit_loops *bench_limit_loops_get(const char *isa);

#endif
