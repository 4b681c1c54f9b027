/*
 * MovieLens. A release is three tables: ratings, users (not in every release) and movies. The
 * layouts are described by data; one pass over the ratings makes the vocabularies, a second one
 * writes the rows, so that memory holds users and movies but no ratings.
 */
#include "adass/import.h"

#include "adass/rng.h"
#include "delimited.h"
#include "dictionary.h"
#include "meta.h"
#include "split_at.h"
#include "text_reader.h"
#include "vocabulary.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COLUMNS = 24, MAX_VALUES = 4, MAX_FIELDS = 2 + 2 * MAX_VALUES + 2, STREAM_SPLIT = 1 };
enum { SECONDS_PER_HOUR = 3600, SECONDS_PER_DAY = 86400, LINES_A_TICK = 1 << 14 };

/* Finds a value in a row: NULL, or what is wrong with `out`, which is set in either case. */
typedef const char *take_value(const adass_cell *cells, adass_cell *out);

typedef struct value_rule {
    const char *field;
    size_t column;
    take_value *take;
} value_rule;

typedef struct table {
    const char *file;   /* NULL: the release has none */
    const char *header; /* NULL: the first line is a row */
    adass_dialect dialect;
    size_t n_values; /* of users and movies, whose number stands in the first column */
    value_rule values[MAX_VALUES];
} table;

typedef struct layout {
    const char *name;
    table ratings, users, movies; /* ratings: user, movie, rating, time */
} layout;

/* ---- values ---- */

static const char *take_text(const adass_cell *cells, adass_cell *out)
{
    *out = cells[0];
    return out->length > 0 ? NULL : "an empty value";
}

static bool is_digits(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return true;
}

/* "Title (1995)"; the empty text when the title does not end so. */
static const char *take_title_year(const adass_cell *cells, adass_cell *out)
{
    const char *text = cells[0].text;
    size_t end = cells[0].length;
    while (end > 0 && text[end - 1] == ' ')
        end--;
    const bool dated =
        end >= 6 && text[end - 6] == '(' && text[end - 1] == ')' && is_digits(text + end - 5, 4);
    *out = dated ? (adass_cell){ text + end - 5, 4, cells[0].column + end - 5 }
                 : (adass_cell){ text, 0, cells[0].column };
    return NULL;
}

/* "01-Jan-1995", also with one digit for the day; the empty text when it is missing. */
static const char *take_date_year(const adass_cell *cells, adass_cell *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    *out = cells[0];
    if (out->length == 0)
        return NULL;
    const char *p = out->text;
    const size_t day = p[1] == '-' ? 1 : 2;
    if (out->length != day + 9 || !is_digits(p, day) || p[day] != '-' || p[day + 4] != '-' ||
        !is_digits(p + day + 5, 4))
        return "no date like 01-Jan-1995";
    for (const char *month = months; *month != '\0'; month += 3)
        if (memcmp(month, p + day + 1, 3) == 0) {
            *out = (adass_cell){ p + day + 5, 4, out->column + day + 5 };
            return NULL;
        }
    return "no date like 01-Jan-1995";
}

/* The flags of all genres, to the end of the line, as one text. */
static const char *take_flags(const adass_cell *cells, adass_cell *out)
{
    enum { N_GENRES = 19 };
    for (size_t g = 0; g < N_GENRES; g++)
        if (!adass_cell_is(&cells[g], "0") && !adass_cell_is(&cells[g], "1")) {
            *out = cells[g];
            return "a genre's flag is neither 0 nor 1";
        }
    *out = cells[0];
    out->length = (size_t)(cells[N_GENRES - 1].text + 1 - cells[0].text);
    return NULL;
}

/* ---- layouts ---- */

/* clang-format off */
static const layout layouts[] = {
    {
        .name = "1M",
        .ratings = { "ratings.dat", NULL, { "::", false, 4 }, 0, { { 0 } } },
        .users = { "users.dat", NULL, { "::", false, 5 }, 4,
                   { { "gender", 1, take_text }, { "age", 2, take_text },
                     { "occupation", 3, take_text }, { "zip", 4, take_text } } },
        .movies = { "movies.dat", NULL, { "::", false, 3 }, 2,
                    { { "year", 1, take_title_year }, { "genres", 2, take_text } } },
    },
    {
        .name = "100K",
        .ratings = { "u.data", NULL, { "\t", false, 4 }, 0, { { 0 } } },
        .users = { "u.user", NULL, { "|", false, 5 }, 4,
                   { { "gender", 2, take_text }, { "age", 1, take_text },
                     { "occupation", 3, take_text }, { "zip", 4, take_text } } },
        .movies = { "u.item", NULL, { "|", false, 24 }, 2,
                    { { "year", 2, take_date_year }, { "genres", 5, take_flags } } },
    },
    {
        .name = "latest",
        .ratings = { "ratings.csv", "userId,movieId,rating,timestamp", { ",", true, 4 }, 0, { { 0 } } },
        .movies = { "movies.csv", "movieId,title,genres", { ",", true, 3 }, 2,
                    { { "year", 1, take_title_year }, { "genres", 2, take_text } } },
    },
};
/* clang-format on */

enum { N_LAYOUTS = sizeof layouts / sizeof layouts[0] };

/* Users or movies. */
typedef struct side {
    adass_dictionary keys;
    adass_dictionary values[MAX_VALUES];
    uint32_t *numbers; /* [keys.n x n_values], of the values */
    size_t capacity;   /* keys there is room for */
} side;

typedef struct movielens {
    const char *raw_dir;
    const layout *layout;
    bool time;
    const adass_monitor *monitor; /* may be NULL */
    uint64_t split_seed;
    side users, movies;
    size_t n_fields;
    const char *names[MAX_FIELDS];
    adass_vocabulary vocabularies[MAX_FIELDS];
    uint64_t row;  /* of the ratings; in this pass */
    json_t *files; /* checksums of the raw files, unpacked, by name */
    adass_writer *writer;
} movielens;

/* What is done with a row of a table. */
typedef adass_status use_row(movielens *m, const table *t, const adass_line *line,
                             const adass_cell *cells, adass_error *err);

/* ---- files ---- */

/* The path of a raw file, plain or packed, in new memory; NULL when it is not there. */
static char *find_file(const char *dir, const char *file)
{
    static const char *const suffixes[] = { "", ".gz", ".zst", ".xz" };
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char *path = malloc(strlen(dir) + strlen(file) + 8);
        if (path == NULL)
            return NULL;
        sprintf(path, "%s/%s%s", dir, file, suffixes[i]);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

static adass_status find_layout(movielens *m, adass_error *err)
{
    for (size_t i = 0; i < N_LAYOUTS; i++) {
        char *path = find_file(m->raw_dir, layouts[i].ratings.file);
        free(path);
        if (path != NULL && m->layout != NULL)
            return adass_fail(err, ADASS_EINVAL,
                              "%s: both %s and %s are there; keep each release in its own folder",
                              m->raw_dir, m->layout->ratings.file, layouts[i].ratings.file);
        if (path != NULL)
            m->layout = &layouts[i];
    }
    if (m->layout != NULL)
        return ADASS_OK;
    return adass_fail(err, ADASS_EIO,
                      "%s: no MovieLens release is there: looked for %s, %s and %s, plain or with "
                      ".gz, .zst or .xz",
                      m->raw_dir, layouts[0].ratings.file, layouts[1].ratings.file,
                      layouts[2].ratings.file);
}

/* Keeps the file's checksum; reading it a second time must give the same. */
static adass_status keep_checksum(movielens *m, const table *t, const adass_text_reader *reader,
                                  const char *path, adass_error *err)
{
    char checksum[ADASS_CHECKSUM_CHARS];
    adass_text_reader_checksum(reader, checksum);
    const char *before = json_string_value(json_object_get(m->files, t->file));
    if (before != NULL && strcmp(before, checksum) != 0)
        return adass_fail(err, ADASS_EIO, "%s: it changed while it was read; try again", path);
    if (before == NULL && json_object_set_new(m->files, t->file, json_string(checksum)) != 0)
        return adass_fail_memory(err, "a checksum", sizeof checksum);
    return ADASS_OK;
}

static adass_status check_header(const table *t, const adass_line *line, adass_error *err)
{
    const adass_cell whole = { line->text, line->length, 1 };
    if (adass_cell_is(&whole, t->header))
        return ADASS_OK;
    char what[80];
    snprintf(what, sizeof what, "the header is not %s", t->header);
    return adass_fail_cell(err, line, &whole, what);
}

static adass_status read_lines(movielens *m, const table *t, adass_text_reader *reader,
                               use_row *use, adass_error *err)
{
    adass_cell cells[MAX_COLUMNS];
    size_t rows = 0;
    for (;;) {
        adass_line line;
        adass_status status = adass_text_reader_next(reader, &line, err);
        if (status != ADASS_OK)
            return status;
        if (line.text == NULL && rows == 0)
            return adass_fail(err, ADASS_EFORMAT, "%s:%zu:1: the file has no rows", line.path,
                              line.number);
        if (line.text == NULL)
            return keep_checksum(m, t, reader, line.path, err);
        if (line.number == 1 && t->header != NULL) {
            status = check_header(t, &line, err);
        } else {
            status = adass_line_split(&line, &t->dialect, cells, err);
            if (status == ADASS_OK)
                status = use(m, t, &line, cells, err);
            rows++;
        }
        if (status == ADASS_OK && rows % LINES_A_TICK == 0)
            status = adass_monitor_tick(m->monitor, t->file, rows, 0, "", err);
        if (status != ADASS_OK)
            return status;
    }
}

static adass_status read_table(movielens *m, const table *t, use_row *use, adass_error *err)
{
    char *path = find_file(m->raw_dir, t->file);
    if (path == NULL)
        return adass_fail(
            err, ADASS_EIO,
            "%s/%s: not there, neither plain nor with .gz, .zst or .xz; the %s layout "
            "of MovieLens needs it",
            m->raw_dir, t->file, m->layout->name);
    adass_text_reader *reader = NULL;
    adass_status status = adass_text_reader_open(&reader, path, err);
    if (status == ADASS_OK)
        status = read_lines(m, t, reader, use, err);
    adass_text_reader_close(reader);
    free(path);
    return status;
}

/* ---- users and movies ---- */

static adass_status reserve(side *s, size_t n_values, adass_error *err)
{
    if (s->keys.n <= s->capacity)
        return ADASS_OK;
    const size_t capacity = s->capacity * 2 + 1024;
    uint32_t *numbers = realloc(s->numbers, capacity * n_values * sizeof *numbers);
    if (numbers == NULL)
        return adass_fail_memory(err, "users and movies",
                                 (double)(capacity * n_values) * sizeof *numbers);
    s->numbers = numbers;
    s->capacity = capacity;
    return ADASS_OK;
}

static adass_status add_values(side *s, uint32_t key, const table *t, const adass_line *line,
                               const adass_cell *cells, adass_error *err)
{
    adass_status status = reserve(s, t->n_values, err);
    for (size_t v = 0; v < t->n_values && status == ADASS_OK; v++) {
        adass_cell value;
        const char *wrong = t->values[v].take(&cells[t->values[v].column], &value);
        status = wrong != NULL ? adass_fail_cell(err, line, &value, wrong)
                               : adass_dictionary_add(&s->values[v], value.text, value.length,
                                                      &s->numbers[key * t->n_values + v], err);
    }
    return status;
}

static adass_status add_side(movielens *m, const table *t, const adass_line *line,
                             const adass_cell *cells, adass_error *err)
{
    const bool user = t == &m->layout->users;
    side *s = user ? &m->users : &m->movies;
    uint64_t number;
    if (!adass_cell_whole(&cells[0], &number))
        return adass_fail_cell(err, line, &cells[0],
                               user ? "the user is no whole number"
                                    : "the movie is no whole number");
    uint32_t key;
    const uint32_t before = s->keys.n;
    const adass_status status =
        adass_dictionary_add(&s->keys, cells[0].text, cells[0].length, &key, err);
    if (status != ADASS_OK)
        return status;
    if (key != before)
        return adass_fail_cell(err, line, &cells[0],
                               user ? "the user is there twice" : "the movie is there twice");
    return add_values(s, key, t, line, cells, err);
}

/* ---- ratings ---- */

typedef struct rating {
    uint32_t values[MAX_FIELDS]; /* numbers, not yet ids */
    uint8_t label;
} rating;

/* Digits, or digits with a fraction, from 0.5 to 5. */
static bool parse_rating(const adass_cell *cell, double *out)
{
    const char *point = memchr(cell->text, '.', cell->length);
    const size_t whole = point != NULL ? (size_t)(point - cell->text) : cell->length;
    const size_t fraction = point != NULL ? cell->length - whole - 1 : 0;
    if (whole != 1 || (point != NULL && (fraction == 0 || fraction > 9)) ||
        !is_digits(cell->text, 1) || (point != NULL && !is_digits(point + 1, fraction)))
        return false;
    double value = 0.0;
    for (size_t i = fraction; i > 0; i--) /* from the last digit on */
        value = (value + (double)(point[i] - '0')) / 10.0;
    *out = value + (double)(cell->text[0] - '0');
    return *out >= 0.5 && *out <= 5.0;
}

/* The user's number. A release without a table of users makes it here. */
static adass_status take_user(movielens *m, const adass_line *line, const adass_cell *cell,
                              uint32_t *user, adass_error *err)
{
    uint64_t number;
    if (adass_dictionary_find(&m->users.keys, cell->text, cell->length, user))
        return ADASS_OK;
    if (!adass_cell_whole(cell, &number))
        return adass_fail_cell(err, line, cell, "the user is no whole number");
    if (m->layout->users.file != NULL)
        return adass_fail_cell(err, line, cell, "the user is not among the users");
    return adass_dictionary_add(&m->users.keys, cell->text, cell->length, user, err);
}

static adass_status take_movie(const movielens *m, const adass_line *line, const adass_cell *cell,
                               uint32_t *movie, adass_error *err)
{
    uint64_t number;
    if (adass_dictionary_find(&m->movies.keys, cell->text, cell->length, movie))
        return ADASS_OK;
    return adass_fail_cell(err, line, cell,
                           adass_cell_whole(cell, &number) ? "the movie is not among the movies"
                                                           : "the movie is no whole number");
}

/* The values of a field each, in the order of name_fields(). */
static void gather_values(const movielens *m, uint32_t user, uint32_t movie, uint64_t time,
                          uint32_t *values)
{
    const size_t n_user = m->layout->users.n_values, n_movie = m->layout->movies.n_values;
    *values++ = user;
    *values++ = movie;
    for (size_t v = 0; v < n_user; v++)
        *values++ = m->users.numbers[user * n_user + v];
    for (size_t v = 0; v < n_movie; v++)
        *values++ = m->movies.numbers[movie * n_movie + v];
    if (m->time) {
        *values++ = (uint32_t)(time / SECONDS_PER_HOUR % 24);
        *values = (uint32_t)(time / SECONDS_PER_DAY % 7); /* 0 is a Thursday; ids go by frequency */
    }
}

static adass_status take_rating(movielens *m, const adass_line *line, const adass_cell *cells,
                                rating *out, adass_error *err)
{
    uint32_t user, movie;
    uint64_t time;
    double stars;
    adass_status status = take_user(m, line, &cells[0], &user, err);
    if (status == ADASS_OK)
        status = take_movie(m, line, &cells[1], &movie, err);
    if (status != ADASS_OK)
        return status;
    if (!parse_rating(&cells[2], &stars))
        return adass_fail_cell(err, line, &cells[2], "the rating is no number from 0.5 to 5");
    if (!adass_cell_whole(&cells[3], &time))
        return adass_fail_cell(err, line, &cells[3], "the time is no whole number of seconds");
    gather_values(m, user, movie, time, out->values);
    out->label = stars >= 4.0;
    return ADASS_OK;
}

static adass_status count_rating(movielens *m, const table *t, const adass_line *line,
                                 const adass_cell *cells, adass_error *err)
{
    (void)t;
    rating r;
    adass_status status = take_rating(m, line, cells, &r, err);
    const bool in_training = adass_split_at(m->split_seed, m->row) == ADASS_TRAIN;
    for (size_t f = 0; f < m->n_fields && status == ADASS_OK; f++)
        status = adass_vocabulary_count(&m->vocabularies[f], r.values[f], m->row, in_training, err);
    m->row++;
    return status;
}

static adass_status write_rating(movielens *m, const table *t, const adass_line *line,
                                 const adass_cell *cells, adass_error *err)
{
    (void)t;
    rating r;
    uint32_t ids[MAX_FIELDS];
    const adass_status status = take_rating(m, line, cells, &r, err);
    if (status != ADASS_OK)
        return status;
    for (size_t f = 0; f < m->n_fields; f++)
        ids[f] = adass_vocabulary_id(&m->vocabularies[f], r.values[f]);
    return adass_writer_add(m->writer, adass_split_at(m->split_seed, m->row++), ids, &r.label, 1,
                            err);
}

/* ---- the whole ---- */

static void name_fields(movielens *m)
{
    const char **name = m->names;
    *name++ = "user";
    *name++ = "item";
    for (size_t v = 0; v < m->layout->users.n_values; v++)
        *name++ = m->layout->users.values[v].field;
    for (size_t v = 0; v < m->layout->movies.n_values; v++)
        *name++ = m->layout->movies.values[v].field;
    if (m->time) {
        *name++ = "hour";
        *name++ = "weekday";
    }
    m->n_fields = (size_t)(name - m->names);
}

static adass_status make_vocabularies(movielens *m, adass_error *err)
{
    adass_status status = read_table(m, &m->layout->ratings, count_rating, err);
    for (size_t f = 0; f < m->n_fields && status == ADASS_OK; f++)
        status = adass_vocabulary_finish(&m->vocabularies[f], err);
    m->row = 0;
    return status;
}

static adass_status finish(movielens *m, const adass_import_options *options, adass_error *err)
{
    adass_field fields[MAX_FIELDS];
    for (size_t f = 0; f < m->n_fields; f++)
        fields[f] = (adass_field){ .name = (char *)m->names[f],
                                   .vocab = m->vocabularies[f].vocab,
                                   .oov = ADASS_OOV };
    json_t *made = json_pack("{s:s, s:s, s:s, s:o, s:b, s:O}", "by", "import movielens", "layout",
                             m->layout->name, "label", "rating >= 4", "seed",
                             adass_json_u64(options->seed), "no_time", !m->time, "raw", m->files);
    if (made == NULL)
        return adass_fail_memory(err, "meta.json", 1024.0);
    const adass_status status = adass_writer_finish(m->writer, fields, 0.0, made, err);
    json_decref(made);
    return status;
}

/* The output comes first: a target that cannot be written is told before the work. */
static adass_status import(movielens *m, const char *out_dir, const adass_import_options *options,
                           adass_error *err)
{
    adass_status status = find_layout(m, err);
    if (status != ADASS_OK)
        return status;
    name_fields(m);
    status = adass_writer_open(&m->writer, out_dir, m->n_fields, err);
    if (status == ADASS_OK && m->layout->users.file != NULL)
        status = read_table(m, &m->layout->users, add_side, err);
    if (status == ADASS_OK)
        status = read_table(m, &m->layout->movies, add_side, err);
    if (status == ADASS_OK)
        status = make_vocabularies(m, err);
    if (status == ADASS_OK)
        status = read_table(m, &m->layout->ratings, write_rating, err);
    return status == ADASS_OK ? finish(m, options, err) : status;
}

static void free_side(side *s)
{
    adass_dictionary_free(&s->keys);
    for (size_t v = 0; v < MAX_VALUES; v++)
        adass_dictionary_free(&s->values[v]);
    free(s->numbers);
}

adass_status adass_import_movielens(const char *raw_dir, const char *out_dir,
                                    const adass_import_options *options, adass_error *err)
{
    movielens m = {
        .raw_dir = raw_dir,
        .time = !options->no_time,
        .monitor = options->monitor,
        .split_seed = adass_seed_derive(options->seed, STREAM_SPLIT),
        .files = json_object(),
    };
    const adass_status status = m.files != NULL ? import(&m, out_dir, options, err)
                                                : adass_fail_memory(err, "the importer", 1024.0);
    adass_writer_close(m.writer);
    for (size_t f = 0; f < MAX_FIELDS; f++)
        adass_vocabulary_free(&m.vocabularies[f]);
    free_side(&m.users);
    free_side(&m.movies);
    json_decref(m.files);
    return status;
}
