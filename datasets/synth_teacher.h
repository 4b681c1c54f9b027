/*
 * The truth of planted data: laws of the ids, true vectors, and the logit of a row (adass/synth.h has the
 * formula). Everything follows from the seed by hashing, and the numbers of row i from (seed, i) alone.
 */
#ifndef ADASS_SYNTH_TEACHER_H
#define ADASS_SYNTH_TEACHER_H

#include "adass/synth.h"
#include "synth_law.h"
#include "synth_shapes.h"

enum { SYNTH_HIDDEN = 8 };

/** What the teacher knows of a feature: an array of these members, the true vector last. */
enum {
    SYNTH_LINEAR,                                  /* first-order weight w */
    SYNTH_SQUARES,                                 /* sum_k s_k x_k^2 */
    SYNTH_PROJECTED,                               /* W_f x: SYNTH_HIDDEN members */
    SYNTH_VECTOR = SYNTH_PROJECTED + SYNTH_HIDDEN, /* x: as many members as the field's rank */
    SYNTH_FEATURE_MAX = SYNTH_VECTOR + SYNTH_MAX_RANK
};

typedef struct synth_teacher {
    const synth_shape *shape;
    uint64_t seed;
    size_t rows;
    double noise;                  /* standard deviation of the logit's noise */
    size_t rank[SYNTH_MAX_FIELDS]; /* the shape's, less the null fields */
    synth_law laws[SYNTH_MAX_FIELDS];
    uint64_t id_seed[SYNTH_MAX_FIELDS], vector_seed[SYNTH_MAX_FIELDS],
        linear_seed[SYNTH_MAX_FIELDS];
    uint32_t silent_from[SYNTH_MAX_FIELDS]; /* ids from here on carry nothing */
    bool oov_is_silent;
    double component[SYNTH_MAX_RANK];    /* s_k */
    float *hidden_in;                    /* W: [sum of ranks x SYNTH_HIDDEN], field after field */
    size_t hidden_row[SYNTH_MAX_FIELDS]; /* the field's first row of W */
    double hidden_out[SYNTH_HIDDEN];     /* v */
    double scale_linear, scale_pairs, scale_nonlinear, bias;
    double *features[SYNTH_MAX_FIELDS]; /* [vocab x width]; NULL: derived when asked for */
} synth_teacher;

/** On error too to be freed with adass_synth_teacher_free(). ADASS_EINVAL: shape or options; ADASS_ENOMEM. */
adass_status adass_synth_teacher_init(synth_teacher *t, const adass_synth_options *options,
                                      adass_error *err);

void adass_synth_teacher_free(synth_teacher *t);

/** Ids of a row: [n_fields]. */
void adass_synth_teacher_draw(const synth_teacher *t, uint64_t row, uint32_t *ids);

/**
 * A feature of a field with a rank.
 *
 * @param buffer  [SYNTH_FEATURE_MAX], used when the teacher holds no table of the field
 */
const double *adass_synth_teacher_feature(const synth_teacher *t, size_t f, uint32_t id,
                                          double *buffer);

/** Logit of a row without its noise: what the best model would give. */
double adass_synth_teacher_logit(const synth_teacher *t, const uint32_t *ids);

/** The noise of a row's logit. */
double adass_synth_teacher_noise(const synth_teacher *t, uint64_t row);

#endif
