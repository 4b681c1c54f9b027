/* What the commands of `adass data` share. */
#ifndef ADASS_CMD_DATA_H
#define ADASS_CMD_DATA_H

#include "cli.h"

extern const adass_command adass_cmd_data_synth;

/** One line on a dataset that was just written; returns an exit status. */
int adass_cli_print_written(const char *command, const char *dir);

#endif
