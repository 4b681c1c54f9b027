/* The arithmetic of PEP on one weight, for its test. */
#ifndef ADASS_METHODS_PEP_H
#define ADASS_METHODS_PEP_H

/** A weight e and its threshold's logit s. */
typedef struct adass_pep {
    double e, s;
} adass_pep;

/** sign(e) max(|e| - sigmoid(s), 0). */
double adass_pep_weight(adass_pep p);

/** The gradients by e and s, given the gradient by the weight. */
adass_pep adass_pep_gradient(adass_pep p, double by_weight);

#endif
