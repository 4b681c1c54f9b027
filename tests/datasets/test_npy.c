/*
 * The .npy parser against headers as NumPy writes them, broken ones, and every damaged byte; the
 * writer against the bytes it should make.
 */
#include "checksum.h"
#include "guarded.h"
#include "npy.h"
#include "scratch.h"

/*
 * A file in memory that ends at an unreadable page: a header of `padded` bytes, and n bytes of
 * data.
 */
static guarded npy_of(const char *header, size_t padded, size_t n)
{
    guarded g = guarded_new(padded + n);
    unsigned char *p = g.p;
    memset(p, ' ', padded);
    memcpy(p, "\x93NUMPY\x01\x00", 8);
    p[8] = (unsigned char)((padded - 10) & 0xff);
    p[9] = (unsigned char)((padded - 10) >> 8);
    memcpy(p + 10, header, strlen(header));
    p[padded - 1] = '\n';
    memset(p + padded, 1, n);
    return g;
}

static void expect_parsed(const char *header, size_t padded, size_t n, adass_npy_info expected)
{
    guarded g = npy_of(header, padded, n);
    adass_npy_info info;
    adass_error err;
    expect_ok(adass_npy_parse("x.npy", g.p, padded + n, &info, &err), &err);
    assert_int_equal(info.type, expected.type);
    assert_int_equal(info.n_dims, expected.n_dims);
    assert_int_equal(info.shape[0], expected.shape[0]);
    assert_int_equal(info.shape[1], expected.shape[1]);
    assert_int_equal(info.data_offset, padded);
    guarded_free(&g);
}

static void test_numpy_headers(void **state)
{
    (void)state;
    expect_parsed("{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), }", 128, 24,
                  (adass_npy_info){ ADASS_NPY_U32, 2, { 3, 2 }, 0 });
    expect_parsed("{'descr': '|u1', 'fortran_order': False, 'shape': (5,), }", 96, 5,
                  (adass_npy_info){ ADASS_NPY_U8, 1, { 5, 1 }, 0 });
    expect_parsed("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 80, 8,
                  (adass_npy_info){ ADASS_NPY_F32, 1, { 2, 1 }, 0 });
    expect_parsed("{'shape':(0,7),'fortran_order':False,'descr':'<u4'}", 64, 0,
                  (adass_npy_info){ ADASS_NPY_U32, 2, { 0, 7 }, 0 });
    expect_parsed("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", 65532, 1,
                  (adass_npy_info){ ADASS_NPY_U8, 1, { 1, 1 }, 0 });
}

static void expect_refused(const char *header, size_t padded, size_t n, const char *part)
{
    guarded g = npy_of(header, padded, n);
    adass_npy_info info = { .n_dims = 77 };
    adass_error err;
    assert_int_equal(adass_npy_parse("some/x.npy", g.p, padded + n, &info, &err), ADASS_EFORMAT);
    assert_int_equal(info.n_dims, 77);
    expect_message(&err, "some/x.npy");
    expect_message(&err, part);
    expect_message(&err, "prepare the dataset again");
    guarded_free(&g);
}

static void test_broken_headers(void **state)
{
    (void)state;
    /* clang-format off */
    static const struct {
        const char *header, *part;
    } cases[] = {
        { "{'descr': '>u4', 'fortran_order': False, 'shape': (3, 2), }", "type" },
        { "{'descr': '<u8', 'fortran_order': False, 'shape': (3, 1), }", "type" },
        { "{'descr': '<u4', 'fortran_order': True, 'shape': (3, 2), }", "C order" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2, 1), }", "dimensions" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (), }", "dimensions" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (-3, 2), }", "dimensions" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (3 2), }", "dimensions" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (99999999999999999999, 2), }", "dimensions" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (2, 99999999999999999999), }", "dimensions" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "too large" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (6148914691236517206, 1), }", "too large" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (3, 3), }", "shorter" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (3, 1), }", "longer" },
        { "{'descr': '<u4', 'fortran_order': False, }", "lacks" },
        { "{'descr': '<u4', 'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), }", "twice" },
        { "{'descr': '<u4' 'fortran_order': False, 'shape': (3, 2), }", "commas" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), 'more': 1}", "unknown" },
        { "{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), } x", "new line" },
        { "'descr': '<u4'", "dictionary" },
        { "{", "unknown" },
        { "", "dictionary" },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_refused(cases[i].header, 128, 24, cases[i].part);
    expect_refused("{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), }", 126, 24,
                   "aligned");
}

/* Every other length is refused, and no byte behind the end is touched. */
static void test_other_lengths(void **state)
{
    (void)state;
    guarded whole = npy_of("{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), }", 128, 24);
    for (size_t n = 0; n < 160; n++) {
        guarded cut = guarded_new(n);
        memset(cut.p, 0, n);
        memcpy(cut.p, whole.p, n < 152 ? n : 152);
        adass_npy_info info;
        adass_error err;
        assert_int_equal(adass_npy_parse("x.npy", cut.p, n, &info, &err),
                         n == 152 ? ADASS_OK : ADASS_EFORMAT);
        guarded_free(&cut);
    }
    guarded_free(&whole);
}

/*
 * Any byte of the header may have any value: refused, or read as a file of the same size, never a
 * crash.
 */
static void test_damaged_bytes(void **state)
{
    (void)state;
    guarded g = npy_of("{'descr': '<u4', 'fortran_order': False, 'shape': (3, 2), }", 128, 24);
    unsigned char *p = g.p;
    size_t refused = 0;
    for (size_t i = 0; i < 128; i++) {
        const unsigned char before = p[i];
        for (unsigned value = 0; value < 256; value++) {
            adass_npy_info info;
            p[i] = (unsigned char)value;
            const adass_status status = adass_npy_parse("x.npy", p, 152, &info, NULL);
            refused += status != ADASS_OK;
            assert_true(status == ADASS_EFORMAT ||
                        info.shape[0] * info.shape[1] * (info.type == ADASS_NPY_U8 ? 1 : 4) == 24);
        }
        p[i] = before;
    }
    assert_true(refused > 128 * 250);
    guarded_free(&g);
}

static void test_write(void **state)
{
    const scratch_path path = within(*state, "x.npy");
    enum { ROWS = 100001, COLUMNS = 3 };
    uint32_t *rows = malloc(sizeof(uint32_t) * ROWS * COLUMNS);
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++)
        rows[i] = i * 2654435761u;
    adass_npy_writer *w = NULL;
    adass_error err;
    expect_ok(adass_npy_create(&w, path.text, ADASS_NPY_U32, COLUMNS, &err), &err);
    for (size_t i = 0; i < 11; i++) /* rows one by one, then a part larger than the buffer */
        expect_ok(adass_npy_append(w, rows + i * COLUMNS, 1, &err), &err);
    expect_ok(adass_npy_append(w, rows + 11 * COLUMNS, ROWS - 11, &err), &err);
    assert_int_equal(adass_npy_rows(w), ROWS);
    expect_ok(adass_npy_finish(w, &err), &err);
    adass_npy_close(w);

    size_t n;
    char *bytes = read_bytes(path.text, &n);
    adass_npy_info info;
    expect_ok(adass_npy_parse(path.text, bytes, n, &info, &err), &err);
    assert_int_equal(info.shape[0], ROWS);
    assert_int_equal(info.shape[1], COLUMNS);
    assert_int_equal(info.data_offset, 128);
    assert_memory_equal(bytes + info.data_offset, rows, sizeof(uint32_t) * ROWS * COLUMNS);
    assert_memory_equal(bytes,
                        "\x93NUMPY\x01\x00\x76\x00{'descr': '<u4', 'fortran_order': False, "
                        "'shape': (100001, 3), }  ",
                        76);
    free(bytes);
    free(rows);
}

/* Buffers that are written later, in another order, and a checksum of what was written: as without. */
static void test_write_later(void **state)
{
    const scratch_path plain = within(*state, "plain.npy"), path = within(*state, "later.npy");
    enum { ROWS = 700001, COLUMNS = 3, PART = 50000 };
    uint32_t *rows = malloc(sizeof(uint32_t) * ROWS * COLUMNS);
    assert_non_null(rows);
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++)
        rows[i] = i * 2654435761u;
    adass_npy_writer *w = NULL;
    adass_npy_later later[2] = { 0 };
    adass_error err;
    expect_ok(adass_npy_create(&w, plain.text, ADASS_NPY_U32, COLUMNS, &err), &err);
    expect_ok(adass_npy_append(w, rows, ROWS, &err), &err);
    expect_ok(adass_npy_finish(w, &err), &err);
    adass_npy_close(w);

    for (size_t i = 0; i < 2; i++)
        expect_ok(adass_npy_later_init(&later[i], &err), &err);
    expect_ok(adass_npy_create(&w, path.text, ADASS_NPY_U32, COLUMNS, &err), &err);
    adass_npy_expect(w, ROWS);
    size_t left = 0, part = 0;
    for (size_t at = 0; at < ROWS; at += PART, part++) {
        const size_t n = ROWS - at < PART ? ROWS - at : PART;
        expect_ok(adass_npy_append_later(w, rows + at * COLUMNS, n, &later[part % 2], &err), &err);
        if (part % 8 != 7 && at + PART < ROWS)
            continue;
        for (size_t i = 2; i-- > 0;) { /* the last one first */
            left += later[i].writer != NULL;
            expect_ok(adass_npy_write_later(&later[i], &err), &err);
            assert_null(later[i].writer);
        }
    }
    assert_int_equal(left, 4);
    expect_ok(adass_npy_finish(w, &err), &err);
    char checksum[ADASS_CHECKSUM_CHARS], expected[ADASS_CHECKSUM_CHARS];
    size_t bytes, expected_bytes;
    expect_ok(adass_npy_checksum(w, checksum, &bytes, &err), &err);
    adass_npy_close(w);
    expect_same_files(plain.text, path.text);
    expect_ok(adass_checksum_file(path.text, expected, &expected_bytes, &err), &err);
    assert_string_equal(checksum, expected);
    assert_int_equal(bytes, expected_bytes);
    for (size_t i = 0; i < 2; i++)
        free(later[i].buffer);
    free(rows);
}

/* Other rows than expected: the header and the checksum tell of those that there are. */
static void test_write_unexpected(void **state)
{
    static const uint8_t labels[] = { 1, 0, 1 };
    const scratch_path path = within(*state, "x.npy");
    adass_npy_writer *w = NULL;
    adass_error err;
    adass_npy_info info;
    char checksum[ADASS_CHECKSUM_CHARS], expected[ADASS_CHECKSUM_CHARS];
    size_t n, bytes;
    expect_ok(adass_npy_create(&w, path.text, ADASS_NPY_U8, 0, &err), &err);
    adass_npy_expect(w, 2);
    expect_ok(adass_npy_append(w, labels, 3, &err), &err);
    expect_ok(adass_npy_finish(w, &err), &err);
    expect_ok(adass_npy_checksum(w, checksum, &bytes, &err), &err);
    adass_npy_close(w);
    char *content = read_bytes(path.text, &n);
    expect_ok(adass_npy_parse(path.text, content, n, &info, &err), &err);
    assert_int_equal(info.shape[0], 3);
    adass_checksum_bytes(content, n, expected);
    assert_string_equal(checksum, expected);
    assert_int_equal(bytes, n);
    free(content);
}

static void test_write_refusals(void **state)
{
    const scratch_path path = within(*state, "x.npy"), nowhere = within(*state, "none/x.npy");
    adass_npy_writer *w = NULL;
    adass_error err;
    write_text(path.text, "here already");
    assert_int_equal(adass_npy_create(&w, path.text, ADASS_NPY_U8, 0, &err), ADASS_EIO);
    expect_message(&err, "x.npy");
    assert_int_equal(adass_npy_create(&w, nowhere.text, ADASS_NPY_U8, 0, &err), ADASS_EIO);
    expect_message(&err, "none/x.npy");
    assert_null(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numpy_headers),
        cmocka_unit_test(test_broken_headers),
        cmocka_unit_test(test_other_lengths),
        cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test_setup_teardown(test_write, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_write_later, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_write_unexpected, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_write_refusals, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
