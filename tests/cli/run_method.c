/*
 * One run of a method, whichever it is, with the training of what it found, for check_resume.py: prints
 * the run's record and writes the model.
 *
 *   run_method DATASET METHOD MODEL [CHECKPOINTS]
 *
 * With CHECKPOINTS it goes on from what is in that folder, and keeps its state there every hundredth
 * of a second.
 */
#include "adass/wait_policy.h"
#include "run_record.h"
#include "safetensors.h"

#include <stdio.h>
#include <stdlib.h>

static adass_run_config config_of(const adass_dataset *dataset, const char *method)
{
    adass_run_config c = adass_run_config_default();
    uint64_t rows = 0;
    for (size_t f = 0; f < dataset->n_fields; f++)
        rows += dataset->fields[f].vocab;
    snprintf(c.method, sizeof c.method, "%s", method);
    c.candidates = (adass_candidates){ .n = 4, .sizes = { 0, 2, 4, 8 } };
    c.budget = rows * 8 * 2 / 5;
    c.model.hidden[0] = 16;
    c.model.hidden[1] = 8;
    c.model.dropout = 0.2f;
    c.train.max_epochs = 6;
    c.train.patience = 6;
    c.train.step.batch_size = c.supernet.step.batch_size = 256;
    c.supernet.epochs = 5;
    c.search.iterations = 12;
    c.search.population = 6;
    c.search.eval_rows = 1000;
    return c;
}

static adass_status run(const adass_dataset *dataset, const adass_compute *compute, char **argv,
                        adass_error *err)
{
    const adass_run_config config = config_of(dataset, argv[2]);
    const adass_checkpoint_options kept = { .dir = argv[4], .every_seconds = 0.01, .resume = true };
    adass_session *session = NULL;
    adass_run_result result = { 0 };
    adass_model *model = NULL;
    json_t *record = NULL;
    adass_status status = adass_session_open(&session, dataset, compute, NULL, err);
    if (status == ADASS_OK && kept.dir != NULL)
        status = adass_session_keep_checkpoints(session, &kept, err);
    if (status == ADASS_OK)
        status = adass_run(session, &config, &result, &model, err);
    if (status == ADASS_OK)
        status = adass_run_record(&config, &result, dataset, compute, &record, err);
    if (status == ADASS_OK)
        status = adass_safetensors_write_model(argv[3], model, dataset, err);
    if (status == ADASS_OK) {
        json_dumpf(record, stdout, JSON_REAL_PRECISION(17));
        adass_session_remove_checkpoints(session, true);
    }
    json_decref(record);
    adass_model_destroy(model);
    adass_run_result_free(&result);
    adass_session_close(session);
    return status;
}

int main(int argc, char **argv)
{
    adass_error err;
    adass_dataset *dataset = NULL;
    adass_compute compute = { .threads = 2 };
    if (argc < 4 || argc > 5)
        return EXIT_FAILURE;
    adass_wait_policy_passive(argv);
    adass_status status = adass_kernels_get("best", &compute.kernels, &err);
    if (status == ADASS_OK)
        status = adass_dataset_open(&dataset, argv[1], &err);
    if (status == ADASS_OK)
        status = run(dataset, &compute, argv, &err); /* argv[4] is NULL where it is missing */
    adass_dataset_close(dataset);
    if (status == ADASS_OK)
        return EXIT_SUCCESS;
    fprintf(stderr, "run_method: %s\n", err.message);
    return EXIT_FAILURE;
}
