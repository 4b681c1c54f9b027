/*
 * The importer of tables. The first byte chooses the format, the second one options; the rest is the file. What is
 * accepted must be a sound dataset, whose vocabulary encodes the same rows to the same ids; what is refused must leave
 * nothing.
 */
#include "adass/batches.h"
#include "adass/import.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char schema[] =
    "{\"header\": \"optional\", \"separator\": \",\", \"columns\": ["
    "{\"name\": \"y\", \"kind\": \"label\", \"threshold\": 1},"
    "{\"name\": \"a\", \"kind\": \"categorical\"}, {\"name\": \"b\", \"kind\": \"numeric\"},"
    "{\"name\": \"c\", \"kind\": \"multi\", \"separator\": \"|\", \"keep\": 2},"
    "{\"name\": \"t\", \"kind\": \"time\", \"format\": \"unix\", \"parts\": [\"hour\", "
    "\"weekday\"]}]}";

static adass_table_options read_options(uint8_t choice, const char *const *path)
{
    static const adass_protocol protocols[] = { ADASS_PROTOCOL_RANDOM, ADASS_PROTOCOL_CHRONOLOGICAL,
                                                ADASS_PROTOCOL_X4, ADASS_PROTOCOL_RANDOM };
    return (adass_table_options){ .inputs = path,
                                  .n_inputs = 1,
                                  .protocol = protocols[choice & 3],
                                  .seed = 1,
                                  .min_count = 1 + (choice >> 2 & 1),
                                  .threads = 1,
                                  .max_bad_rows = (choice >> 3 & 3) * 2,
                                  .write_vocabulary = (choice & 32) != 0 };
}

static adass_dataset *open_sound(const char *dir)
{
    adass_dataset *d;
    adass_error err;
    FUZZ_CHECK(adass_dataset_open(&d, dir, &err) == ADASS_OK);
    FUZZ_CHECK(adass_dataset_verify(d, &err) == ADASS_OK);
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        FUZZ_CHECK(adass_dataset_check_rows(d, (adass_split)s, &err) == ADASS_OK);
    return d;
}

static void check_same_rows(const adass_dataset *a, const adass_dataset *b)
{
    for (int s = 0; s < ADASS_N_SPLITS; s++) {
        const adass_rows *x = &a->splits[s], *y = &b->splits[s];
        FUZZ_CHECK(x->n == y->n);
        FUZZ_CHECK(memcmp(x->ids, y->ids, x->n * a->n_fields * sizeof *x->ids) == 0);
        FUZZ_CHECK(memcmp(x->labels_u8, y->labels_u8, x->n) == 0);
    }
}

/* Once more, with the vocabulary of the first time. */
static void import_again(const char *format, adass_table_options options, const char *first)
{
    const char *again = fuzz_path("out/again");
    adass_error err;
    options.vocabulary = first;
    FUZZ_CHECK(adass_import_table(format, &options, again, NULL, &err) == ADASS_OK);
    adass_dataset *a = open_sound(first), *b = open_sound(again);
    check_same_rows(a, b);
    adass_dataset_close(a);
    adass_dataset_close(b);
    fuzz_remove(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    enum { N_FORMATS = 7 };
    static const char *const formats[N_FORMATS] = { "csv",    "criteo", "avazu", "kdd12",
                                                    "frappe", "libsvm", "libffm" };
    fuzz_input input = { bytes, n };
    const char *format = formats[fuzz_take_byte(&input) % N_FORMATS];
    const char *raw = fuzz_path("raw"), *out = fuzz_path("out/dataset");
    adass_table_options options = read_options(fuzz_take_byte(&input), &raw);
    adass_error err;
    if (strcmp(format, "csv") == 0) {
        options.schema = fuzz_path("schema.json");
        fuzz_write(options.schema, schema, sizeof schema - 1);
    }
    fuzz_write(raw, input.bytes, input.n);
    fuzz_make_folder(fuzz_path("out"));
    if (adass_import_table(format, &options, out, NULL, &err) == ADASS_OK) {
        adass_dataset_close(open_sound(out));
        if (options.write_vocabulary)
            import_again(format, options, out);
        fuzz_remove(out);
    }
    FUZZ_CHECK(rmdir(fuzz_path("out")) == 0);
    return 0;
}
