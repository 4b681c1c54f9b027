/*
 * How lines become rows: what an importer has to say of its format. The rest (reading, counting,
 * splitting, encoding, writing) is the table engine's, which knows nothing of the format
 * (import_rows.h).
 */
#ifndef ADASS_ROW_FORMAT_H
#define ADASS_ROW_FORMAT_H

#include <jansson.h>

#include "delimited.h"
#include "value_key.h"

/** One column of the dataset. */
typedef struct adass_row_field {
    const char *name;
    size_t vocabulary; /* the one that its values are counted in; fields may share one */
} adass_row_field;

/** Where a row is parsed into; each thread has one. */
typedef struct adass_row {
    uint8_t label;      /* 0 or 1 */
    adass_cell *values; /* [n_fields]; text NULL: missing, which gets the OOV id */
    adass_cell *cells;  /* [n_cells], for the format's own use */
    char
        *texts; /* [text_bytes], for values that do not stand in the line; they hold for this row */
} adass_row;

typedef struct adass_row_format {
    void *user;
    size_t n_fields;
    const adass_row_field *fields;
    size_t n_vocabularies;
    const char *const *vocabularies; /* [n_vocabularies], names; in the order of their fields */
    size_t n_cells, text_bytes;      /* of an adass_row */
    json_t *made; /* what meta.json tells of it beside the engine's own; NULL: nothing */
    /** Whether the first line of a file is a header; NULL: there are none. */
    adass_status (*header)(void *user, adass_line *line, bool *is_header, adass_error *err);
    /**
     * A line, which may be changed, to a row, whose values may point into the line. Called from
     * several threads at once. ADASS_EFORMAT (adass_fail_cell()) for a bad one.
     */
    adass_status (*parse)(void *user, adass_line *line, adass_row *row, adass_error *err);
    /**
     * As parse(), but the values' keys instead of their texts: keys[f * stride] for field f, adass_key_of() of what
     * parse() gives; `row->values` is free for use. For speed; NULL: parse() is all there is.
     */
    adass_status (*parse_keys)(void *user, adass_line *line, adass_row *row, adass_key *keys,
                               size_t stride, adass_error *err);
} adass_row_format;

#endif
