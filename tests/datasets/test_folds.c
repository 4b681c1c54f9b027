/*
 * Stratified folds, against what scikit-learn 1.9.1 gives:
 *   StratifiedKFold(10, shuffle=True, random_state=2018).split(numpy.zeros(n), labels)
 */
#include "folds.h"
#include "scratch.h"

enum { ROWS = 60 };

static uint8_t label_of(size_t row) { return row * 7 % 10 < 3; }

static void expect_folds(uint8_t first, const char *expected)
{
    uint8_t rows[ROWS];
    adass_error err;
    for (size_t i = 0; i < ROWS; i++)
        rows[i] = label_of(i);
    rows[0] = first;
    expect_ok(adass_folds_stratify(rows, ROWS, &err), &err);
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(rows[i], expected[i] - '0');
}

/* Classes go by their first occurrence, which changes the numbers that each gets. */
static void test_known_folds(void **state)
{
    (void)state;
    expect_folds(0, "290770026325163870663043915172450132984959793285858144646178");
    expect_folds(1, "737072808450661209564371853482536708911527269429914851393604");
}

/* What is no row takes no part. */
static void test_gaps(void **state)
{
    (void)state;
    enum { WITH_GAPS = 2 * ROWS };
    uint8_t rows[ROWS], spread[WITH_GAPS];
    adass_error err;
    for (size_t i = 0; i < ROWS; i++) {
        rows[i] = spread[2 * i] = label_of(i);
        spread[2 * i + 1] = ADASS_NO_FOLD;
    }
    expect_ok(adass_folds_stratify(rows, ROWS, &err), &err);
    expect_ok(adass_folds_stratify(spread, WITH_GAPS, &err), &err);
    for (size_t i = 0; i < ROWS; i++) {
        assert_int_equal(spread[2 * i], rows[i]);
        assert_int_equal(spread[2 * i + 1], ADASS_NO_FOLD);
    }
}

static void test_too_few(void **state)
{
    (void)state;
    uint8_t rows[ROWS] = { 0 };
    adass_error err;
    for (size_t i = 0; i < 9; i++)
        rows[i * 3] = 1;
    assert_int_equal(adass_folds_stratify(rows, ROWS, &err), ADASS_EFORMAT);
    expect_message(&err, "label 1 has 9");
    rows[1] = 1;
    expect_ok(adass_folds_stratify(rows, ROWS, &err), &err);
    assert_int_equal(adass_folds_stratify(rows, 0, &err), ADASS_EFORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_folds),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_too_few),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
