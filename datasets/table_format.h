/* Rows of delimited text by a schema: the row format of tables. */
#ifndef ADASS_TABLE_FORMAT_H
#define ADASS_TABLE_FORMAT_H

#include "row_format.h"
#include "table_schema.h"

typedef struct adass_table_format adass_table_format;

/**
 * @param schema  must outlive the format
 * @return ADASS_OK, ADASS_ENOMEM, or ADASS_EINVAL when two fields or lists have the same name, or there are
 *         too many
 */
adass_status adass_table_format_create(adass_table_format **out, const adass_table_schema *schema,
                                       adass_error *err);

const adass_row_format *adass_table_format_rows(const adass_table_format *format);

/** Accepts NULL. */
void adass_table_format_destroy(adass_table_format *format);

/** A decimal number: sign, digits, fraction, exponent; false for anything else, and for what no double holds. */
bool adass_cell_number(const adass_cell *cell, double *out);

#endif
