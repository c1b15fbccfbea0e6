/* libFuzzer's mutator for logs.  Random changes alone die at the first checksum or length; these keep
 * the file a sequence of records, reach into compressed chunks, and make checksums right again, most
 * of the time. */
#include "log/wire.h"

#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

enum {
    MOST_RECORDS = 512,
    MOST_BYTES = 1 << 18,         /* of a decompressed chunk that is looked into */
    SLACK = 256,                  /* what a record may grow by in one mutation */
    FOOTER = 9 + 20 + 8,          /* the footer's record and the magic */
    FOOTER_START = 20 + 8,        /* from the file's end back to the offset of the summary */
    CHUNK_SIZE = 16,              /* in a chunk's content: its decompressed size, then the CRC */
    CHUNK_COMPRESSION = 8 * 3 + 4 /* ... and the name of the compression */
};

/* A file, or a chunk's records, in a buffer of fixed size. */
typedef struct area {
    uint8_t *data;
    size_t size, room;
} area;

typedef struct place {
    size_t at, size; /* of a record, its header included */
} place;

static uint32_t next(uint32_t *random)
{
    *random = *random * 1664525u + 1013904223u;
    return *random >> 8;
}

static size_t below(uint32_t *random, size_t limit)
{
    return limit ? next(random) % limit : 0;
}

static void store(uint8_t *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* Puts `size` bytes in place of `old` ones; false where there is no room. */
static bool replace(area *a, size_t at, size_t old, const uint8_t *bytes, size_t size)
{
    if (size > a->room - (a->size - old))
        return false;
    memmove(a->data + at + size, a->data + at + old, a->size - at - old);
    if (size)
        memcpy(a->data + at, bytes, size);
    a->size += size - old;
    return true;
}

/* The whole records from `from` on, as far as they can be followed. */
static size_t list_records(const area *a, size_t from, place *out)
{
    size_t count = 0;
    while (count < MOST_RECORDS && from <= a->size && a->size - from >= XR_MCAP_RECORD_HEADER) {
        uint64_t length = xr_load64(a->data + from + 1);
        if (length > a->size - from - XR_MCAP_RECORD_HEADER)
            break;
        out[count] = (place){from, (size_t)length + XR_MCAP_RECORD_HEADER};
        from += out[count++].size;
    }
    return count;
}

/* ---- Chunks ---------------------------------------------------------------- */

typedef struct chunk {
    exray_compression how;
    size_t records; /* where they begin in the content */
    uint8_t *bytes; /* decompressed; free it */
    size_t size;
} chunk;

static const char *const names[] = {"", "lz4", "zstd"};

/* Of a chunk's content; false where it is none that can be looked into. */
static bool open_chunk(const uint8_t *content, size_t size, chunk *out)
{
    xr_cursor c = xr_cursor_begin(content, size);
    xr_cursor_bytes(&c, CHUNK_SIZE);
    uint64_t whole = xr_cursor_u64(&c);
    xr_cursor_u32(&c);
    xr_text name = xr_cursor_text(&c);
    xr_cursor_u64(&c);
    if (c.bad)
        return false;
    *out = (chunk){.records = (size_t)(c.at - content)};
    size_t stored = size - out->records;
    if (name.size)
        out->how = xr_text_is(name, "lz4") ? EXRAY_COMPRESSION_LZ4 : EXRAY_COMPRESSION_ZSTD;
    out->size = out->how ? (size_t)whole : stored;
    if (whole > MOST_BYTES || out->size > MOST_BYTES)
        return false;
    out->bytes = malloc(out->size + SLACK);
    bool good =
        out->bytes && (!out->how || exray_codec_decompress(out->how, out->bytes, out->size,
                                                           content + out->records, stored) == EXRAY_OK);
    if (good && !out->how && stored)
        memcpy(out->bytes, content + out->records, stored);
    if (!good)
        free(out->bytes);
    return good;
}

/* A chunk's content of `bytes`, with the times of the old one; free it. */
static area close_chunk(const uint8_t *times, exray_compression how, const uint8_t *bytes, size_t size)
{
    const exray_codec *codec = exray_codec_default();
    const char *name = names[how];
    size_t head = CHUNK_COMPRESSION + 4 + strlen(name) + 8;
    area a = {.room = head + size};
    if (how)
        a.room = head + codec->compress_bound(how, size);
    a.data = malloc(a.room);
    if (!a.data)
        return a;
    size_t stored = how ? codec->compress(how, a.data + head, a.room - head, bytes, size) : size;
    if (!how && size)
        memcpy(a.data + head, bytes, size);
    memcpy(a.data, times, CHUNK_SIZE);
    store(a.data + CHUNK_SIZE, size, 8);
    store(a.data + CHUNK_SIZE + 8, codec->crc32(0, bytes, size), 4);
    store(a.data + CHUNK_COMPRESSION, strlen(name), 4);
    memcpy(a.data + CHUNK_COMPRESSION + 4, name, strlen(name));
    store(a.data + head - 8, stored, 8);
    a.size = head + stored;
    return a;
}

static void repair_chunk(uint8_t *content, size_t size)
{
    chunk c;
    if (!open_chunk(content, size, &c))
        return;
    store(content + CHUNK_SIZE, c.size, 8);
    store(content + CHUNK_SIZE + 8, exray_codec_default()->crc32(0, c.bytes, c.size), 4);
    store(content + c.records - 8, size - c.records, 8);
    free(c.bytes);
}

/* ---- Repairs ---------------------------------------------------------------- */

static void repair_attachment(uint8_t *content, size_t size)
{
    xr_cursor c = xr_cursor_begin(content, size);
    xr_cursor_bytes(&c, 16); /* times */
    xr_cursor_text(&c);
    xr_cursor_text(&c);
    size_t at = (size_t)(c.at - content);
    if (c.bad || size - at < 12)
        return;
    store(content + at, size - at - 12, 8);
    store(content + size - 4, exray_codec_default()->crc32(0, content, size - 4), 4);
}

static void repair_footer(area *a)
{
    if (a->size < FOOTER)
        return;
    size_t end = a->size - 12;
    uint64_t start = xr_load64(a->data + a->size - FOOTER_START);
    if (start && start <= end)
        store(a->data + end, exray_codec_default()->crc32(0, a->data + start, end - (size_t)start), 4);
}

/* Checksums, and what they need: sizes of chunks and attachments; where the summary begins. */
static void repair(area *a, uint32_t *random)
{
    place *p = calloc(MOST_RECORDS, sizeof *p);
    size_t count = p ? list_records(a, XR_MCAP_MAGIC_SIZE, p) : 0;
    bool move = next(random) % 2;
    uint64_t data_size = 0;
    size_t checked = 0; /* the end of the last Check record */
    for (size_t i = 0; i < count; i++) {
        uint8_t *content = a->data + p[i].at + XR_MCAP_RECORD_HEADER;
        size_t size = p[i].size - XR_MCAP_RECORD_HEADER;
        uint8_t opcode = a->data[p[i].at];
        if (opcode == XR_MCAP_CHUNK)
            repair_chunk(content, size);
        else if (opcode == XR_MCAP_ATTACHMENT)
            repair_attachment(content, size);
        else if (opcode == XR_MCAP_CHECK && size == XR_MCAP_CHECK_SIZE) {
            store(content, checked, 8);
            store(content + 8,
                  exray_codec_default()->crc32(checked ? XR_MCAP_CHECK_SEED : 0, a->data + checked,
                                               (size_t)(content + 8 - a->data) - checked),
                  4);
            checked = p[i].at + p[i].size;
        } else if (opcode == XR_MCAP_DATA_END) {
            data_size = p[i].at + p[i].size;
            if (size == 4 && next(random) % 2) /* of the data section; 0 says that there is none */
                store(content, exray_codec_default()->crc32(0, a->data, p[i].at), 4);
        }
    }
    if (move && data_size && a->size >= FOOTER && data_size <= a->size - FOOTER)
        store(a->data + a->size - FOOTER_START, data_size < a->size - FOOTER ? data_size : 0, 8);
    repair_footer(a);
    free(p);
}

/* ---- Changes ---------------------------------------------------------------- */

/* Changes the content of the record at `p`, and its length with it. */
static void change_record(area *a, place p)
{
    size_t size = p.size - XR_MCAP_RECORD_HEADER;
    uint8_t *content = malloc(size + SLACK);
    if (!content)
        return;
    memcpy(content, a->data + p.at + XR_MCAP_RECORD_HEADER, size);
    size_t changed = LLVMFuzzerMutate(content, size, size + SLACK);
    if (replace(a, p.at + XR_MCAP_RECORD_HEADER, size, content, changed))
        store(a->data + p.at + 1, changed, 8);
    free(content);
}

/* Twice, never, or in another's place. */
static void move_record(area *a, const place *p, size_t count, uint32_t *random)
{
    place from = p[below(random, count)], to = p[below(random, count)];
    uint8_t *bytes = malloc(from.size + 1);
    if (!bytes)
        return;
    memcpy(bytes, a->data + from.at, from.size);
    switch (next(random) % 3) {
    case 0:
        replace(a, from.at, from.size, NULL, 0);
        break;
    case 1:
        replace(a, to.at, 0, bytes, from.size);
        break;
    default:
        replace(a, to.at, to.size, bytes, from.size);
        break;
    }
    free(bytes);
}

/* One record of a sequence, however it stands. */
static void change_records(area *a, size_t from, uint32_t *random)
{
    place *p = calloc(MOST_RECORDS, sizeof *p);
    size_t count = p ? list_records(a, from, p) : 0;
    if (count && next(random) % 4)
        change_record(a, p[below(random, count)]);
    else if (count)
        move_record(a, p, count, random);
    free(p);
}

/* Opens a chunk, changes what is in it, and closes it again, compressed or not. */
static void change_chunk(area *a, uint32_t *random)
{
    place *p = calloc(MOST_RECORDS, sizeof *p);
    size_t count = p ? list_records(a, XR_MCAP_MAGIC_SIZE, p) : 0, first = below(random, count);
    chunk c;
    for (size_t i = 0; i < count; i++) {
        place at = p[(first + i) % count];
        const uint8_t *content = a->data + at.at + XR_MCAP_RECORD_HEADER;
        size_t size = at.size - XR_MCAP_RECORD_HEADER;
        if (a->data[at.at] != XR_MCAP_CHUNK || !open_chunk(content, size, &c))
            continue;
        area inner = {c.bytes, c.size, c.size + SLACK};
        change_records(&inner, 0, random);
        exray_compression how = next(random) % 4 ? c.how : (exray_compression)(next(random) % 3);
        area closed = close_chunk(content, how, inner.data, inner.size);
        if (closed.data && replace(a, at.at + XR_MCAP_RECORD_HEADER, size, closed.data, closed.size))
            store(a->data + at.at + 1, closed.size, 8);
        free(closed.data);
        free(inner.data);
        break;
    }
    free(p);
}

/* The footer's offset, a record's length, or an offset of the summary: to where something stands. */
static void change_offset(area *a, uint32_t *random)
{
    place *p = calloc(MOST_RECORDS, sizeof *p);
    size_t count = p ? list_records(a, XR_MCAP_MAGIC_SIZE, p) : 0;
    if (count && a->size >= FOOTER) {
        place some = p[below(random, count)], other = p[below(random, count)];
        uint64_t value = some.at;
        if (next(random) % 4 == 0)
            value += below(random, some.size);
        switch (next(random) % 3) {
        case 0:
            store(a->data + a->size - FOOTER_START, value, 8);
            break;
        case 1:
            store(a->data + other.at + 1, value > other.at ? value - other.at : value - other.at - 9, 8);
            break;
        default:
            if (other.size >= XR_MCAP_RECORD_HEADER + 24) /* where indexes have theirs */
                store(a->data + other.at + XR_MCAP_RECORD_HEADER + (next(random) % 2 ? 16 : 0), value, 8);
            break;
        }
    }
    free(p);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t random = seed;
    area a = {data, size, max_size};
    switch (next(&random) % 8) {
    case 0:
        a.size = LLVMFuzzerMutate(data, size, max_size);
        break;
    case 1:
    case 2:
        change_records(&a, XR_MCAP_MAGIC_SIZE, &random);
        break;
    case 3:
        change_offset(&a, &random);
        break;
    default:
        change_chunk(&a, &random);
        break;
    }
    if (next(&random) % 8)
        repair(&a, &random);
    return a.size;
}
