/*
 * Probes of the machine's limits. A probe is one resource in one state: the multipliers of an ISA,
 * copying within arrays of so many bytes, random rows of a table of so many bytes. The family
 * `limits` reports them; the other families hold themselves against them (rate.h).
 */
#ifndef ADASS_BENCH_PROBE_H
#define ADASS_BENCH_PROBE_H

#include "cost.h"
#include "id_pool.h"
#include "limits.h"

typedef enum bench_probe_kind {
    PROBE_FMA,         /* fused multiply-adds, single ones */
    PROBE_DIVIDE,      /* quotients and square roots */
    PROBE_READ,        /* bytes */
    PROBE_FILL,        /* bytes */
    PROBE_COPY,        /* bytes read and written, counted once each */
    PROBE_TRIAD,       /* bytes of the three arrays */
    PROBE_UPDATE,      /* bytes, counted once though read and written */
    PROBE_READ_ROWS,   /* rows */
    PROBE_COPY_ROWS,   /* rows, read by id and written one after the other */
    PROBE_UPDATE_ROWS, /* rows, each thread in a part of the table of its own */
    N_PROBE_KINDS
} bench_probe_kind;

/** "fma", "divide", "read", ... */
const char *bench_probe_name(bench_probe_kind kind);

/** What is probed; members that the kind does not have are 0, so that two can be compared. */
typedef struct bench_probe_key {
    bench_probe_kind kind;
    const bench_limit_loops *loops;
    int threads;
    size_t bytes;     /* of the arrays of one thread together; copied rows: of its output */
    size_t row_bytes; /* of a row */
    bench_ids ids;    /* of rows */
} bench_probe_key;

typedef struct bench_probe {
    bench_probe_key key;
    size_t ahead;    /* places prefetched ahead: rows */
    bench_way way;   /* arrays */
    double amount;   /* what one pass does, over all threads */
    size_t array;    /* floats of each array of a thread, or of its output */
    size_t repeats;  /* of a thread's arrays a pass */
    float *memory;   /* arrays or table */
    float *out;      /* of copied rows: [threads x array] */
    uint32_t *lines; /* [threads x n_lines], where rows begin */
    size_t n_lines;  /* of one thread: a pass goes through all of them */
} bench_probe;

/**
 * Allocates and fills the probe's memory.
 *
 * @return false when memory is short; close it in any case
 */
bool bench_probe_open(bench_probe *probe, const bench_probe_key *key);

/** One pass over the arrays, or over all rows of the pool. False when a result is wrong. */
bool bench_probe_pass(bench_probe *probe);

void bench_probe_close(bench_probe *probe);

/**
 * The highest rate of some passes, by the second and over all threads; 0
 * when memory is short or a result wrong. Of ways to do the same (prefetch distances, stores past
 * the caches) the best counts.
 */
double bench_probe_measure(const bench_probe_key *key);

#endif
