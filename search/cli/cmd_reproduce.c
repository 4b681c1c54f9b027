/* adass reproduce: a suite of runs and its table. */
#include "adass/reproduce.h"

#include "cli.h"
#include "json_file.h"
#include "options.h"
#include "progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* One line a run, for logs; a terminal has the progress line instead. */
static void print_finished(void *user, size_t done, size_t total, const char *run, double auc,
                           bool trial, bool reused)
{
    (void)user;
    if (!isatty(STDERR_FILENO))
        fprintf(stderr, "%zu/%zu %s: %s AUC %.4f%s\n", done, total, run,
                trial ? "validation" : "test", auc, reused ? " (there already)" : "");
}

static void print_expected(void *user, double seconds)
{
    (void)user;
    if (seconds < 90.0)
        fprintf(stderr, "about %.0f seconds, if nothing is there yet\n", seconds);
    else if (seconds < 5400.0)
        fprintf(stderr, "about %.0f minutes, if nothing is there yet\n", seconds / 60.0);
    else
        fprintf(stderr, "about %.1f hours, if nothing is there yet\n", seconds / 3600.0);
}

/* "2/4": the second of four shards. */
static bool parse_shard(const char *text, adass_reproduce_options *o)
{
    char end;
    return sscanf(text, "%zu/%zu%c", &o->shard, &o->shards, &end) == 2 && o->shard >= 1 &&
           o->shard <= o->shards;
}

static adass_status print_file(const char *path, adass_error *err)
{
    char part[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    while ((n = fread(part, 1, sizeof part, file)) > 0)
        fwrite(part, 1, n, stdout);
    const bool complete = !ferror(file);
    fclose(file);
    return complete ? ADASS_OK : adass_fail(err, ADASS_EIO, "%s: cannot be read", path);
}

static adass_status print_table(const char *dir, bool json, adass_error *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", dir, json ? "table.json" : "table.md");
    return print_file(path, err);
}

static void list_suites(char *text, size_t chars)
{
    size_t at = 0;
    for (size_t i = 0; i < adass_suite_count() && at < chars; i++)
        at += (size_t)snprintf(text + at, chars - at, "\n  %-10s %s", adass_suite_name(i),
                               adass_suite_summary(i));
}

static int run(int argc, char **argv)
{
    adass_common common = ADASS_COMMON_DEFAULTS;
    adass_reproduce_options o = { .suite = "quick",
                                  .out_dir = "out/quick",
                                  .finished = print_finished,
                                  .expected = print_expected };
    const char *shard = NULL;
    size_t missing = 0;
    o.missing = &missing;
    const adass_option options[] = {
        { "suite", "NAME", "see above", ADASS_OPTION_STRING, .string = &o.suite },
        { "dataset", "DATASET", "prepared dataset, in place of planted data", ADASS_OPTION_STRING,
          .string = &o.dataset },
        { "shape", "NAME", "of the planted data, in place of the suite's", ADASS_OPTION_STRING,
          .string = &o.shape },
        { "models", "NAME,..", "backbones, in place of the suite's, such as dcnv2",
          ADASS_OPTION_STRING, .string = &o.models },
        { "rows", "NAME,..", "only these rows of the suite's table, such as adass,random",
          ADASS_OPTION_STRING, .string = &o.rows },
        { "scale", "X", "multiplies the rows of the planted data", ADASS_OPTION_DOUBLE,
          .number = &o.scale, .max = 1e4 },
        { "shard", "I/N", "do the I-th of N parts; copy the parts' runs/ together in the end",
          ADASS_OPTION_STRING, .string = &shard },
        { "out", "DIR", "folder of the results; a suite that stopped goes on in it",
          ADASS_OPTION_STRING, .string = &o.out_dir },
        { "seeds", "N", "number of seeds (default: the suite's)", ADASS_OPTION_SIZE,
          .size = &o.seeds, .min = 1, .max = 1000 },
        { "trials", "N",
          "settings of learning rate, L2 and dropout that each row tries on validation [0]",
          ADASS_OPTION_SIZE, .size = &o.trials, .max = 1000 },
    };
    char summary[2048] = "Runs a suite over seeds and prints its table:";
    list_suites(summary + strlen(summary), sizeof summary - strlen(summary));
    const adass_usage usage = {
        .command = "reproduce",
        .summary = summary,
        .example = "adass reproduce --suite movielens --dataset out/ml-1m --out out/movielens",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
        .common = &common,
        .takes = ADASS_TAKES_COMPUTE | ADASS_TAKES_SEED | ADASS_TAKES_JSON,
    };
    int exit_status;
    if (!adass_options_parse(&usage, argc, argv, NULL, &exit_status))
        return exit_status;
    o.seed = common.seed;
    if (shard != NULL && !parse_shard(shard, &o))
        return adass_cli_misuse("reproduce", "--shard %s: I/N is expected, 1 <= I <= N", shard);

    adass_error err;
    adass_progress progress;
    adass_progress_begin(&progress);
    adass_status status = adass_reproduce(&o, &common.compute, &progress.monitor, &err);
    adass_progress_end(&progress);
    if (status == ADASS_EINTERRUPTED)
        fprintf(stderr,
                "adass reproduce: what is complete stays in %s/runs; the same command goes on from "
                "there\n",
                o.out_dir);
    if (status == ADASS_OK && missing > 0)
        fprintf(
            stderr,
            "adass reproduce: the shard's runs are in %s/runs; %zu of other shards are not: copy "
            "their runs/ there, and start the same command again\n",
            o.out_dir, missing);
    else if (status == ADASS_OK)
        status = print_table(o.out_dir, common.json, &err);
    return status == ADASS_OK ? ADASS_EXIT_OK : adass_cli_fail("reproduce", &err);
}

const adass_command adass_cmd_reproduce = { .name = "reproduce",
                                            .summary = "run a suite and print its table",
                                            .run = run };
