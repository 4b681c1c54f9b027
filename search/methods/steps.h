/* A loop of training steps, for methods with a schedule of their own. */
#ifndef ADASS_METHODS_STEPS_H
#define ADASS_METHODS_STEPS_H

#include "methods/method.h"

typedef struct adass_steps {
    const adass_method_setting *setting;
    adass_trainer *trainer;
    adass_batches *batches;
    uint64_t seed;                             /* of the order of the rows */
    uint64_t total;                            /* steps of all epochs, for the progress */
    const char *stage;                         /* for the progress */
    uint64_t done;                             /* steps so far */
    uint64_t epochs;                           /* begun by adass_steps_one() */
    bool stop;                                 /* set by after(): no more steps */
    void (*before)(void *user);                /* each step; may be NULL */
    void (*after)(void *user, size_t samples); /* each step */
    const size_t *sizes;                       /* of the subnet, or NULL */
    void *user;
} adass_steps;

/** The steps of one epoch, or until stop is set. */
adass_status adass_steps_epoch(adass_steps *steps, uint64_t epoch, adass_error *err);

/** One step on the next batch, of the next epoch where one is over. */
adass_status adass_steps_one(adass_steps *steps, adass_error *err);

#endif
