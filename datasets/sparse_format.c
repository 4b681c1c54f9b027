/* Rows of sparse text: LIBSVM and LIBFFM. */
#include "sparse_format.h"

#include "meta.h"
#include "table_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 16, NO_COLUMN = ADASS_FIELDS_MAX };

static const char name_prefix[] = "field_";

struct adass_sparse_format {
    bool ffm;
    uint32_t columns[ADASS_FIELDS_MAX]; /* of the dataset, by field; NO_COLUMN for none */
    adass_row_format rows;
    adass_row_field *fields;
    const char **vocabularies;
    char *names; /* [n_fields x NAME_BYTES] */
};

bool adass_sparse_format_is(const char *name)
{
    return strcmp(name, "libsvm") == 0 || strcmp(name, "libffm") == 0;
}

/* ---- a row ---- */

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* The next word from *at on; empty at the end of the line. */
static adass_cell next_word(const char *text, size_t length, size_t *at)
{
    while (*at < length && is_blank(text[*at]))
        ++*at;
    const size_t begin = *at;
    while (*at < length && !is_blank(text[*at]))
        ++*at;
    return (adass_cell){ text + begin, *at - begin, begin + 1 };
}

/* Cuts a word at its colons into n parts; false when there are more or less. */
static bool cut_word(adass_cell word, adass_cell *parts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *colon = memchr(word.text, ':', word.length);
        if ((colon == NULL) != (i == n - 1))
            return false;
        const size_t length = colon != NULL ? (size_t)(colon - word.text) : word.length;
        parts[i] = (adass_cell){ word.text, length, word.column };
        if (colon != NULL)
            word = (adass_cell){ colon + 1, word.length - length - 1, word.column + length + 1 };
    }
    return true;
}

/* An entry's field and feature; `place` is its number in the row. */
static adass_status take_entry(const adass_sparse_format *f, const adass_line *line,
                               const adass_cell *word, size_t place, uint64_t *field,
                               adass_cell *feature, adass_error *err)
{
    adass_cell parts[3];
    uint64_t number;
    double value;
    const size_t n = f->ffm ? 3 : 2;
    if (!cut_word(*word, parts, n))
        return adass_fail_cell(err, line, word,
                               f->ffm ? "not field:feature:value" : "not feature:value");
    *field = place;
    *feature = parts[n - 2];
    if (f->ffm && !adass_cell_whole(&parts[0], field))
        return adass_fail_cell(err, line, &parts[0], "the field is no whole number");
    if (*field >= ADASS_FIELDS_MAX)
        return adass_fail_cell(err, line, word, "more than 65536 fields");
    if (!adass_cell_whole(feature, &number))
        return adass_fail_cell(err, line, feature, "the feature is no whole number");
    if (!adass_cell_number(&parts[n - 1], &value) || value != 1.0)
        return adass_fail_cell(err, line, &parts[n - 1],
                               "the value is not 1; only categories can be imported");
    return ADASS_OK;
}

static adass_status take_label(const adass_line *line, const adass_cell *word, uint8_t *label,
                               adass_error *err)
{
    double value;
    if (!adass_cell_number(word, &value) || (value != 1.0 && value != 0.0 && value != -1.0))
        return adass_fail_cell(err, line, word, "the label is none of 1, 0 and -1");
    *label = value > 0.0;
    return ADASS_OK;
}

/* `unknown`: the row's first entry without a column, told only when nothing else is wrong with the row, since
 * bad rows have no say in which fields there are. */
static adass_status put_entry(const adass_sparse_format *f, const adass_line *line,
                              const adass_cell *word, size_t place, adass_row *row,
                              adass_cell *unknown, adass_error *err)
{
    uint64_t field;
    adass_cell feature;
    const adass_status status = take_entry(f, line, word, place, &field, &feature, err);
    if (status != ADASS_OK)
        return status;
    const uint32_t column = f->columns[field];
    if (column == NO_COLUMN) {
        *unknown = unknown->text != NULL ? *unknown : *word;
        return ADASS_OK;
    }
    if (row->values[column].text != NULL)
        return adass_fail_cell(err, line, word, "the field is there twice");
    row->values[column] = feature;
    return ADASS_OK;
}

static adass_status parse_row(void *user, adass_line *line, adass_row *row, adass_error *err)
{
    const adass_sparse_format *f = user;
    size_t at = 0, n = 0;
    adass_cell word = next_word(line->text, line->length, &at), unknown = { NULL, 0, 0 };
    memset(row->values, 0, f->rows.n_fields * sizeof *row->values);
    adass_status status = take_label(line, &word, &row->label, err);
    while (status == ADASS_OK) {
        word = next_word(line->text, line->length, &at);
        if (word.length == 0)
            break;
        status = put_entry(f, line, &word, n++, row, &unknown, err);
    }
    if (status == ADASS_OK && unknown.text != NULL)
        return adass_fail_cell(err, line, &unknown,
                               f->ffm ? "the vocabulary does not have this field"
                                      : "there are more entries than fields");
    if (status == ADASS_OK && !f->ffm && n < f->rows.n_fields)
        return adass_fail_cell(err, line, &word, "there are less entries than fields");
    return status;
}

/* ---- the fields ---- */

/* libsvm: as many as the first line has entries. */
static adass_status find_places(adass_inputs *inputs, bool *seen, adass_error *err)
{
    char *text = malloc(ADASS_LINE_BYTES_MAX + 1);
    if (text == NULL)
        return adass_fail_memory(err, "the first line", ADASS_LINE_BYTES_MAX);
    const adass_status status =
        adass_inputs_first_line(inputs, text, ADASS_LINE_BYTES_MAX + 1, err);
    if (status == ADASS_OK) {
        const size_t length = strlen(text);
        size_t at = 0;
        (void)next_word(text, length, &at); /* the label */
        for (size_t n = 0; n < ADASS_FIELDS_MAX && next_word(text, length, &at).length > 0; n++)
            seen[n] = true;
    }
    free(text);
    return status;
}

/* The pass that looks for fields. */
typedef struct search {
    const adass_sparse_format *format;
    bool *seen; /* [threads x ADASS_FIELDS_MAX] */
} search;

/* The fields of a row that is good; `fields` is for them. */
static size_t fields_of_row(const adass_sparse_format *f, const adass_line *line, uint64_t *fields)
{
    size_t at = 0, n = 0;
    uint8_t label;
    adass_cell feature, word = next_word(line->text, line->length, &at);
    adass_error ignored;
    if (take_label(line, &word, &label, &ignored) != ADASS_OK)
        return 0;
    for (;;) {
        word = next_word(line->text, line->length, &at);
        if (word.length == 0)
            return n;
        if (n == ADASS_FIELDS_MAX ||
            take_entry(f, line, &word, n, &fields[n], &feature, &ignored) != ADASS_OK)
            return 0;
        n++;
    }
}

static void search_block(void *user, int thread, const adass_block *block)
{
    const search *s = user;
    bool *seen = s->seen + (size_t)thread * ADASS_FIELDS_MAX;
    uint64_t *fields = malloc(ADASS_FIELDS_MAX * sizeof *fields);
    adass_line line;
    size_t at = 0;
    while (fields != NULL && adass_block_next(block, &at, &line)) {
        const size_t n = fields_of_row(s->format, &line, fields);
        for (size_t i = 0; i < n; i++)
            seen[fields[i]] = true;
    }
    free(fields);
}

/* libffm: all that occur. */
static adass_status find_fields(const adass_sparse_format *f, adass_inputs *inputs,
                                const adass_table_options *options, bool *seen, adass_error *err)
{
    const size_t threads = (size_t)options->threads;
    search s = { f, calloc(threads, ADASS_FIELDS_MAX * sizeof *s.seen) };
    if (s.seen == NULL)
        return adass_fail_memory(err, "fields", (double)threads * ADASS_FIELDS_MAX);
    const adass_block_work work = { .user = &s,
                                    .parse = search_block,
                                    .stage = "looking for fields, bytes" };
    uint64_t lines;
    const adass_status status =
        adass_blocks_run(inputs, options->threads, &work, options->monitor, &lines, err);
    for (size_t i = 0; i < threads * ADASS_FIELDS_MAX; i++)
        seen[i % ADASS_FIELDS_MAX] |= s.seen[i];
    free(s.seen);
    return status;
}

/* Those of the dataset whose vocabulary is taken. */
static adass_status find_vocabulary(const char *dir, bool *seen, adass_error *err)
{
    adass_dataset *d = NULL;
    adass_status status = adass_dataset_open(&d, dir, err);
    const size_t skip = sizeof name_prefix - 1;
    for (size_t f = 0; status == ADASS_OK && f < d->n_fields; f++) {
        const char *name = d->fields[f].name;
        uint64_t number;
        const bool ours =
            strncmp(name, name_prefix, skip) == 0 &&
            adass_cell_whole(&(adass_cell){ name + skip, strlen(name + skip), 1 }, &number) &&
            number < ADASS_FIELDS_MAX;
        if (ours)
            seen[number] = true;
        else
            status = adass_fail(err, ADASS_EINVAL,
                                "%s: its field '%s' is none of libsvm or libffm text; take the "
                                "vocabulary of a dataset that was imported from such a text",
                                dir, name);
    }
    adass_dataset_close(d);
    return status;
}

static adass_status name_columns(adass_sparse_format *f, const bool *seen, adass_error *err)
{
    size_t n = 0;
    for (size_t i = 0; i < ADASS_FIELDS_MAX; i++)
        f->columns[i] = seen[i] ? (uint32_t)n++ : NO_COLUMN;
    if (n == 0)
        return adass_fail(err, ADASS_EFORMAT,
                          f->ffm ? "the input has no rows with a field:feature:value"
                                 : "the input has no feature:value in its first line");
    f->fields = calloc(n, sizeof *f->fields);
    f->vocabularies = calloc(n, sizeof *f->vocabularies);
    f->names = calloc(n, NAME_BYTES);
    if (f->fields == NULL || f->vocabularies == NULL || f->names == NULL)
        return adass_fail_memory(err, "fields", (double)(n * NAME_BYTES));
    for (size_t i = 0; i < ADASS_FIELDS_MAX; i++) {
        const size_t column = f->columns[i];
        if (column == NO_COLUMN)
            continue;
        char *name = f->names + column * NAME_BYTES;
        snprintf(name, NAME_BYTES, "%s%zu", name_prefix, i);
        f->fields[column] = (adass_row_field){ name, column };
        f->vocabularies[column] = name;
    }
    f->rows = (adass_row_format){ .user = f,
                                  .n_fields = n,
                                  .fields = f->fields,
                                  .n_vocabularies = n,
                                  .vocabularies = f->vocabularies,
                                  .parse = parse_row };
    return ADASS_OK;
}

adass_status adass_sparse_format_create(adass_sparse_format **out, const char *name,
                                        adass_inputs *inputs, const adass_table_options *options,
                                        adass_error *err)
{
    adass_sparse_format *f = calloc(1, sizeof *f);
    bool *seen = calloc(ADASS_FIELDS_MAX, sizeof *seen);
    adass_status status = f != NULL && seen != NULL
                              ? ADASS_OK
                              : adass_fail_memory(err, "the format", (double)sizeof *f);
    if (status == ADASS_OK) {
        f->ffm = strcmp(name, "libffm") == 0;
        status = options->vocabulary != NULL ? find_vocabulary(options->vocabulary, seen, err)
                 : f->ffm                    ? find_fields(f, inputs, options, seen, err)
                                             : find_places(inputs, seen, err);
    }
    if (status == ADASS_OK)
        status = name_columns(f, seen, err);
    free(seen);
    if (status == ADASS_OK)
        *out = f;
    else
        adass_sparse_format_destroy(f);
    return status;
}

const adass_row_format *adass_sparse_format_rows(const adass_sparse_format *format)
{
    return &format->rows;
}

void adass_sparse_format_destroy(adass_sparse_format *format)
{
    if (format == NULL)
        return;
    free(format->fields);
    free(format->vocabularies);
    free(format->names);
    free(format);
}
