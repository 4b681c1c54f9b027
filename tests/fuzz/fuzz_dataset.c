/*
 * A whole dataset: the six arrays are the input's, meta.json is sound and describes them (lengths, checksums) with the
 * fields and rows that the input chooses. Opened, verified, checked and read in batches.
 */
#include "adass/batches.h"
#include "checksum.h"
#include "fuzz.h"
#include "meta.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 4 };

static void write_arrays(fuzz_input *input, adass_meta *meta)
{
    char name[64] = "dataset/";
    for (size_t i = 0; i < ADASS_N_FILES; i++) {
        const fuzz_input part = fuzz_take_part(input);
        strcpy(name + strlen("dataset/"), adass_meta_file_name(i));
        fuzz_write(fuzz_path(name), part.bytes, part.n);
        meta->files[i].bytes = part.n;
        adass_checksum_bytes(part.bytes, part.n, meta->files[i].checksum);
    }
}

static void write_dataset(fuzz_input input)
{
    static char *const names[FIELDS_MAX] = { (char *)"a", (char *)"b", (char *)"c", (char *)"d" };
    adass_field fields[FIELDS_MAX];
    adass_meta meta = { .n_fields = 1 + fuzz_take_byte(&input) % FIELDS_MAX, .fields = fields };
    for (size_t f = 0; f < meta.n_fields; f++)
        fields[f] = (adass_field){ .name = names[f], .vocab = 1u + fuzz_take_byte(&input) };
    for (size_t s = 0; s < ADASS_N_SPLITS; s++)
        meta.rows[s] = fuzz_take_byte(&input);
    write_arrays(&input, &meta);
    json_t *made = json_object();
    char *text = adass_meta_format(&meta, made);
    FUZZ_CHECK(text != NULL);
    fuzz_write(fuzz_path("dataset/meta.json"), text, strlen(text));
    json_decref(made);
    free(text);
}

/* One epoch, up to a row that is refused; every id must be a row of its field's table. */
static void read_batches(const adass_dataset *d, adass_split split)
{
    adass_batches *batches;
    adass_batch batch;
    adass_error err;
    size_t rows = 0;
    adass_status status;
    if (adass_batches_open(&batches, d, split, 3, 0, &err) != ADASS_OK)
        return;
    adass_batches_shuffle(batches, 1, 0);
    while ((status = adass_batches_next(batches, &batch, &err)) == ADASS_OK && batch.n > 0) {
        rows += batch.n;
        for (size_t i = 0; i < batch.n * d->n_fields; i++)
            FUZZ_CHECK(batch.ids[i] < d->fields[i % d->n_fields].vocab);
        for (size_t i = 0; i < batch.n; i++)
            FUZZ_CHECK(batch.labels[i] >= 0.0f && batch.labels[i] <= 1.0f);
    }
    FUZZ_CHECK(status == ADASS_OK ? rows == d->splits[split].n : status == ADASS_EFORMAT);
    adass_batches_close(batches);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char *const folders[] = { "dataset", "dataset/train", "dataset/valid",
                                           "dataset/test" };
    adass_dataset *d;
    adass_error err;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        fuzz_make_folder(fuzz_path(folders[i]));
    write_dataset((fuzz_input){ bytes, n });
    if (adass_dataset_open(&d, fuzz_path("dataset"), &err) != ADASS_OK)
        return 0;
    FUZZ_CHECK(adass_dataset_verify(d, &err) == ADASS_OK);
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        read_batches(d, (adass_split)s);
    adass_dataset_close(d);
    return 0;
}
