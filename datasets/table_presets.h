/* Schemas of public data sets, and what is published of their rows and features. */
#ifndef ADASS_TABLE_PRESETS_H
#define ADASS_TABLE_PRESETS_H

#include <stdint.h>

#include "adass/import.h"
#include "table_schema.h"

enum { ADASS_PRESET_FIELDS_MAX = 40 };

typedef struct adass_table_preset {
    const char *name;
    const adass_table_schema
        *schemas[2]; /* the first one whose separator is in the first line; NULL: only one */
    bool negatives;  /* rows are uses: the schema is that of adass_sample_negatives()'s table */
    size_t min_count;
    adass_protocol protocol; /* that the numbers of ids are published for */
    double ratio[3]; /* likewise, and what is taken when none is asked for; all 0: 8, 1, 1 */
    uint64_t rows;   /* of the whole file; 0: not known */
    /** With protocol, ratio and min_count: ids of each field in the order of the dataset, OOV included; 0 ends them. */
    size_t vocabs[ADASS_PRESET_FIELDS_MAX];
} adass_table_preset;

/** NULL when there is none of that name. */
const adass_table_preset *adass_table_preset_find(const char *name);

#endif
