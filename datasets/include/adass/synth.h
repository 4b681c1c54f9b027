/*
 * Planted data: rows whose click probabilities, and the embedding sizes worth finding, are known.
 */
#ifndef ADASS_SYNTH_H
#define ADASS_SYNTH_H

#include <stddef.h>
#include <stdint.h>

#include "adass/monitor.h"
#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct adass_synth_options {
    const char *shape;            /* "tiny" or "movielens" */
    size_t rows;                  /* in all; 0 for the shape's own number */
    uint64_t seed;                /* of the truth and of the rows */
    const adass_monitor *monitor; /* may be NULL */
} adass_synth_options;

/**
 * Writes a dataset of the shape's fields and vocabularies.
 *
 * Ids of a field follow a power law, p(id) ~ id^-exponent, id 1 being the most frequent; id 0 is
 * the OOV id and does not occur. Field f has a true rank r_f and true vectors x_f(id) in R^{r_f}.
 * The teacher's logit of a row is
 *
 *   bias + sum_f w_f(id) + sum_{f<g} sum_{k < min(r_f, r_g)} s_k x_fk x_gk + v . softsign(W x)
 *
 * with the parts scaled to the shape's shares of the logit's variance (s_k makes every component k
 * weigh the same, so that high ranks matter), and the bias to its label rate. Labels are Bernoulli
 * draws. Rows fall into train, valid, test as 8:1:1 by a hash of their number. The true ranks and
 * the teacher's AUC on the test split, the ceiling for any model, are stored in meta.json.
 *
 * The same options give the same bytes on every machine and thread count. Memory does not grow with
 * the rows, the test split's scores excepted.
 *
 * @return ADASS_OK, ADASS_EINVAL (unknown shape, too few rows, out_dir exists), ADASS_EIO,
 *         ADASS_ENOMEM. Nothing is left behind on error
 */
adass_status adass_synth_write(const adass_synth_options *options, const char *out_dir,
                               adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
