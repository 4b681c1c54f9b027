/*
 * The monitor of the command line: a line of progress on the terminal, and stopping by Ctrl-C.
 *
 *   adass_progress progress;
 *   adass_progress_begin(&progress);
 *   status = adass_train(..., &progress.monitor, ...);
 *   adass_progress_end(&progress);
 */
#ifndef ADASS_PROGRESS_H
#define ADASS_PROGRESS_H

#include <stdint.h>

#include "adass/monitor.h"

typedef struct adass_progress {
    adass_monitor monitor; /* to be given to the work */
    /* private */
    char stage[64];            /* the stage that is being timed */
    uint64_t stage_done;       /* units that were over when its timing began */
    double stage_began, shown; /* seconds on the monotonic clock */
} adass_progress;

/**
 * To be called once, before any thread is started: SIGINT and SIGTERM are blocked in all threads but
 * one that waits for them. No handler, since oneDNN's sgemm has its stack pointer in buffers of the
 * heap at times: the frame of a handler, 3 KiB with the registers of AVX-512, would be written over
 * what lies below. Without work that shows progress a signal kills, as ever.
 */
void adass_signals_begin(void);

/**
 * From here on SIGINT and SIGTERM ask the work to end, which the monitor passes on as
 * ADASS_EINTERRUPTED; a second one kills at once. The request stays: work that begins later under
 * another adass_progress ends at its first tick. Progress is shown only where standard error is a
 * terminal. The monitor points to `progress`, which must stay where it is.
 */
void adass_progress_begin(adass_progress *progress);

/** Clears the line; signals kill again. */
void adass_progress_end(adass_progress *progress);

#endif
