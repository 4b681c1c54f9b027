/* Delimited text. */
#include "delimited.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <stdio.h>
#include <string.h>

enum { SHOWN_CHARS = 60 };

adass_status adass_fail_cell(adass_error *err, const adass_line *line, const adass_cell *cell,
                             const char *what)
{
    char shown[SHOWN_CHARS + 1];
    const size_t n = cell->length < SHOWN_CHARS ? cell->length : SHOWN_CHARS;
    for (size_t i = 0; i < n; i++)
        shown[i] = cell->text[i] >= ' ' && cell->text[i] <= '~' ? cell->text[i] : '?';
    shown[n] = '\0';
    return adass_fail(err, ADASS_EFORMAT, "%s:%zu:%zu: %s, '%s%s'", line->path, line->number,
                      cell->column, what, shown, n < cell->length ? "..." : "");
}

/*
 * The end of a cell that begins with a quote: behind the closing one. NULL when it is not closed.
 */
static const char *quoted_end(const char *text)
{
    for (const char *p = text + 1; *p != '\0'; p++)
        if (*p == '"' && *++p != '"')
            return p;
    return NULL;
}

static const char *plain_end(const char *text, const char *separator)
{
    const char *end = strstr(text, separator);
    return end != NULL ? end : text + strlen(text);
}

/* Takes the quotes off, in place. */
static void unquote(adass_line *line, adass_cell *cell)
{
    char *text = line->text + (cell->column - 1), *to = text;
    if (*text != '"')
        return;
    for (size_t i = 1; i + 1 < cell->length; i++) {
        *to++ = text[i];
        i += text[i] == '"'; /* the second of a pair */
    }
    cell->length = (size_t)(to - text);
}

static adass_status fail_columns(const adass_line *line, size_t have, size_t need, size_t column,
                                 adass_error *err)
{
    char what[80];
    if (have < need)
        snprintf(what, sizeof what, "%zu columns instead of %zu", have, need);
    else
        snprintf(what, sizeof what, "more than %zu columns", need);
    return adass_fail_cell(err, line, &(adass_cell){ line->text, line->length, column }, what);
}

/* Any separator, quotes, and what is wrong. */
static adass_status split_slowly(adass_line *line, const adass_dialect *dialect, adass_cell *cells,
                                 adass_error *err)
{
    const size_t separator_length = strlen(dialect->separator);
    const char *text = line->text;
    for (size_t n = 0;; text += separator_length) {
        const size_t column = (size_t)(text - line->text) + 1;
        if (n == dialect->n_columns)
            return fail_columns(line, n, dialect->n_columns, column, err);
        const bool quoted = dialect->quoted && *text == '"';
        const char *end = quoted ? quoted_end(text) : plain_end(text, dialect->separator);
        cells[n] = (adass_cell){ text, end != NULL ? (size_t)(end - text) : strlen(text), column };
        if (end == NULL)
            return adass_fail_cell(err, line, &cells[n], "the quote is not closed");
        n++;
        text = end;
        if (*end == '\0' && n == dialect->n_columns)
            break;
        if (*end == '\0')
            return fail_columns(line, n, dialect->n_columns, line->length + 1, err);
        if (strncmp(end, dialect->separator, separator_length) != 0)
            return adass_fail_cell(err, line, &cells[n - 1], "something follows the closing quote");
    }
    for (size_t n = 0; n < dialect->n_columns && dialect->quoted; n++)
        unquote(line, &cells[n]);
    return ADASS_OK;
}

enum { GROUP_BYTES = 64 };

#ifdef __SSE2__
/* A bit for each byte of a group: whether it is the separator. */
static inline uint64_t find_separators(const char group[GROUP_BYTES], char separator)
{
    const __m128i wanted = _mm_set1_epi8(separator);
    uint64_t found = 0;
    for (unsigned i = 0; i < GROUP_BYTES; i += 16) {
        const __m128i part = _mm_loadu_si128((const __m128i *)(const void *)(group + i));
        found |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(part, wanted)) << i;
    }
    return found;
}
#else
/* A bit at the top of each byte of `word` that is `byte` repeated. Exact: no carry crosses a byte. */
static inline uint64_t bytes_equal(uint64_t word, uint64_t repeated)
{
    const uint64_t low = UINT64_C(0x7f7f7f7f7f7f7f7f), x = word ^ repeated;
    return ~(((x & low) + low) | x | low);
}

/* The eight bytes at `text` as a word, the first one lowest. */
static inline uint64_t load_word(const char *text)
{
    uint64_t word;
    memcpy(&word, text, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* A bit for each byte of a group: whether it is the separator. */
static inline uint64_t find_separators(const char group[GROUP_BYTES], char separator)
{
    const uint64_t repeated = (unsigned char)separator * UINT64_C(0x0101010101010101);
    uint64_t found = 0;
    for (unsigned i = 0; i < GROUP_BYTES; i += 8) {
        const uint64_t tops = bytes_equal(load_word(group + i), repeated);
        /* the product has the bits of the bytes side by side at its top; none of its sums carries */
        found |= ((tops >> 7) * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return found;
}
#endif

/*
 * Cells between separators of one byte, a group of bytes at a time: cells are so short that a search for each, or a
 * branch for each word, would cost more than it finds. Gives the number of cells, those that are one
 * too many included; at most n_columns are kept.
 */
static size_t split_fast(const adass_line *line, char separator, size_t n_columns,
                         adass_cell *cells)
{
    const char *text = line->text;
    size_t n = 0, begin = 0;
    for (size_t at = 0; at < line->length; at += GROUP_BYTES) {
        const size_t left = line->length - at;
        char last[GROUP_BYTES] = { 0 }; /* no separator */
        if (left < GROUP_BYTES)
            memcpy(last, text + at, left);
        uint64_t found = find_separators(left < GROUP_BYTES ? last : text + at, separator);
        for (; found != 0; found &= found - 1) {
            const size_t end = at + (size_t)__builtin_ctzll(found);
            if (n == n_columns)
                return n + 1;
            cells[n++] = (adass_cell){ text + begin, end - begin, begin + 1 };
            begin = end + 1;
        }
    }
    if (n < n_columns)
        cells[n] = (adass_cell){ text + begin, line->length - begin, begin + 1 };
    return n + 1;
}

adass_status adass_line_split(adass_line *line, const adass_dialect *dialect, adass_cell *cells,
                              adass_error *err)
{
    const bool quotes = dialect->quoted && memchr(line->text, '"', line->length) != NULL;
    if (!quotes && dialect->separator[0] != '\0' && dialect->separator[1] == '\0' &&
        split_fast(line, dialect->separator[0], dialect->n_columns, cells) == dialect->n_columns)
        return ADASS_OK;
    return split_slowly(line, dialect, cells, err);
}

bool adass_cell_is(const adass_cell *cell, const char *text)
{
    return cell->length == strlen(text) && memcmp(cell->text, text, cell->length) == 0;
}

bool adass_cell_whole(const adass_cell *cell, uint64_t *out)
{
    uint64_t value = 0;
    if (cell->length == 0 || (cell->length > 1 && cell->text[0] == '0'))
        return false;
    for (size_t i = 0; i < cell->length; i++) {
        const char c = cell->text[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}
