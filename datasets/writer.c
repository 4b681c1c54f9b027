/*
 * Writing prepared datasets: into a temporary folder beside the target, which is renamed when
 * complete. A lock on that folder tells that its writer lives: what killed ones left is removed by
 * the next writer of the same target.
 */
#include "writer.h"

#include "checksum.h"
#include "meta.h"
#include "npy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct adass_writer {
    char *dir;       /* the target, without slashes at its end */
    char *temporary; /* where everything is until then; NULL when it does not exist */
    int lock;        /* the temporary folder, locked; -1: not open */
    size_t n_fields;
    adass_npy_writer *files[ADASS_N_FILES];
    bool has_vocabulary;
};

static adass_status fail_path(const char *path, const char *what, adass_error *err)
{
    return adass_fail(err, ADASS_EIO, "%s: %s: %s", path, what, strerror(errno));
}

/* The target must not exist, not even as a dangling link. */
static adass_status check_absent(const char *dir, adass_error *err)
{
    struct stat status;
    if (dir[0] == '\0')
        return adass_fail(err, ADASS_EINVAL, "the name of the dataset to write is empty");
    if (lstat(dir, &status) == 0)
        return adass_fail(err, ADASS_EINVAL,
                          "%s: it exists already; remove it or choose another name", dir);
    return errno == ENOENT ? ADASS_OK : fail_path(dir, "cannot be created", err);
}

/* ---- the temporary folder ---- */

/* Removes what a writer makes, and nothing else: a foreign file stays, and its folder with it. */
static void remove_temporary(const char *temporary)
{
    char path[8192];
    for (size_t i = 0; i < ADASS_N_FILES; i++)
        if ((size_t)snprintf(path, sizeof path, "%s/%s", temporary, adass_meta_file_name(i)) <
            sizeof path)
            unlink(path);
    for (size_t s = 0; s < ADASS_N_SPLITS; s++)
        if ((size_t)snprintf(path, sizeof path, "%s/%s", temporary,
                             adass_split_name((adass_split)s)) < sizeof path)
            rmdir(path);
    static const char *const others[] = { "meta.json", ADASS_VOCABULARY_FILE };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if ((size_t)snprintf(path, sizeof path, "%s/%s", temporary, others[i]) < sizeof path)
            unlink(path);
    rmdir(temporary);
}

/*
 * Opens a folder and locks it until it is closed or the process ends, however it does; -1 when
 * another writer has it, or when the file system knows no locks.
 */
static int lock_folder(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The process that a temporary folder of `target` is named after; 0 for any other name. */
static pid_t owner_of(const char *name, const char *target)
{
    const size_t n = strlen(target);
    if (strncmp(name, target, n) != 0 || strncmp(name + n, ".tmp-", 5) != 0)
        return 0;
    char *end;
    const long pid = strtol(name + n + 5, &end, 10);
    return name[n + 5] >= '1' && name[n + 5] <= '9' && *end == '\0' ? (pid_t)pid : 0;
}

/*
 * The lock alone would do, but for the moment between a living writer's mkdir() and its lock. The
 * number alone would not: it may be used again, and on another machine it means nothing.
 */
static void remove_leftover(const char *path, pid_t owner)
{
    if (owner != getpid() && (kill(owner, 0) == 0 || errno != ESRCH))
        return;
    const int fd = lock_folder(path);
    if (fd < 0)
        return;
    remove_temporary(path);
    close(fd);
}

/* What writers of this target left that were killed. */
static void remove_leftovers(const char *dir)
{
    const char *slash = strrchr(dir, '/'), *target = slash != NULL ? slash + 1 : dir;
    char *parent = slash != NULL ? strndup(dir, (size_t)(target - dir)) : strdup("./");
    DIR *folder = parent != NULL ? opendir(parent) : NULL;
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const pid_t owner = owner_of(entry->d_name, target);
        char path[8192];
        if (owner > 0 &&
            (size_t)snprintf(path, sizeof path, "%s%s", parent, entry->d_name) < sizeof path)
            remove_leftover(path, owner);
    }
    if (folder != NULL)
        closedir(folder);
    free(parent);
}

static adass_status make_temporary(adass_writer *w, adass_error *err)
{
    char *path = malloc(strlen(w->dir) + 32);
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(w->dir));
    remove_leftovers(w->dir);
    sprintf(path, "%s.tmp-%ld", w->dir, (long)getpid());
    if (mkdir(path, 0777) != 0) {
        const adass_status status =
            errno == EEXIST
                ? adass_fail(err, ADASS_EIO,
                             "%s: it exists already: another run writes it, or one that was "
                             "killed left it with other files in it; remove it",
                             path)
                : fail_path(path, "cannot be created", err);
        free(path);
        return status;
    }
    w->temporary = path;
    w->lock = lock_folder(path); /* without locks only the cleaning after a kill is lost */
    return ADASS_OK;
}

static adass_status make_split(adass_writer *w, adass_split split, adass_error *err)
{
    char *path = adass_path_join(w->temporary, adass_split_name(split));
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(w->temporary));
    const adass_status status =
        mkdir(path, 0777) == 0 ? ADASS_OK : fail_path(path, "cannot be created", err);
    free(path);
    return status;
}

static adass_status make_file(adass_writer *w, size_t i, adass_error *err)
{
    char *path = adass_path_join(w->temporary, adass_meta_file_name(i));
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(w->temporary));
    const bool ids = i % 2 == 0;
    const adass_status status = adass_npy_create(
        &w->files[i], path, ids ? ADASS_NPY_U32 : ADASS_NPY_U8, ids ? w->n_fields : 0, err);
    free(path);
    return status;
}

/* Without slashes at its end, in new memory. */
static char *trimmed(const char *dir)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    return strndup(dir, n);
}

adass_status adass_writer_check(const char *dir, adass_error *err)
{
    char *path = trimmed(dir);
    const adass_status status =
        path != NULL ? check_absent(path, err) : adass_fail_memory(err, "a path", 0.0);
    free(path);
    return status;
}

static adass_status begin(adass_writer *w, const char *dir, adass_error *err)
{
    w->dir = trimmed(dir);
    if (w->dir == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(dir));
    adass_status status = check_absent(w->dir, err);
    if (status == ADASS_OK)
        status = make_temporary(w, err);
    for (size_t s = 0; s < ADASS_N_SPLITS && status == ADASS_OK; s++)
        status = make_split(w, (adass_split)s, err);
    for (size_t i = 0; i < ADASS_N_FILES && status == ADASS_OK; i++)
        status = make_file(w, i, err);
    return status;
}

adass_status adass_writer_open(adass_writer **out, const char *dir, size_t n_fields,
                               adass_error *err)
{
    adass_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return adass_fail_memory(err, "a dataset writer", (double)sizeof *w);
    w->n_fields = n_fields;
    w->lock = -1;
    const adass_status status = begin(w, dir, err);
    if (status == ADASS_OK)
        *out = w;
    else
        adass_writer_close(w);
    return status;
}

adass_status adass_writer_add(adass_writer *writer, adass_split split, const uint32_t *ids,
                              const uint8_t *labels, size_t n, adass_error *err)
{
    return adass_writer_add_later(writer, split, ids, labels, n, NULL, err);
}

void adass_writer_expect(adass_writer *writer, const uint64_t rows[ADASS_N_SPLITS])
{
    for (size_t i = 0; i < ADASS_N_FILES; i++)
        adass_npy_expect(writer->files[i], (size_t)rows[i / 2]);
}

adass_status adass_writer_add_later(adass_writer *writer, adass_split split, const uint32_t *ids,
                                    const uint8_t *labels, size_t n, adass_npy_later *later,
                                    adass_error *err)
{
    const adass_status status =
        adass_npy_append_later(writer->files[2 * split], ids, n, later, err);
    return status == ADASS_OK ? adass_npy_append(writer->files[2 * split + 1], labels, n, err)
                              : status;
}

adass_status adass_writer_create_vocabulary(adass_writer *writer, FILE **out, adass_error *err)
{
    char *path = adass_path_join(writer->temporary, ADASS_VOCABULARY_FILE);
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(writer->temporary));
    *out = fopen(path, "wbx");
    writer->has_vocabulary = *out != NULL;
    const adass_status status = *out != NULL ? ADASS_OK : fail_path(path, "cannot be written", err);
    free(path);
    return status;
}

/* ---- completing ---- */

static adass_status finish_file(adass_writer *w, size_t i, adass_meta_file *file, adass_error *err)
{
    adass_status status = adass_npy_finish(w->files[i], err);
    if (status == ADASS_OK)
        status = adass_npy_checksum(w->files[i], file->checksum, &file->bytes, err);
    adass_npy_close(w->files[i]);
    w->files[i] = NULL;
    return status;
}

/* All at once: the disk takes little longer for all files than for one. */
static adass_status finish_files(adass_writer *w, adass_meta_file *files, adass_error *err)
{
    adass_status status[ADASS_N_FILES];
    adass_error errors[ADASS_N_FILES];
#pragma omp parallel for schedule(static) num_threads(ADASS_N_FILES)
    for (size_t i = 0; i < ADASS_N_FILES; i++)
        status[i] = finish_file(w, i, &files[i], &errors[i]);
    for (size_t i = 0; i < ADASS_N_FILES; i++)
        if (status[i] != ADASS_OK)
            return adass_fail(err, status[i], "%s", errors[i].message);
    return ADASS_OK;
}

static adass_status finish_vocabulary(const adass_writer *w, adass_meta_file *file,
                                      adass_error *err)
{
    char *path = adass_path_join(w->temporary, ADASS_VOCABULARY_FILE);
    if (path == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(w->temporary));
    const adass_status status = adass_checksum_file(path, file->checksum, &file->bytes, err);
    free(path);
    return status;
}

/* Text to a new file, down to the disk. */
static adass_status write_text(const char *path, const char *text, adass_error *err)
{
    FILE *file = fopen(path, "wbx");
    if (file == NULL)
        return fail_path(path, "cannot be written", err);
    const bool written = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
    const int reason = errno;
    const bool closed = fclose(file) == 0;
    if (!written)
        errno = reason;
    return written && closed ? ADASS_OK : fail_path(path, "cannot be written", err);
}

static adass_status write_meta(const adass_writer *w, const adass_meta *meta, json_t *made,
                               adass_error *err)
{
    char *path = adass_path_join(w->temporary, "meta.json");
    char *text = adass_meta_format(meta, made);
    const adass_status status = path != NULL && text != NULL
                                    ? write_text(path, text, err)
                                    : adass_fail_memory(err, "meta.json", 0.0);
    free(text);
    free(path);
    return status;
}

/* A new entry of a folder is on the disk once the folder is. */
static adass_status sync_folder(const char *path, adass_error *err)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_path(path, "cannot be opened", err);
    const adass_status status =
        fsync(fd) == 0 ? ADASS_OK : fail_path(path, "cannot be synced", err);
    close(fd);
    return status;
}

static adass_status sync_temporary(const adass_writer *w, adass_error *err)
{
    adass_status status = ADASS_OK;
    for (size_t s = 0; s < ADASS_N_SPLITS && status == ADASS_OK; s++) {
        char *path = adass_path_join(w->temporary, adass_split_name((adass_split)s));
        status = path != NULL ? sync_folder(path, err)
                              : adass_fail_memory(err, "a path", (double)strlen(w->temporary));
        free(path);
    }
    return status == ADASS_OK ? sync_folder(w->temporary, err) : status;
}

static adass_status sync_parent(const adass_writer *w, adass_error *err)
{
    char *parent = strdup(w->dir);
    if (parent == NULL)
        return adass_fail_memory(err, "a path", (double)strlen(w->dir));
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        slash[slash == parent] = '\0'; /* the parent of /name is / */
    const adass_status status = sync_folder(slash != NULL ? parent : ".", err);
    free(parent);
    return status;
}

static adass_status move_into_place(adass_writer *w, adass_error *err)
{
    adass_status status = sync_temporary(w, err);
    if (status == ADASS_OK)
        status = check_absent(w->dir, err); /* rename() would replace an empty folder */
    if (status != ADASS_OK)
        return status;
    if (rename(w->temporary, w->dir) != 0)
        return fail_path(w->dir, "cannot be created", err);
    free(w->temporary);
    w->temporary = NULL;
    return sync_parent(w, err);
}

adass_status adass_writer_finish(adass_writer *writer, const adass_field *fields,
                                 double teacher_auc, json_t *made, adass_error *err)
{
    adass_meta meta = { .n_fields = writer->n_fields, .teacher_auc = teacher_auc };
    meta.fields = (adass_field *)fields; /* only read */
    for (size_t s = 0; s < ADASS_N_SPLITS; s++)
        meta.rows[s] = adass_npy_rows(writer->files[2 * s]);
    adass_status status = finish_files(writer, meta.files, err);
    meta.has_vocabulary = writer->has_vocabulary;
    if (status == ADASS_OK && writer->has_vocabulary)
        status = finish_vocabulary(writer, &meta.vocabulary, err);
    if (status == ADASS_OK)
        status = write_meta(writer, &meta, made, err);
    return status == ADASS_OK ? move_into_place(writer, err) : status;
}

void adass_writer_close(adass_writer *writer)
{
    if (writer == NULL)
        return;
    for (size_t i = 0; i < ADASS_N_FILES; i++)
        adass_npy_close(writer->files[i]);
    if (writer->temporary != NULL)
        remove_temporary(writer->temporary);
    if (writer->lock >= 0)
        close(writer->lock);
    free(writer->temporary);
    free(writer->dir);
    free(writer);
}
