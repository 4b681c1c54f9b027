/* The commands of the program `adass`, and how they report. */
#ifndef ADASS_CLI_H
#define ADASS_CLI_H

#include <jansson.h>

#include "adass/status.h"

/** Exit statuses of the program. */
enum {
    ADASS_EXIT_OK = 0,
    ADASS_EXIT_FAILED = 1,
    ADASS_EXIT_USAGE = 2,
    ADASS_EXIT_INTERRUPTED = 130 /* as shells number a death by SIGINT */
};

/** One command. To add one: cmd_<name>.c, and a line below, in main.c and in CMakeLists.txt. */
typedef struct adass_command {
    const char *name;
    const char *summary; /* one line for `adass --help` */
    /** argv[0] is the command's name, argv[argc] is NULL. Returns an exit status. */
    int (*run)(int argc, char **argv);
} adass_command;

extern const adass_command adass_cmd_data;
extern const adass_command adass_cmd_info;
extern const adass_command adass_cmd_reproduce;
extern const adass_command adass_cmd_search;
extern const adass_command adass_cmd_train;

/**
 * Tells on standard error why a command failed: "adass <command>: <message>".
 *
 * @return the exit status: ADASS_EXIT_INTERRUPTED for ADASS_EINTERRUPTED, else ADASS_EXIT_FAILED
 */
int adass_cli_fail(const char *command, const adass_error *err);

/**
 * Tells on standard error that a command was used wrongly, and to try its --help.
 *
 * @param command  "data synth"; "" for the program itself
 * @return ADASS_EXIT_USAGE
 */
int adass_cli_misuse(const char *command, const char *format, ...) ADASS_PRINTF(2, 3);

/**
 * Prints a JSON value, keys in the order of insertion, and releases it. main() notices when
 * standard output fails.
 *
 * @param value  taken over; NULL says that memory ran out while it was made
 * @return exit status
 */
int adass_cli_print_json(const char *command, json_t *value);

/**
 * Runs the one of a group's commands that argv[1] names; --help lists them.
 *
 * @param parent   "" for the program's commands, "data" for those of `adass data`
 * @param example  a whole command line, for --help
 * @param argv     argv[0] is skipped
 * @return its exit status; ADASS_EXIT_USAGE for a missing or unknown name, with the nearest known
 *         one as a hint
 */
int adass_cli_group(const char *parent, const char *example, const adass_command *const *commands,
                    size_t n, int argc, char **argv);

#endif
