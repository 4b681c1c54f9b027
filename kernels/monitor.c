/* Progress and stopping. */
#include "adass/monitor.h"

#include <stddef.h>

adass_status adass_monitor_tick(const adass_monitor *monitor, const char *stage, uint64_t done,
                                uint64_t total, const char *note, adass_error *err)
{
    if (monitor == NULL)
        return ADASS_OK;
    if (monitor->progress != NULL)
        monitor->progress(monitor->user, stage, done, total, note);
    if (monitor->stop != NULL && monitor->stop(monitor->user))
        return adass_fail(err, ADASS_EINTERRUPTED, "stopped on request during %s", stage);
    return ADASS_OK;
}
