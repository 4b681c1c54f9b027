/* The machine's measured rates, and the shortest time that they leave for a call of a kernel. */
#ifndef ADASS_BENCH_RATE_H
#define ADASS_BENCH_RATE_H

#include "cost.h"
#include "probe.h"

/** Rates measured in this process, each when it is first asked for. */
typedef struct bench_rates bench_rates;

/** NULL when memory is short. */
bench_rates *bench_rates_create(void);

/** Accepts NULL. */
void bench_rates_destroy(bench_rates *rates);

/**
 * A probe's rate by the second, over all threads; 0 when it could not be measured. It is measured
 * again after a minute, and the best rate stays: clock and neighbours change during a long run.
 */
double bench_rates_get(bench_rates *rates, const bench_probe_key *key);

/** Who asks: multiplications and divisions are the ISA's own, memory is everybody's. */
typedef struct bench_runner {
    const bench_limit_loops *compute, *memory;
    int threads; /* each makes calls of its own */
} bench_runner;

typedef struct bench_limit {
    double seconds;    /* of a call, at least; 0 when rates could not be measured */
    const char *bound; /* what takes that long: "multiply", "divide", "arrays" or "rows" */
} bench_limit;

/** The longest of the times that the call's parts take alone, each at the measured rate. */
bench_limit bench_rates_limit(bench_rates *rates, const bench_cost *cost,
                              const bench_runner *runner);

#endif
