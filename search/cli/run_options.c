/* The options of a model and its training, and the frame around it. */
#include "run_options.h"

#include "cli.h"
#include "progress.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void adass_run_options_add(adass_run_options *options, adass_option option)
{
    assert(options->n < ADASS_RUN_OPTIONS_MAX);
    options->list[options->n++] = option;
}

void adass_run_options_init(adass_run_options *options)
{
    *options = (adass_run_options){ .config = adass_run_config_default(),
                                    .model = "deepfm",
                                    .hidden = "128,64",
                                    .align = "slice",
                                    .row_optimizer = "adam",
                                    .checkpoints = { .every_seconds = 300.0 } };
    adass_run_config *c = &options->config;
    adass_trainer_config *step = &c->train.step;
    options->dropout = (double)c->model.dropout;
    options->init_std = 0.01;
    const adass_option list[] = {
        { "model", "NAME", "backbone: fm, dnn, wdl, deepfm, dcnv2 or lr", ADASS_OPTION_STRING,
          .string = &options->model },
        { "hidden", "N,N,..", "outputs of the MLP's layers", ADASS_OPTION_STRING,
          .string = &options->hidden },
        { "dropout", "RATE", "dropout after each hidden layer", ADASS_OPTION_DOUBLE,
          .number = &options->dropout, .max = 0.99 },
        { "init-std", "X", "spread of the embeddings' start values", ADASS_OPTION_DOUBLE,
          .number = &options->init_std, .max = 10.0 },
        { "align", "slice|project",
          "fields of different sizes in FM: padded with zeros, or through learned maps",
          ADASS_OPTION_STRING, .string = &options->align },
        { "batch", "N", "samples a step", ADASS_OPTION_SIZE, .size = &step->batch_size, .min = 1,
          .max = 1 << 24 },
        { "learning-rate", "X", "Adam's", ADASS_OPTION_DOUBLE, .number = &step->learning_rate,
          .min = 1e-9, .max = 10.0 },
        { "row-optimizer", "adam|adagrad", "of embedding rows and first-order weights",
          ADASS_OPTION_STRING, .string = &options->row_optimizer },
        { "row-rate", "X", "adagrad: learning rate of rows", ADASS_OPTION_DOUBLE,
          .number = &step->row_rate, .min = 1e-9, .max = 1e3 },
        { "row-epsilon", "X",
          "adagrad: added to the root of the squares' sum, in units of a sample's gradient",
          ADASS_OPTION_DOUBLE, .number = &step->row_epsilon, .min = 1e-9, .max = 1e6 },
        { "l2", "X", "L2 of touched embedding rows", ADASS_OPTION_DOUBLE, .number = &step->l2,
          .max = 10.0 },
        { "checkpoints", "DIR", "keep the state in this folder while the work lasts",
          ADASS_OPTION_STRING, .string = &options->checkpoints.dir },
        { "checkpoint-every", "SECONDS", "0 is after every step", ADASS_OPTION_DOUBLE,
          .number = &options->checkpoints.every_seconds },
        { "resume", NULL, "go on from the checkpoints, where there are any", ADASS_OPTION_FLAG,
          .flag = &options->checkpoints.resume },
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        adass_run_options_add(options, list[i]);
}

static adass_status parse_hidden(const char *text, adass_model_config *model, adass_error *err)
{
    const char *p = text;
    for (model->n_hidden = 0;; p++) {
        char *end;
        errno = 0;
        const unsigned long outputs = strtoul(p, &end, 10);
        if (end == p || *p == '-' || *p == '+' || errno != 0 || (*end != ',' && *end != '\0') ||
            outputs == 0)
            return adass_fail(err, ADASS_EINVAL,
                              "--hidden '%s': a number above 0 is expected at '%s'", text, p);
        if (model->n_hidden == ADASS_HIDDEN_MAX)
            return adass_fail(err, ADASS_EINVAL, "--hidden '%s': more than %d layers", text,
                              ADASS_HIDDEN_MAX);
        model->hidden[model->n_hidden++] = outputs;
        p = end;
        if (*p == '\0')
            return ADASS_OK;
    }
}

adass_status adass_run_options_apply(adass_run_options *options, uint64_t seed, adass_error *err)
{
    adass_run_config *c = &options->config;
    if (options->checkpoints.resume && options->checkpoints.dir == NULL)
        return adass_fail(err, ADASS_EINVAL, "--resume needs --checkpoints DIR");
    c->seed = seed;
    c->model.dropout = (float)options->dropout;
    c->model.init_std = (float)options->init_std;
    adass_status status =
        adass_row_optimizer_parse(options->row_optimizer, &c->train.step.row_optimizer, err);
    c->supernet.step = c->train.step;
    if (status == ADASS_OK)
        status = adass_backbone_parse(options->model, &c->model.backbone, err);
    if (status == ADASS_OK)
        status = adass_align_parse(options->align, &c->model.align, err);
    if (status == ADASS_OK)
        status = adass_align_check(c->model.align, c->model.backbone, err);
    return status == ADASS_OK ? parse_hidden(options->hidden, &c->model, err) : status;
}

static adass_status run_session(const adass_dataset *dataset, const adass_common *common,
                                const adass_run_options *options, const adass_monitor *monitor,
                                adass_run_work work, void *user, adass_error *err)
{
    adass_session *session = NULL;
    adass_status status = adass_session_open(&session, dataset, &common->compute, monitor, err);
    if (status == ADASS_OK && options->checkpoints.dir != NULL)
        status = adass_session_keep_checkpoints(session, &options->checkpoints, err);
    if (status == ADASS_OK)
        status = work(user, session, dataset, err);
    if (status == ADASS_OK)
        adass_session_remove_checkpoints(session, true);
    adass_session_close(session);
    return status;
}

int adass_run_command(const char *command, const char *dataset, const adass_common *common,
                      const adass_run_options *options, adass_run_work work, void *user)
{
    const char *dir = options->checkpoints.dir;
    adass_error err;
    adass_progress progress;
    adass_dataset *opened = NULL;
    adass_progress_begin(&progress);
    adass_status status = adass_dataset_open(&opened, dataset, &err);
    if (status == ADASS_OK)
        status = run_session(opened, common, options, &progress.monitor, work, user, &err);
    adass_dataset_close(opened);
    adass_progress_end(&progress);
    if (status == ADASS_OK)
        return ADASS_EXIT_OK;
    const int exit_status = adass_cli_fail(command, &err);
    const bool can_go_on =
        status == ADASS_EINTERRUPTED || status == ADASS_EIO || status == ADASS_ENOMEM;
    if (can_go_on && dir != NULL && access(dir, F_OK) == 0)
        fprintf(stderr,
                "adass %s: what was reached stays in %s; the same command with --resume goes on "
                "from there\n",
                command, dir);
    return exit_status;
}
