/* How OpenMP's threads wait for one another. */
#ifndef ADASS_WAIT_POLICY_H
#define ADASS_WAIT_POLICY_H

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes waiting threads sleep instead of spin, unless OMP_WAIT_POLICY, GOMP_SPINCOUNT or
 * KMP_BLOCKTIME say otherwise. OpenMP reads those before main() begins, so the program is started
 * again, once, with OMP_WAIT_POLICY=passive. To be called first in main().
 *
 * A spinning thread keeps its core from the one that it waits for, as soon as anything else runs on
 * the machine: training of an FM with both cores of a two-core machine shared with two other
 * processes took 9.9 s for two epochs when spinning and 1.1 s when sleeping.
 *
 * @param argv  main's, ended by NULL
 */
void adass_wait_policy_passive(char **argv);

#ifdef __cplusplus
}
#endif

#endif
