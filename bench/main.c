/* adass-bench: registers the families and hands over to Google Benchmark. */
#include "adass/wait_policy.h"
#include "axes.h"
#include "harness.h"
#include "machine.h"

#include <stdio.h>

static const bench_family *const families[] = { &bench_limits, &bench_kernels, &bench_gemm,
                                                &bench_reader, &bench_train,   &bench_eval,
                                                &bench_auc };

enum { N_FAMILIES = sizeof families / sizeof families[0] };

static int run_families(const bench_axes *axes, int argc, char **argv)
{
    void *shared[N_FAMILIES] = { NULL };
    size_t created = 0;
    while (created < N_FAMILIES && (shared[created] = families[created]->create(axes)) != NULL)
        created++;
    int result = 1;
    if (created == N_FAMILIES)
        result = adass_bench_main(argc, argv);
    else
        fprintf(stderr, "adass-bench: out of memory for the list of cases\n");
    for (size_t i = 0; i < created; i++)
        families[i]->destroy(shared[i]);
    return result;
}

int main(int argc, char **argv)
{
    adass_wait_policy_passive(argv);
    adass_error err;
    bench_axes axes;
    adass_status status = bench_axes_init(&axes, &err);
    if (status == ADASS_OK)
        status = bench_machine_describe(&err);
    int result = status == ADASS_EINVAL || status == ADASS_EUNSUPPORTED ? 2 : 1;
    if (status == ADASS_OK)
        result = run_families(&axes, argc, argv);
    else
        fprintf(stderr, "adass-bench: %s\n", err.message);
    bench_axes_free(&axes);
    return result;
}
