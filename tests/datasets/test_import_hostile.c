/*
 * Tables that were not made to be imported: rows that are all bad, schemas that ask for what cannot be, files that
 * change while they are read.
 */
#include "adass/dataset.h"
#include "adass/import.h"
#include "scratch.h"

static const char plain_schema[] =
    "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
    "{\"name\": \"a\", \"kind\": \"categorical\", \"missing\": \"value\"}]}";

/* Imports `text` by `schema`; nothing may be left of what is refused. */
static adass_status import(const char *dir, const char *schema, const char *text,
                           const adass_table_options *more, adass_error *err)
{
    const scratch_path raw = within(dir, "raw"), path = within(dir, "schema"),
                       out = within(dir, "out");
    const char *const inputs[] = { raw.text };
    adass_table_options options = *more;
    options.inputs = inputs;
    options.n_inputs = 1;
    options.schema = path.text;
    options.threads = 1; /* which is the one that calls the monitor */
    write_text(raw.text, text);
    write_text(path.text, schema);
    const adass_status status = adass_import_table("csv", &options, out.text, NULL, err);
    assert_int_equal(count_entries(dir), status == ADASS_OK ? 3 : 2);
    return status;
}

static void expect_refused(const char *dir, const char *schema, const char *text,
                           adass_status expected, const char *part)
{
    const adass_table_options none = { 0 };
    adass_error err;
    assert_int_equal(import(dir, schema, text, &none, &err), expected);
    expect_message(&err, part);
}

static void test_only_bad_rows(void **state)
{
    const adass_table_options lenient = { .max_bad_rows = 5 };
    adass_error err;
    assert_int_equal(import(*state, plain_schema, "x,1\n2,2\n\n", &lenient, &err), ADASS_EFORMAT);
    expect_message(&err, "no rows");
}

/* An empty text is a value, and stands in the vocabulary, also where it is the first one. */
static void test_empty_value(void **state)
{
    const adass_table_options with_vocabulary = { .write_vocabulary = true, .ratio = { 1, 0, 0 } };
    adass_error err;
    size_t n;
    expect_ok(import(*state, plain_schema, "1,\n0,\n", &with_vocabulary, &err), &err);
    char *text = read_bytes(within(*state, "out/vocabulary.tsv").text, &n);
    assert_string_equal(text, "field\tid\tvalue\na\t1\t\n");
    free(text);
}

static void test_names_of_lists(void **state)
{
    static const char schema[] =
        "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
        "{\"name\": \"a\", \"kind\": \"multi\", \"separator\": \"|\", \"keep\": 1},"
        "{\"name\": \"a\", \"kind\": \"categorical\"}]}";
    expect_refused(*state, schema, "1,p,q\n", ADASS_EINVAL, "two fields named 'a'");
}

static void test_time_patterns(void **state)
{
    static const char *const wrong[] = {
        "\"YYYYMMDD\", \"parts\": [\"hour\", \"day\"]", /* which hour? */
        "\"YYYYMMDDHHHHHHHHHHHHHHHHHHHHHHHH\", \"parts\": [\"day\"]",
        "\"YYYY*MMDD\", \"parts\": [\"day\"]",
        "\"MMDDHH\", \"parts\": [\"day\"]",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char schema[256];
        snprintf(schema, sizeof schema,
                 "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
                 "{\"name\": \"t\", \"kind\": \"time\", \"format\": %s}]}",
                 wrong[i]);
        expect_refused(*state, schema, "1,20200101999999999999999999999999\n", ADASS_EFORMAT,
                       "columns[1].format");
    }
}

/* What is written must open. */
static void test_too_many_fields(void **state)
{
    enum { LISTS = 257 };
    char *schema = malloc(LISTS * 96), *text = malloc(LISTS * 8);
    size_t n = (size_t)sprintf(schema, "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"}");
    size_t m = (size_t)sprintf(text, "1");
    for (int i = 0; i < LISTS; i++) {
        n += (size_t)sprintf(
            schema + n,
            ",{\"name\": \"l%d\", \"kind\": \"multi\", \"separator\": \"|\", \"keep\": 256}", i);
        m += (size_t)sprintf(text + m, ",a|b");
    }
    strcpy(schema + n, "]}");
    expect_refused(*state, schema, text, ADASS_EINVAL, "65792 fields; a dataset has up to 65536");
    free(schema);
    free(text);
}

/* ---- a file that grows behind the first pass ---- */

typedef struct growth {
    const char *path;
    bool done;
} growth;

static void grow(void *user, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    growth *g = user;
    (void)stage;
    (void)done;
    (void)total;
    (void)note;
    if (g->done)
        return;
    FILE *file = fopen(g->path, "ab");
    for (int i = 0; i < 50000; i++)
        fputs("1,z\n", file);
    fclose(file);
    g->done = true;
}

/* Where the texts of values are not asked for, rows in a random split are read once, and what comes later is not there. */
static void test_growing_file(void **state)
{
    static const adass_protocol protocols[] = { ADASS_PROTOCOL_RANDOM, ADASS_PROTOCOL_CHRONOLOGICAL,
                                                ADASS_PROTOCOL_X4 };
    char text[40 * 4 + 1];
    for (size_t i = 0; i < 40; i++)
        memcpy(text + 4 * i, i % 2 == 0 ? "1,p\n" : "0,q\n", 5);
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++) {
        const scratch_path raw = within(*state, "raw");
        growth g = { raw.text, false };
        const adass_monitor monitor = { .progress = grow, .user = &g };
        const adass_table_options options = { .protocol = protocols[i],
                                              .monitor = &monitor,
                                              .write_vocabulary = true };
        adass_error err;
        assert_int_equal(import(*state, plain_schema, text, &options, &err), ADASS_EIO);
        assert_true(g.done);
        expect_message(&err, "it changed while it was read");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_only_bad_rows, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_empty_value, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_names_of_lists, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_time_patterns, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_fields, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_growing_file, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
