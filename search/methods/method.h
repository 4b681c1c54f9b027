/* Methods: how a run's size assignment is found. One file a method; methods.c lists them. */
#ifndef ADASS_METHOD_H
#define ADASS_METHOD_H

#include "adass/run.h"
#include "checkpoints.h"

/** What a method works with. */
typedef struct adass_method_setting {
    adass_session *session;
    const adass_dataset *dataset;
    const size_t *vocab; /* [n_fields] */
    const adass_compute *compute;
    const adass_monitor *monitor; /* may be NULL */
    const adass_run_config *config;
} adass_method_setting;

/** One kind of method. */
typedef struct adass_method_kind {
    const char *name;
    bool
        searches; /* takes a budget and candidates; otherwise the sizes follow from the configuration */
    bool cannot_drop;   /* gives every field at least size 1, whatever the candidates */
    bool pretrains;     /* trains a model of the largest size before it chooses */
    bool takes_epochs;  /* searches for as many epochs as a supernet is trained */
    bool uses_supernet; /* takes the configurations of stages 1 and 2 as well */
    bool evaluates;     /* takes the number of evaluations and of rows of stage 2 */
    bool for_budget;    /* what it trains before it chooses depends on the budget */
    const char *shares; /* the method whose pretraining it has; NULL for its own */
    /** Fills sizes[n_fields], and of `found` what there is to tell. */
    adass_status (*find)(const adass_method_setting *setting, size_t *sizes, adass_found *found,
                         adass_error *err);
    /**
     * Unstructured methods, which zero single weights instead of choosing sizes; NULL for the
     * others. Trains the new model of the sizes found, with the seed config->train has, and fills
     * `train`, `params` (non-zero embedding weights, within the budget), `field_params` and
     * `embedding_bytes`.
     */
    adass_status (*train)(const adass_method_setting *setting, adass_model *model,
                          adass_run_result *out, adass_error *err);
} adass_method_kind;

extern const adass_method_kind adass_method_given, adass_method_uniform, adass_method_random,
    adass_method_heuristic, adass_method_mde, adass_method_magprune, adass_method_sseds,
    adass_method_sseds_dims, adass_method_dimgrow, adass_method_optembed, adass_method_autodim,
    adass_method_pep, adass_method_adass;

/** The method of that name, or ADASS_EINVAL listing those there are. */
adass_status adass_method_find(const char *name, const adass_method_kind **out, adass_error *err);

/** Whether the method of that name has a train(): its models are not those of its sizes alone. */
bool adass_method_trains_itself(const char *name);

/**
 * The session's supernet for the setting's configuration, trained now unless the session has it
 * already; the time and steps of its training are written to `found` either way. The model belongs
 * to the session.
 */
adass_status adass_session_supernet(const adass_method_setting *setting, const adass_model **out,
                                    adass_found *found, adass_error *err);

/** What searches on this model remember, the session's; NULL if the model is not its supernet. */
adass_search_memory *adass_session_search_memory(const adass_session *session,
                                                 const adass_model *model);

/** A new model of the largest candidate in every field. */
adass_status adass_method_create_largest(const adass_method_setting *setting, adass_model **out,
                                         adass_error *err);

/**
 * A model of the largest candidate in every field, trained with early stopping as the run's own
 * model is, for methods that look at one before they choose; the session keeps it, and the method's
 * next budget has it from there.
 *
 * @param hooks    of its steps, or NULL
 * @param out      the session's; what is changed of it stays so
 * @param seconds  out: of its training, now or then
 */
adass_status adass_method_pretrain(const adass_method_setting *setting,
                                   const adass_step_hooks *hooks, size_t patience,
                                   adass_model **out, double *seconds, adass_error *err);

/**
 * Searches sizes on a trained model with config->search (adass_search()), and fills `sizes` and what
 * `found` has of a search.
 *
 * @param searcher  in place of the configuration's, or NULL
 */
adass_status adass_method_search(const adass_method_setting *setting, const adass_model *model,
                                 const char *searcher, size_t *sizes, adass_found *found,
                                 adass_error *err);

/**
 * Trains the run's own model, of out->sizes, with config->train: out->train.
 *
 * @param stage  whose checkpoint it is, ADASS_STAGE_TRAIN or ADASS_STAGE_CONTINUE
 * @param hooks  of its steps, or NULL
 */
adass_status adass_method_train(const adass_method_setting *setting, adass_stage stage,
                                const adass_step_hooks *hooks, adass_model *model,
                                adass_run_result *out, adass_error *err);

/**
 * What a method learns for all of its budgets at once, in values[n]: what the session has of an earlier
 * budget, or else what `learn` leaves there, of which the session keeps a copy.
 *
 * @param learn    adds its time to *seconds
 * @param seconds  out: of learning, now or then
 */
adass_status
adass_method_learn(const adass_method_setting *setting,
                   adass_status (*learn)(void *user, double *seconds, adass_error *err), void *user,
                   double *values, size_t n, double *seconds, adass_error *err);

/** The model that the session keeps under this identity, and how it was trained; or NULL. */
adass_model *adass_session_pretrained(const adass_session *session, const char *identity,
                                      adass_train_result *result);

/** Hands model and identity over to the session, in place of those it kept. */
void adass_session_keep_pretrained(adass_session *session, adass_model *model, char *identity,
                                   const adass_train_result *result);

/** The numbers that the session keeps under this identity, or NULL. */
const double *adass_session_learnt(const adass_session *session, const char *identity,
                                   double *seconds);

/** Hands numbers and identity over to the session, in place of those it kept. */
void adass_session_keep_learnt(adass_session *session, double *values, char *identity,
                               double seconds);

/** Sizes of unstructured methods: the largest candidate in every field. A method's find(). */
adass_status adass_method_find_largest(const adass_method_setting *setting, size_t *sizes,
                                       adass_found *found, adass_error *err);

/**
 * Bytes of a table with few non-zeros by rows (CSR): for each non-zero a float and the number of its
 * column in one byte, and for each row a 32-bit offset.
 */
uint64_t adass_method_sparse_bytes(uint64_t non_zeros, const size_t *vocab, size_t n_fields);

/**
 * The checkpoint of a stage, for its configuration.
 *
 * @param identity  adass_run_identity(); must outlive the stage
 * @param storage   filled
 * @return storage, or NULL where no checkpoints are kept
 */
const adass_checkpoint *adass_session_checkpoint(const adass_session *session, adass_stage stage,
                                                 const char *identity, adass_checkpoint *storage);

/** Fills `params`, `field_params` and `embedding_bytes` from the model's non-zero weights. */
void adass_method_count_non_zeros(const adass_model *model, const size_t *vocab,
                                  adass_run_result *out);

/** Seeds of a run's parts, apart from one another. */
enum {
    ADASS_SEED_MODEL = 1,
    ADASS_SEED_TRAIN,
    ADASS_SEED_SUPERNET_MODEL,
    ADASS_SEED_SUPERNET,
    ADASS_SEED_SEARCH,
    ADASS_SEED_PRETRAIN_MODEL,
    ADASS_SEED_PRETRAIN,
    ADASS_SEED_GATES
};

#endif
