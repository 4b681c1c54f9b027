/* oneDNN's matmul called directly, as a yardstick for dense.h: one layer's product with a block. */
#ifndef ADASS_BENCH_DIRECT_MATMUL_H
#define ADASS_BENCH_DIRECT_MATMUL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct direct_matmul direct_matmul;

/**
 * to[n x m] = from[n x k] * w, rows one after the other; w is [k x m], or the transpose of [m x k]
 * when `transposed`, in the order that oneDNN likes best. For the calling thread alone.
 *
 * @return NULL when oneDNN cannot
 */
direct_matmul *direct_matmul_create(size_t n, size_t m, size_t k, bool transposed);

/** Packs w. */
bool direct_matmul_pack(direct_matmul *product, const float *w);

bool direct_matmul_run(direct_matmul *product, float *to, const float *from);

/** Accepts NULL. */
void direct_matmul_destroy(direct_matmul *product);

#endif
