#include "log/scan/log_ends.h"

#include "log/scan/plausible.h"

#include <exray/codecs.h>
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

/* The CRC goes from the summary's start over the footer's first two fields. */
static bool summary_is_sound(const xr_file_map *map, uint64_t start, uint64_t end, uint32_t crc)
{
    const uint64_t covered = XR_MCAP_RECORD_HEADER + 16;
    return exray_codec_default()->crc32(0, map->base + start, (size_t)(end - start + covered)) == crc;
}

/* Where bytes are missing before it, the summary begins elsewhere than the footer says: behind the DataEnd.
 * 0: it is not there. */
static uint64_t find_summary(const xr_file_map *map, uint64_t from, uint64_t end, uint32_t crc)
{
    static const uint8_t header[XR_MCAP_RECORD_HEADER] = {XR_MCAP_DATA_END, 4};
    enum { DATA_END = XR_MCAP_RECORD_HEADER + 4, TRIES = 4 };
    int tries = 0;
    for (uint64_t at = end; at >= from + DATA_END && tries < TRIES; at--) {
        const uint8_t *data_end = map->base + at - DATA_END;
        if (*data_end != XR_MCAP_DATA_END || memcmp(data_end, header, sizeof header) != 0)
            continue;
        if (summary_is_sound(map, at, end, crc))
            return at;
        tries++;
    }
    return 0;
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
    if (inside && summary_is_sound(map, start, end, crc)) {
        ends->has_summary = true;
    } else {
        ends->bad_summary = true;
        start = find_summary(map, ends->fields_end, end, crc);
        ends->has_summary = start != 0;
    }
    if (!ends->has_summary)
        return;
    ends->summary = xr_cursor_begin(map->base + start, (size_t)(end - start));
    ends->end = ends->limit = start;
}

/* Whether a record stands behind the header's fields, where the header's length says that there is none. */
static bool hides_record(const xr_file_map *map, const xr_log_ends *ends)
{
    const uint8_t *at = map->base + ends->fields_end;
    if (ends->begin == ends->fields_end || !xr_may_be_record(at, map->base + ends->end))
        return false;
    const xr_mcap_record record = {*at, at + XR_MCAP_RECORD_HEADER, (size_t)xr_load64(at + 1)};
    return xr_is_known_opcode(*at) && xr_has_form(&record);
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
    ends->bad_header = ends->begin < ends->fields_end || ends->begin > ends->limit || hides_record(map, ends);
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
