/*
 * The order in which an epoch reads the rows of a split: a permutation of all rows, or, where the
 * split is larger than the memory for it, a permutation of blocks of rows with a permutation of the
 * rows inside each window of blocks. A label of one bit is carried along with its row's place, so that
 * nobody has to look it up at a random address.
 */
#ifndef ADASS_ROW_ORDER_H
#define ADASS_ROW_ORDER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/rng.h"
#include "adass/status.h"

/*
 * The rows are cut into blocks of 2^block_shift neighbours, and an epoch into windows of
 * `window_blocks` blocks. A place in a window is (block of the window << block_shift) + row of the
 * block. A split that fits is one block and one window, whose places are the rows.
 */
typedef struct adass_row_order {
    uint64_t n_rows;
    unsigned block_shift;
    uint32_t n_blocks, window_blocks;
    const uint8_t *labels; /* [n_rows], or NULL; not owned */
    uint32_t *blocks;      /* [n_blocks]: block numbers in the epoch's order */
    uint32_t *
        places; /* [n_places] of the present window, in the order of reading; the label above them */
    bool has_labels; /* the present window's places have them: there are, and all are 0 or 1 */
    size_t n_places;
    uint32_t first_block, next_block; /* where the present and the next window begin in `blocks` */
    adass_rng rng;
} adass_row_order;

/* The label's bit of a place. */
enum { ADASS_ROW_ORDER_LABEL = 31 };

/**
 * @param labels        [n_rows], to be carried where they are 0 or 1, or NULL: none; kept
 * @param row_bytes     what is read of a row; at least 1
 * @param memory_bytes  rows are permuted as a whole when they fit into it, otherwise a window is
 *                      half of it (the other half is the next window, read ahead), at least a block
 * @return ADASS_OK, ADASS_EINVAL (no row, or more than 2^32 blocks) or ADASS_ENOMEM
 */
adass_status adass_row_order_init(adass_row_order *order, uint64_t n_rows, const uint8_t *labels,
                                  size_t row_bytes, size_t memory_bytes, adass_error *err);

/**
 * Begins an epoch, whose order depends on seed and epoch alone; adass_row_order_next_window() gives
 * its first window. Both may stop early, with an order of no use, once *cancel is true.
 */
void adass_row_order_begin(adass_row_order *order, uint64_t seed, uint64_t epoch,
                           const atomic_bool *cancel);

/** Goes on to the next window; false when the epoch is over. */
bool adass_row_order_next_window(adass_row_order *order, const atomic_bool *cancel);

/** The row of place i < n_places of the present window's order. */
static inline uint64_t adass_row_order_at(const adass_row_order *order, size_t i)
{
    const uint32_t place = order->places[i] & ((1u << ADASS_ROW_ORDER_LABEL) - 1);
    if (order->n_blocks == 1)
        return place;
    const uint64_t block = order->blocks[order->first_block + (place >> order->block_shift)];
    return (block << order->block_shift) + (place & ((1u << order->block_shift) - 1));
}

/** The label of place i < n_places; only where the present window has_labels. */
static inline bool adass_row_order_label(const adass_row_order *order, size_t i)
{
    return order->places[i] >> ADASS_ROW_ORDER_LABEL;
}

/** Rows of block `block`; the last block of the split may be smaller than the others. */
uint64_t adass_row_order_block_rows(const adass_row_order *order, uint32_t block);

/** Frees what the order owns; all of it may be zero. */
void adass_row_order_free(adass_row_order *order);

#endif
