/*
 * Runs a fuzz target over the files of a folder, without libFuzzer and so with any compiler: what was found once is
 * tried again by every test run.
 *
 *   fuzz_<target> FOLDER
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* The caller frees the bytes: exactly as many as there are, so that a sanitizer sees one read beyond. */
static uint8_t *read_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    struct stat status;
    FUZZ_CHECK(file != NULL && fstat(fileno(file), &status) == 0);
    *n = (size_t)status.st_size;
    uint8_t *bytes = malloc(*n > 0 ? *n : 1);
    FUZZ_CHECK(bytes != NULL && fread(bytes, 1, *n, file) == *n);
    fclose(file);
    return bytes;
}

static void replay(const char *path)
{
    size_t n;
    uint8_t *bytes = read_file(path, &n);
    fprintf(stderr, "%s\n", path); /* the last one printed is the one that failed */
    LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (dir == NULL) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    size_t files = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        replay(path);
        files++;
    }
    closedir(dir);
    printf("%zu inputs\n", files);
    return files > 0 ? 0 : 1;
}
