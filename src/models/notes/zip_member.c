#include "models/notes/zip_member.h"

#include <stdlib.h>
#include <string.h>

/* Sizes and places of the records, by PKWARE's APPNOTE.TXT. */
enum { END_SIZE = 22, ENTRY_SIZE = 46, LOCAL_SIZE = 30, LONGEST_COMMENT = 65535, MOST_ENTRIES = 4096 };

static uint32_t number(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* Where the archive's end record is; SIZE_MAX: nowhere. */
static size_t find_end(const uint8_t *data, size_t size)
{
    const size_t last = size - END_SIZE;
    for (size_t back = 0; size >= END_SIZE && back <= LONGEST_COMMENT && back <= last; back++)
        if (memcmp(data + last - back, "PK\5\6", 4) == 0)
            return last - back;
    return SIZE_MAX;
}

enum { STORED = 0, DEFLATED = 8, LARGEST = 4 << 20, MOST_RATIO = 1032 /* of deflate */ };

static bool unpack(const uint8_t *packed, size_t packed_size, size_t whole_size, xr_inflate_fn *inflate,
                   xr_zip_member *out)
{
    if (!inflate || whole_size > LARGEST || whole_size / MOST_RATIO > packed_size)
        return true;
    void *room = malloc(whole_size ? whole_size : 1);
    if (!room)
        return false;
    if (inflate(packed, packed_size, room, whole_size))
        *out = (xr_zip_member){room, whole_size, room};
    else
        free(room);
    return true;
}

/* What a central entry refers to. */
static bool open_entry(const uint8_t *data, size_t size, const uint8_t *entry, size_t base,
                       xr_inflate_fn *inflate, xr_zip_member *out)
{
    const uint32_t method = number(entry + 10, 2), packed = number(entry + 20, 4);
    const uint32_t whole = number(entry + 24, 4);
    const size_t local = base + number(entry + 42, 4);
    if (local > size || size - local < LOCAL_SIZE || memcmp(data + local, "PK\3\4", 4) != 0)
        return true;
    const size_t begin = local + LOCAL_SIZE + number(data + local + 26, 2) + number(data + local + 28, 2);
    if (begin > size || size - begin < packed)
        return true;
    if (method == DEFLATED)
        return unpack(data + begin, packed, whole, inflate, out);
    if (method == STORED && packed == whole && whole <= LARGEST)
        *out = (xr_zip_member){data + begin, whole, NULL};
    return true;
}

bool xr_zip_find(const uint8_t *data, size_t size, const char *name, xr_inflate_fn *inflate,
                 xr_zip_member *out)
{
    *out = (xr_zip_member){NULL, 0, NULL};
    const size_t end = find_end(data, size);
    if (end == SIZE_MAX)
        return true;
    const size_t bytes = number(data + end + 12, 4), declared = number(data + end + 16, 4);
    if (bytes > end || declared > end - bytes)
        return true;
    /* What is in front of the archive need not be counted in its positions. */
    const size_t begin = end - bytes, base = begin - declared;
    size_t at = begin;
    for (uint32_t i = 0; i < MOST_ENTRIES && end - at >= ENTRY_SIZE; i++) {
        const uint8_t *entry = data + at;
        const size_t name_size = number(entry + 28, 2);
        const size_t whole = ENTRY_SIZE + name_size + number(entry + 30, 2) + number(entry + 32, 2);
        if (memcmp(entry, "PK\1\2", 4) != 0 || whole > end - at)
            return true;
        if (name_size == strlen(name) && memcmp(entry + ENTRY_SIZE, name, name_size) == 0)
            return open_entry(data, size, entry, base, inflate, out);
        at += whole;
    }
    return true;
}
