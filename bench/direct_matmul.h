/* oneDNN's matmul called directly, as a yardstick for dense.h: one layer's product with a block. */
#ifndef ADASS_BENCH_DIRECT_MATMUL_H
#define ADASS_BENCH_DIRECT_MATMUL_H

#include <stdbool.h>
#include <stddef.h>

#include "adass/kernels.h"

typedef struct direct_matmul direct_matmul;

/** to[n x m] = from[n x k] * w, rows one after the other; sums and results are f32. */
typedef struct direct_matmul_shape {
    adass_type type; /* of `from` and of the packed weights: F32 or BF16 */
    size_t n, m, k;
    bool transposed; /* w is the transpose of [m x k]; else [k x m] */
    int threads;     /* that oneDNN may use; one thread alone may call, whatever they are */
} direct_matmul_shape;

/** @return NULL when oneDNN cannot */
direct_matmul *direct_matmul_create(const direct_matmul_shape *shape);

/** Packs w, rounded to the type, in the order that oneDNN likes best. */
bool direct_matmul_pack(direct_matmul *product, const float *w);

bool direct_matmul_run(direct_matmul *product, float *to, const void *from);

/** Accepts NULL. */
void direct_matmul_destroy(direct_matmul *product);

#endif
