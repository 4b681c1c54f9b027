/*
 * auc_seconds FILE N: AUC of N scores and N labels, float32 one after the other in FILE. Prints the
 * AUC and the seconds that it took.
 */
#include "adass/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float *read_floats(const char *path, size_t n)
{
    FILE *file = fopen(path, "rb");
    float *values = malloc(n * sizeof *values);
    if (file == NULL || values == NULL || fread(values, sizeof *values, n, file) != n) {
        fprintf(stderr, "auc_seconds: %s does not hold %zu floats\n", path, n);
        exit(1);
    }
    fclose(file);
    return values;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: auc_seconds FILE N\n");
        return 2;
    }
    const size_t n = (size_t)strtod(argv[2], NULL); /* 1e7 is a number too */
    float *values = read_floats(argv[1], 2 * n);
    double auc = 0.0;
    adass_error err;
    const double start = seconds();
    if (adass_auc(values, values + n, n, &auc, &err) != ADASS_OK) {
        fprintf(stderr, "auc_seconds: %s\n", err.message);
        return 1;
    }
    printf("%.15f %.4f\n", auc, seconds() - start);
    free(values);
    return 0;
}
