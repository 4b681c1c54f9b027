/* What every family varies: the instruction sets and the numbers of threads of this machine. */
#ifndef ADASS_BENCH_AXES_H
#define ADASS_BENCH_AXES_H

#include "adass/kernels.h"

enum { BENCH_ISAS_MAX = 8, BENCH_THREADS_MAX = 3, BENCH_NAME_CHARS = 192 };

typedef struct bench_axes {
    size_t n_isas;
    const adass_kernels *isas[BENCH_ISAS_MAX]; /* those that this CPU can run, best first */
    size_t n_threads;
    int threads[BENCH_THREADS_MAX]; /* 1, 2 and all cores, as far as there are as many */
} bench_axes;

adass_status bench_axes_init(bench_axes *axes, adass_error *err);

/**
 * A family of cases: `create` registers them and returns what they share, NULL when memory is
 * short.
 */
typedef struct bench_family {
    void *(*create)(const bench_axes *axes);
    void (*destroy)(void *shared); /* accepts NULL */
} bench_family;

extern const bench_family bench_limits, bench_lookup, bench_gemm, bench_reader, bench_train;

#endif
