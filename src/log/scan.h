/* The records of a log's file, one after the other, as far as they can be
 * followed: what opening and recovering a log have in common. */
#ifndef XR_LOG_SCAN_H
#define XR_LOG_SCAN_H

#include "log/log_file.h"

/* Where a log's records stand, as its two ends have it: begin <= end <= the file's size. */
typedef struct xr_log_ends {
    uint64_t begin, end; /* of the data section, and of what follows where there is no sound summary */
    uint64_t limit;      /* no header reaches beyond: a summary begins there, checked or not; <= end */
    uint64_t fields_end; /* of the header's fields: no record stands before; <= begin */
    xr_text library;     /* the writer's name, in place */
    bool has_footer;     /* the file has a regular end */
    bool has_summary;    /* ... and a summary whose CRC is right */
    xr_cursor summary;   /* its records */
    bool bad_header;     /* its length is wrong: too short for its fields, or it reaches into the
                            summary or beyond the file; the records begin after its fields */
    bool bad_summary;    /* the footer names a summary that is not there, or whose CRC is wrong */
} xr_log_ends;

typedef struct xr_scan {
    /* For the user. */
    xr_log_ends ends;
    const char *problem; /* why the log has no regular end, or NULL; `problem_at` says where */
    uint64_t problem_at;
    uint64_t damage; /* places where records could not be followed, though the log has an end; bad ends */
    uint64_t lost;   /* bytes in which no record was found */

    /* Its own. */
    const xr_file_map *map;
    xr_arena *scratch;
    uint64_t at, end;
    bool linear_done;
    xr_list seen, missed; /* uint64_t: offsets of records that a summary lists */
    size_t next_missed;
    uint64_t free_from;
} xr_scan;

/* Checks magic, header, profile and footer.  False, with `error` filled: no log, or damaged
 * so that no record of it can be found. */
bool xr_scan_ends(const xr_file_map *map, const char *path, xr_log_ends *ends, exray_error *error);

/* Whether the file begins as an exray log does: then anything wrong is damage. */
bool xr_scan_is_log(const char *path);

/* `scratch` holds small tables until the scan is over; scratch->failed: the scan ended because memory ran
 * out. */
void xr_scan_begin(xr_scan *scan, const xr_file_map *map, const xr_log_ends *ends, xr_arena *scratch);

/* The next record of the data section, or false.  `cut`: only its beginning is
 * in the file (chunks alone; the last record). */
bool xr_scan_next(xr_scan *scan, xr_mcap_record *record, bool *cut);

#endif
