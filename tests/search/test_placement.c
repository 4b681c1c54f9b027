/* The placement of training's threads and tables, on machines that are not here and on the one that is. */
#include "placement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static adass_placer new_placer(const char *topology, int threads)
{
    adass_placer placer;
    adass_error err;
    if (adass_placer_init(&placer, topology, threads, &err) != ADASS_OK)
        fail_msg("%s", err.message);
    return placer;
}

static adass_model *new_model(adass_backbone backbone, size_t vocab, size_t width)
{
    const size_t vocabs[] = { vocab, 10 }, widths[] = { width, width };
    const adass_model_config config = {
        .backbone = backbone, .n_hidden = 1, .hidden = { 4 }, .init_std = 0.1f, .seed = 1
    };
    adass_model *model = NULL;
    adass_error err;
    assert_int_equal(adass_model_create(&model, &config, 2, vocabs, widths, &err), ADASS_OK);
    return model;
}

/* Threads alternate between the nodes, and all of these get their part of the tables. */
static void test_two_nodes(void **state)
{
    (void)state;
    adass_placer p = new_placer("package:2 [numa(memory=1073741824)] core:4 pu:2", 6);
    assert_int_equal(p.n_nodes, 2);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(p.threads[i].numa_node, i % 2);
    assert_int_equal(p.nodes[1].bytes, 1073741824);
    adass_placer_free(&p);
    p = new_placer("package:2 [numa] core:4 pu:2", 1); /* one thread needs one node */
    assert_int_equal(p.n_nodes, 1);
    adass_placer_free(&p);
}

/* What the arrays really take. */
static void test_bytes(void **state)
{
    (void)state;
    adass_model *fm = new_model(ADASS_FM, 100, 8), *dnn = new_model(ADASS_DNN, 100, 8);
    assert_int_equal(adass_placer_table_bytes(&fm->tables[0]), 100 * (8 + 16 + 1 + 2) * 4);
    assert_int_equal(adass_placer_table_bytes(&dnn->tables[0]), 100 * (8 + 16) * 4);
    adass_model_destroy(fm);
    adass_model_destroy(dnn);
}

/* Tables that the plan's nodes cannot hold are refused before training. */
static void test_room(void **state)
{
    (void)state;
    adass_model *model = new_model(ADASS_DNN, 10000, 16); /* 1.8 MiB with the moments */
    adass_error err;
    bool placed = true;
    adass_placer p = new_placer("package:2 [numa(memory=1048576)] core:2 pu:1", 2);
    assert_int_equal(adass_placer_spread(&p, model, &placed, &err), ADASS_OK);
    assert_false(placed); /* on a machine that is not here */
    adass_placer_free(&p);
    p = new_placer("package:2 [numa(memory=524288)] core:2 pu:1", 2);
    assert_int_equal(adass_placer_spread(&p, model, &placed, &err), ADASS_ENOMEM);
    assert_non_null(strstr(err.message, "interleaved tables need 0.9 MiB on NUMA node 0"));
    adass_placer_free(&p);
    adass_model_destroy(model);
}

static void test_this_machine(void **state)
{
    (void)state;
    adass_placer p = new_placer(NULL, 2);
    adass_model *model = new_model(ADASS_FM, 1000, 8);
    bool placed = false;
    adass_error err;
    const bool bound = adass_placer_bind_threads(&p);
    assert_int_equal(adass_placer_spread(&p, model, &placed, &err), ADASS_OK);
    if (p.n_nodes == 1)
        assert_true(!bound && !placed);
    adass_model_destroy(model);
    adass_placer_free(&p);
}

static void test_refusals(void **state)
{
    (void)state;
    adass_placer p;
    adass_error err;
    assert_int_equal(adass_placer_init(&p, "two sockets", 2, &err), ADASS_EINVAL);
    adass_placer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_nodes), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_room),      cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
