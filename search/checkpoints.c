/* The folder of a run's checkpoints. */
#include "checkpoints.h"

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { PATH_CHARS = 4096 };

static const char *const stage_names[ADASS_N_STAGES] = { "pretrain", "supernet", "search",
                                                         "continue", "train" };

struct adass_checkpoints {
    adass_checkpoint_options options;
    char dir[PATH_CHARS - 64];
    char paths[ADASS_N_STAGES][PATH_CHARS];
    int lock; /* the folder, open */
};

/* Another process of the same folder would write the same files. */
static adass_status lock_folder(adass_checkpoints *c, adass_error *err)
{
    c->lock = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->lock < 0)
        return adass_fail(err, ADASS_EIO, "%s: cannot be opened: %s", c->dir, strerror(errno));
    if (flock(c->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return ADASS_OK; /* not every file system knows locks */
    close(c->lock);
    c->lock = -1; /* the folder is the other's */
    return adass_fail(err, ADASS_EINVAL,
                      "%s: another run keeps its checkpoints there; name another folder", c->dir);
}

/* Files that a killed writer did not complete. */
static void remove_leftovers(const adass_checkpoints *c)
{
    DIR *folder = opendir(c->dir);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (strstr(entry->d_name, ".safetensors.tmp-") != NULL)
            unlinkat(c->lock, entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
}

static adass_status check_absent(const adass_checkpoints *c, adass_error *err)
{
    for (size_t i = 0; i < ADASS_N_STAGES; i++)
        if (access(c->paths[i], F_OK) == 0)
            return adass_fail(err, ADASS_EINVAL,
                              "%s: a checkpoint of an earlier run; go on from it with --resume, or "
                              "remove it",
                              c->paths[i]);
    return ADASS_OK;
}

adass_status adass_checkpoints_open(adass_checkpoints **out,
                                    const adass_checkpoint_options *options, adass_error *err)
{
    adass_checkpoints *c = calloc(1, sizeof *c);
    if (c == NULL)
        return adass_fail_memory(err, "a folder of checkpoints", sizeof *c);
    c->options = *options;
    c->lock = -1;
    adass_status status = adass_folder_make(options->dir, err);
    if (status == ADASS_OK &&
        (size_t)snprintf(c->dir, sizeof c->dir, "%s", options->dir) >= sizeof c->dir)
        status = adass_fail(err, ADASS_EINVAL, "%s: the path is too long", options->dir);
    for (size_t i = 0; i < ADASS_N_STAGES; i++)
        snprintf(c->paths[i], sizeof c->paths[i], "%s/%s.safetensors", c->dir, stage_names[i]);
    if (status == ADASS_OK)
        status = lock_folder(c, err);
    if (status == ADASS_OK && !options->resume)
        status = check_absent(c, err);
    if (status != ADASS_OK) {
        adass_checkpoints_close(c);
        return status;
    }
    remove_leftovers(c);
    *out = c;
    return ADASS_OK;
}

adass_checkpoint adass_checkpoints_of(const adass_checkpoints *checkpoints, adass_stage stage,
                                      const char *identity)
{
    return (adass_checkpoint){ .path = checkpoints->paths[stage],
                               .identity = identity,
                               .every_seconds = checkpoints->options.every_seconds,
                               .resume = checkpoints->options.resume,
                               .replace = checkpoints->options.replace,
                               .keep_end =
                                   stage == ADASS_STAGE_PRETRAIN || stage == ADASS_STAGE_CONTINUE };
}

void adass_checkpoints_remove(const adass_checkpoints *checkpoints, adass_stage stage)
{
    unlink(checkpoints->paths[stage]);
}

void adass_checkpoints_close(adass_checkpoints *checkpoints)
{
    if (checkpoints == NULL)
        return;
    if (checkpoints->lock >= 0) {
        rmdir(checkpoints->dir);
        close(checkpoints->lock);
    }
    free(checkpoints);
}
