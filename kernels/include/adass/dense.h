/*
 * Dense algebra for blocks of samples, on oneDNN.
 *
 * Matrices are row-major; `ld` is the number of floats between the beginnings of two rows. Every
 * call works on the calling thread alone: callers share a batch out in blocks of a fixed size, so
 * that no result depends on the number of threads. For that, call adass_dense_single_thread() once
 * at the start of each OpenMP parallel region.
 *
 * oneDNN's sgemm (seen in 2.6.3 with AVX-512) has its stack pointer in a buffer of the heap at times.
 * A signal handler that runs on such a thread's stack then overwrites what lies below the buffer:
 * programs that handle signals block them in the threads that compute, and wait for them in another.
 */
#ifndef ADASS_DENSE_H
#define ADASS_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "adass/kernels.h"
#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Keeps oneDNN from opening threads of its own under the calling OpenMP task. */
void adass_dense_single_thread(void);

/**
 * One layer forward: y[n x outputs] = x[n x inputs] * w[inputs x outputs] + bias, then ReLU when
 * `relu`.
 *
 * @return ADASS_OK, or ADASS_ENOMEM / ADASS_EUNSUPPORTED as oneDNN reports it. Same for the other
 *         two.
 */
adass_status adass_dense_forward(const adass_kernels *kernels, float *y, size_t y_ld,
                                 const float *x, size_t x_ld, const float *w, const float *bias,
                                 size_t n, size_t inputs, size_t outputs, bool relu,
                                 adass_error *err);

/**
 * Gradient of a layer's input: dx[n x inputs] = dy[n x outputs] * w^T, added to dx when
 * `accumulate`.
 */
adass_status adass_dense_backward_input(float *dx, size_t dx_ld, const float *dy, size_t dy_ld,
                                        const float *w, size_t n, size_t inputs, size_t outputs,
                                        bool accumulate, adass_error *err);

/** Gradient of a layer's weights: dw[inputs x outputs] = x[n x inputs]^T * dy[n x outputs]. */
adass_status adass_dense_backward_weights(float *dw, const float *x, size_t x_ld, const float *dy,
                                          size_t dy_ld, size_t n, size_t inputs, size_t outputs,
                                          adass_error *err);

/**
 * The products of one layer with blocks of a fixed number of samples, with the layer's weights
 * packed in the order that oneDNN's matmul reads them. Worth it where the weights serve several
 * blocks: the gradient of the input gains most, since the other functions transpose the weights at
 * every call. What oneDNN needs for a number of inputs is made once and kept, so that a supernet
 * may change the number with every step.
 */
typedef struct adass_dense_plan adass_dense_plan;

typedef struct adass_dense_plan_config {
    bool backward; /* dx[n x inputs] = dy[n x outputs] * w^T; else y = x * w + bias */
    bool relu;     /* max(y, 0); not for backward */
    adass_type
        type; /* of x or dy, and of the packed weights: F32 or BF16; sums and results are f32 */
    size_t samples; /* n of every call */
    size_t outputs;
    size_t from_ld, to_ld; /* elements between two rows of x and y, or of dy and dx */
    int threads;           /* numbers of OpenMP threads that may call, from 0 on */
} adass_dense_plan_config;

/**
 * @param out  to be freed with adass_dense_plan_destroy()
 * @return ADASS_OK, ADASS_ENOMEM, or ADASS_EUNSUPPORTED for another type
 */
adass_status adass_dense_plan_create(adass_dense_plan **out, const adass_dense_plan_config *config,
                                     adass_error *err);

/** Accepts NULL. */
void adass_dense_plan_destroy(adass_dense_plan *plan);

/**
 * Takes over w[inputs x outputs], rounded to the plan's type; a later change of w needs another
 * call. Not beside adass_dense_plan_run() of the same plan.
 *
 * @return ADASS_OK, or ADASS_ENOMEM / ADASS_EUNSUPPORTED as oneDNN reports it: bf16 may be missing
 */
adass_status adass_dense_plan_pack(adass_dense_plan *plan, const float *w, size_t inputs,
                                   adass_error *err);

/**
 * The product of one block with the weights packed last, on the calling thread, whose number in the
 * innermost OpenMP region is below the plan's `threads`.
 *
 * @param to    out, [samples x outputs], or [samples x inputs] when backward
 * @param from  of the plan's type, [samples x inputs], or [samples x outputs] when backward
 * @param bias  [outputs]; unused when backward
 */
adass_status adass_dense_plan_run(const adass_dense_plan *plan, float *to, const void *from,
                                  const float *bias, adass_error *err);

/** Whether the CPU multiplies bf16 itself. Elsewhere oneDNN emulates it, slower than f32. */
bool adass_dense_bf16_native(void);

/**
 * Whether there is address space left for what oneDNN makes at its first calls, which does not
 * survive being refused it. To be asked when everything else has been allocated.
 *
 * @return ADASS_OK or ADASS_ENOMEM
 */
adass_status adass_dense_check_room(int threads, adass_error *err);

/**
 * The instruction set that oneDNN uses, by its own choice or by its variable ONEDNN_MAX_CPU_ISA:
 * "avx2", "avx512_core", ... or "other".
 */
const char *adass_dense_isa(void);

/** oneDNN's version, "2.6.3". The storage is the caller's. */
void adass_dense_version(char text[32]);

#ifdef __cplusplus
}
#endif

#endif
