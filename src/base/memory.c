#define _POSIX_C_SOURCE 200809L
/* What the names mean here. */
#undef malloc
#undef calloc
#undef realloc
#undef strdup
#undef strndup
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static atomic_ulong lacks;

unsigned long xr_memory_lacks(void)
{
    return atomic_load(&lacks);
}

void xr_memory_lacked(void)
{
    atomic_fetch_add(&lacks, 1);
}

/* None is what was asked for: no failure. */
static void *watched(void *memory, size_t size)
{
    if (!memory && size)
        xr_memory_lacked();
    return memory;
}

void *xr_malloc(size_t size)
{
    return watched(malloc(size), size);
}

void *xr_calloc(size_t count, size_t size)
{
    return watched(calloc(count, size), count && size);
}

void *xr_realloc(void *memory, size_t size)
{
    return watched(realloc(memory, size), size);
}

char *xr_strdup(const char *text)
{
    return watched(strdup(text), 1);
}

char *xr_strndup(const char *text, size_t size)
{
    return watched(strndup(text, size), 1);
}
