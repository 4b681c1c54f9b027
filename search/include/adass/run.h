/*
 * One run: a method finds a size assignment, a stand-alone model of that assignment is trained and,
 * once, measured on the test split.
 */
#ifndef ADASS_RUN_H
#define ADASS_RUN_H

#include "adass/search.h"
#include "adass/supernet.h"
#include "adass/train.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ADASS_METHOD_CHARS = 16 };

/** How a method that has a supernet gets the weights of the model of the sizes found. */
typedef enum adass_retrain {
    ADASS_RETRAIN_BETTER,    /* the next two, and of them the model of better validation AUC */
    ADASS_RETRAIN_ANEW,      /* trained from start values, as every other method's model */
    ADASS_RETRAIN_CONTINUED, /* trained from the subnet's weights */
    ADASS_RETRAIN_NONE,      /* the subnet's weights as they are */
    ADASS_N_RETRAINS
} adass_retrain;

/** "better", "anew", "continued", "none". */
const char *adass_retrain_name(adass_retrain retrain);

/** Everything that decides a run besides the data, the code and the machine. */
typedef struct adass_run_config {
    char method[ADASS_METHOD_CHARS]; /* one of search/README.md's table: "uniform", "adass", ... */
    const size_t *sizes;             /* given: the assignment, [n_fields]; the caller's */
    size_t size;                     /* uniform: the size of every field */
    uint64_t budget;                 /* searched methods: embedding parameters at most */
    adass_candidates candidates;     /* searched methods */
    adass_model_config model; /* its seed is derived from `seed`, as are those of the other parts */
    adass_train_config train;
    adass_supernet_config supernet;
    adass_search_config search;
    adass_retrain retrain; /* methods without a supernet train anew, and refuse the last two */
    bool without_test;     /* the test split is not looked at: the run is a trial of settings */
    uint64_t train_seed;   /* of the training of the sizes found; 0 for `seed` */
    uint64_t seed;
} adass_run_config;

/**
 * The settings that commands and suites start from: DeepFM with an MLP of 128-64, Adam 1e-3,
 * adass_candidates_default().
 */
adass_run_config adass_run_config_default(void);

/** What stages 1 and 2 tell, for the record; zero for methods without a search. */
typedef struct adass_found {
    double supernet_seconds, search_seconds; /* now or at an earlier budget */
    double remembered_seconds; /* of the latter, what an earlier budget of the session had done */
    uint64_t supernet_steps;
    double drawn_params;  /* mean embedding parameters of the supernet's steps */
    double inherited_auc; /* of the assignment, in the supernet, on the evaluation rows */
    size_t evaluations;   /* of different subnets, those of repairs and refinement too */
    size_t repairs;       /* candidates by which the policy's mode was shrunk into the budget */
    size_t refined;       /* changes of a field's size by the refinement */
    size_t finalists;     /* that were trained before the last choice */
    double lambda;        /* at the end */
    double *probability;  /* [n_fields x K] of the sampler at the end, or NULL; owned */
    double *trace;        /* [n_trace x n_fields x K]: every trace_interval steps, or NULL; owned */
    uint64_t trace_interval, n_trace;
    double *policy; /* [n_fields x K] at the end, or NULL; owned */
} adass_found;

/** Frees what a search told; all members are 0 afterwards. */
void adass_found_free(adass_found *found);

/** A run's outcome; to be freed with adass_run_result_free(). */
typedef struct adass_run_result {
    size_t n_fields;
    size_t *sizes;          /* [n_fields]; owned */
    uint64_t *field_params; /* [n_fields]: of each table; unstructured: its non-zeros; owned */
    uint64_t params;        /* embedding parameters, sum of vocab x size; unstructured: non-zeros */
    uint64_t other_params;  /* dense layers, biases, first-order weights */
    uint64_t projection_params; /* of alignment project: the maps in front of FM */
    uint64_t embedding_bytes; /* of the stored tables: 4 a parameter; unstructured: with indices */
    adass_found found;
    adass_retrain trained;    /* what the model is: any but ADASS_RETRAIN_BETTER */
    adass_train_result train; /* validation metrics among them; seconds of all that was trained */
    adass_metrics test;       /* zero without a test, as are the logits and their number */
    float *test_logits;       /* [n_test] of the test split's rows; owned */
    size_t n_test;
    double seconds; /* all stages */
} adass_run_result;

/**
 * Work on one dataset. It keeps the supernet of the last run, so that another budget costs a search
 * only: stage 1 does not depend on the budget. Likewise what other methods train for every budget.
 * One thread at a time.
 */
typedef struct adass_session adass_session;

/**
 * @param dataset  must outlive the session
 * @param monitor  may be NULL; must outlive the session
 */
adass_status adass_session_open(adass_session **out, const adass_dataset *dataset,
                                const adass_compute *compute, const adass_monitor *monitor,
                                adass_error *err);

/**
 * Has the session's runs keep checkpoints, or go on from those that are there. They stay when a run
 * ends, for what is done with its result may fail: see adass_session_remove_checkpoints().
 *
 * @return ADASS_OK; ADASS_EINVAL when the folder has checkpoints that are not to be resumed, or is
 *         another process's; ADASS_EIO; ADASS_ENOMEM
 */
adass_status adass_session_keep_checkpoints(adass_session *session,
                                            const adass_checkpoint_options *options,
                                            adass_error *err);

/**
 * Removes the checkpoints of the last run, whose result is safe now.
 *
 * @param shared  those of the supernet and of a pretraining as well, which serve the next budget's run
 *                too
 */
void adass_session_remove_checkpoints(adass_session *session, bool shared);

/** Accepts NULL. */
void adass_session_close(adass_session *session);

/**
 * Finds the method's size assignment: `sizes`, `params` and `found` of the result.
 *
 * @param out  filled; to be freed on errors too
 * @return ADASS_OK; ADASS_EINVAL for a configuration that cannot be used, or a budget that cannot
 *         be kept
 */
adass_status adass_run_find(adass_session *session, const adass_run_config *config,
                            adass_run_result *out, adass_error *err);

/**
 * The whole run: adass_run_find(), training, and, unless config->without_test, the one look at the test
 * split. Where an earlier run
 * of the session trained the same sizes from the same seed, and no model is wanted, its outcome is
 * copied, times too: the bits would be the same.
 *
 * @param out    filled; to be freed on errors too
 * @param model  NULL, or set to the trained model, to be freed with adass_model_destroy()
 */
adass_status adass_run(adass_session *session, const adass_run_config *config,
                       adass_run_result *out, adass_model **model, adass_error *err);

void adass_run_result_free(adass_run_result *result);

#ifdef __cplusplus
}
#endif

#endif
