/*
 * What searches on one supernet have measured, for its next budget, where much of it comes up again:
 * AUCs of subnets, and how far finalists were trained.
 */
#ifndef ADASS_SEARCH_MEMORY_H
#define ADASS_SEARCH_MEMORY_H

#include "adass/search.h"
#include "finalists.h"

/** A finalist as far as it was trained. */
typedef struct adass_remembered_finalist {
    size_t checks;                      /* that it reached, at least 1 */
    double aucs[ADASS_FINALIST_CHECKS]; /* [checks], the best up to each */
    double seconds;                     /* that this took */
} adass_remembered_finalist;

/** A subnet's AUC on the rows that a search evaluates. */
typedef struct adass_remembered_auc {
    double auc, seconds; /* that this took, 0 where it came beside something else */
} adass_remembered_auc;

/** What a memory is of besides the supernet. */
typedef struct adass_search_memory_key {
    size_t n_fields, eval_rows;
    size_t finalists_steps; /* 0: of no finalists */
    uint64_t seed;
} adass_search_memory_key;

/**
 * Forgets what was measured with another key: of finalists alone, where only their steps are others. A
 * search without finalists leaves them. ADASS_OK or ADASS_ENOMEM.
 */
adass_status adass_search_memory_begin(adass_search_memory *memory,
                                       const adass_search_memory_key *key, adass_error *err);

/** What is remembered of the subnet choice[n_fields], or NULL. Valid until the next call. */
const adass_remembered_auc *adass_search_memory_auc(const adass_search_memory *memory,
                                                    const uint8_t *choice);

/** Remembers it, unless it is there. ADASS_OK or ADASS_ENOMEM. */
adass_status adass_search_memory_put_auc(adass_search_memory *memory, const uint8_t *choice,
                                         const adass_remembered_auc *remembered, adass_error *err);

/** What is remembered of the finalist choice[n_fields], or NULL. Valid until the next call. */
const adass_remembered_finalist *adass_search_memory_finalist(const adass_search_memory *memory,
                                                              const uint8_t *choice);

/** Takes the place of what was remembered of it. ADASS_OK or ADASS_ENOMEM. */
adass_status adass_search_memory_put_finalist(adass_search_memory *memory, const uint8_t *choice,
                                              const adass_remembered_finalist *remembered,
                                              adass_error *err);

#endif
