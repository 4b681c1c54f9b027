/* A schema file, and lines that are parsed by it: the input is both, as a part and the rest. */
#include "fuzz.h"
#include "table_format.h"

#include <stdlib.h>
#include <string.h>

/* Each allocated alone, so that a sanitizer sees what is written beside them. */
typedef struct scratch_row {
    adass_row row;
    const adass_row_format *format;
} scratch_row;

static void make_row(scratch_row *r, const adass_row_format *format)
{
    r->format = format;
    r->row = (adass_row){ .values = malloc(format->n_fields * sizeof *r->row.values),
                          .cells = malloc(format->n_cells * sizeof *r->row.cells),
                          .texts = malloc(format->text_bytes + 1) };
    FUZZ_CHECK(r->row.values != NULL && r->row.cells != NULL && r->row.texts != NULL);
}

static void free_row(scratch_row *r)
{
    free(r->row.values);
    free(r->row.cells);
    free(r->row.texts);
}

static void parse_line(scratch_row *r, adass_line *line)
{
    adass_error err;
    if (r->format->parse(r->format->user, line, &r->row, &err) != ADASS_OK)
        return;
    FUZZ_CHECK(r->row.label <= 1);
    for (size_t f = 0; f < r->format->n_fields;
         f++) { /* reads all bytes: a sanitizer sees when they are not there */
        const adass_cell *value = &r->row.values[f];
        FUZZ_CHECK(value->text == NULL || memchr(value->text, '\0', value->length) == NULL);
    }
}

/* Lines as the reader hands them out: without NUL bytes, each in memory of its own. */
static void parse_lines(const adass_row_format *format, fuzz_input input)
{
    scratch_row r;
    make_row(&r, format);
    for (size_t number = 1; input.n > 0; number++) {
        const uint8_t *end = memchr(input.bytes, '\n', input.n);
        const size_t length = end != NULL ? (size_t)(end - input.bytes) : input.n;
        char *text = strndup((const char *)input.bytes, length);
        FUZZ_CHECK(text != NULL);
        adass_line line = {
            .path = "file", .number = number, .text = text, .length = strlen(text)
        };
        bool is_header = false;
        adass_error err;
        if (number > 1)
            parse_line(&r, &line);
        else
            (void)format->header(format->user, &line, &is_header, &err);
        free(text);
        input.bytes += length + (end != NULL);
        input.n -= length + (end != NULL);
    }
    free_row(&r);
}

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
        parse_lines(adass_table_format_rows(format), input);
        adass_table_format_destroy(format);
    }
    adass_table_schema_free(&schema);
    return 0;
}
