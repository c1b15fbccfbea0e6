#include "core/sized.h"

#include <stdint.h>
#include <string.h>

/* No public struct gets that large: a greater size was never set. */
enum { LARGEST = 4096 };

static uint32_t size_of(const void *from)
{
    uint32_t size;
    memcpy(&size, from, sizeof size);
    return size;
}

/* What a newer header added is of no harm as long as it is not used. */
static const char *problem_of(const void *from, size_t known)
{
    const uint32_t size = size_of(from);
    if (size <= sizeof size || size > LARGEST)
        return "its size was never set; begin with its INIT macro";
    for (size_t i = known; i < size; i++)
        if (((const uint8_t *)from)[i])
            return "it sets a field unknown to this library; use its headers";
    return NULL;
}

const char *xr_sized_read(void *to, size_t known, const void *from)
{
    const char *problem = problem_of(from, known);
    const uint32_t size = (uint32_t)known;
    memset(to, 0, known);
    if (problem)
        return problem;
    memcpy(to, from, size_of(from) < known ? size_of(from) : known);
    memcpy(to, &size, sizeof size);
    return NULL;
}
