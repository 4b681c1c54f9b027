/* JSON and text files. */
#include "json_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CHARS = 4096 };

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

/* The name under which a file is written until it is complete. */
static adass_status temporary_name(const char *path, char temporary[PATH_CHARS], adass_error *err)
{
    if ((size_t)snprintf(temporary, PATH_CHARS, "%s.tmp-%ld", path, (long)getpid()) >= PATH_CHARS)
        return adass_fail(err, ADASS_EINVAL, "%s: the path is too long", path);
    return ADASS_OK;
}

static adass_status fail_to_write(const char *path, int reason, adass_error *err)
{
    return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s", path, strerror(reason));
}

adass_status adass_file_check_writable(const char *path, adass_error *err)
{
    char temporary[PATH_CHARS];
    struct stat about;
    const adass_status status = temporary_name(path, temporary, err);
    if (status != ADASS_OK)
        return status;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return fail_to_write(path, EISDIR, err);
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        return fail_to_write(path, errno, err);
    fclose(file);
    unlink(temporary);
    return ADASS_OK;
}

adass_status adass_text_write(const char *path, const char *text, adass_error *err)
{
    char temporary[PATH_CHARS];
    const adass_status status = temporary_name(path, temporary, err);
    if (status != ADASS_OK)
        return status;
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        return fail_to_write(path, errno, err);
    const bool written = put(file, text);
    const bool closed = fclose(file) == 0;
    if (written && closed && rename(temporary, path) == 0)
        return ADASS_OK;
    const int reason = errno;
    unlink(temporary);
    return fail_to_write(path, reason, err);
}

adass_status adass_json_write(const char *path, const json_t *value, adass_error *err)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    const size_t length = text != NULL ? strlen(text) : 0;
    char *line = text != NULL ? realloc(text, length + 2) : NULL;
    if (line == NULL) {
        free(text);
        return adass_fail_memory(err, "a JSON text", (double)length);
    }
    memcpy(line + length, "\n", 2);
    const adass_status status = adass_text_write(path, line, err);
    free(line);
    return status;
}
