/* The loops of limits.h over the kernels' vector layer. Included once for each ISA. */
#include "limits.h"

#include <stddef.h>

static float ADASS_FN(limit_fma)(size_t rounds)
{
    /* x -> 0.5 x + 0.5 goes to 1 and never to a subnormal number. */
    const VF half = v_set1(0.5f);
    VF chain[BENCH_FMA_CHAINS];
    for (size_t c = 0; c < BENCH_FMA_CHAINS; c++)
        chain[c] = v_set1((float)c);
    for (size_t r = 0; r < rounds; r++)
        for (size_t c = 0; c < BENCH_FMA_CHAINS; c++)
            chain[c] = v_fma(half, chain[c], half);
    VF total = v_zero();
    for (size_t c = 0; c < BENCH_FMA_CHAINS; c++)
        total = v_add(total, chain[c]);
    return v_sum(total);
}

static void ADASS_FN(limit_copy)(float *out, const float *in, size_t n)
{
    enum { UNROLL = 4 };
    for (size_t i = 0; i < n; i += UNROLL * VW)
        for (size_t k = 0; k < UNROLL; k++)
            v_store(out + i + k * VW, v_load(in + i + k * VW));
}

static float ADASS_FN(limit_read_lines)(const float *table, const uint32_t *lines, size_t n)
{
    enum { AHEAD = 32 }; /* lines in flight: more than a core's fill buffers */
    VF total = v_zero();
    for (size_t i = 0; i < n; i++) {
        if (i + AHEAD < n)
            __builtin_prefetch(table + (size_t)lines[i + AHEAD] * BENCH_LINE_FLOATS);
        const float *line = table + (size_t)lines[i] * BENCH_LINE_FLOATS;
        for (size_t k = 0; k < BENCH_LINE_FLOATS; k += VW)
            total = v_add(total, v_load(line + k));
    }
    return v_sum(total);
}

#define BENCH_DEFINE_LIMITS(isa_name)                                                              \
    extern const bench_limit_loops bench_limits_##isa_name;                                        \
    const bench_limit_loops bench_limits_##isa_name = {                                            \
        .isa = #isa_name,                                                                          \
        .lanes = VW,                                                                               \
        .fma = ADASS_FN(limit_fma),                                                                \
        .copy = ADASS_FN(limit_copy),                                                              \
        .read_lines = ADASS_FN(limit_read_lines),                                                  \
    };
