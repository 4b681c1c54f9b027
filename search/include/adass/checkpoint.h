/*
 * Checkpoints: the whole state of a stage (training, supernet, search) in a file, so that work that
 * was stopped or killed goes on and ends with the same bits as if it had not been.
 *
 * The file is written every so often, and when the monitor stops the stage; it is replaced at once
 * or not at all, and has a checksum. A stage that fails (out of memory, a full disk, a loss that is
 * not a number) leaves the last one as it was.
 */
#ifndef ADASS_CHECKPOINT_H
#define ADASS_CHECKPOINT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The checkpoint of a stage. The texts are the caller's and must outlive the stage. */
typedef struct adass_checkpoint {
    const char *path;
    /**
     * Everything that decides the stage's bits: configuration, dataset, ISA, build. A file with
     * another identity is not taken up.
     */
    const char *identity;
    double every_seconds; /* >= 0; 0 is after every step */
    bool resume;          /* begin with what the file holds, where there is one */
    bool replace;         /* a file of another identity is passed over instead of being an error */
    bool keep_end; /* training: its end is saved too, for a stage after it that may be stopped */
} adass_checkpoint;

/** The checkpoints of a run, one file a stage. */
typedef struct adass_checkpoint_options {
    const char *dir; /* made where it is missing, removed when it is empty at the end */
    double every_seconds;
    bool resume, replace; /* as above; without resume there must be no checkpoint in the folder */
} adass_checkpoint_options;

#ifdef __cplusplus
}
#endif

#endif
