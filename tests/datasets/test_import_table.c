/*
 * Imports of tables: ids against an oracle over texts; the same bytes whatever the threads, the memory, the packing and the
 * number of files; splits; vocabularies that are taken again; schema files; and every kind of bad input with the place that
 * the message names.
 */
#include "adass/batches.h"
#include "adass/import.h"
#include "folds.h"
#include "packed.h"
#include "split_at.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

enum { ROWS = 150000, FIELDS = 3, VALUES = 30000, SMALL = 400, LINE_BYTES = 64 };

static const size_t mebibyte = (size_t)1 << 20;

static const char schema_text[] =
    "{\"separator\": \",\", \"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
    " {\"name\": \"a\", \"kind\": \"categorical\"}, {\"name\": \"b\", \"kind\": \"categorical\"},"
    " {\"name\": \"c\", \"kind\": \"categorical\"}]}";

/* ---- a made-up table ---- */

static unsigned pick(unsigned what, unsigned row, unsigned n)
{
    return (unsigned)(adass_mix_at(what, row) % n);
}

/* Few values are frequent. */
static unsigned value_of(unsigned row, unsigned field, unsigned n)
{
    const unsigned a = pick(field, row, n), b = pick(field + 10, row, n);
    return pick(field + 20, row, 3) == 0 ? b : a < b ? a : b;
}

static unsigned label_of(unsigned row) { return pick(30, row, 4) == 0; }

/* Rows [begin, end), in new memory. */
static char *make_rows(unsigned begin, unsigned end, unsigned n_values, size_t *length)
{
    char *text = malloc((size_t)(end - begin) * LINE_BYTES + 1);
    assert_non_null(text);
    *length = 0;
    for (unsigned i = begin; i < end; i++)
        *length += (size_t)sprintf(text + *length, "%u,a%u,%06x,c%u\n", label_of(i),
                                   value_of(i, 0, n_values), value_of(i, 1, n_values),
                                   value_of(i, 2, n_values));
    return text;
}

static void write_rows(const char *path, packing how, unsigned begin, unsigned end,
                       unsigned n_values)
{
    size_t n;
    char *text = make_rows(begin, end, n_values, &n);
    write_packed(path, how, text, n);
    free(text);
}

/* A folder with a schema; options that use it, one thread. */
static adass_table_options prepare(const char *dir, scratch_path *schema)
{
    *schema = within(dir, "schema.json");
    write_text(schema->text, schema_text);
    return (adass_table_options){ .schema = schema->text, .seed = 5, .threads = 1 };
}

static void import_files(const char *dir, const char *out, adass_table_options options,
                         const char *const *names, size_t n)
{
    scratch_path paths[4];
    const char *inputs[4];
    adass_error err;
    for (size_t i = 0; i < n; i++) {
        paths[i] = within(dir, names[i]);
        inputs[i] = strcmp(names[i], "-") == 0 ? "-" : paths[i].text;
    }
    options.inputs = inputs;
    options.n_inputs = n;
    expect_ok(adass_import_table("csv", &options, within(dir, out).text, NULL, &err), &err);
}

static void import_file(const char *dir, const char *out, adass_table_options options,
                        const char *name)
{
    import_files(dir, out, options, &name, 1);
}

static adass_status try_text(const char *dir, const char *schema, const char *text, size_t n,
                             const adass_table_options *options, adass_import_report *report,
                             adass_error *err)
{
    const scratch_path raw = within(dir, "raw"), schema_path = within(dir, "schema.json");
    const char *input = raw.text;
    adass_table_options completed = *options;
    write_bytes(raw.text, text, n);
    write_text(schema_path.text, schema);
    completed.schema = schema_path.text;
    completed.inputs = &input;
    completed.n_inputs = 1;
    completed.threads = 2;
    const adass_status status =
        adass_import_table("csv", &completed, within(dir, "out").text, report, err);
    remove(raw.text);
    remove(schema_path.text);
    if (status != ADASS_OK && count_entries(dir) != 0)
        fail_msg("something is left behind after: %s", err->message);
    return status;
}

/* ---- ids ---- */

typedef struct seen {
    unsigned value, count, first;
} seen;

static int by_frequency(const void *a, const void *b)
{
    const seen *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->first < y->first ? -1 : 1;
}

/* Ids of a field's values by the split of each row; 0 for none. Gives the vocabulary. */
static unsigned expected_ids(const adass_split *splits, unsigned field, unsigned min_count,
                             unsigned ids[SMALL])
{
    seen values[SMALL] = { 0 };
    for (unsigned v = 0; v < SMALL; v++)
        values[v] = (seen){ v, 0, SMALL };
    for (unsigned i = 0; i < SMALL; i++) {
        seen *s = &values[value_of(i, field, SMALL / 4)];
        if (splits[i] != ADASS_TRAIN)
            continue;
        s->first = s->count == 0 ? i : s->first;
        s->count++;
    }
    qsort(values, SMALL, sizeof *values, by_frequency);
    unsigned n = 0;
    for (unsigned k = 0; k < SMALL; k++)
        ids[values[k].value] = values[k].count >= min_count && values[k].count > 0 ? ++n : 0;
    return n + 1;
}

static void expect_rows(const char *dir, const adass_split *splits, unsigned min_count)
{
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir, &err), &err);
    expect_ok(adass_dataset_verify(d, &err), &err);
    unsigned ids[FIELDS][SMALL];
    size_t at[ADASS_N_SPLITS] = { 0 };
    for (unsigned f = 0; f < FIELDS; f++)
        assert_int_equal(d->fields[f].vocab, expected_ids(splits, f, min_count, ids[f]));
    for (unsigned i = 0; i < SMALL; i++) {
        const adass_rows *rows = &d->splits[splits[i]];
        const size_t r = at[splits[i]]++;
        assert_true(r < rows->n);
        assert_int_equal(rows->labels_u8[r], label_of(i));
        for (unsigned f = 0; f < FIELDS; f++)
            assert_int_equal(rows->ids[r * FIELDS + f], ids[f][value_of(i, f, SMALL / 4)]);
    }
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        assert_int_equal(at[s], d->splits[s].n);
    adass_dataset_close(d);
}

static void test_random_split(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    adass_split splits[SMALL];
    write_rows(within(dir, "raw").text, PLAIN, 0, SMALL, SMALL / 4);
    for (unsigned i = 0; i < SMALL; i++)
        splits[i] = adass_split_at(adass_seed_derive(options.seed, 1), i);
    import_file(dir, "one", options, "raw");
    expect_rows(within(dir, "one").text, splits, 1);
    options.min_count = 4;
    import_file(dir, "four", options, "raw");
    expect_rows(within(dir, "four").text, splits, 4);
}

static void test_chronological_split(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    adass_split splits[SMALL];
    write_rows(within(dir, "raw").text, PLAIN, 0, SMALL, SMALL / 4);
    options.protocol = ADASS_PROTOCOL_CHRONOLOGICAL;
    options.ratio[0] = 2.0;
    options.ratio[2] = 2.0;
    for (unsigned i = 0; i < SMALL; i++)
        splits[i] = i < SMALL / 2 ? ADASS_TRAIN : ADASS_TEST;
    import_file(dir, "out", options, "raw");
    expect_rows(within(dir, "out").text, splits, 1);
}

/* Fold 0 tests, 1 validates; the folds themselves are tested in test_folds.c. */
static void test_x4_split(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    adass_split splits[SMALL];
    uint8_t folds[SMALL];
    adass_error err;
    write_rows(within(dir, "raw").text, PLAIN, 0, SMALL, SMALL / 4);
    for (unsigned i = 0; i < SMALL; i++)
        folds[i] = (uint8_t)label_of(i);
    expect_ok(adass_folds_stratify(folds, SMALL, &err), &err);
    for (unsigned i = 0; i < SMALL; i++)
        splits[i] = folds[i] == 0 ? ADASS_TEST : folds[i] == 1 ? ADASS_VALID : ADASS_TRAIN;
    options.protocol = ADASS_PROTOCOL_X4;
    options.min_count = 2;
    import_file(dir, "out", options, "raw");
    expect_rows(within(dir, "out").text, splits, 2);
}

/* ---- the same bytes ---- */

/* A table of several blocks. */
static void make_large(const char *dir)
{
    write_rows(within(dir, "raw").text, PLAIN, 0, ROWS, VALUES);
}

static void expect_same(const char *dir, const char *a, const char *b, bool vocabulary)
{
    const scratch_path x = within(dir, a), y = within(dir, b);
    expect_same_datasets(x.text, y.text);
    if (vocabulary)
        expect_same_files(within(x.text, "vocabulary.tsv").text,
                          within(y.text, "vocabulary.tsv").text);
    remove_tree(y.text);
}

static void test_threads(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    make_large(dir);
    options.write_vocabulary = true;
    for (int protocol = 0; protocol < 3; protocol++) {
        options.protocol = (adass_protocol)protocol;
        options.threads = 1;
        import_file(dir, "one", options, "raw");
        options.threads = 2;
        import_file(dir, "two", options, "raw");
        expect_same(dir, "one", "two", true);
        options.threads = 4;
        import_file(dir, "four", options, "raw");
        expect_same(dir, "one", "four", true);
        remove_tree(within(dir, "one").text);
    }
}

/* So little memory that counts are spilled, and the fields are encoded in several passes. */
static void test_memory(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    make_large(dir);
    options.write_vocabulary = true;
    import_file(dir, "large", options, "raw");
    options.memory_bytes = 34 * mebibyte;
    import_file(dir, "little", options, "raw");
    expect_same(dir, "large", "little", true);
    options.threads = 2;
    options.memory_bytes = 50 * mebibyte;
    import_file(dir, "two", options, "raw");
    expect_same(dir, "large", "two", true);
}

/* meta.json tells of the vocabulary as well. */
static void expect_same_arrays(const char *dir, const char *a, const char *b)
{
    static const char *const names[] = {
        "train/ids.npy",    "train/labels.npy", "valid/ids.npy",
        "valid/labels.npy", "test/ids.npy",     "test/labels.npy"
    };
    const scratch_path x = within(dir, a), y = within(dir, b);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        expect_same_files(within(x.text, names[i]).text, within(y.text, names[i]).text);
    remove_tree(y.text);
}

/* Without the texts of values the file is parsed once, unless the memory is too little for it. */
static void test_parsed_once(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    make_large(dir);
    for (int protocol = ADASS_PROTOCOL_RANDOM; protocol <= ADASS_PROTOCOL_X4; protocol++) {
        options.protocol = (adass_protocol)protocol;
        options.min_count = 1 + 2 * (size_t)protocol; /* which no thread's table may reach */
        options.memory_bytes = 0;
        options.threads = 1;
        options.write_vocabulary = true;
        import_file(dir, "twice", options, "raw");
        options.write_vocabulary = false;
        import_file(dir, "once", options, "raw");
        expect_same_arrays(dir, "twice", "once");
        options.threads = 3;
        import_file(dir, "threads", options, "raw");
        expect_same_arrays(dir, "twice", "threads");
        options.threads = 1;
        options.memory_bytes = 34 * mebibyte;
        import_file(dir, "little", options, "raw");
        expect_same_arrays(dir, "twice", "little");
        remove_tree(within(dir, "twice").text);
    }
}

/* So many values that their tables grow again and again: each occurs twice, and has the id of its first row. */
static void test_many_values(void **state)
{
    const char *dir = *state;
    enum { MANY = 200000 };
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    char *text = malloc((size_t)2 * MANY * LINE_BYTES);
    assert_non_null(text);
    size_t length = 0;
    for (unsigned r = 0; r < 2 * MANY; r++) {
        const unsigned v = r < MANY ? r : r * 7u % MANY; /* all of them again, in another order */
        length += (size_t)sprintf(text + length, "1,a%x,%08x,c%u\n", v, v * 2654435761u, v);
    }
    write_bytes(within(dir, "raw").text, text, length);
    free(text);
    options.ratio[0] = 1.0;
    for (options.threads = 1; options.threads <= 3; options.threads += 2) {
        import_file(dir, "out", options, "raw");
        adass_dataset *d = NULL;
        adass_error err;
        expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
        assert_int_equal(d->splits[ADASS_TRAIN].n, 2 * MANY);
        const uint32_t *ids = d->splits[ADASS_TRAIN].ids;
        for (unsigned r = 0; r < 2 * MANY; r++)
            for (size_t f = 0; f < FIELDS; f++)
                assert_int_equal(*ids++, (r < MANY ? r : r * 7u % MANY) + 1);
        adass_dataset_close(d);
        remove_tree(within(dir, "out").text);
    }
}

static void test_memory_errors(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    adass_error err;
    const scratch_path raw = within(dir, "raw"), out = within(dir, "out");
    const char *input = raw.text;
    make_large(dir);
    options.inputs = &input;
    options.n_inputs = 1;
    options.memory_bytes = mebibyte;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    expect_message(&err, "a memory bound of 1.0 MiB is too low");
    options.memory_bytes = 33 * mebibyte;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_ENOMEM);
    expect_message(&err, "field a");
    expect_message(&err, "--memory");
    options.min_count = 20; /* as the message says */
    expect_ok(adass_import_table("csv", &options, out.text, NULL, &err), &err);
    assert_int_equal(count_entries(dir), 3);
}

static void test_packings(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    make_large(dir);
    for (int protocol = ADASS_PROTOCOL_RANDOM; protocol <= ADASS_PROTOCOL_CHRONOLOGICAL;
         protocol++) {
        options.protocol = (adass_protocol)protocol;
        import_file(dir, "plain", options, "raw");
        for (int how = GZ; how < N_PACKINGS; how++) {
            write_rows(within(dir, "packed").text, (packing)how, 0, ROWS, VALUES);
            import_file(dir, "out", options, "packed");
            expect_same(dir, "plain", "out", false);
        }
        remove_tree(within(dir, "plain").text);
    }
}

/* Lines of plain files are counted in pieces of 256 KiB: some lines, and an end without a line's, lie at a boundary. */
static void test_counted_lines(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    enum { ROW = 8, PIECE_ROWS = (1 << 18) / ROW };
    static const char *const names[] = { "first", "empty", "last" };
    static const unsigned sizes[] = { PIECE_ROWS, PIECE_ROWS + 1, 3 * PIECE_ROWS };
    write_text(schema.text, "{\"header\": \"optional\", \"columns\": [{\"name\": \"y\", \"kind\": "
                            "\"label\"}, {\"name\": \"abcd\", \"kind\": \"categorical\"}]}");
    write_text(within(dir, "empty").text, "");
    options.protocol = ADASS_PROTOCOL_CHRONOLOGICAL;
    options.ratio[0] = options.ratio[2] = 1.0;
    for (size_t i = 0; i < 3; i++)
        for (options.threads = 1; options.threads <= 3; options.threads++) {
            char *text = malloc(sizes[i] * ROW + 1);
            assert_non_null(text);
            for (unsigned r = 0; r < sizes[i]; r++)
                sprintf(text + r * ROW, "%u,x%04u\n", r % 2, r % 10000);
            write_bytes(within(dir, "first").text, text, sizes[i] * ROW);
            memcpy(text, "y,abcd\n\n", ROW); /* the header, and nothing of the row */
            write_bytes(within(dir, "last").text, text, sizes[i] * ROW - 1);
            free(text);
            import_files(dir, "out", options, names, 3);
            adass_dataset *d = NULL;
            adass_error err;
            expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
            assert_int_equal(d->splits[ADASS_TRAIN].n, sizes[i]);
            assert_int_equal(d->splits[ADASS_TEST].n, sizes[i] - 1);
            adass_dataset_close(d);
            remove_tree(within(dir, "out").text);
        }
}

/* The rows are the same; meta.json has the checksums of the files. */
static void test_several_files(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    static const char *const names[] = { "first", "second.gz", "third" };
    static const char *const files[] = { "train/ids.npy", "valid/ids.npy", "test/labels.npy" };
    make_large(dir);
    write_rows(within(dir, "first").text, PLAIN, 0, 1000, VALUES);
    write_rows(within(dir, "second.gz").text, GZ, 1000, 90000, VALUES);
    write_rows(within(dir, "third").text, PLAIN, 90000, ROWS, VALUES);
    for (int protocol = 0; protocol < 3; protocol++) {
        options.protocol = (adass_protocol)protocol;
        import_file(dir, "one", options, "raw");
        import_files(dir, "three", options, names, 3);
        for (size_t i = 0; i < 3; i++)
            expect_same_files(within(within(dir, "one").text, files[i]).text,
                              within(within(dir, "three").text, files[i]).text);
        remove_tree(within(dir, "one").text);
        remove_tree(within(dir, "three").text);
    }
}

static void test_standard_input(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    make_large(dir);
    write_rows(within(dir, "packed").text, ZST, 0, ROWS, VALUES);
    import_file(dir, "file", options, "raw");
    const int old = dup(STDIN_FILENO);
    static const char *const names[] = { "raw", "packed" };
    for (size_t i = 0; i < 2; i++) {
        const int fd = open(within(dir, names[i]).text, O_RDONLY);
        assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
        close(fd);
        import_file(dir, "out", options, "-");
        expect_same(dir, "file", "out", false);
    }
    dup2(old, STDIN_FILENO);
    close(old);
}

/* Ends of lines, a missing one at the end, and blank lines change nothing but the number of a line. */
static void test_line_ends(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    options.protocol = ADASS_PROTOCOL_CHRONOLOGICAL;
    options.ratio[0] = 1.0;
    write_text(within(dir, "lf").text, "1,a,b,c\n0,d,\"e\",f\n");
    write_text(within(dir, "crlf").text, "1,a,b,c\r\n\r\n0,\"d\",e,f");
    import_file(dir, "x", options, "lf");
    import_file(dir, "y", options, "crlf");
    expect_same_files(within(dir, "x/train/ids.npy").text, within(dir, "y/train/ids.npy").text);
    expect_same_files(within(dir, "x/train/labels.npy").text,
                      within(dir, "y/train/labels.npy").text);
}

/* ---- vocabularies ---- */

static void test_vocabulary_again(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    const scratch_path first = within(dir, "first");
    make_large(dir);
    options.min_count = 3;
    options.write_vocabulary = true;
    import_file(dir, "first", options, "raw");
    options.vocabulary = first.text;
    import_file(dir, "again", options, "raw");
    static const char *const files[] = { "train/ids.npy", "valid/ids.npy", "test/ids.npy",
                                         "vocabulary.tsv" };
    for (size_t i = 0; i < 4; i++)
        expect_same_files(within(first.text, files[i]).text,
                          within(within(dir, "again").text, files[i]).text);
}

/* Values with every character that is escaped; unknown ones get the OOV id. */
static void test_vocabulary_escapes(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    const scratch_path first = within(dir, "first");
    adass_dataset *d = NULL;
    adass_error err;
    options.ratio[0] = 1.0;
    options.write_vocabulary = true;
    write_text(within(dir, "raw").text, "1,a\tb,\\n,\"x,\"\"y\"\n1,a\tb,\\n,z\n");
    write_text(within(dir, "new").text, "0,a\tb,new,\"x,\"\"y\"\n0,,\\n,z\n");
    import_file(dir, "first", options, "raw");
    size_t n;
    char *text = read_bytes(within(first.text, "vocabulary.tsv").text, &n);
    assert_string_equal(text, "field\tid\tvalue\na\t1\ta\\tb\nb\t1\t\\\\n\nc\t1\tx,\"y\nc\t2\tz\n");
    free(text);
    options.vocabulary = first.text;
    options.write_vocabulary = false;
    import_file(dir, "second", options, "new");
    expect_ok(adass_dataset_open(&d, within(dir, "second").text, &err), &err);
    static const uint32_t expected[] = { 1, 0, 1, 0, 1, 2 };
    assert_memory_equal(d->splits[ADASS_TRAIN].ids, expected, sizeof expected);
    assert_int_equal(d->fields[2].vocab, 3);
    adass_dataset_close(d);
}

static void test_vocabulary_errors(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    const scratch_path raw = within(dir, "raw"), without = within(dir, "without"),
                       with = within(dir, "with"), out = within(dir, "out");
    const char *input = raw.text;
    adass_error err;
    write_text(raw.text, "1,a,b,c\n0,d,e,f\n");
    options.ratio[0] = 1.0;
    import_file(dir, "without", options, "raw");
    options.write_vocabulary = true;
    import_file(dir, "with", options, "raw");
    options.inputs = &input;
    options.n_inputs = 1;
    options.vocabulary = without.text;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    expect_message(&err, "--write-vocab");
    options.vocabulary = with.text;
    size_t n;
    char *text = read_bytes(within(with.text, "vocabulary.tsv").text, &n);
    text[n - 2] = 'x';
    write_bytes(within(with.text, "vocabulary.tsv").text, text, n);
    free(text);
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "changed or damaged");
    adass_dataset *d = NULL;
    expect_ok(adass_dataset_open(&d, with.text, &err), &err);
    assert_int_equal(adass_dataset_verify(d, &err), ADASS_EFORMAT);
    expect_message(&err, "vocabulary.tsv");
    adass_dataset_close(d);
}

/* ---- kinds of columns ---- */

/* The values of one field in the order of the rows, as texts by a vocabulary; "" for none. */
static void expect_values_by(const char *vocabulary, const char *dir, const char *field,
                             const char *const *values)
{
    adass_dataset *d = NULL;
    adass_error err;
    expect_ok(adass_dataset_open(&d, dir, &err), &err);
    size_t n, f = 0;
    char *text = read_bytes(within(dir, "vocabulary.tsv").text, &n);
    while (f < d->n_fields && strcmp(d->fields[f].name, field) != 0)
        f++;
    assert_true(f < d->n_fields);
    const adass_rows *rows = &d->splits[ADASS_TRAIN];
    for (size_t i = 0; i < rows->n; i++) {
        char line[128];
        const uint32_t id = rows->ids[i * d->n_fields + f];
        snprintf(line, sizeof line, "\n%s\t%u\t%s\n", vocabulary, id, values[i]);
        if (values[i][0] == '\0' ? id != 0 : strstr(text, line) == NULL)
            fail_msg("field %s, row %zu: id %u is not '%s'", field, i, id, values[i]);
    }
    free(text);
    adass_dataset_close(d);
}

static void expect_values(const char *dir, const char *field, const char *const *values)
{
    expect_values_by(field, dir, field, values);
}

static void test_kinds(void **state)
{
    const char *dir = *state;
    static const char schema[] =
        "{\"header\": true, \"separator\": \";\", \"columns\": ["
        "{\"name\": \"y\", \"kind\": \"label\", \"threshold\": 3.5},"
        "{\"name\": \"n\", \"kind\": \"numeric\"}, {\"name\": \"skip\", \"kind\": \"ignore\"},"
        "{\"name\": \"m\", \"kind\": \"multi\", \"separator\": \"|\", \"keep\": 2},"
        "{\"name\": \"e\", \"kind\": \"categorical\", \"missing\": \"value\"},"
        "{\"name\": \"t\", \"kind\": \"time\", \"format\": \"YYYY-MM-DD?HH*\","
        " \"parts\": [\"hour\", \"weekday\", \"weekend\", \"day\", \"month\"]}]}";
    static const char text[] = "y;n;skip;m;e;t\n"
                               "3.5;;x;p|q|r;;2024-02-29 07:30:00+01:00\n"
                               "3.49;-3;;q;v;2023-12-31T23\n"
                               "4e0;2.9;x;;;\n"
                               "+5;3;x;||q;w;2000-01-01 00h\n"
                               "0.35e1;100000;x;r|;w;1999-07-05 12\n";
    const adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 }, .write_vocabulary = true };
    adass_error err;
    expect_ok(try_text(dir, schema, text, strlen(text), &options, NULL, &err), &err);
    const scratch_path out = within(dir, "out");
    expect_values(out.text, "n", (const char *[]){ "0", "-3", "1", "1", "132" });
    expect_values_by("m", out.text, "m_0", (const char *[]){ "p", "q", "", "q", "r" });
    expect_values_by("m", out.text, "m_1", (const char *[]){ "q", "", "", "", "" });
    expect_values(out.text, "hour", (const char *[]){ "7", "23", "", "0", "12" });
    expect_values(out.text, "weekday", (const char *[]){ "3", "6", "", "5", "0" });
    expect_values(out.text, "weekend", (const char *[]){ "0", "1", "", "1", "0" });
    expect_values(out.text, "day", (const char *[]){ "29", "31", "", "1", "5" });
    expect_values(out.text, "month", (const char *[]){ "2", "12", "", "1", "7" });
    adass_dataset *d = NULL;
    expect_ok(adass_dataset_open(&d, out.text, &err), &err);
    static const uint8_t labels[] = { 1, 0, 1, 1, 1 };
    assert_memory_equal(d->splits[ADASS_TRAIN].labels_u8, labels, sizeof labels);
    assert_int_equal(d->fields[3].vocab, 4); /* e: "", w and v */
    adass_dataset_close(d);
    /* Without the vocabulary, nobody asks for the values' texts. */
    const adass_table_options keys = { .ratio = { 1.0, 0.0, 0.0 } };
    assert_int_equal(rename(out.text, within(dir, "texts").text), 0);
    expect_ok(try_text(dir, schema, text, strlen(text), &keys, NULL, &err), &err);
    expect_same_arrays(dir, "texts", "out");
}

static long category_of(long x) { return x > 2 ? (long)floor(log((double)x) * log((double)x)) : x; }

/* Numbers become the category that the rule gives, wherever they stand in a line: their ids are the category's. */
static void test_numbers(void **state)
{
    const char *dir = *state;
    static const char schema[] = "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"}, "
                                 "{\"name\": \"n\", \"kind\": \"numeric\"},"
                                 "{\"name\": \"c\", \"kind\": \"categorical\"}, {\"name\": "
                                 "\"last\", \"kind\": \"numeric\"}]}";
    static const long large[] = { 99999, 100000, 999999999, 123456789012345, -1, -2, -12345 };
    enum { SMALL_ONES = 10100, N_LARGE = sizeof large / sizeof large[0], N = SMALL_ONES + N_LARGE };
    const adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 } };
    for (int digits = 1; digits <= 4; digits += 3) { /* 4: zeros in front */
        char *text = malloc((size_t)N * LINE_BYTES);
        assert_non_null(text);
        size_t length = 0;
        for (long i = 0; i < N; i++) {
            const long x = i < SMALL_ONES ? i : large[i - SMALL_ONES];
            length += (size_t)sprintf(text + length, "1,%0*ld,%ld,%0*ld\n", digits, x,
                                      category_of(x), digits, x);
        }
        adass_error err;
        expect_ok(try_text(dir, schema, text, length, &options, NULL, &err), &err);
        free(text);
        adass_dataset *d = NULL;
        expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
        const uint32_t *ids = d->splits[ADASS_TRAIN].ids;
        assert_int_equal(d->splits[ADASS_TRAIN].n, N);
        for (size_t r = 0; r < N; r++, ids += 3) {
            assert_int_equal(ids[0], ids[1]);
            assert_int_equal(ids[2], ids[1]);
        }
        adass_dataset_close(d);
        remove_tree(within(dir, "out").text);
    }
}

/* No byte beside a digit passes for one, in any place of a short number. */
static void test_no_numbers(void **state)
{
    const char *dir = *state;
    static const char schema[] =
        "{\"separator\": \"|\", \"columns\": [{\"name\": \"y\", \"kind\": \"label\"}, {\"name\": "
        "\"n\", "
        "\"kind\": \"numeric\"}, {\"name\": \"c\", \"kind\": \"categorical\"}]}";
    static const char digits[] = "9012";
    char text[64 * 1024] = "1|1|1234\n";
    size_t length = strlen(text), bad = 0;
    for (size_t n = 1; n <= 4; n++)
        for (size_t at = 0; at < n; at++)
            for (unsigned c = 1; c < 128; c++) {
                const bool is_sign = (c == '-' || c == '+') && at == 0 && n > 1;
                const bool is_point = c == '.' && n > 1,
                           is_exponent = (c == 'e' || c == 'E') && at > 0;
                if ((c >= '0' && c <= '9') || c == '|' || c == '\n' || is_sign || is_point ||
                    is_exponent)
                    continue;
                length += (size_t)sprintf(text + length, "1|%.*s%c%.*s|1234\n", (int)at, digits,
                                          (char)c, (int)(n - at - 1), digits + at + 1);
                bad++;
            }
    assert_true(length < sizeof text);
    const adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 }, .max_bad_rows = bad };
    adass_import_report report;
    adass_error err;
    expect_ok(try_text(dir, schema, text, length, &options, &report, &err), &err);
    assert_int_equal(report.bad_rows, bad);
}

/* Track 2's own file: tabs, no header; clicks are counted, impressions are left out, user 0 is a value. */
static void test_kdd12(void **state)
{
    const char *dir = *state;
    static const char text[] = "0\t9\t11\t21\t31\t2\t1\t41\t51\t61\t71\t0\n"
                               "1\t9\t12\t21\t31\t2\t2\t42\t51\t61\t71\t5\n"
                               "3\t8\t12\t22\t31\t1\t1\t43\t51\t61\t71\t0";
    const scratch_path raw = within(dir, "training.txt"), out = within(dir, "out");
    const char *input = raw.text;
    const adass_table_options options = { .inputs = &input,
                                          .n_inputs = 1,
                                          .ratio = { 1.0, 0.0, 0.0 },
                                          .min_count = 1,
                                          .threads = 1,
                                          .write_vocabulary = true };
    adass_error err;
    write_text(raw.text, text);
    expect_ok(adass_import_table("kdd12", &options, out.text, NULL, &err), &err);
    expect_values(out.text, "url_hash", (const char *[]){ "11", "12", "12" });
    expect_values(out.text, "position", (const char *[]){ "1", "2", "1" });
    expect_values(out.text, "query_id", (const char *[]){ "41", "42", "43" });
    expect_values(out.text, "user_id", (const char *[]){ "0", "5", "0" });
    adass_dataset *d = NULL;
    expect_ok(adass_dataset_open(&d, out.text, &err), &err);
    static const uint8_t labels[] = { 0, 1, 1 };
    assert_int_equal(d->n_fields, 10);
    assert_int_equal(d->splits[ADASS_TRAIN].n, 3);
    assert_memory_equal(d->splits[ADASS_TRAIN].labels_u8, labels, sizeof labels);
    assert_string_equal(d->fields[9].name, "user_id");
    adass_dataset_close(d);
}

static void test_unix_time(void **state)
{
    const char *dir = *state;
    static const char schema[] =
        "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\", \"positive\": [\">50K\", "
        "\">50K.\"]},"
        "{\"name\": \"t\", \"kind\": \"time\", \"format\": \"unix\", \"prefix\": \"at\","
        " \"parts\": [\"day\", \"hour\"]}]}";
    static const char text[] = ">50K,951782399\n<=50K,951782400\n>50K.,0\n";
    const adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 }, .write_vocabulary = true };
    adass_error err;
    expect_ok(try_text(dir, schema, text, strlen(text), &options, NULL, &err), &err);
    expect_values(within(dir, "out").text, "atday", (const char *[]){ "28", "29", "1" });
    expect_values(within(dir, "out").text, "athour", (const char *[]){ "23", "0", "0" });
}

/* ---- bad input ---- */

static void test_bad_rows(void **state)
{
    const char *dir = *state;
    static const char schema[] =
        "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"}, {\"name\": \"n\", \"kind\": "
        "\"numeric\"},"
        "{\"name\": \"t\", \"kind\": \"time\", \"format\": \"YYMMDDHH\", \"parts\": [\"hour\"]}]}";
    static const struct {
        const char *row, *message;
    } cases[] = {
        { "1,2", "raw:2:4: 2 columns instead of 3, '" },
        { "1,2,14102100,", "raw:2:14: more than 3 columns, '" },
        { "1,\"2,14102100", "raw:2:3: the quote is not closed, '" },
        { "1,\"2\"x,14102100", "raw:2:3: something follows the closing quote" },
        { "2,2,14102100", "raw:2:1: the label is neither 0 nor 1, '2'" },
        { ",2,14102100", "raw:2:1: the label is not a number, ''" },
        { "1,2x,14102100", "raw:2:3: not a number, '2x'" },
        { "1,nan,14102100", "raw:2:3: not a number, 'nan'" },
        { "1,1e999,14102100", "raw:2:3: not a number, '1e999'" },
        { "1,-1e16,14102100", "raw:2:3: a number below -1e15, '-1e16'" },
        { "1,.,14102100", "raw:2:3: not a number, '.'" },
        { "1,2,14130100", "raw:2:5: no time of the format YYMMDDHH, '14130100'" },
        { "1,2,14022924", "raw:2:5: no time" },
        { "1,2,14022900", "raw:2:5: no time" },
        { "1,2,1410210", "raw:2:5: no time" },
        { "1,\x1b[31m\xc3\xa9,14102100", "raw:2:3: not a number, '?[31m?"
                                         "?'" },
        { "1,\xff,14102100", "raw:2:3: not UTF-8, '?,1" },
        { "1,\xed\xa0\x80,14102100", "raw:2:3: not UTF-8" },
        { "1,\xc0\xaf,14102100", "raw:2:3: not UTF-8" },
        { "1,\xe2\x82", "raw:2:3: not UTF-8" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        adass_error err;
        adass_import_report report;
        adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 } };
        snprintf(text, sizeof text, "1,2,14102100\n%s\n0,3,14102101\n", cases[i].row);
        assert_int_equal(try_text(dir, schema, text, strlen(text), &options, NULL, &err),
                         ADASS_EFORMAT);
        expect_message(&err, cases[i].message);
        for (int protocol = i == 0 ? 0 : 1; protocol < 2; protocol++) {
            options.protocol = (adass_protocol)protocol;
            options.max_bad_rows = 1;
            expect_ok(try_text(dir, schema, text, strlen(text), &options, &report, &err), &err);
            assert_int_equal(report.bad_rows, 1);
            assert_int_equal(report.n_warnings, 1);
            assert_non_null(strstr(report.warnings[0], cases[i].message));
            adass_dataset *d = NULL;
            expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
            assert_int_equal(d->splits[ADASS_TRAIN].n, 2);
            adass_dataset_close(d);
            remove_tree(within(dir, "out").text);
        }
    }
}

static void test_bad_bytes(void **state)
{
    const char *dir = *state;
    adass_error err;
    const adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 } };
    static const char nul[] = "1,a,b,c\n1,a\0,b,c\n";
    assert_int_equal(try_text(dir, schema_text, nul, sizeof nul - 1, &options, NULL, &err),
                     ADASS_EFORMAT);
    expect_message(&err, "raw:2:4: a NUL byte");
    assert_int_equal(try_text(dir, schema_text, "", 0, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "no rows");
    assert_int_equal(try_text(dir, schema_text, "\n\n", 2, &options, NULL, &err), ADASS_EFORMAT);
    const size_t n = 3 * mebibyte;
    char *text = malloc(n);
    assert_non_null(text);
    memset(text, 'x', n);
    memcpy(text, "1,a,b,c\n", 8);
    assert_int_equal(try_text(dir, schema_text, text, n, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "raw:2: a line of more than 1048576 bytes");
    memcpy(text + n / 2, "\n1,a,b,c\n",
           9); /* one and a half MiB: cut out of its block, and found too long there */
    memcpy(text + n - 9, "\n1,a,b,c\n", 9);
    assert_int_equal(try_text(dir, schema_text, text, n, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "raw:2: a line of more than 1048576 bytes");
    free(text);
}

static void test_cut_files(void **state)
{
    const char *dir = *state;
    adass_error err;
    const adass_table_options options = { .threads = 2 };
    size_t length;
    char *text = make_rows(0, 2000, VALUES, &length);
    for (int how = GZ; how < N_PACKINGS; how++) {
        size_t n = length;
        char *packed = pack((packing)how, text, &n);
        assert_int_equal(try_text(dir, schema_text, packed, n - 5, &options, NULL, &err),
                         ADASS_EFORMAT);
        expect_message(&err, "the packed data is cut");
        packed[n / 2] = (char)(packed[n / 2] ^ 0x55);
        packed[n / 2 + 1] = (char)(packed[n / 2 + 1] ^ 0x55);
        assert_int_equal(try_text(dir, schema_text, packed, n, &options, NULL, &err),
                         ADASS_EFORMAT);
        expect_message(&err, "damaged");
        free(packed);
    }
    free(text);
}

/* In a later block, and with other bad rows behind it: the first one of the file is told. */
static void test_first_error(void **state)
{
    const char *dir = *state;
    adass_error err;
    const adass_table_options options = { .threads = 2 };
    size_t length;
    char *text = make_rows(0, ROWS, VALUES, &length);
    size_t line = 1;
    for (size_t i = 0; i < length; i++) {
        line += text[i] == '\n';
        if (text[i] == '\n' && i + 1 < length && line > 120000 && line % 7000 == 0)
            text[i + 1] = '7';
    }
    assert_int_equal(try_text(dir, schema_text, text, length, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "raw:126000:1: the label is neither 0 nor 1, '7'");
    free(text);
}

static void test_header(void **state)
{
    const char *dir = *state;
    static const char demanded[] =
        "{\"header\": true, \"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
        "{\"name\": \"a\", \"kind\": \"categorical\"}]}";
    static const char optional[] =
        "{\"header\": \"optional\", \"columns\": [{\"name\": \"y\", \"kind\": \"label\"},"
        "{\"name\": \"a\", \"kind\": \"categorical\"}]}";
    const adass_table_options options = { .ratio = { 1.0, 0.0, 0.0 } };
    adass_error err;
    assert_int_equal(try_text(dir, demanded, "y,b\n1,x\n", 8, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "raw:1:3: the header's column 2 is not 'a', 'b'");
    assert_int_equal(try_text(dir, demanded, "y\n1,x\n", 6, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "raw:1:2: 1 columns instead of 2");
    static const char *const texts[] = { "\"y\",a\n1,x\n", "1,x\n" };
    for (size_t i = 0; i < 2; i++) {
        expect_ok(try_text(dir, optional, texts[i], strlen(texts[i]), &options, NULL, &err), &err);
        adass_dataset *d = NULL;
        expect_ok(adass_dataset_open(&d, within(dir, "out").text, &err), &err);
        assert_int_equal(d->splits[ADASS_TRAIN].n, 1);
        adass_dataset_close(d);
        remove_tree(within(dir, "out").text);
    }
    assert_int_equal(try_text(dir, demanded, "y,a\n", 4, &options, NULL, &err), ADASS_EFORMAT);
    expect_message(&err, "no rows");
}

static void test_schema_errors(void **state)
{
    const char *dir = *state;
#define COLUMNS(x) "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"}, " x "]}"
    static const struct {
        const char *schema, *message;
    } cases[] = {
        { "{\"columns\": [\n}", "schema.json:2:" },
        { "[]", "schema.json: it is no JSON object" },
        { "{}", "columns: it is no list" },
        { "{\"colums\": []}", "colums: no such member" },
        { "{\"header\": 1, \"columns\": []}", "header: it is none of" },
        { "{\"separator\": \"\", \"columns\": []}", "separator: it is no text" },
        { COLUMNS("3"), "columns[1].kind: it is none of" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"number\"}"), "columns[1].kind: it is none of" },
        { COLUMNS("{\"kind\": \"numeric\"}"), "columns[1].name: it is missing" },
        { COLUMNS("{\"name\": \"\", \"kind\": \"numeric\"}"), "columns[1].name: a field's name" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"numeric\", \"keep\": 1}"),
          "columns[1].keep: no such member" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"multi\", \"separator\": \"|\"}"),
          "columns[1].keep: it is no" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"multi\", \"keep\": 2}"),
          "columns[1].separator: it is no" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"time\", \"format\": \"unix\"}"),
          "columns[1].parts: it is no" },
        { COLUMNS(
              "{\"name\": \"a\", \"kind\": \"time\", \"format\": \"unix\", \"parts\": [\"noon\"]}"),
          "columns[1].parts: a part is none" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"time\", \"format\": \"YYMMDD\", \"parts\": "
                  "[\"hour\"]}"),
          "columns[1].format: it is neither" },
        { COLUMNS("{\"name\": \"z\", \"kind\": \"label\"}"), "columns: 2 of them are labels" },
        { COLUMNS("{\"name\": \"z\", \"kind\": \"ignore\"}"),
          "columns: none of them makes a field" },
        { COLUMNS(
              "{\"name\": \"a\", \"kind\": \"numeric\"}, {\"name\": \"a\", \"kind\": \"numeric\"}"),
          "two fields named 'a'" },
        { COLUMNS("{\"name\": \"a\", \"kind\": \"categorical\", \"missing\": \"x\"}"),
          "columns[1].missing" },
        { "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\", \"threshold\": \"1\"}]}",
          "columns[0].threshold" },
        { "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\", \"positive\": []}]}",
          "columns[0].positive" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const adass_table_options options = { 0 };
        adass_error err;
        const adass_status status =
            try_text(dir, cases[i].schema, "1,a\n", 4, &options, NULL, &err);
        if (status == ADASS_OK)
            fail_msg("taken: %s", cases[i].schema);
        expect_message(&err, cases[i].message);
    }
}

/* ---- interrupted, disk full ---- */

typedef struct stopper {
    const char *stage;
    bool seen;
} stopper;

static void watch(void *user, const char *stage, uint64_t done, uint64_t total, const char *note)
{
    stopper *s = user;
    (void)note;
    assert_true(total == 0 || done <= total);
    s->seen |= strncmp(stage, s->stage, strlen(s->stage)) == 0;
}

static bool stop(void *user) { return ((stopper *)user)->seen; }

static void test_interrupted(void **state)
{
    const char *dir = *state;
    static const char *const stages[] = { "reading labels", "counting", "encoding" };
    size_t length;
    char *text = make_rows(0, ROWS, VALUES, &length);
    for (size_t i = 0; i < 3; i++) {
        stopper s = { stages[i], false };
        const adass_monitor monitor = { watch, stop, &s };
        const adass_table_options options = { .protocol = ADASS_PROTOCOL_X4, .monitor = &monitor };
        adass_error err;
        assert_int_equal(try_text(dir, schema_text, text, length, &options, NULL, &err),
                         ADASS_EINTERRUPTED);
        assert_true(s.seen);
    }
    free(text);
}

/* A limit of the size of a file stands for a full disk. */
static void test_disk_full(void **state)
{
    const char *dir = *state;
    size_t length;
    char *text = make_rows(0, ROWS, VALUES, &length);
    const scratch_path raw = within(dir, "raw"), out = within(dir, "out");
    const char *input = raw.text;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    options.inputs = &input;
    options.n_inputs = 1;
    options.memory_bytes = 34 * mebibyte; /* so that there are temporary files */
    options.write_vocabulary = true;
    write_bytes(raw.text, text, length);
    free(text);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t limit = 4096; limit < 2 * mebibyte; limit *= 4) {
        const struct rlimit less = { limit, old.rlim_max };
        adass_error err;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
        const adass_status status = adass_import_table("csv", &options, out.text, NULL, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(status, ADASS_EIO);
        expect_message(&err, "File too large");
        assert_int_equal(count_entries(dir), 2);
    }
}

/* Many rows of few values: ids take four times the room of the numbers that are kept until then. */
static void test_disk_full_of_ids(void **state)
{
    const char *dir = *state;
    enum { COLUMNS = 20, LONG_ROWS = 60000, ROW = 2 * COLUMNS + 2 };
    const scratch_path raw = within(dir, "raw"), out = within(dir, "out");
    const char *input = raw.text;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    char columns[4096] = "{\"columns\": [{\"name\": \"y\", \"kind\": \"label\"}";
    for (size_t i = 0, n = strlen(columns); i < COLUMNS; i++)
        n += (size_t)snprintf(columns + n, sizeof columns - n,
                              ", {\"name\": \"f%zu\", \"kind\": \"categorical\"}%s", i,
                              i == COLUMNS - 1 ? "]}" : "");
    write_text(schema.text, columns);
    char *text = malloc((size_t)LONG_ROWS * ROW);
    assert_non_null(text);
    for (size_t r = 0; r < LONG_ROWS; r++)
        for (size_t i = 0; i < ROW; i += 2) {
            text[r * ROW + i] = (char)('0' + (i + r) % 2);
            text[r * ROW + i + 1] = i + 2 == ROW ? '\n' : ',';
        }
    write_bytes(raw.text, text, (size_t)LONG_ROWS * ROW);
    free(text);
    options.inputs = &input;
    options.n_inputs = 1;
    options.ratio[0] = 1.0;
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    for (options.threads = 1; options.threads <= 3; options.threads++) {
        const struct rlimit less = { (rlim_t)(5 * mebibyte / 2), old.rlim_max };
        adass_error err;
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
        const adass_status status = adass_import_table("csv", &options, out.text, NULL, &err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        assert_int_equal(status, ADASS_EIO);
        expect_message(&err, "train/ids.npy: cannot be written: File too large");
        assert_int_equal(count_entries(dir), 2);
    }
}

static void test_usage_errors(void **state)
{
    const char *dir = *state;
    scratch_path schema;
    adass_table_options options = prepare(dir, &schema);
    const scratch_path raw = within(dir, "raw"), out = within(dir, "out");
    const char *inputs[] = { raw.text, "-", "-" };
    adass_error err;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    options.inputs = inputs;
    options.n_inputs = 1;
    assert_int_equal(adass_import_table("nonsense", &options, out.text, NULL, &err), ADASS_EINVAL);
    expect_message(&err, "nonsense");
    assert_int_equal(adass_import_table("criteo", &options, out.text, NULL, &err), ADASS_EINVAL);
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EIO);
    expect_message(&err, "raw: cannot be opened");
    inputs[0] = dir;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    options.n_inputs = 3;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    expect_message(&err, "named twice");
    options.n_inputs = 1;
    assert_int_equal(adass_import_table("csv", &options, dir, NULL, &err), ADASS_EINVAL);
    expect_message(&err, "exists already");
    options.ratio[0] = -1.0;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    options.ratio[0] = 0.0;
    options.schema = NULL;
    assert_int_equal(adass_import_table("csv", &options, out.text, NULL, &err), ADASS_EINVAL);
    assert_int_equal(count_entries(dir), 1);
}

#define SCRATCH_TEST(f) cmocka_unit_test_setup_teardown(f, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRATCH_TEST(test_random_split),
        SCRATCH_TEST(test_chronological_split),
        SCRATCH_TEST(test_x4_split),
        SCRATCH_TEST(test_threads),
        SCRATCH_TEST(test_memory),
        SCRATCH_TEST(test_parsed_once),
        SCRATCH_TEST(test_many_values),
        SCRATCH_TEST(test_memory_errors),
        SCRATCH_TEST(test_packings),
        SCRATCH_TEST(test_counted_lines),
        SCRATCH_TEST(test_several_files),
        SCRATCH_TEST(test_standard_input),
        SCRATCH_TEST(test_line_ends),
        SCRATCH_TEST(test_vocabulary_again),
        SCRATCH_TEST(test_vocabulary_escapes),
        SCRATCH_TEST(test_vocabulary_errors),
        SCRATCH_TEST(test_kinds),
        SCRATCH_TEST(test_numbers),
        SCRATCH_TEST(test_no_numbers),
        SCRATCH_TEST(test_kdd12),
        SCRATCH_TEST(test_unix_time),
        SCRATCH_TEST(test_bad_rows),
        SCRATCH_TEST(test_bad_bytes),
        SCRATCH_TEST(test_cut_files),
        SCRATCH_TEST(test_first_error),
        SCRATCH_TEST(test_header),
        SCRATCH_TEST(test_schema_errors),
        SCRATCH_TEST(test_interrupted),
        SCRATCH_TEST(test_disk_full),
        SCRATCH_TEST(test_disk_full_of_ids),
        SCRATCH_TEST(test_usage_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
