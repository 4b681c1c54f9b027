/* sizes.json of a dataset of three fields, and lists of candidate sizes. */
#include "adass/model.h"
#include "adass/sizes.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void parse_candidates(const uint8_t *bytes, size_t n)
{
    adass_candidates candidates;
    adass_error err;
    char *text = malloc(n + 1);
    FUZZ_CHECK(text != NULL);
    memcpy(text, bytes, n);
    text[n] = '\0';
    if (adass_candidates_parse(text, &candidates, &err) == ADASS_OK) {
        FUZZ_CHECK(candidates.n >= 2 && candidates.n <= ADASS_CANDIDATES_MAX);
        for (size_t k = 1; k < candidates.n; k++)
            FUZZ_CHECK(candidates.sizes[k - 1] < candidates.sizes[k]);
        FUZZ_CHECK(candidates.sizes[candidates.n - 1] <= ADASS_SIZE_MAX);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    adass_field fields[] = { { .name = (char *)"a", .vocab = 5 },
                             { .name = (char *)"b", .vocab = 7 },
                             { .name = (char *)"\xc3\xa9 \"", .vocab = 2 } };
    const adass_dataset dataset = { .dir = (char *)"d", .n_fields = 3, .fields = fields };
    const char *path = fuzz_path("sizes.json");
    size_t sizes[3] = { SIZE_MAX, SIZE_MAX, SIZE_MAX };
    adass_error err;
    fuzz_write(path, bytes, n);
    if (adass_sizes_read(path, &dataset, sizes, &err) == ADASS_OK)
        for (size_t f = 0; f < 3; f++)
            FUZZ_CHECK(sizes[f] <= ADASS_SIZE_MAX);
    parse_candidates(bytes, n);
    return 0;
}
