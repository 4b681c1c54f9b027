/* Importers: raw files of public data sets to prepared datasets. */
#ifndef ADASS_IMPORT_H
#define ADASS_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/monitor.h"
#include "adass/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What every importer is told. */
typedef struct adass_import_options {
    uint64_t seed;                /* of the split */
    bool no_time;                 /* leave out the fields that come from the time stamp */
    const adass_monitor *monitor; /* may be NULL; the number of lines is not known: total 0 */
} adass_import_options;

/**
 * MovieLens, in the layouts of its releases, found by the files that are there:
 *
 * - 1M:     ratings.dat (user::item::rating::time), users.dat (user::gender::age::occupation::zip),
 *   movies.dat (item::title::genres)
 * - 100K:   u.data (user TAB item TAB rating TAB time), u.user (user|age|gender|occupation|zip),
 *   u.item (item|title|date|...|19 genre flags)
 * - latest: ratings.csv (userId,movieId,rating,timestamp, with header), movies.csv
 *   (movieId,title,genres, with header)
 *
 * each plain or with .gz, .zst or .xz. Label: rating >= 4. Fields: user, item, then gender, age,
 * occupation, zip where the release has them, year (of the film), genres (the combination as one
 * value), and hour and weekday (UTC) of the rating unless `no_time`. Rows are split 8:1:1 at random
 * by `seed`, keeping the order of the file within a split. Vocabularies come from the training
 * split, ids by falling frequency from 1 on (ties: in the order of first occurrence in the file);
 * id 0 is the OOV id.
 *
 * @param raw_dir  folder of the raw files
 * @param out_dir  folder to create; must not exist. Nothing is left behind on error
 * @return ADASS_OK, ADASS_EFORMAT (message: file:line:column, what is wrong, the text), ADASS_EIO,
 *         ADASS_EINVAL, ADASS_ENOMEM
 */
adass_status adass_import_movielens(const char *raw_dir, const char *out_dir,
                                    const adass_import_options *options, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
