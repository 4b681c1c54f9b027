/* Lines parsed by a row format. */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

/* Each allocated alone, so that a sanitizer sees what is written beside them. */
static adass_row make_row(const adass_row_format *format)
{
    const adass_row row = { .values = malloc(format->n_fields * sizeof *row.values),
                            .cells = malloc(format->n_cells * sizeof *row.cells + 1),
                            .texts = malloc(format->text_bytes + 1) };
    FUZZ_CHECK(row.values != NULL && row.cells != NULL && row.texts != NULL);
    return row;
}

static void free_row(const adass_row *row)
{
    free(row->values);
    free(row->cells);
    free(row->texts);
}

static void parse_line(const adass_row_format *format, adass_line *line, adass_row *row)
{
    adass_error err;
    const adass_status status = format->parse(format->user, line, row, &err);
    FUZZ_CHECK(status == ADASS_OK || status == ADASS_EFORMAT);
    if (status != ADASS_OK)
        return;
    FUZZ_CHECK(row->label <= 1);
    for (size_t f = 0; f < format->n_fields; f++) {
        /* reads all bytes: a sanitizer sees when they are not there */
        const adass_cell *value = &row->values[f];
        FUZZ_CHECK(value->text == NULL || memchr(value->text, '\0', value->length) == NULL);
    }
}

void fuzz_parse_lines(const adass_row_format *format, fuzz_input input)
{
    adass_row row = make_row(format);
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
        if (number > 1 || format->header == NULL)
            parse_line(format, &line, &row);
        else
            (void)format->header(format->user, &line, &is_header, &err);
        free(text);
        input.bytes += length + (end != NULL);
        input.n -= length + (end != NULL);
    }
    free_row(&row);
}
