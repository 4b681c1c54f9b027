/*
 * Planted data: the same bytes for the same options on any number of threads; ids, labels and the
 * teacher's AUC as the shape and the options demand; memory that does not grow with the rows.
 */
#include "adass/dataset.h"
#include "adass/metrics.h"
#include "adass/rng.h"
#include "adass/synth.h"
#include "portable_math.h"
#include "scratch.h"
#include "split_at.h"
#include "synth_ceiling.h"
#include "synth_streams.h"
#include "synth_teacher.h"

#include <malloc.h>
#include <math.h>
#include <omp.h>

static void make_with(const adass_synth_options *options, const char *dir)
{
    adass_error err;
    expect_ok(adass_synth_write(options, dir, &err), &err);
}

static void make(const char *dir, const char *shape, size_t rows, uint64_t seed)
{
    make_with(&(adass_synth_options){ .shape = shape, .rows = rows, .seed = seed }, dir);
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
    static const char *const shapes[] = { "tiny", "criteo" };
    static const int threads[] = { 1, 2, 4 };
    for (size_t s = 0; s < 2; s++) {
        const adass_synth_options options = { /* more than a block, and no whole number of blocks */
                                              .shape = shapes[s],
                                              .rows = 40000,
                                              .seed = 11
        };
        scratch_path dir[3], raw[3];
        for (size_t i = 0; i < 3; i++) {
            char name[32];
            adass_error err;
            snprintf(name, sizeof name, "%s-%d", shapes[s], threads[i]);
            dir[i] = within(*state, name);
            omp_set_num_threads(threads[i]);
            make_with(&options, dir[i].text);
            strcat(name, ".tsv");
            raw[i] = within(*state, name);
            if (s == 1)
                expect_ok(adass_synth_write_raw(&options, raw[i].text, &err), &err);
        }
        for (size_t i = 1; i < 3; i++) {
            expect_same_datasets(dir[0].text, dir[i].text);
            if (s == 1)
                expect_same_files(raw[0].text, raw[i].text);
        }
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

/* Takes cells together until 20 rows are expected, and says how far chi-square is off, in sigmas. */
typedef struct chi_square {
    double expected, seen, sum, cells;
} chi_square;

static void chi_add(chi_square *c, double expected, double seen, bool last)
{
    c->expected += expected;
    c->seen += seen;
    if (c->expected < 20.0 && !last)
        return;
    c->sum += (c->seen - c->expected) * (c->seen - c->expected) / c->expected;
    c->cells += 1.0;
    c->expected = c->seen = 0.0;
}

static double chi_z(const chi_square *c)
{
    return (c->sum - (c->cells - 1.0)) / sqrt(2.0 * (c->cells - 1.0));
}

/* A field's ids over all splits against id^-exponent, and id 0 against its share. */
static void expect_law(const adass_dataset *d, size_t f, double exponent, double oov_share)
{
    const size_t vocab = d->fields[f].vocab;
    double *count = calloc(vocab, sizeof *count), total = 0.0, norm = 0.0;
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        for (size_t i = 0; i < d->splits[s].n; i++) {
            const uint32_t id = d->splits[s].ids[i * d->n_fields + f];
            assert_true(id < vocab);
            count[id] += 1.0;
            total += 1.0;
        }
    for (size_t id = 1; id < vocab; id++)
        norm += pow((double)id, -exponent);
    assert_true(fabs(count[0] - total * oov_share) <=
                5.0 * sqrt(total * oov_share * (1.0 - oov_share)));
    total -= count[0];
    chi_square chi = { 0 };
    for (size_t id = 1; id < vocab; id++)
        chi_add(&chi, total * pow((double)id, -exponent) / norm, count[id], id + 1 == vocab);
    free(count);
    print_message("%s: chi-square %.1f of %.0f degrees of freedom (z %.2f)\n", d->fields[f].name,
                  chi.sum, chi.cells - 1.0, chi_z(&chi));
    assert_true(fabs(chi_z(&chi)) < 4.5);
}

static int by_id(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/*
 * A vocabulary that no table could list: Kolmogorov and Smirnov's distance to the exact law is below
 * 1.95 / sqrt(draws) in 999 of 1000 tries; the law is off by a factor of 1 +- exponent / 512.
 */
static void test_large_law(void **state)
{
    (void)state;
    enum { DRAWS = 200000, FEATURES = 3000000 };
    adass_error err;
    synth_law law;
    expect_ok(adass_synth_law_init(&law, FEATURES, 0.9, 0.0, &err), &err);
    assert_true(law.n_cells < 8192);
    uint32_t *ids = malloc(DRAWS * sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < DRAWS; i++)
        ids[i] = adass_synth_law_draw(&law, adass_mix_at(17, i));
    qsort(ids, DRAWS, sizeof *ids, by_id);
    assert_true(ids[0] == 1 && ids[DRAWS - 1] <= FEATURES);
    double norm = 0.0, below = 0.0, distance = 0.0;
    for (size_t id = 1; id <= FEATURES; id++)
        norm += pow((double)id, -0.9);
    for (size_t id = 1, n = 0; id <= FEATURES; id++) {
        while (n < DRAWS && ids[n] <= id)
            n++;
        below += pow((double)id, -0.9) / norm;
        distance = fmax(distance, fabs((double)n / DRAWS - below));
        if (id % 100000 == 1)
            assert_true(
                fabs(adass_synth_law_share(&law, (uint32_t)id) * norm / pow((double)id, -0.9) -
                     1.0) < 1e-4);
    }
    free(ids);
    adass_synth_law_free(&law);
    print_message("distance %.5f, bound %.5f\n", distance, 1.95 / sqrt(DRAWS) + 0.9 / 512.0);
    assert_true(distance < 1.95 / sqrt(DRAWS) + 0.9 / 512.0);
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
        expect_law(d, f, exponent[f], 0.0);
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

/* AUC of [n] pairs of a score and a label, which it sorts. Ties are as good as absent. */
static double auc_of(double (*pairs)[2], size_t n)
{
    double wins = 0.0, negatives = 0.0, positives = 0.0;
    qsort(pairs, n, sizeof *pairs, by_score);
    for (size_t i = 0; i < n; i++) {
        wins += pairs[i][1] * negatives;
        positives += pairs[i][1];
        negatives += 1.0 - pairs[i][1];
    }
    return wins / positives / negatives;
}

/*
 * AUC on the test split of a first-order model, which the planted pairs must leave behind: the sum
 * over the fields of the smoothed log odds of each id in the training split.
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
    const double auc = auc_of(pairs, test->n);
    free(pairs);
    return auc;
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

/* Fields and vocabularies of the originals (less one id a field), label rates, and ranks that exist. */
static void test_shapes(void **state)
{
    static const struct {
        const char *name;
        size_t fields, vocab;
        double rate;
    } shapes[] = {
        { "criteo", 39, 910747 - 39, 0.2562 },  { "avazu", 24, 3750999 - 24, 0.1698 },
        { "kdd12", 10, 50666853 - 10, 0.0445 }, { "movielens", 8, 13577, 0.575 },
        { "frappe", 10, 5399 - 10, 1.0 / 3.0 },
    };
    enum { ROWS = 30000, CALIBRATION = 65536 };
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        make(within(*state, shapes[s].name).text, shapes[s].name, ROWS, 3);
        adass_dataset *d = open_dataset(within(*state, shapes[s].name).text);
        size_t vocab = 0, largest = 0, with_largest = 0;
        double positives = 0.0;
        for (size_t f = 0; f < d->n_fields; f++)
            largest = d->fields[f].true_rank > largest ? d->fields[f].true_rank : largest;
        for (size_t f = 0; f < d->n_fields; f++) {
            const adass_field *field = &d->fields[f];
            vocab += field->vocab;
            with_largest += field->true_rank == largest;
            assert_true(field->true_rank == 0 || field->true_rank + 2 <= field->vocab ||
                        strcmp(shapes[s].name, "movielens") == 0);
        }
        assert_true(with_largest >= 2); /* or its last components had no pair */
        for (int i = 0; i < ADASS_N_SPLITS; i++)
            positives += adass_rows_label_rate(&d->splits[i]) * (double)d->splits[i].n;
        assert_int_equal(d->n_fields, shapes[s].fields);
        assert_int_equal(vocab, shapes[s].vocab);
        const double rate = shapes[s].rate, sigma = sqrt(rate * (1.0 - rate));
        print_message("%s: label rate %.4f of %.4f, teacher's AUC %.4f\n", shapes[s].name,
                      positives / ROWS, rate, d->teacher_auc);
        assert_true(fabs(positives / ROWS - rate) <
                    5.0 * sigma * sqrt(1.0 / ROWS + 1.0 / CALIBRATION));
        adass_dataset_close(d);
    }
}

static void test_criteo_law(void **state)
{
    make(within(*state, "d").text, "criteo", 200000, 9);
    adass_dataset *d = open_dataset(within(*state, "d").text);
    expect_law(d, 4, 0.8, 0.0);                           /* I5 */
    expect_law(d, 15, 1.2, 2.0 * 9973890.0 / 45840617.0); /* C3 */
    expect_law(d, 16, 1.1, 2.0 * 2084788.0 / 45840617.0); /* C4 */
    expect_law(d, 25, 1.0, 0.0);                          /* C13 */
    assert_int_equal(d->fields[15].true_rank, 0);
    assert_int_equal(d->fields[25].true_rank, 64);
    adass_dataset_close(d);
}

/* The formula of adass/synth.h, pair by pair. */
static double formula(const synth_teacher *t, const uint32_t *ids)
{
    const size_t n = t->shape->n_fields;
    double buffer[SYNTH_MAX_FIELDS][SYNTH_FEATURE_MAX];
    const double *x[SYNTH_MAX_FIELDS];
    double linear = 0.0, pairs = 0.0, hidden[SYNTH_HIDDEN] = { 0 }, nonlinear = 0.0;
    const float *w = t->hidden_in;
    for (size_t f = 0; f < n; f++) {
        if (t->rank[f] == 0)
            continue;
        x[f] = adass_synth_teacher_feature(t, f, ids[f], buffer[f]);
        linear += x[f][SYNTH_LINEAR];
        for (size_t k = 0; k < t->rank[f]; k++)
            for (size_t h = 0; h < SYNTH_HIDDEN; h++)
                hidden[h] += (double)*w++ * x[f][SYNTH_VECTOR + k];
        for (size_t g = 0; g < f; g++)
            for (size_t k = 0; k < t->rank[f] && k < t->rank[g]; k++)
                pairs += t->component[k] * x[f][SYNTH_VECTOR + k] * x[g][SYNTH_VECTOR + k];
    }
    for (size_t h = 0; h < SYNTH_HIDDEN; h++)
        nonlinear += t->hidden_out[h] * hidden[h] / (1.0 + fabs(hidden[h]));
    return t->bias + t->scale_linear * linear + t->scale_pairs * pairs +
           t->scale_nonlinear * nonlinear;
}

/* The ceiling in meta.json is the AUC of the formula on the rows of the test split. */
static void test_ceiling_is_of_the_rows(void **state)
{
    static const char *const shapes[] = { "tiny", "criteo", "avazu", "frappe" };
    for (size_t s = 0; s < 4; s++) {
        const adass_synth_options options = {
            .shape = shapes[s], .rows = 60000, .seed = 21, .noise = 0.5, .null_fields = 1
        };
        const scratch_path dir = within(*state, shapes[s]);
        synth_teacher t;
        adass_error err;
        make_with(&options, dir.text);
        expect_ok(adass_synth_teacher_init(&t, &options, &err), &err);
        adass_dataset *d = open_dataset(dir.text);
        const adass_rows *test = &d->splits[ADASS_TEST];
        double(*pairs)[2] = calloc(test->n, sizeof *pairs), worst = 0.0;
        for (size_t i = 0; i < test->n; i++) {
            const uint32_t *ids = test->ids + i * d->n_fields;
            pairs[i][0] = formula(&t, ids);
            pairs[i][1] = test->labels_u8[i];
            worst = fmax(worst, fabs(pairs[i][0] - adass_synth_teacher_logit(&t, ids)));
        }
        const double auc = auc_of(pairs, test->n);
        print_message("%s: %.9f in meta.json, %.9f by the formula; logits differ by %.1e\n",
                      shapes[s], d->teacher_auc, auc, worst);
        assert_true(fabs(auc - d->teacher_auc) < 1e-6); /* logits are kept as floats */
        assert_true(worst < 1e-11);
        for (size_t f = 0; f < d->n_fields; f++)
            assert_int_equal(d->fields[f].true_rank, t.rank[f]);
        free(pairs);
        adass_dataset_close(d);
        adass_synth_teacher_free(&t);
    }
}

/* Labels of an id against the mean label, over the ids of a field. */
static double label_z(const adass_dataset *d, size_t f)
{
    const adass_rows *train = &d->splits[ADASS_TRAIN];
    const double rate = adass_rows_label_rate(train);
    double(*count)[2] = calloc(d->fields[f].vocab, sizeof *count);
    for (size_t i = 0; i < train->n; i++)
        count[train->ids[i * d->n_fields + f]][train->labels_u8[i]] += 1.0;
    chi_square chi = { 0 };
    for (size_t id = 0; id < d->fields[f].vocab; id++)
        chi_add(&chi, rate * (count[id][0] + count[id][1]), count[id][1],
                id + 1 == d->fields[f].vocab);
    chi.sum /= 1.0 - rate; /* binomial, not Poisson */
    free(count);
    return chi_z(&chi);
}

static void test_null_fields(void **state)
{
    static const adass_synth_options options = {
        .shape = "tiny", .rows = 200000, .seed = 8, .null_fields = 3
    };
    make_with(&options, within(*state, "d").text);
    adass_dataset *d = open_dataset(within(*state, "d").text);
    size_t null_fields = 0;
    for (size_t f = 0; f < d->n_fields; f++) {
        const double z = label_z(d, f);
        print_message("%s: rank %zu, z %.1f\n", d->fields[f].name, d->fields[f].true_rank, z);
        null_fields += d->fields[f].true_rank == 0;
        assert_true(d->fields[f].true_rank == 0 ? fabs(z) < 4.5 : z > 20.0);
    }
    assert_int_equal(null_fields, 3);
    assert_non_null(strstr(d->made, "\"null_fields\":3"));
    adass_dataset_close(d);
}

static void test_noise_lowers_the_ceiling(void **state)
{
    double ceiling[2];
    for (int i = 0; i < 2; i++) {
        const scratch_path dir = within(*state, i == 0 ? "plain" : "noisy");
        make_with(&(adass_synth_options){ .shape = "tiny", .seed = 5, .noise = 2.0 * i }, dir.text);
        adass_dataset *d = open_dataset(dir.text);
        ceiling[i] = d->teacher_auc;
        assert_true(fabs(adass_rows_label_rate(&d->splits[ADASS_TRAIN]) - 0.3) < 0.01);
        assert_true((strstr(d->made, "\"noise\":2") != NULL) == (i == 1));
        adass_dataset_close(d);
    }
    print_message("ceiling %.4f, with noise %.4f\n", ceiling[0], ceiling[1]);
    assert_true(ceiling[1] < ceiling[0] - 0.05 && ceiling[1] > 0.6);
}

static bool carries(const synth_teacher *t, size_t f, uint32_t id)
{
    double buffer[SYNTH_FEATURE_MAX];
    const double *x = adass_synth_teacher_feature(t, f, id, buffer);
    bool any = false;
    for (size_t i = 0; i < SYNTH_VECTOR + t->rank[f]; i++)
        any = any || x[i] != 0.0;
    return any;
}

/* Switched off, features below one row in 100,000 carry nothing, and those above all the same. */
static void test_rare_signal(void **state)
{
    (void)state;
    for (int silent = 0; silent < 2; silent++) {
        synth_teacher t;
        adass_error err;
        expect_ok(adass_synth_teacher_init(
                      &t,
                      &(adass_synth_options){ .shape = "criteo", .rare_is_silent = silent == 1 },
                      &err),
                  &err);
        const size_t fields[] = { 16, 22, 25 }; /* C4, C10, C13: derived, in a table, none rare */
        for (size_t i = 0; i < 3; i++) {
            const uint32_t vocab = (uint32_t)t.shape->fields[fields[i]].vocab;
            for (uint32_t id = 0; id < vocab; id += id < 20 ? 1 : 501) {
                const bool rare = id == 0 || adass_synth_law_share(&t.laws[fields[i]], id) < 1e-5;
                assert_int_equal(carries(&t, fields[i], id), !(rare && silent == 1));
            }
        }
        adass_synth_teacher_free(&t);
    }
}

/* Beyond what is kept, the AUC comes from bins. */
static void test_ceiling_in_bins(void **state)
{
    (void)state;
    enum { EXTRA = 300000, N = SYNTH_CEILING_EXACT + EXTRA };
    synth_ceiling c;
    adass_error err;
    expect_ok(adass_synth_ceiling_init(&c, &err), &err);
    float *logits = malloc(N * sizeof *logits), *labels = malloc(N * sizeof *labels);
    assert_true(logits != NULL && labels != NULL);
    double auc, exact;
    for (size_t i = 0; i < N; i++) {
        const double z = adass_normal(adass_mix_at(1, i), adass_mix_at(2, i), adass_mix_at(3, i));
        labels[i] = (float)(adass_unit(adass_mix_at(4, i)) < portable_sigmoid(z - 1.0));
        logits[i] = i % 1000 == 0 ? 100.0f : (float)(z - 1.0); /* some are out of range */
        adass_synth_ceiling_add(&c, logits[i], labels[i] > 0.5f);
        if (i + 1 != SYNTH_CEILING_EXACT && i + 1 != N)
            continue;
        expect_ok(adass_synth_ceiling_auc(&c, &auc, &err), &err);
        expect_ok(adass_auc(logits, labels, i + 1, &exact, &err), &err);
        print_message("%zu rows: AUC %.9f, exact %.9f\n", i + 1, auc, exact);
        assert_true(i + 1 == N ? fabs(auc - exact) < 2e-5 : auc == exact);
    }
    free(logits);
    free(labels);
    adass_synth_ceiling_free(&c);
}

/* ---- the raw format ---- */

/* One cell of a line; moves on behind the separator. */
static char *next_cell(char **p, char separator)
{
    char *cell = *p, *end = strchr(cell, separator);
    assert_non_null(end);
    *end = '\0';
    *p = end + 1;
    return cell;
}

/* What the benchmark's preparation makes of an integer. */
static uint32_t token_of(const char *cell)
{
    const double x = cell[0] == '\0' ? 0.0 : strtod(cell, NULL);
    return (uint32_t)(x > 2.0 ? floor(log(x) * log(x)) : x);
}

typedef struct seen_value {
    uint64_t key; /* value, then id: sorted, the ids of a value stand together */
} seen_value;

static int by_key(const void *a, const void *b)
{
    const seen_value *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* The rows of the raw file are those of the dataset: labels, tokens, and a value for each id. */
static void test_raw(void **state)
{
    enum { ROWS = 20000, NUMBERS = 13, FIELDS = 39 };
    const adass_synth_options options = { .shape = "criteo", .rows = ROWS, .seed = 6 };
    const scratch_path path = within(*state, "raw.tsv");
    adass_error err;
    expect_ok(adass_synth_write_raw(&options, path.text, &err), &err);
    make_with(&options, within(*state, "d").text);
    adass_dataset *d = open_dataset(within(*state, "d").text);
    size_t length, next[ADASS_N_SPLITS] = { 0 }, missing = 0;
    char *text = read_bytes(path.text, &length), *p = text;
    seen_value(*seen)[ROWS] = calloc(FIELDS, sizeof *seen);
    assert_non_null(seen);
    for (size_t row = 0; row < ROWS; row++) {
        const adass_split split =
            adass_split_at(adass_seed_derive(options.seed, SYNTH_STREAM_SPLIT), row);
        const adass_rows *rows = &d->splits[split];
        const size_t i = next[split]++;
        assert_int_equal(atoi(next_cell(&p, '\t')), rows->labels_u8[i]);
        for (size_t f = 0; f < FIELDS; f++) {
            const char *cell = next_cell(&p, f + 1 < FIELDS ? '\t' : '\n');
            const uint32_t id = rows->ids[i * FIELDS + f];
            missing += cell[0] == '\0';
            if (f < NUMBERS) {
                assert_int_equal(token_of(cell), id - 1);
                continue;
            }
            assert_int_equal(strspn(cell, "0123456789abcdef"), cell[0] == '\0' ? 0 : 8);
            seen[f][row].key = (uint64_t)strtoul(cell, NULL, 16) << 32 | id;
        }
    }
    assert_true(p == text + length && missing > ROWS);
    for (size_t f = NUMBERS; f < FIELDS; f++) {
        size_t values = 1, pairs = 1, rare = 0;
        qsort(seen[f], ROWS, sizeof seen[f][0], by_key);
        for (size_t i = 1; i < ROWS; i++) {
            values += seen[f][i].key >> 32 != seen[f][i - 1].key >> 32;
            pairs += seen[f][i].key != seen[f][i - 1].key;
            rare += (seen[f][i].key & UINT32_MAX) == 0;
        }
        assert_int_equal(values, pairs); /* a value has one id */
        if (strcmp(d->fields[f].name, "C3") == 0) {
            print_message("C3: %zu values in %d rows, %zu rows of rare values\n", values, ROWS,
                          rare);
            assert_true(rare > ROWS / 3 && values > rare * 9 / 10);
        }
    }
    free(seen);
    free(text);
    adass_dataset_close(d);
}

/* ---- stopping, memory ---- */

static bool stop_at_once(void *user)
{
    (void)user;
    return true;
}

static void test_stop_leaves_nothing(void **state)
{
    const adass_monitor monitor = { .stop = stop_at_once };
    const adass_synth_options options = { .shape = "criteo", .rows = 100000, .monitor = &monitor };
    const scratch_path out = within(*state, "out");
    adass_error err;
    assert_int_equal(adass_synth_write(&options, out.text, &err), ADASS_EINTERRUPTED);
    assert_int_equal(count_entries(*state), 0);
    assert_int_equal(adass_synth_write_raw(&options, out.text, &err), ADASS_EINTERRUPTED);
    assert_int_equal(count_entries(*state), 0);
}

typedef struct memory_use {
    size_t first, last, ticks;
} memory_use;

static void watch_memory(void *user, const char *stage, uint64_t done, uint64_t total,
                         const char *note)
{
    (void)stage;
    (void)done;
    (void)total;
    (void)note;
    memory_use *use = user;
    const struct mallinfo2 info = mallinfo2();
    use->last = info.uordblks + info.hblkhd;
    if (use->ticks++ == 0)
        use->first = use->last;
}

/* After the first block nothing more is allocated. (Sanitizers' allocators report nothing.) */
static void test_memory_does_not_grow(void **state)
{
    memory_use use = { 0 };
    const adass_monitor monitor = { .progress = watch_memory, .user = &use };
    const adass_synth_options options = { .shape = "tiny", .rows = 1000000, .monitor = &monitor };
    adass_error err;
    make_with(&options, within(*state, "d").text);
    print_message("%zu bytes after the first block, %zu after the last of %zu\n", use.first,
                  use.last, use.ticks);
    assert_true(use.ticks > 30);
    assert_true(use.last <= use.first);
    use.ticks = 0;
    const adass_synth_options raw = { .shape = "criteo", .rows = 200000, .monitor = &monitor };
    expect_ok(adass_synth_write_raw(&raw, within(*state, "raw").text, &err), &err);
    assert_true(use.ticks > 5 && use.last <= use.first);
}

static void test_raw_refusals(void **state)
{
    adass_error err;
    adass_synth_options options = { .shape = "avazu", .rows = 1000 };
    const scratch_path out = within(*state, "out");
    assert_int_equal(adass_synth_write_raw(&options, out.text, &err), ADASS_EINVAL);
    expect_message(&err, "'avazu'");
    options.shape = "criteo";
    assert_int_equal(adass_synth_write_raw(&options, within(*state, "no/out").text, &err),
                     ADASS_EIO);
    assert_int_equal(count_entries(*state), 0);
    write_text(out.text, "mine");
    assert_int_equal(adass_synth_write_raw(&options, out.text, &err), ADASS_EINVAL);
    expect_message(&err, "exists already");
    assert_int_equal(count_entries(*state), 1);
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
    options.null_fields = 7;
    assert_int_equal(adass_synth_write(&options, out.text, &err), ADASS_EINVAL);
    expect_message(&err, "7 null fields");
    options.null_fields = 0;
    for (int i = 0; i < 2; i++) {
        options.noise = i == 0 ? -1.0 : (double)NAN;
        assert_int_equal(adass_synth_write(&options, out.text, &err), ADASS_EINVAL);
        expect_message(&err, "noise");
    }
    options.noise = 0.0;
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
        cmocka_unit_test_setup_teardown(test_shapes, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_criteo_law, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_ceiling_is_of_the_rows, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_null_fields, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_noise_lowers_the_ceiling, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_raw, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_stop_leaves_nothing, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_memory_does_not_grow, scratch_set_up,
                                        scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_raw_refusals, scratch_set_up, scratch_tear_down),
        cmocka_unit_test(test_large_law),
        cmocka_unit_test(test_rare_signal),
        cmocka_unit_test(test_ceiling_in_bins),
        cmocka_unit_test(test_portable_math),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
