/* The types of a table's rows. */
#include "adass/kernels.h"

const char *adass_type_name(adass_type type)
{
    static const char *const names[ADASS_TYPES] = { "f32", "bf16", "f16", "int8" };
    return names[type];
}

size_t adass_type_stride(adass_type type, size_t size)
{
    return type == ADASS_INT8 ? size + sizeof(float) : size;
}

size_t adass_type_bytes(adass_type type)
{
    static const size_t bytes[ADASS_TYPES] = { sizeof(float), sizeof(uint16_t), sizeof(uint16_t),
                                               1 };
    return bytes[type];
}
