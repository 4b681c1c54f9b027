/* Wall time. */
#ifndef ADASS_CLOCK_H
#define ADASS_CLOCK_H

#include <time.h>

/** Seconds since some fixed moment. */
static inline double adass_clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
