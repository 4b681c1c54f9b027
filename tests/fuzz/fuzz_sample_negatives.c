/*
 * Rows with sampled negatives: the input is options and a log of uses. What comes out must be groups of a positive row
 * and two negative ones, with two items that occur somewhere and were not used in the row's context.
 */
#include "delimited.h"
#include "fuzz.h"
#include "sample_negatives.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL, USER, ITEM, CONTEXT, N_PARTS, ROWS_MAX = 1 << 12 };

/* A row's four parts; the context is what is left of the line. */
typedef struct sampled_row {
    char *line;
    adass_cell parts[N_PARTS];
} sampled_row;

typedef struct table {
    size_t n;
    sampled_row rows[ROWS_MAX];
} table;

static void take_row(table *t, const adass_line *line)
{
    FUZZ_CHECK(t->n < ROWS_MAX);
    sampled_row *row = &t->rows[t->n++];
    row->line = malloc(line->length + 1);
    FUZZ_CHECK(row->line != NULL);
    memcpy(row->line, line->text, line->length + 1);
    const char *at = row->line;
    for (int i = LABEL; i < CONTEXT; i++) {
        const char *end = strchr(at, '\t');
        FUZZ_CHECK(end != NULL);
        row->parts[i] = (adass_cell){ at, (size_t)(end - at), 1 };
        at = end + 1;
    }
    row->parts[CONTEXT] = (adass_cell){ at, strlen(at), 1 };
}

static void leave_to_merge(void *user, int thread, const adass_block *block)
{
    (void)user, (void)thread, (void)block;
}

static adass_status take_rows(void *user, int thread, const adass_block *block, adass_error *err)
{
    (void)thread, (void)err;
    adass_line line;
    for (size_t at = 0; adass_block_next(block, &at, &line);)
        take_row(user, &line);
    return ADASS_OK;
}

static bool same(const sampled_row *a, const sampled_row *b, int part)
{
    const adass_cell *x = &a->parts[part], *y = &b->parts[part];
    return x->length == y->length && memcmp(x->text, y->text, x->length) == 0;
}

/* The item of `negative` is one of the table's, but of no positive row of this user and context. */
static void check_negative(const table *t, const sampled_row *positive, const sampled_row *negative)
{
    bool occurs = false;
    FUZZ_CHECK(adass_cell_is(&negative->parts[LABEL], "0"));
    FUZZ_CHECK(same(positive, negative, USER) && same(positive, negative, CONTEXT));
    for (size_t i = 0; i < t->n; i += 3) {
        const bool item = same(&t->rows[i], negative, ITEM);
        occurs |= item;
        FUZZ_CHECK(
            !(item && same(&t->rows[i], positive, USER) && same(&t->rows[i], positive, CONTEXT)));
    }
    FUZZ_CHECK(occurs);
}

static void check_table(adass_inputs *sampled, size_t n_uses)
{
    table *t = calloc(1, sizeof *t);
    FUZZ_CHECK(t != NULL);
    const adass_block_work work = {
        .user = t, .parse = leave_to_merge, .merge = take_rows, .stage = "checking"
    };
    uint64_t lines;
    adass_error err;
    FUZZ_CHECK(adass_blocks_run(sampled, 1, &work, NULL, &lines, &err) == ADASS_OK);
    FUZZ_CHECK(t->n == lines && t->n % 3 == 0 && t->n / 3 <= n_uses);
    for (size_t i = 0; i < t->n; i += 3) {
        FUZZ_CHECK(adass_cell_is(&t->rows[i].parts[LABEL], "1"));
        FUZZ_CHECK(!same(&t->rows[i + 1], &t->rows[i + 2], ITEM));
        check_negative(t, &t->rows[i], &t->rows[i + 1]);
        check_negative(t, &t->rows[i], &t->rows[i + 2]);
    }
    for (size_t i = 0; i < t->n; i++)
        free(t->rows[i].line);
    free(t);
}

static size_t count_lines(fuzz_input text)
{
    size_t n = text.n > 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.bytes[i] == '\n';
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input input = { bytes, n };
    const uint8_t choice = fuzz_take_byte(&input);
    const char *path = fuzz_path("raw"), *beside = fuzz_path("out");
    const adass_table_options options = { .inputs = &path,
                                          .n_inputs = 1,
                                          .seed = choice >> 4,
                                          .threads = 1,
                                          .memory_bytes = (size_t)1 << (10 + choice % 16),
                                          .max_bad_rows = (choice >> 6) * 2u };
    if (count_lines(input) > ROWS_MAX / 3)
        return 0;
    adass_inputs *raw, *sampled = NULL;
    adass_import_report report = { 0 };
    json_t *made = NULL;
    adass_error err;
    fuzz_write(path, input.bytes, input.n);
    FUZZ_CHECK(adass_inputs_open(&raw, &path, 1, beside, NULL, &err) == ADASS_OK);
    if (adass_sample_negatives(raw, &options, beside, &sampled, &made, &report, &err) == ADASS_OK)
        check_table(sampled, count_lines(input));
    FUZZ_CHECK(report.n_warnings <= ADASS_IMPORT_WARNINGS_MAX);
    adass_inputs_close(sampled);
    adass_inputs_close(raw);
    json_decref(made);
    return 0;
}
