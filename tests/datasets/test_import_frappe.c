/*
 * Frappe: every row with its two negatives, read back through vocabulary.tsv and held against the uses that the input has; what
 * depends on the seed and what does not; and every kind of bad input with the place that the message names.
 */
#include "adass/dataset.h"
#include "adass/import.h"
#include "packed.h"

#include <stdbool.h>

enum { USES = 600, USERS = 6, APPS = 40, MOODS = 2, FIELDS = 10, TEXT = 32 };

#define HEADER                                                                                     \
    "user\titem\tcnt\tdaytime\tweekday\tisweekend\thomework\tcost\tweather\tcountry\tcity\n"
#define CONTEXT "\tsunday\tweekend\tunknown\tfree\tsunny\tSpain\t0\n"

/* ---- made-up uses ---- */

typedef struct use {
    unsigned user, app, mood;
} use;

static use use_of(unsigned row)
{
    const unsigned x = row * 2654435761u;
    return (use){ (x >> 8) % USERS, row < APPS ? row : (x >> 16) % (APPS / 2), (x >> 4) % MOODS };
}

static void write_uses(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(HEADER, file);
    for (unsigned i = 0; i < USES; i++) {
        const use u = use_of(i);
        fprintf(file, "u%u\ta%u\t%u\tm%u" CONTEXT, u.user, u.app, i + 1, u.mood);
    }
    assert_int_equal(fclose(file), 0);
}

static adass_status import_raw(const char *dir, const char *out, adass_table_options options,
                               adass_import_report *report, adass_error *err)
{
    const scratch_path raw = within(dir, "raw");
    const char *input = raw.text;
    options.inputs = &input;
    options.n_inputs = 1;
    if (options.threads == 0)
        options.threads = 2;
    return adass_import_table("frappe", &options, within(dir, out).text, report, err);
}

/* ---- rows read back ---- */

/* Numbers of user, app and mood by id, from the vocabulary file: the texts are a letter and a number. */
typedef struct values {
    unsigned user[USERS + 1], app[APPS + 1], mood[MOODS + 1];
} values;

static void read_values(const char *dir, values *v)
{
    FILE *file = fopen(within(dir, "vocabulary.tsv").text, "r");
    assert_non_null(file);
    char line[256], field[TEXT];
    unsigned id, value;
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%31s\t%u\t%*c%u", field, &id, &value) != 3)
            continue;
        if (strcmp(field, "user") == 0)
            v->user[id] = value;
        else if (strcmp(field, "item") == 0)
            v->app[id] = value;
        else if (strcmp(field, "daytime") == 0)
            v->mood[id] = value;
    }
    fclose(file);
}

static use decode(const values *v, const adass_rows *rows, size_t r)
{
    const uint32_t *ids = rows->ids + r * FIELDS;
    return (use){ v->user[ids[0]], v->app[ids[1]], v->mood[ids[2]] };
}

static bool was_used(unsigned user, unsigned app, unsigned mood)
{
    for (unsigned i = 0; i < USES; i++) {
        const use u = use_of(i);
        if (u.user == user && u.app == app && u.mood == mood)
            return true;
    }
    return false;
}

/* Opens `out`, all of whose rows are in the training split. */
static adass_dataset *open_rows(const char *dir, const char *out, values *v)
{
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, within(dir, out).text, &err), &err);
    expect_ok(adass_dataset_verify(d, &err), &err);
    assert_int_equal(d->n_fields, FIELDS);
    assert_int_equal(d->splits[ADASS_TRAIN].n, 3 * USES);
    read_values(within(dir, out).text, v);
    return d;
}

static const adass_table_options all_training = {
    .ratio = { 1.0, 0.0, 0.0 },
    .seed = 7,
    .write_vocabulary = true,
};

static void test_negatives(void **state)
{
    const char *dir = *state;
    adass_error err;
    values v = { { 0 }, { 0 }, { 0 } };
    unsigned drawn[APPS] = { 0 };
    write_uses(within(dir, "raw").text);
    expect_ok(import_raw(dir, "out", all_training, NULL, &err), &err);
    adass_dataset *d = open_rows(dir, "out", &v);
    const adass_rows *rows = &d->splits[ADASS_TRAIN];
    for (unsigned i = 0; i < USES; i++) {
        const use u = use_of(i), positive = decode(&v, rows, 3 * i);
        const use a = decode(&v, rows, 3 * i + 1), b = decode(&v, rows, 3 * i + 2);
        assert_true(positive.user == u.user && positive.app == u.app && positive.mood == u.mood);
        assert_true(a.user == u.user && a.mood == u.mood && b.user == u.user && b.mood == u.mood);
        assert_false(was_used(a.user, a.app, a.mood));
        assert_false(was_used(b.user, b.app, b.mood));
        assert_int_not_equal(a.app, b.app);
        const uint8_t labels[] = { 1, 0, 0 };
        assert_memory_equal(rows->labels_u8 + 3 * i, labels, sizeof labels);
        drawn[a.app]++;
        drawn[b.app]++;
    }
    for (unsigned a = 0; a < APPS;
         a++) /* none is never drawn: 1200 of at most 40, most of them of half */
        assert_true(drawn[a] > 0 || a < APPS / 2);
    assert_int_equal(d->fields[1].vocab, APPS + 1);
    adass_dataset_close(d);
}

/* Two of three that are left: each is in two thirds of the rows. */
static void test_uniform(void **state)
{
    enum { ROWS = 3000, ITEMS = 4 };
    const char *dir = *state;
    adass_error err;
    FILE *file = fopen(within(dir, "raw").text, "w");
    assert_non_null(file);
    fputs(HEADER, file);
    for (unsigned i = 0; i < ROWS; i++)
        fprintf(file, "u%u\ta%u\t1\tm0" CONTEXT, i, i % ITEMS);
    fclose(file);
    expect_ok(import_raw(dir, "out", all_training, NULL, &err), &err);
    adass_dataset *d = NULL;
    expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
    const adass_rows *rows = &d->splits[ADASS_TRAIN];
    unsigned drawn[ITEMS + 1][ITEMS + 1] = { { 0 } };
    for (unsigned i = 0; i < ROWS; i++)
        for (unsigned k = 1; k <= 2; k++)
            drawn[rows->ids[3 * i * FIELDS + 1]][rows->ids[(3 * i + k) * FIELDS + 1]]++;
    for (unsigned used = 1; used <= ITEMS; used++)
        for (unsigned item = 1; item <= ITEMS; item++) /* 500 expected, deviation 13 */
            assert_in_range(drawn[used][item], used == item ? 0 : 435, used == item ? 0 : 565);
    adass_dataset_close(d);
}

static void test_seeds(void **state)
{
    const char *dir = *state;
    adass_error err;
    values v = { { 0 }, { 0 }, { 0 } };
    write_uses(within(dir, "raw").text);
    adass_table_options options = all_training;
    expect_ok(import_raw(dir, "a", options, NULL, &err), &err);
    options.threads = 1;
    options.memory_bytes = (size_t)64 << 20;
    expect_ok(import_raw(dir, "b", options, NULL, &err), &err);
    expect_same_datasets(within(dir, "a").text, within(dir, "b").text);
    expect_same_files(within(dir, "a/vocabulary.tsv").text, within(dir, "b/vocabulary.tsv").text);
    options.seed = 8;
    expect_ok(import_raw(dir, "c", options, NULL, &err), &err);
    adass_dataset *a = open_rows(dir, "a", &v), *c = open_rows(dir, "c", &v);
    unsigned same = 0;
    for (unsigned r = 0; r < 3 * USES; r++)
        same += a->splits[ADASS_TRAIN].ids[r * FIELDS + 1] ==
                c->splits[ADASS_TRAIN].ids[r * FIELDS + 1];
    assert_in_range(same, 0, 2 * USES);
    adass_dataset_close(a);
    adass_dataset_close(c);
}

/* 7:2:1 when no ratio is asked for; the splits' deviation is at most 20 of 1800 rows. */
static void test_default_ratio(void **state)
{
    const char *dir = *state;
    adass_error err;
    adass_dataset *d = NULL;
    write_uses(within(dir, "raw").text);
    expect_ok(import_raw(dir, "out", (adass_table_options){ .seed = 1 }, NULL, &err), &err);
    expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
    assert_in_range(d->splits[ADASS_TRAIN].n, 1160, 1360);
    assert_in_range(d->splits[ADASS_VALID].n, 280, 440);
    assert_in_range(d->splits[ADASS_TEST].n, 110, 250);
    adass_dataset_close(d);
    char *meta;
    size_t n;
    meta = read_bytes(within(dir, "out/meta.json").text, &n);
    assert_non_null(strstr(meta, "\"negatives\": 2"));
    free(meta);
}

/* ---- bad input ---- */

#define GOOD(user, app) user "\t" app "\t1\tm0" CONTEXT

static void expect_failure(const char *dir, const char *text, size_t n, adass_status expected,
                           const char *message)
{
    adass_error err;
    const scratch_path raw = within(dir, "raw");
    write_bytes(raw.text, text, n);
    assert_int_equal(import_raw(dir, "out", all_training, NULL, &err), expected);
    expect_message(&err, message);
    remove(raw.text);
    if (count_entries(dir) != 0)
        fail_msg("something is left behind after: %s", err.message);
}

static void test_bad_rows(void **state)
{
    const char *dir = *state;
    static const struct {
        const char *row, *message;
    } cases[] = {
        { "u1\ta1\t1\tm0\n", "raw:3:11: 4 columns instead of 11" },
        { "u1\ta1\t1\tm0\tx" CONTEXT, "raw:3:" },
        { "\ta1\t1\tm0" CONTEXT, "raw:3:1: the user is empty" },
        { "u1\t\t1\tm0" CONTEXT, "raw:3:4: the item is empty" },
        { "u1\ta1\t0\tm0" CONTEXT, "raw:3:7: cnt is no whole number from 1 on, '0'" },
        { "u1\ta1\tx\tm0" CONTEXT, "raw:3:7: cnt is no whole number from 1 on, 'x'" },
        { "u1\ta1\t\tm0" CONTEXT, "raw:3:7: cnt" },
        { "u1\ta1\t1\tm\xff" CONTEXT, "raw:3:10: not UTF-8" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024];
        adass_error err;
        adass_import_report report;
        adass_table_options options = all_training;
        const int n = snprintf(text, sizeof text, "%s%s%s%s", HEADER GOOD("u1", "a1"), cases[i].row,
                               GOOD("u2", "a2"), GOOD("u3", "a3"));
        expect_failure(dir, text, (size_t)n, ADASS_EFORMAT, cases[i].message);
        options.max_bad_rows = 1;
        write_text(within(dir, "raw").text, text);
        expect_ok(import_raw(dir, "out", options, &report, &err), &err);
        assert_int_equal(report.bad_rows, 1);
        assert_int_equal(report.n_warnings, 1);
        assert_non_null(strstr(report.warnings[0], cases[i].message));
        adass_dataset *d = NULL;
        expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
        assert_int_equal(d->splits[ADASS_TRAIN].n, 9);
        adass_dataset_close(d);
        remove_tree(within(dir, "out").text);
        remove(within(dir, "raw").text);
    }
}

#define TEXT_AND_LENGTH(text) text, sizeof(text) - 1

static void test_bad_files(void **state)
{
    const char *dir = *state;
    expect_failure(dir, TEXT_AND_LENGTH(""), ADASS_EFORMAT, "no rows");
    expect_failure(dir, TEXT_AND_LENGTH(HEADER), ADASS_EFORMAT, "no rows");
    expect_failure(dir, TEXT_AND_LENGTH(GOOD("u1", "a1")), ADASS_EFORMAT,
                   "raw:1:1: the header is not");
    expect_failure(dir, TEXT_AND_LENGTH(HEADER "u1\ta\0\t1\tm0" CONTEXT), ADASS_EFORMAT,
                   "raw:2:5: a NUL byte");
    /* Two of a1, a2, a3 remain for u1, but one for u2. */
    expect_failure(
        dir, TEXT_AND_LENGTH(HEADER GOOD("u1", "a1") GOOD("u2", "a2") GOOD("u2", "a3")),
        ADASS_EFORMAT,
        "raw:3:1: less than two items are left that the user did not use in this context");
}

static void test_memory_errors(void **state)
{
    const char *dir = *state;
    adass_error err;
    adass_table_options options = all_training;
    write_uses(within(dir, "raw").text);
    options.memory_bytes = 1000;
    assert_int_equal(import_raw(dir, "out", options, NULL, &err), ADASS_ENOMEM);
    expect_message(&err, "raise --memory");
    assert_int_equal(count_entries(dir), 1);
}

static void test_cut_file(void **state)
{
    const char *dir = *state;
    size_t n, packed;
    write_uses(within(dir, "raw").text);
    char *text = read_bytes(within(dir, "raw").text, &n);
    for (int how = GZ; how < N_PACKINGS; how++) {
        packed = n;
        char *bytes = pack((packing)how, text, &packed);
        expect_failure(dir, bytes, packed - 5, ADASS_EFORMAT, "the packed data is cut");
        free(bytes);
    }
    free(text);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

/* ---- the published numbers ---- */

/* As many uses, and values of each column, as the original has. `cities`: of the last column, 233 in the original. */
static void write_stand_in(const char *path, unsigned uses, unsigned cities)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(HEADER, file);
    for (unsigned i = 0; i < uses; i++)
        fprintf(file, "%u\t%u\t1\t%u\t%u\t%u\t%u\t%u\t%u\t%u\t%u\n", i % 954, i % 4082, i % 7,
                i / 7 % 7, i % 2, i % 3, i / 2 % 2, i % 9, i % 80, i % cities);
    assert_int_equal(fclose(file), 0);
}

/* What is told of a whole file that differs, and that nothing is told of one that does not, or of a part. */
static void test_published(void **state)
{
    static const struct {
        unsigned uses, cities;
        size_t min_count, n_warnings;
        const char *warnings[3];
    } cases[] = {
        { 96203, 233, 0, 0, { NULL } },
        { 96203,
          200,
          0,
          2,
          { "field city: 201 features, published are 234",
            "5356 features in all, published are 5389; 1 fields differ" } },
        { 96000,
          200,
          0,
          3,
          { "288000 rows, published are 288609", "field city: 201 features, published are 234",
            "5356 features in all, published are 5389; 1 fields differ" } },
        { 96000, 200, 2, 1, { "288000 rows, published are 288609" } }, /* other features then */
        { 50000, 200, 0, 0, { NULL } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const adass_table_options options = { .seed = 3, .min_count = cases[i].min_count };
        adass_import_report report;
        adass_error err;
        write_stand_in(within(*state, "raw").text, cases[i].uses, cases[i].cities);
        expect_ok(import_raw(*state, "out", options, &report, &err), &err);
        assert_int_equal(report.n_warnings, cases[i].n_warnings);
        for (size_t k = 0; k < report.n_warnings; k++)
            assert_non_null(strstr(report.warnings[k], cases[i].warnings[k]));
        remove_tree(within(*state, "out").text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_negatives),     SCRATCH_TEST(test_uniform),  SCRATCH_TEST(test_seeds),
        SCRATCH_TEST(test_default_ratio), SCRATCH_TEST(test_bad_rows), SCRATCH_TEST(test_bad_files),
        SCRATCH_TEST(test_memory_errors), SCRATCH_TEST(test_cut_file), SCRATCH_TEST(test_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
