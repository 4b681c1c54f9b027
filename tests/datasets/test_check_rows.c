/* The check of a split's rows: the first bad one is named, whatever the number of threads. */
#include "adass/batches.h"
#include "scratch.h"

#include <math.h>
#include <omp.h>

enum { FIELDS = 3, ROWS = 1003, VOCAB = 100 };

static void expect_refused(const adass_dataset *dataset, const char *part)
{
    adass_error err;
    for (int threads = 1; threads <= 3; threads++) {
        omp_set_num_threads(threads);
        assert_int_equal(adass_dataset_check_rows(dataset, ADASS_TRAIN, &err), ADASS_EFORMAT);
        expect_message(&err, part);
    }
}

static void test_first_bad_row(void **state)
{
    (void)state;
    static uint32_t ids[ROWS * FIELDS];
    static float labels[ROWS];
    char name[] = "f", dir[] = "memory";
    adass_field fields[FIELDS];
    for (size_t f = 0; f < FIELDS; f++)
        fields[f] = (adass_field){ .name = name, .vocab = VOCAB };
    adass_dataset dataset = { .dir = dir, .n_fields = FIELDS, .fields = fields };
    dataset.splits[ADASS_TRAIN] = (adass_rows){ .n = ROWS, .ids = ids, .labels_f32 = labels };
    adass_error err;
    expect_ok(adass_dataset_check_rows(&dataset, ADASS_TRAIN, &err), &err);
    expect_ok(adass_dataset_check_rows(&dataset, ADASS_TEST, &err), &err); /* no rows */
    ids[900 * FIELDS + 2] = VOCAB - 1;
    labels[900] = 1.0f;
    expect_ok(adass_dataset_check_rows(&dataset, ADASS_TRAIN, &err), &err);
    labels[ROWS - 1] = NAN;
    expect_refused(&dataset, "memory/train/labels.npy: row 1002: label nan");
    labels[950] = 1.5f;
    expect_refused(&dataset, "memory/train/labels.npy: row 950: label 1.5");
    ids[900 * FIELDS + 2] = VOCAB;
    expect_refused(&dataset, "memory/train/ids.npy: row 900: id 100 of field 'f'");
    ids[500 * FIELDS + 1] = UINT32_MAX;
    expect_refused(&dataset, "memory/train/ids.npy: row 500: id 4294967295");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_bad_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
