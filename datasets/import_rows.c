/* The engine of imports. */
#include "import_rows.h"

#include "counts.h"
#include "folds.h"
#include "id_tables.h"
#include "meta.h"
#include "split_at.h"
#include "spool.h"
#include "vocabulary.h"
#include "vocabulary_file.h"
#include "writer.h"

#include <inttypes.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_ROWS = 1000, /* at most */
    BATCH_BYTES =
        500000, /* of a batch's keys; of no power of two, so that the fields do not share sets of a cache */
    LOOKED_AHEAD =
        16, /* values whose memory is asked for before it is needed, so that the answers overlap */
    STREAM_SPLIT = 1,
    SHOWN_BAD_ROWS = 5,
    ASSEMBLED_ROWS = 4096,
    TAG_LABEL = 1, /* of a row's tag: its label, and above it its split */
    TAG_SPLIT = 1
};

/* What a thread and its blocks take beside the tables. */
static const size_t thread_bytes = (size_t)16 << 20, shared_bytes = (size_t)16 << 20;

typedef enum pass_kind { PASS_LINES, PASS_LABELS, PASS_COUNT, PASS_ENCODE } pass_kind;

/* A value whose text the vocabulary still lacks. */
typedef struct new_text {
    size_t vocabulary, length, offset; /* in the worker's texts */
    uint32_t id;
} new_text;

/* Grows by doubling. */
typedef struct buffer {
    void *items;
    size_t n, capacity;
} buffer;

/* A thread, and what it made of its block. */
typedef struct worker {
    adass_cell *cells;
    adass_cell *values; /* [kept rows x n_fields] */
    char *texts;        /* [kept rows x text_bytes] */
    /*
     * [n_fields][rows of a batch]: field by field, a table's frequent values stay in the cache while a batch is
     * looked up.
     */
    adass_key *keys;
    size_t batched;
    uint64_t rows[BATCH_ROWS]; /* their numbers */
    uint8_t tags[BATCH_ROWS];
    adass_counter *counter;
    uint32_t *numbers;     /* [rows of a batch], of a field's values */
    buffer packed;         /* char; PASS_COUNT: numbers of the block's values, see pack_numbers() */
    buffer ids;            /* uint32_t, [rows of the block x fields of the group] */
    adass_npy_later later; /* ids that were put in order and wait to be written */
    buffer
        row_tags; /* uint8_t, [rows of the block]; PASS_LABELS: a label or ADASS_NO_FOLD for each line */
    buffer new_texts;  /* new_text */
    buffer text_bytes; /* char */
    size_t bad;
    size_t n_shown;
    adass_error shown[SHOWN_BAD_ROWS];
    adass_status status; /* of what ends the import */
    adass_error err;
} worker;

/* A block's rows, counted by one thread: numbers of values, then tags. */
typedef struct counted_block {
    uint64_t offset; /* in the spool */
    size_t bytes;    /* of the numbers; tags follow, a byte a row */
    size_t rows;
    int thread;
} counted_block;

typedef struct engine {
    const adass_row_format *format;
    const adass_table_options *options;
    adass_inputs *inputs;
    const char *out_dir;
    adass_import_report *report;
    int threads;
    bool keys_alone;   /* nobody needs the values' texts */
    size_t batch_rows; /* looked up together */
    size_t
        kept_rows; /* whose values a worker holds: all of a batch, where the vocabulary needs their texts, or one */
    worker *workers;
    uint64_t lines;              /* of all texts */
    double train_end, valid_end; /* shares */
    uint64_t split_seed;
    uint8_t *folds; /* [lines] for ADASS_PROTOCOL_X4 */
    buffer labels;  /* while they are gathered for the folds */
    size_t table_bytes;
    adass_counts *counts;
    adass_spool
        *numbers;   /* what was counted, so that it is parsed once; NULL where texts are needed */
    buffer counted; /* counted_block */
    uint64_t split_rows[ADASS_N_SPLITS]; /* of these */
    adass_id_tables ids;
    char taken[ADASS_CHECKSUM_CHARS]; /* checksum of the vocabulary that was taken */
    adass_value_texts *texts;         /* NULL: not asked for */
    adass_writer *writer;
    /* this pass */
    pass_kind kind;
    bool told; /* a pass before has told of the bad rows: every pass meets them */
    size_t bad;
    uint64_t n_rows;
    size_t field_begin, field_end; /* PASS_ENCODE: the fields of the group */
    adass_spool *part, *tags;      /* NULL: rows go straight to the writer */
} engine;

/* ---- reports ---- */

void adass_report_warn(adass_import_report *report, const char *format, ...)
{
    if (report->n_warnings == ADASS_IMPORT_WARNINGS_MAX)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(report->warnings[report->n_warnings++], ADASS_IMPORT_WARNING_CHARS, format, args);
    va_end(args);
}

/* ---- buffers ---- */

/* Room for n more items, which count from here on; NULL when there is none. */
static void *extend(buffer *b, size_t n, size_t item_bytes)
{
    if (b->items == NULL || b->n + n > b->capacity) { /* never NULL for nothing */
        const size_t capacity = (b->n + n) * 2 + 64;
        void *items = realloc(b->items, capacity * item_bytes);
        if (items == NULL)
            return NULL;
        b->items = items;
        b->capacity = capacity;
    }
    void *place = (char *)b->items + b->n * item_bytes;
    b->n += n;
    return place;
}

static void fail_worker(worker *w, adass_status status)
{
    if (w->status == ADASS_OK)
        w->status = status;
}

static void *extend_or_fail(worker *w, buffer *b, size_t n, size_t item_bytes)
{
    void *place = extend(b, n, item_bytes);
    if (place == NULL)
        fail_worker(w, adass_fail_memory(&w->err, "rows", (double)(n * item_bytes)));
    return place;
}

/* ---- a batch of rows ---- */

static size_t vocabulary_of(const engine *e, size_t field)
{
    return e->format->fields[field].vocabulary;
}

static adass_key *keys_of(const engine *e, const worker *w, size_t field)
{
    return w->keys + field * e->batch_rows;
}

static void hash_row(const engine *e, worker *w, const adass_cell *values)
{
    adass_key *to = keys_of(e, w, 0) + w->batched;
    for (size_t f = e->field_begin; f < e->field_end; f++)
        to[f * e->batch_rows] = adass_key_of_value(values[f].text, values[f].length);
}

/* A line to the row's label and, where no text is kept, to its keys, which come next in the batch. */
static adass_status parse_row(const engine *e, worker *w, adass_line *line, adass_row *row,
                              adass_error *err)
{
    const adass_row_format *format = e->format;
    return e->keys_alone && e->kind != PASS_LABELS
               ? format->parse_keys(format->user, line, row, keys_of(e, w, 0) + w->batched,
                                    e->batch_rows, err)
               : format->parse(format->user, line, row, err);
}

static bool is_training(uint8_t tag) { return tag >> TAG_SPLIT == ADASS_TRAIN; }

/*
 * Appends a field's numbers of a batch: a byte that says how many bytes each takes, 1, 2 or 4, and these. `all` has the
 * bits of all numbers.
 */
static void pack_numbers(worker *w, uint32_t all)
{
    const size_t n = w->batched, width = all <= UINT8_MAX ? 1 : all <= UINT16_MAX ? 2 : 4;
    uint8_t *to = extend_or_fail(w, &w->packed, 1 + n * width, 1);
    if (to == NULL)
        return;
    *to++ = (uint8_t)width;
    for (size_t r = 0; r < n; r++) {
        const uint8_t one = (uint8_t)w->numbers[r];
        const uint16_t two = (uint16_t)w->numbers[r];
        if (width == 1)
            to[r] = one;
        else if (width == 2)
            memcpy(to + 2 * r, &two, sizeof two);
        else
            memcpy(to + 4 * r, &w->numbers[r], sizeof w->numbers[r]);
    }
}

static void count_field(const engine *e, worker *w, size_t f)
{
    const size_t n_fields = e->format->n_fields, vocabulary = vocabulary_of(e, f);
    const adass_key *keys = keys_of(e, w, f);
    uint32_t all = 0;
    for (size_t r = 0; r < w->batched; r++) {
        if (r + LOOKED_AHEAD < w->batched)
            adass_counter_prefetch(w->counter, vocabulary, keys[r + LOOKED_AHEAD]);
        w->numbers[r] = 0;
        if (adass_key_is_none(keys[r]))
            continue;
        adass_status status;
        adass_count *value = adass_counter_find(w->counter, vocabulary, keys[r], &status, &w->err);
        if (value == NULL) {
            fail_worker(w, status);
            return;
        }
        if (is_training(w->tags[r]))
            adass_count_one(value, w->rows[r] * n_fields + f);
        w->numbers[r] = value->number;
        all |= value->number;
    }
    if (e->numbers != NULL)
        pack_numbers(w, all);
}

static void count_batch(const engine *e, worker *w)
{
    uint8_t *tags = extend_or_fail(w, &w->row_tags, w->batched, 1);
    if (tags == NULL)
        return;
    memcpy(tags, w->tags, w->batched);
    for (size_t f = 0; f < e->format->n_fields && w->status == ADASS_OK; f++)
        count_field(e, w, f);
}

/* Keeps the text of a value that the vocabulary lacks. */
static void keep_text(const engine *e, worker *w, size_t vocabulary, uint32_t id,
                      const adass_cell *value)
{
    if (id == ADASS_OOV || adass_value_texts_have(e->texts, vocabulary, id))
        return;
    const size_t offset = w->text_bytes.n;
    char *text = extend_or_fail(w, &w->text_bytes, value->length, 1);
    new_text *entry = extend_or_fail(w, &w->new_texts, 1, sizeof *entry);
    if (text == NULL || entry == NULL)
        return;
    memcpy(text, value->text, value->length);
    *entry = (new_text){ vocabulary, value->length, offset, id };
}

static void encode_field(const engine *e, worker *w, size_t f, uint32_t *ids)
{
    const size_t width = e->field_end - e->field_begin, vocabulary = vocabulary_of(e, f);
    const adass_key *keys = keys_of(e, w, f);
    for (size_t r = 0; r < w->batched; r++, ids += width) {
        if (r + LOOKED_AHEAD < w->batched)
            adass_id_tables_prefetch(&e->ids, vocabulary, keys[r + LOOKED_AHEAD]);
        *ids = adass_key_is_none(keys[r]) ? (uint32_t)ADASS_OOV
                                          : adass_id_tables_find(&e->ids, vocabulary, keys[r]);
    }
}

static void keep_texts(const engine *e, worker *w, const uint32_t *ids)
{
    const size_t n_fields = e->format->n_fields;
    for (size_t r = 0; r < w->batched; r++)
        for (size_t f = e->field_begin; f < e->field_end; f++, ids++)
            if (is_training(w->tags[r]))
                keep_text(e, w, vocabulary_of(e, f), *ids, &w->values[r * n_fields + f]);
}

static void encode_batch(const engine *e, worker *w)
{
    const size_t width = e->field_end - e->field_begin;
    uint32_t *ids = extend_or_fail(w, &w->ids, w->batched * width, sizeof *ids);
    uint8_t *tags = extend_or_fail(w, &w->row_tags, w->batched, 1);
    if (ids == NULL || tags == NULL)
        return;
    memcpy(tags, w->tags, w->batched);
    for (size_t f = e->field_begin; f < e->field_end; f++)
        encode_field(e, w, f, ids + (f - e->field_begin));
    if (e->texts != NULL)
        keep_texts(e, w, ids);
}

static void end_batch(const engine *e, worker *w)
{
    if (e->kind == PASS_COUNT)
        count_batch(e, w);
    else if (e->kind == PASS_ENCODE)
        encode_batch(e, w);
    w->batched = 0;
}

/* ---- lines ---- */

/* Plain text: no byte that is 0 or above 127. A 0 borrows, or one follows a byte that does; both are looked at closely. */
static bool is_plain(const char *text, size_t length)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t found = 0, word;
    size_t i = 0;
    for (; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        found |= word | (word - ones);
    }
    for (; i < length; i++)
        found |= text[i] <= 0 ? tops : 0;
    return (found & tops) == 0;
}

/* Bytes of the UTF-8 character at `at`; 0 where there is none. */
static size_t character(const unsigned char *at, size_t left)
{
    const unsigned char c = at[0];
    if (c < 0x80)
        return 1;
    const size_t n = c >= 0xc2 && c < 0xe0   ? 2
                     : (c & 0xf0) == 0xe0    ? 3
                     : c >= 0xf0 && c < 0xf5 ? 4
                                             : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    /* neither longer than needed, nor surrogates, nor above U+10FFFF */
    if ((c == 0xe0 && at[1] < 0xa0) || (c == 0xed && at[1] > 0x9f) || (c == 0xf0 && at[1] < 0x90) ||
        (c == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

static adass_status check_text(const adass_line *line, adass_error *err)
{
    const unsigned char *text = (const unsigned char *)line->text;
    for (size_t i = 0, n; i < line->length; i += n) {
        n = character(text + i, line->length - i);
        if (n > 0 && text[i] != 0)
            continue;
        return adass_fail_cell(err, line, &(adass_cell){ line->text + i, line->length - i, i + 1 },
                               n == 0 ? "not UTF-8" : "a NUL byte; is it a text file?");
    }
    return ADASS_OK;
}

static adass_status check_line(const adass_line *line, bool plain, adass_error *err)
{
    if (line->length > ADASS_LINE_BYTES_MAX)
        return adass_fail(err, ADASS_EFORMAT,
                          "%s:%zu: a line of more than %d bytes; is it a text file?", line->path,
                          line->number, ADASS_LINE_BYTES_MAX);
    return plain ? ADASS_OK : check_text(line, err);
}

adass_status adass_line_check(const adass_line *line, adass_error *err)
{
    return check_line(line, false, err);
}

static adass_split split_of(const engine *e, uint64_t row)
{
    switch (e->options->protocol) {
    case ADASS_PROTOCOL_RANDOM:
        break;
    case ADASS_PROTOCOL_CHRONOLOGICAL:
        return (double)row < floor((double)e->lines * e->train_end)   ? ADASS_TRAIN
               : (double)row < floor((double)e->lines * e->valid_end) ? ADASS_VALID
                                                                      : ADASS_TEST;
    case ADASS_PROTOCOL_X4:
        if (row >= e->labels.n) /* the input grows; the pass will end in saying so */
            return ADASS_TRAIN;
        return e->folds[row] == 0 ? ADASS_TEST : e->folds[row] == 1 ? ADASS_VALID : ADASS_TRAIN;
    }
    return adass_split_by(e->split_seed, row, e->train_end, e->valid_end);
}

/* A row that cannot be used; false when it ends the import. */
static bool note_bad(const engine *e, worker *w, const adass_error *err)
{
    if (w->n_shown < SHOWN_BAD_ROWS)
        w->shown[w->n_shown++] = *err;
    w->bad++;
    return w->bad <= e->options->max_bad_rows;
}

/* Whether the numbers of all values were kept, and lead to their ids. */
static bool have_numbers(const engine *e)
{
    return e->numbers != NULL && !adass_counts_spilled(e->counts);
}

/* Whether a row's values are looked up: those outside of the training split only where their numbers are of use. */
static bool is_looked_up(const engine *e, uint8_t tag)
{
    return e->kind == PASS_ENCODE || is_training(tag) || have_numbers(e);
}

/* Tells whether to go on with the block. */
static bool parse_line(const engine *e, worker *w, adass_line *line, bool plain, uint64_t number)
{
    const size_t r = w->batched, kept = r % e->kept_rows;
    adass_row row = { .values = w->values + kept * e->format->n_fields,
                      .cells = w->cells,
                      .texts = w->texts + kept * e->format->text_bytes };
    adass_error err;
    adass_status status = check_line(line, plain, &err);
    if (status == ADASS_OK)
        status = parse_row(e, w, line, &row, &err);
    if (status == ADASS_EFORMAT)
        return note_bad(e, w, &err);
    if (status != ADASS_OK) {
        w->err = err;
        fail_worker(w, status);
        return false;
    }
    if (e->kind == PASS_LABELS) {
        ((uint8_t *)w->row_tags.items)[w->row_tags.n - 1] = row.label;
        return true;
    }
    w->rows[r] = number;
    w->tags[r] = (uint8_t)(row.label | (unsigned)split_of(e, number) << TAG_SPLIT);
    if (!is_looked_up(e, w->tags[r]))
        return true;
    if (!e->keys_alone)
        hash_row(e, w, row.values);
    if (++w->batched == e->batch_rows)
        end_batch(e, w);
    return w->status == ADASS_OK;
}

static void parse_block(void *user, int thread, const adass_block *block)
{
    const engine *e = user;
    worker *w = &e->workers[thread];
    w->packed.n = w->ids.n = w->row_tags.n = w->new_texts.n = w->text_bytes.n = 0;
    w->bad = w->n_shown = w->batched = 0;
    if (e->kind == PASS_LINES)
        return;
    const bool plain = is_plain(block->text, block->length);
    adass_line line;
    size_t at = 0;
    for (uint64_t row = block->row; adass_block_next(block, &at, &line); row++) {
        if (e->kind == PASS_LABELS) {
            uint8_t *label = extend_or_fail(w, &w->row_tags, 1, 1);
            if (label == NULL)
                return;
            *label = ADASS_NO_FOLD;
        }
        if (line.length > 0 && !parse_line(e, w, &line, plain, row))
            return;
    }
    end_batch(e, w);
}

/* ---- merging ---- */

static adass_status add_bad(engine *e, const worker *w, adass_error *err)
{
    for (size_t i = 0; i < w->n_shown && e->bad + i < SHOWN_BAD_ROWS && !e->told; i++)
        adass_report_warn(e->report, "row left out: %s", w->shown[i].message);
    e->bad += w->bad;
    if (e->bad <= e->options->max_bad_rows)
        return ADASS_OK;
    if (e->options->max_bad_rows == 0)
        return adass_fail(err, ADASS_EFORMAT, "%s", w->shown[0].message);
    return adass_fail(err, ADASS_EFORMAT, "more than %zu bad rows; one of them: %s",
                      e->options->max_bad_rows, w->shown[0].message);
}

static adass_status gather_labels(engine *e, const worker *w, adass_error *err)
{
    if (e->labels.n + w->row_tags.n > e->table_bytes / 4)
        return adass_fail(err, ADASS_ENOMEM,
                          "the folds of so many rows do not fit the memory bound; raise --memory");
    void *to = extend(&e->labels, w->row_tags.n, 1);
    if (to == NULL)
        return adass_fail_memory(err, "labels", (double)e->labels.n);
    memcpy(to, w->row_tags.items, w->row_tags.n);
    return ADASS_OK;
}

static adass_status keep_numbers(engine *e, const worker *w, int thread, adass_error *err)
{
    if (!have_numbers(e))
        return ADASS_OK;
    counted_block *block = extend(&e->counted, 1, sizeof *block);
    if (block == NULL)
        return adass_fail_memory(err, "blocks", (double)e->counted.n * sizeof *block);
    for (size_t r = 0; r < w->row_tags.n; r++)
        e->split_rows[((const uint8_t *)w->row_tags.items)[r] >> TAG_SPLIT]++;
    *block = (counted_block){ adass_spool_bytes(e->numbers), w->packed.n, w->row_tags.n, thread };
    const adass_status status = adass_spool_append(e->numbers, w->packed.items, w->packed.n, err);
    return status == ADASS_OK
               ? adass_spool_append(e->numbers, w->row_tags.items, w->row_tags.n, err)
               : status;
}

/* Rows to the writer, those in a row of the same split at once. */
static adass_status write_rows(adass_writer *writer, const uint32_t *ids, const uint8_t *tags,
                               size_t n, size_t n_fields, adass_npy_later *later, adass_error *err)
{
    enum { RUN_MAX = 256 };
    uint8_t labels[RUN_MAX];
    adass_status status = ADASS_OK;
    for (size_t begin = 0, end; begin < n && status == ADASS_OK; begin = end) {
        const unsigned split = tags[begin] >> TAG_SPLIT;
        for (end = begin; end < n && end - begin < RUN_MAX && tags[end] >> TAG_SPLIT == split;
             end++)
            labels[end - begin] = tags[end] & TAG_LABEL;
        status = adass_writer_add_later(writer, (adass_split)split, ids + begin * n_fields, labels,
                                        end - begin, later, err);
    }
    return status;
}

static adass_status add_texts(engine *e, const worker *w, adass_error *err)
{
    const new_text *entries = w->new_texts.items;
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < w->new_texts.n && status == ADASS_OK; i++)
        status = adass_value_texts_add(e->texts, entries[i].vocabulary, entries[i].id,
                                       (const char *)w->text_bytes.items + entries[i].offset,
                                       entries[i].length, err);
    return status;
}

static adass_status add_encoded(engine *e, const worker *w, adass_error *err)
{
    const size_t n = w->row_tags.n;
    adass_status status = add_texts(e, w, err);
    e->n_rows += n;
    if (status != ADASS_OK || n == 0)
        return status;
    if (e->part == NULL)
        return write_rows(e->writer, w->ids.items, w->row_tags.items, n, e->format->n_fields, NULL,
                          err);
    status = adass_spool_append(e->part, w->ids.items, w->ids.n * sizeof(uint32_t), err);
    if (status == ADASS_OK && e->field_begin == 0)
        status = adass_spool_append(e->tags, w->row_tags.items, n, err);
    return status;
}

static adass_status merge_block(void *user, int thread, const adass_block *block, adass_error *err)
{
    (void)block;
    engine *e = user;
    const worker *w = &e->workers[thread];
    if (w->status != ADASS_OK) {
        *err = w->err;
        return w->status;
    }
    const adass_status status = add_bad(e, w, err);
    if (status != ADASS_OK)
        return status;
    return e->kind == PASS_LABELS   ? gather_labels(e, w, err)
           : e->kind == PASS_COUNT  ? keep_numbers(e, w, thread, err)
           : e->kind == PASS_ENCODE ? add_encoded(e, w, err)
                                    : ADASS_OK;
}

static adass_status check_header(void *user, adass_line *line, bool *is_header, adass_error *err)
{
    const engine *e = user;
    return e->format->header(e->format->user, line, is_header, err);
}

static adass_status run_pass(engine *e, pass_kind kind, const char *stage, adass_error *err)
{
    const adass_block_work work = { .user = e,
                                    .header = e->format->header != NULL ? check_header : NULL,
                                    .parse = parse_block,
                                    .merge = merge_block,
                                    .lines_only = kind == PASS_LINES,
                                    .stage = stage };
    e->kind = kind;
    e->bad = 0;
    e->n_rows = 0;
    uint64_t lines;
    const adass_status status =
        adass_blocks_run(e->inputs, e->threads, &work, e->options->monitor, &lines, err);
    if (status == ADASS_OK && kind == PASS_LINES)
        e->lines = lines;
    if (status == ADASS_OK && e->lines != 0 && lines != e->lines) /* that splits went by */
        return adass_fail(err, ADASS_EIO,
                          "the input had %" PRIu64 " lines, now %" PRIu64
                          ": it changed while it was read; try again",
                          e->lines, lines);
    e->told |= kind != PASS_LINES;
    return status;
}

/* ---- passes ---- */

static adass_status make_folds(engine *e, adass_error *err)
{
    const adass_status status = run_pass(e, PASS_LABELS, "reading labels, bytes", err);
    if (status != ADASS_OK)
        return status;
    e->folds = e->labels.items;
    e->table_bytes -= e->labels.capacity;
    return adass_folds_stratify(e->folds, e->labels.n, err);
}

/* What the splits of all rows depend on. */
static adass_status prepare_splits(engine *e, adass_error *err)
{
    switch (e->options->protocol) {
    case ADASS_PROTOCOL_RANDOM:
        break;
    case ADASS_PROTOCOL_CHRONOLOGICAL:
        return run_pass(e, PASS_LINES, "counting lines, bytes", err);
    case ADASS_PROTOCOL_X4:
        return make_folds(e, err);
    }
    return ADASS_OK;
}

static adass_key key_of_count(const void *values, size_t i)
{
    const adass_count *value = (const adass_count *)values + i;
    return (adass_key){ value->low, value->high };
}

static adass_status set_ids(void *user, size_t vocabulary, adass_count *values, size_t n,
                            adass_error *err)
{
    engine *e = user;
    if (have_numbers(e)) /* nobody looks for a value any more */
        return adass_id_tables_set_size(&e->ids, vocabulary, n, err);
    return adass_id_tables_set(&e->ids, vocabulary, n, key_of_count, values, err);
}

static adass_status count_values(engine *e, adass_error *err)
{
    const adass_row_format *format = e->format;
    e->field_begin = 0;
    e->field_end = format->n_fields;
    /* The other third is for the tables of ids, which are made while counts are still there. */
    adass_status status = adass_counts_open(&e->counts, format->n_vocabularies, e->threads,
                                            e->table_bytes / 3 * 2, e->out_dir, err);
    if (status == ADASS_OK && !e->options->write_vocabulary)
        status = adass_spool_open(&e->numbers, e->out_dir, err);
    for (int k = 0; k < e->threads && status == ADASS_OK; k++)
        e->workers[k].counter = adass_counts_counter(e->counts, k);
    if (status == ADASS_OK)
        status = run_pass(e, PASS_COUNT, "counting, bytes", err);
    if (status == ADASS_OK)
        status = adass_counts_settle(e->counts, err);
    if (status == ADASS_OK)
        status =
            adass_id_tables_init(&e->ids, format->n_vocabularies, format->vocabularies,
                                 e->table_bytes, adass_counts_spilled(e->counts), e->out_dir, err);
    if (status == ADASS_OK)
        status = adass_counts_finish(e->counts, e->options->min_count, format->vocabularies,
                                     set_ids, e, err);
    return status;
}

static adass_status take_vocabulary(engine *e, adass_error *err)
{
    const adass_status status =
        adass_id_tables_init(&e->ids, e->format->n_vocabularies, e->format->vocabularies,
                             e->table_bytes, true, e->out_dir, err);
    return status == ADASS_OK
               ? adass_vocabulary_read(e->options->vocabulary, &e->ids, e->taken, err)
               : status;
}

/* ---- encoding ---- */

static size_t field_of(const engine *e, size_t vocabulary)
{
    size_t f = 0;
    while (f < e->format->n_fields && vocabulary_of(e, f) < vocabulary)
        f++;
    return f;
}

/* A group of fields whose ids wait for the others. */
typedef struct part {
    adass_spool *spool;
    size_t begin, end;
} part;

static adass_status read_part(const part *p, uint64_t at, size_t n, uint32_t *values, uint32_t *ids,
                              size_t n_fields, adass_error *err)
{
    const size_t width = p->end - p->begin;
    const adass_status status = adass_spool_read(p->spool, at * width * sizeof *values, values,
                                                 n * width * sizeof *values, err);
    for (size_t r = 0; r < n && status == ADASS_OK; r++)
        memcpy(ids + r * n_fields + p->begin, values + r * width, width * sizeof *values);
    return status;
}

static adass_status assemble_rows(engine *e, const part *parts, size_t n_parts, uint32_t *ids,
                                  uint32_t *values, adass_error *err)
{
    uint8_t tags[ASSEMBLED_ROWS];
    adass_status status = adass_spool_flush(e->tags, err);
    for (size_t p = 0; p < n_parts && status == ADASS_OK; p++)
        status = adass_spool_flush(parts[p].spool, err);
    for (uint64_t at = 0; at < e->n_rows && status == ADASS_OK; at += ASSEMBLED_ROWS) {
        const uint64_t left = e->n_rows - at;
        const size_t n = left < ASSEMBLED_ROWS ? (size_t)left : ASSEMBLED_ROWS;
        status = adass_spool_read(e->tags, at, tags, n, err);
        for (size_t p = 0; p < n_parts && status == ADASS_OK; p++)
            status = read_part(&parts[p], at, n, values, ids, e->format->n_fields, err);
        if (status == ADASS_OK)
            status = write_rows(e->writer, ids, tags, n, e->format->n_fields, NULL, err);
        if (status == ADASS_OK)
            status =
                adass_monitor_tick(e->options->monitor, "joining, rows", at, e->n_rows, "", err);
    }
    return status;
}

static adass_status assemble(engine *e, const part *parts, size_t n_parts, adass_error *err)
{
    const size_t bytes = ASSEMBLED_ROWS * e->format->n_fields * sizeof(uint32_t);
    uint32_t *ids = malloc(bytes), *values = malloc(bytes);
    const adass_status status = ids != NULL && values != NULL
                                    ? assemble_rows(e, parts, n_parts, ids, values, err)
                                    : adass_fail_memory(err, "rows", 2.0 * (double)bytes);
    free(ids);
    free(values);
    return status;
}

/* The fields whose tables do not fit together, group by group. `end` is that of the first group's vocabularies. */
static adass_status encode_groups(engine *e, part *parts, size_t end, adass_error *err)
{
    size_t n = 0, begin = 0;
    adass_status status = adass_spool_open(&e->tags, e->out_dir, err);
    while (status == ADASS_OK && begin < e->ids.n) {
        if (begin > 0)
            status = adass_id_tables_load(&e->ids, begin, &end, err);
        parts[n] = (part){ NULL, field_of(e, begin), field_of(e, end) };
        if (status == ADASS_OK)
            status = adass_spool_open(&parts[n].spool, e->out_dir, err);
        e->part = parts[n].spool;
        e->field_begin = parts[n].begin;
        e->field_end = parts[n].end;
        n++;
        if (status == ADASS_OK)
            status = run_pass(e, PASS_ENCODE, "encoding a part of the fields, bytes", err);
        begin = end;
    }
    e->part = NULL;
    if (status == ADASS_OK)
        status = assemble(e, parts, n, err);
    for (size_t p = 0; p < n; p++)
        adass_spool_close(parts[p].spool);
    adass_spool_close(e->tags);
    return status;
}

/* A field's ids of n rows, from what pack_numbers() wrote; gives what follows. */
static const uint8_t *translate_field(const uint8_t *from, const uint32_t *of_number, size_t n,
                                      size_t n_fields, uint32_t *ids)
{
    const size_t width = *from++;
    for (size_t r = 0; r < n; r++, ids += n_fields) {
        uint16_t two;
        uint32_t number;
        if (width == 1) {
            number = from[r];
        } else if (width == 2) {
            memcpy(&two, from + 2 * r, sizeof two);
            number = two;
        } else {
            memcpy(&number, from + 4 * r, sizeof number);
        }
        *ids = of_number[number];
    }
    return from + n * width;
}

static adass_status translate_block(const engine *e, worker *w, const counted_block *block,
                                    adass_error *err)
{
    const size_t n_fields = e->format->n_fields;
    const adass_count_table *tables = adass_counts_counter(e->counts, block->thread)->tables;
    w->packed.n = w->ids.n = w->row_tags.n = 0;
    uint8_t *packed = extend(&w->packed, block->bytes, 1);
    uint32_t *ids = extend(&w->ids, block->rows * n_fields, sizeof *ids);
    uint8_t *tags = extend(&w->row_tags, block->rows, 1);
    if (packed == NULL || ids == NULL || tags == NULL)
        return adass_fail_memory(err, "rows", (double)(block->rows * n_fields * sizeof *ids));
    adass_status status = adass_spool_read(e->numbers, block->offset, packed, block->bytes, err);
    if (status == ADASS_OK)
        status = adass_spool_read(e->numbers, block->offset + block->bytes, tags, block->rows, err);
    const uint8_t *from = packed;
    for (size_t r = 0; r < block->rows && status == ADASS_OK; r += e->batch_rows) {
        const size_t left = block->rows - r, n = left < e->batch_rows ? left : e->batch_rows;
        for (size_t f = 0; f < n_fields; f++)
            from = translate_field(from, tables[vocabulary_of(e, f)].ids, n, n_fields,
                                   ids + r * n_fields + f);
    }
    return status;
}

/* Called in the order of the blocks. */
static adass_status add_translated(engine *e, worker *w, size_t block, adass_error *err)
{
    const size_t n = w->row_tags.n;
    e->n_rows += n;
    const adass_status status = write_rows(e->writer, w->ids.items, w->row_tags.items, n,
                                           e->format->n_fields, &w->later, err);
    if (status != ADASS_OK || omp_get_thread_num() != 0) /* the thread that began the work tells */
        return status;
    return adass_monitor_tick(e->options->monitor, "encoding, blocks", block + 1, e->counted.n, "",
                              err);
}

/* What a thread of translate() met; the first one counts. */
typedef struct outcome {
    adass_status status;
    adass_error *err;
} outcome;

static bool is_failed(const outcome *o)
{
    adass_status status;
#pragma omp atomic read
    status = o->status;
    return status != ADASS_OK;
}

static void note(outcome *o, adass_status status, const adass_error *err)
{
    if (status == ADASS_OK)
        return;
#pragma omp critical
    if (!is_failed(o)) {
        if (o->err != NULL)
            *o->err = *err;
#pragma omp atomic write
        o->status = status;
    }
}

/* The numbers that were kept while counting become ids; nothing is parsed again. Only the order is one thread's. */
static adass_status translate(engine *e, adass_error *err)
{
    const counted_block *blocks = e->counted.items;
    adass_status status = adass_spool_flush(e->numbers, err);
    for (int k = 0; k < e->threads && status == ADASS_OK; k++)
        status = adass_npy_later_init(&e->workers[k].later, err);
    adass_writer_expect(e->writer, e->split_rows);
    outcome all = { status, err };
#pragma omp parallel for ordered schedule(static, 1) num_threads(e->threads)
    for (size_t b = 0; b < e->counted.n; b++) {
        worker *w = &e->workers[omp_get_thread_num()];
        adass_error local;
        if (!is_failed(&all))
            note(&all, translate_block(e, w, &blocks[b], &local), &local);
#pragma omp ordered
        if (!is_failed(&all))
            note(&all, add_translated(e, w, b, &local), &local);
        if (!is_failed(&all))
            note(&all, adass_npy_write_later(&w->later, &local), &local);
    }
    return all.status;
}

/* What was freed may stay with the process, which the bound knows nothing of. */
static void give_back_memory(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

static adass_status encode(engine *e, adass_error *err)
{
    if (have_numbers(e))
        return translate(e, err);
    adass_counts_close(e->counts);
    e->counts = NULL;
    give_back_memory();
    size_t end;
    const adass_status status = adass_id_tables_load(&e->ids, 0, &end, err);
    if (status != ADASS_OK)
        return status;
    e->field_begin = 0;
    e->field_end = e->format->n_fields;
    if (end == e->ids.n)
        return run_pass(e, PASS_ENCODE, "encoding, bytes", err);
    part *parts = malloc(e->ids.n * sizeof *parts);
    const adass_status encoded =
        parts != NULL ? encode_groups(e, parts, end, err)
                      : adass_fail_memory(err, "parts", (double)(e->ids.n * sizeof *parts));
    free(parts);
    return encoded;
}

/* ---- the vocabulary ---- */

static adass_status prepare_texts(engine *e, adass_error *err)
{
    if (!e->options->write_vocabulary || e->options->vocabulary != NULL)
        return ADASS_OK;
    size_t values = 0;
    for (size_t v = 0; v < e->ids.n; v++)
        values += e->ids.tables[v].n;
    const size_t bytes = values * sizeof(uint64_t);
    if (bytes > e->table_bytes / 3)
        return adass_fail(
            err, ADASS_ENOMEM,
            "--write-vocab needs %.1f MiB for %zu values, which does not fit the memory "
            "bound; raise --memory, or --min-count",
            (double)bytes / (1024.0 * 1024.0), values);
    return adass_value_texts_open(&e->texts, &e->ids, e->out_dir, err);
}

static adass_status write_vocabulary(engine *e, adass_error *err)
{
    if (!e->options->write_vocabulary)
        return ADASS_OK;
    FILE *file;
    adass_status status = adass_writer_create_vocabulary(e->writer, &file, err);
    if (status != ADASS_OK)
        return status;
    status = e->texts != NULL ? adass_value_texts_write(e->texts, file, err)
                              : adass_vocabulary_copy(e->options->vocabulary, file, err);
    if (fclose(file) != 0 && status == ADASS_OK)
        status = adass_fail(err, ADASS_EIO, "%s cannot be written", ADASS_VOCABULARY_FILE);
    return status;
}

/* ---- the end ---- */

static const char *protocol_name(adass_protocol protocol)
{
    static const char *const names[] = { "random", "chronological", "x4" };
    return names[protocol];
}

static json_t *inputs_json(const engine *e)
{
    json_t *list = json_array();
    for (size_t i = 0; i < adass_inputs_count(e->inputs); i++)
        json_array_append_new(list, json_string(adass_inputs_checksum(e->inputs, i)));
    return list;
}

/* How it was made: what changes the bytes of the dataset, and nothing else. */
static json_t *made_json(const engine *e, const char *by)
{
    const adass_table_options *o = e->options;
    json_t *made = json_pack("{s:s, s:s}", "by", by, "protocol", protocol_name(o->protocol));
    if (o->protocol != ADASS_PROTOCOL_X4)
        json_object_set_new(made, "ratio",
                            json_pack("[f, f, f]", o->ratio[0], o->ratio[1], o->ratio[2]));
    if (o->protocol == ADASS_PROTOCOL_RANDOM)
        json_object_set_new(made, "seed", adass_json_u64(o->seed));
    if (o->vocabulary == NULL)
        json_object_set_new(made, "min_count", json_integer((json_int_t)o->min_count));
    else
        json_object_set_new(made, "vocabulary", json_string(e->taken));
    json_object_set_new(made, "bad_rows", json_integer((json_int_t)e->bad));
    json_object_set_new(made, "raw", inputs_json(e));
    if (e->format->made != NULL)
        json_object_update(made, e->format->made);
    return made;
}

static adass_status finish(engine *e, const char *by, adass_error *err)
{
    const size_t n = e->format->n_fields;
    adass_field *fields = calloc(n, sizeof *fields);
    json_t *made = made_json(e, by);
    adass_status status = fields != NULL && made != NULL
                              ? ADASS_OK
                              : adass_fail_memory(err, "meta.json", (double)(n * sizeof *fields));
    for (size_t f = 0; f < n && status == ADASS_OK; f++)
        fields[f] = (adass_field){ .name = (char *)e->format->fields[f].name, /* only read */
                                   .vocab = e->ids.tables[vocabulary_of(e, f)].n + 1,
                                   .oov = ADASS_OOV };
    if (status == ADASS_OK)
        status = adass_writer_finish(e->writer, fields, 0.0, made, err);
    free(fields);
    json_decref(made);
    return status;
}

/* ---- the whole ---- */

static adass_status make_worker(const engine *e, worker *w, adass_error *err)
{
    const adass_row_format *format = e->format;
    const size_t n = e->batch_rows * format->n_fields;
    w->cells = calloc(format->n_cells + 1, sizeof *w->cells); /* + 1: never NULL for nothing */
    w->values = calloc(e->kept_rows * format->n_fields, sizeof *w->values);
    w->texts = calloc(e->kept_rows, format->text_bytes + 1);
    w->keys = calloc(n, sizeof *w->keys);
    w->numbers = calloc(e->batch_rows, sizeof *w->numbers);
    return w->cells != NULL && w->values != NULL && w->texts != NULL && w->keys != NULL &&
                   w->numbers != NULL
               ? ADASS_OK
               : adass_fail_memory(err, "rows", (double)n * sizeof *w->values);
}

/* Rows that are looked up together, and how many of them must keep their values. */
static void size_batches(engine *e)
{
    const size_t rows =
        BATCH_BYTES / sizeof(adass_key) / (e->format->n_fields + 1); /* + 1: never by 0 */
    e->batch_rows = rows < 1 ? 1 : rows > BATCH_ROWS ? BATCH_ROWS : rows;
    e->kept_rows = e->options->write_vocabulary ? e->batch_rows : 1;
}

static void free_worker(worker *w)
{
    free(w->cells);
    free(w->values);
    free(w->texts);
    free(w->keys);
    free(w->numbers);
    free(w->later.buffer);
    free(w->packed.items);
    free(w->ids.items);
    free(w->row_tags.items);
    free(w->new_texts.items);
    free(w->text_bytes.items);
}

/* What is left of the bound for tables. */
static adass_status share_memory(engine *e, adass_error *err)
{
    const size_t threads = (size_t)e->threads, fixed = threads * thread_bytes + shared_bytes;
    const size_t least = threads * adass_counts_bytes_min(e->format->n_vocabularies) / 2 * 3;
    if (e->options->memory_bytes < fixed + least)
        return adass_fail(
            err, ADASS_EINVAL,
            "a memory bound of %.1f MiB is too low for %d threads and %zu fields; they need "
            "%.1f MiB",
            (double)e->options->memory_bytes / (1024.0 * 1024.0), e->threads, e->format->n_fields,
            (double)(fixed + least) / (1024.0 * 1024.0));
    e->table_bytes = e->options->memory_bytes - fixed;
    return ADASS_OK;
}

static adass_status import(engine *e, const char *by, adass_error *err)
{
    adass_status status = share_memory(e, err);
    size_batches(e);
    e->workers = calloc((size_t)e->threads, sizeof *e->workers);
    if (e->workers == NULL)
        return adass_fail_memory(err, "threads", (double)e->threads * sizeof *e->workers);
    for (int k = 0; k < e->threads && status == ADASS_OK; k++)
        status = make_worker(e, &e->workers[k], err);
    if (status == ADASS_OK)
        status = adass_writer_open(&e->writer, e->out_dir, e->format->n_fields, err);
    if (status == ADASS_OK)
        status = prepare_splits(e, err);
    if (status == ADASS_OK)
        status = e->options->vocabulary != NULL ? take_vocabulary(e, err) : count_values(e, err);
    if (status == ADASS_OK)
        status = prepare_texts(e, err);
    if (status == ADASS_OK)
        status = encode(e, err);
    if (status == ADASS_OK && e->n_rows == 0)
        status = adass_fail(err, ADASS_EFORMAT, "the input has no rows");
    if (status == ADASS_OK)
        status = write_vocabulary(e, err);
    return status == ADASS_OK ? finish(e, by, err) : status;
}

adass_status adass_import_rows(const char *by, const adass_row_format *format, adass_inputs *inputs,
                               const adass_table_options *options, const char *out_dir,
                               adass_import_report *report, adass_error *err)
{
    const double sum = options->ratio[0] + options->ratio[1] + options->ratio[2];
    engine e = { .format = format,
                 .options = options,
                 .inputs = inputs,
                 .out_dir = out_dir,
                 .report = report,
                 .threads = options->threads,
                 .keys_alone = format->parse_keys != NULL && !options->write_vocabulary,
                 .train_end = options->ratio[0] / sum,
                 .valid_end = (options->ratio[0] + options->ratio[1]) / sum,
                 .split_seed = adass_seed_derive(options->seed, STREAM_SPLIT) };
    const adass_status status = import(&e, by, err);
    report->bad_rows += e.bad;
    adass_value_texts_close(e.texts);
    adass_counts_close(e.counts);
    adass_spool_close(e.numbers);
    free(e.counted.items);
    adass_id_tables_free(&e.ids);
    adass_writer_close(e.writer);
    for (int k = 0; e.workers != NULL && k < e.threads; k++)
        free_worker(&e.workers[k]);
    free(e.workers);
    free(e.labels.items);
    return status;
}
