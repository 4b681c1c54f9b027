/* A temporary file without a name. */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_BYTES = 1 << 18 };

struct adass_spool {
    char *folder; /* for messages */
    int fd;
    uint64_t bytes;
    size_t buffered;
    unsigned char buffer[BUFFER_BYTES];
};

static adass_status fail_spool(const adass_spool *s, const char *what, adass_error *err)
{
    return adass_fail(err, ADASS_EIO, "%s: a temporary file cannot be %s: %s", s->folder, what,
                      strerror(errno));
}

/* The folder of a path, in new memory. */
static char *folder_of(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    return n > 0 ? strndup(path, n) : strdup(".");
}

/* Not every file system makes files without a name; there the name is taken away at once. */
static int open_unnamed(const char *folder)
{
    const int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    char *path = malloc(strlen(folder) + 32);
    if (path == NULL)
        return -1;
    strcpy(path, folder);
    strcat(path, "/adass.tmp-XXXXXX");
    const int named = mkostemp(path, O_CLOEXEC);
    if (named >= 0)
        unlink(path);
    free(path);
    return named;
}

adass_status adass_spool_open(adass_spool **out, const char *beside, adass_error *err)
{
    adass_spool *s = malloc(sizeof *s);
    char *folder = folder_of(beside);
    if (s == NULL || folder == NULL) {
        free(s);
        free(folder);
        return adass_fail_memory(err, "a temporary file", (double)sizeof *s);
    }
    s->folder = folder;
    s->bytes = s->buffered = 0;
    s->fd = open_unnamed(folder);
    if (s->fd < 0) {
        const adass_status status = fail_spool(s, "made", err);
        adass_spool_close(s);
        return status;
    }
    *out = s;
    return ADASS_OK;
}

adass_status adass_spool_flush(adass_spool *spool, adass_error *err)
{
    for (size_t done = 0; done < spool->buffered;) {
        const ssize_t n = write(spool->fd, spool->buffer + done, spool->buffered - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_spool(spool, "written", err);
        done += (size_t)n;
    }
    spool->buffered = 0;
    return ADASS_OK;
}

adass_status adass_spool_append(adass_spool *spool, const void *bytes, size_t n, adass_error *err)
{
    const unsigned char *from = bytes;
    spool->bytes += n;
    while (n > 0) {
        const size_t space = BUFFER_BYTES - spool->buffered, part = n < space ? n : space;
        memcpy(spool->buffer + spool->buffered, from, part);
        spool->buffered += part;
        from += part;
        n -= part;
        if (spool->buffered == BUFFER_BYTES) {
            const adass_status status = adass_spool_flush(spool, err);
            if (status != ADASS_OK)
                return status;
        }
    }
    return ADASS_OK;
}

uint64_t adass_spool_bytes(const adass_spool *spool) { return spool->bytes; }

adass_status adass_spool_read(const adass_spool *spool, uint64_t offset, void *bytes, size_t n,
                              adass_error *err)
{
    unsigned char *to = bytes;
    while (n > 0) {
        const ssize_t got = pread(spool->fd, to, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            errno = EIO;
        if (got <= 0)
            return fail_spool(spool, "read", err);
        to += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return ADASS_OK;
}

int adass_spool_fd(const adass_spool *spool) { return spool->fd; }

void adass_spool_close(adass_spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->fd >= 0)
        close(spool->fd);
    free(spool->folder);
    free(spool);
}
