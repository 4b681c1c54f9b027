/* adass data synth: planted data. */
#include "cmd_data.h"
#include "options.h"
#include "progress.h"

#include "adass/synth.h"

#include <stdio.h>
#include <string.h>

typedef struct arguments {
    adass_common common;
    adass_synth_options synth;
    const char *raw, *rare_signal;
} arguments;

static adass_status check(arguments *a, adass_error *err)
{
    if (a->raw != NULL && strcmp(a->raw, "tsv") != 0)
        return adass_fail(err, ADASS_EINVAL, "--raw %s: the raw format is 'tsv'", a->raw);
    if (strcmp(a->rare_signal, "on") != 0 && strcmp(a->rare_signal, "off") != 0)
        return adass_fail(err, ADASS_EINVAL, "--rare-signal %s: it is 'on' or 'off'",
                          a->rare_signal);
    a->synth.rare_is_silent = strcmp(a->rare_signal, "off") == 0;
    a->synth.seed = a->common.seed;
    return ADASS_OK;
}

static adass_status make(arguments *a, const char *out, adass_error *err)
{
    adass_status status = check(a, err);
    if (status != ADASS_OK)
        return status;
    adass_progress progress;
    adass_progress_begin(&progress);
    a->synth.monitor = &progress.monitor;
    status = a->raw != NULL ? adass_synth_write_raw(&a->synth, out, err)
                            : adass_synth_write(&a->synth, out, err);
    adass_progress_end(&progress);
    return status;
}

static int run(int argc, char **argv)
{
    arguments a = { .common = ADASS_COMMON_DEFAULTS,
                    .synth = { .shape = "tiny" },
                    .rare_signal = "on" };
    const adass_option options[] = {
        { "shape", "NAME", "criteo, avazu, kdd12, movielens, frappe or tiny", ADASS_OPTION_STRING,
          .string = &a.synth.shape },
        { "rows", "N", "rows of all splits (default: the shape's own number)", ADASS_OPTION_SIZE,
          .size = &a.synth.rows, .min = 1 },
        { "noise", "X", "standard deviation of noise on the logits", ADASS_OPTION_DOUBLE,
          .number = &a.synth.noise },
        { "rare-signal", "on|off", "whether features of < 1 row in 100,000 carry signal",
          ADASS_OPTION_STRING, .string = &a.rare_signal },
        { "null-fields", "N", "fields, chosen by the seed, that carry nothing", ADASS_OPTION_SIZE,
          .size = &a.synth.null_fields },
        { "raw", "tsv", "write the original's raw format instead (criteo); OUT may be -",
          ADASS_OPTION_STRING, .string = &a.raw },
    };
    const adass_usage usage = {
        .command = "data synth",
        .summary = "Writes planted data to the new folder OUT: the ranks of the fields' true\n"
                   "vectors, and the best AUC that a model can reach, are known.",
        .example = "adass data synth --shape criteo --rows 1e6 out/criteo",
        .positional = { "OUT" },
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .common = &a.common,
        .takes = ADASS_TAKES_SEED | ADASS_TAKES_COMPUTE,
    };
    const char *out;
    int status;
    if (!adass_options_parse(&usage, argc, argv, &out, &status))
        return status;
    adass_error err;
    if (make(&a, out, &err) != ADASS_OK)
        return adass_cli_fail(usage.command, &err);
    return a.raw != NULL ? ADASS_EXIT_OK : adass_cli_print_written(usage.command, out);
}

const adass_command adass_cmd_data_synth = { "synth", "planted data, whose truth is known", run };
