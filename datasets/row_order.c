/* The order of an epoch's rows. */
#include "row_order.h"

#include "adass/memory.h"

#include <stdlib.h>

/*
 * A block is read from disk in one piece: at 1 MiB the seek of a slow disk is no longer the larger
 * part.
 */
enum { BLOCK_BYTES = 1 << 20 };

/* Places drawn ahead of their use, so that the swaps of one group wait for memory together. */
enum { DRAWN_AHEAD = 64 };

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* Sets the cut of the rows; false when there are more blocks than numbers for them. */
static bool cut_rows(adass_row_order *order, size_t row_bytes, size_t memory_bytes)
{
    const uint64_t max_places = (uint64_t)1 << ADASS_ROW_ORDER_LABEL;
    if (order->n_rows <= memory_bytes / row_bytes && order->n_rows <= max_places) {
        order->block_shift = 32;
        order->n_blocks = order->window_blocks = 1;
        return true;
    }
    while (order->block_shift < 31 && (row_bytes << (order->block_shift + 1)) <= BLOCK_BYTES)
        order->block_shift++;
    const uint64_t block_rows = (uint64_t)1 << order->block_shift;
    const uint64_t blocks = (order->n_rows - 1) / block_rows + 1;
    const uint64_t window_rows = min_u64(memory_bytes / 2 / row_bytes, max_places);
    if (blocks > UINT32_MAX)
        return false;
    order->n_blocks = (uint32_t)blocks;
    order->window_blocks = (uint32_t)min_u64(window_rows / block_rows, blocks);
    if (order->window_blocks == 0)
        order->window_blocks = 1;
    return true;
}

adass_status adass_row_order_init(adass_row_order *order, uint64_t n_rows, const uint8_t *labels,
                                  size_t row_bytes, size_t memory_bytes, adass_error *err)
{
    *order = (adass_row_order){ .n_rows = n_rows, .labels = labels };
    if (n_rows == 0)
        return adass_fail(err, ADASS_EINVAL, "0 rows have no order");
    if (!cut_rows(order, row_bytes, memory_bytes))
        return adass_fail(err, ADASS_EINVAL, "%llu rows of %zu bytes are too many to be shuffled",
                          (unsigned long long)n_rows, row_bytes);
    const uint64_t places = min_u64(n_rows, (uint64_t)order->window_blocks << order->block_shift);
    order->blocks = adass_alloc(order->n_blocks * sizeof *order->blocks);
    order->places = adass_alloc(places * sizeof *order->places);
    if (order->blocks == NULL || order->places == NULL) {
        adass_row_order_free(order);
        return adass_fail_memory(err, "the order of the rows",
                                 ((double)places + (double)order->n_blocks) * 4.0);
    }
    return ADASS_OK;
}

/*
 * Fisher and Yates. What is drawn does not depend on the items, so it is drawn ahead and the items
 * are prefetched: 7 million places are made and permuted in 0.05 s instead of 0.13 s (EPYC, Zen 3).
 */
static void permute(uint32_t *items, uint64_t n, adass_rng *rng, const atomic_bool *cancel)
{
    uint64_t drawn[DRAWN_AHEAD];
    for (uint64_t i = n; i > 1 && !atomic_load_explicit(cancel, memory_order_relaxed);) {
        const uint64_t group = min_u64(i - 1, DRAWN_AHEAD);
        for (uint64_t k = 0; k < group; k++) {
            drawn[k] = adass_rng_below(rng, i - k);
            __builtin_prefetch(items + drawn[k], 1);
        }
        for (uint64_t k = 0; k < group; k++, i--) {
            const uint32_t swap = items[i - 1];
            items[i - 1] = items[drawn[k]];
            items[drawn[k]] = swap;
        }
    }
}

uint64_t adass_row_order_block_rows(const adass_row_order *order, uint32_t block)
{
    const uint64_t first = (uint64_t)block << order->block_shift;
    return min_u64(order->n_rows - first, (uint64_t)1 << order->block_shift);
}

void adass_row_order_begin(adass_row_order *order, uint64_t seed, uint64_t epoch,
                           const atomic_bool *cancel)
{
    adass_rng_init(&order->rng, adass_seed_derive(seed, epoch));
    for (uint32_t i = 0; i < order->n_blocks; i++)
        order->blocks[i] = i;
    permute(order->blocks, order->n_blocks, &order->rng, cancel);
    order->n_places = 0;
    order->first_block = order->next_block = 0;
}

/* Adds n places from `first` on, of neighbours whose labels these are (or NULL); returns all labels' bits. */
static uint8_t add_places(adass_row_order *order, uint32_t first, const uint8_t *labels, uint64_t n)
{
    uint32_t *places = order->places + order->n_places;
    uint8_t bits = 0;
    order->n_places += n;
    for (uint32_t i = 0; labels == NULL && i < n; i++)
        places[i] = first + i;
    for (uint32_t i = 0; labels != NULL && i < n; i++) {
        bits |= labels[i];
        places[i] = (first + i) | (uint32_t)labels[i] << ADASS_ROW_ORDER_LABEL;
    }
    return bits;
}

bool adass_row_order_next_window(adass_row_order *order, const atomic_bool *cancel)
{
    const uint32_t left = order->n_blocks - order->next_block;
    const uint32_t n = left < order->window_blocks ? left : order->window_blocks;
    order->first_block = order->next_block;
    order->next_block += n;
    order->n_places = 0;
    uint8_t bits = 0;
    for (uint32_t b = 0; b < n; b++) {
        const uint32_t block = order->blocks[order->first_block + b];
        const uint8_t *labels = order->labels;
        if (labels != NULL)
            labels += (uint64_t)block << order->block_shift;
        bits |= add_places(order, (uint32_t)((uint64_t)b << order->block_shift), labels,
                           adass_row_order_block_rows(order, block));
    }
    order->has_labels = order->labels != NULL && bits <= 1;
    permute(order->places, order->n_places, &order->rng, cancel);
    return n > 0;
}

void adass_row_order_free(adass_row_order *order)
{
    free(order->blocks);
    free(order->places);
    *order = (adass_row_order){ 0 };
}
