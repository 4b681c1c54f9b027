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
 *           (Rendle, ICDM 2010)
 *   dnn     z = MLP(x), ReLU layers, dropout after each, one output
 *   wdl     z = MLP(x) + sum_f w_f   (Wide & Deep, Cheng et al., arXiv 1606.07792)
 *   deepfm  z = MLP(x) + sum_f w_f + sum_{f<g} <e_f, e_g>   (Guo et al., arXiv 1703.04247)
 *   dcnv2   z = MLP(x) + <v, x_L>, x_{l+1} = x_0 * (x_l W_l + b_l) + x_l elementwise, x_0 = x
 *           (DCN-V2 in parallel, full matrices, Wang et al., arXiv 2008.13535); a subnet reads the
 *           rows and columns of W_l and the elements of b_l and v of its columns of x
 *
 * Where FM meets fields of different sizes, `align` decides. With `slice` the smaller is padded with
 * zeros: two fields interact over min(d_f, d_g) components. With `project` each field with d_f < D, D
 * being the largest size in use, has a learned map P_f without bias, d_f x D, in front of FM: e_f P_f
 * stands for e_f there, and all fields interact over D components (MDE, Ginart et al., arXiv
 * 1909.11810; AutoDim, Zhao et al., arXiv 2006.14827). A field of size D goes in as it is: a map of
 * it could be taken into its rows and the others' maps. The MLP's x has the fields' own columns all
 * the same. Maps begin as the first d_f rows of the identity, so that training starts as with
 * `slice`. A subnet reads the first d_f rows and D columns of the model's maps.
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
    ADASS_WDL,
    ADASS_DEEPFM,
    ADASS_LR,
    ADASS_DCNV2,
    ADASS_N_BACKBONES
} adass_backbone;

/** "fm", "dnn", "wdl", "deepfm", "lr" or "dcnv2". */
const char *adass_backbone_name(adass_backbone backbone);

/** ADASS_EINVAL for an unknown name, listing the known ones. */
adass_status adass_backbone_parse(const char *name, adass_backbone *out, adass_error *err);

/** How FM takes fields of different sizes. */
typedef enum adass_align { ADASS_ALIGN_SLICE, ADASS_ALIGN_PROJECT, ADASS_N_ALIGNS } adass_align;

/** "slice" or "project". */
const char *adass_align_name(adass_align align);

/** ADASS_EINVAL for an unknown name, listing the known ones. */
adass_status adass_align_parse(const char *name, adass_align *out, adass_error *err);

/** ADASS_EINVAL where the backbone has no FM in front of which a map could stand. */
adass_status adass_align_check(adass_align align, adass_backbone backbone, adass_error *err);

/** What computes: the kernels of one ISA and a number of OpenMP threads. */
typedef struct adass_compute {
    const adass_kernels *kernels;
    int threads; /* >= 1; results do not depend on it */
} adass_compute;

enum { ADASS_HIDDEN_MAX = 8 };

/** Cross layers of dcnv2: as FuxiCTR's tuned models for Criteo. */
enum { ADASS_CROSS_LAYERS = 3 };

typedef struct adass_model_config {
    adass_backbone backbone;
    size_t n_hidden;                 /* hidden layers of the MLP; ignored by fm and lr */
    size_t hidden[ADASS_HIDDEN_MAX]; /* their outputs */
    float dropout;                   /* rate after each hidden layer while training, in [0, 1) */
    float init_std;                  /* of the embeddings' normal start values */
    uint64_t seed;                   /* of all start values, and of rows' rounding */
    adass_type table_type; /* of the tables' rows: F32, or BF16 or F16 with stochastic rounding */
    adass_align align;     /* PROJECT is for fm and deepfm */
    /* PROJECT: for a supernet, fields of the largest width have maps as well, for smaller sizes; in
     * other models those fields are padded where they are read so */
    bool maps_for_all;
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
    adass_type type;
    float *rows;    /* [vocab x width]; NULL unless the type is F32 */
    void *compact;  /* the rows of another type, at adass_type_stride(type, width); or NULL */
    float *moments; /* [vocab x 2 width] */
    float *linear;  /* [vocab]; NULL where the backbone has no first-order term */
    float *linear_moments; /* [vocab x 2] */
    /* [width x the model's largest width] in front of FM, with Adam's moments; NULL without a map */
    float *map, *map_m, *map_v;
} adass_table;

typedef struct adass_model {
    adass_model_config config;
    size_t n_fields;
    size_t largest;      /* the largest width */
    adass_table *tables; /* [n_fields] */
    void *memory;        /* of all tables: one piece, so that small tables lie on huge pages too */
    size_t *
        block; /* [n_fields + 1]: first row of a field's block in the first layer; the last entry is the sum of widths */
    size_t n_layers; /* hidden layers and the output; 0 for fm and lr */
    adass_layer layers[ADASS_HIDDEN_MAX + 1];
    size_t n_cross;                               /* ADASS_CROSS_LAYERS for dcnv2, else 0 */
    adass_layer cross[ADASS_CROSS_LAYERS];        /* [sum of widths x sum of widths] each */
    float *cross_out, *cross_out_m, *cross_out_v; /* [sum of widths]: v */
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

/** One named parameter tensor: `rows` rows of `cols` numbers, contiguous. */
typedef struct adass_tensor {
    /* "embedding.<field>", "linear.<field>", "mlp.<i>.weight", "mlp.<i>.bias", "bias",
     * "cross.<i>.weight", "cross.<i>.bias", "cross.out", "projection.<field>" */
    char name[96];
    float *data;      /* NULL unless the type is F32 */
    uint16_t *halves; /* of BF16 and F16 */
    adass_type type;
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

/**
 * Copies the weights that the subnet of the model's widths reads in `source`, a model of the same
 * backbone, alignment, fields and hidden layers that is at least as wide and has the maps: predictions
 * are then the subnet's.
 * The model's tables are F32, the source's F32, BF16 or F16.
 */
void adass_model_inherit(adass_model *model, const adass_model *source);

/**
 * A copy for prediction alone, with tables of another type; it has no moments.
 *
 * @param model  with tables of F32, BF16 or F16
 * @param type   of the copy's rows: rounded to the nearest, INT8 with a scale for each row
 * @param out    to be freed with adass_model_destroy()
 */
adass_status adass_model_quantize(adass_model **out, const adass_model *model,
                                  const adass_kernels *kernels, adass_type type, adass_error *err);

/**
 * Parameters outside the embeddings and their maps: dense layers, biases and first-order weights.
 */
size_t adass_model_other_params(const adass_model *model);

/** Parameters of the maps of `project`: the sum of d_f x D over the fields that have one. */
size_t adass_model_projection_params(const adass_model *model);

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

/** A block of samples between the tables and the model, as a step's hooks see it. */
typedef struct adass_packed {
    uint64_t step;       /* the model's, from 1 on */
    size_t block;        /* number of the block in the batch; a block has up to 256 samples */
    size_t first, n;     /* number of its first sample in the batch, and of its samples */
    const uint32_t *ids; /* [n x n_fields] */
    size_t ld;           /* floats from one sample to the next in x and dx */
    float *x;            /* embeddings: the columns of the fields of size > 0, field after field */
    float *dx;           /* the loss's gradient in x, alike; NULL in forward() */
} adass_packed;

/**
 * What a method puts between tables and model in training: masks, gates, thresholds. Each member
 * may be NULL. Several threads call them, each for blocks or fields of its own; what they add up
 * must be kept by block, so that sums do not depend on the threads.
 */
typedef struct adass_step_hooks {
    void *user;
    /** After the lookup; may change x, on which the model then works. */
    void (*forward)(void *user, const adass_packed *packed);
    /** After the backward pass; turns the gradient in the changed x into that in the rows. */
    void (*backward)(void *user, const adass_packed *packed);
    /**
     * Instead of Adam on field f's table: its n touched rows and their gradients [n x size]. The
     * first-order weights are updated as ever.
     */
    void (*update)(void *user, size_t field, const uint32_t *rows, const float *grads, size_t n,
                   size_t size);
} adass_step_hooks;

/** What updates touched embedding rows and first-order weights; all else has Adam. */
typedef enum adass_row_optimizer {
    ADASS_ROWS_ADAM, /* lazy: moments of rows that are not touched stay */
    ADASS_ROWS_ADAGRAD, /* a sum of squares for each parameter (Duchi, Hazan and Singer, JMLR 12, 2011) */
    ADASS_N_ROW_OPTIMIZERS
} adass_row_optimizer;

/** "adam", "adagrad". */
const char *adass_row_optimizer_name(adass_row_optimizer optimizer);

/** The optimizer of that name, or ADASS_EINVAL listing those there are. */
adass_status adass_row_optimizer_parse(const char *name, adass_row_optimizer *out,
                                       adass_error *err);

typedef struct adass_trainer_config {
    size_t batch_size;
    double learning_rate;
    double beta1, beta2, epsilon; /* Adam's; 0.9, 0.999, 1e-8 are usual */
    double l2; /* l2 * w is added to the gradient of touched rows and first-order weights */
    adass_row_optimizer row_optimizer;
    /**
     * Adagrad's: w -= row_rate * g / (sqrt(sum of g^2) + row_epsilon / batch_size) for the gradient g of
     * the batch's mean loss; so epsilon is in units of one sample's gradient, and a row seen in fewer than about
     * epsilon^2 such samples is trained as by gradient descent.
     */
    double row_rate, row_epsilon;
    const adass_step_hooks *hooks; /* NULL for none; must outlive the trainer */
    bool frozen; /* compute loss, gradients and hooks, but change nothing in the model */
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
 * The model must outlive it. ADASS_EINVAL for a model made by adass_model_quantize(), and for hooks
 * `forward` or `backward` on a model with maps.
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

/** The parts of a training step, as its clocks tell them apart. */
typedef enum adass_step_part {
    ADASS_PART_PACK,    /* weights packed for the products */
    ADASS_PART_LOOKUP,  /* embeddings, FM's sums over them, first-order weights */
    ADASS_PART_FORWARD, /* the layers' products */
    ADASS_PART_LOSS,    /* loss, its gradient, dropout, gradients through ReLU and FM's sums */
    ADASS_PART_BACKWARD_INPUT,   /* products: gradients of the layers' inputs */
    ADASS_PART_BACKWARD_WEIGHTS, /* products: gradients of the layers' weights, and of biases */
    ADASS_PART_DENSE_UPDATE,     /* the optimizer on layers */
    ADASS_PART_DEDUP,            /* equal ids grouped, their gradients added */
    ADASS_PART_ROW_UPDATE,       /* the optimizer on rows */
    ADASS_PART_WAIT,             /* for other threads, and what one thread does alone */
    ADASS_STEP_PARTS
} adass_step_part;

/** "pack", "lookup", ... "wait". */
const char *adass_step_part_name(adass_step_part part);

/**
 * Seconds that a trainer's steps took, part by part, all threads added: their sum is the number of
 * threads times the wall time of its steps.
 */
void adass_trainer_seconds(const adass_trainer *trainer, double seconds[ADASS_STEP_PARTS]);

/** Accepts NULL. */
void adass_trainer_destroy(adass_trainer *trainer);

#ifdef __cplusplus
}
#endif

#endif
