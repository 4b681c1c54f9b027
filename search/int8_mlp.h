/*
 * The MLP of a model in bytes, for scores of subnets: several times as fast as floats where
 * adass_bytes_fast(), at a loss of AUC that is nearly the same for all subnets.
 *
 * Embeddings are x = scale of the column * (byte - 128), of the rows that are to be predicted alone;
 * weights w = scale of the output * byte, the first layer's with its columns' scales multiplied in;
 * activations a = scale of the sample * byte, at most 127, found anew in every layer. A subnet reads
 * the supernet's own bytes: rounding is the same in all of them, and hardly moves their order.
 */
#ifndef ADASS_INT8_MLP_H
#define ADASS_INT8_MLP_H

#include "adass/dense_bytes.h"
#include "subnet.h"

typedef struct adass_int8_mlp adass_int8_mlp;

/** Samples of a block: of 64, 128, 192 and 256 the fastest, by 3 to 7 % (Cascade Lake). */
enum { ADASS_INT8_SAMPLES = 192 };

/**
 * Bytes of the model, which must have an MLP, outlive this and not change.
 *
 * @param ids  [n x n_fields], n < 2^31, of the rows that will be asked for
 * @param out  to be freed with adass_int8_mlp_destroy(); about n_fields * 4 bytes a row, and width
 *         bytes a distinct feature
 */
adass_status adass_int8_mlp_create(adass_int8_mlp **out, const adass_model *model,
                                   const adass_compute *compute, const uint32_t *ids, size_t n,
                                   adass_error *err);

/** Accepts NULL. */
void adass_int8_mlp_destroy(adass_int8_mlp *mlp);

/** The first layer of a subnet. */
typedef struct adass_int8_subnet {
    int8_t *w;                /* [width x outputs], work space */
    adass_bytes_layer *first; /* the same, packed */
    float *bias;              /* [outputs], with what the offset of x adds */
} adass_int8_subnet;

/** Room for any subnet. */
adass_status adass_int8_subnet_init(adass_int8_subnet *out, const adass_int8_mlp *mlp,
                                    adass_error *err);

/** Makes the first layer for the views of `subnet`, of which there must be one. */
adass_status adass_int8_subnet_select(adass_int8_subnet *out, const adass_int8_mlp *mlp,
                                      const adass_subnet *subnet, adass_error *err);

void adass_int8_subnet_free(adass_int8_subnet *subnet);

/** One thread's work space. */
typedef struct adass_int8_block {
    uint8_t *x;                  /* packed embeddings, [samples x width] */
    int32_t *sums;               /* [samples x outputs] */
    float *y;                    /* likewise, activations */
    uint8_t *bytes;              /* likewise, with room before them */
    float *row_scale, *no_scale; /* [samples]; the second of ones */
} adass_int8_block;

adass_status adass_int8_block_init(adass_int8_block *out, const adass_int8_mlp *mlp,
                                   adass_error *err);

void adass_int8_block_free(adass_int8_block *block);

/**
 * The MLP's outputs for rows [first, first + n) of those given to adass_int8_mlp_create().
 *
 * @param n       <= ADASS_INT8_SAMPLES
 * @param logits  out, [n]
 */
adass_status adass_int8_forward(const adass_int8_mlp *mlp, const adass_kernels *kernels,
                                const adass_subnet *subnet, const adass_int8_subnet *bytes,
                                size_t first, size_t n, const adass_int8_block *block,
                                float *logits, adass_error *err);

#endif
