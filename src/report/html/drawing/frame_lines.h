/* Numbers along the frames, as lines. */
#ifndef XR_FRAME_LINES_H
#define XR_FRAME_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* One line; a value that is not finite is a gap. */
typedef struct xr_frame_line {
    const char *css; /* "edge", "reference", "difference" */
    const double *value;
} xr_frame_line;

/* Something that happened before a frame. */
typedef struct xr_frame_mark {
    size_t at; /* position among the values */
    const char *text;
} xr_frame_mark;

typedef struct xr_frame_chart {
    const char *id, *title, *description, *up; /* as xr_svg_begin and xr_svg_axis_titles take them */
    size_t count;                              /* of values of each line */
    const unsigned long long *frame;           /* [count] their numbers */
    const xr_frame_line *line;
    size_t line_count;
    const xr_frame_mark *mark;
    size_t mark_count;
    const bool *differs; /* [count]: frames that get a short line at the foot; or NULL */
} xr_frame_chart;

void xr_put_frame_lines(FILE *out, const xr_frame_chart *chart);

#endif
