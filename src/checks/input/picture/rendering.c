#include "checks/input/picture/rendering.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

xr_part xr_geometry_part(const xr_geometry *g, double width, double height, double target_width,
                         double target_height)
{
    if (g->kind == XR_LETTERBOX) {
        double scale = fmin(target_width / width, target_height / height);
        double w = width * scale, h = height * scale;
        double left = (target_width - w) * g->ax, top = (target_height - h) * g->ay;
        return (xr_part){-left / w, (target_width - left) / w, -top / h, (target_height - top) / h};
    }
    double fx = g->fx, fy = g->fy;
    if (g->kind == XR_SQUARE) {
        double side = g->fx * fmin(width, height);
        fx = side / width;
        fy = side / height;
    }
    double x = (1 - fx) * g->ax + g->dx * (g->in_target ? fx / target_width : 1 / width);
    double y = (1 - fy) * g->ay + g->dy * (g->in_target ? fy / target_height : 1 / height);
    x = fmin(fmax(x, 0), 1 - fx);
    y = fmin(fmax(y, 0), 1 - fy);
    return (xr_part){x, x + fx, y, y + fy};
}

bool xr_same_geometry(const xr_geometry *a, const xr_geometry *b, double width, double height, double target)
{
    xr_part p = xr_geometry_part(a, width, height, target, target);
    xr_part q = xr_geometry_part(b, width, height, target, target);
    double worst =
        fmax(fmax(fabs(p.x0 - q.x0), fabs(p.x1 - q.x1)), fmax(fabs(p.y0 - q.y0), fabs(p.y1 - q.y1)));
    return worst * target < 0.75;
}

bool xr_geometry_equal(const xr_geometry *a, const xr_geometry *b)
{
    return a->kind == b->kind && a->fx == b->fx && a->fy == b->fy && a->ax == b->ax && a->ay == b->ay &&
           a->dx == b->dx && a->dy == b->dy;
}

bool xr_same_kernel(const xr_rendering *a, const xr_rendering *b)
{
    return a->filter == b->filter && a->sampling == b->sampling;
}

/* ---- Rendering ---------------------------------------------------------------------- */

static uint32_t rounded(double value, uint32_t most)
{
    double v = floor(value + 0.5);
    return v < 1 ? 1 : v > most ? most : (uint32_t)v;
}

/* Where a part begins: a share of the room that is left, shifted by pixels. */
static uint32_t place_of(uint32_t room, double share, double by)
{
    return (uint32_t)fmin(fmax(floor(room * share) + by, 0), room);
}

static uint32_t size_of_part(const xr_geometry *g, double size, uint32_t most)
{
    return rounded(g->floored ? floor(size + 1e-9) : size, most);
}

static exray_rectangle part_of(const xr_geometry *g, uint32_t width, uint32_t height, uint32_t target_width,
                               uint32_t target_height)
{
    uint32_t shorter = width < height ? width : height;
    exray_rectangle r = {0, 0, width, height};
    if (g->kind == XR_SQUARE)
        r.width = r.height = size_of_part(g, g->fx * shorter, shorter);
    else if (g->kind == XR_RECTANGLE) {
        r.width = size_of_part(g, g->fx * width, width);
        r.height = size_of_part(g, g->fy * height, height);
    }
    double dx = g->dx, dy = g->dy;
    if (g->in_target) {
        dx = floor(dx * r.width / target_width + 0.5);
        dy = floor(dy * r.height / target_height + 0.5);
    }
    r.left = place_of(width - r.width, g->ax, dx);
    r.top = place_of(height - r.height, g->ay, dy);
    return r;
}

/* The rows that are rendered: all of them (row NULL), or some, ascending. */
typedef struct row_list {
    const uint32_t *row;
    uint32_t count;
} row_list;

static uint32_t row_at(const row_list *rows, size_t i)
{
    return rows->row ? rows->row[i] : (uint32_t)i;
}

/* Resizes a part (NULL: all) of the picture; of the result, rows from `top` on that `rows` names. */
static exray_picture *resized(const exray_picture *picture, const exray_rectangle *part,
                              const xr_rendering *how, uint32_t width, uint32_t height, const row_list *rows,
                              uint32_t top)
{
    exray_error error;
    if (!rows->row)
        return exray_picture_resize(picture, part, how->filter, how->sampling, width, height, &error);
    uint32_t *row = malloc((size_t)rows->count * sizeof *row);
    for (uint32_t i = 0; row && i < rows->count; i++)
        row[i] = rows->row[i] + top;
    exray_picture *out = row ? exray_picture_resize_rows(picture, part, how->filter, how->sampling, width,
                                                         height, row, rows->count, &error)
                             : NULL;
    free(row);
    return out;
}

/* The listed rows within [from, end), counted from `from`; *above: how many are before them. */
static uint32_t *rows_within(const row_list *rows, uint32_t from, uint32_t end, uint32_t *above,
                             row_list *within)
{
    uint32_t *row = malloc(((size_t)rows->count + 1) * sizeof *row);
    *above = 0;
    *within = (row_list){row, 0};
    for (uint32_t i = 0; row && i < rows->count; i++) {
        *above += rows->row[i] < from;
        if (rows->row[i] >= from && rows->row[i] < end)
            row[within->count++] = rows->row[i] - from;
    }
    return row;
}

static exray_picture *render_letterbox(const exray_picture *picture, const xr_rendering *how, uint32_t width,
                                       uint32_t height, const row_list *rows)
{
    exray_error error;
    uint32_t in_width = exray_picture_width(picture), in_height = exray_picture_height(picture);
    double scale = fmin((double)width / in_width, (double)height / in_height);
    uint32_t w = rounded(in_width * scale, width), h = rounded(in_height * scale, height);
    uint32_t left = (uint32_t)floor((width - w) * how->geometry.ax),
             top = (uint32_t)floor((height - h) * how->geometry.ay), *within = NULL;
    row_list inside = *rows;
    if (rows->row)
        within = rows_within(rows, top, top + h, &top, &inside);
    exray_picture *inner = resized(picture, NULL, how, w, h, &inside, 0), *out = NULL;
    if (inner)
        out = exray_picture_pad(inner, width, rows->row ? rows->count : height, left, top,
                                (uint8_t)(how->pad >= 0 ? how->pad : 0), &error);
    exray_picture_free(inner);
    free(within);
    return out;
}

static uint32_t half_even(uint32_t twice)
{
    uint32_t half = twice / 2;
    return twice % 2 && half % 2 ? half + 1 : half;
}

/* Resizes, then crops: the shorter side becomes width / fraction, as in torchvision. */
static exray_picture *render_resized(const exray_picture *picture, const xr_rendering *how, uint32_t width,
                                     uint32_t height, const row_list *rows)
{
    exray_error error;
    const xr_geometry *g = &how->geometry;
    uint64_t in_width = exray_picture_width(picture), in_height = exray_picture_height(picture);
    uint32_t w = rounded(width / g->fx, 1 << 14), h = rounded(height / g->fy, 1 << 14);
    if (g->kind == XR_SQUARE) {
        uint64_t side = rounded(fmin(width, height) / g->fx, 1 << 14);
        uint64_t shorter = in_width < in_height ? in_width : in_height;
        uint64_t half = how->resize_first & XR_RESIZE_ROUNDED ? shorter / 2 : 0;
        w = (uint32_t)(in_width <= in_height ? side : (side * in_width + half) / in_height);
        h = (uint32_t)(in_width <= in_height ? (side * in_height + half) / in_width : side);
    }
    if (g->kind == XR_LETTERBOX || w < width || h < height || w > 1 << 14 || h > 1 << 14)
        return NULL;
    double dx = g->in_target ? g->dx : 0, dy = g->in_target ? g->dy : 0;
    exray_rectangle part = {place_of(w - width, g->ax, dx), place_of(h - height, g->ay, dy), width, height};
    bool to_even = !(how->resize_first & XR_RESIZE_FLOORED);
    if (to_even && g->ax == 0.5 && dx == 0)
        part.left = half_even(w - width);
    if (to_even && g->ay == 0.5 && dy == 0)
        part.top = half_even(h - height);
    exray_picture *large = resized(picture, NULL, how, w, h, rows, part.top);
    if (rows->row) {
        part.top = 0;
        part.height = rows->count;
    }
    exray_picture *out = large ? exray_picture_crop(large, &part, &error) : NULL;
    exray_picture_free(large);
    return out;
}

/* Sets the padding of a letterbox to NAN, where its value is not known. */
static void mask_padding(xr_raster *r, const xr_geometry *g, double in_width, double in_height, double height,
                         const row_list *rows)
{
    xr_part m = xr_geometry_part(g, in_width, in_height, (double)r->width, height);
    for (size_t y = 0; y < r->height; y++)
        for (size_t x = 0; x < r->width; x++) {
            double u = m.x0 + (m.x1 - m.x0) * ((double)x + 0.5) / (double)r->width;
            double v = m.y0 + (m.y1 - m.y0) * ((double)row_at(rows, y) + 0.5) / height;
            double margin_x = fabs(m.x1 - m.x0) / (double)r->width, margin_y = fabs(m.y1 - m.y0) / height;
            /* The pixels beside it as well, as rounding may have moved the border. */
            if (u > margin_x && u < 1 - margin_x && v > margin_y && v < 1 - margin_y)
                continue;
            if (u >= 0 && u <= 1 && m.x0 > -margin_x / 2 && v > margin_y && v < 1 - margin_y)
                continue;
            if (v >= 0 && v <= 1 && m.y0 > -margin_y / 2 && u > margin_x && u < 1 - margin_x)
                continue;
            for (size_t c = 0; c < r->channels; c++)
                r->v[(c * r->height + y) * r->width + x] = NAN;
        }
}

static bool render_upright(const exray_picture *picture, const xr_rendering *how, size_t width, size_t height,
                           size_t channels, const row_list *rows, xr_raster *r)
{
    exray_picture *out;
    uint32_t w = (uint32_t)width, h = (uint32_t)height;
    *r = (xr_raster){0};
    if (how->geometry.kind == XR_LETTERBOX)
        out = render_letterbox(picture, how, w, h, rows);
    else if (how->resize_first)
        out = render_resized(picture, how, w, h, rows);
    else {
        exray_rectangle part =
            part_of(&how->geometry, exray_picture_width(picture), exray_picture_height(picture), w, h);
        out = resized(picture, &part, how, w, h, rows, 0);
    }
    bool ok = out && xr_raster_of_picture(r, out, channels);
    exray_picture_free(out);
    if (ok && how->geometry.kind == XR_LETTERBOX && isnan(how->pad))
        mask_padding(r, &how->geometry, exray_picture_width(picture), exray_picture_height(picture),
                     (double)height, rows);
    return ok;
}

bool xr_render_rows(const exray_picture *picture, const xr_rendering *how, size_t width, size_t height,
                    size_t channels, const uint32_t *row, size_t count, xr_raster *r)
{
    const row_list rows = {row, (uint32_t)count};
    return render_upright(picture, how, width, height, channels, &rows, r);
}

/* The orientation's number in EXIF. */
static unsigned exif_of(xr_orientation o)
{
    static const unsigned char exif[XR_ORIENTATIONS] = {1, 2, 4, 3, 5, 8, 6, 7};
    return exif[o & 7];
}

bool xr_render(const exray_picture *picture, const xr_rendering *how, xr_orientation orientation,
               size_t width, size_t height, size_t channels, xr_raster *r)
{
    static const row_list all = {NULL, 0};
    exray_error error;
    *r = (xr_raster){0};
    if (orientation == 0)
        return render_upright(picture, how, width, height, channels, &all, r);
    if (how->turned_first) {
        exray_picture *turned = exray_picture_orient(picture, exif_of(orientation), &error);
        bool ok = turned && render_upright(turned, how, width, height, channels, &all, r);
        exray_picture_free(turned);
        return ok;
    }
    bool swap = (orientation & 4) != 0;
    xr_raster upright;
    bool ok = render_upright(picture, how, swap ? height : width, swap ? width : height, channels, &all,
                             &upright) &&
              xr_raster_orient(&upright, orientation, r);
    xr_raster_free(&upright);
    return ok;
}

/* ---- Words ----------------------------------------------------------------------------- */

bool xr_is_in_corner(const xr_geometry *g)
{
    return g->kind == XR_LETTERBOX && fabs(g->ax) < 0.02 && fabs(g->ay) < 0.02 && g->dx == 0 && g->dy == 0;
}

void xr_geometry_text(const xr_rendering *how, double target, char *text, size_t size)
{
    const xr_geometry *g = &how->geometry;
    bool middle = fabs(g->ax - 0.5) < 0.02 && fabs(g->ay - 0.5) < 0.02 && g->dx == 0 && g->dy == 0;
    char place[96] = "";
    if (g->dx != 0 || g->dy != 0)
        snprintf(place, sizeof place, ", moved by (%+.0f, %+.0f) pixels of %s", g->dx, g->dy,
                 g->in_target ? "the resized picture" : "the camera's picture");
    else if (xr_is_in_corner(g))
        snprintf(place, sizeof place, ", in the top left corner");
    else if (!middle)
        snprintf(place, sizeof place, ", placed at (%.2f, %.2f) of the room left", g->ax, g->ay);
    if (g->kind == XR_LETTERBOX)
        snprintf(text, size, "the whole picture, letterboxed%s", place);
    else if (g->kind == XR_SQUARE && how->resize_first)
        snprintf(text, size, "the shorter side resized to %.0f, then %.0fx%.0f cut out%s",
                 floor(target / g->fx + 0.5), target, target, place);
    else if (g->kind == XR_SQUARE)
        snprintf(text, size, "%s square of %.3g of the shorter side%s", middle ? "the centre" : "a", g->fx,
                 place);
    else if (g->fx > 0.998 && g->fy > 0.998)
        snprintf(text, size, "the whole picture, stretched");
    else if (how->resize_first)
        snprintf(text, size, "the whole stretched to %.0fx%.0f, then %.0fx%.0f cut out%s",
                 floor(target / g->fx + 0.5), floor(target / g->fy + 0.5), target, target, place);
    else
        snprintf(text, size, "%.3g of the width and %.3g of the height, stretched%s", g->fx, g->fy, place);
}
