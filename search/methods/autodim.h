/* AutoDim's gate of one field, for its test. */
#ifndef ADASS_METHODS_AUTODIM_H
#define ADASS_METHODS_AUTODIM_H

#include <stddef.h>

/** p[n] = softmax((log softmax(alpha) + noise) / tau); n up to ADASS_CANDIDATES_MAX. */
void adass_autodim_gate(const double *alpha, const double *noise, double tau, size_t n, double *p);

/** The gradient by alpha, given that by p. */
void adass_autodim_gradient(const double *alpha, const double *p, double tau, size_t n,
                            const double *by_gate, double *by_alpha);

#endif
