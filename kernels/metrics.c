/* AUC and log-loss. */
#include "adass/metrics.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A float's bits as an integer of the same order; adding 0 makes -0 the same as 0. */
static uint32_t sortable(float score)
{
    const float x = score + 0.0f;
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return (u & 0x80000000u) != 0 ? ~u : u | 0x80000000u;
}

/*
 * Sorts n keys by three stable counting passes of 11 bits each; `other` is work space of the same
 * length. Returns where the result is.
 */
static const uint32_t *radix_sort(uint32_t *keys, uint32_t *other, size_t n)
{
    enum { BITS = 11, BUCKETS = 1 << BITS, PASSES = 3 };
    for (int pass = 0; pass < PASSES; pass++) {
        const int shift = pass * BITS;
        size_t begin[BUCKETS] = { 0 };
        for (size_t i = 0; i < n; i++)
            begin[(keys[i] >> shift) & (BUCKETS - 1)]++;
        size_t sum = 0;
        for (size_t b = 0; b < BUCKETS; b++) {
            const size_t count = begin[b];
            begin[b] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            other[begin[(keys[i] >> shift) & (BUCKETS - 1)]++] = keys[i];
        uint32_t *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/* Twice the number of pairs that the positives win, ties once. Both lists are sorted. */
static uint64_t twice_wins(const uint32_t *positive, size_t n_positive, const uint32_t *negative,
                           size_t n_negative)
{
    uint64_t twice = 0;
    size_t below = 0, not_above = 0; /* negatives below, and not above, the present positive */
    for (size_t i = 0; i < n_positive; i++) {
        while (below < n_negative && negative[below] < positive[i])
            below++;
        while (not_above < n_negative && negative[not_above] <= positive[i])
            not_above++;
        twice += below + not_above;
    }
    return twice;
}

adass_status adass_auc(const float *scores, const float *labels, size_t n, double *out,
                       adass_error *err)
{
    uint32_t *keys = malloc((2 * n + 1) * sizeof *keys);
    if (keys == NULL)
        return adass_fail_memory(err, "the AUC's sort", 8.0 * (double)n);
    size_t n_positive = 0, n_negative = 0; /* positives from the front, negatives from the back */
    for (size_t i = 0; i < n; i++) {
        if (isnan(scores[i])) {
            free(keys);
            return adass_fail(
                err, ADASS_EINVAL,
                "score %zu is not a number: the model has diverged; use a smaller learning rate",
                i);
        }
        if (labels[i] > 0.5f)
            keys[n_positive++] = sortable(scores[i]);
        else
            keys[n - ++n_negative] = sortable(scores[i]);
    }
    const uint32_t *positive = radix_sort(keys, keys + n, n_positive);
    const uint32_t *negative = radix_sort(keys + n_positive, keys + n + n_positive, n_negative);
    const uint64_t twice = twice_wins(positive, n_positive, negative, n_negative);
    free(keys);
    *out = n_positive == 0 || n_negative == 0
               ? (double)NAN
               : (double)twice / 2.0 / ((double)n_positive * (double)n_negative);
    return ADASS_OK;
}

double adass_logloss(const float *logits, const float *labels, size_t n)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double z = (double)logits[i];
        sum += fmax(z, 0.0) - z * (double)labels[i] + log1p(exp(-fabs(z)));
    }
    return n == 0 ? 0.0 : sum / (double)n;
}
