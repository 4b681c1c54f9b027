/*
 * The MovieLens importer: the first byte chooses the layout, then come the three tables as parts. What it accepts must
 * be a sound dataset, and what it refuses must leave nothing.
 */
#include "adass/batches.h"
#include "adass/import.h"
#include "fuzz.h"

#include <stdio.h>
#include <unistd.h>

static void write_raw(fuzz_input input)
{
    static const char *const files[][3] = { { "ratings.dat", "users.dat", "movies.dat" },
                                            { "u.data", "u.user", "u.item" },
                                            { "ratings.csv", "", "movies.csv" } };
    const size_t layout = fuzz_take_byte(&input) % 3;
    fuzz_remove(fuzz_path("raw"));
    fuzz_make_folder(fuzz_path("raw"));
    for (size_t i = 0; i < 3; i++) {
        char name[32];
        if (files[layout][i][0] == '\0')
            continue;
        const fuzz_input part = fuzz_take_part(&input);
        snprintf(name, sizeof name, "raw/%s", files[layout][i]);
        fuzz_write(fuzz_path(name), part.bytes, part.n);
    }
}

static void check_dataset(const char *dir)
{
    adass_dataset *d;
    adass_error err;
    FUZZ_CHECK(adass_dataset_open(&d, dir, &err) == ADASS_OK);
    FUZZ_CHECK(adass_dataset_verify(d, &err) == ADASS_OK);
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        FUZZ_CHECK(adass_dataset_check_rows(d, (adass_split)s, &err) == ADASS_OK);
    adass_dataset_close(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *out = fuzz_path("out/dataset");
    const adass_import_options options = { .seed = 1 };
    adass_error err;
    write_raw((fuzz_input){ bytes, n });
    fuzz_make_folder(fuzz_path("out"));
    if (adass_import_movielens(fuzz_path("raw"), out, &options, &err) == ADASS_OK) {
        check_dataset(out);
        fuzz_remove(out);
    }
    FUZZ_CHECK(rmdir(fuzz_path("out")) == 0);
    return 0;
}
