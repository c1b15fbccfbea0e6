/* The records of a log's file, one after the other, as far as they can be
 * followed: what opening and recovering a log have in common. */
#ifndef XR_LOG_SCAN_H
#define XR_LOG_SCAN_H

#include "log/log_file.h"

typedef struct xr_scan {
    /* For the user. */
    bool has_footer;     /* the file has a regular end */
    bool has_summary;    /* ... and a summary whose CRC is right */
    xr_cursor summary;   /* its records */
    const char *problem; /* why the log has no regular end, or NULL; `problem_at` says where */
    uint64_t problem_at;
    uint64_t damage; /* places where records could not be followed, though the log has an end */
    uint64_t lost;   /* bytes in which no record was found */

    /* Its own. */
    const xr_map *map;
    xr_arena *scratch;
    uint64_t at, end;
    bool linear_done;
    xr_list seen, missed; /* uint64_t: offsets of records that a summary lists */
    size_t next_missed;
    uint64_t free_from;
} xr_scan;

/* Checks magic, header and profile.  `library` gets the writer's name, in place.
 * Returns where the records begin, or 0 and an error. */
uint64_t xr_scan_header(const xr_map *map, const char *path, xr_text *library, exray_error *error);

/* `scratch` holds small tables until the scan is over; scratch->failed says that
 * the scan ended for want of memory. */
void xr_scan_begin(xr_scan *scan, const xr_map *map, uint64_t at, xr_arena *scratch);

/* The next record of the data section, or false.  `cut`: only its beginning is
 * in the file (chunks alone; the last record). */
bool xr_scan_next(xr_scan *scan, xr_mcap_record *record, bool *cut);

#endif
