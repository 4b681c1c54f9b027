/*
 * The state of a stage as a list of named arrays, and the keeping of it in a checkpoint. A stage
 * has one function that lists its state; saving writes what the list points to, resuming reads into
 * it, so that the two cannot differ.
 *
 *   static void list(void *user, adass_state *state) { adass_state_add_model(state, r->model); ... }
 *
 *   adass_keeper keeper;
 *   status = adass_keeper_begin(&keeper, config->checkpoint, list, &r, err);
 *   for (; r.step < n && status == ADASS_OK; r.step++) {
 *       ... a step ...
 *       status = adass_keeper_tick(&keeper, adass_monitor_tick(...), err);
 *   }
 *   out->seconds = adass_keeper_seconds(&keeper);
 */
#ifndef ADASS_STATE_H
#define ADASS_STATE_H

#include "adass/checkpoint.h"
#include "adass/model.h"
#include "safetensors.h"

typedef struct adass_state {
    const adass_safetensors *from; /* the file that will be read into the list; NULL for saving */
    adass_array *arrays;
    size_t n, capacity;
    bool failed; /* out of memory: the list is incomplete */
} adass_state;

/** Adds n elements at `data`, which must stay there while the list is in use. */
void adass_state_add_f64(adass_state *state, const char *name, double *data, size_t n);
void adass_state_add_f32(adass_state *state, const char *name, float *data, size_t n);
void adass_state_add_u64(adass_state *state, const char *name, uint64_t *data, size_t n);
void adass_state_add_u8(adass_state *state, const char *name, uint8_t *data, size_t n);

/** Adds all that training changes of a model: parameters, Adam's moments, step count. */
void adass_state_add_model(adass_state *state, adass_model *model);

/** Lists a stage's state; may make room first for as many rows as state->from has. */
typedef void (*adass_state_list)(void *user, adass_state *state);

/** Keeps a stage's state; the caller's storage. */
typedef struct adass_keeper {
    const adass_checkpoint *config; /* NULL: keeps nothing */
    adass_state_list list;
    void *user;
    double began; /* of the stage, its time before it was taken up again included */
    double saved; /* the last time */
} adass_keeper;

/**
 * Begins a stage, from its checkpoint where it is to resume and there is one.
 *
 * @param config  NULL for a stage without checkpoints
 * @return ADASS_OK; ADASS_EFORMAT for a file that is damaged; ADASS_EINVAL for one of another
 *         identity; ADASS_EIO; ADASS_ENOMEM
 */
adass_status adass_keeper_begin(adass_keeper *keeper, const adass_checkpoint *config,
                                adass_state_list list, void *user, adass_error *err);

/**
 * After a step: saves when it is time, or when the monitor has stopped the stage.
 *
 * @param keeper  NULL keeps nothing
 * @param status  of adass_monitor_tick()
 * @return status, or why the state could not be saved
 */
adass_status adass_keeper_tick(adass_keeper *keeper, adass_status status, adass_error *err);

/**
 * Whether the reader gives its rows in the order that the checkpoint was made with: where a split
 * does not fit, that depends on the machine's memory.
 *
 * @param window_rows  of the state: 0 in a new stage, and then set
 * @return ADASS_OK or ADASS_EINVAL
 */
adass_status adass_keeper_check_order(const adass_keeper *keeper, const adass_batches *batches,
                                      uint64_t *window_rows, adass_error *err);

/** Saves now; does nothing without checkpoints. */
adass_status adass_keeper_save(adass_keeper *keeper, adass_error *err);

/** Seconds of the stage so far, in all its parts. */
double adass_keeper_seconds(const adass_keeper *keeper);

#endif
