/*
 * Placement plans on machines that are not here (hwloc's synthetic topologies), and binding on the
 * one that is.
 */
#include "adass/memory.h"
#include "adass/rng.h"
#include "adass/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

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

/* The processing units of a plan, in order. */
static void expect_pus(const adass_topology *topology, const unsigned *pus, size_t n)
{
    adass_placement p[MOST];
    plan(topology, n, p);
    for (size_t i = 0; i < n; i++)
        if (p[i].pu != pus[i])
            fail_msg("thread %zu of %zu is on processing unit %u, not %u", i, n, p[i].pu, pus[i]);
}

#define EXPECT_PUS(topology, ...)                                                                  \
    expect_pus(topology, (const unsigned[]){ __VA_ARGS__ },                                        \
               sizeof((const unsigned[]){ __VA_ARGS__ }) / sizeof(unsigned))

static void expect_nodes(const adass_topology *topology, const unsigned *nodes, size_t n)
{
    adass_placement p[MOST];
    plan(topology, n, p);
    for (size_t i = 0; i < n; i++)
        if (p[i].numa_node != nodes[i])
            fail_msg("thread %zu of %zu uses node %u, not %u", i, n, p[i].numa_node, nodes[i]);
}

#define EXPECT_NODES(topology, ...)                                                                \
    expect_nodes(topology, (const unsigned[]){ __VA_ARGS__ },                                      \
                 sizeof((const unsigned[]){ __VA_ARGS__ }) / sizeof(unsigned))

/* One thread a core first, then the siblings in the same order, then around again. */
static void test_exact_plans(void **state)
{
    (void)state;
    adass_topology *t = open_topology("package:1 [numa] core:3 pu:2");
    EXPECT_PUS(t, 0, 2, 4, 1, 3, 5, 0, 2);
    adass_topology_close(t);
    t = open_topology("package:2 [numa] core:2 pu:2");
    EXPECT_PUS(t, 0, 4, 2, 6, 1, 5, 3, 7, 0);
    EXPECT_NODES(t, 0, 1, 0, 1, 0, 1, 0, 1, 0);
    adass_topology_close(t);
    t = open_topology("package:2 group:4 [numa] core:8 pu:1"); /* 8 nodes, 64 cores */
    EXPECT_PUS(t, 0, 8, 16, 24, 32, 40, 48, 56, 1, 9);
    EXPECT_NODES(t, 0, 1, 2, 3, 4, 5, 6, 7, 0, 1);
    adass_topology_close(t);
}

/* Two nodes at the same cores (fast memory beside slow one): no processing unit comes twice. */
static void test_two_nodes_of_the_same_cores(void **state)
{
    (void)state;
    adass_topology *t = open_topology("package:2 [numa] [numa] core:2 pu:1");
    adass_placement p[MOST];
    plan(t, 4, p);
    expect_distinct_pus(p, 4);
    EXPECT_PUS(t, 0, 2, 1, 3, 0);
    adass_topology_close(t);
}

/* `from` by `to`, of the same length, everywhere in a text. */
static void replace(char *text, const char *from, const char *to)
{
    for (char *at = strstr(text, from); at != NULL; at = strstr(at + 1, from))
        memcpy(at, to, strlen(to));
}

/* Through an XML file, in which nodes of 4096 bytes have none: a synthetic description cannot say so. */
static adass_topology *open_without_memory(const char *synthetic)
{
    hwloc_topology_t hwloc;
    char *xml;
    int chars;
    assert_int_equal(hwloc_topology_init(&hwloc), 0);
    assert_int_equal(hwloc_topology_set_synthetic(hwloc, synthetic), 0);
    assert_int_equal(hwloc_topology_load(hwloc), 0);
    assert_int_equal(hwloc_topology_export_xmlbuffer(hwloc, &xml, &chars, 0), 0);
    replace(xml, "local_memory=\"4096\"", "local_memory=\"0000\"");
    char path[] = "/tmp/test_topology_XXXXXX.xml";
    const int file = mkstemps(path, 4);
    assert_true(file >= 0);
    assert_int_equal(write(file, xml, (size_t)chars - 1), chars - 1);
    close(file);
    hwloc_free_xmlbuffer(hwloc, xml);
    hwloc_topology_destroy(hwloc);
    adass_topology *topology = open_topology(path);
    unlink(path);
    return topology;
}

/* Nodes without memory: their cores come after those of the node that they use. */
static void test_nodes_without_memory(void **state)
{
    (void)state;
    /* Every package has a node with memory, and in it two that have none: the package's serves. */
    adass_topology *t = open_without_memory(
        "package:2 [numa(memory=1073741824)] group:2 [numa(memory=4096)] core:2 pu:1");
    adass_topology_counts counts;
    adass_topology_get_counts(t, &counts);
    assert_int_equal(counts.numa_nodes, 6);
    adass_placement p[MOST];
    adass_node nodes[MOST];
    plan(t, 8, p);
    EXPECT_PUS(t, 0, 4, 1, 5, 2, 6, 3, 7, 0);
    assert_int_equal(adass_topology_plan_nodes(t, p, 8, nodes), 2);
    assert_int_equal(threads_on_node(p, 8, nodes[0].numa_node), 4);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(nodes[i].bytes, 1 << 30);
    adass_topology_close(t);
    /* No node states its memory: all count, without a limit. */
    t = open_without_memory("package:2 [numa(memory=4096)] core:2 pu:1");
    EXPECT_PUS(t, 0, 2, 1, 3);
    EXPECT_NODES(t, 0, 1, 0, 1);
    plan(t, 4, p);
    assert_int_equal(adass_topology_plan_nodes(t, p, 4, nodes), 2);
    assert_true(nodes[0].bytes == SIZE_MAX);
    adass_topology_close(t);
}

/* A package whose node has no memory uses the other's, after that one's own cores. */
static void test_package_without_memory(void **state)
{
    (void)state;
    adass_topology *t = open_without_memory("package:2 [numa(memory=1048576)] core:2 pu:1");

    adass_topology_close(t);
    t = open_without_memory("[numa(memory=1073741824)] package:2 [numa(memory=4096)] core:2 pu:2");
    EXPECT_PUS(t, 0, 2, 4, 6, 1, 3, 5, 7);
    EXPECT_NODES(t, 2, 2, 2, 2); /* hwloc numbers the outer node last */
    adass_topology_close(t);
}

static void test_restricted(void **state)
{
    (void)state;
    adass_topology *t = open_topology("package:2 [numa] core:4 pu:2");
    adass_error err;
    /* Two cores and one hardware thread of node 0, and one core of node 1. */
    assert_int_equal(adass_topology_restrict(t, "2-4,14-15,99", &err), ADASS_OK);
    adass_topology_counts counts;
    adass_topology_get_counts(t, &counts);
    assert_true(counts.pus == 5 && counts.cores == 3 && counts.numa_nodes == 2);
    EXPECT_PUS(t, 2, 14, 4, 3, 15, 2);
    EXPECT_NODES(t, 0, 1, 0, 0, 1, 0);
    assert_int_equal(adass_topology_restrict(t, "4", &err), ADASS_OK);
    EXPECT_PUS(t, 4, 4);
    adass_topology_get_counts(t, &counts);
    assert_int_equal(counts.numa_nodes, 1);
    assert_int_equal(adass_topology_restrict(t, "100-200", &err), ADASS_EINVAL);
    assert_non_null(strstr(err.message, "100-200"));
    assert_int_equal(adass_topology_restrict(t, "four", &err), ADASS_EINVAL);
    EXPECT_PUS(t, 4); /* as it was */
    adass_topology_close(t);
}

/* ---- tables ---- */

static const adass_node two_nodes[] = { { 0, 100 }, { 4, 60 } };

static void expect_place(const adass_table_place *place, adass_table_rule rule, unsigned node)
{
    assert_int_equal(place->rule, rule);
    if (rule == ADASS_TABLE_LOCAL)
        assert_int_equal(place->numa_node, node);
}

static void test_local_interleaved_replicated(void **state)
{
    (void)state;
    adass_table_place out[2];
    adass_error err;
    const size_t fits[] = { 60, 40 }, too_large[] = { 60, 41 };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_LOCAL, fits, 2, out, &err),
                     ADASS_OK);
    expect_place(&out[1], ADASS_TABLE_LOCAL, 0);
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_LOCAL, too_large, 2, out, &err),
                     ADASS_ENOMEM);
    assert_non_null(strstr(err.message, "node 0"));
    /* A copy on every node: as much as the smallest has. */
    const size_t half[] = { 30, 30 }, more[] = { 30, 31 };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_REPLICATED, half, 2, out, &err),
                     ADASS_OK);
    expect_place(&out[0], ADASS_TABLE_REPLICATED, 0);
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_REPLICATED, more, 2, out, &err),
                     ADASS_ENOMEM);
    assert_non_null(strstr(err.message, "node 4"));
    /* Half of every table on each. */
    const size_t twice[] = { 60, 60 }, odd[] = { 60, 61 };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_INTERLEAVED, twice, 2, out, &err),
                     ADASS_OK);
    expect_place(&out[1], ADASS_TABLE_INTERLEAVED, 0);
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_INTERLEAVED, odd, 2, out, &err),
                     ADASS_ENOMEM);
    const size_t overflow[] = { SIZE_MAX, SIZE_MAX };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_LOCAL, overflow, 2, out, &err),
                     ADASS_ENOMEM);
    assert_int_equal(adass_tables_place(two_nodes, 0, ADASS_TABLE_LOCAL, fits, 2, out, &err),
                     ADASS_EINVAL);
}

/* Largest first, each to the emptiest node where it fits. */
static void test_sharded_by_field(void **state)
{
    (void)state;
    adass_table_place out[5];
    adass_error err;
    const size_t bytes[] = { 10, 40, 30, 30, 0 };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_SHARDED, bytes, 5, out, &err),
                     ADASS_OK);
    const unsigned expected[] = { 0, 0, 4, 4,
                                  0 }; /* 40 | 30; 40 | 60; 50 | 60; then the empty one */
    for (size_t t = 0; t < 5; t++)
        expect_place(&out[t], ADASS_TABLE_LOCAL, expected[t]);
    /* The emptier node is too small: 70 to node 0, 50 to node 4, 30 to node 0 again. */
    const size_t tight[] = { 50, 70, 30 };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_SHARDED, tight, 3, out, &err),
                     ADASS_OK);
    expect_place(&out[0], ADASS_TABLE_LOCAL, 4);
    expect_place(&out[1], ADASS_TABLE_LOCAL, 0);
    expect_place(&out[2], ADASS_TABLE_LOCAL, 0);
    const size_t full[] = { 50, 70, 31 };
    assert_int_equal(adass_tables_place(two_nodes, 2, ADASS_TABLE_SHARDED, full, 3, out, &err),
                     ADASS_ENOMEM);
    assert_non_null(strstr(err.message, "table 2"));
}

enum { BRUTE_TABLES = 9, BRUTE_NODES = 3 };

static size_t fullest(const size_t *bytes, const size_t *node_of)
{
    size_t used[BRUTE_NODES] = { 0 }, most = 0;
    for (size_t t = 0; t < BRUTE_TABLES; t++)
        used[node_of[t]] += bytes[t];
    for (size_t i = 0; i < BRUTE_NODES; i++)
        most = used[i] > most ? used[i] : most;
    return most;
}

/* The least that the fullest node can hold, by trying all assignments. */
static size_t best_fullest(const size_t *bytes)
{
    size_t best = SIZE_MAX, assignments = 1;
    for (size_t t = 0; t < BRUTE_TABLES; t++)
        assignments *= BRUTE_NODES;
    for (size_t a = 0; a < assignments; a++) {
        size_t node_of[BRUTE_TABLES], rest = a;
        for (size_t t = 0; t < BRUTE_TABLES; t++, rest /= BRUTE_NODES)
            node_of[t] = rest % BRUTE_NODES;
        const size_t most = fullest(bytes, node_of);
        best = most < best ? most : best;
    }
    return best;
}

/* Graham's bound, 4/3 - 1/(3 nodes) of the best, on sizes as skewed as vocabularies are. */
static void test_shards_are_balanced(void **state)
{
    (void)state;
    const adass_node nodes[BRUTE_NODES] = { { 0, SIZE_MAX }, { 1, SIZE_MAX }, { 2, SIZE_MAX } };
    double worst = 0.0;
    for (uint32_t seed = 0; seed < 60; seed++) {
        size_t bytes[BRUTE_TABLES], node_of[BRUTE_TABLES];
        for (uint32_t t = 0; t < BRUTE_TABLES; t++)
            bytes[t] = 1 + adass_mix32(seed * BRUTE_TABLES + t) % (seed % 2 ? 20 : 1000);
        adass_table_place out[BRUTE_TABLES];
        adass_error err;
        assert_int_equal(adass_tables_place(nodes, BRUTE_NODES, ADASS_TABLE_SHARDED, bytes,
                                            BRUTE_TABLES, out, &err),
                         ADASS_OK);
        for (size_t t = 0; t < BRUTE_TABLES; t++)
            node_of[t] = out[t].numa_node;
        const double ratio = (double)fullest(bytes, node_of) / (double)best_fullest(bytes);
        worst = ratio > worst ? ratio : worst;
    }
    print_message("fullest node over the best: %.3f at worst, bound %.3f\n", worst,
                  4.0 / 3.0 - 1.0 / (3.0 * BRUTE_NODES));
    assert_true(worst <= 4.0 / 3.0 - 1.0 / (3.0 * BRUTE_NODES));
}

/* ---- this machine ---- */

/* Runs in a thread of its own, whose binding ends with it. */
static void *bind_and_read(void *user)
{
    adass_binding *got = user;
    adass_topology *topology = open_topology(NULL);
    adass_placement p[MOST];
    adass_error err;
    adass_topology_counts counts;
    adass_topology_get_counts(topology, &counts);
    const size_t last = (counts.pus < MOST ? counts.pus : MOST) - 1;
    plan(topology, last + 1, p);
    adass_status status = adass_topology_bind(topology, &p[last], &err);
    if (status == ADASS_OK)
        status = adass_topology_bind_allocation(topology, &p[last], &err);
    if (status == ADASS_OK)
        status = adass_topology_get_binding(topology, got, &err);
    if (status != ADASS_OK)
        fail_msg("%s", err.message);
    char pu[ADASS_BINDING_CHARS], memory[ADASS_BINDING_CHARS];
    snprintf(pu, sizeof pu, "%u", p[last].pu);
    snprintf(memory, sizeof memory, "bind:%u", p[last].numa_node);
    assert_string_equal(got->pus, pu);
    assert_string_equal(got->memory, memory);
    adass_topology_close(topology);
    return NULL;
}

/* Emulators do not have the call, and containers may refuse it. 0 is the default policy. */
static void skip_without_memory_policies(void)
{
    if (syscall(SYS_set_mempolicy, 0, NULL, 0) != 0 && (errno == ENOSYS || errno == EPERM))
        skip();
}

static void test_threads_of_this_machine(void **state)
{
    (void)state;
    skip_without_memory_policies();
    pthread_t thread;
    adass_binding got;
    assert_int_equal(pthread_create(&thread, NULL, bind_and_read, &got), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* A thread that is bound to a node may use all that the process may use of it. */
static void *bind_to_node(void *user)
{
    adass_binding *got = user; /* of the whole process, then bound to one unit, then to the node */
    adass_topology *topology = NULL;
    adass_placement first;
    adass_error err;
    if (adass_topology_open(&topology, NULL, &err) == ADASS_OK &&
        adass_topology_plan(topology, 1, &first, &err) == ADASS_OK &&
        adass_topology_get_binding(topology, &got[0], &err) == ADASS_OK &&
        adass_topology_bind(topology, &first, &err) == ADASS_OK &&
        adass_topology_get_binding(topology, &got[1], &err) == ADASS_OK &&
        adass_topology_bind_to_node(topology, &first, &err) == ADASS_OK)
        adass_topology_get_binding(topology, &got[2], &err);
    adass_topology_close(topology);
    return NULL;
}

static void test_node_of_this_machine(void **state)
{
    (void)state;
    pthread_t thread;
    adass_topology *topology = NULL;
    adass_topology_counts counts;
    adass_error err;
    adass_binding got[3] = { 0 };
    assert_int_equal(pthread_create(&thread, NULL, bind_to_node, got), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(adass_topology_open(&topology, NULL, &err), ADASS_OK);
    adass_topology_get_counts(topology, &counts);
    adass_topology_close(topology);
    assert_true(got[2].pus[0] != '\0');
    if (counts.pus > 1)
        assert_string_not_equal(got[0].pus, got[1].pus);
    if (counts.numa_nodes == 1)
        assert_string_equal(got[0].pus, got[2].pus);
}

static void test_memory_of_this_machine(void **state)
{
    (void)state;
    skip_without_memory_policies();
    enum { BYTES = 1 << 22 };
    adass_topology *topology = open_topology(NULL);
    adass_placement p[MOST];
    adass_node nodes[MOST];
    adass_error err;
    plan(topology, MOST, p);
    const size_t n = adass_topology_plan_nodes(topology, p, MOST, nodes);
    char *area = adass_alloc(BYTES);
    assert_non_null(area);
    char rule[ADASS_BINDING_CHARS], where[ADASS_BINDING_CHARS], expected[ADASS_BINDING_CHARS];
    const adass_node *last = &nodes[n - 1];
    snprintf(expected, sizeof expected, "bind:%u", last->numa_node);
    if (adass_topology_bind_memory(topology, area, BYTES, last, 1, &err) != ADASS_OK ||
        adass_topology_get_memory(topology, area, BYTES, rule, where, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    assert_string_equal(rule, expected);
    assert_string_equal(where, expected + strlen("bind:")); /* pages in use have moved as well */
    free(area);
    adass_topology_close(topology);
}

/* What taskset excludes is not there. */
static void test_affinity_restricts(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &before))
            CPU_SET(i, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    adass_topology *topology = open_topology(NULL);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
    adass_placement p[1];
    adass_topology_counts counts;
    adass_topology_get_counts(topology, &counts);
    assert_int_equal(counts.pus, 1);
    plan(topology, 1, p);
    assert_true(CPU_ISSET(p[0].pu, &one));
    adass_topology_close(topology);
}

static void test_refusals(void **state)
{
    (void)state;
    adass_topology *topology = NULL;
    adass_error err;
    static const char *const hostile[] = { "two sockets", "", "package:0", "none.xml",
                                           "pu:99999999999999999999" };
    for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
        assert_int_equal(adass_topology_open(&topology, hostile[i], &err), ADASS_EINVAL);
        assert_non_null(strstr(err.message, hostile[i]));
        assert_null(topology);
    }
    /* A topology that is not this machine's binds nothing. */
    topology = open_topology("package:1 [numa] core:4 pu:1");
    adass_placement p[1];
    plan(topology, 1, p);
    char page[64];
    const adass_node node = { 0, SIZE_MAX };
    adass_binding binding;
    assert_int_equal(adass_topology_bind(topology, p, &err), ADASS_EUNSUPPORTED);
    assert_int_equal(adass_topology_bind_allocation(topology, p, &err), ADASS_EUNSUPPORTED);
    assert_int_equal(adass_topology_bind_memory(topology, page, sizeof page, &node, 1, &err),
                     ADASS_EUNSUPPORTED);
    assert_int_equal(adass_topology_get_binding(topology, &binding, &err), ADASS_EUNSUPPORTED);
    adass_topology_close(topology);
    adass_topology_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_sockets),
        cmocka_unit_test(test_one_node_and_eight),
        cmocka_unit_test(test_exact_plans),
        cmocka_unit_test(test_two_nodes_of_the_same_cores),
        cmocka_unit_test(test_nodes_without_memory),
        cmocka_unit_test(test_package_without_memory),
        cmocka_unit_test(test_restricted),
        cmocka_unit_test(test_local_interleaved_replicated),
        cmocka_unit_test(test_sharded_by_field),
        cmocka_unit_test(test_shards_are_balanced),
        cmocka_unit_test(test_threads_of_this_machine),
        cmocka_unit_test(test_node_of_this_machine),
        cmocka_unit_test(test_memory_of_this_machine),
        cmocka_unit_test(test_affinity_restricts),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
