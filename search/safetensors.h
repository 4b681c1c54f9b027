/*
 * Safetensors files: a little-endian length, a JSON header, then the raw arrays. PyTorch and others
 * open them. Models and checkpoints are such files; the header's metadata has a checksum, XXH3-64
 * of the header without it and of all data.
 */
#ifndef ADASS_SAFETENSORS_H
#define ADASS_SAFETENSORS_H

#include <jansson.h>

#include "adass/dataset.h"
#include "adass/model.h"

typedef enum adass_dtype {
    ADASS_DTYPE_F32,
    ADASS_DTYPE_BF16,
    ADASS_DTYPE_F16,
    ADASS_DTYPE_F64,
    ADASS_DTYPE_U8,
    ADASS_DTYPE_U64,
    ADASS_N_DTYPES
} adass_dtype;

/** A named array in memory, contiguous; the data is its owner's. */
typedef struct adass_array {
    char name[96];
    adass_dtype dtype;
    size_t rows, cols;
    void *data;
} adass_array;

/** A model's tensor, not of INT8, as an array of its own type. */
adass_array adass_tensor_array(const adass_tensor *tensor);

/**
 * Writes arrays by adass_file_write(). Those without elements are left out.
 *
 * @param metadata  an object of texts, borrowed; gets the member "checksum"
 */
adass_status adass_safetensors_write(const char *path, json_t *metadata, const adass_array *arrays,
                                     size_t n, adass_error *err);

/**
 * Writes a model's parameters, named as by adass_model_tensor() with the dataset's field names.
 * Fields of size 0 have no embedding tensor. The metadata names backbone and dataset.
 */
adass_status adass_safetensors_write_model(const char *path, adass_model *model,
                                           const adass_dataset *dataset, adass_error *err);

typedef struct adass_safetensors adass_safetensors;

/**
 * Opens a file written by the above and checks it whole.
 *
 * @param out  to be closed with adass_safetensors_close()
 * @return ADASS_OK, ADASS_EIO, ADASS_ENOMEM, or ADASS_EFORMAT naming the file that is damaged
 */
adass_status adass_safetensors_open(adass_safetensors **out, const char *path, adass_error *err);

/** A text of the metadata, or NULL. */
const char *adass_safetensors_metadata(const adass_safetensors *file, const char *key);

/** Rows of an array; 0 where there is none of that name. */
size_t adass_safetensors_rows(const adass_safetensors *file, const char *name);

/**
 * Fills arrays.
 *
 * @param arrays  of the types and shapes of the file's: all of these, and no others
 * @return ADASS_OK, ADASS_EIO, or ADASS_EFORMAT naming file and array
 */
adass_status adass_safetensors_read(adass_safetensors *file, const adass_array *arrays, size_t n,
                                    adass_error *err);

/** Accepts NULL. */
void adass_safetensors_close(adass_safetensors *file);

#endif
