/*
 * Planted data: the same bytes for the same options on any number of threads; ids, labels and the
 * teacher's
 * AUC as the shape demands.
 */
#include "adass/dataset.h"
#include "adass/synth.h"
#include "portable_math.h"
#include "scratch.h"

#include <math.h>
#include <omp.h>

static void make(const char *dir, const char *shape, size_t rows, uint64_t seed)
{
    adass_error err;
    const adass_synth_options options = { .shape = shape, .rows = rows, .seed = seed };
    expect_ok(adass_synth_write(&options, dir, &err), &err);
}

static adass_dataset *open_dataset(const char *dir)
{
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir, &err), &err);
    expect_ok(adass_dataset_verify(d, &err), &err);
    return d;
}

static void test_threads_do_not_matter(void **state)
{
    const scratch_path one = within(*state, "1"), more = within(*state, "n");
    omp_set_num_threads(1);
    make(one.text, "tiny", 40000, 11); /* more than a block, and no whole number of blocks */
    for (int threads = 2; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        make(more.text, "tiny", 40000, 11);
        expect_same_datasets(one.text, more.text);
        remove_tree(more.text);
    }
}

/* Rows do not depend on how many follow: the first rows of a longer dataset are the shorter one. */
static void test_rows_stand_alone(void **state)
{
    make(within(*state, "short").text, "tiny", 1000, 3);
    make(within(*state, "long").text, "tiny", 40000, 3);
    adass_dataset *a = open_dataset(within(*state, "short").text),
                  *b = open_dataset(within(*state, "long").text);
    for (int s = 0; s < ADASS_N_SPLITS; s++) {
        assert_memory_equal(a->splits[s].ids, b->splits[s].ids,
                            a->splits[s].n * a->n_fields * sizeof(uint32_t));
        assert_memory_equal(a->splits[s].labels_u8, b->splits[s].labels_u8, a->splits[s].n);
    }
    adass_dataset_close(a);
    adass_dataset_close(b);
}

static void test_seeds_differ(void **state)
{
    make(within(*state, "1").text, "tiny", 2000, 1);
    make(within(*state, "2").text, "tiny", 2000, UINT64_MAX);
    adass_dataset *a = open_dataset(within(*state, "1").text),
                  *b = open_dataset(within(*state, "2").text);
    assert_string_not_equal(a->checksum, b->checksum);
    size_t same = 0, n = a->splits[ADASS_TRAIN].n < b->splits[ADASS_TRAIN].n
                             ? a->splits[ADASS_TRAIN].n
                             : b->splits[ADASS_TRAIN].n;
    for (size_t i = 0; i < n; i++)
        same += a->splits[ADASS_TRAIN].ids[i * a->n_fields] ==
                b->splits[ADASS_TRAIN].ids[i * a->n_fields];
    assert_true(same < n / 10);
    assert_non_null(strstr(a->made, "\"seed\":1}"));
    assert_non_null(
        strstr(b->made, "\"seed\":\"18446744073709551615\"}")); /* above JSON's integers */
    adass_dataset_close(a);
    adass_dataset_close(b);
}

/* Chi-square of a field's ids over all splits against id^-exponent; rare ids are taken together. */
static void expect_law(const adass_dataset *d, size_t f, double exponent)
{
    const size_t vocab = d->fields[f].vocab;
    double *count = calloc(vocab, sizeof *count), total = 0.0, norm = 0.0, chi = 0.0;
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        for (size_t i = 0; i < d->splits[s].n; i++) {
            const uint32_t id = d->splits[s].ids[i * d->n_fields + f];
            assert_true(id > 0 && id < vocab);
            count[id] += 1.0;
            total += 1.0;
        }
    for (size_t id = 1; id < vocab; id++)
        norm += pow((double)id, -exponent);
    double expected = 0.0, seen = 0.0, cells = 0.0;
    for (size_t id = 1; id < vocab; id++) {
        expected += total * pow((double)id, -exponent) / norm;
        seen += count[id];
        if (expected >= 20.0 || id + 1 == vocab) {
            chi += (seen - expected) * (seen - expected) / expected;
            cells += 1.0;
            expected = seen = 0.0;
        }
    }
    free(count);
    const double z = (chi - (cells - 1.0)) / sqrt(2.0 * (cells - 1.0));
    print_message("field %zu: chi-square %.1f of %.0f degrees of freedom (z %.2f)\n", f, chi,
                  cells - 1.0, z);
    assert_true(fabs(z) < 4.5);
}

static void test_tiny(void **state)
{
    static const size_t vocab[] = { 2001, 1501, 801, 501, 301, 121, 61, 31 };
    static const size_t rank[] = { 2, 8, 16, 1, 16, 4, 8, 2 };
    static const double exponent[] = { 1.0, 1.0, 0.8, 1.0, 0.6, 0.8, 0.6, 0.6 };
    make(within(*state, "d").text, "tiny", 0, 42);
    adass_dataset *d = open_dataset(within(*state, "d").text);
    assert_int_equal(d->n_fields, 8);
    for (size_t f = 0; f < 8; f++) {
        assert_int_equal(d->fields[f].vocab, vocab[f]);
        assert_int_equal(d->fields[f].true_rank, rank[f]);
        expect_law(d, f, exponent[f]);
    }
    const double n[] = { (double)d->splits[0].n, (double)d->splits[1].n, (double)d->splits[2].n };
    assert_true(n[0] + n[1] + n[2] == 200000.0);
    assert_true(fabs(n[0] - 160000.0) < 5.0 * sqrt(200000.0 * 0.8 * 0.2));
    assert_true(fabs(n[1] - 20000.0) < 5.0 * sqrt(200000.0 * 0.1 * 0.9));
    for (int s = 0; s < ADASS_N_SPLITS; s++) /* 0.01: the bias comes from a sample of 65536 rows */
        assert_true(fabs(adass_rows_label_rate(&d->splits[s]) - 0.3) <
                    0.01 + 5.0 * sqrt(0.21 / n[s]));
    adass_dataset_close(d);
}

static int by_score(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

/*
 * AUC on the test split of a first-order model, which the planted pairs must leave behind: the sum
 * over the fields of the smoothed log odds of each id in the training split. Ties are as good as
 * absent.
 */
static double first_order_auc(const adass_dataset *d)
{
    const adass_rows *train = &d->splits[ADASS_TRAIN], *test = &d->splits[ADASS_TEST];
    double(*pairs)[2] = calloc(test->n, sizeof *pairs);
    const double rate = adass_rows_label_rate(train), prior = log(rate / (1.0 - rate));
    for (size_t f = 0; f < d->n_fields; f++) {
        double *odds = calloc(d->fields[f].vocab * 2, sizeof *odds);
        for (size_t i = 0; i < train->n; i++)
            odds[2 * train->ids[i * d->n_fields + f] + train->labels_u8[i]] += 1.0;
        for (size_t i = 0; i < test->n; i++) {
            const double *o = odds + 2 * test->ids[i * d->n_fields + f];
            pairs[i][0] += log((o[1] + 20.0 * rate) / (o[0] + 20.0 * (1.0 - rate))) - prior;
            pairs[i][1] = test->labels_u8[i];
        }
        free(odds);
    }
    qsort(pairs, test->n, sizeof *pairs, by_score);
    double wins = 0.0, negatives = 0.0, positives = 0.0;
    for (size_t i = 0; i < test->n; i++) {
        wins += pairs[i][1] * negatives;
        positives += pairs[i][1];
        negatives += 1.0 - pairs[i][1];
    }
    free(pairs);
    return wins / positives / negatives;
}

static void test_teacher(void **state)
{
    static const struct {
        const char *shape;
        double low, high;
    } cases[] = { { "tiny", 0.80, 0.90 }, { "movielens", 0.74, 0.86 } };
    for (size_t i = 0; i < 2; i++) {
        make(within(*state, cases[i].shape).text, cases[i].shape, 200000, 5);
        adass_dataset *d = open_dataset(within(*state, cases[i].shape).text);
        const double simple = first_order_auc(d);
        print_message("%s: teacher's AUC %.4f, first order %.4f\n", cases[i].shape, d->teacher_auc,
                      simple);
        assert_true(d->teacher_auc > cases[i].low && d->teacher_auc < cases[i].high);
        assert_true(simple > 0.55 && simple < d->teacher_auc - 0.05);
        adass_dataset_close(d);
    }
}

static void test_movielens_label_rate(void **state)
{
    make(within(*state, "d").text, "movielens", 50000, 1);
    adass_dataset *d = open_dataset(within(*state, "d").text);
    assert_true(fabs(adass_rows_label_rate(&d->splits[ADASS_TRAIN]) - 0.575) < 0.025);
    assert_string_equal(d->fields[7].name, "genres");
    adass_dataset_close(d);
}

static void test_refusals(void **state)
{
    const scratch_path out = within(*state, "out");
    adass_error err;
    adass_synth_options options = { .shape = "huge", .rows = 1000, .seed = 1 };
    assert_int_equal(adass_synth_write(&options, out.text, &err), ADASS_EINVAL);
    expect_message(&err, "'huge'");
    expect_message(&err, "movielens");
    options.shape = "tiny";
    for (options.rows = 1; options.rows <= 5; options.rows++) {
        assert_int_equal(adass_synth_write(&options, out.text, &err), ADASS_EINVAL);
        expect_message(&err, "too few");
    }
    assert_int_equal(count_entries(*state), 0);
    options.rows = 1000;
    assert_int_equal(adass_synth_write(&options, *state, &err), ADASS_EINVAL);
    expect_message(&err, "exists already");
    assert_int_equal(adass_synth_write(&options, within(*state, "none/out").text, &err), ADASS_EIO);
    assert_int_equal(count_entries(*state), 0);
}

/* The portable exp and log against the library's. */
static void test_portable_math(void **state)
{
    (void)state;
    for (double x = -40.0; x <= 40.0; x += 0.0137)
        assert_true(fabs(portable_exp(x) / exp(x) - 1.0) < 1e-14);
    for (double x = 1.0; x < 1e6; x *= 1.0137)
        assert_true(fabs(portable_log(x) - log(x)) <= 1e-15 * log(x));
    assert_true(portable_exp(0.0) == 1.0 && portable_exp(-1000.0) == 0.0);
    assert_true(portable_sigmoid(0.0) == 0.5 && portable_sigmoid(1000.0) == 1.0 &&
                portable_sigmoid(-1000.0) < 1e-300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_threads_do_not_matter, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_rows_stand_alone, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_seeds_differ, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_tiny, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_teacher, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_movielens_label_rate, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(test_portable_math),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
