/* A loop of training steps, for methods with a schedule of their own; it keeps checkpoints. */
#ifndef ADASS_METHODS_STEPS_H
#define ADASS_METHODS_STEPS_H

#include "methods/method.h"
#include "state.h"

typedef struct adass_steps {
    const adass_method_setting *setting;
    adass_trainer *trainer;
    adass_batches *batches;
    uint64_t seed;        /* of the order of the rows */
    uint64_t epochs;      /* at most */
    const char *stage;    /* for the progress */
    bool for_all_budgets; /* the budget does not matter, so the next one has their checkpoint */
    const size_t *sizes;  /* of the subnet, or NULL */
    void (*before)(void *user); /* each step; may be NULL */
    adass_status (*after)(void *user, size_t samples, adass_error *err); /* each step */
    adass_status (*end_epoch)(void *user, adass_error *err);             /* may be NULL */
    adass_state_list list; /* all that steps change beside the place below */
    void *user;
    /* the place: 0 at the beginning */
    uint64_t epoch, batch; /* over: whole epochs, and batches of the one after */
    uint64_t done;         /* steps so far */
    uint64_t stop;         /* 1: no more steps; set by after() or end_epoch() */
    uint64_t window_rows;  /* which decide the order of the rows */
    double loss;           /* of the last step's batch, before the step */
    bool begun;            /* the order of the epoch is with the reader */
    adass_keeper keeper;   /* its seconds are those of the loop */
} adass_steps;

/**
 * The steps of all epochs, or until stop is set: from the checkpoint of the stage `search` on, or with
 * for_all_budgets of the stage `pretrain`, where there is one. What was reached in the end stays in it, for the training that follows.
 */
adass_status adass_steps_run(adass_steps *steps, adass_error *err);

/**
 * One step on the next batch, of the next epoch where one is over, within after() of another loop;
 * that one's list() has the place.
 */
adass_status adass_steps_one(adass_steps *steps, const adass_steps *within, adass_error *err);

/** Lists the place of the steps, under names that begin with `what`. */
void adass_steps_list_place(adass_steps *steps, const char *what, adass_state *state);

#endif
