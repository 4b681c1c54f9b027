/* What is left of the search: the assignment found is settled field by field. */
#ifndef ADASS_REFINE_H
#define ADASS_REFINE_H

#include "searcher.h"

/** How far a refinement is: all 0 at the beginning. For checkpoints. */
typedef struct adass_refinement {
    uint64_t done;      /* fields looked at, over all sweeps */
    uint64_t unchanged; /* the last so many of them kept their sizes */
    uint64_t changes;
} adass_refinement;

/**
 * Sweeps over the fields: each in turn gets the smallest size whose AUC, all other fields as they
 * are, is not more than one standard error below that of the field's best size (DeLong's, paired, on
 * the same rows). Only sizes that keep the budget are looked at. Ends when no field has changed since
 * its last turn, or after `sweeps`. Why it is there: adass/search.h. The one standard error rule is
 * that of Breiman et al. (Classification and Regression Trees, 1984).
 *
 * @param state   goes on from there
 * @param choice  [n_fields], inside the budget: refined
 */
adass_status adass_refine(const adass_search_problem *problem, size_t sweeps,
                          adass_refinement *state, uint8_t *choice, adass_error *err);

/**
 * What becomes of an assignment when every field at once gets the smallest size whose AUC, all others as
 * in `choice`, is within a margin of its best size's. Each size alone keeps the budget; all together may
 * not, nor need a field be left.
 *
 * @param choice   [n_fields], inside the budget
 * @param margins  [n_margins], in standard errors
 * @param family   out, [n_margins x n_fields]
 */
adass_status adass_refine_family(const adass_search_problem *problem, const uint8_t *choice,
                                 const double *margins, size_t n_margins, uint8_t *family,
                                 adass_error *err);

#endif
