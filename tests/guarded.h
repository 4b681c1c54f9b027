/* Buffers that end at an unreadable page, so that one byte read or written too far is a crash. */
#ifndef ADASS_TEST_GUARDED_H
#define ADASS_TEST_GUARDED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct guarded {
    void *p; /* bytes [0, n) are usable; p + n is the beginning of an unreadable page */
    void *map;
    size_t mapped;
} guarded;

/*
 * n bytes. The start is aligned as n allows: only to an element's size in general, which is what
 * the kernels are promised.
 */
static inline guarded guarded_new(size_t n)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t body = (n / page + 1) * page;
    guarded g = { .mapped = body + page };
    g.map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g.map == MAP_FAILED || mprotect((char *)g.map + body, page, PROT_NONE) != 0) {
        perror("guarded_new");
        abort();
    }
    g.p = (char *)g.map + body - n;
    return g;
}

static inline void guarded_free(guarded *g) { munmap(g->map, g->mapped); }

/*
 * n bytes of zeros for a buffer that is no longer needed, or all 0 before its first use. It keeps a
 * mapping that is large enough: making one takes longer than most tests of a kernel.
 */
static inline void guarded_renew(guarded *g, size_t n)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (g->mapped < n + page) {
        if (g->mapped > 0)
            guarded_free(g);
        *g = guarded_new(n);
    }
    g->p = (char *)g->map + g->mapped - page - n;
    memset(g->p, 0, n);
}

#endif
