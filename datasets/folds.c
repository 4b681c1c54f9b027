/* Stratified folds, with NumPy's generator of that time. */
#include "folds.h"

#include <stdbool.h>
#include <stdlib.h>

enum { STATE_WORDS = 624, SHIFT_WORDS = 397 };

/* MT19937 (Matsumoto and Nishimura 1998), seeded as numpy.random.RandomState is by a whole number. */
typedef struct twister {
    uint32_t words[STATE_WORDS];
    size_t at;
} twister;

static void seed_twister(twister *t, uint32_t seed)
{
    for (uint32_t i = 0; i < STATE_WORDS; i++) {
        t->words[i] = seed;
        seed = UINT32_C(1812433253) * (seed ^ (seed >> 30)) + i + 1;
    }
    t->at = STATE_WORDS;
}

static void twist(twister *t)
{
    for (size_t i = 0; i < STATE_WORDS; i++) {
        const uint32_t y =
            (t->words[i] & 0x80000000u) | (t->words[(i + 1) % STATE_WORDS] & 0x7fffffffu);
        t->words[i] =
            t->words[(i + SHIFT_WORDS) % STATE_WORDS] ^ (y >> 1) ^ ((y & 1) ? 0x9908b0dfu : 0);
    }
    t->at = 0;
}

static uint32_t next_word(twister *t)
{
    if (t->at == STATE_WORDS)
        twist(t);
    uint32_t y = t->words[t->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* Uniform in [0, most], by masks and rejection; 64 bits where 32 do not do. */
static uint64_t next_below(twister *t, uint64_t most)
{
    uint64_t mask = most;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    for (;;) {
        uint64_t value = next_word(t);
        if (most > UINT32_MAX)
            value = (value << 32) | next_word(t);
        if ((value & mask) <= most)
            return value & mask;
    }
}

/* RandomState.shuffle() */
static void shuffle(twister *t, uint8_t *items, size_t n)
{
    for (size_t i = n; i-- > 1;) {
        const size_t j = (size_t)next_below(t, i);
        const uint8_t swap = items[i];
        items[i] = items[j];
        items[j] = swap;
    }
}

/*
 * How many rows of the class go to each fold: with the classes one behind the other (`begin` is where this one starts), every tenth row
 * belongs to a fold.
 */
static void allocate(size_t begin, size_t n, size_t counts[ADASS_FOLDS])
{
    for (size_t k = 0; k < ADASS_FOLDS; k++)
        counts[k] = n / ADASS_FOLDS;
    for (size_t i = 0; i < n % ADASS_FOLDS; i++)
        counts[(begin + i) % ADASS_FOLDS]++;
}

/* Replaces one label by folds; they are `mark`ed, so that they are no labels. */
static adass_status fold_class(twister *t, uint8_t *rows, size_t n, uint8_t label, size_t begin,
                               size_t n_class, uint8_t mark, adass_error *err)
{
    uint8_t *folds = malloc(n_class);
    if (folds == NULL)
        return adass_fail_memory(err, "folds", (double)n_class);
    size_t counts[ADASS_FOLDS], at = 0;
    allocate(begin, n_class, counts);
    for (size_t k = 0; k < ADASS_FOLDS; k++)
        for (size_t i = 0; i < counts[k]; i++)
            folds[at++] = (uint8_t)(k | mark);
    shuffle(t, folds, n_class);
    at = 0;
    for (size_t i = 0; i < n; i++)
        if (rows[i] == label)
            rows[i] = folds[at++];
    free(folds);
    return ADASS_OK;
}

adass_status adass_folds_stratify(uint8_t *rows, size_t n, adass_error *err)
{
    enum { MARK = 64 };
    size_t counts[2] = { 0, 0 };
    uint8_t first = ADASS_NO_FOLD; /* classes go by their first occurrence */
    for (size_t i = 0; i < n; i++)
        if (rows[i] != ADASS_NO_FOLD) {
            first = first == ADASS_NO_FOLD ? rows[i] : first;
            counts[rows[i]]++;
        }
    for (int label = 0; label < 2; label++)
        if (counts[label] < ADASS_FOLDS)
            return adass_fail(
                err, ADASS_EFORMAT,
                "ten stratified folds need at least ten rows of each label; label %d has %zu",
                label, counts[label]);
    twister t;
    seed_twister(&t, ADASS_FOLD_SEED);
    const uint8_t other = !first;
    adass_status status = fold_class(&t, rows, n, first, 0, counts[first], MARK, err);
    if (status == ADASS_OK)
        status = fold_class(&t, rows, n, other, counts[first], counts[other], MARK, err);
    for (size_t i = 0; i < n; i++)
        if (rows[i] != ADASS_NO_FOLD)
            rows[i] &= MARK - 1;
    return status;
}
