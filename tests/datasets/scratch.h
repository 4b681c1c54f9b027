/*
 * A scratch folder for tests that write files, and helpers to make, change and compare the files in
 * it.
 */
#ifndef ADASS_TEST_SCRATCH_H
#define ADASS_TEST_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adass/status.h"

typedef struct scratch_path {
    char text[512];
} scratch_path;

/* A path inside a folder, as a value: `within(dir, "name").text`. */
static inline scratch_path within(const char *dir, const char *name)
{
    scratch_path p;
    assert_true((size_t)snprintf(p.text, sizeof p.text, "%s/%s", dir, name) < sizeof p.text);
    return p;
}

static inline int scratch_remove_entry(const char *path, const struct stat *status, int type,
                                       struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    nftw(path, scratch_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* $TMPDIR, else memory, where datasets that are synced need not wait for a disk, else /tmp. */
static inline const char *scratch_base(void)
{
    const char *base = getenv("TMPDIR");
    return base != NULL ? base : access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

/* cmocka fixtures: *state is the path of an empty folder. */
static inline int scratch_set_up(void **state)
{
    char *path = malloc(512);
    if (path == NULL)
        return -1;
    snprintf(path, 512, "%s/adass-test-XXXXXX", scratch_base());
    *state = path;
    return mkdtemp(path) != NULL ? 0 : -1;
}

static inline int scratch_tear_down(void **state)
{
    remove_tree(*state);
    free(*state);
    return 0;
}

static inline void write_bytes(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

/* The whole file and a 0 behind it; the caller frees it. */
static inline char *read_bytes(const char *path, size_t *n)
{
    struct stat status;
    FILE *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &status) != 0)
        fail_msg("%s cannot be read", path);
    *n = (size_t)status.st_size;
    char *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, file), *n);
    bytes[*n] = '\0';
    fclose(file);
    return bytes;
}

static inline void expect_same_files(const char *a, const char *b)
{
    size_t n_a, n_b;
    char *bytes_a = read_bytes(a, &n_a), *bytes_b = read_bytes(b, &n_b);
    if (n_a != n_b || memcmp(bytes_a, bytes_b, n_a) != 0)
        fail_msg("%s and %s differ", a, b);
    free(bytes_a);
    free(bytes_b);
}

static inline void expect_same_datasets(const char *a, const char *b)
{
    static const char *const files[] = { "meta.json",      "train/ids.npy",    "train/labels.npy",
                                         "valid/ids.npy",  "valid/labels.npy", "test/ids.npy",
                                         "test/labels.npy" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        expect_same_files(within(a, files[i]).text, within(b, files[i]).text);
}

/* Number of files and folders in a folder. */
static inline size_t count_entries(const char *path)
{
    size_t n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(dir);
    return n;
}

static inline void expect_message(const adass_error *err, const char *part)
{
    if (strstr(err->message, part) == NULL)
        fail_msg("the message is '%s', it lacks '%s'", err->message, part);
}

static inline void expect_ok(adass_status status, const adass_error *err)
{
    if (status != ADASS_OK)
        fail_msg("%s", err->message);
}

#endif
