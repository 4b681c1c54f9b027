/* What this build has once an ISA: the loops of the limits and the plain loops. */
#include "limits.h"
#include "plain.h"

#include <string.h>

#if defined(__x86_64__)
#define BENCH_ISAS(X) X(avx512) X(avx2) X(scalar)
#elif defined(__aarch64__)
#define BENCH_ISAS(X) X(neon) X(scalar)
#else
#define BENCH_ISAS(X) X(scalar)
#endif

#define DECLARE(isa)                                                                               \
    extern const bench_limit_loops bench_limits_##isa;                                             \
    extern const adass_kernels bench_plain_##isa;
BENCH_ISAS(DECLARE)

#define LOOPS(isa) &bench_limits_##isa,
static const bench_limit_loops *const all_loops[] = { BENCH_ISAS(LOOPS) };

#define PLAIN(isa) &bench_plain_##isa,
static const adass_kernels *const all_plain[] = { BENCH_ISAS(PLAIN) };

const bench_limit_loops *bench_limit_loops_get(const char *isa)
{
    for (size_t i = 0; i < sizeof all_loops / sizeof all_loops[0]; i++)
        if (strcmp(all_loops[i]->isa, isa) == 0)
            return all_loops[i];
    return NULL;
}

const adass_kernels *bench_plain_get(const char *isa)
{
    for (size_t i = 0; i < sizeof all_plain / sizeof all_plain[0]; i++)
        if (strcmp(all_plain[i]->isa, isa) == 0)
            return all_plain[i];
    return NULL;
}
