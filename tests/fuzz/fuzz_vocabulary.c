/* vocabulary.tsv of a dataset whose meta.json is sound and has the file's checksum. */
#include "checksum.h"
#include "fuzz.h"
#include "meta.h"
#include "vocabulary_file.h"

#include <stdlib.h>
#include <string.h>

static void write_meta(const uint8_t *bytes, size_t n)
{
    adass_field fields[] = { { .name = (char *)"a", .vocab = 5 },
                             { .name = (char *)"b", .vocab = 5 } };
    adass_meta meta = { .n_fields = 2, .fields = fields, .has_vocabulary = true };
    adass_checksum_bytes(bytes, n, meta.vocabulary.checksum);
    meta.vocabulary.bytes = n;
    for (size_t i = 0; i < ADASS_N_FILES; i++)
        memcpy(meta.files[i].checksum, meta.vocabulary.checksum, ADASS_CHECKSUM_CHARS);
    json_t *made = json_object();
    char *text = adass_meta_format(&meta, made);
    FUZZ_CHECK(text != NULL);
    fuzz_write(fuzz_path("meta.json"), text, strlen(text));
    json_decref(made);
    free(text);
}

/* Every id that a table gives is one of its values'. */
static void check_tables(adass_id_tables *tables)
{
    size_t end;
    adass_error err;
    if (adass_id_tables_load(tables, 0, &end, &err) != ADASS_OK)
        return;
    const adass_key key = adass_key_of("x", 1);
    for (size_t v = 0; v < end; v++)
        FUZZ_CHECK(adass_id_tables_find(tables, v, key) <= tables->tables[v].n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const names[] = { "a", "b" };
    adass_id_tables tables;
    adass_error err;
    write_meta(bytes, n);
    fuzz_write(fuzz_path(ADASS_VOCABULARY_FILE), bytes, n);
    FUZZ_CHECK(adass_id_tables_init(&tables, 2, names, 1 << 20, true, fuzz_path("beside"), &err) ==
               ADASS_OK);
    char checksum[ADASS_CHECKSUM_CHARS];
    if (adass_vocabulary_read(fuzz_path(""), &tables, checksum, &err) == ADASS_OK)
        check_tables(&tables);
    adass_id_tables_free(&tables);
    return 0;
}
