/*
 * The batch reader: every row once an epoch with its ids and label, in an order of seed and epoch
 * alone; bad rows are told where they are read; it stops at any moment. No OpenMP here, so that a
 * thread sanitizer sees the reader's thread alone.
 */
#include "adass/batches.h"
#include "adass/rng.h"
#include "row_order.h"
#include "scratch.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FIELDS = 3, ROWS = 1003, BATCH = 64, WHOLE = 1 << 20 };

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
    expect_ok(adass_batches_open(&b, &x->dataset, ADASS_TRAIN, batch_size, WHOLE, &err), &err);
    return b;
}

static adass_batch next_batch(adass_batches *b)
{
    adass_batch batch;
    adass_error err;
    expect_ok(adass_batches_next(b, &batch, &err), &err);
    return batch;
}

/* Reads an epoch, checks every row's content, and gives the order. */
static void read_epoch(const fixture *x, adass_batches *b, size_t batch_size, uint32_t order[ROWS])
{
    size_t at = 0, batches = 0;
    for (adass_batch batch = next_batch(b); batch.n > 0; batch = next_batch(b), batches++) {
        assert_true(batch.n == batch_size || at + batch.n == ROWS);
        for (size_t i = 0; i < batch.n; i++, at++) {
            assert_true(at < ROWS);
            order[at] = batch.ids[i * FIELDS];
            assert_true(order[at] < ROWS);
            assert_memory_equal(batch.ids + i * FIELDS, x->ids + order[at] * FIELDS,
                                FIELDS * sizeof *x->ids);
            assert_true(batch.labels[i] == (float)x->labels[order[at]]);
        }
    }
    assert_int_equal(at, ROWS);
    assert_int_equal(batches, adass_batches_count(b));
    assert_int_equal(next_batch(b).n, 0); /* the end stays the end */
}

static void expect_permutation(const uint32_t order[ROWS])
{
    uint8_t seen[ROWS] = { 0 };
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(seen[order[i]]++, 0);
}

static void test_epochs(void **state)
{
    const fixture *x = *state;
    uint32_t first[ROWS], second[ROWS], again[ROWS], other[ROWS];
    adass_batches *b = open_batches(x, BATCH);
    assert_int_equal(next_batch(b).n, 0); /* before the first epoch there is nothing */
    assert_int_equal(adass_batches_count(b), 16);
    assert_int_equal(adass_batches_window_rows(b), ROWS);
    adass_batches_shuffle(b, 7, 0);
    read_epoch(x, b, BATCH, first);
    adass_batches_shuffle(b, 7, 1);
    read_epoch(x, b, BATCH, second);
    adass_batches_shuffle(b, 8, 0);
    read_epoch(x, b, BATCH, other);
    for (size_t read = 0; read < 20; read++) { /* an epoch begins anew wherever the old one was */
        adass_batches_shuffle(b, 9, read);
        for (size_t i = 0; i < read; i++)
            next_batch(b);
        adass_batches_shuffle(b, 7, 0);
        read_epoch(x, b, BATCH, again);
        assert_memory_equal(first, again, sizeof first);
    }
    expect_permutation(first);
    expect_permutation(second);
    expect_permutation(other);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    adass_batches_close(b);
    adass_batches_close(NULL);
}

/* The order is row_order's, whatever the size of the batches. */
static void test_same_order(void **state)
{
    const fixture *x = *state;
    const size_t sizes[] = { 1, 17, BATCH, ROWS - 1, ROWS, ROWS + 1, SIZE_MAX };
    static atomic_bool never;
    uint32_t order[ROWS];
    adass_row_order expected;
    adass_error err;
    expect_ok(adass_row_order_init(&expected, ROWS, NULL, FIELDS * 4 + 1, WHOLE, &err), &err);
    adass_row_order_begin(&expected, 3, 9, &never);
    adass_row_order_next_window(&expected, &never);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        adass_batches *b = open_batches(x, sizes[i]);
        adass_batches_shuffle(b, 3, 9);
        read_epoch(x, b, sizes[i], order);
        for (size_t r = 0; r < ROWS; r++)
            assert_int_equal(order[r], adass_row_order_at(&expected, r));
        adass_batches_close(b);
    }
    adass_row_order_free(&expected);
}

/* The caller's batch holds while the thread fills the other buffer. */
static void test_batch_holds(void **state)
{
    const fixture *x = *state;
    adass_batches *b = open_batches(x, 100);
    adass_batches_shuffle(b, 1, 1);
    for (adass_batch batch = next_batch(b); batch.n > 0; batch = next_batch(b)) {
        uint32_t copy[100 * FIELDS];
        memcpy(copy, batch.ids, batch.n * FIELDS * sizeof copy[0]);
        usleep(500);
        assert_memory_equal(copy, batch.ids, batch.n * FIELDS * sizeof copy[0]);
    }
    adass_batches_close(b);
}

/* Closed or begun anew at any moment, also while the order is made: no wait without an end. */
static void test_stops_anywhere(void **state)
{
    const fixture *x = *state;
    for (unsigned i = 0; i < 300; i++) {
        adass_batches *b = open_batches(x, 1 + i % 5);
        for (unsigned k = 0; k < i % 4; k++)
            adass_batches_shuffle(b, i, k);
        for (unsigned k = 0; k < i % 7; k++)
            next_batch(b);
        if (i % 3 == 0)
            usleep(i % 50);
        adass_batches_close(b);
    }
}

/* Rows before the bad one come as ever; then every call says where it is, until a new epoch. */
static void expect_bad_row(const fixture *x, const char *part)
{
    adass_batches *b = open_batches(x, 10);
    for (uint64_t epoch = 0; epoch < 2; epoch++) {
        size_t good = 0, again = 0;
        adass_batches_shuffle(b, 1, epoch);
        adass_batch batch;
        adass_error err;
        while (adass_batches_next(b, &batch, &err) == ADASS_OK) {
            assert_int_equal(batch.n, 10);
            good++;
        }
        expect_message(&err, part);
        assert_int_equal(adass_batches_next(b, &batch, &err), ADASS_EFORMAT);
        expect_message(&err, part);
        adass_batches_shuffle(b, 1, epoch);
        while (adass_batches_next(b, &batch, NULL) == ADASS_OK)
            again++;
        assert_int_equal(good, again);
    }
    adass_batches_close(b);
}

static void test_bad_rows(void **state)
{
    fixture *x = *state;
    float labels[ROWS] = { 0 };
    for (size_t f = 0; f < FIELDS; f++) {
        uint32_t *id = &x->ids[500 * FIELDS + f];
        const uint32_t good = *id;
        *id = (uint32_t)x->dataset.fields[f].vocab;
        expect_bad_row(x, "memory/train/ids.npy: row 500: id ");
        *id = good;
    }
    x->ids[500 * FIELDS + 1] = 100;
    expect_bad_row(x, "memory/train/ids.npy: row 500: id 100 of field 'f'");
    x->ids[500 * FIELDS + 1] = 99;
    x->labels[900] = 2;
    expect_bad_row(x, "memory/train/labels.npy: row 900: label 2");
    x->dataset.splits[ADASS_TRAIN].labels_u8 = NULL;
    x->dataset.splits[ADASS_TRAIN].labels_f32 = labels;
    labels[7] = NAN;
    expect_bad_row(x, "memory/train/labels.npy: row 7: label nan");
}

/* Ids are compared as unsigned numbers. */
static void test_large_ids(void **state)
{
    fixture *x = *state;
    uint32_t order[ROWS];
    x->fields[1].vocab = (size_t)UINT32_MAX + 1;
    x->ids[500 * FIELDS + 1] = UINT32_MAX;
    adass_batches *b = open_batches(x, BATCH);
    adass_batches_shuffle(b, 1, 0);
    read_epoch(x, b, BATCH, order);
    adass_batches_close(b);
    x->ids[500 * FIELDS + 2] = UINT32_C(1) << 31;
    expect_bad_row(x, "memory/train/ids.npy: row 500: id 2147483648 of field 'f'");
}

/* A split that fits is mapped as a whole before its first batch. */
static void test_loaded_at_once(void **state)
{
    (void)state;
    enum { PAGES = 300 };
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), rows = PAGES * page / sizeof(uint32_t);
    uint32_t *ids = mmap(NULL, PAGES * page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *labels = calloc(rows, 1);
    assert_true(ids != MAP_FAILED && labels != NULL);
    unsigned char there[PAGES];
    if (madvise(ids, page, MADV_POPULATE_READ) != 0 || mincore(ids, page, there) != 0 ||
        (there[0] & 1) == 0)
        skip(); /* an older kernel, or an emulator that passes over the advice */
    adass_field field = { .name = (char *)"f", .vocab = 1 };
    adass_dataset d = { .dir = (char *)"memory", .n_fields = 1, .fields = &field };
    d.splits[ADASS_TRAIN] = (adass_rows){ .n = rows, .ids = ids, .labels_u8 = labels };
    adass_batches *b = NULL;
    adass_error err;
    expect_ok(adass_batches_open(&b, &d, ADASS_TRAIN, 1, SIZE_MAX, &err), &err);
    adass_batches_shuffle(b, 1, 0);
    assert_int_equal(next_batch(b).n, 1);
    assert_int_equal(mincore(ids, PAGES * page, there), 0);
    for (size_t i = 0; i < PAGES; i++)
        assert_true(there[i] & 1);
    adass_batches_close(b);
    munmap(ids, PAGES * page);
    free(labels);
}

/*
 * A split larger than the memory for it, and than 2^32 rows: a mapping without content, but for the
 * last row, which a seed is sought for that reads it early.
 */
static void test_blocks(void **state)
{
    (void)state;
    const size_t rows = ((size_t)1 << 32) + 1000, memory = (size_t)16 << 20;
    const int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint32_t *ids = mmap(NULL, rows * sizeof *ids, PROT_READ | PROT_WRITE, how, -1, 0);
    uint8_t *labels = mmap(NULL, rows, PROT_READ | PROT_WRITE, how, -1, 0);
    if (ids == MAP_FAILED || labels == MAP_FAILED)
        skip(); /* the address space is limited */
    ids[rows - 1] = 77;
    labels[rows - 1] = 1;
    static atomic_bool never;
    adass_row_order order;
    adass_error err;
    uint64_t seed = 0;
    expect_ok(adass_row_order_init(&order, rows, NULL, 5, memory, &err), &err);
    for (bool found = false; !found; seed += !found) {
        adass_row_order_begin(&order, seed, 0, &never);
        for (uint32_t b = 0; b < order.window_blocks; b++)
            found = found || order.blocks[b] == order.n_blocks - 1;
    }
    char name[] = "f", dir[] = "memory";
    adass_field field = { .name = name, .vocab = 78 };
    adass_dataset dataset = { .dir = dir, .n_fields = 1, .fields = &field };
    dataset.splits[ADASS_TRAIN] = (adass_rows){ .n = rows, .ids = ids, .labels_u8 = labels };
    adass_batches *b = NULL;
    expect_ok(adass_batches_open(&b, &dataset, ADASS_TRAIN, 10000, memory, &err), &err);
    assert_int_equal(adass_batches_count(b), (rows + 9999) / 10000);
    assert_int_equal(adass_batches_window_rows(b),
                     (size_t)order.window_blocks << order.block_shift);
    adass_batches_shuffle(b, seed, 0);
    size_t found = 0, read = 0;
    while (read < adass_batches_window_rows(b)) {
        const adass_batch batch = next_batch(b);
        for (size_t i = 0; i < batch.n; i++) {
            assert_true((batch.ids[i] == 77) == (batch.labels[i] == 1.0f));
            found += batch.ids[i] == 77;
        }
        read += batch.n;
    }
    assert_int_equal(found, 1);
    adass_batches_close(b);
    adass_row_order_free(&order);
    munmap(ids, rows * sizeof *ids);
    munmap(labels, rows);
}

/* Begun in the middle, the rest of the epoch is as if it had been read from its beginning: over windows too. */
static void test_middle(void **state)
{
    (void)state;
    enum { N = 1 << 20, SIZE = 1000 };
    uint32_t *ids = malloc(N * sizeof *ids), *order = malloc(N * sizeof *order);
    uint8_t *labels = calloc(N, 1);
    assert_true(ids != NULL && order != NULL && labels != NULL);
    for (uint32_t i = 0; i < N; i++)
        ids[i] = i;
    char name[] = "f", dir[] = "memory";
    adass_field field = { .name = name, .vocab = N };
    adass_dataset dataset = { .dir = dir, .n_fields = 1, .fields = &field };
    dataset.splits[ADASS_TRAIN] = (adass_rows){ .n = N, .ids = ids, .labels_u8 = labels };
    adass_batches *b = NULL;
    adass_error err;
    expect_ok(adass_batches_open(&b, &dataset, ADASS_TRAIN, SIZE, (size_t)3 << 20, &err), &err);
    assert_true(adass_batches_window_rows(b) < N / 2);
    const size_t count = adass_batches_count(b), window = adass_batches_window_rows(b) / SIZE;
    adass_batches_shuffle(b, 4, 2);
    for (size_t at = 0; at < N;) {
        const adass_batch batch = next_batch(b);
        memcpy(order + at, batch.ids, batch.n * sizeof *order);
        at += batch.n;
    }
    const size_t places[] = { 0, 1, window - 1, window, window + 1, 2 * window + 1, count - 1 };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        adass_batches_shuffle_from(b, 4, 2, places[i]);
        for (size_t k = places[i]; k < count; k++) {
            const adass_batch batch = next_batch(b);
            assert_int_equal(batch.n, k + 1 < count ? SIZE : N - k * SIZE);
            assert_memory_equal(batch.ids, order + k * SIZE, batch.n * sizeof *order);
        }
        assert_int_equal(next_batch(b).n, 0);
    }
    adass_batches_shuffle_from(b, 4, 2, count);
    assert_int_equal(next_batch(b).n, 0);
    adass_batches_close(b);
    free(ids);
    free(order);
    free(labels);
}

static void test_refusals(void **state)
{
    fixture *x = *state;
    adass_batches *b = NULL;
    adass_error err;
    assert_int_equal(adass_batches_open(&b, &x->dataset, ADASS_TRAIN, 0, 0, &err), ADASS_EINVAL);
    expect_message(&err, "batch of 0");
    assert_int_equal(adass_batches_open(&b, &x->dataset, ADASS_VALID, BATCH, 0, &err),
                     ADASS_EINVAL);
    expect_message(&err, "valid split has no rows");
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_epochs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_batch_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stops_anywhere, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_large_ids, set_up, tear_down),
        cmocka_unit_test(test_loaded_at_once),
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_middle),
        cmocka_unit_test_setup_teardown(test_refusals, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
