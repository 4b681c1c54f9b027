/* The header of an .npy file, and that it never says more than the file holds. */
#include "fuzz.h"
#include "npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const size_t type_bytes[] = {
        [ADASS_NPY_U32] = 4, [ADASS_NPY_U8] = 1, [ADASS_NPY_F32] = 4
    };
    adass_npy_info info;
    adass_error err;
    if (adass_npy_parse("file.npy", bytes, n, &info, &err) == ADASS_OK) {
        FUZZ_CHECK(info.n_dims == 1 || info.n_dims == 2);
        FUZZ_CHECK(info.data_offset % 4 == 0 && info.data_offset <= n);
        FUZZ_CHECK(info.shape[0] * info.shape[1] * type_bytes[info.type] == n - info.data_offset);
    }
    return 0;
}
