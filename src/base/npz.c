#define _POSIX_C_SOURCE 200809L
#include "base/npz.h"

#include "base/buffer.h"

#include <errno.h>
#include <exray/codecs.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of the zip format (PKWARE APPNOTE 6.3). */
enum {
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END_SIGNATURE = 0x06054b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    VERSION_64 = 45, /* of the format: the first with 64-bit sizes */
    UTF8_NAMES = 1 << 11,
    DATE_1980 = 0x21, /* the earliest there is: the same input gives the same file */
    EXTRA_64 = 1,
    EXTRA_64_SIZE = 4 + 24,
};

typedef struct member {
    char *name;
    uint64_t offset, size;
    uint32_t crc;
    unsigned again; /* others of the same name, so far */
} member;

struct xr_npz {
    FILE *file;
    uint64_t at;
    int error; /* errno of the first failure */
    member *members;
    size_t count, capacity;
    uint32_t *slots; /* names -> members, by hash: position + 1; 0 is free */
    size_t slot_count;
};

static void put(xr_npz *npz, const void *data, size_t size)
{
    if (!npz->error && size && fwrite(data, 1, size, npz->file) != size)
        npz->error = errno ? errno : EIO;
    npz->at += size;
}

static void put_number(xr_npz *npz, uint64_t value, size_t bytes)
{
    uint8_t little[8];
    for (size_t i = 0; i < bytes; i++)
        little[i] = (uint8_t)(value >> (8 * i));
    put(npz, little, bytes);
}

/* Where the name stands in the table, or may stand. */
static size_t slot_of(const xr_npz *npz, const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *at = name; *at; at++)
        hash = (hash ^ (uint8_t)*at) * 16777619u;
    size_t slot = hash & (npz->slot_count - 1);
    while (npz->slots[slot] && strcmp(npz->members[npz->slots[slot] - 1].name, name) != 0)
        slot = (slot + 1) & (npz->slot_count - 1);
    return slot;
}

/* Room for one name more. */
static bool grow_slots(xr_npz *npz)
{
    if (npz->count + 1 < npz->slot_count / 2)
        return true;
    size_t count = npz->slot_count ? npz->slot_count * 2 : 64;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots)
        return false;
    free(npz->slots);
    npz->slots = slots;
    npz->slot_count = count;
    for (size_t i = 0; i < npz->count; i++)
        slots[slot_of(npz, npz->members[i].name)] = (uint32_t)i + 1;
    return true;
}

static member *find_member(const xr_npz *npz, const char *name)
{
    uint32_t position = npz->slots[slot_of(npz, name)];
    return position ? &npz->members[position - 1] : NULL;
}

/* "name.npy", or "name~1.npy" and so on; malloc. */
static char *member_name(xr_npz *npz, const char *name)
{
    size_t size = strlen(name) + 32;
    char *full = malloc(size);
    if (!full)
        return NULL;
    snprintf(full, size, "%s.npy", name);
    member *first = find_member(npz, full);
    while (find_member(npz, full))
        snprintf(full, size, "%s~%u.npy", name, ++first->again);
    return full;
}

static member *new_member(xr_npz *npz, const char *name)
{
    member *members = xr_array_grow(npz->members, npz->count, &npz->capacity, sizeof *members);
    if (!members)
        return NULL;
    npz->members = members;
    if (!grow_slots(npz))
        return NULL;
    member *m = &npz->members[npz->count];
    *m = (member){.name = member_name(npz, name), .offset = npz->at};
    if (!m->name)
        return NULL;
    npz->slots[slot_of(npz, m->name)] = (uint32_t)++npz->count;
    return m;
}

/* Both sizes and the offset, as 64-bit numbers. */
static void put_extra(xr_npz *npz, const member *m, bool with_offset)
{
    put_number(npz, EXTRA_64, 2);
    put_number(npz, with_offset ? 24 : 16, 2);
    put_number(npz, m->size, 8);
    put_number(npz, m->size, 8);
    if (with_offset)
        put_number(npz, m->offset, 8);
}

/* What local and central headers have in common. */
static void put_common(xr_npz *npz, const member *m)
{
    put_number(npz, VERSION_64, 2);
    put_number(npz, UTF8_NAMES, 2);
    put_number(npz, 0, 2); /* stored */
    put_number(npz, 0, 2); /* time */
    put_number(npz, DATE_1980, 2);
    put_number(npz, m->crc, 4);
    put_number(npz, UINT32_MAX, 4); /* both sizes: see the extra field */
    put_number(npz, UINT32_MAX, 4);
    put_number(npz, strlen(m->name), 2);
}

/* The .npy header, version 1.0; returns its size. */
static size_t npy_header(char out[512], const char *descr, const int64_t *shape, uint32_t rank)
{
    enum { PREFIX = 10, ALIGN = 64 };
    char dictionary[400];
    int used =
        snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (uint32_t i = 0; i < rank; i++)
        used += snprintf(dictionary + used, sizeof dictionary - (size_t)used, "%" PRId64 "%s", shape[i],
                         rank == 1      ? ","
                         : i + 1 < rank ? ", "
                                        : "");
    used += snprintf(dictionary + used, sizeof dictionary - (size_t)used, "), }");
    size_t total = (PREFIX + (size_t)used + 1 + ALIGN - 1) / ALIGN * ALIGN;
    memset(out, ' ', total);
    static const char magic[8] = {'\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0};
    memcpy(out, magic, sizeof magic);
    out[8] = (char)((total - PREFIX) & 0xFF);
    out[9] = (char)((total - PREFIX) >> 8);
    memcpy(out + PREFIX, dictionary, (size_t)used);
    out[total - 1] = '\n';
    return total;
}

xr_npz *xr_npz_open(const char *path)
{
    xr_npz *npz = calloc(1, sizeof *npz);
    if (!npz)
        return NULL;
    npz->file = fopen(path, "wb");
    if (!npz->file) {
        free(npz);
        return NULL;
    }
    return npz;
}

void xr_npz_add(xr_npz *npz, const char *name, const char *descr, const int64_t *shape, uint32_t rank,
                const void *data, size_t size)
{
    char header[512];
    member *m = npz->error ? NULL : new_member(npz, name);
    if (!m) {
        npz->error = npz->error ? npz->error : ENOMEM;
        return;
    }
    size_t header_size = npy_header(header, descr, shape, rank);
    m->size = header_size + size;
    m->crc = exray_codec_default()->crc32(0, header, header_size);
    if (size)
        m->crc = exray_codec_default()->crc32(m->crc, data, size);
    put_number(npz, LOCAL_SIGNATURE, 4);
    put_common(npz, m);
    put_number(npz, 4 + 16, 2);
    put(npz, m->name, strlen(m->name));
    put_extra(npz, m, false);
    put(npz, header, header_size);
    put(npz, data, size);
}

static void put_directory(xr_npz *npz)
{
    uint64_t start = npz->at;
    for (size_t i = 0; i < npz->count; i++) {
        const member *m = &npz->members[i];
        put_number(npz, CENTRAL_SIGNATURE, 4);
        put_number(npz, VERSION_64, 2);
        put_common(npz, m);
        put_number(npz, EXTRA_64_SIZE, 2);
        put_number(npz, 0, 2); /* comment */
        put_number(npz, 0, 2); /* disk */
        put_number(npz, 0, 6); /* attributes */
        put_number(npz, UINT32_MAX, 4);
        put(npz, m->name, strlen(m->name));
        put_extra(npz, m, true);
    }
    uint64_t end = npz->at;
    put_number(npz, END64_SIGNATURE, 4);
    put_number(npz, 44, 8); /* of what follows in this record */
    put_number(npz, VERSION_64, 2);
    put_number(npz, VERSION_64, 2);
    put_number(npz, 0, 8); /* disks */
    put_number(npz, npz->count, 8);
    put_number(npz, npz->count, 8);
    put_number(npz, end - start, 8);
    put_number(npz, start, 8);
    put_number(npz, LOCATOR64_SIGNATURE, 4);
    put_number(npz, 0, 4);
    put_number(npz, end, 8);
    put_number(npz, 1, 4);
    put_number(npz, END_SIGNATURE, 4);
    put_number(npz, 0, 4);          /* disks */
    put_number(npz, UINT32_MAX, 4); /* counts, */
    put_number(npz, UINT32_MAX, 4); /* size, */
    put_number(npz, UINT32_MAX, 4); /* and offset: see above */
    put_number(npz, 0, 2);
}

bool xr_npz_close(xr_npz *npz)
{
    put_directory(npz);
    if (fclose(npz->file) != 0 && !npz->error)
        npz->error = errno;
    int error = npz->error;
    for (size_t i = 0; i < npz->count; i++)
        free(npz->members[i].name);
    free(npz->members);
    free(npz->slots);
    free(npz);
    errno = error;
    return error == 0;
}
