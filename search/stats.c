/* Statistics of a handful of runs. */
#include "stats.h"

#include <math.h>
#include <stdlib.h>

/*
 * The 97.5 % points of Student's t for 1 to 30 degrees of freedom; beyond, within 0.5 % by the
 * normal's expansion.
 */
static double student_t(size_t freedom)
{
    static const double points[] = { 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                     2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                     2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                     2.060,  2.056, 2.052, 2.048, 2.045, 2.042 };
    if (freedom == 0)
        return (double)NAN;
    if (freedom <= sizeof points / sizeof points[0])
        return points[freedom - 1];
    const double z = 1.959964;
    return z + (z * z * z + z) / (4.0 * (double)freedom);
}

adass_sample adass_sample_of(const double *values, size_t n)
{
    adass_sample s = { .n = n };
    for (size_t i = 0; i < n; i++)
        s.mean += values[i] / (double)n;
    double squares = 0.0;
    for (size_t i = 0; i < n; i++)
        squares += (values[i] - s.mean) * (values[i] - s.mean);
    s.std = n > 1 ? sqrt(squares / (double)(n - 1)) : 0.0;
    s.half_width = student_t(n - 1) * s.std / sqrt((double)n);
    return s;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double adass_median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, by_value);
    return values[(n - 1) / 2];
}

/*
 * rank[i] of x[i] among the n values, ties at their mean. Quadratic: the lists are fields of a
 * dataset.
 */
static void mean_ranks(const double *x, size_t n, double *rank)
{
    for (size_t i = 0; i < n; i++) {
        double below = 0.0, equal = 0.0;
        for (size_t j = 0; j < n; j++) {
            below += x[j] < x[i];
            equal += x[j] == x[i];
        }
        rank[i] = below + (equal + 1.0) / 2.0;
    }
}

double adass_spearman(const double *a, const double *b, size_t n, double *work)
{
    double *rank_a = work, *rank_b = work + n;
    mean_ranks(a, n, rank_a);
    mean_ranks(b, n, rank_b);
    const double middle = ((double)n + 1.0) / 2.0;
    double both = 0.0, of_a = 0.0, of_b = 0.0;
    for (size_t i = 0; i < n; i++) {
        both += (rank_a[i] - middle) * (rank_b[i] - middle);
        of_a += (rank_a[i] - middle) * (rank_a[i] - middle);
        of_b += (rank_b[i] - middle) * (rank_b[i] - middle);
    }
    return of_a > 0.0 && of_b > 0.0 ? both / sqrt(of_a * of_b) : (double)NAN;
}

double adass_kendall(const double *a, const double *b, size_t n)
{
    double agree = 0.0, of_a = 0.0, of_b = 0.0; /* pairs: concordant less discordant, untied ones */
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const int x = (a[i] > a[j]) - (a[i] < a[j]), y = (b[i] > b[j]) - (b[i] < b[j]);
            agree += x * y;
            of_a += x != 0;
            of_b += y != 0;
        }
    return of_a > 0.0 && of_b > 0.0 ? agree / sqrt(of_a * of_b) : (double)NAN;
}

double adass_log2_size(size_t size) { return size == 0 ? -1.0 : log2((double)size); }
