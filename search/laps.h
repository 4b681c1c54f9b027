/* Where a training step's time goes: a clock a thread, read between the parts. */
#ifndef ADASS_LAPS_H
#define ADASS_LAPS_H

#include "adass/model.h"
#include "clock.h"

#include <stddef.h>

/* One thread's; a cache line and more apart from the next one's. */
typedef struct adass_laps {
    double last; /* when the part before ended */
    double seconds[ADASS_STEP_PARTS];
    char apart[64];
} adass_laps;

/** Starts the clock. Accepts NULL, as the next one does, where nobody wants to know. */
static inline void adass_lap_begin(adass_laps *laps)
{
    if (laps != NULL)
        laps->last = adass_clock_seconds();
}

/** The time since the last call was this part's. */
static inline void adass_lap(adass_laps *laps, adass_step_part part)
{
    if (laps == NULL)
        return;
    const double now = adass_clock_seconds();
    laps->seconds[part] += now - laps->last;
    laps->last = now;
}

#endif
