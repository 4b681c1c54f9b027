/* Rows of delimited text by a schema. */
#include "table_format.h"

#include "meta.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALL_DIGITS = 4,
    SMALL_NUMBERS = 10000, /* below: numbers whose category is looked up */
    MANY_CATEGORIES = 85,
    TEXT_BYTES = 24, /* of a value that does not stand in the line: a whole number */
    SECONDS_PER_DAY = 86400,
    NAME_BYTES = 96
};

/* What is done with a column that is read. */
typedef struct step {
    const adass_column *column;
    size_t cell;  /* of the line */
    size_t field; /* its first one */
    size_t n_fields;
} step;

struct adass_table_format {
    const adass_table_schema *schema;
    size_t n_steps;
    step *steps; /* [n_steps], by kind, so that the same code goes through many of them */
    adass_dialect dialect;
    adass_row_format rows;
    adass_row_field *fields;
    const char **vocabularies;
    char *names;                         /* [n_fields x NAME_BYTES] */
    uint8_t squares[SMALL_NUMBERS];      /* categories of numbers; at most 84 */
    char categories[MANY_CATEGORIES][2]; /* 0 to 84 as texts */
    adass_key keys[MANY_CATEGORIES];     /* of these */
};

/* ---- numbers ---- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Digits with at most one point among them; the value without the point, and the places behind it. */
static bool take_digits(const char **at, const char *end, double *mantissa, int *places)
{
    bool point = false, any = false;
    *mantissa = 0.0;
    *places = 0;
    for (; *at < end; (*at)++) {
        const char c = **at;
        if (c == '.' && !point) {
            point = true;
        } else if (is_digit(c)) {
            any = true;
            if (*mantissa < 0x1p53) { /* later digits change nothing that a double could show */
                *mantissa = *mantissa * 10.0 + (double)(c - '0');
                *places += point;
            } else {
                *places -= !point;
            }
        } else {
            break;
        }
    }
    return any;
}

static bool take_exponent(const char **at, const char *end, int *exponent)
{
    if (*at == end)
        return true;
    if (**at != 'e' && **at != 'E')
        return false;
    (*at)++;
    const bool negative = *at < end && **at == '-';
    if (*at < end && (**at == '-' || **at == '+'))
        (*at)++;
    const char *first = *at;
    int value = 0;
    for (; *at < end && is_digit(**at) && value < 10000; (*at)++)
        value = value * 10 + (**at - '0');
    *exponent = negative ? -value : value;
    return *at > first && *at == end;
}

/* Powers of ten up to 22 are exact, so that numbers of up to 15 digits come out as a compiler rounds them. */
static double scale(double mantissa, int exponent)
{
    double power = 1.0;
    for (int i = 0; i < abs(exponent) && i < 400; i++)
        power *= 10.0;
    return exponent < 0 ? mantissa / power : mantissa * power;
}

bool adass_cell_number(const adass_cell *cell, double *out)
{
    const char *at = cell->text, *end = at + cell->length;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    double mantissa;
    int places, exponent = 0;
    if (!take_digits(&at, end, &mantissa, &places) || !take_exponent(&at, end, &exponent))
        return false;
    const double value = scale(mantissa, exponent - places);
    *out = negative ? -value : value;
    return isfinite(value);
}

/* Up to 15 digits, which a double holds as well. */
static inline bool take_integer(const adass_cell *cell, int64_t *out)
{
    const char *at = cell->text, *end = at + cell->length;
    const bool negative = cell->length > 0 && *at == '-';
    at += negative;
    if (at == end || end - at > 15)
        return false;
    int64_t value = 0;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        value = value * 10 + (*at - '0');
    }
    *out = negative ? -value : value;
    return true;
}

/*
 * A number of up to SMALL_DIGITS digits, without a branch for each; nothing is 0. A byte below '0' borrows from those
 * above it, but is itself left above 9.
 */
static inline bool take_small(const adass_line *line, const adass_cell *cell, unsigned *out)
{
    const size_t n = cell->length;
    if (n > SMALL_DIGITS || cell->column + SMALL_DIGITS > line->length + 1) { /* what is loaded */
        *out = 0;
        return n == 0;
    }
    const unsigned shift = 8 * (unsigned)(SMALL_DIGITS - n);
    const uint64_t text = adass_load_32(cell->text); /* the first digit lowest, see npy.c */
    const uint32_t digits = (uint32_t)(text << shift) - (uint32_t)(UINT64_C(0x30303030) << shift);
    const uint32_t pairs = (digits * 10 + (digits >> 8)) & UINT32_C(0x00ff00ff);
    *out = (pairs & 0xff) * 100 + (pairs >> 16);
    return ((digits | (digits + UINT32_C(0x76767676))) & UINT32_C(0x80808080)) == 0;
}

static int64_t log_square(double x)
{
    const double l = log(x);
    return (int64_t)floor(l * l);
}

/* The value as a decimal text. */
static adass_cell write_integer(int64_t value, char text[TEXT_BYTES])
{
    char *at = text + TEXT_BYTES;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    do
        *--at = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        *--at = '-';
    return (adass_cell){ at, (size_t)(text + TEXT_BYTES - at), 0 };
}

static adass_cell write_category(const adass_table_format *t, size_t category)
{
    const bool two = category > 9;
    return (adass_cell){ t->categories[category] + !two, (size_t)1 + two, 0 };
}

static adass_status take_numeric(const adass_table_format *t, const adass_line *line,
                                 const adass_cell *cell, char text[TEXT_BYTES], adass_cell *out,
                                 adass_error *err)
{
    unsigned small;
    int64_t value;
    double x;
    if (take_small(line, cell, &small)) {
        *out = write_category(t, t->squares[small]);
        return ADASS_OK;
    }
    if (take_integer(cell, &value)) {
        if (value > 2)
            value = log_square((double)value);
    } else {
        if (!adass_cell_number(cell, &x))
            return adass_fail_cell(err, line, cell, "not a number");
        if (x < -1e15)
            return adass_fail_cell(err, line, cell, "a number below -1e15");
        value = x > 2.0 ? log_square(x) : (int64_t)x;
    }
    *out = write_integer(value, text);
    return ADASS_OK;
}

/* ---- labels ---- */

static adass_status take_label(const adass_column *c, const adass_line *line,
                               const adass_cell *cell, uint8_t *out, adass_error *err)
{
    if (c->positives[0] != NULL) {
        *out = 0;
        for (size_t i = 0; i < ADASS_POSITIVES_MAX && c->positives[i] != NULL; i++)
            *out |= adass_cell_is(cell, c->positives[i]);
        return ADASS_OK;
    }
    if (!c->has_threshold && cell->length == 1 && (cell->text[0] == '0' || cell->text[0] == '1')) {
        *out = cell->text[0] == '1';
        return ADASS_OK;
    }
    double x;
    if (!adass_cell_number(cell, &x))
        return adass_fail_cell(err, line, cell, "the label is not a number");
    if (!c->has_threshold && x != 0.0 && x != 1.0)
        return adass_fail_cell(err, line, cell, "the label is neither 0 nor 1");
    *out = c->has_threshold ? x >= c->threshold : x == 1.0;
    return ADASS_OK;
}

/* ---- time ---- */

typedef struct moment {
    int64_t days; /* since 1970-01-01 */
    int64_t year, month, day, hour;
} moment;

/* Days since 1970-01-01 in the Gregorian calendar; years begin in March, so that leap days come last. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;
    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void date_from_days(moment *at)
{
    int64_t year = 1970 + at->days / 366;
    while (days_from_date(year + 1, 1, 1) <= at->days)
        year++;
    int64_t month = 1;
    while (month < 12 && days_from_date(year, month + 1, 1) <= at->days)
        month++;
    at->year = year;
    at->month = month;
    at->day = at->days - days_from_date(year, month, 1) + 1;
}

static bool take_unix(const adass_cell *cell, moment *out)
{
    uint64_t seconds;
    if (!adass_cell_whole(cell, &seconds) || seconds > UINT64_C(253402300799)) /* the end of 9999 */
        return false;
    out->days = (int64_t)(seconds / SECONDS_PER_DAY);
    out->hour = (int64_t)(seconds % SECONDS_PER_DAY / 3600);
    date_from_days(out);
    return true;
}

static bool is_date(const moment *at)
{
    if (at->month < 1 || at->month > 12 || at->day < 1 || at->hour > 23)
        return false;
    const int64_t next = at->month < 12 ? days_from_date(at->year, at->month + 1, 1)
                                        : days_from_date(at->year + 1, 1, 1);
    return at->day <= next - days_from_date(at->year, at->month, 1);
}

static bool take_pattern(const adass_cell *cell, const char *pattern, moment *out)
{
    *out = (moment){ 0 };
    size_t i = 0, years = 0;
    for (; *pattern != '\0' && *pattern != '*'; pattern++, i++) {
        const char c = i < cell->length ? cell->text[i] : '\0';
        int64_t *part = *pattern == 'Y'   ? &out->year
                        : *pattern == 'M' ? &out->month
                        : *pattern == 'D' ? &out->day
                        : *pattern == 'H' ? &out->hour
                                          : NULL;
        if (i >= cell->length || (part != NULL && !is_digit(c)) ||
            (part == NULL && *pattern != '?' && *pattern != c))
            return false;
        if (part != NULL)
            *part = *part * 10 + (c - '0');
        years += *pattern == 'Y';
    }
    if (years == 2)
        out->year += 2000;
    if ((*pattern == '\0' && i < cell->length) || !is_date(out))
        return false;
    out->days = days_from_date(out->year, out->month, out->day);
    return true;
}

static int64_t part_of(const moment *at, adass_time_part part)
{
    const int64_t weekday = ((at->days + 3) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
    const int64_t values[ADASS_N_TIME_PARTS] = { at->hour, weekday, weekday >= 5, at->day,
                                                 at->month };
    return values[part];
}

static adass_status take_time(const adass_column *c, const adass_line *line, const adass_cell *cell,
                              char *texts, adass_cell *values, adass_error *err)
{
    moment at;
    const bool missing = cell->length == 0;
    if (!missing && !(strcmp(c->format, "unix") == 0 ? take_unix(cell, &at)
                                                     : take_pattern(cell, c->format, &at))) {
        char what[96];
        snprintf(what, sizeof what, "no time of the format %.60s", c->format);
        return adass_fail_cell(err, line, cell, what);
    }
    for (size_t i = 0; i < c->n_parts; i++)
        values[i] = missing ? (adass_cell){ NULL, 0, 0 }
                            : write_integer(part_of(&at, c->parts[i]), texts + i * TEXT_BYTES);
    return ADASS_OK;
}

/* ---- lists ---- */

static void take_multi(const adass_column *c, const adass_cell *cell, adass_cell *values)
{
    const size_t separator_length = strlen(c->separator);
    const char *at = cell->text, *end = at + cell->length;
    size_t n = 0;
    while (at < end && n < c->keep) {
        const char *stop = memmem(at, (size_t)(end - at), c->separator, separator_length);
        const size_t length = (size_t)((stop != NULL ? stop : end) - at);
        if (length > 0)
            values[n++] = (adass_cell){ at, length, cell->column + (size_t)(at - cell->text) };
        at += length + separator_length;
    }
    for (; n < c->keep; n++)
        values[n] = (adass_cell){ NULL, 0, 0 };
}

/* ---- a row ---- */

static size_t fields_of(const adass_column *c)
{
    return c->kind == ADASS_COLUMN_MULTI  ? c->keep
           : c->kind == ADASS_COLUMN_TIME ? c->n_parts
                                          : c->kind > ADASS_COLUMN_LABEL;
}

/* A category's text; NULL where it is missing. */
static const char *category_of(const adass_column *c, const adass_cell *cell)
{
    return cell->length == 0 && !c->missing_is_value ? NULL : cell->text;
}

static adass_status take_column(const adass_table_format *t, const step *s, const adass_line *line,
                                adass_row *row, adass_error *err)
{
    const adass_column *c = s->column;
    const adass_cell *cell = &row->cells[s->cell];
    adass_cell *values = &row->values[s->field];
    char *texts = row->texts + s->field * TEXT_BYTES;
    switch (c->kind) {
    case ADASS_COLUMN_IGNORE:
        break;
    case ADASS_COLUMN_LABEL:
        return take_label(c, line, cell, &row->label, err);
    case ADASS_COLUMN_CATEGORICAL:
        *values = (adass_cell){ category_of(c, cell), cell->length, cell->column };
        break;
    case ADASS_COLUMN_NUMERIC:
        return take_numeric(t, line, cell, texts, values, err);
    case ADASS_COLUMN_MULTI:
        take_multi(c, cell, values);
        break;
    case ADASS_COLUMN_TIME:
        return take_time(c, line, cell, texts, values, err);
    }
    return ADASS_OK;
}

/* As take_column(), to keys. */
static adass_status take_keys(const adass_table_format *t, const step *s, const adass_line *line,
                              adass_row *row, adass_key *keys, size_t stride, adass_error *err)
{
    const adass_column *c = s->column;
    const adass_cell *cell = &row->cells[s->cell];
    unsigned small;
    keys += s->field * stride;
    if (c->kind == ADASS_COLUMN_CATEGORICAL) {
        *keys = adass_key_of_value(category_of(c, cell), cell->length);
        return ADASS_OK;
    }
    if (c->kind == ADASS_COLUMN_NUMERIC && take_small(line, cell, &small)) {
        *keys = t->keys[t->squares[small]];
        return ADASS_OK;
    }
    const adass_status status = take_column(t, s, line, row, err);
    const adass_cell *values = &row->values[s->field];
    for (size_t i = 0; i < s->n_fields && status == ADASS_OK; i++)
        keys[i * stride] = adass_key_of_value(values[i].text, values[i].length);
    return status;
}

static adass_status parse_keys(void *user, adass_line *line, adass_row *row, adass_key *keys,
                               size_t stride, adass_error *err)
{
    const adass_table_format *t = user;
    adass_status status = adass_line_split(line, &t->dialect, row->cells, err);
    for (size_t i = 0; i < t->n_steps && status == ADASS_OK; i++)
        status = take_keys(t, &t->steps[i], line, row, keys, stride, err);
    return status;
}

static adass_status parse(void *user, adass_line *line, adass_row *row, adass_error *err)
{
    const adass_table_format *t = user;
    adass_status status = adass_line_split(line, &t->dialect, row->cells, err);
    for (size_t i = 0; i < t->n_steps && status == ADASS_OK; i++)
        status = take_column(t, &t->steps[i], line, row, err);
    return status;
}

/* ---- the header ---- */

static adass_status fail_header(const adass_table_format *t, const adass_line *line,
                                const adass_cell *cell, size_t column, adass_error *err)
{
    char what[160];
    snprintf(what, sizeof what, "the header's column %zu is not '%.80s'", column + 1,
             t->schema->columns[column].name);
    return adass_fail_cell(err, line, cell, what);
}

static adass_status check_header(void *user, adass_line *line, bool *is_header, adass_error *err)
{
    const adass_table_format *t = user;
    *is_header = false;
    if (t->schema->header == ADASS_HEADER_NONE)
        return ADASS_OK;
    const bool demanded = t->schema->header == ADASS_HEADER_DEMANDED;
    adass_cell *cells = malloc(t->schema->n_columns * sizeof *cells);
    if (cells == NULL)
        return adass_fail_memory(err, "a header", (double)(t->schema->n_columns * sizeof *cells));
    adass_status status = adass_line_split(line, &t->dialect, cells, err);
    *is_header = status == ADASS_OK;
    for (size_t i = 0; i < t->schema->n_columns && *is_header; i++)
        if (!adass_cell_is(&cells[i], t->schema->columns[i].name)) {
            *is_header = false;
            status = fail_header(t, line, &cells[i], i, err);
        }
    free(cells);
    return demanded || status == ADASS_ENOMEM ? status : ADASS_OK;
}

/* ---- making one ---- */

static void add_field(adass_table_format *t, const char *prefix, const char *name, size_t number,
                      size_t vocabulary)
{
    char *to = t->names + t->rows.n_fields * NAME_BYTES;
    if (number == SIZE_MAX)
        snprintf(to, NAME_BYTES, "%s%s", prefix, name);
    else
        snprintf(to, NAME_BYTES, "%s%s_%zu", prefix, name, number);
    t->fields[t->rows.n_fields++] = (adass_row_field){ to, vocabulary };
}

static void add_column(adass_table_format *t, const adass_column *c)
{
    const size_t n = fields_of(c), first = t->rows.n_fields;
    const char *prefix = c->kind == ADASS_COLUMN_TIME && c->prefix != NULL ? c->prefix : "";
    for (size_t i = 0; i < n; i++) {
        const bool multi = c->kind == ADASS_COLUMN_MULTI, time = c->kind == ADASS_COLUMN_TIME;
        add_field(t, prefix, time ? adass_time_part_name(c->parts[i]) : c->name,
                  multi ? i : SIZE_MAX, t->rows.n_vocabularies);
        if (!multi)
            t->vocabularies[t->rows.n_vocabularies++] = t->fields[first + i].name;
    }
    if (c->kind == ADASS_COLUMN_MULTI)
        t->vocabularies[t->rows.n_vocabularies++] = c->name;
}

/* Labels first, so that an error in one comes before the others of its row. */
static void add_steps(adass_table_format *t)
{
    for (int kind = ADASS_COLUMN_LABEL; kind <= ADASS_COLUMN_TIME; kind++) {
        size_t field = 0;
        for (size_t i = 0; i < t->schema->n_columns; i++) {
            const adass_column *c = &t->schema->columns[i];
            if ((int)c->kind == kind)
                t->steps[t->n_steps++] = (step){ c, i, field, fields_of(c) };
            field += fields_of(c);
        }
    }
}

static void fill_categories(adass_table_format *t)
{
    for (size_t x = 0; x < SMALL_NUMBERS; x++)
        t->squares[x] = (uint8_t)(x > 2 ? log_square((double)x) : (int64_t)x);
    for (size_t k = 0; k < MANY_CATEGORIES; k++) {
        t->categories[k][0] = (char)('0' + k / 10);
        t->categories[k][1] = (char)('0' + k % 10);
        const adass_cell text = write_category(t, k);
        t->keys[k] = adass_key_of(text.text, text.length);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Fields go by their names in results, vocabularies in vocabulary.tsv; lists have both. */
static adass_status check_unique(const char **names, size_t n, adass_error *err)
{
    qsort(names, n, sizeof *names, by_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return adass_fail(err, ADASS_EINVAL,
                              "the schema makes two fields named '%s'; rename a column, or give a "
                              "time column a \"prefix\"",
                              names[i]);
    return ADASS_OK;
}

static adass_status check_names(const adass_table_format *t, adass_error *err)
{
    const char **names = malloc(t->rows.n_fields * sizeof *names);
    if (names == NULL)
        return adass_fail_memory(err, "the fields", (double)(t->rows.n_fields * sizeof *names));
    for (size_t f = 0; f < t->rows.n_fields; f++)
        names[f] = t->fields[f].name;
    adass_status status = check_unique(names, t->rows.n_fields, err);
    memcpy(names, t->vocabularies, t->rows.n_vocabularies * sizeof *names);
    if (status == ADASS_OK)
        status = check_unique(names, t->rows.n_vocabularies, err);
    free(names);
    return status;
}

adass_status adass_table_format_create(adass_table_format **out, const adass_table_schema *schema,
                                       adass_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < schema->n_columns; i++)
        n += fields_of(&schema->columns[i]);
    if (n > ADASS_FIELDS_MAX)
        return adass_fail(err, ADASS_EINVAL, "the schema makes %zu fields; a dataset has up to %d",
                          n, ADASS_FIELDS_MAX);
    adass_table_format *t = calloc(1, sizeof *t);
    if (t == NULL)
        return adass_fail_memory(err, "a schema", (double)sizeof *t);
    t->fields = calloc(n, sizeof *t->fields);
    t->vocabularies = calloc(n, sizeof *t->vocabularies);
    t->names = calloc(n, NAME_BYTES);
    t->steps = calloc(schema->n_columns, sizeof *t->steps);
    if (t->steps == NULL || t->fields == NULL || t->vocabularies == NULL || t->names == NULL) {
        adass_table_format_destroy(t);
        return adass_fail_memory(err, "a schema", (double)(n * NAME_BYTES));
    }
    t->schema = schema;
    t->dialect = (adass_dialect){ schema->separator, strcmp(schema->separator, ",") == 0,
                                  schema->n_columns };
    fill_categories(t);
    add_steps(t);
    for (size_t i = 0; i < schema->n_columns; i++)
        add_column(t, &schema->columns[i]);
    t->rows.user = t;
    t->rows.fields = t->fields;
    t->rows.vocabularies = t->vocabularies;
    t->rows.n_cells = schema->n_columns;
    t->rows.text_bytes = n * TEXT_BYTES;
    t->rows.header = check_header;
    t->rows.parse = parse;
    t->rows.parse_keys = parse_keys;
    const adass_status status = check_names(t, err);
    if (status == ADASS_OK)
        *out = t;
    else
        adass_table_format_destroy(t);
    return status;
}

const adass_row_format *adass_table_format_rows(const adass_table_format *format)
{
    return &format->rows;
}

void adass_table_format_destroy(adass_table_format *format)
{
    if (format == NULL)
        return;
    free(format->fields);
    free(format->vocabularies);
    free(format->names);
    free(format->steps);
    free(format);
}
