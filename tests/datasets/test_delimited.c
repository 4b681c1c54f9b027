/*
 * Cells of lines: separators, quotes, wrong columns, whole numbers. Dictionaries and vocabularies.
 */
#include "delimited.h"
#include "dictionary.h"
#include "scratch.h"
#include "vocabulary.h"

enum { COLUMNS = 3 };

static const adass_dialect csv = { ",", true, COLUMNS }, dat = { "::", false, COLUMNS };

static adass_status split(const adass_dialect *dialect, const char *text, char buffer[64],
                          adass_cell *cells, adass_error *err)
{
    strcpy(buffer, text);
    adass_line line = { .path = "f", .number = 5, .text = buffer, .length = strlen(text) };
    return adass_line_split(&line, dialect, cells, err);
}

static void test_cells(void **state)
{
    (void)state;
    static const struct {
        const adass_dialect *dialect;
        const char *text, *cells[COLUMNS];
        size_t columns[COLUMNS];
    } cases[] = {
        { &csv, "a,bc,d", { "a", "bc", "d" }, { 1, 3, 6 } },
        { &csv, ",,", { "", "", "" }, { 1, 2, 3 } },
        { &csv, "\"a,b\",\"\",c", { "a,b", "", "c" }, { 1, 7, 10 } },
        { &csv, "\"\"\"a\"\"b\"\"\",c,\"\"\"\"", { "\"a\"b\"", "c", "\"" }, { 1, 12, 14 } },
        { &csv,
          "a\"b,c\",d",
          { "a\"b", "c\"", "d" },
          { 1, 5, 8 } }, /* not at the beginning: no quote */
        { &dat, "a::b:c::\"d", { "a", "b:c", "\"d" }, { 1, 4, 9 } },
        { &dat, "::::x", { "", "", "x" }, { 1, 3, 5 } },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[64];
        adass_cell cells[COLUMNS];
        adass_error err;
        expect_ok(split(cases[i].dialect, cases[i].text, buffer, cells, &err), &err);
        for (size_t k = 0; k < COLUMNS; k++) {
            assert_true(adass_cell_is(&cells[k], cases[i].cells[k]));
            assert_int_equal(cells[k].column, cases[i].columns[k]);
        }
    }
}

static void test_wrong_lines(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "f:5:1: 1 columns instead of 3, ''" },
        { "a,b", "f:5:4: 2 columns instead of 3, 'a,b'" },
        { "a,b,c,", "f:5:7: more than 3 columns, 'a,b,c,'" },
        { "a,\"b,c", "f:5:3: the quote is not closed, '\"b,c'" },
        { "a,\"b\"\",c", "f:5:3: the quote is not closed, '\"b\"\",c'" },
        { "a,\"b\"x,c", "f:5:3: something follows the closing quote, '\"b\"'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char buffer[64];
        adass_cell cells[COLUMNS];
        adass_error err;
        assert_int_equal(split(&csv, cases[i].text, buffer, cells, &err), ADASS_EFORMAT);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void test_shown_text(void **state)
{
    (void)state;
    char text[100];
    memset(text, 'x', sizeof text);
    memcpy(text, "\x1b[31\x7f\xe9", 6);
    const adass_line line = { .path = "f", .number = 1 };
    const adass_cell cell = { text, sizeof text, 9 };
    adass_error err;
    assert_int_equal(adass_fail_cell(&err, &line, &cell, "bad"), ADASS_EFORMAT);
    assert_memory_equal(err.message, "f:1:9: bad, '?[31??xxxx", 23); /* nothing a terminal obeys */
    assert_int_equal(strlen(err.message), 13 + 60 + 4); /* cut, with dots and the quote */
}

static void test_whole_numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = { "",    "-1",  "+1",
                                         " 1",  "1 ",  "01",
                                         "1.0", "0x1", "18446744073709551616" };
    uint64_t value = 77;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(adass_cell_whole(&(adass_cell){ wrong[i], strlen(wrong[i]), 1 }, &value));
    assert_int_equal(value, 77);
    assert_true(adass_cell_whole(&(adass_cell){ "0", 1, 1 }, &value) && value == 0);
    assert_true(adass_cell_whole(&(adass_cell){ "18446744073709551615", 20, 1 }, &value));
    assert_true(value == UINT64_MAX);
}

static void test_dictionary(void **state)
{
    (void)state;
    enum { N = 50000 };
    adass_dictionary d = { 0 };
    adass_error err;
    uint32_t number;
    char text[32];
    assert_false(adass_dictionary_find(&d, "x", 1, &number));
    for (uint32_t round = 0; round < 2; round++) /* the second time all are there */
        for (uint32_t i = 0; i < N; i++) {
            const size_t length =
                i == 7 ? 0 : (size_t)sprintf(text, "%u", i * 2654435761u); /* 7: empty */
            expect_ok(adass_dictionary_add(&d, text, length, &number, &err), &err);
            assert_int_equal(number, i);
        }
    assert_int_equal(d.n, N);
    assert_true(adass_dictionary_find(&d, "", 0, &number) && number == 7);
    assert_true(adass_dictionary_find(&d, "0123", 1, &number) && number == 0);
    assert_false(adass_dictionary_find(&d, "00", 2, &number));
    adass_dictionary_free(&d);
    assert_false(adass_dictionary_find(&d, "0", 1, &number));
}

static void test_vocabulary(void **state)
{
    (void)state;
    static const struct {
        uint32_t value;
        bool in_training;
    } rows[] = { { 9, false }, { 4, true }, { 2, true }, { 9, true },
                 { 5, false }, { 2, true }, { 0, false } };
    static const uint32_t ids[] = { 0, 0, 1, 0, 3, 0, 0, 0, 0, 2, 0, 0 }; /* 9 came before 4 */
    adass_vocabulary v = { 0 };
    adass_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_ok(adass_vocabulary_count(&v, rows[i].value, i, rows[i].in_training, &err), &err);
    expect_ok(adass_vocabulary_finish(&v, &err), &err);
    assert_int_equal(v.vocab, 4);
    for (uint32_t value = 0; value < 12; value++)
        assert_int_equal(adass_vocabulary_id(&v, value), ids[value]);
    adass_vocabulary_free(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),      cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_shown_text), cmocka_unit_test(test_whole_numbers),
        cmocka_unit_test(test_dictionary), cmocka_unit_test(test_vocabulary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
