/* The one entry of an EXIF block that matters here.  The block is a TIFF file: a byte order, 42, and where
 * the first directory begins, whose entries have 12 bytes: tag, type, number of values, and the values or,
 * where they are more than 4 bytes, their place. */
#include "media/decoders.h"

#include <string.h>

enum { TIFF_HEADER = 8, ENTRY = 12, ORIENTATION = 0x0112, SHORT = 3 };

typedef struct tiff {
    const uint8_t *data;
    size_t size;
    bool big_endian;
} tiff;

static bool has(const tiff *t, size_t at, size_t bytes)
{
    return at <= t->size && bytes <= t->size - at;
}

static uint32_t number(const tiff *t, size_t at, size_t bytes)
{
    uint32_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | t->data[at + (t->big_endian ? i : bytes - 1 - i)];
    return value;
}

/* The first value of the entry at `at`, if it is one of 16 bits that lies in the block; else 0. */
static unsigned short_of(const tiff *t, size_t at)
{
    const uint64_t bytes = UINT64_C(2) * number(t, at + 4, 4);
    const size_t place = bytes > 4 ? number(t, at + 8, 4) : at + 8;
    if (number(t, at + 2, 2) != SHORT || bytes == 0 || bytes > t->size || !has(t, place, (size_t)bytes))
        return 0;
    return number(t, place, 2);
}

unsigned xr_exif_orientation(const uint8_t *data, size_t size)
{
    static const uint8_t header[6] = {'E', 'x', 'i', 'f', 0, 0};
    /* A PNG's block begins with the TIFF header. */
    const size_t before =
        size >= sizeof header && memcmp(data, header, sizeof header) == 0 ? sizeof header : 0;
    tiff t = {data + before, size - before, false};
    if (t.size < TIFF_HEADER)
        return 1;
    t.big_endian = memcmp(t.data, "MM", 2) == 0;
    if ((!t.big_endian && memcmp(t.data, "II", 2) != 0) || number(&t, 2, 2) != 42)
        return 1;
    const size_t directory = number(&t, 4, 4);
    if (!has(&t, directory, 2))
        return 1;
    const size_t count = number(&t, directory, 2);
    for (size_t i = 0; i < count && has(&t, directory + 2 + ENTRY * i, ENTRY); i++) {
        const size_t at = directory + 2 + ENTRY * i;
        const unsigned orientation = number(&t, at, 2) == ORIENTATION ? short_of(&t, at) : 0;
        if (orientation)
            return orientation <= 8 ? orientation : 1;
    }
    return 1;
}
