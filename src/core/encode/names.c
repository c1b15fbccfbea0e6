/* The names of enumerators.  Those that a small recorder needs none of have files of their own: a linker
 * takes all strings of a file or none. */
#include "core/encode/text.h"
#include <exray/exray.h>
#include <string.h>

const char *exray_version(void)
{
    return EXRAY_VERSION;
}

unsigned exray_dtype_bits(exray_dtype dtype)
{
    switch (dtype) {
#define BITS_CASE(name, number, bits)                                                                        \
    case EXRAY_DTYPE_##name:                                                                                 \
        return bits;
        EXRAY_DTYPES(BITS_CASE)
#undef BITS_CASE
    }
    return 0;
}

const char *exray_kind_name(exray_kind kind)
{
#define KIND_NAME(upper, lower) #lower "\0"
    return xr_nth_text(EXRAY_KINDS(KIND_NAME) "unknown",
                       (unsigned)kind < EXRAY_KIND_COUNT ? (unsigned)kind : EXRAY_KIND_COUNT);
#undef KIND_NAME
}

enum { CAPTURE_COUNT = EXRAY_CAPTURE_FULL + 1 };

const char *exray_capture_name(exray_capture capture)
{
#define CAPTURE_NAME(upper, lower) #lower "\0"
    return xr_nth_text("default\0" EXRAY_CAPTURES(CAPTURE_NAME) "unknown",
                       (unsigned)capture < CAPTURE_COUNT ? (unsigned)capture : CAPTURE_COUNT);
#undef CAPTURE_NAME
}

int exray_capture_from_name(const char *name)
{
    for (int i = EXRAY_CAPTURE_OFF; i < CAPTURE_COUNT; i++)
        if (strcmp(name, exray_capture_name((exray_capture)i)) == 0)
            return i;
    return -1;
}
