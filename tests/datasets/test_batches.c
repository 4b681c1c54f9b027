/*
 * The batch reader: every row once an epoch, in an order of seed and epoch alone, with its ids and
 * label.
 */
#include "adass/batches.h"
#include "adass/rng.h"
#include "scratch.h"

#include <omp.h>

enum { FIELDS = 3, ROWS = 1003, BATCH = 64 };

typedef struct fixture {
    adass_field fields[FIELDS];
    uint32_t ids[ROWS * FIELDS];
    uint8_t labels[ROWS];
    adass_dataset dataset;
} fixture;

/* A dataset in memory: the first id is the row itself, so that rows can be told apart. */
static int set_up(void **state)
{
    fixture *x = calloc(1, sizeof *x);
    for (size_t f = 0; f < FIELDS; f++)
        x->fields[f] = (adass_field){ .name = (char *)"f", .vocab = f == 0 ? ROWS : 100 };
    for (uint32_t i = 0; i < ROWS; i++) {
        x->ids[i * FIELDS] = i;
        x->ids[i * FIELDS + 1] = i % 97;
        x->ids[i * FIELDS + 2] = i % 89;
        x->labels[i] = (uint8_t)(adass_mix_at(5, i) & 1);
    }
    x->dataset =
        (adass_dataset){ .dir = (char *)"memory", .n_fields = FIELDS, .fields = x->fields };
    x->dataset.splits[ADASS_TRAIN] =
        (adass_rows){ .n = ROWS, .ids = x->ids, .labels_u8 = x->labels };
    *state = x;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static adass_batches *open_batches(const fixture *x, size_t batch_size)
{
    adass_batches *b = NULL;
    adass_error err;
    expect_ok(adass_batches_open(&b, &x->dataset, ADASS_TRAIN, batch_size, &err), &err);
    return b;
}

/* Reads an epoch, checks every row's content, and gives the order. */
static void read_epoch(const fixture *x, adass_batches *b, size_t batch_size, uint32_t order[ROWS])
{
    size_t at = 0, batches = 0;
    adass_batch batch;
    for (adass_batches_next(b, &batch); batch.n > 0; adass_batches_next(b, &batch), batches++) {
        assert_true(batch.n == batch_size || at + batch.n == ROWS);
        for (size_t i = 0; i < batch.n; i++, at++) {
            assert_true(at < ROWS);
            order[at] = batch.ids[i * FIELDS];
            assert_true(order[at] < ROWS);
            assert_int_equal(order[at], adass_batches_order(b)[at]);
            assert_memory_equal(batch.ids + i * FIELDS, x->ids + order[at] * FIELDS,
                                FIELDS * sizeof *x->ids);
            assert_true(batch.labels[i] == (float)x->labels[order[at]]);
        }
    }
    assert_int_equal(at, ROWS);
    assert_int_equal(batches, adass_batches_count(b));
    adass_batches_next(b, &batch); /* the end stays the end */
    assert_int_equal(batch.n, 0);
}

static void expect_permutation(const uint32_t order[ROWS])
{
    uint8_t seen[ROWS] = { 0 };
    for (size_t i = 0; i < ROWS; i++)
        seen[order[i]]++;
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(seen[i], 1);
}

static void test_epochs(void **state)
{
    const fixture *x = *state;
    uint32_t first[ROWS], second[ROWS], again[ROWS], other[ROWS];
    adass_batches *b = open_batches(x, BATCH);
    adass_batch batch;
    adass_batches_next(b, &batch); /* before the first epoch there is nothing */
    assert_int_equal(batch.n, 0);
    assert_int_equal(adass_batches_count(b), 16);
    adass_batches_shuffle(b, 7, 0);
    read_epoch(x, b, BATCH, first);
    adass_batches_shuffle(b, 7, 1);
    read_epoch(x, b, BATCH, second);
    adass_batches_shuffle(b, 7, 0);
    adass_batches_next(b,
                       &batch); /* a new epoch begins at its beginning, wherever the old one was */
    adass_batches_shuffle(b, 7, 0);
    read_epoch(x, b, BATCH, again);
    adass_batches_shuffle(b, 8, 0);
    read_epoch(x, b, BATCH, other);
    expect_permutation(first);
    expect_permutation(second);
    expect_permutation(other);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    adass_batches_close(b);
    adass_batches_close(NULL);
}

/* Neither the batch size nor the number of threads changes the order. */
static void test_same_order(void **state)
{
    const fixture *x = *state;
    const size_t sizes[] = { 1, 17, ROWS - 1, ROWS, ROWS + 1, SIZE_MAX };
    uint32_t first[ROWS], order[ROWS];
    for (int threads = 1; threads <= 3; threads++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            omp_set_num_threads(threads);
            adass_batches *b = open_batches(x, sizes[i]);
            adass_batches_shuffle(b, 3, 9);
            read_epoch(x, b, sizes[i], threads == 1 && i == 0 ? first : order);
            if (threads > 1 || i > 0)
                assert_memory_equal(first, order, sizeof first);
            adass_batches_close(b);
        }
}

/*
 * Tenths of the rows come to tenths of the order about as often: chi-square, 81 degrees of freedom.
 */
static void test_uniform(void **state)
{
    enum { EPOCHS = 400, PARTS = 10 };
    double cells[PARTS][PARTS] = { { 0 } }, chi = 0.0;
    adass_batches *b = open_batches(*state, BATCH);
    for (uint64_t e = 0; e < EPOCHS; e++) {
        adass_batches_shuffle(b, 1, e);
        for (size_t i = 0; i < ROWS / PARTS * PARTS; i++) {
            const size_t row = adass_batches_order(b)[i];
            if (row < ROWS / PARTS * PARTS)
                cells[i / (ROWS / PARTS)][row / (ROWS / PARTS)] += 1.0;
        }
    }
    const double expected = (double)EPOCHS * (ROWS / PARTS) * (ROWS / PARTS) / ROWS;
    for (size_t i = 0; i < PARTS; i++)
        for (size_t k = 0; k < PARTS; k++)
            chi += (cells[i][k] - expected) * (cells[i][k] - expected) / expected;
    print_message("chi-square %.1f, expected about 81\n", chi);
    assert_true(chi > 40.0 && chi < 140.0);
    adass_batches_close(b);
}

static void test_refusals(void **state)
{
    fixture *x = *state;
    adass_batches *b = NULL;
    adass_error err;
    assert_int_equal(adass_batches_open(&b, &x->dataset, ADASS_TRAIN, 0, &err), ADASS_EINVAL);
    expect_message(&err, "batch of 0");
    assert_int_equal(adass_batches_open(&b, &x->dataset, ADASS_VALID, BATCH, &err), ADASS_EINVAL);
    expect_message(&err, "valid split has 0 rows");
    x->ids[500 * FIELDS + 1] = 100;
    x->ids[900 * FIELDS + 2] = 100;
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        assert_int_equal(adass_batches_open(&b, &x->dataset, ADASS_TRAIN, BATCH, &err),
                         ADASS_EFORMAT);
        expect_message(&err, "memory/train/ids.npy: row 500: id 100");
    }
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_epochs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_uniform, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
