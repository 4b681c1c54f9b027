/*
 * Models as safetensors files: a little-endian length, a JSON header, then the raw tensors. PyTorch
 * and others open them.
 */
#ifndef ADASS_SAFETENSORS_H
#define ADASS_SAFETENSORS_H

#include "adass/dataset.h"
#include "adass/model.h"

/**
 * Writes a model's parameters, named as by adass_model_tensor() with the dataset's field names, to
 * a temporary name and renames it. Fields of size 0 have no embedding tensor. The header's metadata
 * names backbone and dataset.
 */
adass_status adass_safetensors_write(const char *path, adass_model *model,
                                     const adass_dataset *dataset, adass_error *err);

#endif
