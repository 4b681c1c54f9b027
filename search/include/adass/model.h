/*
 * CTR models over a size assignment, and their training step.
 *
 * One structure serves as stand-alone model and as supernet. A model stores `width` columns for
 * each field's table and `width` rows for each field's block of the first dense layer; a *subnet*
 * is the model read through sizes d_f <= width_f: the first d_f columns of each table and the first
 * d_f rows of each block.
 * A stand-alone model with sizes d_f is a model of widths d_f read through all of them, so the two
 * give identical outputs when given identical weights.
 * A field of size 0 is dropped: it contributes nothing, its first-order weight neither. Logistic
 * regression is the exception: it has no embeddings, all its sizes are 0, and no field is dropped.
 *
 * Backbones (logit z of a sample with embeddings e_f, packed x = (e_1 .. e_M)):
 *   lr      z = bias + sum_f w_f
 *   fm      z = bias + sum_f w_f + sum_{f<g} <e_f, e_g>   over the first min(d_f, d_g) components
 *   (Rendle, ICDM 2010) dnn     z = MLP(x)                                     ReLU layers, dropout
 *   after each, one output deepfm  z = MLP(x) + sum_f w_f + sum_{f<g} <e_f, e_g>  (Guo et al.,
 *   arXiv 1703.04247)
 */
#ifndef ADASS_MODEL_H
#define ADASS_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/batches.h"
#include "adass/kernels.h"
#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum adass_backbone {
    ADASS_FM,
    ADASS_DNN,
    ADASS_DEEPFM,
    ADASS_LR,
    ADASS_N_BACKBONES
} adass_backbone;

/** "fm", "dnn", "deepfm" or "lr". */
const char *adass_backbone_name(adass_backbone backbone);

/** ADASS_EINVAL for an unknown name, listing the known ones. */
adass_status adass_backbone_parse(const char *name, adass_backbone *out, adass_error *err);

/** What computes: the kernels of one ISA and a number of OpenMP threads. */
typedef struct adass_compute {
    const adass_kernels *kernels;
    int threads; /* >= 1; results do not depend on it */
} adass_compute;

enum { ADASS_HIDDEN_MAX = 8 };

typedef struct adass_model_config {
    adass_backbone backbone;
    size_t n_hidden;                 /* hidden layers of the MLP; ignored by fm and lr */
    size_t hidden[ADASS_HIDDEN_MAX]; /* their outputs */
    float dropout;                   /* rate after each hidden layer while training, in [0, 1) */
    float init_std;                  /* of the embeddings' normal start values */
    uint64_t seed;                   /* of all start values */
} adass_model_config;

/** One dense layer with Adam's moments; w is [inputs x outputs]. */
typedef struct adass_layer {
    size_t inputs, outputs;
    float *w, *w_m, *w_v;
    float *bias, *bias_m, *bias_v;
} adass_layer;

/** One field's parameters. Moments of a row lie side by side: first moment, then second. */
typedef struct adass_table {
    size_t vocab, width;
    float *rows;           /* [vocab x width] */
    float *moments;        /* [vocab x 2 width] */
    float *linear;         /* [vocab]; NULL where the backbone has no first-order term */
    float *linear_moments; /* [vocab x 2] */
} adass_table;

typedef struct adass_model {
    adass_model_config config;
    size_t n_fields;
    adass_table *tables; /* [n_fields] */
    size_t *
        block; /* [n_fields + 1]: first row of a field's block in the first layer; the last entry is the sum of widths */
    size_t n_layers; /* hidden layers and the output; 0 for fm and lr */
    adass_layer layers[ADASS_HIDDEN_MAX + 1];
    float bias, bias_m, bias_v; /* the logit's, where there is no output layer (fm, lr) */
    uint64_t steps;             /* Adam's step count */
} adass_model;

/**
 * A model with its start values: embeddings N(0, init_std^2), first-order weights and biases 0,
 * dense weights uniform in +-sqrt(6 / (inputs + outputs)) (Glorot and Bengio 2010). Start values of
 * a table depend on seed, field, row and column alone, so that tables of different widths begin
 * with the same columns.
 *
 * @param vocab, widths  [n_fields]; widths 0..ADASS_SIZE_MAX, not all 0, but for lr all 0
 * @param out            to be freed with adass_model_destroy()
 */
adass_status adass_model_create(adass_model **out, const adass_model_config *config,
                                size_t n_fields, const size_t *vocab, const size_t *widths,
                                adass_error *err);

/** Accepts NULL. */
void adass_model_destroy(adass_model *model);

/** One named parameter tensor: `rows` rows of `cols` floats, contiguous. */
typedef struct adass_tensor {
    char name
        [96]; /* "embedding.<field>", "linear.<field>", "mlp.<i>.weight", "mlp.<i>.bias", "bias" */
    float *data;
    size_t rows, cols;
} adass_tensor;

/** Number of parameter tensors. */
size_t adass_model_tensor_count(const adass_model *model);

/**
 * Tensor i < adass_model_tensor_count(), in a fixed order; the data belongs to the model.
 *
 * @param field_names  [n_fields], or NULL for numbers
 */
adass_tensor adass_model_tensor(adass_model *model, size_t i, const char *const *field_names);

/** Number of parameters. */
size_t adass_model_param_count(const adass_model *model);

/**
 * Copies all parameters (not the moments) to values[adass_model_param_count()], tensor after
 * tensor.
 */
void adass_model_store(const adass_model *model, float *values);

/**
 * Sets all parameters from values that adass_model_store() left, of this model or of one of the
 * same shape.
 */
void adass_model_restore(adass_model *model, const float *values);

/** Parameters outside the embeddings: dense layers, biases and first-order weights. */
size_t adass_model_other_params(const adass_model *model);

/**
 * Logits of n samples.
 *
 * @param sizes   [n_fields], each <= the field's width; NULL for all of the width
 * @param ids     [n x n_fields], inside the vocabularies
 * @param logits  out, [n]
 */
adass_status adass_model_predict(const adass_model *model, const adass_compute *compute,
                                 const size_t *sizes, const uint32_t *ids, size_t n, float *logits,
                                 adass_error *err);

typedef struct adass_trainer_config {
    size_t batch_size;
    double learning_rate;
    double beta1, beta2, epsilon; /* Adam's; 0.9, 0.999, 1e-8 are usual */
    double l2; /* l2 * w is added to the gradient of touched rows and first-order weights */
} adass_trainer_config;

/** What a step tells about one field, for samplers. */
typedef struct adass_field_gradient {
    size_t touched; /* rows */
    float squares
        [ADASS_SIZE_MAX]; /* for each column: sum over the touched rows of the squared gradient */
} adass_field_gradient;

typedef struct adass_trainer adass_trainer;

/**
 * Work space for training steps of a model, allocated once: O(batch).
 * The model must outlive it.
 */
adass_status adass_trainer_create(adass_trainer **out, adass_model *model,
                                  const adass_compute *compute, const adass_trainer_config *config,
                                  adass_error *err);

/**
 * One step of mini-batch Adam on the subnet of `sizes`: lazy on the touched rows of the tables and
 * on the blocks of the first layer that the sizes reach; its cost goes with the sizes, not with the
 * widths. Bits do not depend on the number of threads.
 *
 * @param sizes     [n_fields], each <= the field's width; NULL for all of the width
 * @param batch     at most batch_size samples; n >= 1
 * @param gradients [n_fields] or NULL: filled with the embedding gradients' norms
 * @param loss      out: mean log-loss of the batch before the step
 * @return ADASS_OK, ADASS_EINVAL when the loss is not finite (the weights have diverged), or
 *         oneDNN's failure
 */
adass_status adass_trainer_step(adass_trainer *trainer, const size_t *sizes,
                                const adass_batch *batch, adass_field_gradient *gradients,
                                double *loss, adass_error *err);

/** Accepts NULL. */
void adass_trainer_destroy(adass_trainer *trainer);

#ifdef __cplusplus
}
#endif

#endif
