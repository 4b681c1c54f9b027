/* Chooses the kernels by what CPU and operating system can run, or by name. */
#include "adass/kernels.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

typedef struct isa_entry {
    const adass_kernels *table;
    bool (*supported)(const char **why);
} isa_entry;

static bool always(const char **why)
{
    (void)why;
    return true;
}

#if defined(__x86_64__)
/* The builtins ask cpuid and, by XGETBV, whether the operating system keeps the registers. */
#define NEED(feature)                                                                              \
    if (!__builtin_cpu_supports(feature)) {                                                        \
        *why = "the CPU or the operating system lacks " feature;                                   \
        return false;                                                                              \
    }

static bool has_avx2(const char **why)
{
    NEED("avx2")
    NEED("fma")
    unsigned eax, ebx, ecx, edx; /* not every compiler's builtin knows F16C */
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || (ecx & bit_F16C) == 0) {
        *why = "the CPU lacks f16c";
        return false;
    }
    return true;
}

static bool has_avx512(const char **why)
{
    NEED("avx512f")
    NEED("avx512bw")
    NEED("avx512dq")
    NEED("avx512vl")
    return true;
}

extern const adass_kernels adass_kernels_avx512, adass_kernels_avx2;

#elif defined(__aarch64__)
extern const adass_kernels adass_kernels_neon;
#endif

extern const adass_kernels adass_kernels_scalar;

/* Best first. */
static const isa_entry isas[] = {
#if defined(__x86_64__)
    { &adass_kernels_avx512, has_avx512 },
    { &adass_kernels_avx2, has_avx2 },
#elif defined(__aarch64__)
    { &adass_kernels_neon, always }, /* a part of AArch64 as Linux requires it */
#endif
    { &adass_kernels_scalar, always },
};

size_t adass_isa_count(void) { return sizeof isas / sizeof isas[0]; }

const char *adass_isa_name(size_t i) { return isas[i].table->isa; }

bool adass_isa_supported(size_t i, const char **why)
{
    const char *unused = NULL;
    return isas[i].supported(why != NULL ? why : &unused);
}

static adass_status best(const adass_kernels **out)
{
    size_t i = 0;
    while (!adass_isa_supported(i, NULL))
        i++; /* ends: the last entry is always supported */
    *out = isas[i].table;
    return ADASS_OK;
}

adass_status adass_kernels_get(const char *isa, const adass_kernels **out, adass_error *err)
{
    if (isa == NULL || strcmp(isa, "best") == 0)
        isa = getenv("ADASS_ISA");
    if (isa == NULL || strcmp(isa, "best") == 0 || *isa == '\0')
        return best(out);
    for (size_t i = 0; i < adass_isa_count(); i++) {
        if (strcmp(isa, adass_isa_name(i)) != 0)
            continue;
        const char *why = NULL;
        if (!adass_isa_supported(i, &why))
            return adass_fail(
                err, ADASS_EUNSUPPORTED,
                "ISA '%s' cannot run here: %s; choose another with --isa or ADASS_ISA, or 'best'",
                isa, why);
        *out = isas[i].table;
        return ADASS_OK;
    }
    char names[128] = "";
    for (size_t i = 0; i < adass_isa_count(); i++) {
        strcat(names, i == 0 ? "" : ", ");
        strcat(names, adass_isa_name(i));
    }
    return adass_fail(err, ADASS_EINVAL, "no ISA named '%s' in this build; it has %s, and 'best'",
                      isa, names);
}
