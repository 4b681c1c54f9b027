/* Counting values in bounded memory. */
#include "counts.h"

#include "adass/memory.h"
#include "spool.h"

#include <omp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { FIRST_SLOTS = 64, RUN_VALUES = 4096, RUN_VALUES_MIN = 16, MAPPED_BYTES = 2 << 20 };

#define FIRST_BYTES (FIRST_SLOTS * sizeof(adass_count))

/* Where a run's values of one vocabulary are, in the order of their keys. */
typedef struct extent {
    uint64_t offset, n;
} extent;

struct adass_counts {
    size_t n_vocabularies;
    int threads;
    size_t bound; /* of a thread's tables, so that none is left without */
    adass_counter *counters;
    const char *beside;
    atomic_bool spilled;
    pthread_mutex_t lock; /* of what follows */
    adass_spool *spool;   /* NULL while everything fits */
    size_t n_runs, runs_capacity;
    extent *runs; /* [n_runs x n_vocabularies] */
};

/* ---- tables ---- */

static size_t limit_of(size_t n_slots) { return n_slots / 8 * 5; }

/*
 * Large tables are pages of their own: they grow where they are, without a second copy. What the system gives is zero, free
 * slots.
 */
static bool is_mapped(size_t n_slots) { return n_slots * sizeof(adass_count) >= MAPPED_BYTES; }

static adass_count *make_slots(size_t n_slots)
{
    const size_t bytes = n_slots * sizeof(adass_count);
    if (!is_mapped(n_slots))
        return adass_alloc(bytes);
    void *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED)
        return NULL;
    (void)madvise(pages, bytes, MADV_HUGEPAGE); /* advice: no harm where it is refused */
    return pages;
}

static void free_slots(adass_count *slots, size_t n_slots)
{
    if (slots != NULL && is_mapped(n_slots))
        munmap(slots, n_slots * sizeof *slots);
    else
        free(slots);
}

static bool make_table(adass_count_table *t, size_t n_slots)
{
    adass_count *slots = make_slots(n_slots);
    if (slots == NULL)
        return false;
    *t = (adass_count_table){ .slots = slots, .mask = n_slots - 1, .limit = limit_of(n_slots) };
    return true;
}

/* The slot of a value, or the free one where it would be. */
static adass_count *probe(const adass_count_table *t, const adass_count *value)
{
    size_t i = (size_t)value->low & t->mask;
    while (t->slots[i].number != 0 &&
           !(t->slots[i].low == value->low && t->slots[i].high == value->high))
        i = (i + 1) & t->mask;
    return &t->slots[i];
}

/* Another thread's value, without its occurrences. */
static void put(adass_count_table *t, const adass_count *value)
{
    adass_count *slot = probe(t, value);
    if (slot->number == 0)
        *slot = (adass_count){
            .low = value->low, .high = value->high, .number = (uint32_t)++t->n, .first = UINT64_MAX
        };
}

/* Adds another thread's occurrences of a value that is here; gives the number that it has, or 0 where it is not. */
static uint32_t add(adass_count_table *t, const adass_count *value)
{
    adass_count *slot = probe(t, value);
    if (slot->number == 0)
        return 0;
    slot->count += value->count;
    if (value->first < slot->first)
        slot->first = value->first;
    return slot->number;
}

/* Moves all values to a larger table. */
static bool move_values(adass_count_table *t, size_t n_slots)
{
    adass_count_table larger;
    if (!make_table(&larger, n_slots))
        return false;
    for (size_t i = 0; i <= t->mask; i++)
        if (t->slots[i].number != 0)
            *probe(&larger, &t->slots[i]) = t->slots[i];
    larger.n = t->n;
    free_slots(t->slots, t->mask + 1);
    *t = larger;
    return true;
}

/*
 * Twice the slots in the same pages: a value stays, or goes as many slots further as there were. Values are put anew one by
 * one, from behind a free slot on and around, so that each meets only those that were: it never comes to lie further from
 * its slot than before, and thus not behind one that is still to be put.
 */
static bool double_slots(adass_count_table *t)
{
    const size_t n = t->mask + 1, bytes = n * sizeof *t->slots;
    void *pages = mremap(t->slots, bytes, 2 * bytes, MREMAP_MAYMOVE);
    if (pages == MAP_FAILED)
        return false;
    t->slots = pages;
    t->mask = 2 * n - 1;
    t->limit = limit_of(2 * n);
    size_t begin = 0;
    while (t->slots[begin].number != 0)
        begin++;
    for (size_t k = 1; k < n; k++) {
        adass_count *slot = &t->slots[(begin + k) & (n - 1)];
        const adass_count value = *slot;
        if (value.number == 0)
            continue;
        *slot = (adass_count){ 0 };
        *probe(t, &value) = value;
    }
    return true;
}

static adass_status grow(adass_counter *c, adass_count_table *t, size_t n_slots, adass_error *err)
{
    const size_t old = t->mask + 1;
    if (!(n_slots == 2 * old && is_mapped(old) ? double_slots(t) : move_values(t, n_slots)))
        return adass_fail_memory(err, "a table of values", (double)n_slots * sizeof *t->slots);
#pragma omp atomic
    c->bytes += (n_slots - old) * sizeof *t->slots; /* tables are merged side by side */
    return ADASS_OK;
}

static void drop_slots(adass_count_table *t)
{
    free_slots(t->slots, t->mask + 1);
    t->slots = NULL;
}

/* Moves the values that occur so often, at least once, to the front; it is no table any more. */
static size_t compact(adass_count_table *t, uint64_t min_count)
{
    size_t n = 0;
    for (size_t i = 0; i <= t->mask; i++)
        if (t->slots[i].count >= min_count)
            t->slots[n++] = t->slots[i];
    return n;
}

/* ---- spilling ---- */

static int by_key(const void *a, const void *b)
{
    const adass_count *x = a, *y = b;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    return x->high < y->high ? -1 : x->high > y->high;
}

static adass_status reserve_run(adass_counts *c, adass_error *err)
{
    if (c->spool == NULL) {
        atomic_store_explicit(&c->spilled, true, memory_order_relaxed);
        const adass_status status = adass_spool_open(&c->spool, c->beside, err);
        if (status != ADASS_OK)
            return status;
    }
    if (c->n_runs < c->runs_capacity)
        return ADASS_OK;
    const size_t capacity = c->runs_capacity * 2 + 16;
    extent *runs = realloc(c->runs, capacity * c->n_vocabularies * sizeof *runs);
    if (runs == NULL)
        return adass_fail_memory(err, "runs of values",
                                 (double)(capacity * c->n_vocabularies) * sizeof *runs);
    c->runs = runs;
    c->runs_capacity = capacity;
    return ADASS_OK;
}

/* Writes all tables of a thread as one run; they are to be made anew. */
static adass_status write_run(adass_counts *c, adass_counter *counter, const size_t *n,
                              adass_error *err)
{
    adass_status status = reserve_run(c, err);
    extent *run = status == ADASS_OK ? c->runs + c->n_runs * c->n_vocabularies : NULL;
    for (size_t v = 0; v < c->n_vocabularies && status == ADASS_OK; v++) {
        run[v] = (extent){ adass_spool_bytes(c->spool), n[v] };
        status =
            adass_spool_append(c->spool, counter->tables[v].slots, n[v] * sizeof(adass_count), err);
    }
    c->n_runs += status == ADASS_OK;
    return status;
}

static adass_status spill(adass_counter *counter, adass_error *err)
{
    adass_counts *c = counter->counts;
    size_t *n = malloc(c->n_vocabularies * sizeof *n);
    if (n == NULL)
        return adass_fail_memory(err, "a run of values", (double)c->n_vocabularies * sizeof *n);
    for (size_t v = 0; v < c->n_vocabularies; v++) {
        n[v] = compact(&counter->tables[v], 1);
        qsort(counter->tables[v].slots, n[v], sizeof(adass_count), by_key);
    }
    pthread_mutex_lock(&c->lock);
    adass_status status = write_run(c, counter, n, err);
    pthread_mutex_unlock(&c->lock);
    free(n);
    for (size_t v = 0; v < c->n_vocabularies; v++) {
        drop_slots(&counter->tables[v]);
        if (status == ADASS_OK && !make_table(&counter->tables[v], FIRST_SLOTS))
            status = adass_fail_memory(err, "a table of values", FIRST_BYTES);
    }
    counter->bytes = c->n_vocabularies * FIRST_BYTES;
    counter->largest = FIRST_SLOTS;
    return status;
}

/*
 * Whether a table may grow: both copies fit while it does, as if large ones were not doubled in place, and all
 * tables beside what sorting the largest takes.
 */
static bool growing_fits(const adass_counter *c, const adass_count_table *t)
{
    const size_t n_slots = (t->mask + 1) * 2, most = c->counts->bound / sizeof *t->slots;
    const size_t have = c->bytes / sizeof *t->slots;
    const size_t largest = n_slots > c->largest ? n_slots : c->largest;
    return have + n_slots <= most && have + n_slots / 2 + limit_of(largest) <= most &&
           t->limit < UINT32_MAX / 2; /* as many numbers as 32 bits have */
}

adass_count *adass_counter_insert(adass_counter *c, size_t vocabulary, adass_key key,
                                  adass_status *status, adass_error *err)
{
    adass_count_table *t = &c->tables[vocabulary];
    *status = ADASS_OK;
    if (t->n == t->limit) {
        *status = growing_fits(c, t) ? grow(c, t, (t->mask + 1) * 2, err) : spill(c, err);
        if (*status != ADASS_OK)
            return NULL;
        c->largest = t->mask + 1 > c->largest ? t->mask + 1 : c->largest;
    }
    const adass_count value = { .low = key.low, .high = key.high, .first = UINT64_MAX };
    adass_count *slot = probe(t, &value);
    *slot = value;
    slot->number = (uint32_t)++t->n;
    return slot;
}

/* ---- opening ---- */

size_t adass_counts_bytes_min(size_t n_vocabularies)
{
    /* Room for one table to grow now and then, so that no run is ever tiny. */
    return n_vocabularies * FIRST_BYTES + ((size_t)1 << 18);
}

adass_status adass_counts_open(adass_counts **out, size_t n_vocabularies, int threads, size_t bytes,
                               const char *beside, adass_error *err)
{
    adass_counts *c = calloc(1, sizeof *c);
    if (c == NULL)
        return adass_fail_memory(err, "tables of values", (double)sizeof *c);
    *c = (adass_counts){ .n_vocabularies = n_vocabularies,
                         .threads = threads,
                         .bound = bytes / (size_t)threads,
                         .beside = beside,
                         .lock = PTHREAD_MUTEX_INITIALIZER };
    c->counters = calloc((size_t)threads, sizeof *c->counters);
    bool ok = c->counters != NULL;
    for (int k = 0; k < threads && ok; k++) {
        c->counters[k] = (adass_counter){ .counts = c, .bytes = n_vocabularies * FIRST_BYTES };
        c->counters[k].tables = calloc(n_vocabularies, sizeof(adass_count_table));
        ok = c->counters[k].tables != NULL;
        for (size_t v = 0; v < n_vocabularies && ok; v++)
            ok = make_table(&c->counters[k].tables[v], FIRST_SLOTS);
    }
    if (!ok) {
        adass_counts_close(c);
        return adass_fail_memory(err, "tables of values",
                                 (double)threads * (double)adass_counts_bytes_min(n_vocabularies));
    }
    *out = c;
    return ADASS_OK;
}

adass_counter *adass_counts_counter(adass_counts *counts, int thread)
{
    return &counts->counters[thread];
}

bool adass_counts_spilled(const adass_counts *counts)
{
    return atomic_load_explicit(&counts->spilled, memory_order_relaxed);
}

/* ---- finishing ---- */

static int by_frequency(const void *a, const void *b)
{
    const adass_count *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void order(adass_count *values, size_t n)
{
    if (n > 1) /* `values` may be NULL where none is kept */
        qsort(values, n, sizeof *values, by_frequency);
}

static size_t values_of(const adass_counts *c, size_t v)
{
    size_t n = 0;
    for (int k = 0; k < c->threads; k++)
        n += c->counters[k].tables[v].n;
    return n;
}

/* Slots that hold so many values below the limit. */
static size_t slots_for(size_t n)
{
    size_t n_slots = FIRST_SLOTS;
    while (limit_of(n_slots) < n)
        n_slots *= 2;
    return n_slots;
}

/* Whether the threads' tables can be put together within the bound, and numbers be led to ids. */
static bool merging_fits(const adass_counts *c)
{
    size_t bytes = 0, most = 0;
    for (int k = 0; k < c->threads; k++)
        bytes += c->counters[k].bytes;
    for (size_t v = 0; v < c->n_vocabularies; v++) {
        const size_t n = values_of(c, v);
        if (n > UINT32_MAX)
            return false;
        bytes += 2 * n * sizeof(uint32_t);
        bytes += c->threads > 1 ? slots_for(n) * sizeof(adass_count) : 0;
        most = n > most ? n : most;
    }
    bytes += most * sizeof(adass_count) * (size_t)c->threads; /* for sorting */
    return bytes <= c->bound * (size_t)c->threads;
}

/* Values of a table that occur so often. */
static size_t count_frequent(const adass_count_table *t, uint64_t min_count)
{
    size_t n = 0;
    for (size_t i = 0; i <= t->mask; i++)
        n += t->slots[i].count >= min_count;
    return n;
}

/*
 * Puts what may be kept together in the first thread's table; `first` of the others becomes the number there, or 0. A
 * value that occurs min_count times in all does so at least min_count / threads times in one of the tables: the others,
 * most of them, need no place in the first.
 */
static adass_status merge_tables(adass_counts *c, size_t v, uint64_t min_count, adass_error *err)
{
    adass_count_table *all = &c->counters[0].tables[v];
    const uint64_t frequent = (min_count - 1) / (uint64_t)c->threads + 1;
    size_t n = all->n;
    for (int k = 1; k < c->threads; k++)
        n += count_frequent(&c->counters[k].tables[v], frequent);
    const size_t n_slots = slots_for(n);
    if (n_slots > all->mask + 1) {
        const adass_status status = grow(&c->counters[0], all, n_slots, err);
        if (status != ADASS_OK)
            return status;
    }
    for (int k = 1; k < c->threads; k++) {
        const adass_count_table *t = &c->counters[k].tables[v];
        for (size_t i = 0; i <= t->mask; i++)
            if (t->slots[i].count >= frequent)
                put(all, &t->slots[i]);
    }
    for (int k = 1; k < c->threads; k++) {
        adass_count_table *t = &c->counters[k].tables[v];
        for (size_t i = 0; i <= t->mask; i++)
            if (t->slots[i].number != 0)
                t->slots[i].first = add(all, &t->slots[i]);
    }
    return ADASS_OK;
}

/* The ids of the first thread's numbers: places among the values that were kept. */
static adass_status make_ids(adass_count_table *all, const adass_count *kept, size_t n,
                             adass_error *err)
{
    all->ids = calloc(all->n + 1, sizeof *all->ids);
    if (all->ids == NULL)
        return adass_fail_memory(err, "ids of values", (double)(all->n * sizeof *all->ids));
    for (size_t i = 0; i < n; i++)
        all->ids[kept[i].number] = (uint32_t)i + 1;
    return ADASS_OK;
}

/* The ids of another thread's numbers, after merge_tables(). */
static adass_status follow_ids(adass_count_table *t, const uint32_t *ids, adass_error *err)
{
    t->ids = calloc(t->n + 1, sizeof *t->ids);
    if (t->ids == NULL)
        return adass_fail_memory(err, "ids of values", (double)(t->n * sizeof *t->ids));
    for (size_t i = 0; i <= t->mask; i++)
        t->ids[t->slots[i].number] = ids[t->slots[i].first]; /* 0 for free slots */
    return ADASS_OK;
}

static adass_status finish_in_memory(adass_counts *c, size_t v, uint64_t min_count,
                                     adass_counts_use *use, void *user, adass_error *err)
{
    adass_count_table *all = &c->counters[0].tables[v];
    adass_status status = merge_tables(c, v, min_count, err);
    const size_t kept = status == ADASS_OK ? compact(all, min_count) : 0;
    order(all->slots, kept);
    if (status == ADASS_OK)
        status = make_ids(all, all->slots, kept, err);
    for (int k = 1; k < c->threads && status == ADASS_OK; k++)
        status = follow_ids(&c->counters[k].tables[v], all->ids, err);
    if (status == ADASS_OK)
        status = use(user, v, all->slots, kept, err);
    for (int k = 0; k < c->threads; k++)
        drop_slots(&c->counters[k].tables[v]);
    return status;
}

/* A vocabulary by the number of its values. */
typedef struct sized {
    size_t vocabulary, values;
} sized;

static int by_size(const void *a, const void *b)
{
    const sized *x = a, *y = b;
    if (x->values != y->values)
        return x->values > y->values ? -1 : 1;
    return x->vocabulary < y->vocabulary ? -1 : x->vocabulary > y->vocabulary;
}

/* The largest first, so that no thread is left with one at the end. */
static adass_status finish_all_in_memory(adass_counts *c, uint64_t min_count, adass_counts_use *use,
                                         void *user, adass_error *err)
{
    adass_status status = ADASS_OK;
    sized *largest_first = malloc(c->n_vocabularies * sizeof *largest_first);
    if (largest_first == NULL)
        return adass_fail_memory(err, "the order of fields",
                                 (double)c->n_vocabularies * sizeof *largest_first);
    for (size_t v = 0; v < c->n_vocabularies; v++)
        largest_first[v] = (sized){ v, values_of(c, v) };
    qsort(largest_first, c->n_vocabularies, sizeof *largest_first, by_size);
#pragma omp parallel for schedule(dynamic) num_threads(c->threads)
    for (size_t i = 0; i < c->n_vocabularies; i++) {
        const size_t v = largest_first[i].vocabulary;
        adass_error local;
        const adass_status one = finish_in_memory(c, v, min_count, use, user, &local);
#pragma omp critical
        if (one != ADASS_OK && status == ADASS_OK) {
            status = one;
            if (err != NULL)
                *err = local;
        }
    }
    free(largest_first);
    return status;
}

/* ---- merging runs ---- */

/* A run that is being read. */
typedef struct cursor {
    uint64_t offset, left; /* of what is not in `values` yet */
    adass_count *values;
    size_t at, n, capacity;
} cursor;

typedef struct merge {
    adass_counts *c;
    size_t n;            /* runs with values left */
    cursor *runs;        /* a heap by the key at `at` */
    adass_count *values; /* the kept ones of the vocabulary */
    size_t kept, capacity, most;
} merge;

static adass_status refill(const merge *m, cursor *r, adass_error *err)
{
    r->n = r->left < r->capacity ? (size_t)r->left : r->capacity;
    r->at = 0;
    const size_t bytes = r->n * sizeof *r->values;
    const adass_status status = adass_spool_read(m->c->spool, r->offset, r->values, bytes, err);
    r->offset += bytes;
    r->left -= r->n;
    return status;
}

static bool before(const cursor *a, const cursor *b)
{
    return by_key(&a->values[a->at], &b->values[b->at]) < 0;
}

static void sift(merge *m, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < m->n; child++)
            if (before(&m->runs[child], &m->runs[least]))
                least = child;
        if (least == i)
            return;
        const cursor swap = m->runs[i];
        m->runs[i] = m->runs[least];
        m->runs[least] = swap;
        i = least;
    }
}

/* The next value in the order of keys. */
static adass_status next_value(merge *m, adass_count *out, adass_error *err)
{
    cursor *top = &m->runs[0];
    *out = top->values[top->at++];
    if (top->at == top->n && top->left > 0) {
        const adass_status status = refill(m, top, err);
        if (status != ADASS_OK)
            return status;
    }
    if (top->at == top->n) { /* the run is used up; its memory stays at the end of the array */
        const cursor used = *top;
        *top = m->runs[--m->n];
        m->runs[m->n] = used;
    }
    sift(m, 0);
    return ADASS_OK;
}

static adass_status start(merge *m, size_t v, adass_error *err)
{
    const adass_counts *c = m->c;
    m->n = m->kept = 0;
    for (size_t r = 0; r < c->n_runs; r++) {
        const extent *e = &c->runs[r * c->n_vocabularies + v];
        if (e->n == 0)
            continue;
        cursor *run = &m->runs[m->n++];
        run->offset = e->offset;
        run->left = e->n;
        const adass_status status = refill(m, run, err);
        if (status != ADASS_OK)
            return status;
    }
    for (size_t i = m->n / 2; i-- > 0;)
        sift(m, i);
    return ADASS_OK;
}

static adass_status keep_one(merge *m, const adass_count *value, const char *name, adass_error *err)
{
    if (m->kept == m->most)
        return adass_fail(
            err, ADASS_ENOMEM,
            "field %s: more than %zu values are left, which does not fit the memory bound; "
            "raise --memory, or --min-count",
            name, m->most);
    if (m->kept == m->capacity) {
        size_t capacity = m->capacity * 2 + 1024;
        capacity = capacity < m->most ? capacity : m->most;
        adass_count *values = realloc(m->values, capacity * sizeof *values);
        if (values == NULL)
            return adass_fail_memory(err, "the values of a field",
                                     (double)capacity * sizeof *values);
        m->values = values;
        m->capacity = capacity;
    }
    m->values[m->kept++] = *value;
    return ADASS_OK;
}

/* Sums up what the runs have of each value. */
static adass_status merge_vocabulary(merge *m, size_t v, uint64_t min_count, const char *name,
                                     adass_error *err)
{
    adass_status status = start(m, v, err);
    adass_count sum = { 0 }, value;
    while (m->n > 0 && status == ADASS_OK) {
        status = next_value(m, &value, err);
        if (status != ADASS_OK)
            return status;
        if (sum.count > 0 && sum.low == value.low && sum.high == value.high) {
            sum.count += value.count;
            sum.first = value.first < sum.first ? value.first : sum.first;
            continue;
        }
        if (sum.count > 0 && sum.count >= min_count)
            status = keep_one(m, &sum, name, err);
        sum = value;
    }
    if (status == ADASS_OK && sum.count > 0 && sum.count >= min_count)
        status = keep_one(m, &sum, name, err);
    return status;
}

static adass_status merge_all(merge *m, uint64_t min_count, const char *const *names,
                              adass_counts_use *use, void *user, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t v = 0; v < m->c->n_vocabularies && status == ADASS_OK; v++) {
        status = merge_vocabulary(m, v, min_count, names[v], err);
        if (status == ADASS_OK) {
            order(m->values, m->kept);
            status = use(user, v, m->values, m->kept, err);
        }
    }
    return status;
}

static adass_status finish_runs(adass_counts *c, uint64_t min_count, const char *const *names,
                                adass_counts_use *use, void *user, adass_error *err)
{
    const size_t bound = c->bound * (size_t)c->threads;
    size_t each = bound / 32 / sizeof(adass_count) / c->n_runs;
    each = each > RUN_VALUES ? RUN_VALUES : each < RUN_VALUES_MIN ? RUN_VALUES_MIN : each;
    /* With what sorting takes, and the buffers, they fill the bound and the part that is set aside for tables of ids. */
    merge m = { .c = c, .most = bound / 64 * 47 / sizeof(adass_count) };
    m.runs = calloc(c->n_runs, sizeof *m.runs);
    adass_count *buffers = malloc(c->n_runs * each * sizeof *buffers);
    adass_status status = ADASS_OK;
    if (m.runs == NULL || buffers == NULL)
        status =
            adass_fail_memory(err, "runs of values", (double)(c->n_runs * each) * sizeof *buffers);
    for (size_t r = 0; r < c->n_runs && status == ADASS_OK; r++)
        m.runs[r] = (cursor){ .values = buffers + r * each, .capacity = each };
    if (status == ADASS_OK)
        status = merge_all(&m, min_count, names, use, user, err);
    free(m.values);
    free(m.runs);
    free(buffers);
    return status;
}

adass_status adass_counts_settle(adass_counts *counts, adass_error *err)
{
    if (counts->spool == NULL && merging_fits(counts))
        return ADASS_OK;
    adass_status status = ADASS_OK;
    for (int k = 0; k < counts->threads && status == ADASS_OK; k++)
        status = spill(&counts->counters[k], err);
    return status == ADASS_OK ? adass_spool_flush(counts->spool, err) : status;
}

adass_status adass_counts_finish(adass_counts *counts, uint64_t min_count, const char *const *names,
                                 adass_counts_use *use, void *user, adass_error *err)
{
    return counts->spool == NULL ? finish_all_in_memory(counts, min_count, use, user, err)
                                 : finish_runs(counts, min_count, names, use, user, err);
}

void adass_counts_close(adass_counts *counts)
{
    if (counts == NULL)
        return;
    for (int k = 0; counts->counters != NULL && k < counts->threads; k++) {
        for (size_t v = 0; counts->counters[k].tables != NULL && v < counts->n_vocabularies; v++) {
            drop_slots(&counts->counters[k].tables[v]);
            free(counts->counters[k].tables[v].ids);
        }
        free(counts->counters[k].tables);
    }
    free(counts->counters);
    free(counts->runs);
    adass_spool_close(counts->spool);
    pthread_mutex_destroy(&counts->lock);
    free(counts);
}
