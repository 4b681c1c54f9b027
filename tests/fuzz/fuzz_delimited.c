/* Cells of a line. The first byte chooses the dialect and the number of columns. */
#include "delimited.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 8 };

static void split(const adass_dialect *dialect, char *text, size_t length)
{
    adass_line line = { .path = "file", .number = 1, .text = text, .length = length };
    adass_cell cells[COLUMNS_MAX];
    adass_error err;
    uint64_t number;
    if (adass_line_split(&line, dialect, cells, &err) != ADASS_OK)
        return;
    for (size_t c = 0; c < dialect->n_columns; c++) {
        FUZZ_CHECK(cells[c].text >= text && cells[c].text + cells[c].length <= text + length);
        FUZZ_CHECK(cells[c].column >= 1 && cells[c].column <= length + 1);
        FUZZ_CHECK(c == 0 || cells[c].column > cells[c - 1].column);
        (void)adass_cell_whole(&cells[c], &number);
        FUZZ_CHECK(adass_fail_cell(&err, &line, &cells[c], "wrong") == ADASS_EFORMAT);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const separators[] = { ",", "\t", "::", "|" };
    fuzz_input input = { bytes, n };
    const uint8_t choice = fuzz_take_byte(&input);
    const adass_dialect dialect = { separators[choice % 4], (choice & 4) != 0,
                                    1 + (choice >> 3) % COLUMNS_MAX };
    if (memchr(input.bytes, '\0', input.n) != NULL) /* the reader of lines refuses it */
        return 0;
    char *text = malloc(input.n + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, input.bytes, input.n);
    text[input.n] = '\0';
    split(&dialect, text, input.n);
    free(text);
    return 0;
}
