/* Candidate lists and sizes.json: what is taken, what is refused and how. */
#include "adass/sizes.h"
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int set_up(void **state)
{
    static fixture x;
    *state = &x;
    return fixture_open(&x, 3000);
}

static int tear_down(void **state)
{
    fixture_close(*state);
    return 0;
}

static void expect_refused(const char *text, const char *part)
{
    adass_candidates c;
    adass_error err;
    assert_int_equal(adass_candidates_parse(text, &c, &err), ADASS_EINVAL);
    if (strstr(err.message, part) == NULL)
        fail_msg("'%s': the message '%s' does not say '%s'", text, err.message, part);
}

static void test_candidates(void **state)
{
    (void)state;
    adass_candidates c;
    adass_error err;
    assert_int_equal(adass_candidates_parse("0,3,256", &c, &err), ADASS_OK);
    assert_true(c.n == 3 && c.sizes[0] == 0 && c.sizes[1] == 3 && c.sizes[2] == 256);
    expect_refused("4,2", "rise");
    expect_refused("4,4", "rise");
    expect_refused("4", "two");
    expect_refused("", "number");
    expect_refused("4,x", "'x'");
    expect_refused("4,-8", "-8");
    expect_refused("4,8,", "number");
    expect_refused("4,257", "257");
    expect_refused("4,99999999999999999999", "number");
    expect_refused("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "16");
}

static void path_in(const fixture *x, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", x->dir, name);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_round_trip(void **state)
{
    const fixture *x = *state;
    const size_t n = x->dataset->n_fields;
    char path[128];
    adass_error err;
    size_t sizes[16], back[16];
    for (size_t f = 0; f < n; f++)
        sizes[f] = f * 3;
    adass_sizes_file about = {
        .candidates = adass_candidates_default(), .params = 123, .method = "adass", .seed = 9
    };
    snprintf(about.dataset, sizeof about.dataset, "%s", x->dataset->checksum);
    path_in(x, "sizes.json", path);
    assert_int_equal(adass_sizes_write(path, x->dataset, sizes, &about, &err), ADASS_OK);
    assert_int_equal(adass_sizes_read(path, x->dataset, back, &err), ADASS_OK);
    assert_memory_equal(sizes, back, n * sizeof *sizes);
}

static void expect_unreadable(const fixture *x, const char *text, const char *part)
{
    char path[128];
    adass_error err;
    size_t sizes[16];
    path_in(x, "bad.json", path);
    write_file(path, text);
    assert_int_equal(adass_sizes_read(path, x->dataset, sizes, &err), ADASS_EFORMAT);
    if (strstr(err.message, path) == NULL || strstr(err.message, part) == NULL)
        fail_msg("the message '%s' does not name the file and '%s'", err.message, part);
}

static void test_bad_files(void **state)
{
    const fixture *x = *state;
    const char *fine = "\"f0\":1,\"f1\":1,\"f2\":1,\"f3\":1,\"f4\":1,\"f5\":1,\"f6\":1";
    char text[512];
    expect_unreadable(x, "{\n\"format\": \"adass-sizes-1\",\n\"sizes\" {}}", ":3:");
    expect_unreadable(x, "{}", "adass-sizes-1");
    expect_unreadable(x, "[1]", "adass-sizes-1");
    expect_unreadable(x, "", ":1:");
    snprintf(text, sizeof text, "{\"format\":\"adass-sizes-1\",\"sizes\":{%s}}", fine);
    expect_unreadable(x, text, "'f7'"); /* missing */
    snprintf(text, sizeof text, "{\"format\":\"adass-sizes-1\",\"sizes\":{%s,\"f7\":-1}}", fine);
    expect_unreadable(x, text, "'f7'");
    snprintf(text, sizeof text, "{\"format\":\"adass-sizes-1\",\"sizes\":{%s,\"f7\":300}}", fine);
    expect_unreadable(x, text, "'f7'");
    snprintf(text, sizeof text, "{\"format\":\"adass-sizes-1\",\"sizes\":{%s,\"f7\":1,\"user\":4}}",
             fine);
    expect_unreadable(x, text, "'user'"); /* of another dataset */
    char path[128];
    adass_error err;
    size_t sizes[16];
    path_in(x, "nowhere.json", path);
    assert_int_equal(adass_sizes_read(path, x->dataset, sizes, &err), ADASS_EIO);
}

static void test_unwritable(void **state)
{
    const fixture *x = *state;
    const size_t sizes[16] = { 0 };
    char path[128];
    adass_error err;
    const adass_sizes_file about = { .candidates = adass_candidates_default(), .method = "adass" };
    path_in(x, "no/such/folder/sizes.json", path);
    assert_int_equal(adass_sizes_write(path, x->dataset, sizes, &about, &err), ADASS_EIO);
    assert_non_null(strstr(err.message, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_candidates),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_unwritable),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
