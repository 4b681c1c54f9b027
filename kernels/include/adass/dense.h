/*
 * Dense algebra for blocks of samples, on oneDNN.
 *
 * Matrices are row-major; `ld` is the number of floats between the beginnings of two rows. Every
 * call works on the calling thread alone: callers share a batch out in blocks of a fixed size, so
 * that no result depends on the number of threads. For that, call adass_dense_single_thread() once
 * at the start of each OpenMP parallel region.
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
