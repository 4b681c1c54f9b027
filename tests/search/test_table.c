/* The figures of a table, from made-up runs whose figures can be worked out by hand. */
#include "table.h"

#include "fixture.h"
#include "json_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { FIELDS = 4, SEEDS = 3, MAX_CELLS = 16 };

/* `dominant` has the most rows, and is not the first; ranks have another order than vocabularies. */
static adass_field fields[FIELDS] = { { .name = "b", .vocab = 100, .true_rank = 4 },
                                      { .name = "dominant", .vocab = 1000, .true_rank = 8 },
                                      { .name = "c", .vocab = 10, .true_rank = 0 },
                                      { .name = "d", .vocab = 5, .true_rank = 2 } };

static const adass_dataset dataset = {
    .name = "made up", .checksum = "0", .n_fields = FIELDS, .fields = fields, .teacher_auc = 0.9
};

/* What one run says. */
typedef struct made_run {
    double valid_auc, test_auc;
    size_t sizes[FIELDS];
    double params, of_dominant, bytes;
    double supernet, search, train; /* seconds */
    double remembered;              /* of the search's */
    bool continued;
} made_run;

typedef struct made_table {
    char dir[64];
    adass_cell cells[MAX_CELLS];
    size_t n_cells, n_seeds;
    json_t *records[MAX_CELLS][SEEDS];
    json_t *table;
} made_table;

static json_t *record_of(const char *method, const made_run *run)
{
    json_t *sizes = json_object(), *config = json_object();
    for (size_t f = 0; f < FIELDS; f++)
        json_object_set_new(sizes, fields[f].name, json_integer((json_int_t)run->sizes[f]));
    if (strcmp(method, "adass") == 0)
        json_object_set_new(config, "retrain", json_string("better"));
    return json_pack("{s:s, s:{s:f, s:f, s:f, s:f, s:f, s:i}, s:{s:f}, s:{s:f, s:f, s:f, s:f, s:f}, "
                     "s:o, s:o}",
                     "method", method, "metrics", "valid_auc", run->valid_auc, "test_auc",
                     run->test_auc, "test_logloss", 0.5, "params", run->params, "bytes", run->bytes,
                     "continued", run->continued, "field_params", "dominant", run->of_dominant,
                     "seconds", "total", run->supernet + run->search + run->train, "supernet",
                     run->supernet, "search", run->search, "remembered", run->remembered, "train",
                     run->train, "sizes", sizes, "config", config);
}

/* A uniform cell if budget is 0, of runs[n_seeds]; only the AUCs and training's seconds matter then. */
static void add_cell(made_table *t, adass_backbone backbone, const char *method, size_t size,
                     double budget, const made_run *runs)
{
    assert_true(t->n_cells < MAX_CELLS);
    json_t **records = t->records[t->n_cells];
    for (size_t i = 0; i < t->n_seeds; i++) {
        made_run run = runs[i];
        if (budget == 0.0) {
            run.params = 1115.0 * (double)size;
            run.of_dominant = 1000.0 * (double)size;
        }
        records[i] = record_of(method, &run);
        assert_non_null(records[i]);
    }
    t->cells[t->n_cells++] = (adass_cell){ .backbone = backbone,
                                           .method = method,
                                           .size = size,
                                           .budget = budget,
                                           .n = t->n_seeds,
                                           .first_seed = 11,
                                           .records = records };
}

/* FM: uniform 64 is the reference, for 24 is better on the test split alone. */
static void add_fm(made_table *t)
{
    add_cell(t, ADASS_FM, "uniform", 16, 0.0,
             (made_run[]){ { .valid_auc = 0.70, .test_auc = 0.700, .train = 9.0 },
                           { .valid_auc = 0.70, .test_auc = 0.702, .train = 9.0 },
                           { .valid_auc = 0.70, .test_auc = 0.704, .train = 9.0 } });
    add_cell(t, ADASS_FM, "uniform", 64, 0.0,
             (made_run[]){ { .valid_auc = 0.72, .test_auc = 0.710, .train = 2.0 },
                           { .valid_auc = 0.72, .test_auc = 0.711, .train = 4.0 },
                           { .valid_auc = 0.72, .test_auc = 0.712, .train = 6.0 } });
    add_cell(t, ADASS_FM, "uniform", 24, 0.0,
             (made_run[]){ { .valid_auc = 0.71, .test_auc = 0.80, .train = 9.0 },
                           { .valid_auc = 0.71, .test_auc = 0.80, .train = 9.0 },
                           { .valid_auc = 0.71, .test_auc = 0.80, .train = 9.0 } });
    add_cell(t, ADASS_FM, "adass", 0, 0.5,
             (made_run[]){ { .test_auc = 0.715,
                             .sizes = { 16, 64, 4, 0 },
                             .params = 30000.0,
                             .of_dominant = 20000.0,
                             .bytes = 1e6,
                             .supernet = 5.0,
                             .search = 1.0,
                             .remembered = 0.2,
                             .train = 3.0,
                             .continued = true },
                           { .test_auc = 0.719,
                             .sizes = { 16, 32, 8, 0 },
                             .params = 33000.0,
                             .of_dominant = 22000.0,
                             .bytes = 2e6,
                             .supernet = 6.0,
                             .search = 2.0,
                             .remembered = 0.4,
                             .train = 4.0 },
                           { .test_auc = 0.717,
                             .sizes = { 16, 64, 4, 2 },
                             .params = 36000.0,
                             .of_dominant = 24000.0,
                             .bytes = 3e6,
                             .supernet = 7.0,
                             .search = 3.0,
                             .remembered = 0.6,
                             .train = 5.0,
                             .continued = true } });
    const made_run sseds = { .test_auc = 0.715, .sizes = { 8, 4, 2, 16 }, .search = 4.0 };
    add_cell(t, ADASS_FM, "sseds", 0, 0.5,
             (made_run[]){ sseds,
                           { .test_auc = 0.719, .sizes = { 8, 4, 2, 16 }, .search = 4.0 },
                           { .test_auc = 0.717, .sizes = { 8, 4, 2, 16 }, .search = 4.0 } });
    const made_run random = { .test_auc = 0.709, .sizes = { 8, 8, 8, 8 } };
    add_cell(t, ADASS_FM, "random", 0, 0.5, (made_run[]){ random, random, random });
    add_cell(t, ADASS_FM, "random", 0, 0.1, (made_run[]){ random, random, random });
    const made_run optembed = { .test_auc = 0.7115, .supernet = 4.0, .search = 1.0 };
    add_cell(t, ADASS_FM, "optembed", 0, 0.1, (made_run[]){ optembed, optembed, optembed });
    const made_run pep = { .test_auc = 0.70, .search = 8.0 };
    add_cell(t, ADASS_FM, "pep", 0, 0.1, (made_run[]){ pep, pep, pep });
}

/* Another backbone, with another reference and no uniform 16. */
static void add_deepfm(made_table *t)
{
    const made_run uniform = { .valid_auc = 0.80, .test_auc = 0.80, .train = 1.0 },
                   random = { .test_auc = 0.81, .search = 1.0 };
    add_cell(t, ADASS_DEEPFM, "uniform", 32, 0.0, (made_run[]){ uniform, uniform, uniform });
    add_cell(t, ADASS_DEEPFM, "random", 0, 0.5, (made_run[]){ random, random, random });
}

static void write_table(made_table *t)
{
    char path[128];
    adass_error err;
    adass_compute compute = { .threads = 1 };
    assert_non_null(mkdtemp(t->dir));
    assert_int_equal(adass_kernels_get("best", &compute.kernels, &err), ADASS_OK);
    assert_int_equal(
        adass_table_write(t->dir, "made", &dataset, t->cells, t->n_cells, &compute, &err),
        ADASS_OK);
    snprintf(path, sizeof path, "%s/table.json", t->dir);
    assert_int_equal(adass_json_read(path, &t->table, &err), ADASS_OK);
}

static int set_up(void **state)
{
    static made_table t = { .dir = "/tmp/adass-test-XXXXXX", .n_seeds = SEEDS };
    add_fm(&t);
    add_deepfm(&t);
    write_table(&t);
    *state = &t;
    return 0;
}

static void release(made_table *t)
{
    for (size_t c = 0; c < t->n_cells; c++)
        for (size_t i = 0; i < t->n_seeds; i++)
            json_decref(t->records[c][i]);
    json_decref(t->table);
    remove_folder(t->dir);
}

static int tear_down(void **state)
{
    release(*state);
    return 0;
}

/* The row of a uniform size, or of a method's budget. */
static const json_t *row_of(const made_table *t, const char *backbone, const char *method,
                            double which)
{
    size_t i;
    json_t *row;
    const char *key = strcmp(method, "uniform") == 0 ? "size" : "budget";
    json_array_foreach(json_object_get(t->table, "rows"), i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "backbone")), backbone) == 0 &&
            strcmp(json_string_value(json_object_get(row, "method")), method) == 0 &&
            fabs(json_number_value(json_object_get(row, key)) - which) < 1e-12)
            return row;
    }
    fail_msg("no row %s %s %g", backbone, method, which);
    return NULL;
}

static void expect(const json_t *row, const char *key, double wanted)
{
    const json_t *value = json_object_get(row, key);
    if (!json_is_number(value) ||
        !(fabs(json_number_value(value) - wanted) <= 1e-9 * fmax(1.0, fabs(wanted))))
        fail_msg("%s: %.9g instead of %.9g", key, json_number_value(value), wanted);
}

static void expect_none(const json_t *row, const char *key)
{
    if (json_object_get(row, key) != NULL)
        fail_msg("%s: %.9g instead of nothing", key, json_number_value(json_object_get(row, key)));
}

/* Three seeds, two degrees of freedom: t = 4.303. */
static void test_gains(void **state)
{
    const made_table *t = *state;
    const json_t *row = row_of(t, "fm", "adass", 0.5);
    expect(row, "auc_mean", 0.717);
    expect(row, "auc_std", 0.002);
    expect(row, "auc_ci95", 4.303 * 0.002 / sqrt(3.0));
    /* over uniform 64, seed by seed: .005, .008, .005 */
    expect(row, "gain_mean", 0.006);
    expect(row, "gain_std", 0.001 * sqrt(3.0));
    expect(row, "gain_ci95", 0.004303);
    expect(row, "gain_percent", 100.0 * 0.006 / 0.711);
    /* over uniform 16: .015, .017, .013 */
    expect(row, "over16_mean", 0.015);
    expect(row, "over16_std", 0.002);
    expect(row, "over16_ci95", 4.303 * 0.002 / sqrt(3.0));
    expect(row_of(t, "fm", "uniform", 64), "over16_mean", 0.009);
    expect(row_of(t, "fm", "uniform", 64), "gain_mean", 0.0);
    expect(row_of(t, "fm", "uniform", 16), "over16_mean", 0.0);
    expect(row_of(t, "deepfm", "random", 0.5), "gain_mean", 0.01);
    expect_none(row_of(t, "deepfm", "random", 0.5), "over16_mean");
    assert_true(json_is_true(json_object_get(row_of(t, "fm", "uniform", 64), "reference")));
    assert_false(json_is_true(json_object_get(row_of(t, "fm", "uniform", 24), "reference")));
}

/* At 0.5: two of .717 are first, uniform 64 (.711) third, random (.709) fourth. */
static void test_ranks(void **state)
{
    const made_table *t = *state;
    expect(row_of(t, "fm", "adass", 0.5), "rank", 1.0);
    expect(row_of(t, "fm", "sseds", 0.5), "rank", 1.0);
    expect(row_of(t, "fm", "random", 0.5), "rank", 4.0);
    expect(row_of(t, "fm", "optembed", 0.1), "rank", 1.0);
    expect(row_of(t, "fm", "random", 0.1), "rank", 3.0);
    expect(row_of(t, "fm", "pep", 0.1), "rank", 4.0);
    expect(row_of(t, "deepfm", "random", 0.5), "rank", 1.0);
    expect_none(row_of(t, "fm", "uniform", 64), "rank");
}

/* In trainings of uniform 64, which take 4 seconds, whatever other sizes take. */
static void test_costs(void **state)
{
    const made_table *t = *state;
    expect(row_of(t, "fm", "adass", 0.5), "search_cost", 2.0);
    expect(row_of(t, "fm", "adass", 0.5), "further_cost", 0.4);
    expect(row_of(t, "fm", "optembed", 0.1), "search_cost", 1.25);
    expect(row_of(t, "fm", "optembed", 0.1), "further_cost", 0.25);
    expect(row_of(t, "fm", "sseds", 0.5), "search_cost", 1.0); /* all of it serves all */
    expect(row_of(t, "fm", "sseds", 0.5), "further_cost", 0.0);
    expect(row_of(t, "fm", "pep", 0.1), "search_cost", 2.0); /* begins anew */
    expect_none(row_of(t, "fm", "pep", 0.1), "further_cost");
    expect(row_of(t, "fm", "random", 0.5), "search_cost", 0.0);
    expect_none(row_of(t, "fm", "random", 0.5), "further_cost");
    expect(row_of(t, "deepfm", "random", 0.5), "search_cost", 1.0);
    expect_none(row_of(t, "fm", "uniform", 64), "search_cost");
    const json_t *row = row_of(t, "fm", "adass", 0.5);
    expect(row, "seconds_mean", 12.0);
    expect(row, "supernet_seconds_mean", 6.0);
    expect(row, "search_seconds_mean", 2.0);
    expect(row, "train_seconds_mean", 4.0);
    expect(row, "continued", 2.0 / 3.0);
    expect_none(row_of(t, "fm", "sseds", 0.5), "continued");
}

/*
 * Of seeds 1 and 2 two fields agree, of 1 and 3 three, of 2 and 3 one; doublings: 1 + 1, 2 (from
 * nothing, an octave below 1, to 2), and 1 + 1 + 2, of four fields.
 */
static void test_stability(void **state)
{
    const made_table *t = *state;
    const json_t *row = row_of(t, "fm", "adass", 0.5);
    expect(row, "agreement", (0.5 + 0.75 + 0.25) / 3.0);
    expect(row, "log2_distance", (0.5 + 0.5 + 1.0) / 3.0);
    expect(row_of(t, "fm", "sseds", 0.5), "agreement", 1.0);
    expect(row_of(t, "fm", "sseds", 0.5), "log2_distance", 0.0);
    expect_none(row_of(t, "fm", "uniform", 64), "agreement");
}

/*
 * The truth ranks 3, 4, 1, 2. Sizes of adass rank 3, 4, 2, 1 with every seed: 1 - 6 x 2 / (4 x 15); of
 * sseds 3, 2, 1, 4: 1 - 6 x 8 / (4 x 15).
 */
static void test_rank_correlation(void **state)
{
    const made_table *t = *state;
    expect(row_of(t, "fm", "adass", 0.5), "rank_correlation", 0.8);
    expect(row_of(t, "fm", "sseds", 0.5), "rank_correlation", 0.2);
    expect_none(row_of(t, "fm", "random", 0.5), "rank_correlation"); /* one size for all */
}

static void test_params(void **state)
{
    const made_table *t = *state;
    const json_t *row = row_of(t, "fm", "adass", 0.5);
    expect(row, "params_mean", 33000.0);
    expect(row, "params_std", 3000.0);
    expect(row, "params_ratio", 33000.0 / (64.0 * 1115.0));
    expect(row, "params_rest_mean", 11000.0);
    expect(row, "params_rest_ratio", 11000.0 / (64.0 * 115.0));
    expect(row, "bytes_mean", 2e6);
    assert_string_equal(json_string_value(json_object_get(t->table, "dominating_field")),
                        "dominant");
}

static FILE *open_file(const made_table *t, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", t->dir, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    return file;
}

static size_t count(const char *text, char c)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == c;
    return n;
}

/* A row in full, and no row with other columns than its table's head. */
static void test_markdown(void **state)
{
    const made_table *t = *state;
    static const char wanted[] =
        "| adass at 0.5 | 0.7170 ± 0.0050 | +6.0 ± 4.3 |  | +15.0 ± 5.0 | 1 | 0.5000 | 33000 | "
        "0.46 | 1.49 | 2.00 | 0.50 | 0.67 | 0.80 | 2.00 | 0.40 | 0.67 | 12.0 |\n";
    static const char without_16[] = "| random at 0.5 | 0.8100 ± 0.0000 | +10.0 ± 0.0 |  |  | 1 |";
    FILE *file = open_file(t, "table.md");
    char line[1024];
    size_t columns = 0, rows = 0, found = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "| method |", 10) == 0)
            columns = count(line, '|');
        if (line[0] != '|')
            continue;
        assert_int_equal(count(line, '|'), columns);
        rows++;
        found += strcmp(line, wanted) == 0;
        found += strncmp(line, without_16, sizeof without_16 - 1) == 0;
    }
    fclose(file);
    assert_int_equal(columns, 19);
    assert_int_equal(rows, t->n_cells + 4);
    assert_int_equal(found, 2);
}

/* Every column of every row, as in table.json; nothing here has a comma inside. */
static void test_csv(void **state)
{
    const made_table *t = *state;
    FILE *file = open_file(t, "table.csv");
    char head[2048], line[2048];
    assert_non_null(fgets(head, sizeof head, file));
    head[strcspn(head, "\n")] = '\0';
    assert_non_null(strstr(head, ",over16_mean,over16_std,over16_ci95,"));
    assert_non_null(strstr(head, ",search_cost,further_cost,"));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(t->table, "rows"), i, row)
    {
        assert_non_null(fgets(line, sizeof line, file));
        line[strcspn(line, "\n")] = '\0';
        char *at = line, *names = head, name[64];
        while (*names != '\0') {
            snprintf(name, sizeof name, "%.*s", (int)strcspn(names, ","), names);
            const json_t *value = json_object_get(row, name);
            if (json_is_number(value))
                assert_true(fabs(strtod(at, NULL) - json_number_value(value)) <=
                            1e-9 * fabs(json_number_value(value)));
            if (value == NULL || json_is_null(value))
                assert_int_equal(strcspn(at, ","), 0);
            at += strcspn(at, ",");
            at += *at == ',';
            names += strcspn(names, ",");
            names += *names == ',';
        }
        assert_string_equal(at, "");
    }
    fclose(file);
}

/* One seed has no interval, and nothing to agree with. */
static void test_one_seed(void **state)
{
    (void)state;
    static made_table t = { .dir = "/tmp/adass-test-XXXXXX", .n_seeds = 1 };
    add_fm(&t);
    write_table(&t);
    const json_t *row = row_of(&t, "fm", "adass", 0.5);
    expect(row, "gain_mean", 0.005);
    expect(row, "over16_mean", 0.015);
    expect_none(row, "gain_ci95");
    expect_none(row, "over16_ci95");
    expect_none(row, "agreement");
    expect_none(row, "log2_distance");
    release(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gains),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_costs),
        cmocka_unit_test(test_stability),
        cmocka_unit_test(test_rank_correlation),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_one_seed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
