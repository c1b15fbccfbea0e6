#include "models/notes/zip_stored.h"

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

/* What a central entry refers to. */
static bool open_entry(const uint8_t *data, size_t size, const uint8_t *entry, size_t base,
                       const uint8_t **file, size_t *file_size)
{
    const uint32_t method = number(entry + 10, 2), stored = number(entry + 20, 4);
    const size_t local = base + number(entry + 42, 4);
    if (method != 0 || stored != number(entry + 24, 4) || local > size || size - local < LOCAL_SIZE ||
        memcmp(data + local, "PK\3\4", 4) != 0)
        return false;
    const size_t begin = local + LOCAL_SIZE + number(data + local + 26, 2) + number(data + local + 28, 2);
    if (begin > size || size - begin < stored)
        return false;
    *file = data + begin;
    *file_size = stored;
    return true;
}

bool xr_zip_find(const uint8_t *data, size_t size, const char *name, const uint8_t **file, size_t *file_size)
{
    const size_t end = find_end(data, size);
    if (end == SIZE_MAX)
        return false;
    const size_t bytes = number(data + end + 12, 4), declared = number(data + end + 16, 4);
    if (bytes > end || declared > end - bytes)
        return false;
    /* What is in front of the archive need not be counted in its positions. */
    const size_t begin = end - bytes, base = begin - declared;
    size_t at = begin;
    for (uint32_t i = 0; i < MOST_ENTRIES && end - at >= ENTRY_SIZE; i++) {
        const uint8_t *entry = data + at;
        const size_t name_size = number(entry + 28, 2);
        const size_t whole = ENTRY_SIZE + name_size + number(entry + 30, 2) + number(entry + 32, 2);
        if (memcmp(entry, "PK\1\2", 4) != 0 || whole > end - at)
            return false;
        if (name_size == strlen(name) && memcmp(entry + ENTRY_SIZE, name, name_size) == 0)
            return open_entry(data, size, entry, base, file, file_size);
        at += whole;
    }
    return false;
}
