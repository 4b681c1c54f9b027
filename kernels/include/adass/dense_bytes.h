/*
 * Dense layers of bytes for blocks of samples, on oneDNN: products of unsigned with signed bytes,
 * summed exactly in 32 bits.
 *
 * Of use where adass_bytes_fast() only: elsewhere oneDNN is slow at it, or adds neighbouring
 * products in 16 bits, where they saturate.
 */
#ifndef ADASS_DENSE_BYTES_H
#define ADASS_DENSE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Whether the CPU has instructions for it (VNNI), by which bytes go several times as fast as floats. */
bool adass_bytes_fast(void);

/** The weights of a layer as oneDNN wants them, for blocks of one number of samples. */
typedef struct adass_bytes_layer adass_bytes_layer;

/**
 * A layer w [inputs x outputs], inputs and outputs >= 1, for blocks of n >= 1 samples whose inputs
 * lie x_ld bytes apart, best x_ld = inputs: else oneDNN 2.6 packs the weights at each run, which
 * takes a sixth of it. Exact up to 65,000 inputs.
 *
 * @param w    rows one after the other; copied
 * @param out  to be freed with adass_bytes_layer_destroy()
 * @return ADASS_OK, or ADASS_ENOMEM / ADASS_EUNSUPPORTED as oneDNN reports it
 */
adass_status adass_bytes_layer_create(adass_bytes_layer **out, const int8_t *w, size_t inputs,
                                      size_t outputs, size_t n, size_t x_ld, adass_error *err);

/** Accepts NULL. */
void adass_bytes_layer_destroy(adass_bytes_layer *layer);

/**
 * sums[n x outputs] = x[n x inputs] * w, on the calling thread alone (see
 * adass_dense_single_thread()), of which several may use the same layer.
 *
 * @param sums  out, rows one after the other
 */
adass_status adass_bytes_layer_run(const adass_bytes_layer *layer, int32_t *sums, const uint8_t *x,
                                   adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
