/* libsvm and libffm text: the first byte chooses; the rest is the file, searched for its fields and parsed by them. */
#include "fuzz.h"
#include "lines.h"
#include "sparse_format.h"

static void check_fields(const adass_row_format *rows)
{
    FUZZ_CHECK(rows->n_fields > 0 && rows->n_vocabularies == rows->n_fields);
    for (size_t f = 0; f < rows->n_fields; f++)
        FUZZ_CHECK(rows->fields[f].vocabulary == f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input input = { bytes, n };
    const char *name = fuzz_take_byte(&input) % 2 == 0 ? "libsvm" : "libffm";
    const char *path = fuzz_path("file");
    const adass_table_options options = { .inputs = &path, .n_inputs = 1, .threads = 1 };
    adass_inputs *inputs;
    adass_sparse_format *format;
    adass_error err;
    fuzz_write(path, input.bytes, input.n);
    FUZZ_CHECK(adass_inputs_open(&inputs, &path, 1, path, NULL, &err) == ADASS_OK);
    if (adass_sparse_format_create(&format, name, inputs, &options, &err) == ADASS_OK) {
        check_fields(adass_sparse_format_rows(format));
        fuzz_parse_lines(adass_sparse_format_rows(format), input);
        adass_sparse_format_destroy(format);
    }
    adass_inputs_close(inputs);
    return 0;
}
