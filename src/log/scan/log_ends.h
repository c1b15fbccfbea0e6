/* The two ends of a log's file: magic and header, summary and footer. */
#ifndef XR_LOG_ENDS_H
#define XR_LOG_ENDS_H

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

/* Checks magic, header, profile and footer.  False, with `error` filled: no log, or damaged
 * so that no record of it can be found. */
bool xr_scan_ends(const xr_file_map *map, const char *path, xr_log_ends *ends, exray_error *error);

/* Whether the file begins as an exray log does: then anything wrong is damage. */
bool xr_scan_is_log(const char *path);

#endif
