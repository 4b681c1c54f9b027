/* Reports and dispatch of the command line. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* "adass: " or "adass data synth: " */
static void print_prefix(const char *command)
{
    fprintf(stderr, "adass%s%s: ", *command != '\0' ? " " : "", command);
}

int adass_cli_fail(const char *command, const adass_error *err)
{
    print_prefix(command);
    fprintf(stderr, "%s\n", err->message);
    return err->code == ADASS_EINTERRUPTED ? ADASS_EXIT_INTERRUPTED : ADASS_EXIT_FAILED;
}

int adass_cli_misuse(const char *command, const char *format, ...)
{
    print_prefix(command);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\ntry 'adass %s%s--help'\n", command, *command != '\0' ? " " : "");
    return ADASS_EXIT_USAGE;
}

int adass_cli_print_json(const char *command, json_t *value)
{
    if (value == NULL) {
        adass_error err;
        adass_fail_memory(&err, "a JSON text", 0.0);
        return adass_cli_fail(command, &err);
    }
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(value);
    return ADASS_EXIT_OK;
}

static size_t smallest(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

enum { NAME_MAX_CHARS = 32 };

/* Levenshtein's distance; names longer than NAME_MAX_CHARS are far from everything. */
static size_t edit_distance(const char *a, const char *b)
{
    const size_t n = strlen(b);
    if (strlen(a) > NAME_MAX_CHARS || n > NAME_MAX_CHARS)
        return NAME_MAX_CHARS;
    size_t row[NAME_MAX_CHARS + 1];
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            const size_t above = row[j + 1];
            row[j + 1] = smallest(row[j] + 1, above + 1, diagonal + (a[i] != b[j]));
            diagonal = above;
        }
    }
    return row[n];
}

/* The known name that is at most two edits away, or NULL. */
static const char *nearest(const adass_command *const *commands, size_t n, const char *name)
{
    const char *best = NULL;
    size_t least = 3;
    for (size_t i = 0; i < n; i++) {
        const size_t distance = edit_distance(name, commands[i]->name);
        if (distance < least) {
            least = distance;
            best = commands[i]->name;
        }
    }
    return best;
}

static int dispatch(const char *parent, const adass_command *const *commands, size_t n, int argc,
                    char **argv)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(argv[0], commands[i]->name) == 0)
            return commands[i]->run(argc, argv);
    if (*argv[0] == '-')
        return adass_cli_misuse(parent, "unknown option '%s'", argv[0]);
    const char *hint = nearest(commands, n, argv[0]);
    if (hint == NULL)
        return adass_cli_misuse(parent, "unknown command '%s'", argv[0]);
    return adass_cli_misuse(parent, "unknown command '%s': did you mean '%s'?", argv[0], hint);
}

static int print_group(const char *parent, const char *example,
                       const adass_command *const *commands, size_t n)
{
    printf("usage: adass%s%s COMMAND [OPTIONS]\n\ncommands:\n", *parent != '\0' ? " " : "", parent);
    for (size_t i = 0; i < n; i++)
        printf("  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    printf("\n'adass%s%s COMMAND --help' tells more.\n\nEXAMPLE\n  %s\n",
           *parent != '\0' ? " " : "", parent, example);
    return ADASS_EXIT_OK;
}

int adass_cli_group(const char *parent, const char *example, const adass_command *const *commands,
                    size_t n, int argc, char **argv)
{
    if (argc < 2)
        return adass_cli_misuse(parent, "a command is missing");
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_group(parent, example, commands, n);
    return dispatch(parent, commands, n, argc - 1, argv + 1);
}
