/*
 * Options of the command line: a table says what a command takes; parsing, checking and --help
 * follow from it.
 *
 *   adass_common common = ADASS_COMMON_DEFAULTS;
 *   size_t rows = 0;
 *   const adass_option options[] = {
 *       { "rows", "N", "rows in all", ADASS_OPTION_SIZE, .size = &rows, .min = 100 },
 *   };
 *   const adass_usage usage = {
 *       .command = "data synth", .summary = "...", .example = "adass data synth out/tiny",
 *       .positional = { "OUT" }, .options = options, .n_options = 1,
 *       .common = &common, .takes = ADASS_TAKES_SEED,
 *   };
 *   const char *args[1];
 *   int status;
 *   if (!adass_options_parse(&usage, argc, argv, args, &status))
 *       return status;
 */
#ifndef ADASS_OPTIONS_H
#define ADASS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adass/model.h"

typedef enum adass_option_type {
    ADASS_OPTION_FLAG,   /* bool: --name */
    ADASS_OPTION_STRING, /* const char *: points into argv */
    ADASS_OPTION_SIZE,   /* size_t: a whole number; 1e6 will do */
    ADASS_OPTION_BYTES,  /* size_t: likewise, or with K, M or G behind it */
    ADASS_OPTION_UINT64, /* uint64_t: likewise */
    ADASS_OPTION_DOUBLE  /* double: finite */
} adass_option_type;

/**
 * One option. What its pointer holds before parsing is the default, and shown in --help unless it
 * is false, NULL or 0.
 */
typedef struct adass_option {
    const char *name;        /* without the dashes */
    const char *placeholder; /* of its argument, "N"; NULL for a flag */
    const char *help;
    adass_option_type type;
    union { /* the member of the type */
        bool *flag;
        const char **string;
        size_t *size;
        uint64_t *uint64;
        double *number;
    };
    double min, max; /* numbers: allowed are min <= x, and x <= max unless max is 0 */
} adass_option;

/** Which of the common options a command takes; --help is always there. */
enum {
    ADASS_TAKES_COMPUTE = 1, /* --threads, --isa */
    ADASS_TAKES_SEED = 2,    /* --seed */
    ADASS_TAKES_JSON = 4     /* --json */
};

/** Values of the common options. */
typedef struct adass_common {
    size_t threads; /* 0 before parsing: as many as cores that the process may use */
    uint64_t seed;
    const char *isa; /* NULL for what ADASS_ISA says, else the best */
    bool json;
    adass_compute compute; /* made from threads and isa by the parser */
} adass_common;

#define ADASS_COMMON_DEFAULTS                                                                      \
    {                                                                                              \
        .seed = 1                                                                                  \
    }

enum { ADASS_POSITIONAL_MAX = 4 };

/** Arguments that may be given in any number, at least one. */
typedef struct adass_arguments {
    const char *const *items; /* [n], point into argv */
    size_t n;
} adass_arguments;

/** What a command takes and what its --help says. */
typedef struct adass_usage {
    const char *command; /* "train", "data synth" */
    const char *summary; /* a sentence or a few lines */
    const char *example; /* a whole command line */
    /** Names of the arguments, all of them demanded; NULL ends them. */
    const char *positional[ADASS_POSITIONAL_MAX];
    adass_arguments *many; /* out; not NULL: the first argument may be given several times */
    const adass_option *options;
    size_t n_options;
    adass_common *common; /* may be NULL when `takes` is 0 */
    unsigned takes;       /* ADASS_TAKES_... */
} adass_usage;

/**
 * Parses a command's arguments: options and positional arguments in any order.
 *
 * @param argv         argv[0] is skipped
 * @param args         out, the positional arguments, as many as the usage names
 * @param exit_status  set when false is returned: ADASS_EXIT_OK after --help, else that of a
 *                     failure, which has been told on standard error
 * @return true when the command should do its work
 */
bool adass_options_parse(const adass_usage *usage, int argc, char **argv, const char **args,
                         int *exit_status);

#endif
