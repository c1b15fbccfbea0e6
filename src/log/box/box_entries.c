#include "log/box/box_entries.h"

#include "base/buffer.h"

#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

/* Checksums are computed over at most so many times the file: entries that lie in each other, as no recorder
 * writes them, would take forever. */
enum { MOST_READ = 4 };

static uint32_t crc_of(uint32_t crc, const void *data, size_t size)
{
    return exray_codec_default()->crc32(crc, data, size);
}

bool xr_box_is(const char *path)
{
    const size_t size = sizeof((xr_box_header *)0)->magic;
    xr_file_map map; /* a FIFO is refused, not waited for */
    if (!xr_file_map_open(&map, path, NULL))
        return false;
    const bool box = map.size >= size && memcmp(map.base, XR_BOX_MAGIC, size) == 0;
    xr_file_map_close(&map);
    return box;
}

/* NULL, or what is wrong. */
static const char *header_problem(const xr_box *box)
{
    xr_box_header header = box->header;
    if (memcmp(header.magic, XR_BOX_MAGIC, sizeof header.magic) != 0)
        return "is no flight recorder's file";
    if (header.order != XR_BOX_ORDER)
        return "was written on a machine with another byte order; recover it there";
    if (header.version != XR_BOX_VERSION)
        return "is of another version of exray; recover it with that one";
    header.crc = 0;
    const size_t from = offsetof(xr_box_header, run), to = offsetof(xr_box_header, closed);
    if (crc_of(0, (const uint8_t *)&header + from, to - from) != box->header.crc)
        return "has a damaged header";
    const uint64_t room = box->map.size - XR_BOX_HEADER;
    if (header.head_size % XR_BOX_ALIGNMENT || header.head_size > room ||
        header.ring_size > room - header.head_size)
        return "is cut short";
    return NULL;
}

/* ---- Entries ---- */

/* The entry at `at`, whose area ends at `end`; false: there is none, or it is torn. */
static bool read_entry(const xr_box *box, const uint8_t *at, const uint8_t *end, uint64_t *budget,
                       xr_box_record *record)
{
    xr_box_entry *entry = &record->entry;
    if ((size_t)(end - at) < sizeof *entry)
        return false;
    memcpy(entry, at, sizeof *entry);
    const size_t room = (size_t)(end - at) - sizeof *entry;
    const uint64_t size = (uint64_t)entry->topic_size + entry->size;
    const size_t from = offsetof(xr_box_entry, sequence), to = offsetof(xr_box_entry, state);
    const uint32_t seed = crc_of(0, &box->header.run, sizeof box->header.run);
    if (entry->magic != XR_BOX_ENTRY || crc_of(seed, (const uint8_t *)entry + from, to - from) != entry->crc)
        return false;
    if (entry->kind == XR_BOX_SKIP || entry->kind >= XR_BOX_KINDS || size > room || size > *budget)
        return false;
    *budget -= size;
    record->content = at + sizeof *entry;
    return crc_of(0, record->content, (size_t)size) == entry->content_crc;
}

/* Adds all entries of an area. */
static bool find_entries(xr_box *box, const uint8_t *at, const uint8_t *end, uint64_t *budget)
{
    while (at < end) {
        xr_box_record record;
        if (!read_entry(box, at, end, budget, &record)) {
            at += XR_BOX_ALIGNMENT;
            continue;
        }
        xr_box_record *records =
            xr_array_grow(box->records, box->count, &box->capacity, sizeof *box->records);
        if (!records)
            return false;
        box->records = records;
        records[box->count++] = record;
        const size_t size = sizeof record.entry + record.entry.topic_size + (size_t)record.entry.size;
        const size_t whole = (size + XR_BOX_ALIGNMENT - 1) / XR_BOX_ALIGNMENT * XR_BOX_ALIGNMENT;
        if (whole > (size_t)(end - at))
            break;
        at += whole;
        xr_file_map_used(&box->map, whole);
    }
    return true;
}

static int by_sequence(const void *a, const void *b)
{
    const xr_box_record *x = a, *y = b;
    return (x->entry.sequence > y->entry.sequence) - (x->entry.sequence < y->entry.sequence);
}

/* ---- Frames ---- */

/* How many records from `first` on are one frame's, without a gap. */
static size_t frame_length(const xr_box *box, size_t first, bool *whole)
{
    const xr_box_record *begin = &box->records[first];
    *whole = false;
    for (size_t n = 1; first + n < box->count; n++) {
        const xr_box_entry *entry = &begin[n].entry;
        if (entry->sequence != begin->entry.sequence + n || entry->frame != begin->entry.frame ||
            entry->kind == XR_BOX_BEGIN)
            return n;
        *whole = entry->kind == XR_BOX_END;
        if (*whole)
            return n + 1;
    }
    return box->count - first;
}

/* Keeps whole frames; of the last one, which the process was in, what there is. */
static void keep_frames(xr_box *box)
{
    size_t kept = box->head_count;
    for (size_t i = box->head_count; i < box->count;) {
        bool whole;
        const bool begins = box->records[i].entry.kind == XR_BOX_BEGIN;
        const size_t length = begins ? frame_length(box, i, &whole) : 1;
        const bool last = begins && !whole && i + length == box->count;
        if (!begins || (!whole && !last)) {
            box->incomplete += length;
        } else {
            if (kept == box->head_count)
                box->first_time = box->records[i].entry.log_time;
            memmove(&box->records[kept], &box->records[i], length * sizeof *box->records);
            kept += length;
            box->frames += whole;
            box->has_open = last;
        }
        i += length;
    }
    box->count = kept;
}

static bool read_all(xr_box *box, const char *path, exray_error *error)
{
    const char *problem = "is cut short";
    if (box->map.size >= XR_BOX_HEADER) {
        memcpy(&box->header, box->map.base, sizeof box->header);
        problem = header_problem(box);
    }
    if (problem) {
        xr_error_set(error, EXRAY_E_FORMAT, "%s %s", path, problem);
        xr_box_close(box);
        return false;
    }
    uint64_t budget = MOST_READ * box->map.size;
    const uint8_t *head = box->map.base + XR_BOX_HEADER, *ring = head + box->header.head_size;
    bool good = find_entries(box, head, ring, &budget);
    box->head_count = box->count;
    good = good && find_entries(box, ring, ring + box->header.ring_size, &budget);
    if (!good) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading %s", path);
        xr_box_close(box);
        return false;
    }
    if (box->count > box->head_count)
        qsort(box->records + box->head_count, box->count - box->head_count, sizeof *box->records,
              by_sequence);
    keep_frames(box);
    return true;
}

bool xr_box_open(xr_box *box, const char *path, exray_error *error)
{
    *box = (xr_box){.map = {.fd = -1}};
    return xr_file_map_open(&box->map, path, error) && read_all(box, path, error);
}

bool xr_box_open_bytes(xr_box *box, const void *data, size_t size, exray_error *error)
{
    *box = (xr_box){.map = {.fd = -1, .base = data, .size = size}};
    return read_all(box, "the file", error);
}

void xr_box_close(xr_box *box)
{
    free(box->records);
    box->records = NULL;
    xr_file_map_close(&box->map);
}
