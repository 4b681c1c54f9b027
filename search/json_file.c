/* JSON and text files. */
#include "json_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

adass_status adass_json_read(const char *path, json_t **out, adass_error *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    json_error_t problem;
    json_t *value = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
    fclose(file);
    if (value == NULL)
        return adass_fail(err, ADASS_EFORMAT, "%s:%d:%d: %s", path, problem.line, problem.column,
                          problem.text);
    *out = value;
    return ADASS_OK;
}

/* Text to an open file, down to the disk. */
static bool put(FILE *file, const char *text)
{
    return fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
}

adass_status adass_text_write(const char *path, const char *text, adass_error *err)
{
    char temporary[4096];
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.tmp-%ld", path, (long)getpid()) >=
        sizeof temporary)
        return adass_fail(err, ADASS_EINVAL, "%s: the path is too long", path);
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", path, strerror(errno));
    const bool written = put(file, text);
    const bool closed = fclose(file) == 0;
    if (written && closed && rename(temporary, path) == 0)
        return ADASS_OK;
    const int reason = errno;
    unlink(temporary);
    return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", path, strerror(reason));
}

adass_status adass_json_write(const char *path, const json_t *value, adass_error *err)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    if (text == NULL)
        return adass_fail_memory(err, "a JSON text", 0.0);
    const adass_status status = adass_text_write(path, text, err);
    free(text);
    return status;
}
