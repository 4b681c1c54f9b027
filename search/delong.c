/* DeLong's test. */
#include "delong.h"

#include "adass/memory.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct scored {
    float score;
    uint32_t positive;
    size_t row;
} scored;

static int by_rising_score(const void *a, const void *b)
{
    const float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x > y) - (x < y);
}

/* Rows [from, to) have equal scores; `below` is how many of either class score less. */
static void place_ties(const scored *rows, size_t from, size_t to, const size_t below[2],
                       const size_t ties[2], const size_t total[2], double weight,
                       double *placements)
{
    for (size_t i = from; i < to; i++) {
        const uint32_t mine = rows[i].positive, other = 1 - mine;
        const double lower = (double)below[other] + 0.5 * (double)ties[other];
        const double share = lower / (double)total[other];
        placements[rows[i].row] += weight * (mine == 1 ? share : 1.0 - share);
    }
}

adass_status adass_placements_add(const float *scores, const float *labels, size_t n, double weight,
                                  double *placements, adass_error *err)
{
    scored *rows = adass_alloc(n * sizeof *rows);
    if (rows == NULL)
        return adass_fail_memory(err, "the test rows' ranks", (double)(n * sizeof *rows));
    size_t total[2] = { 0 }, below[2] = { 0 };
    for (size_t i = 0; i < n; i++) {
        rows[i] = (scored){ .score = scores[i], .positive = labels[i] > 0.5f, .row = i };
        total[rows[i].positive]++;
    }
    qsort(rows, n, sizeof *rows, by_rising_score);
    for (size_t from = 0, to; from < n; from = to) {
        size_t ties[2] = { 0 };
        for (to = from; to < n && rows[to].score == rows[from].score; to++)
            ties[rows[to].positive]++;
        place_ties(rows, from, to, below, ties, total, weight, placements);
        below[0] += ties[0];
        below[1] += ties[1];
    }
    free(rows);
    return ADASS_OK;
}

adass_delong adass_delong_of(const double *difference, const float *labels, size_t n)
{
    double count[2] = { 0 }, mean[2] = { 0 }, squares[2] = { 0 };
    for (size_t i = 0; i < n; i++) {
        const int c = labels[i] > 0.5f;
        count[c] += 1.0;
        mean[c] += difference[i];
    }
    for (int c = 0; c < 2; c++)
        mean[c] /= count[c];
    for (size_t i = 0; i < n; i++) {
        const int c = labels[i] > 0.5f;
        squares[c] += (difference[i] - mean[c]) * (difference[i] - mean[c]);
    }
    double variance = 0.0;
    for (int c = 0; c < 2; c++)
        if (count[c] > 1.0)
            variance += squares[c] / (count[c] - 1.0) / count[c];
    const double error = sqrt(variance);
    return (adass_delong){
        .difference = mean[1],
        .std_error = error,
        .p = error > 0.0 ? erfc(fabs(mean[1]) / error / sqrt(2.0)) : 1.0,
    };
}
