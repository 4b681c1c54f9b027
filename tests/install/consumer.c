/* Another project's program: uses the installed headers and library. */
#include <adass/dense.h>
#include <adass/metrics.h>
#include <adass/sizes.h>

#include <stdio.h>

int main(void)
{
    const float scores[] = { 0.1f, 0.9f, 0.4f, 0.8f }, labels[] = { 0.0f, 1.0f, 0.0f, 1.0f };
    char version[32];
    adass_candidates candidates;
    adass_error err;
    double auc = 0.0;
    if (adass_auc(scores, labels, 4, &auc, &err) != ADASS_OK ||
        adass_candidates_parse("2,4,8", &candidates, &err) != ADASS_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    adass_dense_version(version); /* the library's own dependencies are there as well */
    printf("AUC %.2f, %zu candidates, oneDNN %s\n", auc, candidates.n, version);
    return auc == 1.0 && candidates.n == 3 ? 0 : 1;
}
