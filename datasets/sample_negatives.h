/*
 * Logs of what was used, and nothing of what was not (Frappe): each row becomes a positive one and two negative ones,
 * with other items in the same context.
 */
#ifndef ADASS_SAMPLE_NEGATIVES_H
#define ADASS_SAMPLE_NEGATIVES_H

#include <jansson.h>

#include "adass/import.h"
#include "blocks.h"

/**
 * Writes the rows as a table of their own, without header: label (1, 0, 0), user, item, then the context's columns, with
 * tabs between. A row's negative items are drawn uniformly, by `seed` and the row's number, from all items of the
 * input but those that the user used in that context, and are not the same twice (He and Chua, Neural factorization
 * machines, SIGIR 2017, 4.1).
 *
 * @param raw   tab-separated with the header user, item, cnt (how often, which is left out), and the context
 * @param out   the table, to be closed
 * @param made  out, what meta.json tells of it; to be released
 * @return ADASS_OK; ADASS_EFORMAT (a bad row; or a user and context for which less than two items are left);
 *         ADASS_ENOMEM, also when pairs of context and item do not fit `options->memory_bytes`; as adass_blocks_run()
 */
adass_status adass_sample_negatives(adass_inputs *raw, const adass_table_options *options,
                                    const char *out_dir, adass_inputs **out, json_t **made,
                                    adass_import_report *report, adass_error *err);

#endif
