#include "log/scan/scan.h"

#include "log/scan/plausible.h"

#include <exray/codecs.h>
#include <string.h>

enum { HEADER = XR_MCAP_RECORD_HEADER, CHECK = HEADER + XR_MCAP_CHECK_SIZE, NOWHERE = 0 };
#define UNKNOWN UINT64_MAX

static const uint8_t *at_byte(const xr_scan *scan, uint64_t at)
{
    return scan->map->base + at;
}

static xr_mcap_record record_at(const xr_scan *scan, uint64_t at)
{
    const uint8_t *start = at_byte(scan, at);
    return (xr_mcap_record){*start, start + HEADER, (size_t)xr_load64(start + 1)};
}

/* Pages that a step of the scan touches: all of a small record, the beginning
 * and the end (and what the kernel maps around them) of a large one. */
static void count_step(const xr_file_map *map, uint64_t size)
{
    enum { MOST = 128 << 10 };
    xr_file_map_used(map, size < MOST ? size : MOST);
}

static bool may_be_record(const xr_scan *scan, uint64_t at)
{
    return xr_may_be_record(at_byte(scan, at), at_byte(scan, scan->end));
}

/* Whether nothing but its bytes says that the record is right. */
static bool is_loose(const xr_mcap_record *record)
{
    switch (record->opcode) {
    case XR_MCAP_SCHEMA:
    case XR_MCAP_CHANNEL:
    case XR_MCAP_MESSAGE:
    case XR_MCAP_METADATA:
        return true;
    case XR_MCAP_CHUNK:
    case XR_MCAP_ATTACHMENT:
        return xr_has_no_crc(record);
    default: /* what we do not know may have been something else */
        return !xr_is_known_opcode(record->opcode);
    }
}

/* ---- Check records ------------------------------------------------------------ */

static const uint8_t check_header[HEADER] = {XR_MCAP_CHECK, XR_MCAP_CHECK_SIZE};

/* The first place from `from` on that looks like a Check record, or NOWHERE.  Callers only go forward. */
static uint64_t find_check(xr_scan *scan, uint64_t from)
{
    if (scan->next_check != NOWHERE && scan->next_check >= from)
        return scan->next_check == UNKNOWN ? NOWHERE : scan->next_check;
    const uint8_t *at = at_byte(scan, from), *end = at_byte(scan, scan->end);
    while ((size_t)(end - at) >= CHECK) {
        const uint8_t *found = memchr(at, XR_MCAP_CHECK, (size_t)(end - at) - CHECK + 1);
        if (!found)
            break;
        if (memcmp(found, check_header, HEADER) == 0) {
            scan->next_check = (uint64_t)(found - scan->map->base);
            return scan->next_check;
        }
        at = found + 1;
    }
    scan->next_check = UNKNOWN;
    return NOWHERE;
}

/* The last place that looks like one. */
static uint64_t last_check(xr_scan *scan)
{
    if (scan->last_check == UNKNOWN) {
        uint64_t at = scan->end < CHECK ? 0 : scan->end - CHECK;
        while (at > scan->ends.begin && memcmp(at_byte(scan, at), check_header, HEADER) != 0)
            at--;
        scan->last_check = at;
    }
    return scan->last_check;
}

/* Whether the Check record at `check` fits to what stands from `begin` on. */
static bool span_is_right(const xr_file_map *map, uint64_t begin, uint64_t check)
{
    const uint64_t size = check + HEADER + 8 - begin;
    xr_file_map_used(map, size);
    return exray_codec_default()->crc32(begin ? XR_MCAP_CHECK_SEED : 0, map->base + begin, (size_t)size) ==
           xr_load32(map->base + check + HEADER + 8);
}

/* The first span has the header, too. */
static uint64_t span_begin(const xr_scan *scan, uint64_t start)
{
    return start == scan->ends.begin ? 0 : start;
}

/* Two of three, so that one damaged place does not make a checked log an unchecked one. */
static bool begins_with_check(const xr_file_map *map, const xr_log_ends *ends)
{
    if (ends->end - ends->begin < CHECK)
        return false;
    const uint8_t *at = map->base + ends->begin;
    return (*at == XR_MCAP_CHECK) + (xr_load64(at + 1) == XR_MCAP_CHECK_SIZE) +
               (xr_load64(at + HEADER) == 0) >=
           2;
}

/* So many bytes are not lost. */
static void find_lost(xr_scan *scan, uint64_t size)
{
    scan->lost -= size < scan->lost ? size : scan->lost;
}

/* Notes where the log's writer had this span: between it and the one before, bytes may be gone. */
static void follow_offsets(xr_scan *scan, uint64_t start, uint64_t check)
{
    uint64_t logical = xr_load64(at_byte(scan, check) + HEADER);
    if (scan->logical != UNKNOWN && logical != scan->logical) {
        scan->damage++;
        if (logical < scan->logical) /* in another order */
            find_lost(scan, scan->logical - logical);
        else if (logical < UNKNOWN / 2)
            scan->lost += logical - scan->logical;
    }
    scan->logical = logical + (check - start) + CHECK;
}

/* ---- Following records ----------------------------------------------------------- */

/* Whether the DataEnd at `at` ends the data: only what belongs into a summary follows, to the file's end. */
static bool ends_here(xr_scan *scan, uint64_t at)
{
    const uint64_t end = scan->ends.end;
    for (at += HEADER + 4; at < end;) {
        uint64_t left = end - at;
        const uint8_t *start = at_byte(scan, at);
        if (left < HEADER || xr_load64(start + 1) > left - HEADER)
            return !scan->ends.has_footer || memcmp(start, XR_MCAP_MAGIC, left < 8 ? left : 8) == 0;
        switch (*start) {
        case XR_MCAP_SCHEMA:
        case XR_MCAP_CHANNEL:
        case XR_MCAP_STATISTICS:
        case XR_MCAP_CHUNK_INDEX:
        case XR_MCAP_ATTACHMENT_INDEX:
        case XR_MCAP_METADATA_INDEX:
        case XR_MCAP_SUMMARY_OFFSET:
        case XR_MCAP_FOOTER:
            break;
        default:
            return false;
        }
        if (scan->steps == 0)
            return false;
        scan->steps--;
        at += HEADER + xr_load64(start + 1);
    }
    return true;
}

typedef enum hop_end { HOP_CHECK, HOP_END, HOP_CUT, HOP_LOST } hop_end;

/* What stands at `at` is no whole record: whether the file just ends there. */
static bool is_cut(xr_scan *scan, uint64_t at)
{
    const uint8_t *start = at_byte(scan, at);
    uint64_t left = scan->end - at;
    if (scan->ends.has_footer || (scan->checked && last_check(scan) > at))
        return false;
    if (left < HEADER || *start == 0 || xr_is_cut_chunk(start, start + left))
        return true;
    xr_mcap_record found;
    return xr_load64(start + 1) > left - HEADER &&
           !xr_find_record(start + 1, start + left, !scan->checked, &found);
}

/* Goes from record to record, from `from` to the next Check record or the data's end.  *loose: some of them
 * are (is_loose). */
static hop_end hop(xr_scan *scan, uint64_t from, uint64_t *at, bool *loose)
{
    *loose = false;
    for (*at = from;; scan->steps--) {
        if (*at == scan->end)
            return HOP_END;
        if (scan->steps == 0 || !may_be_record(scan, *at))
            return scan->steps && is_cut(scan, *at) ? HOP_CUT : HOP_LOST;
        xr_mcap_record record = record_at(scan, *at);
        count_step(scan->map, record.size);
        if (record.opcode == XR_MCAP_CHECK)
            return HOP_CHECK;
        if (record.opcode == XR_MCAP_DATA_END && ends_here(scan, *at))
            return HOP_END;
        *loose = *loose || is_loose(&record);
        *at += HEADER + record.size;
    }
}

/* ---- Spans of a checked log -------------------------------------------------------- */

static void set_problem(xr_scan *scan, const char *problem, uint64_t at)
{
    if (scan->problem)
        return;
    scan->problem = problem;
    scan->problem_at = at;
}

/* No span follows; *at is the end of the data. */
static void end_at(xr_scan *scan, uint64_t at)
{
    scan->last = true;
    if (at == scan->end) {
        if (!scan->ends.has_summary)
            set_problem(scan, "ends without a summary", at);
    } else if (!scan->ends.has_footer) {
        set_problem(scan, "ends within its summary", scan->map->size);
    }
}

/* The file ends within a record. */
static void end_cut(xr_scan *scan, uint64_t at)
{
    uint64_t left = scan->end - at;
    scan->last = true;
    scan->lost += left;
    scan->cut = *at_byte(scan, at) == XR_MCAP_CHUNK && left > HEADER;
    set_problem(scan, *at_byte(scan, at) == 0 ? "ends in zeros" : "ends within a record", at);
}

static void search(xr_scan *scan, xr_scan_region *region, uint64_t from, uint64_t to)
{
    *region = (xr_scan_region){from, to, XR_REGION_SEARCH};
    scan->lost += to - from;
    scan->damage++;
}

/* Whether records stand one after the other from `at` to the Check record at `check`. */
static bool leads_to(const xr_scan *scan, uint64_t at, uint64_t check, uint64_t *steps)
{
    for (; at < check && *steps; --*steps) {
        if (!may_be_record(scan, at))
            return false;
        at += HEADER + xr_load64(at_byte(scan, at) + 1);
    }
    return at == check;
}

/* Where the span of the Check record at `check` begins, or NOWHERE.  A span begins where the one before it
 * ends.  Where that one's Check record is damaged, this one's offset says where it begins; and the next
 * one's, by how many bytes offsets are off.  Where no other follows, bytes may be gone, and the first few
 * places are tried from which records lead to `check`.  A Check record that lost some of its own bytes is
 * followed too early: by `within` bytes at most. */
static uint64_t find_begin(xr_scan *scan, uint64_t start, uint64_t within, uint64_t check)
{
    enum { TRIES = 16 };
    const uint64_t least = start - within;
    uint64_t begin = xr_load64(at_byte(scan, check) + HEADER), next = find_check(scan, check + CHECK);
    if (next)
        begin += check + CHECK - xr_load64(at_byte(scan, next) + HEADER);
    if (begin >= least && begin < check && begin != start && span_is_right(scan->map, begin, check))
        return begin;
    uint64_t steps = check - least;
    int tries = 0;
    for (begin = least; begin < check && steps && tries < TRIES; begin++, steps--) {
        if (!leads_to(scan, begin, check, &steps))
            continue;
        if (span_is_right(scan->map, begin, check))
            return begin;
        tries++;
    }
    return NOWHERE;
}

/* The span from `start` on is damaged; what follows may be found. */
static void plan_damaged(xr_scan *scan, uint64_t start)
{
    uint64_t check = find_check(scan, start);
    const uint64_t within = scan->logical == UNKNOWN ? CHECK - HEADER : 0;
    scan->logical = UNKNOWN;
    if (check == NOWHERE) {
        search(scan, &scan->region, start, scan->end);
        scan->last = true;
        set_problem(scan, scan->ends.has_footer ? NULL : "ends within a record", start);
        return;
    }
    scan->resume = check + CHECK;
    uint64_t begin = find_begin(scan, start, within, check);
    if (begin != NOWHERE) {
        search(scan, &scan->region, start < begin ? start : begin, begin);
        scan->then = (xr_scan_region){begin, check, XR_REGION_ALL};
        return;
    }
    search(scan, &scan->region, start, check);
}

static void plan_span(xr_scan *scan, uint64_t start)
{
    uint64_t at;
    bool loose;
    scan->resume = start;
    switch (hop(scan, start, &at, &loose)) {
    case HOP_CHECK:
        /* Chunks need no check of what stands around them. */
        if (loose && !span_is_right(scan->map, span_begin(scan, start), at)) {
            plan_damaged(scan, start);
            return;
        }
        follow_offsets(scan, span_begin(scan, start), at);
        scan->region = (xr_scan_region){start, at, XR_REGION_ALL};
        scan->resume = at + CHECK;
        return;
    case HOP_LOST:
        plan_damaged(scan, start);
        return;
    case HOP_CUT:
        end_cut(scan, at);
        break;
    case HOP_END:
        end_at(scan, at);
        break;
    }
    scan->region = (xr_scan_region){start, at, loose ? XR_REGION_OWN : XR_REGION_ALL};
    if (loose) {
        scan->lost += at - start;
        scan->damage += scan->ends.has_footer;
    }
}

/* ---- Records of an unchecked log ------------------------------------------------------ */

/* What stands at `at` is no record: goes on at the next one behind it. */
static void plan_search(xr_scan *scan, uint64_t at, uint64_t from)
{
    xr_mcap_record found;
    if (is_cut(scan, at)) {
        end_cut(scan, at);
        return;
    }
    const uint8_t *next = xr_find_record(at_byte(scan, from), at_byte(scan, scan->end), true, &found);
    scan->resume = next ? (uint64_t)(next - scan->map->base) : scan->end;
    scan->lost += scan->resume - at;
    scan->damage++;
    if (next) {
        scan->region = (xr_scan_region){scan->resume, scan->resume + HEADER + found.size, XR_REGION_SEARCH};
        scan->lost += HEADER + found.size; /* until it was found */
        scan->resume += HEADER + found.size;
        return;
    }
    scan->last = true;
    if (!scan->ends.has_summary)
        set_problem(scan, "is damaged, and what follows cannot be found,", at);
}

/* One record, if what follows it is one, too. */
static void plan_record(xr_scan *scan, uint64_t at)
{
    if (at == scan->end) {
        end_at(scan, at);
        return;
    }
    if (!may_be_record(scan, at)) {
        plan_search(scan, at, at + 1);
        return;
    }
    xr_mcap_record record = record_at(scan, at), found;
    count_step(scan->map, record.size);
    if (record.opcode == XR_MCAP_DATA_END && ends_here(scan, at)) {
        end_at(scan, at);
        return;
    }
    uint64_t next = at + HEADER + record.size;
    if (!xr_is_known_opcode(record.opcode) && xr_has_changed_opcode(&record)) {
        scan->damage++;
        scan->lost += HEADER + record.size;
        scan->resume = next;
        return;
    }
    scan->region = (xr_scan_region){at, next, XR_REGION_ALL};
    scan->resume = next;
    if (next == scan->end || may_be_record(scan, next))
        return;
    /* Its length is wrong, or the next record is damaged.  Only a message has no length in it. */
    if (xr_has_form(&record) &&
        (record.opcode != XR_MCAP_MESSAGE || !xr_find_record(record.data, at_byte(scan, next), true, &found)))
        return;
    scan->region.stop = scan->region.at;
    plan_search(scan, at, at + HEADER);
}

/* ---- The interface ------------------------------------------------------------------ */

static bool is_listed(uint8_t opcode)
{
    return opcode == XR_MCAP_CHUNK || opcode == XR_MCAP_ATTACHMENT || opcode == XR_MCAP_METADATA;
}

static int64_t count_listed(const xr_log_ends *ends)
{
    int64_t count = 0;
    xr_cursor cursor = ends->summary;
    if (!ends->has_summary)
        return 0;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);)
        count += record.opcode == XR_MCAP_CHUNK_INDEX || record.opcode == XR_MCAP_ATTACHMENT_INDEX ||
                 record.opcode == XR_MCAP_METADATA_INDEX;
    return count;
}

void xr_scan_begin(xr_scan *scan, const xr_file_map *map, const xr_log_ends *ends)
{
    *scan = (xr_scan){.ends = *ends, .map = map, .end = ends->end, .resume = ends->begin};
    scan->damage = (uint64_t)ends->bad_header + ends->bad_summary;
    scan->checked = begins_with_check(map, ends);
    scan->steps = map->size / 2 + HEADER;
    scan->last_check = UNKNOWN;
    scan->listed = count_listed(ends);
}

/* The next record of the region at hand. */
static bool next_in_region(xr_scan *scan, xr_mcap_record *record)
{
    xr_scan_region *region = &scan->region;
    while (region->at < region->stop) {
        if (region->kind == XR_REGION_SEARCH) {
            const uint8_t *found = xr_find_record(at_byte(scan, region->at), at_byte(scan, region->stop),
                                                  !scan->checked, record);
            if (!found)
                break;
            scan->found_at = (uint64_t)(found - scan->map->base);
            scan->doubtful = true;
            region->at = (uint64_t)(record->data - scan->map->base) + record->size;
            find_lost(scan, region->at - scan->found_at);
            return true;
        }
        if (!may_be_record(scan, region->at))
            break; /* bytes whose CRC is right, but made so */
        *record = record_at(scan, region->at);
        region->at += HEADER + record->size;
        if (region->kind == XR_REGION_OWN && is_loose(record))
            continue;
        if (region->kind == XR_REGION_OWN)
            find_lost(scan, HEADER + record->size);
        return true;
    }
    region->at = region->stop;
    return false;
}

bool xr_scan_next(xr_scan *scan, xr_mcap_record *record, bool *cut)
{
    *cut = scan->doubtful = false;
    for (;;) {
        if (next_in_region(scan, record)) {
            scan->listed -= is_listed(record->opcode);
            return true;
        }
        if (scan->then.at < scan->then.stop) {
            scan->region = scan->then;
            scan->then = (xr_scan_region){0};
        } else if (scan->cut) {
            scan->cut = false;
            const uint8_t *start = at_byte(scan, scan->problem_at);
            *cut = true;
            *record =
                (xr_mcap_record){*start, start + HEADER, (size_t)(scan->end - scan->problem_at) - HEADER};
            find_lost(scan, HEADER + record->size);
            return true;
        } else if (scan->last) {
            /* A sound summary knows of more than was found. */
            if (scan->listed > 0 && scan->damage == 0)
                scan->damage = 1;
            return false;
        } else if (scan->checked) {
            plan_span(scan, scan->resume);
        } else {
            plan_record(scan, scan->resume);
        }
    }
}

bool xr_scan_reject(xr_scan *scan, const xr_mcap_record *record)
{
    enum { MOST = 4 }; /* files' sizes, of bytes looked at in vain */
    if (!scan->doubtful || scan->region.kind != XR_REGION_SEARCH)
        return false;
    scan->rejected += record->size;
    scan->lost += HEADER + record->size;
    if (scan->rejected / MOST <= scan->map->size)
        scan->region.at = scan->found_at + 1;
    scan->doubtful = false;
    return true;
}

/* ---- Verification --------------------------------------------------------------------- */

/* Where the data ends: DataEnd's CRC, if it has one. */
static bool data_is_right(const xr_scan *scan, uint64_t at, bool *checked)
{
    if (at == scan->end || *at_byte(scan, at) != XR_MCAP_DATA_END)
        return true;
    uint32_t crc = xr_load32(at_byte(scan, at) + HEADER);
    *checked = crc != 0;
    xr_file_map_used(scan->map, crc ? at : 0);
    return !crc || exray_codec_default()->crc32(0, scan->map->base, (size_t)at) == crc;
}

uint64_t xr_scan_verify(const xr_file_map *map, const xr_log_ends *ends, bool *checked)
{
    xr_scan scan;
    xr_scan_begin(&scan, map, ends);
    *checked = scan.checked;
    uint64_t wrong = 0;
    for (uint64_t start = ends->begin, at;; start = at + CHECK) {
        bool loose;
        hop_end end = hop(&scan, start, &at, &loose);
        if (end == HOP_END && !scan.checked)
            wrong += !data_is_right(&scan, at, checked);
        if (end == HOP_END || end == HOP_CUT || !scan.checked)
            return wrong;
        if (end == HOP_LOST)
            at = find_check(&scan, start);
        wrong += end == HOP_LOST || !span_is_right(map, span_begin(&scan, start), at);
        if (at == NOWHERE)
            return wrong;
    }
}
