/*
 * The C face of Google Benchmark. A case is a name and a function; the function prepares, loops
 * while adass_bench_next() says so, and states what one iteration was worth:
 *
 *   static void run(adass_bench_state *state, void *user)
 *   {
 *       while (adass_bench_next(state))
 *           work(user);
 *       adass_bench_set_items(state, ROWS);
 *   }
 *
 * Rates are over wall-clock time. Google Benchmark would divide by the CPU time of the calling
 * thread, which says little about work shared out to OpenMP threads, or would append "/real_time"
 * to the names, which are a contract (bench/README.md).
 */
#ifndef ADASS_BENCH_HARNESS_H
#define ADASS_BENCH_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One run of a case; it ends when the case's function returns. */
typedef struct adass_bench_state adass_bench_state;

/**
 * Called several times for each result: Google Benchmark looks for a number of iterations that
 * takes long enough.
 */
typedef void adass_bench_fn(adass_bench_state *state, void *user);

typedef struct adass_bench_case {
    const char *name; /* "<family>/isa:<isa>/type:<type>/<key>:<value>/.../threads:<n>" */
    adass_bench_fn *run;
    void *user;  /* handed to run; lives until adass_bench_main() has returned */
    int threads; /* OpenMP threads of the case: --adass_pin binds them before it runs */
    /* adass_bench_set_iteration_seconds() says the time; "/manual_time" ends the name */
    bool manual_time;
    bool small; /* runs in --adass_set=small too */
} adass_bench_case;

/** Adds a case to the list; the name is copied. */
void adass_bench_register(const adass_bench_case *bench_case);

/**
 * Whether another iteration is to be run. Time counts from the first call to the one that returns
 * false.
 */
bool adass_bench_next(adass_bench_state *state);

/** Seconds of the iteration just run, for a case with manual_time: once an iteration. */
void adass_bench_set_iteration_seconds(adass_bench_state *state, double seconds);

/** Items of one iteration: reported as items_per_second. */
void adass_bench_set_items(adass_bench_state *state, double items);

/** Bytes of one iteration, read and written: reported as bytes_per_second. */
void adass_bench_set_bytes(adass_bench_state *state, double bytes);

/**
 * Any other amount of one iteration, reported by the second under `name`, e.g. "flop_per_second".
 */
void adass_bench_set_rate(adass_bench_state *state, const char *name, double amount);

/** A number that is reported as it is. */
void adass_bench_set_counter(adass_bench_state *state, const char *name, double value);

/** A remark on the result's line. */
void adass_bench_set_label(adass_bench_state *state, const char *label);

/**
 * Makes the result an error with this reason instead of a number; adass_bench_next() returns false
 * from here on. Any such row makes adass_bench_main() return 1.
 */
void adass_bench_skip(adass_bench_state *state, const char *format, ...) ADASS_PRINTF(2, 3);

/** Adds a line to the results' context. */
void adass_bench_add_context(const char *key, const char *value);

/**
 * Runs the registered cases as the flags say: Google Benchmark's, --adass_pin=core|none and
 * --adass_set=small|full. --help prints all.
 *
 * @return 0; 1 when a case failed or none matched the filter; 2 for a flag that does not exist or
 * cannot be used
 */
int adass_bench_main(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif
