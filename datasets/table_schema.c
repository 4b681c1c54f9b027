/* Schema files of delimited text. */
#include "table_schema.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 1 << 16, SEPARATOR_BYTES_MAX = 8, NAME_BYTES_MAX = 64 };

static const char *const kind_names[] = { "ignore",  "label", "categorical",
                                          "numeric", "multi", "time" };
static const char *const part_names[] = { "hour", "weekday", "weekend", "day", "month" };

enum { N_KINDS = sizeof kind_names / sizeof kind_names[0] };

const char *adass_time_part_name(adass_time_part part) { return part_names[part]; }

/* What is being read, for messages. */
typedef struct reader {
    const char *path;
    size_t column; /* number, from 0 */
    adass_error *err;
} reader;

static adass_status fail_at(const reader *r, const char *format, ...) ADASS_PRINTF(2, 3);

static adass_status fail_at(const reader *r, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return adass_fail(r->err, ADASS_EFORMAT, "%s: %s", r->path, what);
}

static adass_status fail_column(const reader *r, const char *member, const char *what)
{
    return fail_at(r, "columns[%zu].%s: %s", r->column, member, what);
}

/* Whether the text is one of the names; its place among them. */
static bool find(const char *const *names, size_t n, const char *text, size_t *at)
{
    for (size_t i = 0; i < n && text != NULL; i++)
        if (strcmp(names[i], text) == 0) {
            *at = i;
            return true;
        }
    return false;
}

/* No member that nobody reads: it would be a misspelt one. */
static adass_status check_members(const reader *r, json_t *object, const char *where,
                                  const char *const *known, size_t n)
{
    const char *key;
    json_t *value;
    size_t at;
    json_object_foreach(object, key, value)
    {
        if (!find(known, n, key, &at))
            return fail_at(r, "%s%s: no such member here", where, key);
    }
    return ADASS_OK;
}

/* ---- a column ---- */

static adass_status read_separator(const reader *r, const json_t *value, const char **out)
{
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0' || strlen(text) > SEPARATOR_BYTES_MAX ||
        strpbrk(text, "\r\n\"") != NULL)
        return ADASS_EFORMAT;
    (void)r;
    *out = text;
    return ADASS_OK;
}

static adass_status read_label(const reader *r, const json_t *item, adass_column *c)
{
    const json_t *threshold = json_object_get(item, "threshold");
    const json_t *positives = json_object_get(item, "positive");
    if (threshold != NULL && positives != NULL)
        return fail_column(r, "positive", "there is a threshold already");
    if (threshold != NULL && !json_is_number(threshold))
        return fail_column(r, "threshold", "it is no number");
    c->has_threshold = threshold != NULL;
    c->threshold = json_number_value(threshold);
    const size_t n = json_array_size(positives);
    if (positives != NULL && (n == 0 || n >= ADASS_POSITIVES_MAX))
        return fail_column(r, "positive", "it is no list of 1 to 7 texts");
    for (size_t i = 0; i < n; i++) {
        c->positives[i] = json_string_value(json_array_get(positives, i));
        if (c->positives[i] == NULL)
            return fail_column(r, "positive", "it is no list of texts");
    }
    return ADASS_OK;
}

static adass_status read_categorical(const reader *r, const json_t *item, adass_column *c)
{
    static const char *const choices[] = { "oov", "value" };
    const json_t *missing = json_object_get(item, "missing");
    size_t at = 0;
    if (missing != NULL && !find(choices, 2, json_string_value(missing), &at))
        return fail_column(r, "missing", "it is neither \"oov\" nor \"value\"");
    c->missing_is_value = at == 1;
    return ADASS_OK;
}

static adass_status read_multi(const reader *r, const json_t *item, adass_column *c)
{
    if (read_separator(r, json_object_get(item, "separator"), &c->separator) != ADASS_OK)
        return fail_column(r, "separator", "it is no text of 1 to 8 bytes");
    const json_int_t keep = json_integer_value(json_object_get(item, "keep"));
    if (keep < 1 || keep > ADASS_KEEP_MAX)
        return fail_column(r, "keep", "it is no whole number from 1 to 256");
    c->keep = (size_t)keep;
    return ADASS_OK;
}

static adass_status read_parts(const reader *r, const json_t *parts, adass_column *c)
{
    c->n_parts = json_array_size(parts);
    if (c->n_parts == 0 || c->n_parts > ADASS_N_TIME_PARTS)
        return fail_column(r, "parts", "it is no list of parts");
    for (size_t i = 0; i < c->n_parts; i++) {
        size_t at = 0;
        if (!find(part_names, ADASS_N_TIME_PARTS, json_string_value(json_array_get(parts, i)), &at))
            return fail_column(r, "parts", "a part is none of hour, weekday, weekend, day, month");
        c->parts[i] = (adass_time_part)at;
    }
    return ADASS_OK;
}

/* Places of a digit in a pattern. */
static size_t count_digits(const char *pattern, char c)
{
    size_t n = 0;
    for (; *pattern != '\0' && *pattern != '*'; pattern++)
        n += *pattern == c;
    return n;
}

/* Every part that is asked for can be told from the digits. */
static bool pattern_serves(const char *pattern, const adass_column *c)
{
    const size_t years = count_digits(pattern, 'Y'), hours = count_digits(pattern, 'H');
    bool hour_asked = false;
    for (size_t i = 0; i < c->n_parts; i++)
        hour_asked |= c->parts[i] == ADASS_HOUR;
    return (years == 2 || years == 4) && count_digits(pattern, 'M') == 2 &&
           count_digits(pattern, 'D') == 2 && (hours == 2 || (hours == 0 && !hour_asked));
}

static adass_status read_time(const reader *r, const json_t *item, adass_column *c)
{
    const json_t *prefix = json_object_get(item, "prefix");
    const adass_status status = read_parts(r, json_object_get(item, "parts"), c);
    if (status != ADASS_OK)
        return status;
    c->format = json_string_value(json_object_get(item, "format"));
    if (c->format == NULL || (strcmp(c->format, "unix") != 0 && !pattern_serves(c->format, c)))
        return fail_column(r, "format",
                           "it is neither \"unix\" nor a pattern with YYYY or YY, MM, DD, "
                           "and HH where the hour is asked for");
    c->prefix = json_string_value(prefix);
    if (prefix != NULL && (c->prefix == NULL || strlen(c->prefix) > NAME_BYTES_MAX / 2))
        return fail_column(r, "prefix", "it is no text of up to 32 bytes");
    return ADASS_OK;
}

typedef struct kind_reader {
    size_t n_members;
    const char *members[6];
    adass_status (*read)(const reader *r, const json_t *item, adass_column *c);
} kind_reader;

static const kind_reader kind_readers[N_KINDS] = {
    [ADASS_COLUMN_IGNORE] = { 2, { "name", "kind" }, NULL },
    [ADASS_COLUMN_LABEL] = { 4, { "name", "kind", "threshold", "positive" }, read_label },
    [ADASS_COLUMN_CATEGORICAL] = { 3, { "name", "kind", "missing" }, read_categorical },
    [ADASS_COLUMN_NUMERIC] = { 2, { "name", "kind" }, NULL },
    [ADASS_COLUMN_MULTI] = { 4, { "name", "kind", "separator", "keep" }, read_multi },
    [ADASS_COLUMN_TIME] = { 5, { "name", "kind", "format", "parts", "prefix" }, read_time },
};

/* A name that is a field's has a length that datasets allow. */
static adass_status read_name(const reader *r, const json_t *item, adass_column *c)
{
    c->name = json_string_value(json_object_get(item, "name"));
    const bool field = c->kind == ADASS_COLUMN_CATEGORICAL || c->kind == ADASS_COLUMN_NUMERIC ||
                       c->kind == ADASS_COLUMN_MULTI;
    if (c->name == NULL)
        return fail_column(r, "name", "it is missing, or no text");
    const size_t room = c->kind == ADASS_COLUMN_MULTI ? NAME_BYTES_MAX - 4 : NAME_BYTES_MAX;
    if (field && (c->name[0] == '\0' || strlen(c->name) > room))
        return fail_column(r, "name", "a field's name has 1 to 64 bytes (60 where it is numbered)");
    return ADASS_OK;
}

static adass_status read_column(const reader *r, json_t *item, adass_column *c)
{
    size_t kind = 0;
    if (!find(kind_names, N_KINDS, json_string_value(json_object_get(item, "kind")), &kind))
        return fail_column(r, "kind",
                           "it is none of categorical, numeric, multi, time, label, ignore");
    c->kind = (adass_column_kind)kind;
    const kind_reader *k = &kind_readers[kind];
    char where[40];
    snprintf(where, sizeof where, "columns[%zu].", r->column);
    adass_status status = check_members(r, item, where, k->members, k->n_members);
    if (status == ADASS_OK)
        status = read_name(r, item, c);
    return status == ADASS_OK && k->read != NULL ? k->read(r, item, c) : status;
}

/* ---- the whole ---- */

static adass_status check_labels(const reader *r, const adass_table_schema *schema)
{
    size_t labels = 0, fields = 0;
    for (size_t i = 0; i < schema->n_columns; i++) {
        labels += schema->columns[i].kind == ADASS_COLUMN_LABEL;
        fields += schema->columns[i].kind > ADASS_COLUMN_LABEL;
    }
    if (labels != 1)
        return fail_at(r, "columns: %zu of them are labels; there must be one", labels);
    return fields > 0 ? ADASS_OK : fail_at(r, "columns: none of them makes a field");
}

static adass_status read_columns(reader *r, json_t *list, adass_table_schema *schema)
{
    const size_t n = json_array_size(list);
    if (n == 0 || n > COLUMNS_MAX)
        return fail_at(r, "columns: it is no list of 1 to %d columns", COLUMNS_MAX);
    adass_column *columns = calloc(n, sizeof *columns);
    if (columns == NULL)
        return adass_fail_memory(r->err, r->path, (double)(n * sizeof *columns));
    schema->n_columns = n;
    schema->columns = columns;
    adass_status status = ADASS_OK;
    for (; r->column < n && status == ADASS_OK; r->column++)
        status = read_column(r, json_array_get(list, r->column), &columns[r->column]);
    return status == ADASS_OK ? check_labels(r, schema) : status;
}

static adass_status read_header(const reader *r, const json_t *value, adass_table_schema *schema)
{
    const char *text = json_string_value(value);
    if (value == NULL || json_is_false(value))
        schema->header = ADASS_HEADER_NONE;
    else if (json_is_true(value))
        schema->header = ADASS_HEADER_DEMANDED;
    else if (text != NULL && strcmp(text, "optional") == 0)
        schema->header = ADASS_HEADER_OPTIONAL;
    else
        return fail_at(r, "header: it is none of true, false, \"optional\"");
    return ADASS_OK;
}

static adass_status read_schema(reader *r, json_t *root, adass_table_schema *schema)
{
    static const char *const members[] = { "header", "separator", "columns" };
    if (!json_is_object(root))
        return fail_at(r, "it is no JSON object");
    adass_status status = check_members(r, root, "", members, 3);
    if (status == ADASS_OK)
        status = read_header(r, json_object_get(root, "header"), schema);
    if (status != ADASS_OK)
        return status;
    const json_t *separator = json_object_get(root, "separator");
    schema->separator = ",";
    if (separator != NULL && read_separator(r, separator, &schema->separator) != ADASS_OK)
        return fail_at(r, "separator: it is no text of 1 to 8 bytes without quotes and line ends");
    return read_columns(r, json_object_get(root, "columns"), schema);
}

adass_status adass_table_schema_read(adass_table_schema *out, const char *path, adass_error *err)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    json_error_t problem;
    json_t *root = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
    fclose(file);
    if (root == NULL)
        return adass_fail(err, ADASS_EFORMAT, "%s:%d:%d: %s", path, problem.line, problem.column,
                          problem.text);
    adass_table_schema schema = { .source = root };
    reader r = { .path = path, .err = err };
    const adass_status status = read_schema(&r, root, &schema);
    if (status == ADASS_OK)
        *out = schema;
    else
        adass_table_schema_free(&schema);
    return status;
}

void adass_table_schema_free(adass_table_schema *schema)
{
    if (schema->source == NULL)
        return;
    free((void *)schema->columns);
    json_decref(schema->source);
    *schema = (adass_table_schema){ 0 };
}
