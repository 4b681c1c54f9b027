/* Options of the command line, over getopt_long. */
#include "options.h"

#include "adass/topology.h"
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTIONS_MAX = 48, /* of a command, with the common ones */
    COMMON_MAX = 4,
    THREADS_MAX = 4096,
    FIRST_LONG = 256, /* getopt_long's value of option 0: above every character */
    HELP = 'h'
};

/* A command's own options and the common ones that it takes. */
typedef struct table {
    const adass_usage *usage;
    size_t n;
    adass_option options[OPTIONS_MAX];
} table;

static bool is_flag(const adass_option *option) { return option->type == ADASS_OPTION_FLAG; }

static void add(table *t, adass_option option) { t->options[t->n++] = option; }

static void table_init(table *t, const adass_usage *usage)
{
    assert(usage->n_options + COMMON_MAX <= OPTIONS_MAX);
    adass_common *common = usage->common;
    t->usage = usage;
    t->n = 0;
    for (size_t i = 0; i < usage->n_options; i++)
        add(t, usage->options[i]);
    if (usage->takes & ADASS_TAKES_COMPUTE) {
        add(t, (adass_option){
                   "threads", "N", "threads (default: the cores that the process may use)",
                   ADASS_OPTION_SIZE, .size = &common->threads, .min = 1, .max = THREADS_MAX });
        add(t, (adass_option){ "isa", "NAME",
                               "kernels, see 'adass info' (default: ADASS_ISA, else the best)",
                               ADASS_OPTION_STRING, .string = &common->isa });
    }
    if (usage->takes & ADASS_TAKES_SEED)
        add(t, (adass_option){ "seed", "N", "seed of all random numbers", ADASS_OPTION_UINT64,
                               .uint64 = &common->seed,
                               .max = 9007199254740992.0 }); /* 2^53: exact in every JSON reader */
    if (usage->takes & ADASS_TAKES_JSON)
        add(t,
            (adass_option){ "json", NULL, "print JSON", ADASS_OPTION_FLAG, .flag = &common->json });
}

/* ---- help ---- */

/* The default in brackets, or nothing where it is false, NULL or 0. */
static void print_default(const adass_option *option)
{
    switch (option->type) {
    case ADASS_OPTION_FLAG:
        break;
    case ADASS_OPTION_STRING:
        if (*option->string != NULL)
            printf(" [%s]", *option->string);
        break;
    case ADASS_OPTION_SIZE:
    case ADASS_OPTION_BYTES:
        if (*option->size != 0)
            printf(" [%zu]", *option->size);
        break;
    case ADASS_OPTION_UINT64:
        if (*option->uint64 != 0)
            printf(" [%" PRIu64 "]", *option->uint64);
        break;
    case ADASS_OPTION_DOUBLE:
        if (*option->number != 0.0)
            printf(" [%g]", *option->number);
        break;
    }
}

/* Width of "--name N". */
static int label_width(const adass_option *option)
{
    const size_t placeholder = is_flag(option) ? 0 : 1 + strlen(option->placeholder);
    return (int)(2 + strlen(option->name) + placeholder);
}

static void print_option(const adass_option *option, int width)
{
    const int padding = width - label_width(option);
    printf("  --%s%s%s%*s  %s", option->name, is_flag(option) ? "" : " ",
           is_flag(option) ? "" : option->placeholder, padding, "", option->help);
    print_default(option);
    putchar('\n');
}

static void print_help(const table *t)
{
    const adass_usage *usage = t->usage;
    printf("usage: adass %s", usage->command);
    for (size_t i = 0; i < ADASS_POSITIONAL_MAX && usage->positional[i] != NULL; i++)
        printf(i == 0 && usage->many != NULL ? " %s..." : " %s", usage->positional[i]);
    printf(" [OPTIONS]\n\n%s\n\noptions:\n", usage->summary);
    const adass_option help = { "help", NULL, "print this", ADASS_OPTION_FLAG, .flag = NULL };
    int width = label_width(&help);
    for (size_t i = 0; i < t->n; i++)
        width = label_width(&t->options[i]) > width ? label_width(&t->options[i]) : width;
    for (size_t i = 0; i < t->n; i++)
        print_option(&t->options[i], width);
    print_option(&help, width);
    printf("\nEXAMPLE\n  %s\n", usage->example);
}

/* ---- values ---- */

/* A decimal number alone: no white space, hexadecimal, nan or inf, which strtod would take. */
static bool read_double(const char *text, double *out)
{
    if (*text == '\0' || text[strspn(text, "0123456789.eE+-")] != '\0')
        return false;
    char *end;
    const double x = strtod(text, &end);
    if (*end != '\0' || !isfinite(x))
        return false;
    *out = x;
    return true;
}

/*
 * Digits, up to 2^64 - 1, or a number such as 1e6 or 2.5e3 that is whole and up to 2^53, where
 * doubles are exact.
 */
static bool read_whole(const char *text, uint64_t *out)
{
    if (*text != '\0' && text[strspn(text, "0123456789")] == '\0') {
        errno = 0;
        *out = strtoull(text, NULL, 10);
        return errno == 0;
    }
    double x;
    if (!read_double(text, &x) || x < 0.0 || x > 0x1p53 || x != floor(x))
        return false;
    *out = (uint64_t)x;
    return true;
}

/* A whole number, or a number with K, M or G (powers of 1024) behind it. */
static bool read_bytes(const char *text, uint64_t *out)
{
    static const char units[] = "KMG";
    const size_t n = strlen(text);
    const char *unit = n > 0 && n < 32 ? strchr(units, text[n - 1]) : NULL;
    if (n == 0 || unit == NULL)
        return read_whole(text, out);
    char digits[32];
    memcpy(digits, text, n - 1);
    digits[n - 1] = '\0';
    double x;
    if (!read_double(digits, &x) || x < 0.0)
        return false;
    x *= (double)((uint64_t)1 << (10 * (unit - units + 1)));
    if (x > 0x1p53)
        return false;
    *out = (uint64_t)x;
    return true;
}

static bool in_range(const table *t, const adass_option *option, double x)
{
    const char *command = t->usage->command;
    if (x < option->min) {
        adass_cli_misuse(command, "--%s: must be at least %g", option->name, option->min);
        return false;
    }
    if (option->max != 0.0 && x > option->max) {
        adass_cli_misuse(command, "--%s: must be at most %g", option->name, option->max);
        return false;
    }
    return true;
}

static bool set_whole(const table *t, const adass_option *option, const char *text)
{
    uint64_t x;
    const bool bytes = option->type == ADASS_OPTION_BYTES;
    if (!(bytes ? read_bytes(text, &x) : read_whole(text, &x))) {
        adass_cli_misuse(t->usage->command, "--%s: '%s' is not a whole number%s", option->name,
                         text, bytes ? ", nor one with K, M or G behind it" : "");
        return false;
    }
    if (!in_range(t, option, (double)x))
        return false;
    if (option->type == ADASS_OPTION_UINT64)
        *option->uint64 = x;
    else
        *option->size = (size_t)x;
    return true;
}

static bool set_double(const table *t, const adass_option *option, const char *text)
{
    double x;
    if (!read_double(text, &x)) {
        adass_cli_misuse(t->usage->command, "--%s: '%s' is not a number", option->name, text);
        return false;
    }
    if (!in_range(t, option, x))
        return false;
    *option->number = x;
    return true;
}

static bool set_option(const table *t, const adass_option *option, const char *text)
{
    switch (option->type) {
    case ADASS_OPTION_FLAG:
        *option->flag = true;
        return true;
    case ADASS_OPTION_STRING:
        *option->string = text;
        return true;
    case ADASS_OPTION_SIZE:
    case ADASS_OPTION_BYTES:
    case ADASS_OPTION_UINT64:
        return set_whole(t, option, text);
    case ADASS_OPTION_DOUBLE:
        return set_double(t, option, text);
    }
    return false;
}

/* ---- the common options ---- */

static adass_status count_cores(size_t *out, adass_error *err)
{
    adass_topology *topology = NULL;
    const adass_status status = adass_topology_open(&topology, NULL, err);
    if (status != ADASS_OK)
        return status;
    adass_topology_counts counts;
    adass_topology_get_counts(topology, &counts);
    adass_topology_close(topology);
    *out = counts.cores > 0 ? counts.cores : 1;
    return ADASS_OK;
}

/* Kernels and threads of a command that computes. */
static bool make_compute(const adass_usage *usage, int *exit_status)
{
    if (!(usage->takes & ADASS_TAKES_COMPUTE))
        return true;
    adass_common *common = usage->common;
    adass_error err;
    adass_status status = adass_kernels_get(common->isa, &common->compute.kernels, &err);
    if (status == ADASS_EINVAL) {
        *exit_status = adass_cli_misuse(usage->command, "%s", err.message);
        return false;
    }
    if (status == ADASS_OK && common->threads == 0)
        status = count_cores(&common->threads, &err);
    if (status != ADASS_OK) {
        *exit_status = adass_cli_fail(usage->command, &err);
        return false;
    }
    common->compute.threads = (int)common->threads;
    omp_set_num_threads(common->compute.threads); /* for loops that take no adass_compute */
    return true;
}

/* ---- parsing ---- */

static void make_long_options(const table *t, struct option *list)
{
    for (size_t i = 0; i < t->n; i++)
        list[i] = (struct option){ t->options[i].name,
                                   is_flag(&t->options[i]) ? no_argument : required_argument, NULL,
                                   FIRST_LONG + (int)i };
    list[t->n] = (struct option){ "help", no_argument, NULL, HELP };
    list[t->n + 1] = (struct option){ 0 };
}

/* What getopt_long found wrong: `found` is what it returned. */
static void tell_bad_option(const table *t, int found, char **argv)
{
    const char *command = t->usage->command;
    const char *name = optopt >= FIRST_LONG ? t->options[optopt - FIRST_LONG].name : "help";
    if (found == ':')
        adass_cli_misuse(command, "--%s: its value is missing", name);
    else if (optopt == 0)
        adass_cli_misuse(command, "unknown option '%s'", argv[optind - 1]);
    else if (optopt >= FIRST_LONG || strncmp(argv[optind - 1], "--", 2) == 0)
        adass_cli_misuse(command, "--%s takes no value", name);
    else
        adass_cli_misuse(command, "unknown option '-%c'", optopt);
}

static bool take_positional(const table *t, int argc, char **argv, const char **args)
{
    const adass_usage *usage = t->usage;
    size_t n = 0, needed = 0;
    while (needed < ADASS_POSITIONAL_MAX && usage->positional[needed] != NULL)
        needed++;
    if (usage->many != NULL) {
        const size_t given = (size_t)(argc - optind);
        usage->many->items = (const char *const *)argv + optind;
        usage->many->n = given > needed ? given - needed + 1 : 1;
        optind += (int)usage->many->n - 1;
    }
    for (; n < ADASS_POSITIONAL_MAX && usage->positional[n] != NULL; n++) {
        if (optind == argc) {
            adass_cli_misuse(usage->command, "%s is missing", usage->positional[n]);
            return false;
        }
        args[n] = argv[optind++];
    }
    if (optind < argc) {
        adass_cli_misuse(usage->command, "unexpected argument '%s'", argv[optind]);
        return false;
    }
    return true;
}

bool adass_options_parse(const adass_usage *usage, int argc, char **argv, const char **args,
                         int *exit_status)
{
    table t;
    struct option list[OPTIONS_MAX + 2]; /* with --help and the end */
    table_init(&t, usage);
    make_long_options(&t, list);
    *exit_status = ADASS_EXIT_USAGE;
    opterr = 0; /* messages are made here */
    int found;
    while ((found = getopt_long(argc, argv, ":h", list, NULL)) != -1) {
        if (found == HELP) {
            print_help(&t);
            *exit_status = ADASS_EXIT_OK;
            return false;
        }
        if (found < FIRST_LONG) {
            tell_bad_option(&t, found, argv);
            return false;
        }
        if (!set_option(&t, &t.options[found - FIRST_LONG], optarg))
            return false;
    }
    return take_positional(&t, argc, argv, args) && make_compute(usage, exit_status);
}
