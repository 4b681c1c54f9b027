/*
 * libsvm and libffm: ids, missing fields and names; the same dataset from both; the engine's options; and every kind of bad
 * input with the place that the message names.
 */
#include "adass/dataset.h"
#include "adass/import.h"
#include "packed.h"

#include <stdbool.h>

static const adass_table_options all_training = { .ratio = { 1.0, 0.0, 0.0 }, .threads = 2 };

static adass_status import_text(const char *dir, const char *format, const char *text, size_t n,
                                const char *out, const adass_table_options *options,
                                adass_import_report *report, adass_error *err)
{
    const scratch_path raw = within(dir, "raw");
    const char *input = raw.text;
    adass_table_options completed = *options;
    completed.inputs = &input;
    completed.n_inputs = 1;
    write_bytes(raw.text, text, n);
    const adass_status status =
        adass_import_table(format, &completed, within(dir, out).text, report, err);
    remove(raw.text);
    return status;
}

/* Imports to `out` and opens it. */
static adass_dataset *imported(const char *dir, const char *format, const char *text,
                               const char *out, const adass_table_options *options)
{
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(import_text(dir, format, text, strlen(text), out, options, NULL, &err), &err);
    expect_ok(adass_dataset_open(&d, within(dir, out).text, &err), &err);
    expect_ok(adass_dataset_verify(d, &err), &err);
    return d;
}

static void expect_training(const adass_dataset *d, const uint32_t *ids, const uint8_t *labels,
                            size_t n)
{
    assert_int_equal(d->splits[ADASS_TRAIN].n, n);
    assert_memory_equal(d->splits[ADASS_TRAIN].ids, ids, n * d->n_fields * sizeof *ids);
    assert_memory_equal(d->splits[ADASS_TRAIN].labels_u8, labels, n);
}

/* ---- good input ---- */

/* The same feature in two fields is two features; the most frequent one is 1. */
static void test_libsvm(void **state)
{
    static const uint32_t ids[] = { 1, 2, 1, 1, 2, 1, 1, 3 };
    static const uint8_t labels[] = { 1, 0, 0, 1 };
    adass_dataset *d =
        imported(*state, "libsvm", "1 7:1 9:1\r\n-1 7:1 7:1.0 \r\n0\t3:1  7:1e0\n\n+1 7:1 0:1",
                 "out", &all_training);
    assert_int_equal(d->n_fields, 2);
    assert_string_equal(d->fields[0].name, "field_0");
    assert_string_equal(d->fields[1].name, "field_1");
    assert_int_equal(d->fields[0].vocab, 3);
    assert_int_equal(d->fields[1].vocab, 4);
    expect_training(d, ids, labels, 4);
    adass_dataset_close(d);
}

/* Fields in any order, 2 never there, some missing; one that comes only in the last row. */
static void test_libffm(void **state)
{
    static const uint32_t ids[] = { 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1 };
    static const uint8_t labels[] = { 1, 0, 0, 1 };
    adass_dataset *d = imported(*state, "libffm", "1 1:5:1 3:5:1\n0 1:5:1\n-1 3:5:1\n1 40:1:1\n",
                                "out", &all_training);
    assert_int_equal(d->n_fields, 3);
    assert_string_equal(d->fields[0].name, "field_1");
    assert_string_equal(d->fields[1].name, "field_3");
    assert_string_equal(d->fields[2].name, "field_40");
    expect_training(d, ids, labels, 4);
    adass_dataset_close(d);
}

enum { ROWS = 4000, FIELDS = 5 };

/* The same rows in both forms, in new memory; libffm's fields in the opposite order. */
static char *make_text(bool ffm)
{
    char *text = malloc((size_t)ROWS * FIELDS * 24), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i < ROWS; i++) {
        at += sprintf(at, "%d", i % 3 == 0 ? 1 : 0);
        for (unsigned k = 0; k < FIELDS; k++) {
            const unsigned f = ffm ? FIELDS - 1 - k : k;
            const unsigned value = (i * 2654435761u >> 7) % (10 + 100 * f);
            at += ffm ? sprintf(at, " %u:%u:1", f, value) : sprintf(at, " %u:1", value);
        }
        at += sprintf(at, "\n");
    }
    return text;
}

static void expect_same_rows(const char *a, const char *b)
{
    static const char *const files[] = { "train/ids.npy", "train/labels.npy", "valid/ids.npy",
                                         "test/ids.npy", "vocabulary.tsv" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        expect_same_files(within(a, files[i]).text, within(b, files[i]).text);
}

static void test_options(void **state)
{
    const char *dir = *state;
    char *svm = make_text(false), *ffm = make_text(true);
    for (int protocol = 0; protocol < 3; protocol++) {
        adass_table_options options = { .protocol = (adass_protocol)protocol,
                                        .seed = 3,
                                        .min_count = 4,
                                        .threads = 2,
                                        .write_vocabulary = true };
        adass_dataset_close(imported(dir, "libsvm", svm, "svm", &options));
        options.threads = 1;
        options.memory_bytes = (size_t)64 << 20;
        adass_dataset_close(imported(dir, "libffm", ffm, "ffm", &options));
        expect_same_rows(within(dir, "svm").text, within(dir, "ffm").text);
        remove_tree(within(dir, "svm").text);
        remove_tree(within(dir, "ffm").text);
    }
    free(svm);
    free(ffm);
}

static void test_packings_and_files(void **state)
{
    const char *dir = *state;
    char *text = make_text(true);
    const size_t half = (size_t)(strchr(text + strlen(text) / 2, '\n') + 1 - text);
    const scratch_path a = within(dir, "a"), b = within(dir, "b");
    const char *const inputs[] = { a.text, b.text };
    adass_table_options options = all_training;
    adass_error err;
    options.write_vocabulary = true;
    adass_dataset_close(imported(dir, "libffm", text, "whole", &options));
    write_packed(a.text, GZ, text, half);
    write_bytes(b.text, text + half, strlen(text + half));
    options.inputs = inputs;
    options.n_inputs = 2;
    expect_ok(adass_import_table("libffm", &options, within(dir, "parts").text, NULL, &err), &err);
    expect_same_rows(within(dir, "whole").text, within(dir, "parts").text);
    free(text);
}

/* New rows: known features keep their ids, others get the OOV id, missing fields as well. */
static void test_vocabulary(void **state)
{
    const char *dir = *state;
    static const uint32_t ids[] = { 0, 1, 1, 0 };
    static const uint8_t labels[] = { 1, 0 };
    adass_table_options options = all_training;
    adass_error err;
    options.write_vocabulary = true;
    adass_dataset_close(imported(dir, "libffm", "1 0:4:1 2:4:1\n", "old", &options));
    const scratch_path old = within(dir, "old");
    options.vocabulary = old.text;
    adass_dataset *d = imported(dir, "libffm", "1 0:5:1 2:4:1\n0 0:4:1\n", "new", &options);
    expect_training(d, ids, labels, 2);
    adass_dataset_close(d);
    static const char more[] = "1 0:4:1 1:4:1\n";
    assert_int_equal(import_text(dir, "libffm", more, strlen(more), "out", &options, NULL, &err),
                     ADASS_EFORMAT);
    expect_message(&err, "raw:1:9: the vocabulary does not have this field, '1:4:1'");
    options.vocabulary = NULL;
    const scratch_path schema = within(dir, "schema"), table = within(dir, "table");
    write_text(schema.text, "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
                            "{\"name\": \"a\", \"kind\": \"categorical\"}]}");
    options.schema = schema.text;
    adass_dataset_close(imported(dir, "csv", "1,a\n", "table", &options));
    options.schema = NULL;
    options.vocabulary = table.text;
    assert_int_equal(import_text(dir, "libsvm", "1 4:1\n", 6, "out", &options, NULL, &err),
                     ADASS_EINVAL);
    expect_message(&err, "its field 'a' is none of libsvm or libffm text");
}

/* ---- bad input ---- */

typedef struct bad_row {
    const char *row, *message;
} bad_row;

/* A bad row between two good ones: refused, or left out. */
static void expect_bad_rows(const char *dir, const char *format, const char *good,
                            const bad_row *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char text[512];
        adass_error err;
        adass_import_report report;
        adass_table_options options = all_training;
        const int length = snprintf(text, sizeof text, "%s\n%s\n%s\n", good, cases[i].row, good);
        assert_int_equal(
            import_text(dir, format, text, (size_t)length, "out", &options, NULL, &err),
            ADASS_EFORMAT);
        expect_message(&err, cases[i].message);
        assert_int_equal(count_entries(dir), 0);
        options.max_bad_rows = 1;
        expect_ok(import_text(dir, format, text, (size_t)length, "out", &options, &report, &err),
                  &err);
        assert_int_equal(report.bad_rows, 1);
        assert_non_null(strstr(report.warnings[0], cases[i].message));
        adass_dataset *d = NULL;
        expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
        assert_int_equal(d->splits[ADASS_TRAIN].n, 2);
        assert_int_equal(d->n_fields, 2);
        adass_dataset_close(d);
        remove_tree(within(dir, "out").text);
    }
}

#define N(cases) (sizeof cases / sizeof cases[0])

static void test_bad_libsvm(void **state)
{
    static const bad_row cases[] = {
        { "2 1:1 2:1", "raw:2:1: the label is none of 1, 0 and -1, '2'" },
        { "x 1:1 2:1", "raw:2:1: the label is none of" },
        { "1:1 2:1", "raw:2:1: the label is none of 1, 0 and -1, '1:1'" },
        { "  ", "raw:2:3: the label is none of" },
        { "1 1:1", "raw:2:6: there are less entries than fields" },
        { "1 1:1 2:1 3:1", "raw:2:11: there are more entries than fields, '3:1'" },
        { "1 1:1 2:0.5", "raw:2:9: the value is not 1; only categories can be imported, '0.5'" },
        { "1 1:1 2:0", "raw:2:9: the value is not 1" },
        { "1 1:1 2:", "raw:2:9: the value is not 1" },
        { "1 1:1 2", "raw:2:7: not feature:value, '2'" },
        { "1 1:1 2:3:1", "raw:2:7: not feature:value, '2:3:1'" },
        { "1 -1:1 2:1", "raw:2:3: the feature is no whole number, '-1'" },
        { "1 :1 2:1", "raw:2:3: the feature is no whole number, ''" },
        { "1 qid:1 2:1", "raw:2:3: the feature is no whole number, 'qid'" },
        { "1 1:1 18446744073709551616:1", "raw:2:7: the feature is no whole number" },
        { "1 1:1 2:1\xff", "raw:2:10: not UTF-8" },
    };
    expect_bad_rows(*state, "libsvm", "1 1:1 2:1", cases, N(cases));
}

static void test_bad_libffm(void **state)
{
    static const bad_row cases[] = {
        { "3 0:1:1 1:2:1", "raw:2:1: the label is none of 1, 0 and -1, '3'" },
        { "1 0:1:1 0:2:1", "raw:2:9: the field is there twice, '0:2:1'" },
        { "1 0:1:1 1:2:2", "raw:2:13: the value is not 1; only categories can be imported, '2'" },
        { "1 0:1:1 1:2", "raw:2:9: not field:feature:value, '1:2'" },
        { "1 0:1:1 1:2:1:1", "raw:2:9: not field:feature:value" },
        { "1 x:1:1 1:2:1", "raw:2:3: the field is no whole number, 'x'" },
        { "1 70000:1:1 1:2:1", "raw:2:3: more than 65536 fields" },
        { "1 0:1.5:1 1:2:1", "raw:2:5: the feature is no whole number, '1.5'" },
        { "1 7:1:1 1:2:1:", "raw:2:9: not field:feature:value" },
    };
    expect_bad_rows(*state, "libffm", "1 0:1:1 1:2:1", cases, N(cases));
}

static void test_bad_files(void **state)
{
    static const struct {
        const char *format, *text;
        size_t n;
        const char *message;
    } cases[] = {
        { "libsvm", "", 0, "the input has no feature:value in its first line" },
        { "libsvm", "\n1 1:1\n", 7, "the input has no feature:value in its first line" },
        { "libsvm", "1\n", 2, "the input has no feature:value in its first line" },
        { "libffm", "", 0, "the input has no rows with a field:feature:value" },
        { "libffm", "1\n0\n", 4, "the input has no rows with a field:feature:value" },
        { "libsvm", "1 1:1\n1 1:\0001\n", 13, "raw:2:5: a NUL byte" },
        { "libffm", "1 1:1:1\n1 1:\0001\n", 15, "raw:2:5: a NUL byte" },
    };
    for (size_t i = 0; i < N(cases); i++) {
        adass_error err;
        assert_int_equal(import_text(*state, cases[i].format, cases[i].text, cases[i].n, "out",
                                     &all_training, NULL, &err),
                         ADASS_EFORMAT);
        expect_message(&err, cases[i].message);
        assert_int_equal(count_entries(*state), 0);
    }
}

static void test_cut_files(void **state)
{
    char *text = make_text(true);
    for (int how = GZ; how < N_PACKINGS; how++) {
        size_t n = strlen(text);
        adass_error err;
        char *packed = pack((packing)how, text, &n);
        assert_int_equal(
            import_text(*state, "libffm", packed, n - 5, "out", &all_training, NULL, &err),
            ADASS_EFORMAT);
        expect_message(&err, "the packed data is cut");
        free(packed);
    }
    free(text);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_libsvm),     SCRATCH_TEST(test_libffm),
        SCRATCH_TEST(test_options),    SCRATCH_TEST(test_packings_and_files),
        SCRATCH_TEST(test_vocabulary), SCRATCH_TEST(test_bad_libsvm),
        SCRATCH_TEST(test_bad_libffm), SCRATCH_TEST(test_bad_files),
        SCRATCH_TEST(test_cut_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
