/* Status codes and error messages. */
#include "adass/status.h"

#include <stdarg.h>
#include <stdio.h>

adass_status adass_fail(adass_error *err, adass_status code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
        err->code = code;
    }
    return code;
}

adass_status adass_fail_memory(adass_error *err, const char *what, double bytes)
{
    return adass_fail(err, ADASS_ENOMEM, "out of memory: %s needs %.1f MiB", what,
                      bytes / (1024.0 * 1024.0));
}
