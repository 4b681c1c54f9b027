/* Careful writing of files. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_CHARS = 4096 };

/* The name under which a file is written until it is complete. */
static adass_status temporary_name(const char *path, char temporary[PATH_CHARS], adass_error *err)
{
    if ((size_t)snprintf(temporary, PATH_CHARS, "%s.tmp-%ld", path, (long)getpid()) >= PATH_CHARS)
        return adass_fail(err, ADASS_EINVAL, "%s: the path is too long", path);
    return ADASS_OK;
}

static adass_status fail_to_write(const char *path, int reason, adass_error *err)
{
    const char *remedy = "name a place that can be written";
    if (reason == ENOSPC || reason == EDQUOT)
        remedy = "make room there, or name another place";
    else if (reason == EFBIG)
        remedy = "raise the limit on the size of files (ulimit -f)";
    return adass_fail(err, ADASS_EIO, "%s: cannot be written: %s; %s", path, strerror(reason),
                      remedy);
}

/* A new name is on the disk only when its folder is. */
static bool sync_folder(const char *path)
{
    char folder[PATH_CHARS];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
             slash != NULL ? path : ".");
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES; /* a folder may be written without being readable */
    const bool synced = fsync(fd) == 0 || errno == EINVAL; /* not every file system knows it */
    close(fd);
    return synced;
}

/* Content and closing; the reason of a failure in errno, which closing must not hide. */
static bool fill(FILE *file, adass_file_put put, const void *user)
{
    const bool filled = put(file, user) && fflush(file) == 0 && fsync(fileno(file)) == 0;
    const int reason = errno;
    const bool closed = fclose(file) == 0;
    if (!filled)
        errno = reason;
    return filled && closed;
}

adass_status adass_file_write(const char *path, adass_file_put put, const void *user,
                              adass_error *err)
{
    char temporary[PATH_CHARS];
    const adass_status status = temporary_name(path, temporary, err);
    if (status != ADASS_OK)
        return status;
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        return fail_to_write(path, errno, err);
    if (!fill(file, put, user) || rename(temporary, path) != 0) {
        const int reason = errno;
        unlink(temporary);
        return fail_to_write(path, reason, err);
    }
    return sync_folder(path) ? ADASS_OK : fail_to_write(path, errno, err);
}

adass_status adass_file_check_writable(const char *path, adass_error *err)
{
    char temporary[PATH_CHARS];
    struct stat about;
    const adass_status status = temporary_name(path, temporary, err);
    if (status != ADASS_OK)
        return status;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return fail_to_write(path, EISDIR, err);
    FILE *file = fopen(temporary, "wb");
    if (file == NULL)
        return fail_to_write(path, errno, err);
    fclose(file);
    unlink(temporary);
    return ADASS_OK;
}

static adass_status make_folder(const char *path, adass_error *err)
{
    struct stat about;
    if (mkdir(path, 0777) == 0)
        return ADASS_OK;
    if (errno == EEXIST && stat(path, &about) == 0) {
        if (S_ISDIR(about.st_mode))
            return ADASS_OK;
        errno = ENOTDIR;
    }
    return adass_fail(err, ADASS_EIO, "%s: the folder cannot be created: %s", path,
                      strerror(errno));
}

adass_status adass_folder_make(const char *path, adass_error *err)
{
    char part[PATH_CHARS];
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof part)
        return adass_fail(err, ADASS_EINVAL, "the folder '%s': its name is empty or too long",
                          path);
    adass_status status = ADASS_OK;
    for (size_t i = 1; i <= length && status == ADASS_OK; i++)
        if (path[i] == '/' || path[i] == '\0') {
            snprintf(part, sizeof part, "%.*s", (int)i, path);
            status = make_folder(part, err);
        }
    return status;
}
