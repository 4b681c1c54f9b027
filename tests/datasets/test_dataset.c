/*
 * Prepared datasets: written and read back; every changed byte, cut file and false description
 * found; failures of writing that leave nothing behind.
 */
#include "adass/batches.h"
#include "adass/dataset.h"
#include "checksum.h"
#include "meta.h"
#include "npy.h"
#include "scratch.h"
#include "writer.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { FIELDS = 3, ROWS = 60 };

static const adass_field schema[FIELDS] = { { (char *)"user", 11, 0, 0 },
                                            { (char *)"item", 7, 0, 4 },
                                            { (char *)"zip \"x\"", 300, 0, 2 } };

static const char *const files[] = { "meta.json",      "train/ids.npy",    "train/labels.npy",
                                     "valid/ids.npy",  "valid/labels.npy", "test/ids.npy",
                                     "test/labels.npy" };

enum { N_FILES = sizeof files / sizeof files[0] };

static uint32_t id_of(size_t row, size_t f)
{
    return (uint32_t)((row * 31 + f * 7) % schema[f].vocab);
}

static uint8_t label_of(size_t row) { return row % 3 == 0; }

/* Rows 0..44 are train, 45..56 valid, the rest test. */
static adass_split split_of(size_t row)
{
    return row < 45 ? ADASS_TRAIN : row < 57 ? ADASS_VALID : ADASS_TEST;
}

static adass_status add_rows(adass_writer *w, size_t repeat, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < ROWS * repeat && status == ADASS_OK; i++) {
        const size_t row = i % ROWS;
        const uint32_t ids[FIELDS] = { id_of(row, 0), id_of(row, 1), id_of(row, 2) };
        const uint8_t label = label_of(row);
        status = adass_writer_add(w, split_of(row), ids, &label, 1, err);
    }
    return status;
}

static adass_status finish(adass_writer *w, adass_error *err)
{
    json_t *made = json_pack("{s:s, s:i}", "by", "test", "seed", 5);
    const adass_status status = adass_writer_finish(w, schema, 0.75, made, err);
    json_decref(made);
    return status;
}

static void write_dataset(const char *dir)
{
    adass_writer *w = NULL;
    adass_error err;
    expect_ok(adass_writer_open(&w, dir, FIELDS, &err), &err);
    expect_ok(add_rows(w, 1, &err), &err);
    expect_ok(finish(w, &err), &err);
    adass_writer_close(w);
}

static int set_up(void **state)
{
    if (scratch_set_up(state) != 0)
        return -1;
    write_dataset(within(*state, "d").text);
    return 0;
}

static void test_round_trip(void **state)
{
    const scratch_path dir = within(*state, "d");
    adass_dataset *d = NULL;
    adass_error err;
    assert_int_equal(count_entries(*state), 1);
    expect_ok(adass_dataset_open(&d, dir.text, &err), &err);
    expect_ok(adass_dataset_verify(d, &err), &err);
    assert_string_equal(d->dir, dir.text);
    assert_string_equal(d->name, "d");
    assert_string_equal(d->made, "{\"by\":\"test\",\"seed\":5}");
    assert_true(d->teacher_auc == 0.75);
    assert_int_equal(strlen(d->checksum), 32);
    assert_int_equal(d->n_fields, FIELDS);
    for (size_t f = 0; f < FIELDS; f++) {
        assert_string_equal(d->fields[f].name, schema[f].name);
        assert_int_equal(d->fields[f].vocab, schema[f].vocab);
        assert_int_equal(d->fields[f].oov, 0);
        assert_int_equal(d->fields[f].true_rank, schema[f].true_rank);
    }
    size_t row = 0;
    for (int s = 0; s < ADASS_N_SPLITS; s++) {
        const adass_rows *rows = &d->splits[s];
        double positives = 0.0;
        assert_null(rows->labels_f32);
        for (size_t i = 0; i < rows->n; i++, row++) {
            for (size_t f = 0; f < FIELDS; f++)
                assert_int_equal(rows->ids[i * FIELDS + f], id_of(row, f));
            assert_true(adass_rows_label(rows, i) == (float)label_of(row));
            positives += label_of(row);
        }
        assert_int_equal(split_of(row - 1), s);
        assert_true(fabs(adass_rows_label_rate(rows) - positives / (double)rows->n) < 1e-12);
        expect_ok(adass_dataset_check_rows(d, (adass_split)s, &err), &err);
    }
    assert_int_equal(row, ROWS);
    adass_dataset_close(d);
    adass_dataset_close(NULL);
}

static void test_names(void **state)
{
    assert_string_equal(adass_split_name(ADASS_TRAIN), "train");
    assert_string_equal(adass_split_name(ADASS_VALID), "valid");
    assert_string_equal(adass_split_name(ADASS_TEST), "test");
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, within(*state, "d//").text, &err), &err);
    assert_string_equal(d->name, "d");
    adass_dataset_close(d);
    const scratch_path latin = within(*state, "caf\xe9"), utf = within(*state, "caf\xc3\xa9");
    assert_int_equal(rename(within(*state, "d").text, latin.text), 0);
    expect_ok(adass_dataset_open(&d, latin.text, &err), &err);
    assert_string_equal(d->name, "caf?");
    adass_dataset_close(d);
    assert_int_equal(rename(latin.text, utf.text), 0);
    expect_ok(adass_dataset_open(&d, utf.text, &err), &err);
    assert_string_equal(d->name, "caf\xc3\xa9");
    adass_dataset_close(d);
    const adass_rows none = { 0 };
    assert_true(isnan(adass_rows_label_rate(&none)));
}

/* The same rows make the same bytes, whatever the folder and however they are handed over. */
static void test_same_bytes(void **state)
{
    const scratch_path first = within(*state, "d"), second = within(*state, "another/");
    adass_writer *w = NULL;
    adass_error err;
    expect_ok(adass_writer_open(&w, second.text, FIELDS, &err), &err);
    for (size_t row = 0; row < ROWS;) {
        uint32_t ids[ROWS * FIELDS];
        uint8_t labels[ROWS];
        size_t n = 0;
        for (; n == 0 || (row + n < ROWS && split_of(row + n) == split_of(row)); n++) {
            labels[n] = label_of(row + n);
            for (size_t f = 0; f < FIELDS; f++)
                ids[n * FIELDS + f] = id_of(row + n, f);
        }
        expect_ok(adass_writer_add(w, split_of(row), ids, labels, n, &err), &err);
        row += n;
    }
    expect_ok(finish(w, &err), &err);
    adass_writer_close(w);
    expect_same_datasets(first.text, second.text);
}

/* Opens and verifies; the message of the first error. */
static adass_status open_and_verify(const char *dir, adass_error *err)
{
    adass_dataset *d = NULL;
    adass_status status = adass_dataset_open(&d, dir, err);
    if (status != ADASS_OK)
        assert_null(d);
    if (status == ADASS_OK)
        status = adass_dataset_verify(d, err);
    adass_dataset_close(d);
    return status;
}

static void test_every_byte_counts(void **state)
{
    const scratch_path dir = within(*state, "d");
    adass_error err;
    for (size_t i = 0; i < N_FILES; i++) {
        const scratch_path path = within(dir.text, files[i]);
        size_t n;
        char *bytes = read_bytes(path.text, &n);
        FILE *file = fopen(path.text, "r+b");
        assert_non_null(file);
        for (size_t at = 0; at < n; at++)
            for (int bit = 0; bit < 8; bit += i == 0 ? 1 : 3) {
                assert_int_equal(
                    pwrite(fileno(file), &(char){ (char)(bytes[at] ^ 1 << bit) }, 1, (off_t)at), 1);
                const adass_status status = open_and_verify(dir.text, &err);
                if (status != ADASS_EFORMAT)
                    fail_msg("bit %d of byte %zu of %s: status %d", bit, at, files[i], (int)status);
                expect_message(&err, path.text);
                expect_message(&err, "prepare the dataset again");
                assert_int_equal(pwrite(fileno(file), bytes + at, 1, (off_t)at), 1);
            }
        fclose(file);
        free(bytes);
    }
    expect_ok(open_and_verify(dir.text, &err), &err);
}

/* White space means nothing to JSON, but it is a change. */
static void test_other_white_space(void **state)
{
    const scratch_path dir = within(*state, "d"), path = within(dir.text, "meta.json");
    size_t n;
    adass_error err;
    char *text = read_bytes(path.text, &n);
    char *more = malloc(n + 2);
    snprintf(more, n + 2, "%s\n", text);
    write_bytes(path.text, more, n + 1);
    assert_int_equal(open_and_verify(dir.text, &err), ADASS_EFORMAT);
    write_bytes(path.text, text, n - 1);
    assert_int_equal(open_and_verify(dir.text, &err), ADASS_EFORMAT);
    expect_message(&err, "meta.json");
    free(text);
    free(more);
}

static void test_length_and_absence(void **state)
{
    const scratch_path dir = within(*state, "d");
    adass_error err;
    for (size_t i = 0; i < N_FILES; i++) {
        const scratch_path path = within(dir.text, files[i]);
        size_t n;
        char *bytes = read_bytes(path.text, &n); /* one 0 follows */
        const size_t lengths[] = { n - 1, n + 1, n / 2, 64, 0 };
        for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
            write_bytes(path.text, bytes, lengths[k]);
            assert_int_equal(open_and_verify(dir.text, &err), ADASS_EFORMAT);
            expect_message(&err, path.text);
        }
        unlink(path.text);
        assert_int_equal(open_and_verify(dir.text, &err), ADASS_EIO);
        expect_message(&err, path.text);
        assert_int_equal(mkdir(path.text, 0777), 0); /* a folder in its place */
        assert_int_not_equal(open_and_verify(dir.text, &err), ADASS_OK);
        expect_message(&err, path.text);
        rmdir(path.text);
        write_bytes(path.text, bytes, n);
        free(bytes);
    }
    expect_ok(open_and_verify(dir.text, &err), &err);
    assert_int_equal(open_and_verify(within(*state, "none").text, &err), ADASS_EIO);
    expect_message(&err, "none/meta.json");
}

static void test_verify_after_change(void **state)
{
    const scratch_path dir = within(*state, "d");
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir.text, &err), &err);
    remove_tree(dir.text);
    adass_writer *w = NULL;
    expect_ok(adass_writer_open(&w, dir.text, FIELDS, &err), &err);
    expect_ok(add_rows(w, 2, &err), &err);
    expect_ok(finish(w, &err), &err);
    adass_writer_close(w);
    assert_int_equal(adass_dataset_verify(d, &err), ADASS_EFORMAT);
    expect_message(&err, "replaced");
    assert_int_equal(d->splits[ADASS_TRAIN].ids[1], id_of(0, 1)); /* the old one is still mapped */
    adass_dataset_close(d);
}

/* ---- false descriptions with a right checksum ---- */

/* Replaces the first `from` in meta.json's content by `to` and puts the checksum right. */
static void forge(const char *dir, const char *from, const char *to)
{
    const scratch_path path = within(dir, "meta.json");
    size_t n;
    char *text = read_bytes(path.text, &n);
    char *end = strstr(text, "  \"checksum\": \""), *last = end;
    while (end != NULL) {
        last = end;
        end = strstr(end + 1, "\n  \"checksum\": \"");
        end = end != NULL ? end + 1 : NULL;
    }
    *last = '\0';
    char *at = strstr(text, from);
    if (at == NULL)
        fail_msg("meta.json lacks %s", from);
    char *forged = malloc(n + strlen(to) + 64), checksum[ADASS_CHECKSUM_CHARS];
    const size_t length =
        (size_t)sprintf(forged, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    adass_checksum_bytes(forged, length, checksum);
    sprintf(forged + length, "  \"checksum\": \"%s\"\n}\n", checksum);
    write_text(path.text, forged);
    free(forged);
    free(text);
}

static void test_false_descriptions(void **state)
{
    /* clang-format off */
    static const struct {
        const char *from, *to, *part;
    } cases[] = {
        { "adass-dataset-1", "adass-dataset-2", "adass-dataset-2" },
        { "\"format\"", "\"tamrof\"", "missing" },
        { "\"fields\"", "\"sdleif\"", "'fields'" },
        { "\"name\": \"user\"", "\"name\": \"\"", "field 0 has no name of 1 to 64 bytes" },
        { "\"name\": \"user\"", "\"name\": 5", "field 0 has no name of 1 to 64 bytes" },
        { "\"name\": \"user\"", "\"name\": \"item\"", "'item'" },
        { "\"kind\": \"categorical\"", "\"kind\": \"text\"", "field 0: its kind" },
        { "\"vocab\": 11", "\"vocab\": 0", "field 0: 'vocab'" },
        { "\"vocab\": 11", "\"vocab\": -1", "field 0: 'vocab'" },
        { "\"vocab\": 11", "\"vocab\": 11.0", "field 0: 'vocab'" },
        { "\"vocab\": 11", "\"vocab\": 4294967296", "field 0: 'vocab'" },
        { "\"oov\": 0", "\"oov\": 11", "field 0: 'oov'" },
        { "\"true_rank\": 4", "\"true_rank\": \"4\"", "field 1: 'true_rank'" },
        { "\"train\": 45", "\"train\": -45", "rows: 'train'" },
        { "\"train\": 45", "\"train\": 9223372036854775807", "rows: 'train'" },
        { "\"train\": 45", "\"train\": 44", "train/ids.npy" },
        { "\"valid\": 12", "\"valid\": 13", "valid/ids.npy" },
        { "test/labels.npy", "test/slebal.npy", "test/labels.npy" },
        { "\"bytes\": 668", "\"bytes\": 667", "train/ids.npy" },
        { "\"bytes\": 668", "\"bytes\": true", "train/ids.npy" },
        { "\"teacher_auc\": 0.75", "\"teacher_auc\": 1.75", "teacher_auc" },
        { "\"teacher_auc\": 0.75", "\"teacher_auc\": \"x\"", "teacher_auc" },
        { "\"made\": {", "\"made\": [], \"more\": {", "'made'" },
        { "\"format\"", "\"made\": {}, \"format\"", "duplicate" },
        { "\"seed\": 5", "\"seed\": 5,,", "meta.json:" },
    };
    /* clang-format on */
    const scratch_path dir = within(*state, "d"), meta = within(dir.text, "meta.json");
    size_t n;
    char *text = read_bytes(meta.text, &n);
    adass_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        forge(dir.text, cases[i].from, cases[i].to);
        adass_dataset *d = NULL;
        if (adass_dataset_open(&d, dir.text, &err) != ADASS_EFORMAT)
            fail_msg("%s for %s is not refused", cases[i].to, cases[i].from);
        expect_message(&err, cases[i].part);
        write_bytes(meta.text, text, n);
    }
    free(text);
    forge(dir.text, "\"seed\": 5", "\"seed\": 6"); /* the forgery itself is sound */
    expect_ok(open_and_verify(dir.text, &err), &err);
}

static void test_json_place(void **state)
{
    const scratch_path dir = within(*state, "d");
    adass_error err;
    write_text(within(dir.text, "meta.json").text, "{\n  \"format\": ?\n}\n");
    assert_int_equal(open_and_verify(dir.text, &err), ADASS_EFORMAT);
    expect_message(&err, "meta.json:2:");
}

/* Replaces an array by another one of the same length, with meta.json right but for the shape. */
static void replace_array(const char *dir, size_t i, adass_npy_type type, size_t columns,
                          const void *data, size_t rows)
{
    const scratch_path path = within(dir, adass_meta_file_name(i));
    adass_npy_writer *w = NULL;
    adass_error err;
    adass_meta meta;
    unlink(path.text);
    expect_ok(adass_npy_create(&w, path.text, type, columns, &err), &err);
    expect_ok(adass_npy_append(w, data, rows, &err), &err);
    expect_ok(adass_npy_finish(w, &err), &err);
    adass_npy_close(w);
    expect_ok(adass_meta_read(dir, &meta, &err), &err);
    expect_ok(adass_checksum_file(path.text, meta.files[i].checksum, &meta.files[i].bytes, &err),
              &err);
    json_t *made = json_object();
    char *text = adass_meta_format(&meta, made);
    write_text(within(dir, "meta.json").text, text);
    json_decref(made);
    free(text);
    adass_meta_free(&meta);
}

static void test_wrong_shapes(void **state)
{
    static const uint32_t zeros[ROWS * FIELDS];
    /* clang-format off */
    static const struct {
        size_t file;
        adass_npy_type type;
        size_t columns, rows;
    } cases[] = {
        { 0, ADASS_NPY_U32, 5, 27 },  /* the same bytes in other columns */
        { 0, ADASS_NPY_U32, 0, 135 }, /* in one dimension */
        { 0, ADASS_NPY_U32, 2, 45 },
        { 0, ADASS_NPY_F32, FIELDS, 45 },
        { 0, ADASS_NPY_U32, FIELDS, 44 },
        { 1, ADASS_NPY_U32, 0, 45 },
        { 1, ADASS_NPY_U8, 1, 45 },
        { 5, ADASS_NPY_U8, 0, 4 },
    };
    /* clang-format on */
    adass_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const scratch_path dir = within(*state, "shape");
        write_dataset(dir.text);
        replace_array(dir.text, cases[i].file, cases[i].type, cases[i].columns, zeros,
                      cases[i].rows);
        adass_dataset *d = NULL;
        assert_int_equal(adass_dataset_open(&d, dir.text, &err), ADASS_EFORMAT);
        expect_message(&err, adass_meta_file_name(cases[i].file));
        expect_message(&err, "meta.json needs");
        remove_tree(dir.text);
    }
}

static void test_float_labels(void **state)
{
    const scratch_path dir = within(*state, "d");
    float labels[45];
    for (size_t i = 0; i < 45; i++)
        labels[i] = (float)i / 64.0f;
    replace_array(dir.text, 1, ADASS_NPY_F32, 0, labels, 45);
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir.text, &err), &err);
    assert_null(d->splits[ADASS_TRAIN].labels_u8);
    assert_true(adass_rows_label(&d->splits[ADASS_TRAIN], 32) == 0.5f);
    assert_true(adass_rows_label_rate(&d->splits[ADASS_TRAIN]) == 22.0 / 64.0);
    adass_dataset_close(d);
}

static void expect_label_refused(const char *dir, float label)
{
    float labels[45] = { 0 };
    labels[31] = label;
    replace_array(dir, 1, ADASS_NPY_F32, 0, labels, 45);
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir, &err), &err);
    assert_int_equal(adass_dataset_check_rows(d, ADASS_TRAIN, &err), ADASS_EFORMAT);
    expect_message(&err, "train/labels.npy: row 31: label");
    adass_dataset_close(d);
}

static void test_bad_labels(void **state)
{
    const scratch_path dir = within(*state, "d");
    expect_label_refused(dir.text, 1.5f);
    expect_label_refused(dir.text, -0.25f);
    expect_label_refused(dir.text, NAN);
}

static void test_id_out_of_vocabulary(void **state)
{
    const scratch_path dir = within(*state, "d");
    uint32_t ids[12 * FIELDS] = { 0 };
    ids[7 * FIELDS + 1] = 7; /* the vocabulary is 7 */
    ids[9 * FIELDS + 0] = UINT32_MAX;
    replace_array(dir.text, 2, ADASS_NPY_U32, FIELDS, ids, 12);
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir.text, &err), &err);
    expect_ok(adass_dataset_check_rows(d, ADASS_TRAIN, &err), &err);
    assert_int_equal(adass_dataset_check_rows(d, ADASS_VALID, &err), ADASS_EFORMAT);
    expect_message(&err, "valid/ids.npy: row 7: id 7 of field 'item'");
    adass_dataset_close(d);
}

/* ---- failures of writing ---- */

static void expect_no_writer(const char *dir, adass_status expected, const char *part)
{
    adass_writer *w = NULL;
    adass_error err;
    assert_int_equal(adass_writer_open(&w, dir, FIELDS, &err), expected);
    expect_message(&err, part);
    assert_null(w);
}

static void test_output_cannot_be_made(void **state)
{
    const char *dir = *state;
    write_text(within(dir, "file").text, "x");
    assert_int_equal(mkdir(within(dir, "empty").text, 0777), 0);
    assert_int_equal(symlink("nowhere", within(dir, "link").text), 0);
    const size_t entries = count_entries(dir);
    expect_no_writer(within(dir, "d").text, ADASS_EINVAL, "exists already");
    expect_no_writer(within(dir, "d/").text, ADASS_EINVAL, "exists already");
    expect_no_writer(within(dir, "file").text, ADASS_EINVAL, "exists already");
    expect_no_writer(within(dir, "empty").text, ADASS_EINVAL, "exists already");
    expect_no_writer(within(dir, "link").text, ADASS_EINVAL, "exists already");
    expect_no_writer(within(dir, "none/out").text, ADASS_EIO, strerror(ENOENT));
    expect_no_writer(within(dir, "file/out").text, ADASS_EIO, strerror(ENOTDIR));
    expect_no_writer("", ADASS_EINVAL, "empty");
    if (geteuid() != 0) { /* root may write everywhere */
        assert_int_equal(chmod(within(dir, "empty").text, 0555), 0);
        expect_no_writer(within(dir, "empty/out").text, ADASS_EIO, strerror(EACCES));
    }
    assert_int_equal(count_entries(dir), entries);
}

static void test_given_up(void **state)
{
    const scratch_path out = within(*state, "out");
    adass_writer *w = NULL;
    adass_error err;
    expect_ok(adass_writer_open(&w, out.text, FIELDS, &err), &err);
    assert_int_equal(access(out.text, F_OK), -1); /* not visible before it is complete */
    expect_ok(add_rows(w, 1, &err), &err);
    expect_no_writer(out.text, ADASS_EIO, ".tmp-"); /* two at once */
    adass_writer_close(w);
    adass_writer_close(NULL);
    assert_int_equal(count_entries(*state), 1);
}

/*
 * A process that writes half a dataset and waits; *done is the end of a pipe whose closing lets it
 * go. It never closes its writer.
 */
static pid_t half_writer(const char *dir, int *done)
{
    int ready[2], leave[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(leave), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        adass_writer *w = NULL;
        close(leave[1]);
        if (adass_writer_open(&w, dir, FIELDS, NULL) != ADASS_OK ||
            add_rows(w, 3, NULL) != ADASS_OK)
            _exit(1);
        byte = (char)write(ready[1], &byte, 1);
        byte = (char)read(leave[0], &byte, 1);
        raise(SIGKILL);
    }
    close(ready[1]);
    close(leave[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    *done = leave[1];
    return pid;
}

/* The next writer takes away what a killed one left, and nothing else. */
static void test_leftovers(void **state)
{
    const scratch_path out = within(*state, "out"), other = within(*state, "out2");
    adass_writer *w = NULL;
    adass_error err;
    int living, dead, dead_other;
    const pid_t alive = half_writer(out.text, &living), killed = half_writer(out.text, &dead);
    const pid_t killed_other = half_writer(other.text, &dead_other);
    char leftover[32];
    assert_int_equal(mkdir(within(*state, "out.tmp-0x1").text, 0777), 0);
    assert_int_equal(mkdir(within(*state, "out.tmp-").text, 0777), 0);
    close(dead);
    close(dead_other);
    assert_int_equal(waitpid(killed, NULL, 0), killed);
    assert_int_equal(waitpid(killed_other, NULL, 0), killed_other);
    assert_int_equal(count_entries(*state), 6); /* d, three half ones, two that are none */
    expect_ok(adass_writer_open(&w, out.text, FIELDS, &err), &err);
    snprintf(leftover, sizeof leftover, "out.tmp-%ld", (long)killed);
    assert_int_equal(access(within(*state, leftover).text, F_OK), -1);
    snprintf(leftover, sizeof leftover, "out.tmp-%ld", (long)alive);
    assert_int_equal(access(within(*state, leftover).text, F_OK), 0);
    assert_int_equal(count_entries(*state), 6);
    expect_ok(add_rows(w, 1, &err), &err);
    expect_ok(finish(w, &err), &err);
    adass_writer_close(w);
    expect_same_datasets(out.text, within(*state, "d").text);
    close(living);
    assert_int_equal(waitpid(alive, NULL, 0), alive);
}

/* Files that no writer makes stay, and the folder with them. */
static void test_leftover_with_more(void **state)
{
    const scratch_path out = within(*state, "out");
    adass_writer *w = NULL;
    adass_error err;
    int done;
    char name[64];
    const pid_t killed = half_writer(out.text, &done);
    close(done);
    assert_int_equal(waitpid(killed, NULL, 0), killed);
    snprintf(name, sizeof name, "out.tmp-%ld/notes", (long)killed);
    write_text(within(*state, name).text, "mine");
    expect_ok(adass_writer_open(&w, out.text, FIELDS, &err), &err);
    adass_writer_close(w);
    assert_int_equal(access(within(*state, name).text, F_OK), 0);
}

static void test_target_appears(void **state)
{
    const scratch_path out = within(*state, "out");
    adass_writer *w = NULL;
    adass_error err;
    expect_ok(adass_writer_open(&w, out.text, FIELDS, &err), &err);
    expect_ok(add_rows(w, 1, &err), &err);
    assert_int_equal(mkdir(out.text, 0777), 0);
    assert_int_equal(finish(w, &err), ADASS_EINVAL);
    adass_writer_close(w);
    assert_int_equal(count_entries(*state), 2);
    assert_int_equal(count_entries(out.text), 0);
}

/* A limit on the size of files stands for the full disk: writing fails, and it is told. */
static void write_limited(const char *state, size_t limit, size_t repeat)
{
    struct rlimit before;
    adass_writer *w = NULL;
    adass_error err;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    expect_ok(adass_writer_open(&w, within(state, "out").text, FIELDS, &err), &err);
    const struct rlimit small = { limit, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    adass_status status = add_rows(w, repeat, &err);
    if (status == ADASS_OK)
        status = finish(w, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    adass_writer_close(w);
    assert_int_equal(status, ADASS_EIO);
    expect_message(&err, strerror(EFBIG));
    expect_message(&err, "out.tmp-");
    assert_int_equal(count_entries(state), 1);
}

static void test_disk_is_full(void **state)
{
    write_limited(*state, 1 << 16, 4000); /* while rows are added */
    write_limited(*state, 100, 1);        /* in the last flush */
    write_limited(*state, 700, 1);        /* in meta.json only */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_names, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_same_bytes, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_every_byte_counts, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_other_white_space, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_length_and_absence, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_verify_after_change, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_false_descriptions, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_json_place, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_shapes, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_float_labels, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_bad_labels, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_id_out_of_vocabulary, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_output_cannot_be_made, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_given_up, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_leftovers, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_leftover_with_more, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_target_appears, set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_disk_is_full, set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
