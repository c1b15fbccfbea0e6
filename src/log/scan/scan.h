/* The records of a log's file, one after the other: what opening and recovering a log have in common.
 *
 * Checked logs (those of a recorder that writes Check records) are taken span by span, from one Check
 * record to the next: what stands in no chunk is given only where its span's CRC is right.  Where records
 * cannot be followed or a CRC is wrong, the scan goes on at the next record that can be recognized: the next
 * Check record, or a chunk by its own lengths; in other logs, at the next record whose form cannot be
 * chance.  Each byte is looked at a bounded number of times, whatever the file says. */
#ifndef XR_LOG_SCAN_H
#define XR_LOG_SCAN_H

#include "log/scan/log_ends.h"

/* Records from `at` to `stop`. */
typedef struct xr_scan_region {
    uint64_t at, stop;
    enum {
        XR_REGION_ALL,    /* can be followed, and are to be believed */
        XR_REGION_OWN,    /* can be followed; only those that have a CRC of their own are to be believed */
        XR_REGION_SEARCH, /* to be searched for those */
    } kind;
} xr_scan_region;

typedef struct xr_scan {
    /* For the user. */
    xr_log_ends ends;
    const char *problem; /* why the log has no regular end, or NULL; `problem_at` says where */
    uint64_t problem_at;
    uint64_t damage; /* places where records could not be followed or believed; bad ends */
    uint64_t lost;   /* bytes in which no record was found or believed */
    bool checked;    /* it has Check records */

    /* Its own. */
    const xr_file_map *map;
    uint64_t end;
    xr_scan_region region, then;     /* at hand; and the one behind it, where there is one */
    uint64_t resume;                 /* where the next span begins */
    bool last;                       /* no span follows */
    bool cut;                        /* and behind the last region a chunk is cut short */
    uint64_t steps;                  /* headers that may still be looked at ahead */
    uint64_t next_check, last_check; /* Check records that were found */
    uint64_t logical;  /* the offset that the log's writer gives the next span; UINT64_MAX: unknown */
    int64_t listed;    /* records that the summary lists, less those that were found */
    bool doubtful;     /* the last record was found by searching */
    uint64_t found_at; /* there */
    uint64_t rejected; /* bytes that were taken back so far */
} xr_scan;

void xr_scan_begin(xr_scan *scan, const xr_file_map *map, const xr_log_ends *ends);

/* The next record of the data section, or false.  `cut`: only its beginning is
 * in the file (chunks alone; the last record). */
bool xr_scan_next(xr_scan *scan, xr_mcap_record *record, bool *cut);

/* Whether the last record was recognized behind damage, so that it must be checked at once. */
static inline bool xr_scan_is_doubtful(const xr_scan *scan)
{
    return scan->doubtful;
}

/* That record's own CRC is wrong: takes it back, and looks for others in its bytes.  False: it is no such
 * record. */
bool xr_scan_reject(xr_scan *scan, const xr_mcap_record *record);

/* Checks all CRCs that cover the data section: those of the Check records, or the one at its end.  *checked:
 * whether there are any.  The number of spans that are wrong. */
uint64_t xr_scan_verify(const xr_file_map *map, const xr_log_ends *ends, bool *checked);

/* The same of an open log. */
uint64_t xr_log_verify(const exray_log *log, bool *checked);

#endif
