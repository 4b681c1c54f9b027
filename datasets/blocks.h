/*
 * Blocks of whole lines of one text or several, read and unpacked ahead by a thread of their own,
 * taken apart by many threads, and merged in the order of the text: what comes out does not depend
 * on the number of threads.
 */
#ifndef ADASS_BLOCKS_H
#define ADASS_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/dataset.h"
#include "adass/monitor.h"
#include "spool.h"
#include "text_reader.h"

/** The texts; "-" is standard input, which is copied to a temporary file when it is opened. */
typedef struct adass_inputs adass_inputs;

/**
 * @param paths   [n]; borrowed. Each is plain, .gz, .zst or .xz by its content
 * @param beside  where a temporary file for standard input is made
 */
adass_status adass_inputs_open(adass_inputs **out, const char *const *paths, size_t n,
                               const char *beside, const adass_monitor *monitor, adass_error *err);

/**
 * A text that was written to a spool, which becomes the inputs' own, also on error.
 *
 * @param name  for messages; borrowed
 */
adass_status adass_inputs_open_spool(adass_inputs **out, adass_spool *spool, const char *name,
                                     adass_error *err);

size_t adass_inputs_count(const adass_inputs *inputs);

/** Checksum of text i, unpacked; known after the first pass over the texts that is more than a count of lines. */
const char *adass_inputs_checksum(const adass_inputs *inputs, size_t i);

/** The first line of the first text: [capacity] with its 0, cut where it is longer. */
adass_status adass_inputs_first_line(const adass_inputs *inputs, char *line, size_t capacity,
                                     adass_error *err);

/** Accepts NULL. */
void adass_inputs_close(adass_inputs *inputs);

/** Whole lines; to be changed as their reader likes. */
typedef struct adass_block {
    const char *path; /* of the text, for messages */
    char *text;       /* [length + 1] */
    size_t length;
    size_t line;    /* number of the first line in its text, from 1 */
    uint64_t row;   /* lines before this block, of all texts, headers not counted */
    uint64_t done;  /* bytes read of all texts, as they are stored, when the block was complete */
    uint64_t index; /* 0, 1, 2, ... in the pass */
} adass_block;

/** The next line of a block; false at its end. `at` is 0 at first. As adass_text_reader_next(). */
bool adass_block_next(const adass_block *block, size_t *at, adass_line *line);

/** What a pass does. */
typedef struct adass_block_work {
    void *user;
    /** Whether the first line of a text is a header; NULL: there are none. */
    adass_status (*header)(void *user, adass_line *line, bool *is_header, adass_error *err);
    /** On any thread, `thread` in [0, threads); what it finds is kept for merge(). */
    void (*parse)(void *user, int thread, const adass_block *block);
    /** One at a time, in the order of the text, on the thread that parsed; may be NULL. */
    adass_status (*merge)(void *user, int thread, const adass_block *block, adass_error *err);
    /**
     * What is asked for is the number of lines: the texts get no checksum, parse() and merge() may not be
     * called, and lines that are too long may pass.
     */
    bool lines_only;
    const char *stage; /* for the monitor, which is told of bytes as they are stored */
} adass_block_work;

/**
 * One pass over all texts.
 *
 * @param threads  >= 1
 * @param lines    out, lines of all texts, headers not counted
 * @return ADASS_OK; what merge() or header() failed with; ADASS_EFORMAT for damaged or cut packed
 *         data, lines above ADASS_LINE_BYTES_MAX, and texts that changed since the last pass;
 *         ADASS_EIO; ADASS_ENOMEM; ADASS_EINTERRUPTED
 */
adass_status adass_blocks_run(adass_inputs *inputs, int threads, const adass_block_work *work,
                              const adass_monitor *monitor, uint64_t *lines, adass_error *err);

#endif
