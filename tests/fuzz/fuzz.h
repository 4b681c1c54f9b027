/*
 * What fuzz targets share: a scratch folder in memory, inputs that are cut into parts, and checks that end the
 * program. A target defines LLVMFuzzerTestOneInput(); libFuzzer or replay.c calls it.
 */
#ifndef ADASS_FUZZ_H
#define ADASS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ends the program with the place when a promise of the code under test is broken. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_abort(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_abort(const char *file, int line, const char *condition);

/** The input of a target; any bytes. */
typedef struct fuzz_input {
    const uint8_t *bytes;
    size_t n;
} fuzz_input;

/** The next byte, 0 when there is none. */
uint8_t fuzz_take_byte(fuzz_input *input);

/** The next part: two bytes of length (the lower one first) and as many bytes, or what is left. */
fuzz_input fuzz_take_part(fuzz_input *input);

/**
 * `<folder>/<name>` in a folder of this process, which is in memory where the system has /dev/shm
 * and is removed at exit. Holds until the 8th call from here.
 */
const char *fuzz_path(const char *name);

/** Writes a file, whose folder is there. */
void fuzz_write(const char *path, const void *bytes, size_t n);

/** Creates a folder unless it is there. */
void fuzz_make_folder(const char *path);

/** Removes a file or a folder with all that is in it, if it is there. */
void fuzz_remove(const char *path);

/** The entry, as libFuzzer names it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
