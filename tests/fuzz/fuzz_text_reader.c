/* Lines of plain and packed text. */
#include "fuzz.h"
#include "text_reader.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *path = fuzz_path("text");
    adass_text_reader *reader;
    adass_error err;
    size_t lines = 0;
    fuzz_write(path, bytes, n);
    FUZZ_CHECK(adass_text_reader_open(&reader, path, &err) == ADASS_OK);
    for (;;) {
        adass_line line;
        if (adass_text_reader_next(reader, &line, &err) != ADASS_OK || line.text == NULL)
            break;
        FUZZ_CHECK(line.number == ++lines);
        FUZZ_CHECK(line.length <= ADASS_LINE_BYTES_MAX && strlen(line.text) == line.length);
        FUZZ_CHECK(memchr(line.text, '\n', line.length) == NULL);
    }
    char checksum[ADASS_CHECKSUM_CHARS];
    adass_text_reader_checksum(reader, checksum);
    FUZZ_CHECK(strlen(checksum) == ADASS_CHECKSUM_CHARS - 1);
    adass_text_reader_close(reader);
    return 0;
}
