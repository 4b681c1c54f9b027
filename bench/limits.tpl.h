/*
 * The loops of limits.h over the kernels' vector layer. Included once for each ISA, after
 * BENCH_STORE_PAST(p, x) where the ISA has a store past the caches.
 */
#include "limits.h"

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

static float ADASS_FN(limit_divide)(size_t rounds)
{
    /* x -> sqrt(2 / x) goes to the cube root of 2. */
    const VF two = v_set1(2.0f);
    VF chain[BENCH_FMA_CHAINS];
    for (size_t c = 0; c < BENCH_FMA_CHAINS; c++)
        chain[c] = v_set1((float)(c + 1));
    for (size_t r = 0; r < rounds; r++)
        for (size_t c = 0; c < BENCH_FMA_CHAINS; c++)
            chain[c] = v_sqrt(v_div(two, chain[c]));
    VF total = v_zero();
    for (size_t c = 0; c < BENCH_FMA_CHAINS; c++)
        total = v_add(total, chain[c]);
    return v_sum(total);
}

enum { UNROLL = 4 };

_Static_assert(BENCH_LOOP_FLOATS % (UNROLL * VW) == 0, "loops go over whole rounds");

/*
 * Lines this far ahead, read and written: 10 MB are copied at 24.5 instead of 18.7 GB/s, 20 MB at 20.4 instead of 12.1,
 * 256 MB at 12.2 instead of 9.4 (Cascade Lake, AVX-512, best of 7 in turn; past the caches 12.5, 10.9, 8.9).
 */
enum { AHEAD_FLOATS = 1024 };

static inline void fetch_nothing(const float *p) { (void)p; }

/* As a number: near its end an array has no line so far ahead, which a prefetch may ask for. */
static inline void fetch_ahead(const float *p)
{
    __builtin_prefetch((const void *)((uintptr_t)p + AHEAD_FLOATS * sizeof *p));
}

#define DEFINE_ARRAY_LOOPS(way, FETCH, STORE)                                                      \
    static float ADASS_FN(limit_read##way)(const float *in, size_t n)                              \
    {                                                                                              \
        VF sum[UNROLL];                                                                            \
        for (size_t k = 0; k < UNROLL; k++)                                                        \
            sum[k] = v_zero();                                                                     \
        for (size_t i = 0; i < n; i += UNROLL * VW)                                                \
            for (size_t k = 0; k < UNROLL; k++) {                                                  \
                FETCH(in + i + k * VW);                                                            \
                sum[k] = v_add(sum[k], v_load(in + i + k * VW));                                   \
            }                                                                                      \
        return v_sum(v_add(v_add(sum[0], sum[1]), v_add(sum[2], sum[3])));                         \
    }                                                                                              \
    static void ADASS_FN(limit_update##way)(float *a, size_t n, float zero)                        \
    {                                                                                              \
        const VF z = v_set1(zero);                                                                 \
        for (size_t i = 0; i < n; i += UNROLL * VW)                                                \
            for (size_t k = 0; k < UNROLL; k++) {                                                  \
                FETCH(a + i + k * VW);                                                             \
                STORE(a + i + k * VW, v_add(v_load(a + i + k * VW), z));                           \
            }                                                                                      \
    }                                                                                              \
    static void ADASS_FN(limit_copy##way)(float *out, const float *in, size_t n)                   \
    {                                                                                              \
        for (size_t i = 0; i < n; i += UNROLL * VW)                                                \
            for (size_t k = 0; k < UNROLL; k++) {                                                  \
                FETCH(in + i + k * VW);                                                            \
                FETCH(out + i + k * VW);                                                           \
                STORE(out + i + k * VW, v_load(in + i + k * VW));                                  \
            }                                                                                      \
    }                                                                                              \
    static void ADASS_FN(limit_fill##way)(float *out, size_t n)                                    \
    {                                                                                              \
        const VF x = v_set1(0.5f);                                                                 \
        for (size_t i = 0; i < n; i += UNROLL * VW)                                                \
            for (size_t k = 0; k < UNROLL; k++) {                                                  \
                FETCH(out + i + k * VW);                                                           \
                STORE(out + i + k * VW, x);                                                        \
            }                                                                                      \
    }                                                                                              \
    static void ADASS_FN(limit_triad##way)(float *out, const float *a, const float *b, size_t n)   \
    {                                                                                              \
        const VF half = v_set1(0.5f);                                                              \
        for (size_t i = 0; i < n; i += UNROLL * VW)                                                \
            for (size_t k = 0; k < UNROLL; k++) {                                                  \
                const size_t at = i + k * VW;                                                      \
                FETCH(a + at);                                                                     \
                FETCH(b + at);                                                                     \
                FETCH(out + at);                                                                   \
                STORE(out + at, v_fma(half, v_load(b + at), v_load(a + at)));                      \
            }                                                                                      \
    }                                                                                              \
    static const bench_array_loops ADASS_FN(limit_arrays##way) = {                                 \
        .read = ADASS_FN(limit_read##way),                                                         \
        .copy = ADASS_FN(limit_copy##way),                                                         \
        .fill = ADASS_FN(limit_fill##way),                                                         \
        .triad = ADASS_FN(limit_triad##way),                                                       \
        .update = ADASS_FN(limit_update##way),                                                     \
    }

DEFINE_ARRAY_LOOPS(_plain, fetch_nothing, v_store);
DEFINE_ARRAY_LOOPS(_ahead, fetch_ahead, v_store);
#ifdef BENCH_STORE_PAST
DEFINE_ARRAY_LOOPS(_past, fetch_nothing, BENCH_STORE_PAST);
#endif

static inline void prefetch_run(const float *run, size_t n)
{
    for (size_t k = 0; k < n; k++)
        __builtin_prefetch(run + k * BENCH_LINE_FLOATS);
}

static inline VF add_run(VF sum, const float *table, uint32_t line, size_t run)
{
    const float *first = table + (size_t)line * BENCH_LINE_FLOATS;
    for (size_t k = 0; k < run; k++)
        sum = v_add(sum, v_load(first + k * BENCH_LINE_FLOATS));
    return sum;
}

/* Inlined for each constant `run`, so that the sums stay in registers; several of them, because an
   addition must not wait for the one before. */
static inline __attribute__((always_inline)) float
ADASS_FN(read_runs)(const float *table, const uint32_t *lines, size_t n, size_t run, size_t ahead)
{
    VF a = v_zero(), b = v_zero(), c = v_zero(), d = v_zero();
    size_t i = 0;
    for (; i + UNROLL <= n; i += UNROLL) {
        if (ahead > 0 && i + UNROLL + ahead <= n)
            for (size_t k = 0; k < UNROLL; k++)
                prefetch_run(table + (size_t)lines[i + k + ahead] * BENCH_LINE_FLOATS, run);
        a = add_run(a, table, lines[i], run);
        b = add_run(b, table, lines[i + 1], run);
        c = add_run(c, table, lines[i + 2], run);
        d = add_run(d, table, lines[i + 3], run);
    }
    for (; i < n; i++)
        a = add_run(a, table, lines[i], run);
    return v_sum(v_add(v_add(a, b), v_add(c, d)));
}

static float ADASS_FN(limit_read_lines)(const float *table, const uint32_t *lines, size_t n,
                                        size_t run, size_t ahead)
{
    if (run == 1 && ahead == 0)
        return ADASS_FN(read_runs)(table, lines, n, 1, 0);
    switch (run) {
    case 1:
        return ADASS_FN(read_runs)(table, lines, n, 1, ahead);
    case 2:
        return ADASS_FN(read_runs)(table, lines, n, 2, ahead);
    case 4:
        return ADASS_FN(read_runs)(table, lines, n, 4, ahead);
    default:
        return ADASS_FN(read_runs)(table, lines, n, run, ahead);
    }
}

/* Of a longer run, the lines to be written as well; of a shorter one that costs more than it saves. */
static inline __attribute__((always_inline)) void prefetch_copy(const float *out, size_t floats)
{
    const uintptr_t ahead = (uintptr_t)(const void *)out + 2048; /* a number: the end may be near */
    for (size_t k = 0; floats > 2 * BENCH_LINE_FLOATS && k < floats; k += BENCH_LINE_FLOATS)
        __builtin_prefetch((const void *)(ahead + k * sizeof *out));
}

static inline __attribute__((always_inline)) void copy_run(float *out, const float *first, size_t n)
{
    for (size_t k = 0; k < n; k += VW)
        v_storen(out + k, v_loadn(first + k, n - k), n - k);
}

/* Inlined for each constant `floats`. */
static inline __attribute__((always_inline)) void
ADASS_FN(copy_runs)(float *out, const float *table, const uint32_t *lines, size_t n, size_t floats,
                    size_t ahead)
{
    const size_t run = (floats + BENCH_LINE_FLOATS - 1) / BENCH_LINE_FLOATS;
    size_t i = 0;
    for (; i + UNROLL <= n; i += UNROLL) {
        if (ahead > 0 && i + UNROLL + ahead <= n)
            for (size_t k = 0; k < UNROLL; k++) {
                prefetch_run(table + (size_t)lines[i + k + ahead] * BENCH_LINE_FLOATS, run);
                prefetch_copy(out + (i + k) * floats, floats);
            }
        for (size_t k = 0; k < UNROLL; k++)
            copy_run(out + (i + k) * floats, table + (size_t)lines[i + k] * BENCH_LINE_FLOATS,
                     floats);
    }
    for (; i < n; i++)
        copy_run(out + i * floats, table + (size_t)lines[i] * BENCH_LINE_FLOATS, floats);
}

static void ADASS_FN(limit_copy_lines)(float *out, const float *table, const uint32_t *lines,
                                       size_t n, size_t floats, size_t ahead)
{
    switch (floats) {
    case 4:
        ADASS_FN(copy_runs)(out, table, lines, n, 4, ahead);
        break;
    case 8:
        ADASS_FN(copy_runs)(out, table, lines, n, 8, ahead);
        break;
    case 16:
        ADASS_FN(copy_runs)(out, table, lines, n, 16, ahead);
        break;
    case 32:
        ADASS_FN(copy_runs)(out, table, lines, n, 32, ahead);
        break;
    case 64:
        ADASS_FN(copy_runs)(out, table, lines, n, 64, ahead);
        break;
    default:
        ADASS_FN(copy_runs)(out, table, lines, n, floats, ahead);
        break;
    }
}

static void ADASS_FN(limit_update_lines)(float *table, const uint32_t *lines, size_t n, size_t run,
                                         size_t ahead, float zero)
{
    const VF z = v_set1(zero);
    for (size_t i = 0; i < n; i++) {
        if (ahead > 0 && i + ahead < n)
            prefetch_run(table + (size_t)lines[i + ahead] * BENCH_LINE_FLOATS, run);
        float *line = table + (size_t)lines[i] * BENCH_LINE_FLOATS;
        for (size_t k = 0; k < run; k++) {
            float *at = line + k * BENCH_LINE_FLOATS;
            v_store(at, v_add(v_load(at), z));
        }
    }
}

#ifdef BENCH_STORE_PAST
#define LOOPS_PAST &ADASS_FN(limit_arrays_past)
#else
#define LOOPS_PAST NULL
#endif

#define BENCH_DEFINE_LIMITS(isa_name)                                                              \
    extern const bench_limit_loops bench_limits_##isa_name;                                        \
    const bench_limit_loops bench_limits_##isa_name = {                                            \
        .isa = #isa_name,                                                                          \
        .lanes = VW,                                                                               \
        .fma = ADASS_FN(limit_fma),                                                                \
        .divide = ADASS_FN(limit_divide),                                                          \
        .arrays = { &ADASS_FN(limit_arrays_plain), &ADASS_FN(limit_arrays_ahead), LOOPS_PAST },    \
        .read_lines = ADASS_FN(limit_read_lines),                                                  \
        .copy_lines = ADASS_FN(limit_copy_lines),                                                  \
        .update_lines = ADASS_FN(limit_update_lines),                                              \
    };
