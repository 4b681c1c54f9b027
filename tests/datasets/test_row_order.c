/* The order of an epoch: a permutation in every cut, repeatable, even, and beyond 2^32 rows. */
#include "row_order.h"
#include "scratch.h"

enum { ROW_BYTES = 1 << 14, BLOCK_ROWS = 64 }; /* blocks of 1 MiB */

static atomic_bool never;

static adass_row_order new_order(uint64_t rows, size_t memory_blocks)
{
    adass_row_order order;
    adass_error err;
    expect_ok(adass_row_order_init(&order, rows, NULL, ROW_BYTES, memory_blocks << 20, &err), &err);
    return order;
}

/* Reads an epoch; the rows of each window are of as many blocks as a window has. */
static void read_epoch(adass_row_order *order, uint64_t seed, uint64_t epoch, uint64_t *rows)
{
    size_t n = 0;
    adass_row_order_begin(order, seed, epoch, &never);
    while (adass_row_order_next_window(order, &never)) {
        bool seen[64] = { false };
        size_t blocks = 0;
        for (size_t i = 0; i < order->n_places; i++) {
            const uint64_t row = adass_row_order_at(order, i);
            assert_true(n < order->n_rows && row < order->n_rows);
            rows[n++] = row;
            blocks += !seen[row / BLOCK_ROWS];
            seen[row / BLOCK_ROWS] = true;
        }
        if (order->n_blocks > 1)
            assert_true(blocks == order->window_blocks || n == order->n_rows);
    }
    assert_int_equal(n, order->n_rows);
}

static void expect_permutation(const uint64_t *rows, size_t n)
{
    uint8_t *seen = calloc(n, 1);
    assert_non_null(seen);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(seen[rows[i]]++, 0);
    free(seen);
}

/* Every cut: whole, windows that divide the blocks or not, a smaller last block, a single row. */
static void test_cuts(void **state)
{
    (void)state;
    const size_t rows[] = { 1, BLOCK_ROWS, 10 * BLOCK_ROWS, 10 * BLOCK_ROWS + 1, 1003 };
    const size_t memory[] = { 0, 1, 2, 6, 8, 1000 };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
        for (size_t m = 0; m < sizeof memory / sizeof memory[0]; m++) {
            uint64_t first[1003], again[1003], other[1003];
            const size_t bytes = rows[r] * sizeof first[0];
            adass_row_order order = new_order(rows[r], memory[m]);
            read_epoch(&order, 7, 0, first);
            read_epoch(&order, 7, 1, other);
            read_epoch(&order, 7, 0, again);
            expect_permutation(first, rows[r]);
            expect_permutation(other, rows[r]);
            assert_memory_equal(first, again, bytes);
            if (rows[r] > 1)
                assert_memory_not_equal(first, other, bytes);
            adass_row_order_free(&order);
        }
}

/* Tables in results/ depend on this order: it is that of the plain loop. */
static void test_full_order(void **state)
{
    (void)state;
    enum { ROWS = 1003 };
    uint64_t rows[ROWS], plain[ROWS];
    adass_row_order order = new_order(ROWS, 1000);
    read_epoch(&order, 5, 3, rows);
    adass_row_order_free(&order);
    adass_rng rng;
    adass_rng_init(&rng, adass_seed_derive(5, 3));
    for (size_t i = 0; i < ROWS; i++)
        plain[i] = i;
    for (size_t i = ROWS; i > 1; i--) {
        const size_t j = (size_t)adass_rng_below(&rng, i);
        const uint64_t swap = plain[i - 1];
        plain[i - 1] = plain[j];
        plain[j] = swap;
    }
    assert_memory_equal(rows, plain, sizeof rows);
}

/* Labels follow their rows in every cut, and change no order; where one is neither 0 nor 1, none is carried. */
static void test_labels(void **state)
{
    (void)state;
    enum { ROWS = 10 * BLOCK_ROWS + 7 };
    uint8_t labels[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        labels[i] = (uint8_t)(adass_mix_at(3, i) & 1);
    for (size_t memory = 2; memory <= 1000; memory += 998) {
        uint64_t bare[ROWS], rows[ROWS];
        adass_row_order order = new_order(ROWS, memory);
        read_epoch(&order, 5, 3, bare);
        assert_false(order.has_labels);
        order.labels = labels;
        read_epoch(&order, 5, 3, rows);
        assert_memory_equal(rows, bare, sizeof rows);
        adass_row_order_begin(&order, 5, 3, &never);
        for (size_t n = 0; adass_row_order_next_window(&order, &never);) {
            assert_true(order.has_labels);
            for (size_t i = 0; i < order.n_places; i++, n++)
                assert_int_equal(adass_row_order_label(&order, i), labels[rows[n]]);
        }
        labels[rows[0]] += 2; /* in the first window */
        adass_row_order_begin(&order, 5, 3, &never);
        assert_true(adass_row_order_next_window(&order, &never));
        assert_false(order.has_labels);
        assert_int_equal(adass_row_order_at(&order, 0), rows[0]);
        labels[rows[0]] -= 2;
        adass_row_order_free(&order);
    }
}

/* Draws are those of plain divisions, on which every order and seed depends. */
static void test_draws(void **state)
{
    (void)state;
    adass_rng rng, same;
    adass_rng_init(&rng, 1);
    for (unsigned i = 0; i < 1000000; i++) {
        const uint64_t n = (adass_rng_next(&rng) >> (i % 64)) | 1, any = adass_rng_next(&rng);
        const uint64_t x = i % 4 == 0 ? any : i % 4 == 1 ? UINT64_MAX : any / n * n - i % 4 / 3;
        assert_true(adass_mod(x, n) == x % n);
        same = rng;
        uint64_t drawn = adass_rng_next(&same);
        while (drawn >= UINT64_MAX - UINT64_MAX % n)
            drawn = adass_rng_next(&same);
        assert_true(adass_rng_below(&rng, n) == drawn % n);
    }
}

/*
 * Tenths of the rows come to tenths of the order about as often: chi-square, 81 degrees of freedom.
 */
static void expect_even(size_t memory_blocks, double lowest, double highest)
{
    enum { EPOCHS = 400, PARTS = 10, PART = 64, ROWS = PARTS * PART };
    uint64_t rows[ROWS];
    double cells[PARTS][PARTS] = { { 0 } }, chi = 0.0;
    adass_row_order order = new_order(ROWS, memory_blocks);
    for (uint64_t e = 0; e < EPOCHS; e++) {
        read_epoch(&order, 1, e, rows);
        for (size_t i = 0; i < ROWS; i++)
            cells[i / PART][rows[i] / PART] += 1.0;
    }
    adass_row_order_free(&order);
    const double expected = (double)EPOCHS * PART / PARTS;
    for (size_t i = 0; i < PARTS; i++)
        for (size_t j = 0; j < PARTS; j++)
            chi += (cells[i][j] - expected) * (cells[i][j] - expected) / expected;
    print_message("%zu blocks of memory: chi-square %.1f\n", memory_blocks, chi);
    assert_true(chi > lowest && chi < highest);
}

static void test_even(void **state)
{
    (void)state;
    expect_even(1000, 40.0, 140.0);
    /* Rows of a block stay together: a cell counts blocks, 64 times as much at a time. */
    expect_even(2, 40.0 * 64.0, 140.0 * 64.0);
    /* Windows of 4 blocks spread that over 4 tenths: the clumping that is left is their price. */
    expect_even(8, 40.0 * 64.0 / 8.0, 140.0 * 64.0 / 2.0);
}

/* 2^32 + 1000 rows: every block is read once, and rows beyond 2^32 come out as such. */
static void test_more_than_32_bits(void **state)
{
    (void)state;
    const uint64_t rows = ((uint64_t)1 << 32) + 1000;
    adass_row_order order;
    adass_error err;
    expect_ok(adass_row_order_init(&order, rows, NULL, 5, (size_t)16 << 20, &err), &err);
    assert_true(order.n_blocks > 1000 && order.window_blocks > 1);
    uint64_t seed = 0, sum = 0, highest = 0;
    bool found = false; /* a seed whose first window has the last block */
    for (; !found; seed += !found) {
        adass_row_order_begin(&order, seed, 0, &never);
        for (uint32_t b = 0; b < order.window_blocks; b++)
            found = found || order.blocks[b] == order.n_blocks - 1;
    }
    for (uint32_t b = 0; b < order.n_blocks; b++)
        sum += adass_row_order_block_rows(&order, order.blocks[b]);
    assert_true(sum == rows);
    assert_true(adass_row_order_next_window(&order, &never));
    for (size_t i = 0; i < order.n_places; i++) {
        const uint64_t row = adass_row_order_at(&order, i);
        highest = row > highest ? row : highest;
    }
    assert_true(highest == rows - 1);
    adass_row_order_free(&order);
}

static void test_refusals(void **state)
{
    (void)state;
    adass_row_order order;
    adass_error err;
    assert_int_equal(adass_row_order_init(&order, 0, NULL, 4, 100, &err), ADASS_EINVAL);
    assert_int_equal(adass_row_order_init(&order, UINT64_MAX / 8, NULL, 4, 100, &err),
                     ADASS_EINVAL);
    expect_message(&err, "too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),     cmocka_unit_test(test_full_order),
        cmocka_unit_test(test_labels),   cmocka_unit_test(test_draws),
        cmocka_unit_test(test_even),     cmocka_unit_test(test_more_than_32_bits),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
