/*
 * lr_converged DATASET L2 LEARNING_RATE STEPS: logistic regression by so many of Adam's steps on the whole training split at once, without
 * early stopping. Prints the AUCs of the validation and test split. check_real_auc.py compares them with another optimizer's.
 */
#include "adass/evaluate.h"
#include "adass/model.h"

#include <stdio.h>
#include <stdlib.h>

static void check(adass_status status, const adass_error *err)
{
    if (status == ADASS_OK)
        return;
    fprintf(stderr, "lr_converged: %s\n", err->message);
    exit(EXIT_FAILURE);
}

static void *allocate(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (p != NULL)
        return p;
    fprintf(stderr, "lr_converged: out of memory\n");
    exit(EXIT_FAILURE);
}

static adass_model *new_model(const adass_dataset *dataset)
{
    const adass_model_config config = { .backbone = ADASS_LR };
    size_t *vocab = allocate(dataset->n_fields, sizeof *vocab);
    size_t *widths = allocate(dataset->n_fields, sizeof *widths);
    for (size_t f = 0; f < dataset->n_fields; f++)
        vocab[f] = dataset->fields[f].vocab;
    adass_model *model = NULL;
    adass_error err;
    check(adass_model_create(&model, &config, dataset->n_fields, vocab, widths, &err), &err);
    free(vocab);
    free(widths);
    return model;
}

static void train(adass_model *model, const adass_dataset *dataset, const adass_compute *compute,
                  const adass_trainer_config *config, long steps)
{
    const adass_rows *rows = &dataset->splits[ADASS_TRAIN];
    adass_trainer *trainer = NULL;
    adass_error err;
    double loss;
    check(adass_dataset_check_rows(dataset, ADASS_TRAIN, &err), &err);
    float *labels = allocate(rows->n, sizeof *labels);
    for (size_t i = 0; i < rows->n; i++)
        labels[i] = adass_rows_label(rows, i);
    const adass_batch all = { .n = rows->n, .ids = rows->ids, .labels = labels };
    check(adass_trainer_create(&trainer, model, compute, config, &err), &err);
    for (long i = 0; i < steps; i++)
        check(adass_trainer_step(trainer, NULL, &all, NULL, &loss, &err), &err);
    adass_trainer_destroy(trainer);
    free(labels);
}

static double measure(const adass_model *model, const adass_dataset *dataset, adass_split split,
                      const adass_compute *compute)
{
    adass_evaluator *evaluator = NULL;
    adass_metrics metrics;
    adass_error err;
    check(adass_evaluator_open(&evaluator, dataset, split, 0, compute, &err), &err);
    check(adass_evaluator_measure(evaluator, model, NULL, &metrics, &err), &err);
    adass_evaluator_close(evaluator);
    return metrics.auc;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: lr_converged DATASET L2 LEARNING_RATE STEPS\n");
        return EXIT_FAILURE;
    }
    adass_dataset *dataset = NULL;
    adass_compute compute = { .threads = 1 };
    adass_error err;
    check(adass_dataset_open(&dataset, argv[1], &err), &err);
    check(adass_kernels_get("best", &compute.kernels, &err), &err);
    const adass_trainer_config config = { .batch_size = dataset->splits[ADASS_TRAIN].n,
                                          .learning_rate = strtod(argv[3], NULL),
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8,
                                          .l2 = strtod(argv[2], NULL) };
    adass_model *model = new_model(dataset);
    train(model, dataset, &compute, &config, strtol(argv[4], NULL, 10));
    printf("%.17g %.17g\n", measure(model, dataset, ADASS_VALID, &compute),
           measure(model, dataset, ADASS_TEST, &compute));
    adass_model_destroy(model);
    adass_dataset_close(dataset);
    return EXIT_SUCCESS;
}
