/* The shapes of planted data: fields, vocabularies, frequencies, true ranks, label rates. */
#ifndef ADASS_SYNTH_SHAPES_H
#define ADASS_SYNTH_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "adass/status.h"

enum { SYNTH_MAX_FIELDS = 64, SYNTH_MAX_RANK = 64 };

typedef struct synth_field {
    const char *name;
    size_t vocab;    /* features 1..vocab-1 and the OOV id 0 */
    size_t rank;     /* of the true vectors; 0: the field carries nothing */
    double exponent; /* p(id) ~ id^-exponent */
    /*
     * Values of the original below its minimum count: the rows that have them have id 0. 0 where
     * that is next to nothing; then no row has id 0.
     */
    size_t rare_values;
    bool numeric; /* raw format: an integer */
    bool missing; /* raw format: the most frequent value is the empty one */
} synth_field;

typedef struct synth_shape {
    const char *name;
    size_t rows; /* by default */
    double label_rate;
    double logit_std;                /* spread of the teacher's logits: how much there is to know */
    double linear, pairs, nonlinear; /* shares of the logit's variance, sum 1 */
    double rare_occurrence;          /* share of the rows that have one given rare value */
    size_t n_fields;
    const synth_field *fields;
} synth_shape;

/** The shape of a name, NULL (and an error that lists the names) when there is none. */
const synth_shape *adass_synth_shape_find(const char *name, adass_error *err);

#endif
