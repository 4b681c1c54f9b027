/* The program `adass`: finds the command, and makes sure that what it printed has arrived. */
#include "adass/wait_policy.h"
#include "adass_revision.h"
#include "cli.h"
#include "progress.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const adass_command *const commands[] = {
    &adass_cmd_info, &adass_cmd_data, &adass_cmd_train, &adass_cmd_search, &adass_cmd_reproduce,
};

static const char example[] =
    "adass data synth --shape tiny --rows 1e5 out/tiny && adass data show out/tiny";

/* `adass help data synth` is `adass data synth --help`. */
static void move_help(int argc, char **argv)
{
    static char option[] = "--help";
    for (int i = 2; i < argc; i++)
        argv[i - 1] = argv[i];
    argv[argc - 1] = option;
}

static int run(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        puts("adass " ADASS_VERSION " (" ADASS_REVISION ")");
        return ADASS_EXIT_OK;
    }
    if (argc > 1 && strcmp(argv[1], "help") == 0)
        move_help(argc, argv);
    return adass_cli_group("", example, commands, sizeof commands / sizeof commands[0], argc, argv);
}

int main(int argc, char **argv)
{
    adass_wait_policy_passive(argv);
    adass_signals_begin();
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error like a full disk */
    const int status = run(argc, argv);
    /* A full disk shows at the latest here; success must not be told of output that is lost. */
    const int failed_before = ferror(stdout);
    if ((fclose(stdout) != 0 || failed_before) && status == ADASS_EXIT_OK) {
        fprintf(stderr, "adass: standard output cannot be written: %s\n", strerror(errno));
        return ADASS_EXIT_FAILED;
    }
    return status;
}
