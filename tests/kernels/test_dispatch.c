/* Choosing an ISA: by name, by ADASS_ISA, the best one, and what is refused. */
#include "adass/kernels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *best_name(void)
{
    size_t i = 0;
    while (!adass_isa_supported(i, NULL))
        i++;
    return adass_isa_name(i);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < adass_isa_count(); i++) {
        const adass_kernels *kernels = NULL;
        const char *why = NULL;
        adass_error err;
        const adass_status status = adass_kernels_get(adass_isa_name(i), &kernels, &err);
        if (adass_isa_supported(i, &why)) {
            assert_int_equal(status, ADASS_OK);
            assert_string_equal(kernels->isa, adass_isa_name(i));
        } else {
            assert_int_equal(status, ADASS_EUNSUPPORTED);
            assert_null(kernels);
            assert_non_null(strstr(err.message, why));
        }
    }
    assert_string_equal(adass_isa_name(adass_isa_count() - 1), "scalar"); /* always there */
    assert_true(adass_isa_supported(adass_isa_count() - 1, NULL));
}

static void test_best_and_environment(void **state)
{
    (void)state;
    const adass_kernels *kernels = NULL;
    adass_error err;
    unsetenv("ADASS_ISA");
    assert_int_equal(adass_kernels_get("best", &kernels, &err), ADASS_OK);
    assert_string_equal(kernels->isa, best_name());
    assert_int_equal(adass_kernels_get(NULL, &kernels, &err), ADASS_OK);
    assert_string_equal(kernels->isa, best_name());
    setenv("ADASS_ISA", "scalar", 1);
    assert_int_equal(adass_kernels_get("best", &kernels, &err), ADASS_OK);
    assert_string_equal(kernels->isa, "scalar");
    assert_int_equal(adass_kernels_get(best_name(), &kernels, &err),
                     ADASS_OK); /* a name goes before the variable */
    assert_string_equal(kernels->isa, best_name());
    setenv("ADASS_ISA", "avx3", 1);
    assert_int_equal(adass_kernels_get(NULL, &kernels, &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "avx3"));
    assert_non_null(strstr(err.message, "scalar"));
    unsetenv("ADASS_ISA");
}

/* No slot of a table is empty. */
static void test_tables_are_complete(void **state)
{
    (void)state;
    const adass_kernels *kernels = NULL;
    adass_error err;
    assert_int_equal(adass_kernels_get("scalar", &kernels, &err), ADASS_OK);
#define SLOT(unused, op) assert_true(kernels->op != NULL);
    ADASS_KERNEL_OPS(SLOT, unused)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_best_and_environment),
        cmocka_unit_test(test_tables_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
