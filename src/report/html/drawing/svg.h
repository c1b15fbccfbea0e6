/* Plain SVG charts: axes, ticks, marks.  Nothing here knows what is drawn. */
#ifndef XR_SVG_H
#define XR_SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

typedef enum xr_scale {
    XR_LINEAR,
    XR_LOG,    /* of values above 0; below `low` is `low` */
    XR_SIGNED, /* logarithmic on both sides of 0, linear about it: sign(v) log10(1 + |v| / unit) */
} xr_scale;

/* From values low..high to positions from..to, in the chart's pixels (from may be the larger). */
typedef struct xr_axis {
    xr_scale scale;
    double low, high, from, to;
    double unit;    /* XR_SIGNED: where the logarithm begins */
    bool magnitude; /* numbers are written without their sign: larger in both directions from 0 */
} xr_axis;

/* The position of a value; values beyond the ends are clamped, NAN is `from`. */
double xr_axis_at(const xr_axis *axis, double value);

enum { XR_TICKS = 16 };
/* Round values between the ends, ascending, at most `most` (and XR_TICKS) of them; their number. */
size_t xr_axis_ticks(const xr_axis *axis, size_t most, double tick[XR_TICKS]);
/* Where the chart lies in its picture. */
typedef struct xr_chart {
    FILE *out;
    double width, height, left, top, right, bottom; /* the plot's edges */
} xr_chart;

/* One of two charts that stand beside each other.  The style sheet places an image on its plot by the same
 * numbers (.plot .stack img). */
xr_chart xr_svg_half_chart(FILE *out);

/* Opens <svg> with title and description (both are read aloud; escaped).  `id` is the page's
 * own: letters alone. */
void xr_svg_begin(const xr_chart *chart, const char *id, const char *title, const char *description);
void xr_svg_end(const xr_chart *chart);

/* Lines across the plot, and a number at the left of each; `unit` may be "". */
void xr_svg_value_axis(const xr_chart *chart, const xr_axis *axis, const char *unit);
/* The name of a column, or NULL: it gets none.  There is room for every `step`th of them (1, 2, 5
 * times a power of ten).  It is read before the next call. */
typedef const char *xr_column_name(void *user, size_t i, size_t step);
/* Names below the plot, as many as fit. */
void xr_svg_column_axis(const xr_chart *chart, size_t count, xr_column_name *name, void *user);

/* Numbers below the plot, with a short line at each, of an axis from left to right. */
void xr_svg_across_axis(const xr_chart *chart, const xr_axis *axis);
/* What the axes are: `up` at the upper left corner of the picture, `across` below the names of the columns
 * (36 pixels below the plot's edge). */
void xr_svg_axis_titles(const xr_chart *chart, const char *up, const char *across);

/* The middle and the width of a column's share of the plot. */
double xr_column_at(const xr_chart *chart, size_t count, size_t i);
double xr_column_width(const xr_chart *chart, size_t count);

/* Marks that differ by shape, not only by color.  `kind` is a CSS class as well. */
typedef enum xr_mark {
    XR_MARK_DOT,
    XR_MARK_DIAMOND,
    XR_MARK_TRIANGLE,
    XR_MARK_CROSS,
    XR_MARK_SQUARE
} xr_mark;
/* A mark of half width r; ends open for a <title>: close it with xr_svg_close_mark. */
void xr_svg_mark(const xr_chart *chart, xr_mark mark, const char *css, double x, double y, double r);
void xr_svg_close_mark(const xr_chart *chart);

/* A coordinate without needless digits: "12.3", "12". */
typedef char xr_coordinate_text[24];
const char *xr_coordinate(xr_coordinate_text buffer, double value);

#endif
