/* Schemas of public data sets. */
#include "table_presets.h"

#include <string.h>

#define CATEGORICAL(n)                                                                             \
    {                                                                                              \
        .name = n, .kind = ADASS_COLUMN_CATEGORICAL                                                \
    }
#define NUMERIC(n)                                                                                 \
    {                                                                                              \
        .name = n, .kind = ADASS_COLUMN_NUMERIC                                                    \
    }
#define IGNORED(n)                                                                                 \
    {                                                                                              \
        .name = n, .kind = ADASS_COLUMN_IGNORE                                                     \
    }
#define LABEL(n)                                                                                   \
    {                                                                                              \
        .name = n, .kind = ADASS_COLUMN_LABEL                                                      \
    }
#define N(columns) (sizeof columns / sizeof columns[0])

/* clang-format off */

/* Criteo display advertising challenge (Kaggle 2014), train.txt. */
static const adass_column criteo_columns[] = {
    LABEL("label"),
    NUMERIC("I1"), NUMERIC("I2"), NUMERIC("I3"), NUMERIC("I4"), NUMERIC("I5"), NUMERIC("I6"),
    NUMERIC("I7"), NUMERIC("I8"), NUMERIC("I9"), NUMERIC("I10"), NUMERIC("I11"), NUMERIC("I12"),
    NUMERIC("I13"),
    CATEGORICAL("C1"), CATEGORICAL("C2"), CATEGORICAL("C3"), CATEGORICAL("C4"), CATEGORICAL("C5"),
    CATEGORICAL("C6"), CATEGORICAL("C7"), CATEGORICAL("C8"), CATEGORICAL("C9"), CATEGORICAL("C10"),
    CATEGORICAL("C11"), CATEGORICAL("C12"), CATEGORICAL("C13"), CATEGORICAL("C14"), CATEGORICAL("C15"),
    CATEGORICAL("C16"), CATEGORICAL("C17"), CATEGORICAL("C18"), CATEGORICAL("C19"), CATEGORICAL("C20"),
    CATEGORICAL("C21"), CATEGORICAL("C22"), CATEGORICAL("C23"), CATEGORICAL("C24"), CATEGORICAL("C25"),
    CATEGORICAL("C26"),
};

/* Avazu click-through rate prediction (Kaggle 2014), train.csv. */
static const adass_column avazu_columns[] = {
    IGNORED("id"), LABEL("click"),
    { .name = "hour", .kind = ADASS_COLUMN_TIME, .format = "YYMMDDHH", .n_parts = 3,
      .parts = { ADASS_HOUR, ADASS_WEEKDAY, ADASS_WEEKEND } },
    CATEGORICAL("C1"), CATEGORICAL("banner_pos"), CATEGORICAL("site_id"), CATEGORICAL("site_domain"),
    CATEGORICAL("site_category"), CATEGORICAL("app_id"), CATEGORICAL("app_domain"),
    CATEGORICAL("app_category"), CATEGORICAL("device_id"), CATEGORICAL("device_ip"),
    CATEGORICAL("device_model"), CATEGORICAL("device_type"), CATEGORICAL("device_conn_type"),
    CATEGORICAL("C14"), CATEGORICAL("C15"), CATEGORICAL("C16"), CATEGORICAL("C17"), CATEGORICAL("C18"),
    CATEGORICAL("C19"), CATEGORICAL("C20"), CATEGORICAL("C21"),
};

/* KDD Cup 2012 track 2 (Tencent), training.txt and the sample of it at OpenML: the same columns. A row stands for
 * `impression` impressions; how many is known only afterwards, and no feature. */
static const adass_column kdd12_columns[] = {
    { .name = "click", .kind = ADASS_COLUMN_LABEL, .has_threshold = true, .threshold = 1.0 },
    IGNORED("impression"), CATEGORICAL("url_hash"), CATEGORICAL("ad_id"), CATEGORICAL("advertiser_id"),
    CATEGORICAL("depth"), CATEGORICAL("position"), CATEGORICAL("query_id"), CATEGORICAL("keyword_id"),
    CATEGORICAL("title_id"), CATEGORICAL("description_id"), CATEGORICAL("user_id"),
};

/* Frappe (Baltrunas et al. 2015), rows of adass_sample_negatives(). An app's number of uses is left out there. */
static const adass_column frappe_columns[] = {
    LABEL("label"), CATEGORICAL("user"), CATEGORICAL("item"), CATEGORICAL("daytime"), CATEGORICAL("weekday"),
    CATEGORICAL("isweekend"), CATEGORICAL("homework"), CATEGORICAL("cost"), CATEGORICAL("weather"),
    CATEGORICAL("country"), CATEGORICAL("city"),
};

/* clang-format on */

static const adass_table_schema criteo = { "\t", ADASS_HEADER_NONE, N(criteo_columns),
                                           criteo_columns, NULL };
static const adass_table_schema avazu = { ",", ADASS_HEADER_OPTIONAL, N(avazu_columns),
                                          avazu_columns, NULL };
static const adass_table_schema kdd12_tsv = { "\t", ADASS_HEADER_NONE, N(kdd12_columns),
                                              kdd12_columns, NULL };
static const adass_table_schema kdd12_csv = { ",", ADASS_HEADER_OPTIONAL, N(kdd12_columns),
                                              kdd12_columns, NULL };

static const adass_table_schema frappe = { "\t", ADASS_HEADER_NONE, N(frappe_columns),
                                           frappe_columns, NULL };

/*
 * Published: rows and features of Criteo_x4_001, Avazu_x4_001 and Frappe_x1 (BARS, arXiv 2205.09626), whose vocabularies
 * have a padding id in each field that is not counted here; rows of KDD Cup 2012 track 2.
 */
static const adass_table_preset presets[] = {
    {
        .name = "criteo",
        .schemas = { &criteo },
        .min_count = 10,
        .protocol = ADASS_PROTOCOL_X4,
        .rows = 45840617,
        .vocabs = {
            43, 98, 121, 40, 219, 111, 79, 68, 91, 5, 26, 36, 71, 1445, 553, 157338, 117821, 305,
            17, 11881, 629, 4, 39529, 5130, 156655, 3175, 27, 11042, 148912, 11, 4559, 2002, 4,
            154563, 17, 16, 53030, 81, 40954,
        },
    },
    {
        .name = "avazu",
        .schemas = { &avazu },
        .min_count = 2,
        .protocol = ADASS_PROTOCOL_X4,
        .rows = 40428967,
        .vocabs = {
            25, 8, 3, 8, 8, 4050, 5460, 26, 6544, 399, 32, 820508, 2903321, 7258, 6, 5, 2555, 9,
            10, 433, 5, 69, 172, 61,
        },
    },
    {
        .name = "kdd12",
        .schemas = { &kdd12_tsv, &kdd12_csv },
        .min_count = 10,
        .rows = 149639105,
    },
    {
        .name = "frappe",
        .schemas = { &frappe },
        .negatives = true,
        .min_count = 1,
        .protocol = ADASS_PROTOCOL_RANDOM,
        .ratio = { 7.0, 2.0, 1.0 },
        .rows = 288609,
        .vocabs = { 955, 4083, 8, 8, 3, 4, 3, 10, 81, 234 },
    },
};

const adass_table_preset *adass_table_preset_find(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}
