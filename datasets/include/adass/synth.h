/*
 * Planted data: rows whose click probabilities, and the embedding sizes worth finding, are known.
 */
#ifndef ADASS_SYNTH_H
#define ADASS_SYNTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/monitor.h"
#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What is 0, false or NULL is the default. */
typedef struct adass_synth_options {
    const char *shape;   /* "criteo", "avazu", "kdd12", "movielens", "frappe", "tiny" */
    size_t rows;         /* in all; 0 for the shape's own number */
    uint64_t seed;       /* of the truth and of the rows */
    double noise;        /* standard deviation of what is added to a row's logit, 0 to 100 */
    bool rare_is_silent; /* features of less than one row in 100,000 carry nothing */
    size_t null_fields;  /* fields, chosen by the seed, that carry nothing */
    const adass_monitor *monitor; /* may be NULL */
} adass_synth_options;

/**
 * Writes a dataset of the shape's fields and vocabularies.
 *
 * Ids of a field follow a power law, p(id) ~ id^-exponent, id 1 being the most frequent. Id 0 is the OOV
 * id: it occurs in fields whose original has many values below its minimum count, as often as those.
 * Field f has a true rank r_f, first-order weights w_f(id) and true vectors x_f(id) in R^{r_f}, all standard
 * normal. A field of rank 0 carries nothing. The teacher's logit of a row is, over the fields with r_f > 0,
 *
 *   bias + sum_f w_f(id) + sum_{f<g} sum_{k < min(r_f, r_g)} s_k x_fk x_gk + v . softsign(W x)
 *
 * with the parts scaled to the shape's shares of the logit's variance (s_k makes every component k
 * weigh the same, so that high ranks matter), and the bias to its label rate. Labels are Bernoulli draws of
 * sigmoid(logit + noise). Rows fall into train, valid, test as 8:1:1 by a hash of their number.
 *
 * The true ranks and the teacher's AUC on the test split are stored in meta.json. That AUC is of the logit
 * without noise, as no model can know the noise: the ceiling. It is exact up to 2,097,152 test rows, and
 * within 2e-5 above.
 *
 * The same options give the same bytes on every machine and thread count, and the first rows of a longer
 * dataset are those of a shorter one. Memory does not grow with the rows, and stays below 200 MB for
 * every shape.
 *
 * @return ADASS_OK, ADASS_EINVAL (unknown shape, options, too few rows, out_dir exists), ADASS_EIO,
 *         ADASS_ENOMEM, ADASS_EINTERRUPTED. Nothing is left behind on error
 */
adass_status adass_synth_write(const adass_synth_options *options, const char *out_dir,
                               adass_error *err);

/**
 * Writes the same rows in the raw format of the shape's original, splits left out. Shape "criteo" only:
 * label, 13 integers, 26 categories of 8 hexadecimal digits, separated by tabs, missing values empty.
 * Rows of the OOV id have one of the field's rare values, as many as the original has.
 *
 * @param out  a file that must not exist, or "-": standard output
 * @return as above; ADASS_EINVAL too when the shape has no raw format
 */
adass_status adass_synth_write_raw(const adass_synth_options *options, const char *out,
                                   adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
