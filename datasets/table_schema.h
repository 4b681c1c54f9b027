/*
 * What the columns of a delimited text are: from a JSON file, or from the presets for public data
 * sets. A schema file:
 *
 *   {
 *     "header": true,                 true, false (default) or "optional": skipped where it is there
 *     "separator": ",",               1 to 8 bytes; "," (default) has RFC 4180's quotes as well
 *     "columns": [
 *       {"name": "click", "kind": "label"},
 *       {"name": "stars", "kind": "label", "threshold": 4},
 *       {"name": "income", "kind": "label", "positive": [">50K"]},
 *       {"name": "site", "kind": "categorical", "missing": "value"},
 *       {"name": "price", "kind": "numeric"},
 *       {"name": "tags", "kind": "multi", "separator": "|", "keep": 3},
 *       {"name": "at", "kind": "time", "format": "YYMMDDHH", "parts": ["hour", "weekday"]},
 *       {"name": "id", "kind": "ignore"}
 *     ]
 *   }
 *
 * There is one label: 0 or 1; or a number, positive from the threshold on; or a text, positive
 * where it is one of a list. An empty cell is a missing value and gets the OOV id, unless "missing" says that it
 * is a value like others (categorical) or the kind has a rule (numeric).
 *
 * numeric: missing -> 0; x > 2 -> floor(ln(x)^2); otherwise x without its fraction; what comes out
 * is a category (the rule of FuxiCTR's Criteo protocol).
 * multi: the first `keep` values become the fields <name>_0, <name>_1, ..., which share a vocabulary.
 * time: "unix" (seconds), or a pattern in which Y, M, D, H are a digit of year, month, day and hour,
 * ? is any character, * is the rest, and others stand for themselves. Parts: hour (0 to 23), weekday (0:
 * Monday), weekend (1: Saturday and Sunday), day (of the month), month. Each is a field of that name, with
 * the column's "prefix" in front (default: none). Nothing is converted between time zones; unix is UTC.
 */
#ifndef ADASS_TABLE_SCHEMA_H
#define ADASS_TABLE_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "adass/status.h"

enum { ADASS_POSITIVES_MAX = 8, ADASS_KEEP_MAX = 256 };

typedef enum adass_column_kind {
    ADASS_COLUMN_IGNORE,
    ADASS_COLUMN_LABEL,
    ADASS_COLUMN_CATEGORICAL,
    ADASS_COLUMN_NUMERIC,
    ADASS_COLUMN_MULTI,
    ADASS_COLUMN_TIME
} adass_column_kind;

typedef enum adass_time_part {
    ADASS_HOUR,
    ADASS_WEEKDAY,
    ADASS_WEEKEND,
    ADASS_DAY,
    ADASS_MONTH,
    ADASS_N_TIME_PARTS
} adass_time_part;

typedef enum adass_header {
    ADASS_HEADER_NONE,
    ADASS_HEADER_DEMANDED,
    ADASS_HEADER_OPTIONAL
} adass_header;

typedef struct adass_column {
    const char *name;
    adass_column_kind kind;
    bool missing_is_value; /* categorical */
    bool has_threshold;    /* label */
    double threshold;
    const char *positives[ADASS_POSITIVES_MAX]; /* label; NULL ends them */
    const char *separator;                      /* multi */
    size_t keep;
    const char *format, *prefix; /* time; prefix NULL: none */
    size_t n_parts;
    adass_time_part parts[ADASS_N_TIME_PARTS];
} adass_column;

typedef struct adass_table_schema {
    const char *separator;
    adass_header header;
    size_t n_columns;
    const adass_column *columns;
    json_t *source; /* holds the texts of a schema file; NULL for a preset */
} adass_table_schema;

/** "hour" and so on. */
const char *adass_time_part_name(adass_time_part part);

/**
 * Reads a schema file.
 *
 * @param out  to be freed with adass_table_schema_free(); untouched on error
 * @return ADASS_OK, ADASS_EIO, ADASS_ENOMEM, or ADASS_EFORMAT naming the place in the file: line and
 *         column for what is no JSON, else the member, as `columns[2].kind`
 */
adass_status adass_table_schema_read(adass_table_schema *out, const char *path, adass_error *err);

/** Frees what a schema file made; presets are left alone. */
void adass_table_schema_free(adass_table_schema *schema);

#endif
