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

/** How rows are dealt out to the splits. */
typedef enum adass_protocol {
    ADASS_PROTOCOL_RANDOM,        /* by a hash of the row's number and the seed, in the ratio */
    ADASS_PROTOCOL_CHRONOLOGICAL, /* in the order of the files, in the ratio */
    ADASS_PROTOCOL_X4 /* ten stratified folds: the first tests, the second validates, the rest trains */
} adass_protocol;

/** What the importers of tables are told. */
typedef struct adass_table_options {
    const char *const *inputs; /* [n_inputs], files in their order, "-" for standard input */
    size_t n_inputs;
    const char *schema; /* file that describes the columns; for the format "csv" alone */
    adass_protocol protocol;
    double
        ratio[3];  /* of train, valid, test: parts of their sum; all 0: 8, 1, 1 (frappe: 7, 2, 1) */
    uint64_t seed; /* of the random split, and of negatives */
    size_t min_count; /* of a value in the training split, to get an id; 0: the format's default */
    size_t memory_bytes;    /* bound, whatever the length of the input; 0: 8 GiB */
    int threads;            /* 0: as many as OpenMP has */
    size_t max_bad_rows;    /* that are left out, before the import fails */
    bool write_vocabulary;  /* also write vocabulary.tsv, from value to id */
    const char *vocabulary; /* dataset whose vocabulary is taken, instead of a new one; or NULL */
    const adass_monitor
        *monitor; /* may be NULL; units are bytes of the inputs as they are stored */
} adass_table_options;

enum { ADASS_IMPORT_WARNINGS_MAX = 16, ADASS_IMPORT_WARNING_CHARS = 256 };

/** What an import has to tell beside its dataset. */
typedef struct adass_import_report {
    size_t bad_rows;
    size_t n_warnings; /* the first bad rows, and differences from published numbers */
    char warnings[ADASS_IMPORT_WARNINGS_MAX][ADASS_IMPORT_WARNING_CHARS];
} adass_import_report;

/**
 * Imports rows of delimited text: plain, .gz, .zst or .xz by their content, LF or CR LF, the last end of line may lack;
 * lines without any byte are skipped. Formats:
 *
 * - "csv":    any text with a separator, by a schema file (its form: datasets/README.md); minimum count 1
 * - "criteo": label, I1 to I13, C1 to C26, tab-separated; minimum count 10
 * - "avazu":  the competition's CSV, with or without header; id is left out, hour becomes hour,
 *   weekday and weekend; minimum count 2
 * - "kdd12":  track 2: the training file (tab-separated) or the CSV of the sample with its header; the
 *   label is whether there was a click, impression is left out; minimum count 10
 * - "frappe": the log of app uses (tab-separated, with its header); each row is a positive one and is followed by two
 *   negative ones, in the same context with apps that the user did not use in it, drawn by `seed`; cnt is
 *   left out; minimum count 1, ratio 7, 2, 1. What was used is held in memory
 * - "libsvm": label feature:1 feature:1 ...; the place of an entry is its field, and all rows have as many as the first
 *   line; minimum count 1
 * - "libffm": label field:feature:1 ...; fields that a row lacks are missing, none may be there twice; minimum count 1.
 *   In both the label is 1, or 0 or -1 for a negative row; fields are called field_0 and so on
 *
 * Vocabularies come from the training split: values that occur there min_count times get ids from 1 on by falling
 * frequency (ties: by first occurrence there); all others, and missing ones, get the OOV id 0. The
 * dataset depends on input, format, protocol, ratio, seed and minimum count, and not on threads, memory or how the
 * files are packed.
 *
 * @param out_dir  folder to create; must not exist. Nothing is left behind on error
 * @param report   out; may be NULL
 * @return ADASS_OK; ADASS_EINVAL (unknown format, options that cannot be used, out_dir exists); ADASS_EFORMAT
 *         (message: file:line:column, what is wrong, the text); ADASS_EIO; ADASS_ENOMEM (also where the
 *         vocabulary of a single field does not fit the bound); ADASS_EINTERRUPTED
 */
adass_status adass_import_table(const char *format, const adass_table_options *options,
                                const char *out_dir, adass_import_report *report, adass_error *err);

#ifdef __cplusplus
}
#endif

#endif
