/* The ids of values. */
#include "id_tables.h"

#include "adass/memory.h"
#include "spool.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 16, CHUNK = 4096 };

adass_status adass_id_tables_init(adass_id_tables *out, size_t n, const char *const *names,
                                  size_t bytes, bool waiting, const char *beside, adass_error *err)
{
    *out = (adass_id_tables){ .n = n, .names = names, .bound = bytes, .waiting = waiting };
    out->tables = calloc(n, sizeof *out->tables);
    if (out->tables == NULL)
        return adass_fail_memory(err, "tables of ids", (double)n * sizeof *out->tables);
    return waiting ? adass_spool_open(&out->spool, beside, err) : ADASS_OK;
}

static size_t slots_for(size_t n)
{
    size_t n_slots = FIRST_SLOTS;
    while (n_slots / 8 * 5 < n)
        n_slots *= 2;
    return n_slots;
}

static size_t bytes_of(size_t n) { return slots_for(n) * sizeof(adass_id_slot); }

static adass_status make_table(adass_id_table *table, adass_error *err)
{
    const size_t n_slots = slots_for(table->n);
    table->slots = adass_alloc(n_slots * sizeof *table->slots);
    if (table->slots == NULL)
        return adass_fail_memory(err, "a table of ids", (double)bytes_of(table->n));
    table->mask = n_slots - 1;
    return ADASS_OK;
}

static void put(adass_id_table *table, const adass_id_slot *value)
{
    size_t i = (size_t)value->low & table->mask;
    while (table->slots[i].id != 0)
        i = (i + 1) & table->mask;
    table->slots[i] = *value;
}

adass_status adass_id_tables_set_size(adass_id_tables *t, size_t vocabulary, size_t n,
                                      adass_error *err)
{
    if (n >= UINT32_MAX)
        return adass_fail(err, ADASS_EFORMAT,
                          "field %s: %zu values are more than 32 bits can number",
                          t->names[vocabulary], n);
    t->tables[vocabulary].n = n;
    return ADASS_OK;
}

adass_status adass_id_tables_set(adass_id_tables *t, size_t vocabulary, size_t n,
                                 adass_key (*next)(const void *values, size_t i),
                                 const void *values, adass_error *err)
{
    adass_id_table *table = &t->tables[vocabulary];
    adass_status status = adass_id_tables_set_size(t, vocabulary, n, err);
    if (status != ADASS_OK)
        return status;
    if (t->waiting)
        table->offset = adass_spool_bytes(t->spool);
    else
        status = make_table(table, err);
    for (size_t i = 0; i < n && status == ADASS_OK; i++) {
        const adass_key key = next(values, i);
        const adass_id_slot value = { key.low, key.high, (uint32_t)i + 1 };
        if (t->waiting)
            status = adass_spool_append(t->spool, &value, sizeof value, err);
        else
            put(table, &value);
    }
    return status;
}

/* ---- tables that wait ---- */

static adass_status load_table(const adass_id_tables *t, adass_id_table *table, adass_error *err)
{
    adass_status status = make_table(table, err);
    adass_id_slot chunk[CHUNK];
    for (size_t at = 0; at < table->n && status == ADASS_OK; at += CHUNK) {
        const size_t n = table->n - at < CHUNK ? table->n - at : CHUNK;
        status = adass_spool_read(t->spool, table->offset + at * sizeof *chunk, chunk,
                                  n * sizeof *chunk, err);
        for (size_t i = 0; i < n && status == ADASS_OK; i++)
            put(table, &chunk[i]);
    }
    return status;
}

static void drop_tables(adass_id_tables *t)
{
    for (size_t v = 0; v < t->n && t->tables != NULL; v++) {
        free(t->tables[v].slots);
        t->tables[v].slots = NULL;
    }
}

adass_status adass_id_tables_load(adass_id_tables *t, size_t begin, size_t *end, adass_error *err)
{
    *end = t->n;
    if (!t->waiting)
        return ADASS_OK;
    drop_tables(t);
    adass_status status = adass_spool_flush(t->spool, err);
    size_t bytes = 0;
    for (*end = begin; *end < t->n && status == ADASS_OK; (*end)++) {
        bytes += bytes_of(t->tables[*end].n);
        if (bytes > t->bound)
            break;
        status = load_table(t, &t->tables[*end], err);
    }
    if (status == ADASS_OK && *end == begin)
        return adass_fail(err, ADASS_ENOMEM,
                          "field %s: its %zu values need %.1f MiB, which does not fit the memory "
                          "bound; raise --memory, or --min-count",
                          t->names[begin], t->tables[begin].n, (double)bytes / (1024.0 * 1024.0));
    return status;
}

void adass_id_tables_free(adass_id_tables *t)
{
    drop_tables(t);
    free(t->tables);
    adass_spool_close(t->spool);
    *t = (adass_id_tables){ 0 };
}
