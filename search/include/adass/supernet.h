/*
 * Stage 1 of AdaS&S: one model of the largest candidate size whose subnets share its weights, each
 * step training the subnet of an assignment that a sampler draws.
 */
#ifndef ADASS_SUPERNET_H
#define ADASS_SUPERNET_H

#include "adass/checkpoint.h"
#include "adass/dataset.h"
#include "adass/model.h"
#include "adass/monitor.h"
#include "adass/sizes.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The adaptive sampler. The abstract of arXiv 2411.07504 says "adaptive sampling" without a
 * formula; this reading is ours.
 *
 * Column group k of field f is the columns (c_{k-1}, c_k]. A slice of size c_k trains the groups
 * 1..k, so that under uniform sampling the last group is trained K times less often than the first,
 * and groups of fields with rare features lag further. For each (f, k) two running means are kept:
 *   G[f][k]  how far the group is from trained: root mean square gradient of its elements in the
 *            touched rows;
 *   L[f][k]  the loss, relative to the running mean loss, of the steps that drew size k for field f.
 * Need = standardised log G + standardised L within the field; after the warm-up, refreshed every
 * `interval` steps,
 *   p_f(k) = floor / K + (1 - floor) softmax_k(need / temperature).
 *
 * Size 0 has nothing to train and counts as average; a draw that drops every field is drawn again.
 * Two fields interact over the components that both have. Drawn independently, the last group of
 * two fields meets in one step of K^2 only; so in a share `coupling` of the steps all fields are
 * drawn by the same random number, largest with largest, which leaves each p_f as it is.
 */
typedef struct adass_adaptive_config {
    double floor;       /* epsilon: share of the uniform part, in [0, 1] */
    double temperature; /* > 0 */
    double warmup;      /* share of the steps that are drawn uniformly first */
    double decay;       /* of the running means, a step in which the cell was drawn */
    double coupling;    /* share of the steps in which all fields draw by one number, in [0, 1] */
    uint64_t interval;  /* steps between refreshes */
} adass_adaptive_config;

typedef struct adass_supernet_config {
    const char *sampler; /* "adaptive", "uniform", "sandwich", "fair" or "pa-da" */
    adass_adaptive_config adaptive;
    adass_trainer_config step;
    size_t epochs; /* 0: see adass_supernet_epochs() */
    uint64_t seed; /* of the order of the rows and of the draws */
    const adass_checkpoint
        *checkpoint; /* NULL: none is kept; holds the trained supernet at the end */
} adass_supernet_config;

/**
 * Length of a supernet whose configuration leaves it open. Measured, not derived, and a compromise:
 * on data of a hundred to 1,600 steps an epoch the best assignments were found after 800 to 6,300
 * steps (search/README.md). With fewer the largest sizes are not trained yet; with more, or after
 * many passes over few rows, they overfit before the smallest do.
 */
enum { ADASS_SUPERNET_STEPS = 4000, ADASS_SUPERNET_EPOCHS_MAX = 50 };

/**
 * Passes over the training rows: config->epochs, or for 0 the fewest with ADASS_SUPERNET_STEPS, at
 * most ADASS_SUPERNET_EPOCHS_MAX.
 */
size_t adass_supernet_epochs(const adass_supernet_config *config, const adass_dataset *dataset);

/** The most points of the record of the probabilities over time. */
enum { ADASS_TRACE_POINTS = 20 };

/** What stage 1 tells, for the record. */
typedef struct adass_supernet_result {
    double seconds;
    uint64_t steps;
    double drawn_params; /* mean embedding parameters of the drawn subnets */
    /** probability[f * K + k] at the end; owned by the result */
    double *probability;
    /**
     * trace[(i * n_fields + f) * K + k]: after (i + 1) * trace_interval steps, all n_trace of them
     * (at most ADASS_TRACE_POINTS) within `steps`; owned by the result
     */
    double *trace;
    uint64_t trace_interval, n_trace;
} adass_supernet_result;

/**
 * Trains the supernet.
 *
 * @param model  of the largest candidate's width in every field
 * @param out    to be freed with adass_supernet_result_free(), on errors too
 */
adass_status adass_supernet_train(adass_model *model, const adass_candidates *candidates,
                                  const adass_dataset *dataset, const adass_compute *compute,
                                  const adass_supernet_config *config, const adass_monitor *monitor,
                                  adass_supernet_result *out, adass_error *err);

void adass_supernet_result_free(adass_supernet_result *result);

#ifdef __cplusplus
}
#endif

#endif
