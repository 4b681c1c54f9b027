/* What families share: instruction sets and numbers of threads of this machine, its rates. */
#ifndef ADASS_BENCH_AXES_H
#define ADASS_BENCH_AXES_H

#include "harness.h"
#include "rate.h"

#include "adass/kernels.h"

enum { BENCH_ISAS_MAX = 8, BENCH_THREADS_MAX = 3, BENCH_NAME_CHARS = 192 };

typedef struct bench_axes {
    size_t n_isas;
    const adass_kernels *isas[BENCH_ISAS_MAX]; /* those that this CPU can run, best first */
    size_t n_threads;
    int threads[BENCH_THREADS_MAX]; /* 1, 2 and all cores, as far as there are as many */
    bench_rates *rates;             /* of the machine, measured when they are needed */
} bench_axes;

/** To be freed with bench_axes_free(), on errors too. */
adass_status bench_axes_init(bench_axes *axes, adass_error *err);

void bench_axes_free(bench_axes *axes);

/** Who a case's limit is for; memory is probed with the best ISA's loops. */
bench_runner bench_axes_runner(const bench_axes *axes, const char *isa, int threads);

/**
 * Reports `of_limit`, the share of the limit that a case reaches, and what binds it as the label.
 *
 * @param limit  of one call
 * @param calls  of each thread in an iteration
 */
void bench_set_limit(adass_bench_state *state, const bench_limit *limit, double calls);

/**
 * A family of cases: `create` registers them and returns what they share, NULL when memory is
 * short.
 */
typedef struct bench_family {
    void *(*create)(const bench_axes *axes);
    void (*destroy)(void *shared); /* accepts NULL */
} bench_family;

extern const bench_family bench_limits, bench_kernels, bench_gemm, bench_reader, bench_train,
    bench_eval, bench_auc;

#endif
