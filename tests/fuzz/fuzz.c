/* Scratch files and inputs of fuzz targets. */
#include "fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FOLDER_CHARS = 256, PATH_CHARS = 512, N_PATHS = 8 };

_Noreturn void fuzz_abort(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
    abort();
}

uint8_t fuzz_take_byte(fuzz_input *input)
{
    if (input->n == 0)
        return 0;
    input->n--;
    return *input->bytes++;
}

fuzz_input fuzz_take_part(fuzz_input *input)
{
    const size_t low = fuzz_take_byte(input), high = fuzz_take_byte(input);
    const size_t said = low | high << 8;
    const fuzz_input part = { input->bytes, said < input->n ? said : input->n };
    input->bytes += part.n;
    input->n -= part.n;
    return part;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fuzz_remove(const char *path) { nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); }

static char folder[FOLDER_CHARS];

static void remove_folder(void) { fuzz_remove(folder); }

static void make_folder(void)
{
    const char *base = getenv("TMPDIR");
    if (access("/dev/shm", W_OK) == 0)
        base = "/dev/shm";
    snprintf(folder, sizeof folder, "%s/adass-fuzz-XXXXXX", base != NULL ? base : "/tmp");
    FUZZ_CHECK(mkdtemp(folder) != NULL);
    atexit(remove_folder);
}

const char *fuzz_path(const char *name)
{
    static char paths[N_PATHS][PATH_CHARS];
    static size_t next;
    if (folder[0] == '\0')
        make_folder();
    char *path = paths[next++ % N_PATHS];
    FUZZ_CHECK((size_t)snprintf(path, PATH_CHARS, "%s/%s", folder, name) < PATH_CHARS);
    return path;
}

void fuzz_write(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file != NULL);
    FUZZ_CHECK(fwrite(bytes, 1, n, file) == n);
    FUZZ_CHECK(fclose(file) == 0);
}

void fuzz_make_folder(const char *path)
{
    struct stat status;
    FUZZ_CHECK(mkdir(path, 0777) == 0 || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)));
}
