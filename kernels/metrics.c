/* AUC and log-loss. */
#include "adass/metrics.h"

#include <math.h>
#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * The sort: scores become integers of the same order, which are parted by their upper bits into
 * buckets; lower bits and label, 22 bits together, are then sorted bucket by bucket. Every loop's
 * result is a count, so that the number of threads changes nothing.
 */
enum {
    HIGH_BITS = 11,
    LOW_BITS = 32 - HIGH_BITS,
    BUCKETS = 1 << HIGH_BITS,
    DIGITS_MAX = 1 << 11, /* of the sort within a bucket */
    PART_MIN = 1 << 16    /* scores that are worth a thread */
};

typedef struct bucket {
    size_t size, positives;
    uint64_t twice_wins; /* within the bucket */
} bucket;

typedef struct auc_sort {
    const float *scores, *labels;
    size_t n, n_parts;        /* part p: the scores from n * p / n_parts on, one thread's work */
    uint32_t *keys, *other;   /* [n] each */
    size_t (*begin)[BUCKETS]; /* [n_parts]: where the part's keys of a bucket go */
    bucket buckets[BUCKETS];
} auc_sort;

/* A float's bits as an integer of the same order; adding 0 makes -0 the same as 0. */
static uint32_t sortable(float score)
{
    const float x = score + 0.0f;
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return (u & 0x80000000u) != 0 ? ~u : u | 0x80000000u;
}

static size_t part_begin(const auc_sort *s, size_t part)
{
    return s->n / s->n_parts * part + s->n % s->n_parts * part / s->n_parts;
}

/* Sizes of the part's buckets; returns the number of its first score that is NaN, or s->n. */
static size_t count_part(const auc_sort *s, size_t part)
{
    const size_t end = part_begin(s, part + 1);
    for (size_t i = part_begin(s, part); i < end; i++) {
        if (isnan(s->scores[i]))
            return i;
        s->begin[part][sortable(s->scores[i]) >> LOW_BITS]++;
    }
    return s->n;
}

/* Turns the sizes in s->begin into places: bucket by bucket, within one part by part. */
static void place_parts(auc_sort *s)
{
    size_t at = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        const size_t first = at;
        for (size_t part = 0; part < s->n_parts; part++) {
            const size_t size = s->begin[part][b];
            s->begin[part][b] = at;
            at += size;
        }
        s->buckets[b].size = at - first;
    }
}

static void scatter_part(const auc_sort *s, size_t part)
{
    const size_t end = part_begin(s, part + 1);
    for (size_t i = part_begin(s, part); i < end; i++) {
        const uint32_t key = sortable(s->scores[i]), positive = s->labels[i] > 0.5f;
        s->keys[s->begin[part][key >> LOW_BITS]++] = (key & ((1u << LOW_BITS) - 1)) << 1 | positive;
    }
}

/*
 * Sorts n keys of LOW_BITS + 1 bits by stable counting passes; `other` is work space of the same
 * length. Returns where the result is.
 */
static const uint32_t *sort_keys(uint32_t *keys, uint32_t *other, size_t n)
{
    const int bits = n < 4096 ? 6 : 11; /* clearing the counters should not outweigh the keys */
    const uint32_t digits = 1u << bits;
    for (int shift = 0; shift < LOW_BITS + 1; shift += bits) {
        size_t begin[DIGITS_MAX];
        memset(begin, 0, digits * sizeof *begin);
        for (size_t i = 0; i < n; i++)
            begin[(keys[i] >> shift) & (digits - 1)]++;
        size_t sum = 0;
        for (size_t d = 0; d < digits; d++) {
            const size_t count = begin[d];
            begin[d] = sum;
            sum += count;
        }
        for (size_t i = 0; i < n; i++)
            other[begin[(keys[i] >> shift) & (digits - 1)]++] = keys[i];
        uint32_t *swap = keys;
        keys = other;
        other = swap;
    }
    return keys;
}

/*
 * Pairs that the positives win among sorted keys, counted twice, ties once. Of equal scores the
 * negatives come first: a positive is above those before the tie, and above or level with those
 * before itself.
 */
static void count_wins(bucket *b, const uint32_t *keys)
{
    size_t negatives = 0, before_tie = 0;
    uint64_t twice = 0;
    uint32_t previous = 0;
    for (size_t i = 0; i < b->size; i++) {
        const uint32_t score = keys[i] >> 1, positive = keys[i] & 1;
        before_tie = score == previous ? before_tie : negatives;
        previous = score;
        twice += positive ? before_tie + negatives : 0;
        negatives += !positive;
    }
    b->positives = b->size - negatives;
    b->twice_wins = twice;
}

/* Sorts and counts all buckets; the scores hold no NaN. */
static void count_buckets(auc_sort *s)
{
    place_parts(s);
#pragma omp parallel for schedule(static, 1) num_threads((int)s->n_parts)
    for (size_t part = 0; part < s->n_parts; part++)
        scatter_part(s, part);
#pragma omp parallel for schedule(dynamic) num_threads((int)s->n_parts)
    for (size_t b = 0; b < BUCKETS; b++) {
        /* the last part's keys of a bucket end where the bucket does */
        const size_t begin = s->begin[s->n_parts - 1][b] - s->buckets[b].size;
        if (s->buckets[b].size > 0)
            count_wins(&s->buckets[b],
                       sort_keys(s->keys + begin, s->other + begin, s->buckets[b].size));
    }
}

static double auc_of(const bucket buckets[BUCKETS])
{
    uint64_t twice = 0;
    size_t positives = 0, negatives = 0;
    for (size_t b = 0; b < BUCKETS; b++) {
        twice += buckets[b].twice_wins + 2 * (uint64_t)negatives * buckets[b].positives;
        positives += buckets[b].positives;
        negatives += buckets[b].size - buckets[b].positives;
    }
    if (positives == 0 || negatives == 0)
        return (double)NAN;
    return (double)twice / 2.0 / ((double)positives * (double)negatives);
}

static adass_status sort_and_count(auc_sort *s, double *out, adass_error *err)
{
    size_t bad = s->n;
#pragma omp parallel for schedule(static, 1) num_threads((int)s->n_parts) reduction(min : bad)
    for (size_t part = 0; part < s->n_parts; part++) {
        const size_t first = count_part(s, part);
        bad = first < bad ? first : bad;
    }
    if (bad < s->n)
        return adass_fail(
            err, ADASS_EINVAL,
            "score %zu is not a number: the model has diverged; use a smaller learning rate", bad);
    count_buckets(s);
    *out = auc_of(s->buckets);
    return ADASS_OK;
}

adass_status adass_auc(const float *scores, const float *labels, size_t n, double *out,
                       adass_error *err)
{
    const size_t threads = (size_t)omp_get_max_threads(), worth = n / PART_MIN + 1;
    auc_sort s = { .scores = scores, .labels = labels, .n = n };
    s.n_parts = threads < worth ? threads : worth;
    s.keys = malloc((2 * n + 1) * sizeof *s.keys);
    s.other = s.keys + n;
    s.begin = calloc(s.n_parts, sizeof *s.begin);
    const adass_status status = s.keys != NULL && s.begin != NULL
                                    ? sort_and_count(&s, out, err)
                                    : adass_fail_memory(err, "the AUC's sort", 8.0 * (double)n);
    free(s.keys);
    free(s.begin);
    return status;
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
