/* A schema file, and lines that are parsed by it: the input is both, as a part and the rest. */
#include "fuzz.h"
#include "lines.h"
#include "table_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_input input = { bytes, n };
    const fuzz_input text = fuzz_take_part(&input);
    const char *path = fuzz_path("schema.json");
    adass_table_schema schema;
    adass_table_format *format;
    adass_error err;
    fuzz_write(path, text.bytes, text.n);
    if (adass_table_schema_read(&schema, path, &err) != ADASS_OK)
        return 0;
    if (adass_table_format_create(&format, &schema, &err) == ADASS_OK) {
        fuzz_parse_lines(adass_table_format_rows(format), input);
        adass_table_format_destroy(format);
    }
    adass_table_schema_free(&schema);
    return 0;
}
