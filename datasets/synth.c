/* Planted data as a prepared dataset. */
#include "adass/synth.h"

#include "meta.h"
#include "synth_ceiling.h"
#include "synth_rows.h"
#include "writer.h"

/* What is known once all rows are written. */
typedef struct output {
    adass_writer *writer;
    synth_ceiling ceiling; /* of the test split */
    size_t classes[ADASS_N_SPLITS][2];
} output;

static adass_status write_block(void *user, const synth_teacher *t, const synth_block *b,
                                adass_error *err)
{
    output *o = user;
    adass_status status = ADASS_OK;
    for (size_t i = 0; i < b->n && status == ADASS_OK; i++) {
        const adass_split split = (adass_split)b->splits[i];
        status = adass_writer_add(o->writer, split, b->ids + i * t->shape->n_fields, &b->labels[i],
                                  1, err);
        o->classes[split][b->labels[i]]++;
        if (split == ADASS_TEST)
            adass_synth_ceiling_add(&o->ceiling, b->logits[i], b->labels[i]);
    }
    return status;
}

/* Without both classes in each split nothing can be trained, stopped early or measured. */
static adass_status check_classes(const output *o, size_t rows, adass_error *err)
{
    for (size_t split = 0; split < ADASS_N_SPLITS; split++)
        for (int c = 0; c < 2; c++)
            if (o->classes[split][c] == 0)
                return adass_fail(
                    err, ADASS_EINVAL,
                    "%zu rows are too few: the %s split has no row with label %d; ask for more",
                    rows, adass_split_name((adass_split)split), c);
    return ADASS_OK;
}

/* How the data was made; options are there when they are not the default. NULL: out of memory. */
static json_t *describe(const adass_synth_options *options, const synth_teacher *t)
{
    json_t *made = json_pack("{s:s, s:s, s:I, s:o}", "by", "synth", "shape", t->shape->name, "rows",
                             (json_int_t)t->rows, "seed", adass_json_u64(t->seed));
    bool ok = made != NULL;
    if (ok && options->noise != 0.0)
        ok = json_object_set_new(made, "noise", json_real(options->noise)) == 0;
    if (ok && options->rare_is_silent)
        ok = json_object_set_new(made, "rare_signal", json_false()) == 0;
    if (ok && options->null_fields != 0)
        ok = json_object_set_new(made, "null_fields",
                                 json_integer((json_int_t)options->null_fields)) == 0;
    if (ok)
        return made;
    json_decref(made);
    return NULL;
}

static adass_status finish(output *o, const adass_synth_options *options, const synth_teacher *t,
                           adass_error *err)
{
    double teacher_auc = 0.0;
    adass_status status = check_classes(o, t->rows, err);
    if (status == ADASS_OK)
        status = adass_synth_ceiling_auc(&o->ceiling, &teacher_auc, err);
    if (status != ADASS_OK)
        return status;
    json_t *made = describe(options, t);
    if (made == NULL)
        return adass_fail_memory(err, "meta.json", 1024.0);
    adass_field fields[SYNTH_MAX_FIELDS];
    for (size_t f = 0; f < t->shape->n_fields; f++)
        fields[f] = (adass_field){
            .name = (char *)t->shape->fields[f].name, /* only read */
            .vocab = t->shape->fields[f].vocab,
            .oov = 0,
            .true_rank = t->rank[f],
        };
    status = adass_writer_finish(o->writer, fields, teacher_auc, made, err);
    json_decref(made);
    return status;
}

static adass_status write_dataset(const adass_synth_options *options, const synth_teacher *t,
                                  const char *out_dir, adass_error *err)
{
    output o = { 0 };
    adass_status status = adass_writer_open(&o.writer, out_dir, t->shape->n_fields, err);
    if (status == ADASS_OK)
        status = adass_synth_ceiling_init(&o.ceiling, err);
    if (status == ADASS_OK)
        status = adass_synth_rows(t, options->monitor, write_block, &o, err);
    if (status == ADASS_OK)
        status = finish(&o, options, t, err);
    adass_writer_close(o.writer);
    adass_synth_ceiling_free(&o.ceiling);
    return status;
}

adass_status adass_synth_write(const adass_synth_options *options, const char *out_dir,
                               adass_error *err)
{
    synth_teacher t;
    adass_status status = adass_synth_teacher_init(&t, options, err);
    if (status == ADASS_OK)
        status = write_dataset(options, &t, out_dir, err);
    adass_synth_teacher_free(&t);
    return status;
}
