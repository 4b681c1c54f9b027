/*
 * The MovieLens importer: made-up releases in all layouts against an oracle that works on texts;
 * every kind of bad input with the place that the message names; and, where they are at hand, the
 * real files against plain counts over their text.
 */
#include "adass/batches.h"
#include "adass/import.h"
#include "packed.h"
#include "split_at.h"
#include "text_reader.h"

#include <math.h>
#include <stdbool.h>
#include <time.h>

enum { USERS = 40, REGULARS = 25, MOVIES = 18, RATINGS = 600, MAX_FIELDS = 10, SEED = 9 };

typedef enum release { ML_1M, ML_100K, ML_LATEST, N_RELEASES } release;

static const struct {
    const char *ratings, *users, *movies; /* files */
    const char *fields;
} releases[N_RELEASES] = {
    { "ratings.dat", "users.dat", "movies.dat",
      "user item gender age occupation zip year genres hour weekday" },
    { "u.data", "u.user", "u.item",
      "user item gender age occupation zip year genres hour weekday" },
    { "ratings.csv", NULL, "movies.csv", "user item year genres hour weekday" },
};

/* ---- a made-up release ---- */

static unsigned pick(unsigned what, unsigned i, unsigned n)
{
    return (unsigned)(adass_mix_at(what, i) % n);
}

static unsigned user_id(unsigned u) { return u * 3 + 1; }

static unsigned movie_id(unsigned v) { return v * 7 + 2; }

/* Movie 3 has no year. */
static unsigned movie_year(unsigned v) { return v == 3 ? 0 : 1930 + pick(1, v, 5) * 11; }

/* Popularity differs, so that frequencies do; the last movies are rare. */
static unsigned row_movie(unsigned i)
{
    const unsigned a = pick(2, i, MOVIES), b = pick(3, i, MOVIES);
    return a < b ? a : b;
}

/* Some users come once, so that some are not in the training split. */
static unsigned row_user(unsigned i)
{
    return i % 40 == 0 ? REGULARS + i / 40 : pick(4, i, REGULARS);
}

static unsigned long row_time(unsigned i) { return 978300000ul + pick(5, i, 100000000); }

/* Halves occur in the latest releases only. */
static double row_rating(release r, unsigned i)
{
    return r == ML_LATEST ? 0.5 * (1 + pick(6, i, 10)) : 1.0 + pick(6, i, 5);
}

/* The combination of genres as the release writes it. */
static void movie_genres(release r, unsigned v, char out[64])
{
    static const char *const names[] = { "Drama", "Comedy|Drama", "Children's",
                                         "(no genres listed)" };
    const unsigned g = pick(7, v, 4);
    if (r == ML_100K)
        for (unsigned k = 0; k < 19; k++)
            sprintf(out + 2 * k, k < 18 ? "%d|" : "%d", k == g || k == 18 - 2 * g);
    else
        strcpy(out, names[g]);
}

static size_t print_user(release r, unsigned u, char *out)
{
    const char gender = "FM"[pick(8, u, 2)];
    const unsigned age = 18 + pick(9, u, 4), job = pick(10, u, 6), zip = pick(11, u, 12);
    return (size_t)(r == ML_1M
                        ? sprintf(out, "%u::%c::%u::%u::0%u-x", user_id(u), gender, age, job, zip)
                        : sprintf(out, "%u|%u|%c|job%u|0%u-x", user_id(u), age, gender, job, zip));
}

static size_t print_movie(release r, unsigned v, char *out)
{
    char genres[64], year[16] = "";
    movie_genres(r, v, genres);
    if (movie_year(v) != 0 && r == ML_100K)
        sprintf(year, v % 2 == 0 ? "1-Feb-%u" : "11-Dec-%u", movie_year(v));
    else if (movie_year(v) != 0)
        sprintf(year, " (%u)", movie_year(v));
    if (r == ML_1M)
        return (size_t)sprintf(out, "%u::Caf\xe9 %u (2001) again%s::%s", movie_id(v), v, year,
                               genres);
    if (r == ML_100K)
        return (size_t)sprintf(out, "%u|Caf\xe9 (2001)|%s||http://x/%u|%s", movie_id(v), year, v,
                               genres);
    return (size_t)(v % 3 == 0 ? sprintf(out, "%u,Plain %u%s,%s", movie_id(v), v, year, genres)
                               : sprintf(out, "%u,\"Of \"\"%u\"\", the%s \",\"%s\"", movie_id(v), v,
                                         year, genres));
}

static size_t print_rating(release r, unsigned i, char *out)
{
    static const char *const formats[] = { "%u::%u::%.0f::%lu", "%u\t%u\t%.0f\t%lu",
                                           "%u,%u,%.1f,%lu" };
    return (size_t)sprintf(out, formats[r], user_id(row_user(i)), movie_id(row_movie(i)),
                           row_rating(r, i), row_time(i));
}

/* A file of the release, packed; `header` may be NULL. */
static void write_table(const char *dir, const char *file, packing how, release r,
                        const char *header, unsigned n, size_t (*print)(release, unsigned, char *))
{
    char *text = malloc((size_t)n * 256 + 256), name[64];
    size_t length = header != NULL ? (size_t)sprintf(text, "%s\r\n", header) : 0;
    for (unsigned i = 0; i < n; i++) {
        length += print(r, i, text + length);
        length += (size_t)sprintf(text + length, r == ML_LATEST ? "\r\n" : i + 1 < n ? "\n" : "");
    }
    snprintf(name, sizeof name, "%s%s", file, packing_suffix[how]);
    write_packed(within(dir, name).text, how, text, length);
    free(text);
}

static void write_release(const char *dir, release r, packing how)
{
    assert_int_equal(mkdir(dir, 0777), 0);
    const bool latest = r == ML_LATEST;
    write_table(dir, releases[r].ratings, how, r, latest ? "userId,movieId,rating,timestamp" : NULL,
                RATINGS, print_rating);
    write_table(dir, releases[r].movies, how, r, latest ? "movieId,title,genres" : NULL, MOVIES,
                print_movie);
    if (releases[r].users != NULL)
        write_table(dir, releases[r].users, how, r, NULL, USERS, print_user);
}

/* ---- the oracle ---- */

typedef char value_text[64];

/* What a field's value is for a row, as text. */
static void row_values(release r, unsigned i, value_text values[MAX_FIELDS])
{
    const unsigned u = row_user(i), v = row_movie(i);
    const time_t when = (time_t)row_time(i);
    struct tm tm;
    size_t f = 0;
    sprintf(values[f++], "%u", u);
    sprintf(values[f++], "%u", v);
    if (r != ML_LATEST) {
        sprintf(values[f++], "%u", pick(8, u, 2));
        sprintf(values[f++], "%u", pick(9, u, 4));
        sprintf(values[f++], "%u", pick(10, u, 6));
        sprintf(values[f++], "%u", pick(11, u, 12));
    }
    sprintf(values[f++], "%u", movie_year(v));
    movie_genres(r, v, values[f++]);
    gmtime_r(&when, &tm);
    sprintf(values[f++], "%d", tm.tm_hour);
    sprintf(values[f++], "%d", tm.tm_wday);
}

static adass_split row_split(unsigned i) { return adass_split_at(adass_seed_derive(SEED, 1), i); }

/* Whether a value (count in training a, first row at_a) comes before another one. */
static bool before(unsigned a, unsigned at_a, unsigned b, unsigned at_b)
{
    return a != b ? a > b : at_a < at_b;
}

/*
 * Ids of a field by definition: 1 + the number of values that come before. Gives the vocabulary's
 * size.
 */
static size_t oracle_ids(const value_text (*values)[MAX_FIELDS], size_t f, uint32_t ids[RATINGS])
{
    static unsigned first[RATINGS], count[RATINGS];
    size_t vocab = 1;
    for (unsigned i = 0; i < RATINGS; i++) {
        first[i] = count[i] = 0;
        while (strcmp(values[first[i]][f], values[i][f]) != 0)
            first[i]++;
        count[first[i]] += row_split(i) == ADASS_TRAIN;
    }
    for (unsigned i = 0; i < RATINGS; i++) {
        vocab += first[i] == i && count[i] > 0;
        ids[i] = count[first[i]] > 0;
        for (unsigned k = 0; k < RATINGS && count[first[i]] > 0; k++)
            ids[i] +=
                first[k] == k && k != first[i] && before(count[k], k, count[first[i]], first[i]);
    }
    return vocab;
}

static adass_dataset *import(const char *raw, const char *out, bool no_time)
{
    adass_dataset *d = NULL;
    adass_error err;
    const adass_import_options options = { .seed = SEED, .no_time = no_time };
    expect_ok(adass_import_movielens(raw, out, &options, &err), &err);
    expect_ok(adass_dataset_open(&d, out, &err), &err);
    expect_ok(adass_dataset_verify(d, &err), &err);
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        expect_ok(adass_dataset_check_rows(d, (adass_split)s, &err), &err);
    return d;
}

static void expect_fields(const adass_dataset *d, const char *names)
{
    char all[256] = "";
    for (size_t f = 0; f < d->n_fields; f++) {
        strcat(all, f > 0 ? " " : "");
        strcat(all, d->fields[f].name);
        assert_int_equal(d->fields[f].oov, 0);
    }
    assert_string_equal(all, names);
}

static void expect_oracle(const adass_dataset *d, release r)
{
    static value_text values[RATINGS][MAX_FIELDS];
    static uint32_t ids[RATINGS];
    size_t oov = 0;
    for (unsigned i = 0; i < RATINGS; i++)
        row_values(r, i, values[i]);
    for (size_t f = 0; f < d->n_fields; f++) {
        size_t at[ADASS_N_SPLITS] = { 0 };
        assert_int_equal(d->fields[f].vocab,
                         oracle_ids((const value_text(*)[MAX_FIELDS])values, f, ids));
        for (unsigned i = 0; i < RATINGS; i++) {
            const adass_split s = row_split(i);
            const size_t row = at[s]++;
            assert_true(row < d->splits[s].n);
            assert_int_equal(d->splits[s].ids[row * d->n_fields + f], ids[i]);
            assert_int_equal(d->splits[s].labels_u8[row], row_rating(r, i) >= 4.0);
            oov += ids[i] == 0;
        }
        for (int s = 0; s < ADASS_N_SPLITS; s++)
            assert_int_equal(at[s], d->splits[s].n);
    }
    assert_true(oov > 0); /* the made-up data has values that training does not know */
}

/* Every layout, plain and packed: the oracle's ids, and the same bytes whatever the packing. */
static void test_layouts(void **state)
{
    for (release r = ML_1M; r < N_RELEASES; r++)
        for (packing how = PLAIN; how < N_PACKINGS; how++) {
            char name[32];
            snprintf(name, sizeof name, "r%d", (int)r * 10 + (int)how);
            const scratch_path raw = within(*state, name), first = within(*state, "plain"),
                               out = within(*state, "packed");
            write_release(raw.text, r, how);
            adass_dataset *d = import(raw.text, how == PLAIN ? first.text : out.text, false);
            if (how == PLAIN) {
                expect_fields(d, releases[r].fields);
                expect_oracle(d, r);
            } else {
                expect_same_datasets(first.text, out.text);
                remove_tree(out.text);
            }
            adass_dataset_close(d);
            if (how + 1 == N_PACKINGS)
                remove_tree(first.text);
        }
}

static void test_options(void **state)
{
    const scratch_path raw = within(*state, "raw"), out = within(*state, "out");
    adass_dataset *d = NULL;
    adass_error err;
    write_release(raw.text, ML_1M, PLAIN);
    d = import(raw.text, out.text, true);
    expect_fields(d, "user item gender age occupation zip year genres");
    assert_non_null(strstr(d->made, "\"layout\":\"1M\""));
    assert_non_null(strstr(d->made, "\"seed\":9"));
    adass_dataset_close(d);

    const adass_import_options other = { .seed = SEED + 1 };
    expect_ok(adass_import_movielens(raw.text, within(*state, "other").text, &other, &err), &err);
    expect_ok(adass_dataset_open(&d, within(*state, "other").text, &err), &err);
    size_t rows = 0, same = 0, at = 0;
    for (unsigned i = 0; i < RATINGS; i++)
        same += row_split(i) == adass_split_at(adass_seed_derive(SEED + 1, 1), i);
    for (int s = 0; s < ADASS_N_SPLITS; s++)
        rows += d->splits[s].n;
    for (unsigned i = 0; i < RATINGS; i++) /* the labels follow the other seed's split */
        if (adass_split_at(adass_seed_derive(SEED + 1, 1), i) == ADASS_TRAIN)
            assert_int_equal(d->splits[ADASS_TRAIN].labels_u8[at++], row_rating(ML_1M, i) >= 4.0);
    assert_int_equal(rows, RATINGS);
    assert_true(same < RATINGS * 8 / 10);
    adass_dataset_close(d);
}

/* ---- bad input ---- */

/* Puts `text` in the place of line `number` (from 1); an empty file for line 0. */
static void replace_line(const char *path, size_t number, const char *text)
{
    size_t n;
    char *bytes = read_bytes(path, &n), *from = bytes;
    for (size_t i = 1; i < number; i++)
        from = strchr(from, '\n') + 1;
    const char *to = strchr(from, '\n');
    char *out = malloc(n + strlen(text) + 1);
    const int length =
        sprintf(out, "%.*s%s%s", (int)(from - bytes), bytes, text, to != NULL ? to : "");
    write_bytes(path, out, number > 0 ? (size_t)length : 0);
    free(out);
    free(bytes);
}

static void expect_import_fails(const char *state, adass_status expected, const char *place,
                                const char *part)
{
    const scratch_path raw = within(state, "raw"), outside = within(state, "outside");
    const adass_import_options options = { .seed = SEED };
    adass_error err;
    assert_int_equal(mkdir(outside.text, 0777), 0);
    if (adass_import_movielens(raw.text, within(outside.text, "out").text, &options, &err) !=
        expected)
        fail_msg("not refused as it should be: %s %s", place, part);
    expect_message(&err, place);
    expect_message(&err, part);
    assert_int_equal(count_entries(outside.text), 0); /* neither an output nor a temporary folder */
    assert_int_equal(rmdir(outside.text), 0);
}

static void test_bad_lines(void **state)
{
    /* clang-format off */
    static const struct {
        release r;
        const char *file;
        size_t line;
        const char *text, *place, *part;
    } cases[] = {
        { ML_1M, "ratings.dat", 0, "", "ratings.dat:1:1: ", "no rows" },
        { ML_1M, "users.dat", 0, "", "users.dat:1:1: ", "no rows" },
        { ML_1M, "movies.dat", 0, "", "movies.dat:1:1: ", "no rows" },
        { ML_1M, "ratings.dat", 600, "1::2::3", "ratings.dat:600:8: ", "3 columns instead of 4, '1::2::3'" },
        { ML_1M, "ratings.dat", 600, "1", "ratings.dat:600:2: ", "1 columns instead of 4" },
        { ML_1M, "ratings.dat", 600, "1::2::3::", "ratings.dat:600:10: ", "the time" },
        { ML_1M, "ratings.dat", 7, "", "ratings.dat:7:1: ", "1 columns instead of 4" },
        { ML_1M, "ratings.dat", 7, "1::2::3::4::5", "ratings.dat:7:13: ", "more than 4 columns" },
        { ML_1M, "ratings.dat", 7, "1,2,3,4", "ratings.dat:7:8: ", "1 columns" },
        { ML_1M, "ratings.dat", 7, "one::2::3::4", "ratings.dat:7:1: ",
          "the user is no whole number, 'one'" },
        { ML_1M, "ratings.dat", 7, "2::2::3::4", "ratings.dat:7:1: ", "not among the users, '2'" },
        { ML_1M, "ratings.dat", 7, "1::3::3::4", "ratings.dat:7:4: ", "not among the movies, '3'" },
        { ML_1M, "ratings.dat", 7, "1:: 2::3::4", "ratings.dat:7:4: ", "the movie is no whole number, ' 2'" },
        { ML_1M, "ratings.dat", 7, "1::2::0::4", "ratings.dat:7:7: ", "no number from 0.5 to 5, '0'" },
        { ML_1M, "ratings.dat", 7, "1::2::0.4::4", "ratings.dat:7:7: ", "'0.4'" },
        { ML_1M, "ratings.dat", 7, "1::2::5.1::4", "ratings.dat:7:7: ", "'5.1'" },
        { ML_1M, "ratings.dat", 7, "1::2::6::4", "ratings.dat:7:7: ", "'6'" },
        { ML_1M, "ratings.dat", 7, "1::2::-4::4", "ratings.dat:7:7: ", "'-4'" },
        { ML_1M, "ratings.dat", 7, "1::2::4.::4", "ratings.dat:7:7: ", "'4.'" },
        { ML_1M, "ratings.dat", 7, "1::2::nan::4", "ratings.dat:7:7: ", "'nan'" },
        { ML_1M, "ratings.dat", 7, "1::2::::4", "ratings.dat:7:7: ", "''" },
        { ML_1M, "ratings.dat", 7, "1::2::4\xff::4", "ratings.dat:7:7: ", "'4?'" },
        { ML_1M, "ratings.dat", 7, "1::2::4::12.5", "ratings.dat:7:10: ",
          "the time is no whole number of seconds, '12.5'" },
        { ML_1M, "ratings.dat", 7, "1::2::4::-1", "ratings.dat:7:10: ", "'-1'" },
        { ML_1M, "ratings.dat", 7, "1::2::4::99999999999999999999", "ratings.dat:7:10: ", "the time" },
        { ML_1M, "users.dat", 3, "1::F::18::2::0", "users.dat:3:1: ", "the user is there twice, '1'" },
        { ML_1M, "users.dat", 3, "x::F::18::2::0", "users.dat:3:1: ", "the user is no whole number, 'x'" },
        { ML_1M, "users.dat", 3, "07::F::18::2::0", "users.dat:3:1: ", "the user is no whole number, '07'" },
        { ML_1M, "users.dat", 3, "7::F::18::2::", "users.dat:3:14: ", "an empty value" },
        { ML_1M, "users.dat", 3, "7::F::18::2", "users.dat:3:12: ", "4 columns instead of 5" },
        { ML_1M, "movies.dat", 4, "2::T (1999)::Drama", "movies.dat:4:1: ", "the movie is there twice, '2'" },
        { ML_1M, "movies.dat", 4, "23::T (1999)::", "movies.dat:4:15: ", "an empty value" },
        { ML_1M, "movies.dat", 4, "23::T (1999)::Drama::x", "movies.dat:4:22: ", "more than 3 columns" },
        { ML_100K, "u.data", 0, "", "u.data:1:1: ", "no rows" },
        { ML_100K, "u.data", 600, "1\t2\t4", "u.data:600:6: ", "3 columns instead of 4" },
        { ML_100K, "u.data", 9, "1\t2\tfour\t4", "u.data:9:5: ", "'four'" },
        { ML_100K, "u.data", 9, "999\t2\t4\t4", "u.data:9:1: ", "not among the users, '999'" },
        { ML_100K, "u.user", 5, "13|1|F|x", "u.user:5:9: ", "4 columns instead of 5" },
        { ML_100K, "u.user", 5, "13||F|x|0", "u.user:5:4: ", "an empty value" },
        { ML_100K, "u.item", 2, "9|T|1995||u|0|0", "u.item:2:16: ", "7 columns instead of 24" },
        { ML_100K, "u.item", 2, "9|T|1995||u|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0", "u.item:2:5: ",
          "no date like 01-Jan-1995, '1995'" },
        { ML_100K, "u.item", 2, "9|T|01-Jun-95||u|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0", "u.item:2:5: ",
          "no date" },
        { ML_100K, "u.item", 2, "9|T|01-jun-1995||u|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0", "u.item:2:5: ",
          "no date" },
        { ML_100K, "u.item", 2, "9|T|01-anF-1995||u|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0", "u.item:2:5: ",
          "no date" },
        { ML_100K, "u.item", 2, "9|T|1-Jun-1995||u|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|2", "u.item:2:55: ",
          "neither 0 nor 1, '2'" },
        { ML_LATEST, "ratings.csv", 0, "", "ratings.csv:1:1: ", "no rows" },
        { ML_LATEST, "ratings.csv", 1, "1,2,4.0,5", "ratings.csv:1:1: ",
          "the header is not userId,movieId,rating,timestamp, '1,2,4.0,5'" },
        { ML_LATEST, "movies.csv", 1, "movieId;title;genres", "movies.csv:1:1: ",
          "the header is not movieId,title,genres" },
        { ML_LATEST, "ratings.csv", 601, "1,2,4.", "ratings.csv:601:7: ", "3 columns instead of 4" },
        { ML_LATEST, "ratings.csv", 8, "-1,2,4.0,5", "ratings.csv:8:1: ",
          "the user is no whole number, '-1'" },
        { ML_LATEST, "ratings.csv", 8, "1,3,4.0,5", "ratings.csv:8:3: ", "not among the movies, '3'" },
        { ML_LATEST, "movies.csv", 4, "23,\"Title, the (1999),Drama", "movies.csv:4:4: ",
          "the quote is not closed" },
        { ML_LATEST, "movies.csv", 4, "23,\"Title\" x,Drama", "movies.csv:4:4: ",
          "something follows the closing quote" },
        { ML_LATEST, "movies.csv", 4, "23,Title, the (1999),Drama", "movies.csv:4:22: ",
          "more than 3 columns" },
        { ML_LATEST, "movies.csv", 4, "23,\"T\"", "movies.csv:4:7: ", "2 columns instead of 3, '23,\"T\"'" },
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const scratch_path raw = within(*state, "raw");
        write_release(raw.text, cases[i].r, PLAIN);
        replace_line(within(raw.text, cases[i].file).text, cases[i].line, cases[i].text);
        expect_import_fails(*state, ADASS_EFORMAT, within(raw.text, cases[i].place).text,
                            cases[i].part);
        remove_tree(raw.text);
    }
}

static void test_header_only(void **state)
{
    const scratch_path raw = within(*state, "raw");
    write_release(raw.text, ML_LATEST, PLAIN);
    write_text(within(raw.text, "ratings.csv").text, "userId,movieId,rating,timestamp\n");
    expect_import_fails(*state, ADASS_EFORMAT, "ratings.csv:2:1: ", "no rows");
}

static void test_cut_file(void **state)
{
    const scratch_path raw = within(*state, "raw"), path = within(raw.text, "ratings.dat.xz");
    size_t n;
    write_release(raw.text, ML_1M, XZ);
    char *bytes = read_bytes(path.text, &n);
    write_bytes(path.text, bytes, n - 20);
    free(bytes);
    expect_import_fails(*state, ADASS_EFORMAT, "ratings.dat.xz:", "cut");
}

static void test_missing_files(void **state)
{
    const scratch_path raw = within(*state, "raw");
    for (release r = ML_1M; r < N_RELEASES; r++) {
        write_release(raw.text, r, GZ);
        char name[64];
        snprintf(name, sizeof name, "%s.gz", releases[r].movies);
        unlink(within(raw.text, name).text);
        expect_import_fails(*state, ADASS_EIO, within(raw.text, releases[r].movies).text,
                            "not there");
        remove_tree(raw.text);
    }
    expect_import_fails(*state, ADASS_EIO, raw.text, "no MovieLens release");
    write_release(raw.text, ML_1M, PLAIN);
    write_text(within(raw.text, "u.data").text, "1\t2\t3\t4\n");
    expect_import_fails(*state, ADASS_EINVAL, raw.text, "both ratings.dat and u.data");
}

static void test_output(void **state)
{
    const scratch_path raw = within(*state, "raw");
    const adass_import_options options = { .seed = SEED };
    adass_error err;
    write_release(raw.text, ML_1M, PLAIN);
    write_text(within(*state, "file").text, "");
    assert_int_equal(adass_import_movielens(raw.text, within(*state, "file").text, &options, &err),
                     ADASS_EINVAL);
    expect_message(&err, "exists already");
    assert_int_equal(
        adass_import_movielens(raw.text, within(*state, "none/out").text, &options, &err),
        ADASS_EIO);
    assert_int_equal(count_entries(*state), 2);
}

/* ---- the real files ---- */

enum { REAL_IDS = 8192 };

/* Plain counts over the text of a real release. */
typedef struct counts {
    size_t rows, positives, train;
    size_t users[REAL_IDS], movies[REAL_IDS]; /* in training */
} counts;

static void real_dir(char out[4096], const char *name)
{
    const char *data = getenv("ADASS_DATA"), *source = getenv("ADASS_SOURCE_DIR");
    if (data != NULL)
        snprintf(out, 4096, "%s/%s", data, name);
    else
        snprintf(out, 4096, "%s/../shared/data/%s", source != NULL ? source : ".", name);
    if (access(out, R_OK) != 0) {
        print_message("%s is not there (ADASS_DATA names its parent); skipped\n", out);
        skip();
    }
}

static void count_text(const char *path, const char *format, counts *c)
{
    adass_text_reader *r = NULL;
    adass_line line;
    adass_error err;
    *c = (counts){ 0 };
    expect_ok(adass_text_reader_open(&r, path, &err), &err);
    for (;; c->rows++) {
        unsigned user, movie, stars;
        expect_ok(adass_text_reader_next(r, &line, &err), &err);
        if (line.text == NULL)
            break;
        assert_int_equal(sscanf(line.text, format, &user, &movie, &stars), 3);
        assert_true(user < REAL_IDS && movie < REAL_IDS);
        c->positives += stars >= 4;
        if (row_split((unsigned)c->rows) != ADASS_TRAIN)
            continue;
        c->users[user]++;
        c->movies[movie]++;
        c->train++;
    }
    adass_text_reader_close(r);
}

static int falling(const void *a, const void *b)
{
    const size_t *x = a, *y = b;
    return *x > *y ? -1 : *x < *y;
}

/*
 * The field's ids have the frequencies of the raw values, falling from id 1 on; `raw` is sorted
 * here.
 */
static void expect_frequencies(const adass_dataset *d, size_t f, size_t raw[REAL_IDS])
{
    static size_t count[REAL_IDS];
    const adass_rows *train = &d->splits[ADASS_TRAIN];
    memset(count, 0, sizeof count);
    for (size_t i = 0; i < train->n; i++)
        count[train->ids[i * d->n_fields + f]]++;
    qsort(raw, REAL_IDS, sizeof *raw, falling);
    assert_int_equal(count[0], 0);
    assert_memory_equal(count + 1, raw, (REAL_IDS - 1) * sizeof *raw);
    assert_true(raw[d->fields[f].vocab - 2] > 0 && raw[d->fields[f].vocab - 1] == 0);
}

/* Every vocabulary is the number of ids that occur in training, and one. */
static void expect_vocabularies(const adass_dataset *d)
{
    const adass_rows *train = &d->splits[ADASS_TRAIN];
    for (size_t f = 0; f < d->n_fields; f++) {
        char *seen = calloc(d->fields[f].vocab, 1);
        size_t distinct = 0;
        for (size_t i = 0; i < train->n; i++) {
            const uint32_t id = train->ids[i * d->n_fields + f];
            distinct += seen[id] == 0;
            seen[id] = 1;
        }
        free(seen);
        assert_int_equal(d->fields[f].vocab, distinct + 1);
    }
}

static void expect_real(void **state, const char *name, const char *ratings, const char *format,
                        bool no_time, size_t rows, double rate)
{
    static counts c;
    char raw[4096], path[4200];
    real_dir(raw, name);
    snprintf(path, sizeof path, "%s/%s", raw, ratings);
    count_text(path, format, &c);
    adass_dataset *d = import(raw, within(*state, "out").text, no_time);
    size_t n = 0;
    double positives = 0.0;
    for (int s = 0; s < ADASS_N_SPLITS; s++) {
        n += d->splits[s].n;
        positives += adass_rows_label_rate(&d->splits[s]) * (double)d->splits[s].n;
    }
    expect_fields(d, no_time ? "user item gender age occupation zip year genres"
                             : releases[ML_100K].fields);
    assert_int_equal(n, rows);
    assert_int_equal(c.rows, rows);
    assert_int_equal(d->splits[ADASS_TRAIN].n, c.train);
    assert_true(fabs(positives - (double)c.positives) < 0.5);
    assert_true(fabs(positives / (double)n - rate) < 0.0005);
    assert_true(fabs((double)c.train / (double)n - 0.8) < 5.0 * sqrt(0.16 / (double)n));
    expect_frequencies(d, 0, c.users);
    expect_frequencies(d, 1, c.movies);
    expect_vocabularies(d);
    assert_int_equal(d->fields[2].vocab, 3);
    adass_dataset_close(d);
}

static void test_real_1m(void **state)
{
    expect_real(state, "movielens-1m", "ratings.dat.xz", "%u::%u::%u", true, 1000209, 0.575);
}

static void test_real_100k(void **state)
{
    expect_real(state, "movielens-100k", "u.data.xz", "%u %u %u", false, 100000, 0.554);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layouts, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_options, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_bad_lines, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_header_only, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_cut_file, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_missing_files, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_output, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_real_1m, scratch_set_up, scratch_tear_down),
        cmocka_unit_test_setup_teardown(test_real_100k, scratch_set_up, scratch_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
