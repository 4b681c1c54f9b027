/* Negatives for logs of what was used. */
#include "sample_negatives.h"

#include "adass/rng.h"
#include "dictionary.h"
#include "import_rows.h"
#include "meta.h"
#include "spool.h"

#include <stdlib.h>
#include <string.h>

enum { NEGATIVES = 2, STREAM_NEGATIVES = 2, SHOWN_BAD_ROWS = 5 };
enum { USER, ITEM, TIMES, CONTEXT, N_COLUMNS = 11 };

static const char header[] =
    "user\titem\tcnt\tdaytime\tweekday\tisweekend\thomework\tcost\tweather\tcountry\tcity";
static const adass_dialect dialect = { "\t", false, N_COLUMNS };

typedef struct sampler {
    const adass_table_options *options;
    adass_import_report *report;
    adass_dictionary items;
    adass_dictionary contexts; /* of a user: both as one text */
    adass_dictionary pairs;    /* numbers of a context and of an item used in it, as 8 bytes */
    uint32_t *used;            /* [contexts.n], items of each */
    size_t used_capacity;
    uint64_t seed;
    size_t bad;
    bool writing; /* the second pass */
    adass_spool *table;
} sampler;

/* What a line says. */
typedef struct use {
    adass_cell user, item, context; /* the context: the line from its first column on */
} use;

static adass_status parse_use(adass_line *line, use *out, adass_error *err)
{
    adass_cell cells[N_COLUMNS];
    uint64_t times;
    adass_status status = adass_line_check(line, err);
    if (status == ADASS_OK)
        status = adass_line_split(line, &dialect, cells, err);
    if (status != ADASS_OK)
        return status;
    for (size_t i = USER; i <= ITEM; i++)
        if (cells[i].length == 0)
            return adass_fail_cell(err, line, &cells[i],
                                   i == USER ? "the user is empty" : "the item is empty");
    if (!adass_cell_whole(&cells[TIMES], &times) || times == 0)
        return adass_fail_cell(err, line, &cells[TIMES], "cnt is no whole number from 1 on");
    const size_t begin = cells[CONTEXT].column - 1;
    *out =
        (use){ cells[USER], cells[ITEM], { line->text + begin, line->length - begin, begin + 1 } };
    return ADASS_OK;
}

/* ---- first pass: what was used ---- */

static size_t dictionary_bytes(const adass_dictionary *d)
{
    return d->ends_capacity * sizeof *d->ends + d->texts_capacity + d->n_slots * sizeof *d->slots;
}

static adass_status check_memory(const sampler *s, adass_error *err)
{
    const size_t bytes = dictionary_bytes(&s->items) + dictionary_bytes(&s->contexts) +
                         dictionary_bytes(&s->pairs) + s->used_capacity * sizeof *s->used;
    return bytes <= s->options->memory_bytes
               ? ADASS_OK
               : adass_fail(err, ADASS_ENOMEM,
                            "what each user used in each context does not fit the memory bound; "
                            "raise --memory");
}

static adass_status reserve_used(sampler *s, adass_error *err)
{
    if (s->contexts.n <= s->used_capacity)
        return ADASS_OK;
    const size_t capacity = s->used_capacity * 2 + 1024;
    uint32_t *used = realloc(s->used, capacity * sizeof *used);
    if (used == NULL)
        return adass_fail_memory(err, "contexts", (double)(capacity * sizeof *used));
    s->used = used;
    s->used_capacity = capacity;
    return ADASS_OK;
}

/* The number of a user with a context. `text`: a buffer of the length of the line. */
static adass_status add_context(sampler *s, const use *u, char *text, uint32_t *number,
                                adass_error *err)
{
    memcpy(text, u->user.text, u->user.length);
    text[u->user.length] = '\t';
    memcpy(text + u->user.length + 1, u->context.text, u->context.length);
    return adass_dictionary_add(&s->contexts, text, u->user.length + 1 + u->context.length, number,
                                err);
}

static adass_status find_numbers(sampler *s, const use *u, uint32_t *context, uint32_t *item,
                                 adass_error *err)
{
    char *text = malloc(u->user.length + u->context.length + 1);
    if (text == NULL)
        return adass_fail_memory(err, "a context", (double)u->context.length);
    adass_status status = add_context(s, u, text, context, err);
    free(text);
    if (status == ADASS_OK)
        status = adass_dictionary_add(&s->items, u->item.text, u->item.length, item, err);
    return status;
}

static adass_status note_use(sampler *s, const use *u, adass_error *err)
{
    const uint32_t contexts = s->contexts.n, pairs = s->pairs.n;
    uint32_t pair[2], number;
    adass_status status = find_numbers(s, u, &pair[0], &pair[1], err);
    if (status == ADASS_OK)
        status = reserve_used(s, err);
    if (status == ADASS_OK)
        status = adass_dictionary_add(&s->pairs, (const char *)pair, sizeof pair, &number, err);
    if (status != ADASS_OK)
        return status;
    if (s->contexts.n > contexts)
        s->used[pair[0]] = 0;
    s->used[pair[0]] += s->pairs.n > pairs;
    return check_memory(s, err);
}

static adass_status note_bad(sampler *s, const adass_error *bad, adass_error *err)
{
    if (++s->bad > s->options->max_bad_rows)
        return s->options->max_bad_rows == 0
                   ? adass_fail(err, ADASS_EFORMAT, "%s", bad->message)
                   : adass_fail(err, ADASS_EFORMAT, "more than %zu bad rows; one of them: %s",
                                s->options->max_bad_rows, bad->message);
    if (s->bad <= SHOWN_BAD_ROWS)
        adass_report_warn(s->report, "row left out: %s", bad->message);
    return ADASS_OK;
}

/* ---- second pass: rows with negatives ---- */

static adass_status write_row(sampler *s, char label, const use *u, const char *item,
                              size_t item_length, adass_error *err)
{
    const struct {
        const char *text;
        size_t length;
    } parts[] = {
        { &label, 1 },         { "\t", 1 }, { u->user.text, u->user.length },       { "\t", 1 },
        { item, item_length }, { "\t", 1 }, { u->context.text, u->context.length }, { "\n", 1 }
    };
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == ADASS_OK; i++)
        status = adass_spool_append(s->table, parts[i].text, parts[i].length, err);
    return status;
}

static adass_status write_negative(sampler *s, const use *u, uint32_t item, adass_error *err)
{
    const size_t begin = item > 0 ? s->items.ends[item - 1] : 0;
    return write_row(s, '0', u, s->items.texts + begin, s->items.ends[item] - begin, err);
}

/* An item that the context does not have, and that is not `other` either. */
static uint32_t draw_item(const sampler *s, uint32_t context, uint32_t other, adass_rng *rng)
{
    for (;;) {
        const uint32_t pair[2] = { context, (uint32_t)adass_rng_below(rng, s->items.n) };
        uint32_t number;
        if (pair[1] != other &&
            !adass_dictionary_find(&s->pairs, (const char *)pair, sizeof pair, &number))
            return pair[1];
    }
}

static adass_status write_use(sampler *s, const adass_line *line, const use *u, uint64_t row,
                              adass_error *err)
{
    uint32_t context, item, negative = UINT32_MAX;
    adass_status status = find_numbers(s, u, &context, &item, err);
    if (status != ADASS_OK)
        return status;
    if (s->items.n - s->used[context] < NEGATIVES)
        return adass_fail_cell(err, line, &u->user,
                               "less than two items are left that the user did not use in this "
                               "context, so that there are no negatives");
    adass_rng rng;
    adass_rng_init(&rng, adass_mix_at(s->seed, row));
    status = write_row(s, '1', u, u->item.text, u->item.length, err);
    for (size_t i = 0; i < NEGATIVES && status == ADASS_OK; i++) {
        negative = draw_item(s, context, negative, &rng);
        status = write_negative(s, u, negative, err);
    }
    return status;
}

/* ---- passes ---- */

static adass_status check_header(void *user, adass_line *line, bool *is_header, adass_error *err)
{
    (void)user;
    const adass_cell whole = { line->text, line->length, 1 };
    *is_header = adass_cell_is(&whole, header);
    return *is_header ? ADASS_OK
                      : adass_fail_cell(err, line, &whole,
                                        "the header is not user, item, cnt, daytime, weekday, "
                                        "isweekend, homework, cost, weather, country, city");
}

static adass_status take_line(sampler *s, adass_line *line, uint64_t row, adass_error *err)
{
    use u;
    adass_error bad;
    const adass_status status = parse_use(line, &u, &bad);
    if (status == ADASS_OK)
        return s->writing ? write_use(s, line, &u, row, err) : note_use(s, &u, err);
    return s->writing ? ADASS_OK : note_bad(s, &bad, err);
}

static void leave_to_merge(void *user, int thread, const adass_block *block)
{
    (void)user, (void)thread, (void)block;
}

static adass_status take_block(void *user, int thread, const adass_block *block, adass_error *err)
{
    (void)thread;
    adass_line line;
    adass_status status = ADASS_OK;
    size_t at = 0;
    for (uint64_t row = block->row; status == ADASS_OK && adass_block_next(block, &at, &line);
         row++)
        if (line.length > 0)
            status = take_line(user, &line, row, err);
    return status;
}

/* Negatives depend on all uses: one thread, in order. */
static adass_status run_pass(sampler *s, adass_inputs *raw, bool writing, const char *stage,
                             adass_error *err)
{
    const adass_block_work work = { .user = s,
                                    .header = check_header,
                                    .parse = leave_to_merge,
                                    .merge = take_block,
                                    .stage = stage };
    uint64_t lines;
    s->writing = writing;
    return adass_blocks_run(raw, 1, &work, s->options->monitor, &lines, err);
}

static adass_status describe(const sampler *s, const adass_inputs *raw, json_t **made,
                             adass_error *err)
{
    json_t *checksums = json_array();
    for (size_t i = 0; i < adass_inputs_count(raw); i++)
        json_array_append_new(checksums, json_string(adass_inputs_checksum(raw, i)));
    *made = json_pack("{s:i, s:o, s:I, s:o}", "negatives", NEGATIVES, "seed",
                      adass_json_u64(s->options->seed), "bad_rows", (json_int_t)s->bad, "raw",
                      checksums);
    return *made != NULL ? ADASS_OK : adass_fail_memory(err, "meta.json", 1024.0);
}

adass_status adass_sample_negatives(adass_inputs *raw, const adass_table_options *options,
                                    const char *out_dir, adass_inputs **out, json_t **made,
                                    adass_import_report *report, adass_error *err)
{
    sampler s = { .options = options,
                  .report = report,
                  .seed = adass_seed_derive(options->seed, STREAM_NEGATIVES) };
    adass_status status = run_pass(&s, raw, false, "reading what was used, bytes", err);
    if (status == ADASS_OK)
        status = adass_spool_open(&s.table, out_dir, err);
    if (status == ADASS_OK)
        status = run_pass(&s, raw, true, "drawing negatives, bytes", err);
    if (status == ADASS_OK)
        status = describe(&s, raw, made, err);
    if (status == ADASS_OK) {
        status = adass_inputs_open_spool(out, s.table, "the rows with negatives", err);
        s.table = NULL;
    }
    report->bad_rows = s.bad;
    adass_spool_close(s.table);
    adass_dictionary_free(&s.items);
    adass_dictionary_free(&s.contexts);
    adass_dictionary_free(&s.pairs);
    free(s.used);
    return status;
}
