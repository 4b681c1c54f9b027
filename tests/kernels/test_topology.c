/*
 * Placement plans on machines that are not here (hwloc's synthetic topologies), and binding on the
 * one that is.
 */
#include "adass/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 256 };

static adass_topology *open_topology(const char *synthetic)
{
    adass_topology *topology = NULL;
    adass_error err;
    if (adass_topology_open(&topology, synthetic, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    return topology;
}

static void plan(const adass_topology *topology, size_t threads, adass_placement *out)
{
    adass_error err;
    assert_int_equal(adass_topology_plan(topology, threads, out, &err), ADASS_OK);
}

static size_t threads_on_node(const adass_placement *placements, size_t n, unsigned node)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += placements[i].numa_node == node;
    return count;
}

static void expect_distinct_pus(const adass_placement *placements, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(placements[i].pu, placements[j].pu);
}

/* Two sockets of 8 cores with 2 hardware threads each: nodes in turn, one thread a core first. */
static void test_two_sockets(void **state)
{
    (void)state;
    adass_topology *topology = open_topology("package:2 [numa] core:8 pu:2");
    adass_topology_counts counts;
    adass_topology_get_counts(topology, &counts);
    assert_true(counts.packages == 2 && counts.numa_nodes == 2 && counts.cores == 16 &&
                counts.pus == 32);
    adass_placement p[MOST];
    plan(topology, 4, p);
    assert_int_equal(threads_on_node(p, 4, 0), 2);
    assert_int_equal(threads_on_node(p, 4, 1), 2);
    plan(topology, 16, p);
    expect_distinct_pus(p, 16);
    for (size_t i = 0; i < 16; i++)
        assert_int_equal(p[i].pu % 2, 0); /* the first hardware thread of a core each */
    plan(topology, 32, p);
    expect_distinct_pus(p, 32);
    assert_int_equal(threads_on_node(p, 32, 0), 16);
    plan(topology, 40, p); /* more threads than there are: around again */
    assert_int_equal(p[32].pu, p[0].pu);
    adass_topology_close(topology);
}

static void test_one_node_and_eight(void **state)
{
    (void)state;
    adass_placement p[MOST];
    adass_topology *one = open_topology("package:1 [numa] core:4 pu:1");
    plan(one, 4, p);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(p[i].pu, i);
    adass_topology_close(one);
    adass_topology *eight = open_topology("package:2 group:4 [numa] core:8 pu:1");
    plan(eight, 8, p);
    for (unsigned node = 0; node < 8; node++)
        assert_int_equal(threads_on_node(p, 8, node), 1);
    plan(eight, 64, p);
    expect_distinct_pus(p, 64);
    adass_topology_close(eight);
}

static void test_this_machine(void **state)
{
    (void)state;
    adass_topology *topology = open_topology(NULL);
    adass_placement p[1];
    adass_error err;
    plan(topology, 1, p);
    assert_int_equal(adass_topology_bind(topology, p, &err), ADASS_OK);
    adass_topology_close(topology);
}

static void test_refusals(void **state)
{
    (void)state;
    adass_topology *topology = NULL;
    adass_error err;
    assert_int_equal(adass_topology_open(&topology, "two sockets", &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "two sockets"));
    adass_topology_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sockets),
        cmocka_unit_test(test_one_node_and_eight),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
