/* What the benchmarks count: shapes of a sweep, bytes and operations of a call, pools of ids, lines of a step. */
#include "cost.h"
#include "id_pool.h"
#include "step_rows.h"
#include "sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bench_shape shape_of(size_t fields, size_t size, size_t rows, size_t batch, size_t pooling)
{
    return (bench_shape){ .v = { [AXIS_TYPE] = TYPE_F32,
                                 [AXIS_FIELDS] = fields,
                                 [AXIS_SIZE] = size,
                                 [AXIS_ROWS] = rows,
                                 [AXIS_BATCH] = batch,
                                 [AXIS_WIDTH] = 400,
                                 [AXIS_N] = 1000,
                                 [AXIS_IDS] = IDS_UNIFORM,
                                 [AXIS_POOLING] = pooling } };
}

static void sweep_gives_every_combination_once(void **state)
{
    (void)state;
    const bench_sweep sweep = { .values = {
                                    [AXIS_SIZE] = { 4, 8, 16 }, [AXIS_ROWS] = { 10, 20 } } };
    assert_int_equal(bench_sweep_count(&sweep), 6);
    size_t seen[3][2] = { { 0 } };
    for (size_t i = 0; i < 6; i++) {
        const bench_shape shape = bench_sweep_shape(&sweep, i);
        assert_int_equal(shape.v[AXIS_BATCH], 0);
        seen[shape.v[AXIS_SIZE] / 8][shape.v[AXIS_ROWS] / 10 - 1]++;
    }
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(seen[i / 2][i % 2], 1);
}

static void names_are_those_of_the_contract(void **state)
{
    (void)state;
    bench_shape shape = shape_of(39, 16, 4000000, 4096, 20);
    char name[128];
    shape.v[AXIS_WIDTH] = shape.v[AXIS_N] = 0;
    shape.v[AXIS_IDS] = IDS_ZIPF;
    bench_shape_print(&shape, AXIS_TYPE, N_AXES, name, sizeof name);
    assert_string_equal(name,
                        "/type:f32/fields:39/size:16/rows:4e6/batch:4096/ids:zipf1.05/pooling:20");
    shape.v[AXIS_SIZE] = BENCH_SIZE_MIXED;
    bench_shape_print(&shape, AXIS_SIZE, AXIS_ROWS, name, sizeof name);
    assert_string_equal(name, "/size:mixed2-64");
    bench_shape_print(&shape, AXIS_TYPE, N_AXES, name, 8);
    assert_int_equal(strlen(name), 7);
}

static void lookup_counts_rows_ids_and_output(void **state)
{
    (void)state;
    bench_shape shape = shape_of(0, 16, 1000, 10, 20);
    bench_cost cost = bench_cost_lookup(&shape, 0.0);
    assert_true(cost.items == 200.0 && cost.read == 800.0 && cost.written == 640.0);
    assert_int_equal(cost.n_rows, 1);
    assert_true(cost.rows[0].count == 200.0 && cost.rows[0].bytes == 64);
    assert_true(bench_cost_bytes(&cost) == 800.0 + 640.0 + 200.0 * 64.0);
    assert_false(cost.rows[0].copied); /* summed */
    shape.v[AXIS_POOLING] = 1;
    assert_true(bench_cost_lookup(&shape, 0.0).rows[0].copied);
    shape.v[AXIS_TYPE] = TYPE_BF16; /* widened */
    assert_false(bench_cost_lookup(&shape, 0.0).rows[0].copied);
    shape.v[AXIS_POOLING] = 20;
    shape.v[AXIS_TYPE] = TYPE_INT8; /* a byte a column, and the scale */
    assert_int_equal(bench_cost_lookup(&shape, 0.0).rows[0].bytes, 20);
    shape.v[AXIS_TYPE] = TYPE_BF16;
    assert_int_equal(bench_cost_lookup(&shape, 0.0).rows[0].bytes, 32);
}

static void fields_count_their_own_sizes(void **state)
{
    (void)state;
    bench_shape shape = shape_of(8, BENCH_SIZE_MIXED, 800, 10, 0);
    assert_int_equal(bench_total_size(&shape), 2 + 4 + 8 + 16 + 32 + 64 + 2 + 4);
    assert_int_equal(bench_largest_size(&shape), 64);
    const bench_cost fields = bench_cost_lookup_fields(&shape, 0.0);
    assert_true(fields.items == 80.0 && fields.written == 10.0 * 132.0 * 4.0);
    const bench_cost fm = bench_cost_fm_forward(&shape, 0.0);
    assert_true(fm.read == 10.0 * 132.0 * 4.0 && fm.written == 10.0 * 64.0 * 4.0);
    assert_true(fm.multiplies == 10.0 * (132.0 + 64.0));
    const bench_cost both = bench_cost_lookup_fm(&shape, 0.0);
    assert_true(both.written == fields.written + fm.written && both.read == fields.read);
}

static void updates_count_touched_rows_twice(void **state)
{
    (void)state;
    const bench_shape shape = shape_of(0, 16, 1000, 100, 0);
    const bench_cost sgd = bench_cost_sgd_rows(&shape, 60.0);
    assert_true(sgd.items == 60.0 && sgd.read == 60.0 * (64.0 + 4.0));
    assert_true(bench_cost_bytes(&sgd) == sgd.read + 2.0 * 60.0 * 64.0);
    const bench_cost adam = bench_cost_adam_rows(&shape, 60.0);
    assert_true(bench_cost_bytes(&adam) == sgd.read + 2.0 * 60.0 * 192.0);
    assert_true(adam.divisions == 2.0 * 60.0 * 16.0);
    const bench_cost dense = bench_cost_adam_dense(&shape, 0.0);
    assert_true(dense.updated == 12000.0 && bench_cost_bytes(&dense) == 4000.0 + 24000.0);
    assert_true(bench_cost_array_bytes(&dense) == 16000.0);
}

static void rows_take_whole_lines(void **state)
{
    (void)state;
    assert_int_equal(bench_row_lines(4), 1);
    assert_int_equal(bench_row_lines(64), 1);
    assert_int_equal(bench_row_lines(65), 2);
    assert_int_equal(bench_row_lines(512), 8);
}

static void pools_hold_ids_in_range(void **state)
{
    (void)state;
    const bench_ids what = {
        .rows = 100, .fields = 1, .ids = IDS_ZIPF, .a_call = 64, .distinct = true, .capacity = 1024
    };
    bench_id_pool pool;
    assert_true(bench_id_pool_make(&pool, &what));
    assert_int_equal(pool.n_calls, 16);
    for (size_t c = 0; c < pool.n_calls; c++) {
        size_t seen[100] = { 0 };
        assert_true(pool.starts[c + 1] > pool.starts[c]);
        for (size_t i = pool.starts[c]; i < pool.starts[c + 1]; i++) {
            assert_true(pool.ids[i] < 100);
            assert_int_equal(seen[pool.ids[i]]++, 0);
        }
        for (size_t i = 0; i < what.a_call; i++)
            assert_true(pool.group[c * what.a_call + i] < pool.starts[c + 1] - pool.starts[c]);
    }
    assert_true(pool.mean_ids < 64.0 && pool.mean_ids > 10.0); /* ids repeat within a call */
    bench_id_pool_free(&pool);
}

static size_t lines_read, lines_updated;

static float count_read(const float *table, const uint32_t *lines, size_t n, size_t run,
                        size_t ahead)
{
    (void)table, (void)lines, (void)run, (void)ahead;
    lines_read += n;
    return 0.0f;
}

static void count_updated(float *table, const uint32_t *lines, size_t n, size_t run, size_t ahead,
                          float zero)
{
    (void)table, (void)lines, (void)run, (void)ahead, (void)zero;
    lines_updated += n;
}

/* Two fields of four rows of a line each: rows, moments of two lines, weights, and their moments in a line each. */
static void steps_touch_each_line_that_they_need(void **state)
{
    (void)state;
    enum { ROWS = 4, WIDTH = 16, FIELD = (ROWS + 2 * ROWS + 2) * WIDTH };
    static float memory[2 * FIELD];
    adass_table tables[2];
    for (size_t f = 0; f < 2; f++) {
        float *rows = memory + f * FIELD, *linear = rows + 3 * ROWS * WIDTH;
        tables[f] = (adass_table){ .vocab = ROWS,
                                   .width = WIDTH,
                                   .rows = rows,
                                   .moments = rows + ROWS * WIDTH,
                                   .linear = linear,
                                   .linear_moments = linear + WIDTH };
    }
    const adass_model model = { .n_fields = 2, .tables = tables, .memory = memory };
    const uint32_t ids[] = { 1, 0, 1, 3, 2, 3 };
    const uint32_t want[] = { 1,  12, 14, 26, 1,  12, 17, 26, 2,  12, 17, 26, /* read */
                              1,  6,  7,  12, 13, 2,  8,  9,  12, 13,         /* changed */
                              14, 18, 19, 26, 27, 17, 24, 25, 26, 27 };
    bench_step_rows rows;
    assert_true(bench_step_rows_make(&rows, &model, ids, 3, 1));
    assert_int_equal(rows.batches[0].read, 0);
    assert_int_equal(rows.batches[0].updated, 12);
    assert_int_equal(rows.batches[0].end, sizeof want / sizeof want[0]);
    assert_memory_equal(rows.lines, want, sizeof want);
    const bench_limit_loops loops = { .read_lines = count_read, .update_lines = count_updated };
    bench_step_rows_run(&rows, &loops, 0, 1, 0);
    assert_true(lines_read == 12 && lines_updated == 20);
    bench_step_rows_free(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_gives_every_combination_once),
        cmocka_unit_test(names_are_those_of_the_contract),
        cmocka_unit_test(lookup_counts_rows_ids_and_output),
        cmocka_unit_test(fields_count_their_own_sizes),
        cmocka_unit_test(updates_count_touched_rows_twice),
        cmocka_unit_test(rows_take_whole_lines),
        cmocka_unit_test(pools_hold_ids_in_range),
        cmocka_unit_test(steps_touch_each_line_that_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
