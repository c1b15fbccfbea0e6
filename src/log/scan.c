#include "log/scan.h"

#include "base/sort.h"

#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

/* The magic and the header record; true if it is an exray log.  Gives where the header's
 * fields end, and where it ends by its length (`begin`). */
static bool read_header(const xr_file_map *map, const char *path, xr_log_ends *ends, exray_error *error)
{
    if (map->size < XR_MCAP_MAGIC_SIZE || memcmp(map->base, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE) != 0) {
        xr_error_set(error, EXRAY_E_FORMAT, "%s is no MCAP file, so no exray log", path);
        return false;
    }
    xr_cursor c = xr_cursor_begin(map->base + XR_MCAP_MAGIC_SIZE, (size_t)map->size - XR_MCAP_MAGIC_SIZE);
    uint8_t opcode = xr_cursor_u8(&c);
    uint64_t length = xr_cursor_u64(&c), start = (uint64_t)(c.at - map->base);
    /* By the file's end, not by the length, which may be damaged. */
    xr_text profile = xr_cursor_text(&c);
    if (!c.bad && opcode == XR_MCAP_HEADER && !xr_text_is(profile, "exray")) {
        xr_arena arena = {.limit = 1 << 16};
        const char *name = xr_arena_string(&arena, profile.data, profile.size < 100 ? profile.size : 100);
        xr_error_set(error, EXRAY_E_FORMAT, "%s is an MCAP file of profile \"%s\", not an exray log", path,
                     name ? name : "");
        xr_arena_free(&arena);
        return false;
    }
    ends->library = xr_cursor_text(&c);
    if (c.bad || opcode != XR_MCAP_HEADER) {
        xr_error_set(error, EXRAY_E_FORMAT, "%s has no whole MCAP header: nothing of it can be read", path);
        return false;
    }
    ends->fields_end = (uint64_t)(c.at - map->base);
    ends->begin = length < UINT64_MAX - start ? start + length : UINT64_MAX;
    return true;
}

/* The end of the file: footer, magic, and a summary that is checked by the footer's CRC. */
static void read_footer(const xr_file_map *map, xr_log_ends *ends)
{
    const uint64_t tail = XR_MCAP_RECORD_HEADER + XR_MCAP_FOOTER_SIZE + XR_MCAP_MAGIC_SIZE;
    ends->end = ends->limit = map->size;
    if (map->size < XR_MCAP_MAGIC_SIZE + tail)
        return;
    const uint8_t *footer = map->base + map->size - tail;
    if (footer[0] != XR_MCAP_FOOTER || xr_load64(footer + 1) != XR_MCAP_FOOTER_SIZE ||
        memcmp(footer + tail - XR_MCAP_MAGIC_SIZE, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE) != 0)
        return;
    ends->has_footer = true;
    uint64_t start = xr_load64(footer + 9), end = map->size - tail;
    uint32_t crc = xr_load32(footer + 25);
    if (start == 0) /* there is no summary */
        return;
    bool inside = start >= XR_MCAP_MAGIC_SIZE && start <= end;
    if (inside && crc == 0) { /* without a CRC */
        ends->limit = start < ends->fields_end ? map->size : start;
        return;
    }
    /* The CRC goes from the summary's start over the footer's first two fields. */
    const uint64_t covered = XR_MCAP_RECORD_HEADER + 16;
    ends->has_summary =
        inside && exray_codec_default()->crc32(0, map->base + start, (size_t)(end - start + covered)) == crc;
    ends->bad_summary = !ends->has_summary;
    if (!ends->has_summary)
        return;
    ends->summary = xr_cursor_begin(map->base + start, (size_t)(end - start));
    ends->end = ends->limit = start;
}

bool xr_scan_ends(const xr_file_map *map, const char *path, xr_log_ends *ends, exray_error *error)
{
    *ends = (xr_log_ends){0};
    if (!read_header(map, path, ends, error))
        return false;
    read_footer(map, ends);
    if (ends->end < ends->fields_end) {
        xr_error_set(
            error, EXRAY_E_FORMAT,
            "%s is damaged: its summary begins at byte %llu, within its header; nothing of it can be "
            "read, so record it again",
            path, (unsigned long long)ends->end);
        return false;
    }
    /* A header may have fields that we do not know; but it has ours, and no records. */
    ends->bad_header = ends->begin < ends->fields_end || ends->begin > ends->limit;
    if (ends->bad_header)
        ends->begin = ends->fields_end;
    return true;
}

bool xr_scan_is_log(const char *path)
{
    xr_file_map map;
    xr_log_ends ends = {0};
    if (!xr_file_map_open(&map, path, NULL))
        return false;
    bool is_log = read_header(&map, path, &ends, NULL);
    xr_file_map_close(&map);
    return is_log;
}

void xr_scan_begin(xr_scan *scan, const xr_file_map *map, const xr_log_ends *ends, xr_arena *scratch)
{
    *scan = (xr_scan){.ends = *ends, .map = map, .scratch = scratch, .at = ends->begin, .end = ends->end};
    scan->damage = (uint64_t)ends->bad_header + ends->bad_summary;
}

/* Pages that a step of the scan touches: all of a small record, the beginning
 * and the end (and what the kernel maps around them) of a large one. */
static void count_step(const xr_file_map *map, uint64_t size)
{
    enum { MOST = 128 << 10 };
    xr_file_map_used(map, size < MOST ? size : MOST);
}

static bool is_listed(uint8_t opcode)
{
    return opcode == XR_MCAP_CHUNK || opcode == XR_MCAP_ATTACHMENT || opcode == XR_MCAP_METADATA;
}

static bool add_offset(xr_scan *scan, xr_list *list, uint64_t offset)
{
    uint64_t *item = xr_list_add(list, scan->scratch, sizeof *item);
    if (item)
        *item = offset;
    return item != NULL;
}

/* The walk loses its way at a damaged length.  Records that a sound summary lists and the walk did not
 * pass come next. */
static void find_missed(xr_scan *scan)
{
    scan->linear_done = true;
    xr_cursor cursor = scan->ends.summary;
    if (!scan->ends.has_summary)
        return;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);) {
        bool chunk = record.opcode == XR_MCAP_CHUNK_INDEX;
        size_t where = chunk ? 16 : 0; /* of the offset in the record */
        if ((!chunk && record.opcode != XR_MCAP_ATTACHMENT_INDEX &&
             record.opcode != XR_MCAP_METADATA_INDEX) ||
            record.size < where + 8)
            continue;
        uint64_t offset = xr_load64(record.data + where);
        bool inside = offset >= scan->ends.fields_end && offset < scan->end;
        if (inside && !(scan->seen.count &&
                        bsearch(&offset, scan->seen.items, scan->seen.count, sizeof offset, xr_by_u64)))
            if (!add_offset(scan, &scan->missed, offset))
                return;
    }
    if (scan->missed.count == 0)
        return;
    if (scan->damage == 0)
        scan->damage = 1;
    qsort(scan->missed.items, scan->missed.count, sizeof(uint64_t), xr_by_u64);
}

/* In the file's order, and each byte once, however the listed offsets overlap. */
static bool next_missed(xr_scan *scan, xr_mcap_record *record)
{
    while (scan->next_missed < scan->missed.count) {
        uint64_t at = ((uint64_t *)scan->missed.items)[scan->next_missed++];
        if (at < scan->free_from)
            continue;
        xr_cursor cursor = xr_cursor_begin(scan->map->base + at, (size_t)(scan->end - at));
        if (!xr_mcap_next(&cursor, record) || !is_listed(record->opcode))
            continue;
        scan->free_from = at + XR_MCAP_RECORD_HEADER + record->size;
        uint64_t found = XR_MCAP_RECORD_HEADER + record->size;
        scan->lost -= found < scan->lost ? found : scan->lost;
        count_step(scan->map, found);
        return true;
    }
    return false;
}

static void set_problem(xr_scan *scan, const char *problem, uint64_t at)
{
    scan->problem = problem;
    scan->problem_at = at;
}

/* What stands at `at` is no whole record.  True: it is the beginning of a chunk. */
static bool end_at_damage(xr_scan *scan, xr_mcap_record *record)
{
    const uint8_t *start = scan->map->base + scan->at;
    uint64_t left = scan->end - scan->at;
    scan->lost = left;
    if (scan->ends.has_footer) {
        scan->damage++;
        if (!scan->ends.has_summary)
            set_problem(scan, "is damaged, and what follows cannot be found,", scan->at);
        return false;
    }
    set_problem(scan, *start == 0 ? "ends in zeros" : "ends within a record", scan->at);
    if (*start != XR_MCAP_CHUNK || left <= XR_MCAP_RECORD_HEADER)
        return false;
    *record = (xr_mcap_record){*start, start + XR_MCAP_RECORD_HEADER, (size_t)left - XR_MCAP_RECORD_HEADER};
    return true;
}

bool xr_scan_next(xr_scan *scan, xr_mcap_record *record, bool *cut)
{
    *cut = false;
    if (scan->linear_done)
        return next_missed(scan, record);
    if (scan->at == scan->end) {
        if (!scan->ends.has_summary)
            set_problem(scan, "ends without a summary", scan->at);
        find_missed(scan);
        return next_missed(scan, record);
    }
    const uint8_t *start = scan->map->base + scan->at;
    uint64_t left = scan->end - scan->at;
    uint64_t size = left >= XR_MCAP_RECORD_HEADER ? xr_load64(start + 1) : 0;
    if (left < XR_MCAP_RECORD_HEADER || size > left - XR_MCAP_RECORD_HEADER || *start == 0) {
        *cut = end_at_damage(scan, record);
        find_missed(scan);
        return *cut || next_missed(scan, record);
    }
    if (*start == XR_MCAP_DATA_END || *start == XR_MCAP_FOOTER) {
        if (!scan->ends.has_footer)
            set_problem(scan, "ends within its summary", scan->map->size);
        find_missed(scan);
        return next_missed(scan, record);
    }
    *record = (xr_mcap_record){*start, start + XR_MCAP_RECORD_HEADER, (size_t)size};
    if (is_listed(*start) && !add_offset(scan, &scan->seen, scan->at))
        return false;
    scan->at += XR_MCAP_RECORD_HEADER + size;
    count_step(scan->map, XR_MCAP_RECORD_HEADER + size);
    return true;
}
