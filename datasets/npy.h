/*
 * NumPy's .npy format, as far as prepared datasets use it: version 1.0, C order, one or two
 * dimensions, little-endian uint32, uint8 or float32.
 * Written as a stream: the header has a fixed length and is put in when the number of rows is
 * known.
 */
#ifndef ADASS_NPY_H
#define ADASS_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "adass/dataset.h"
#include "adass/status.h"

typedef enum adass_npy_type { ADASS_NPY_U32, ADASS_NPY_U8, ADASS_NPY_F32 } adass_npy_type;

/** What a header says. */
typedef struct adass_npy_info {
    adass_npy_type type;
    size_t n_dims;      /* 1 or 2 */
    size_t shape[2];    /* rows, columns; 1 column when there is one dimension */
    size_t data_offset; /* of the first element in the file */
} adass_npy_info;

/**
 * Reads the header of a file that is in memory, and checks that the file ends where the data ends.
 *
 * @param path   for the message
 * @param bytes  [length], the whole file
 * @param out    untouched on error
 * @return ADASS_OK, or ADASS_EFORMAT naming the file and what is wrong; any bytes may be given
 */
adass_status adass_npy_parse(const char *path, const void *bytes, size_t length,
                             adass_npy_info *out, adass_error *err);

/** A file being written. */
typedef struct adass_npy_writer adass_npy_writer;

/**
 * Creates a file that must not exist.
 *
 * @param columns  of a two-dimensional array; 0 makes a one-dimensional one
 */
adass_status adass_npy_create(adass_npy_writer **out, const char *path, adass_npy_type type,
                              size_t columns, adass_error *err);

/** Appends n rows. */
adass_status adass_npy_append(adass_npy_writer *writer, const void *rows, size_t n,
                              adass_error *err);

/**
 * How many rows there will be; to be called before the first is appended. The checksum is then made of what is written,
 * and nothing is read again.
 */
void adass_npy_expect(adass_npy_writer *writer, size_t rows);

/** Full buffers that a thread writes after others were let on; to be initialised with zeros. */
typedef struct adass_npy_later {
    unsigned char *buffer;    /* NULL before adass_npy_later_init() */
    adass_npy_writer *writer; /* whose bytes it has; NULL: none */
    uint64_t offset;          /* of these in the file */
} adass_npy_later;

adass_status adass_npy_later_init(adass_npy_later *later, adass_error *err);

/**
 * As adass_npy_append(), but that the first buffer that becomes full, unless `later` has one already, is left to
 * adass_npy_write_later(). Rows are appended by one thread at a time; what they leave is written by many.
 */
adass_status adass_npy_append_later(adass_npy_writer *writer, const void *rows, size_t n,
                                    adass_npy_later *later, adass_error *err);

/** Writes what was left, if there is anything; before adass_npy_finish(). */
adass_status adass_npy_write_later(adass_npy_later *later, adass_error *err);

/**
 * Writes what is buffered, then the header; synced to the disk. To be called once, before
 * adass_npy_close().
 */
adass_status adass_npy_finish(adass_npy_writer *writer, adass_error *err);

/**
 * After adass_npy_finish(), as adass_checksum_file(): from what was written where the rows were as expected, else from
 * the file.
 */
adass_status adass_npy_checksum(const adass_npy_writer *writer, char out[ADASS_CHECKSUM_CHARS],
                                size_t *bytes, adass_error *err);

/** Rows appended so far. */
size_t adass_npy_rows(const adass_npy_writer *writer);

/** Closes the file and frees the writer. Accepts NULL. */
void adass_npy_close(adass_npy_writer *writer);

#endif
