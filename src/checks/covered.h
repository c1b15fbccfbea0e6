/* Which frames a log has, and what it says of those that it has not: for reports and for `info`. */
#ifndef XR_COVERED_H
#define XR_COVERED_H

#include <exray/log.h>

/* Frames first ... last, which are all in the log. */
typedef struct xr_frame_range {
    uint64_t first, last;
} xr_frame_range;

/* Fills at most `most` of the log's ranges, in order; returns how many there are.  `range` may be NULL where
 * `most` is 0. */
size_t xr_frame_ranges(const exray_log *log, xr_frame_range *range, size_t most);

/* "0-46 and 399"; of more than `most` ranges the first, and how many more: "0, 2, 4 and 57 more ranges". */
void xr_frame_words(const exray_log *log, size_t most, char *text, size_t size);

/* How many frames ran, as far as the log knows: beyond its last frame by what its events name. */
uint64_t xr_frames_ran(const exray_log *log);

/* What the events of a log tell, counted. */
typedef struct xr_told {
    size_t gaps, errors, levels;
    uint64_t gap_records, error_records; /* that were lost by them */
    const char *error, *gap, *level;     /* the first error and gap, the last change of the level; or NULL */
    bool goes_on;                        /* in another file of the recording: nothing of it is here */
    bool turned_off;                     /* after the last frame the level was set to off */
} xr_told;

void xr_told_by(const exray_log *log, xr_told *out);

/* Which file of its recording (metadata "exray.file"); NULL: it is the only one. */
const char *xr_file_number(const exray_log *log);

/* One line for people: "frames 0-46 and 399 of 400; 3 gaps, 120 records lost; 1 error: ...".  "" where the
 * log has every frame from 0 on and nothing happened to the recording. */
void xr_covered_words(const exray_log *log, char *text, size_t size);

#endif
