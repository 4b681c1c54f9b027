/* Memory for tables and matrices. */
#include "adass/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LINE_BYTES = 64, HUGE_PAGE_BYTES = 2 << 20 };

void *adass_alloc(size_t bytes)
{
    const size_t alignment = bytes >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : LINE_BYTES;
    const size_t rounded = (bytes / LINE_BYTES + 1) * LINE_BYTES;
    void *p = NULL;
    if (rounded < bytes || posix_memalign(&p, alignment, rounded) != 0)
        return NULL;
    if (alignment == HUGE_PAGE_BYTES)
        (void)madvise(p, rounded, MADV_HUGEPAGE); /* advice: no harm where it is refused */
    memset(p, 0, rounded);
    return p;
}
