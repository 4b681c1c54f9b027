/* JSON and text files. */
#include "json_file.h"

#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static bool put_text(FILE *file, const void *user) { return fputs(user, file) >= 0; }

adass_status adass_text_write(const char *path, const char *text, adass_error *err)
{
    return adass_file_write(path, put_text, text, err);
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
