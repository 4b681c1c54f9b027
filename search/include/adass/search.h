/*
 * Stage 2 of AdaS&S: a size assignment under a budget, found on the trained supernet by
 * reinforcement learning with a resource-competition penalty.
 */
#ifndef ADASS_SEARCH_H
#define ADASS_SEARCH_H

#include "adass/checkpoint.h"
#include "adass/evaluate.h"
#include "adass/monitor.h"
#include "adass/sizes.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What searches on one supernet remember for its next budget: subnets that were measured, finalists
 * that were trained. An answer does not depend on it, only how long it takes.
 */
typedef struct adass_search_memory adass_search_memory;

/** Empty. @return ADASS_OK or ADASS_ENOMEM */
adass_status adass_search_memory_create(adass_search_memory **out, adass_error *err);

/** Accepts NULL. */
void adass_search_memory_destroy(adass_search_memory *memory);

/**
 * The policy is factorised: logits theta_f in R^K for each field, pi(a) = prod_f
 * softmax(theta_f)[a_f]. An iteration draws a population of assignments, measures the validation
 * AUC A(a) of each subnet with inherited weights, and moves theta along
 *
 *   mean over a of (R_f(a) - b_f) grad log pi_f(a_f)  +  entropy_t grad H(pi_f)
 *
 * (REINFORCE, Williams 1992) with b_f a moving mean of R_f, and entropy_t falling linearly to 0.
 * The reward of field f is
 *
 *   R_f(a) = A(a) / sigma_A - lambda max(0, params(a) / C_t - 1) M s_f(a),
 *   s_f(a) = V_f c_{a_f} / params(a):
 *
 * beyond the budget the fields compete, each paying in proportion to the share that it occupies.
 * sigma_A is the standard deviation of A in the first population, which the uniform policy draws (a
 * running one would blow up noise as the policy settles); lambda rises and falls with the policy's
 * expected params(a) / C_t - 1 (dual ascent), never below 0.
 *
 * C_t falls from what the uniform policy spends to the budget C, by the same factor in each iteration
 * of the share `closing`: the fields learn what their columns are worth before they compete for the
 * last ones. Where C binds from the start, a penalty of many sigma_A empties the large fields first.
 */
typedef struct adass_search_config {
    /**
     * "rl" (also NULL): the above. Its alternatives look at iterations x population assignments
     * too, and use neither policy nor penalty:
     * "evolution": OptEmbed's, with offspring shrunk into the budget; "random": the best of random
     * assignments inside the budget; "knapsack": an additive utility of the sizes is fitted to the
     * AUCs, and maximised under the budget.
     */
    const char *searcher;
    size_t eval_rows; /* validation rows of an evaluation; 0 for all */
    size_t iterations, population;
    double learning_rate;  /* of theta */
    double entropy;        /* weight of the entropy bonus at the beginning */
    double baseline_decay; /* of b_f, an iteration */
    double penalty;        /* lambda at the beginning */
    /* of the dual ascent; with both 0 there is no penalty, and only the repair keeps the budget */
    double penalty_rate;
    double closing; /* share of the iterations until the policy is held to the budget; 0: at once */
    bool
        equal_shares; /* s_f(a) = 1 / M: the penalty falls on all fields alike, without competition */
    size_t sweeps;    /* of the refinement, at most; 0 for none */
    /* steps for which each finalist is trained, as a share of the supernet's; 0: no finalists */
    double finalists;
    adass_trainer_config step; /* of their training */
    uint64_t seed;
    adass_search_memory *memory;        /* of this very model and `step`; NULL: none */
    const adass_checkpoint *checkpoint; /* NULL: none is kept */
} adass_search_config;

typedef struct adass_search_result {
    double seconds;
    double remembered_seconds; /* that the memory's took when it was measured; not in `seconds` */
    size_t
        evaluations; /* of different subnets, those of repairs, refinement and finalists too */
    double inherited_auc; /* of the assignment found, on the evaluation rows */
    uint64_t params;      /* of the assignment found */
    double lambda;        /* at the end */
    size_t repairs;       /* steps by which the policy's mode was shrunk into the budget */
    size_t refined;       /* changes of a field's size by the refinement */
    size_t finalists;     /* that were trained before the last choice */
    double *policy;       /* [n_fields x K], probabilities at the end, NULL without one; owned */
} adass_search_result;

/**
 * Searches. The answer begins with the policy's mode; while it exceeds the budget, the field that
 * loses the least AUC for each parameter it saves is shrunk by one candidate. Then it is refined: in
 * sweeps over the fields, each gets the smallest size whose AUC is within one standard error of the
 * best that keeps the budget, all other fields as they are (Breiman's rule; its use here is ours).
 * The policy sees a field through the noise of all others, and where sizes make no difference, what
 * is left of that would decide, another way with each seed. The last choice is between up to 17
 * finalists, around the refined assignment and near uniform sizes, each trained for a short while
 * (finalists.h; ours). The assignment returned never exceeds the budget.
 *
 * @param model   trained supernet, not changed
 * @param budget  parameters
 * @param choice  out, [n_fields]: candidate numbers
 * @param out     to be freed with adass_search_result_free(), on errors too
 * @return ADASS_OK; ADASS_EINVAL when even the cheapest assignment with an input to the model
 *         exceeds the budget
 */
adass_status adass_search(const adass_model *model, const adass_candidates *candidates,
                          const adass_dataset *dataset, const adass_compute *compute,
                          uint64_t budget, const adass_search_config *config,
                          const adass_monitor *monitor, uint8_t *choice, adass_search_result *out,
                          adass_error *err);

void adass_search_result_free(adass_search_result *result);

/**
 * A random assignment inside the window [0.9, 1] of the budget: sizes are drawn uniformly until the
 * parameters fall into it; if ten thousand draws do not, the largest that fits is taken (the
 * cheapest assignment if none does).
 *
 * @return ADASS_OK; ADASS_EINVAL when even the smallest candidate everywhere exceeds the budget
 */
adass_status adass_random_assignment(const adass_candidates *candidates, const size_t *vocab,
                                     size_t n_fields, uint64_t budget, uint64_t seed,
                                     uint8_t *choice, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
