/* Shapes and inputs that several families share. */
#ifndef ADASS_BENCH_SHAPES_H
#define ADASS_BENCH_SHAPES_H

#include <stddef.h>
#include <stdint.h>

enum { BENCH_CRITEO_FIELDS = 39, BENCH_HIDDEN = 400, BENCH_HIDDEN_LAYERS = 3, BENCH_BATCH = 4096 };

/**
 * Rows of each field of Criteo in the split that the field's benchmarks use (Criteo_x4_001 of
 * FuxiCTR and BARS): I1..I13, C1..C26.
 */
extern const size_t bench_criteo_vocab[BENCH_CRITEO_FIELDS];

/** The exponent of the frequency of ids in "zipf1.05". */
#define BENCH_ZIPF_EXPONENT 1.05

/**
 * An id below `vocab` with p(id) ~ (id + 1)^-BENCH_ZIPF_EXPONENT, by inversion of the continuous
 * distribution. The most frequent ids are the smallest, as vocabularies sorted by frequency have
 * it.
 *
 * @param unit  a uniform number in [0, 1)
 */
uint32_t bench_zipf_id(double unit, size_t vocab);

#endif
