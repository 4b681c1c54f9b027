/*
 * The line reader over plain and packed files: ends of lines, long lines, NUL bytes, cut and
 * damaged data.
 */
#include "checksum.h"
#include "packed.h"
#include "text_reader.h"

/* Lines of a file against a list. */
static void expect_lines(const char *path, const char *const *lines, size_t n)
{
    adass_text_reader *r = NULL;
    adass_line line;
    adass_error err;
    expect_ok(adass_text_reader_open(&r, path, &err), &err);
    for (size_t i = 0; i < n; i++) {
        expect_ok(adass_text_reader_next(r, &line, &err), &err);
        assert_non_null(line.text);
        assert_int_equal(line.number, i + 1);
        assert_string_equal(line.path, path);
        assert_int_equal(line.length, strlen(lines[i]));
        assert_string_equal(line.text, lines[i]);
    }
    for (int again = 0; again < 2; again++) { /* the end stays the end */
        expect_ok(adass_text_reader_next(r, &line, &err), &err);
        assert_null(line.text);
        assert_int_equal(line.number, n + 1);
    }
    adass_text_reader_close(r);
}

static void test_ends_of_lines(void **state)
{
    static const struct {
        const char *text, *lines[4];
        size_t n;
    } cases[] = {
        { "", { 0 }, 0 },
        { "\n", { "" }, 1 },
        { "a", { "a" }, 1 },
        { "a\n", { "a" }, 1 },
        { "a\r\nb\r\n", { "a", "b" }, 2 },
        { "a\r\nb", { "a", "b" }, 2 },
        { "a\n\nb\n\n", { "a", "", "b", "" }, 4 },
        { "a\rb\n\r\n", { "a\rb", "" }, 2 },
        { "\xe9t\xe9\n", { "\xe9t\xe9" }, 1 }, /* Latin-1 passes through */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (packing how = PLAIN; how < N_PACKINGS; how++) {
            const scratch_path path = within(*state, "text"); /* no suffix: the content tells */
            write_packed(path.text, how, cases[i].text, strlen(cases[i].text));
            expect_lines(path.text, cases[i].lines, cases[i].n);
        }
}

/* n numbered lines of varying length in new memory. */
static char *many_lines(size_t n, size_t *length)
{
    char *text = malloc(n * 64);
    *length = 0;
    for (size_t i = 0; i < n; i++)
        *length += (size_t)sprintf(text + *length, "%zu,%0*zu\n", i, (int)(i * 7 % 40) + 1,
                                   i * 2654435761u);
    return text;
}

static void expect_numbered(adass_text_reader *r, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        adass_line line;
        adass_error err;
        char expected[64];
        snprintf(expected, sizeof expected, "%zu,%0*zu", i, (int)(i * 7 % 40) + 1, i * 2654435761u);
        expect_ok(adass_text_reader_next(r, &line, &err), &err);
        assert_non_null(line.text);
        assert_string_equal(line.text, expected);
        assert_int_equal(line.number, first + i + 1);
    }
}

/*
 * Much more than any buffer, in one part and in two parts in a row; the checksum is that of the
 * text.
 */
static void test_long_files(void **state)
{
    enum { N = 150000 };
    size_t length;
    char *text = many_lines(N, &length), *twice = malloc(2 * length);
    char expected[ADASS_CHECKSUM_CHARS], checksum[ADASS_CHECKSUM_CHARS];
    memcpy(twice, text, length);
    memcpy(twice + length, text, length);
    adass_checksum_bytes(twice, 2 * length, expected);
    for (packing how = PLAIN; how < N_PACKINGS; how++) {
        const scratch_path path = within(*state, "text");
        size_t n = length;
        char *packed = pack(how, text, &n);
        FILE *file = fopen(path.text, "wb");
        assert_int_equal(fwrite(packed, 1, n, file) + fwrite(packed, 1, n, file), 2 * n);
        fclose(file);
        free(packed);
        adass_text_reader *r = NULL;
        adass_line line;
        adass_error err;
        expect_ok(adass_text_reader_open(&r, path.text, &err), &err);
        expect_numbered(r, 0, N);
        expect_numbered(r, N, N);
        expect_ok(adass_text_reader_next(r, &line, &err), &err);
        assert_null(line.text);
        adass_text_reader_checksum(r, checksum);
        assert_string_equal(checksum, expected);
        adass_text_reader_close(r);
    }
    free(text);
    free(twice);
}

/* Reads to the end or the error. */
static adass_status read_all(const char *path, size_t *lines, adass_error *err)
{
    adass_text_reader *r = NULL;
    adass_line line = { 0 };
    adass_status status = adass_text_reader_open(&r, path, err);
    *lines = 0;
    while (status == ADASS_OK) {
        status = adass_text_reader_next(r, &line, err);
        if (status == ADASS_OK && line.text == NULL)
            break;
        *lines += status == ADASS_OK;
    }
    adass_text_reader_close(r);
    return status;
}

static void expect_at_line(const adass_error *err, const char *path, size_t line)
{
    char place[600];
    snprintf(place, sizeof place, "%s:%zu:", path, line);
    expect_message(err, place);
}

/* A cut at any place is found, and named by the line that could not be read. */
static void test_cut_streams(void **state)
{
    enum { N = 20000 };
    const scratch_path path = within(*state, "text");
    size_t length, lines;
    char *text = many_lines(N, &length);
    adass_error err;
    for (packing how = GZ; how < N_PACKINGS; how++) {
        size_t n = length;
        char *packed = pack(how, text, &n);
        const size_t cuts[] = { 7, n / 4, n / 2, n - 9, n - 1 };
        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
            write_bytes(path.text, packed, cuts[i]);
            assert_int_equal(read_all(path.text, &lines, &err), ADASS_EFORMAT);
            expect_message(&err, "cut");
            expect_at_line(&err, path.text, lines + 1);
            assert_true(i != 2 || (lines > 0 && lines < N));
        }
        free(packed);
    }
    free(text);
}

static void test_damaged_streams(void **state)
{
    const scratch_path path = within(*state, "text");
    size_t length, lines;
    char *text = many_lines(20000, &length);
    adass_error err;
    for (packing how = GZ; how < N_PACKINGS; how++) {
        size_t n = length;
        char *packed = pack(how, text, &n);
        for (size_t i = how == ZST ? 5 : n / 2; i < n / 2 + 40; i += how == ZST ? n / 2 : 13) {
            packed[i] = (char)(packed[i] ^ 0x55);
            write_bytes(path.text, packed, n);
            if (read_all(path.text, &lines, &err) == ADASS_OK)
                assert_int_equal(how, ZST); /* a frame has a checksum only on request */
            else
                expect_at_line(&err, path.text, lines + 1);
            packed[i] = (char)(packed[i] ^ 0x55);
        }
        char *more = malloc(n + 64); /* something else behind the end */
        memcpy(more, packed, n);
        memset(more + n, 't', 64);
        write_bytes(path.text, more, n + 64);
        assert_int_equal(read_all(path.text, &lines, &err), ADASS_EFORMAT);
        expect_message(&err, "damaged");
        free(more);
        free(packed);
    }
    free(text);
}

static void test_nul_bytes(void **state)
{
    const scratch_path path = within(*state, "text");
    size_t lines;
    adass_error err;
    for (packing how = PLAIN; how < N_PACKINGS; how++) {
        write_packed(path.text, how, "one\ntwo\nth\0ree\nfour\n", 20);
        assert_int_equal(read_all(path.text, &lines, &err), ADASS_EFORMAT);
        assert_int_equal(lines, 2);
        expect_at_line(&err, path.text, 3);
        expect_message(&err, ":3:3: a NUL byte");
    }
}

static void test_long_lines(void **state)
{
    const scratch_path path = within(*state, "text");
    char *text = malloc(ADASS_LINE_BYTES_MAX + 16);
    size_t lines;
    adass_error err;
    memcpy(text, "a\n", 2);
    memset(text + 2, 'x', ADASS_LINE_BYTES_MAX + 10);
    for (packing how = PLAIN; how < N_PACKINGS; how++) {
        static const char *const ends[] = { "", "\n", "\r\n", "\r\nb" };
        for (size_t e = 0; e < 4; e++) {
            memcpy(text + 2 + ADASS_LINE_BYTES_MAX, ends[e], strlen(ends[e]));
            write_packed(path.text, how, text, 2 + ADASS_LINE_BYTES_MAX + strlen(ends[e]));
            expect_ok(read_all(path.text, &lines, &err), &err);
            assert_int_equal(lines, e == 3 ? 3 : 2);
        }
        memset(text + 2, 'x', ADASS_LINE_BYTES_MAX + 10);
        for (size_t more = 1; more <= 9; more += 4) {
            write_packed(path.text, how, text, 2 + ADASS_LINE_BYTES_MAX + more);
            assert_int_equal(read_all(path.text, &lines, &err), ADASS_EFORMAT);
            assert_int_equal(lines, 1);
            expect_at_line(&err, path.text, 2);
            expect_message(&err, "1048576 bytes");
        }
    }
    free(text);
}

static void test_unreadable(void **state)
{
    size_t lines;
    adass_error err;
    assert_int_equal(read_all(within(*state, "none").text, &lines, &err), ADASS_EIO);
    expect_message(&err, "/none: cannot be opened");
    assert_int_equal(read_all(*state, &lines, &err), ADASS_EIO);
    expect_message(&err, *state);
    adass_text_reader_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ends_of_lines, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_long_files, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_cut_streams, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_streams, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_nul_bytes, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_long_lines, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_unreadable, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
