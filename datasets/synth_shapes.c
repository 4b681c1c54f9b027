/*
 * The shapes of planted data.
 *
 * Vocabularies are those of the benchmark's preparation of each data set (Criteo_x4_001, Avazu_x4_001,
 * Frappe_x1 of reczoo's Datasets; KDD12: facebookresearch/NasRec), less one: that preparation keeps an id
 * for padding and one for values unseen or rare, a dataset here has one for both. Rare values: distinct
 * values of the whole file (Hsword/Hetu) less the vocabulary.
 *
 * Exponents: where a vocabulary has more than 5,000 features, that whose expected number of distinct
 * values in as many rows equals the one counted in a public sample (Criteo 8,000 rows, Avazu 8,999, KDD12
 * 39,948), at most 1.2. Smaller fields are flatter than the originals, which often have three or four
 * values that matter: of those no rank above three could be told.
 *
 * Ranks go across vocabularies, so that a size cannot be guessed from the vocabulary, with two limits: a
 * field of n features has no rank above n - 1, and vocabularies whose features have few rows each have
 * ranks of 0 to 4, since larger ones could not be learned from any number of rows that one trains on.
 * Every rank that occurs has two fields at least, or its last components would have no partner.
 */
#include "synth_shapes.h"

#include <stdio.h>
#include <string.h>

/* name, vocabulary, rank, exponent[, rare values] */
#define FIELD(name, vocab, rank, exponent)                                                         \
    {                                                                                              \
        name, vocab, rank, exponent, 0, false, false                                               \
    }
#define NUMBER(name, vocab, rank, exponent)                                                        \
    {                                                                                              \
        name, vocab, rank, exponent, 0, true, false                                                \
    }
#define RARE(name, vocab, rank, exponent, rare)                                                    \
    {                                                                                              \
        name, vocab, rank, exponent, rare, false, false                                            \
    }
#define GAPS(name, vocab, rank, exponent, rare)                                                    \
    {                                                                                              \
        name, vocab, rank, exponent, rare, false, true                                             \
    }

static const synth_field tiny_fields[] = {
    FIELD("f0", 2001, 2, 1.0), FIELD("f1", 1501, 8, 1.0), FIELD("f2", 801, 16, 0.8),
    FIELD("f3", 501, 1, 1.0),  FIELD("f4", 301, 16, 0.6), FIELD("f5", 121, 4, 0.8),
    FIELD("f6", 61, 8, 0.6),   FIELD("f7", 31, 2, 0.6),
};

/* MovieLens-1M. Large vocabularies have ranks that some hundred rows a feature can teach. */
static const synth_field movielens_fields[] = {
    FIELD("user", 6041, 4, 0.6), FIELD("item", 3679, 8, 0.9),     FIELD("gender", 3, 1, 0.5),
    FIELD("age", 8, 4, 0.5),     FIELD("occupation", 22, 8, 0.5), FIELD("zip", 3440, 1, 0.6),
    FIELD("year", 82, 16, 0.9),  FIELD("genres", 302, 16, 0.9),
};

static const synth_field frappe_fields[] = {
    FIELD("user", 955, 8, 1.0),  FIELD("item", 4083, 16, 1.0),  FIELD("daytime", 8, 4, 0.5),
    FIELD("weekday", 8, 4, 0.2), FIELD("isweekend", 3, 1, 1.0), FIELD("homework", 4, 0, 1.0),
    FIELD("cost", 3, 1, 1.0),    FIELD("weather", 10, 2, 0.8),  FIELD("country", 81, 16, 1.0),
    FIELD("city", 234, 8, 1.0),
};

static const synth_field criteo_fields[] = {
    NUMBER("I1", 43, 8, 0.8),
    NUMBER("I2", 98, 16, 0.8),
    NUMBER("I3", 121, 4, 0.8),
    NUMBER("I4", 40, 2, 0.8),
    NUMBER("I5", 219, 32, 0.8),
    NUMBER("I6", 111, 16, 0.8),
    NUMBER("I7", 79, 8, 0.8),
    NUMBER("I8", 68, 4, 0.8),
    NUMBER("I9", 91, 16, 0.8),
    NUMBER("I10", 5, 2, 0.5),
    NUMBER("I11", 26, 8, 0.8),
    NUMBER("I12", 36, 0, 0.8),
    NUMBER("I13", 71, 4, 0.8),
    FIELD("C1", 1445, 64, 1.0),
    FIELD("C2", 553, 64, 0.8),
    GAPS("C3", 157338, 0, 1.2, 9973890),
    GAPS("C4", 117821, 2, 1.1, 2084788),
    FIELD("C5", 305, 32, 0.8),
    GAPS("C6", 17, 4, 0.6, 0),
    FIELD("C7", 11881, 8, 1.0),
    FIELD("C8", 629, 16, 1.0),
    FIELD("C9", 4, 2, 0.5),
    RARE("C10", 39529, 2, 1.1, 53617),
    FIELD("C11", 5130, 32, 1.0),
    GAPS("C12", 156655, 2, 1.2, 8194939),
    FIELD("C13", 3175, 64, 1.0),
    FIELD("C14", 27, 8, 0.8),
    FIELD("C15", 11042, 4, 1.1),
    GAPS("C16", 148912, 0, 1.1, 5312395),
    FIELD("C17", 11, 4, 0.6),
    FIELD("C18", 4559, 16, 1.0),
    GAPS("C19", 2002, 64, 1.0, 0),
    GAPS("C20", 4, 2, 0.5, 0),
    GAPS("C21", 154563, 2, 1.1, 6891985),
    GAPS("C22", 17, 0, 0.8, 0),
    FIELD("C23", 16, 8, 0.6),
    GAPS("C24", 53030, 4, 1.1, 233152),
    GAPS("C25", 81, 32, 0.8, 0),
    GAPS("C26", 40954, 0, 1.2, 101619),
};

/* The preparation makes weekday and weekend from the hour; here the three are drawn apart. */
static const synth_field avazu_fields[] = {
    FIELD("hour", 25, 8, 0.2),
    FIELD("C1", 8, 4, 0.8),
    FIELD("banner_pos", 8, 2, 0.8),
    FIELD("site_id", 4050, 32, 1.0),
    FIELD("site_domain", 5460, 16, 1.2),
    FIELD("site_category", 26, 8, 0.8),
    FIELD("app_id", 6544, 32, 1.2),
    FIELD("app_domain", 399, 16, 1.0),
    FIELD("app_category", 32, 8, 0.8),
    RARE("device_id", 820508, 0, 1.2, 1865901),
    RARE("device_ip", 2903321, 1, 0.9, 3826166),
    FIELD("device_model", 7258, 16, 1.2),
    FIELD("device_type", 6, 2, 0.8),
    FIELD("device_conn_type", 5, 2, 0.8),
    FIELD("C14", 2555, 64, 1.0),
    FIELD("C15", 9, 4, 0.8),
    FIELD("C16", 10, 4, 0.8),
    FIELD("C17", 433, 64, 0.8),
    FIELD("C18", 5, 2, 0.5),
    FIELD("C19", 69, 32, 0.8),
    FIELD("C20", 172, 64, 0.8),
    FIELD("C21", 61, 16, 0.8),
    FIELD("weekday", 8, 4, 0.2),
    FIELD("weekend", 3, 0, 0.8),
};

static const synth_field kdd12_fields[] = {
    FIELD("display_url", 26273, 32, 1.1),
    FIELD("ad_id", 641707, 4, 1.0),
    FIELD("advertiser_id", 14847, 32, 1.1),
    FIELD("query_id", 22122010, 0, 0.9),
    FIELD("keyword_id", 1188089, 2, 1.0),
    FIELD("title_id", 3735796, 1, 0.9),
    FIELD("description_id", 2934101, 0, 1.0),
    FIELD("user_id", 20004010, 1, 0.9),
    FIELD("gender", 3, 1, 0.5),
    FIELD("age", 7, 4, 0.5),
};

#define FIELDS(list) .n_fields = sizeof(list) / sizeof(list)[0], .fields = list

/*
 * Label rates: Criteo and Avazu: FuxiCTR's preparation; Frappe: two sampled negatives for each row;
 * KDD12: rows with a click among those of training.txt, as the literature quotes it, which agrees with the
 * log-loss published at AUC 0.8154.
 *
 * Rare occurrence: Criteo has 45,840,617 rows and a minimum count of 10; a rare value is taken to have two
 * of them, which gives the samples' numbers of distinct values. Avazu has 40,428,967 and a minimum count of
 * 2: a rare value has one.
 */
static const synth_shape shapes[] = {
    { "criteo", 1000000, 0.2562, 1.35, 0.25, 0.6, 0.15, 2.0 / 45840617.0, FIELDS(criteo_fields) },
    { "avazu", 1000000, 0.1698, 1.3, 0.25, 0.6, 0.15, 1.0 / 40428967.0, FIELDS(avazu_fields) },
    { "kdd12", 1000000, 0.0445, 1.3, 0.25, 0.6, 0.15, 0.0, FIELDS(kdd12_fields) },
    { "movielens", 1000000, 0.575, 1.5, 0.3, 0.55, 0.15, 0.0, FIELDS(movielens_fields) },
    { "frappe", 288609, 1.0 / 3.0, 4.0, 0.3, 0.55, 0.15, 0.0, FIELDS(frappe_fields) },
    { "tiny", 200000, 0.3, 2.0, 0.2, 0.65, 0.15, 0.0, FIELDS(tiny_fields) },
};

enum { N_SHAPES = sizeof shapes / sizeof shapes[0] };

const synth_shape *adass_synth_shape_find(const char *name, adass_error *err)
{
    char names[256] = "";
    for (size_t i = 0; i < N_SHAPES; i++) {
        if (strcmp(name, shapes[i].name) == 0)
            return &shapes[i];
        const size_t n = strlen(names);
        snprintf(names + n, sizeof names - n, "%s%s", i > 0 ? ", " : "", shapes[i].name);
    }
    adass_fail(err, ADASS_EINVAL, "no shape named '%s'; there are %s", name, names);
    return NULL;
}
