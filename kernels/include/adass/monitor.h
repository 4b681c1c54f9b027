/* How long work tells of its progress and is told to stop. */
#ifndef ADASS_MONITOR_H
#define ADASS_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Both members may be NULL; so may a pointer to a monitor. */
typedef struct adass_monitor {
    /**
     * Called now and then from the thread that began the work: `done` of `total` units of `stage`
     * are over, `note` says how it goes (may be "").
     */
    void (*progress)(void *user, const char *stage, uint64_t done, uint64_t total,
                     const char *note);
    /** Asked at the same moments; true ends the work with ADASS_EINTERRUPTED. */
    bool (*stop)(void *user);
    void *user;
} adass_monitor;

/** Reports and asks; ADASS_OK or ADASS_EINTERRUPTED. */
adass_status adass_monitor_tick(const adass_monitor *monitor, const char *stage, uint64_t done,
                                uint64_t total, const char *note, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
