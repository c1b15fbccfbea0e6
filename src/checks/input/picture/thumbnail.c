#include "checks/input/picture/thumbnail.h"

#include "checks/input/fit/lanes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_SIDE = 640 }; /* larger pictures are reduced before tables are made of them */

/* ---- Areas ------------------------------------------------------------------------- */

bool xr_area_make(xr_area *a, const xr_raster *r)
{
    size_t channels = r->channels, w = (r->width + 1) * channels;
    /* Lanes are read from any place on, so there is room for them behind the last. */
    size_t count = w * (r->height + 1) + XR_LANES;
    *a = (xr_area){r->width, r->height, channels, calloc(count, sizeof(double))};
    if (!a->sum)
        return false;
    for (size_t c = 0; c < channels; c++)
        for (size_t y = 0; y < r->height; y++) {
            const float *row = r->v + (c * r->height + y) * r->width;
            const double *above = a->sum + y * w + c;
            double *below = a->sum + (y + 1) * w + c, sum = 0;
            for (size_t x = 0; x < r->width; x++) {
                sum += isfinite(row[x]) ? (double)row[x] : 0;
                below[(x + 1) * channels] = above[(x + 1) * channels] + sum;
            }
        }
    return true;
}

/* The picture as a raster; a large one is averaged over whole pixels. */
static bool reduced(const exray_picture *picture, size_t channels, xr_raster *out)
{
    uint32_t width = exray_picture_width(picture), height = exray_picture_height(picture);
    uint32_t longer = width > height ? width : height;
    exray_error error;
    if (longer <= LARGEST_SIDE)
        return xr_raster_of_picture(out, picture, channels);
    double scale = (double)LARGEST_SIDE / longer;
    uint32_t w = (uint32_t)fmax(1, width * scale), h = (uint32_t)fmax(1, height * scale);
    exray_picture *small =
        exray_picture_resize(picture, NULL, EXRAY_FILTER_AREA, EXRAY_SAMPLING_HALF_PIXEL, w, h, &error);
    bool ok = small && xr_raster_of_picture(out, small, channels);
    exray_picture_free(small);
    return ok;
}

bool xr_area_of_picture(xr_area *area, const exray_picture *picture, size_t channels)
{
    xr_raster small = {0};
    bool ok = reduced(picture, channels, &small) && xr_area_make(area, &small);
    xr_raster_free(&small);
    return ok;
}

void xr_area_free(xr_area *a)
{
    free(a->sum);
    *a = (xr_area){0};
}

/* ---- Thumbnails ---------------------------------------------------------------------- */

bool xr_thumb_make(xr_thumb *t, size_t side, size_t channels)
{
    *t = (xr_thumb){side, channels, calloc(side * side * channels, sizeof(float)), calloc(side * side, 1)};
    return t->v && t->seen;
}

void xr_thumb_free(xr_thumb *t)
{
    free(t->v);
    free(t->seen);
    *t = (xr_thumb){0};
}

/* Positions of the thumbnail's grid lines in the source. */
typedef struct grid_lines {
    size_t index[XR_THUMB_LIMIT + 1];
    double fraction[XR_THUMB_LIMIT + 1];
    bool in[XR_THUMB_LIMIT]; /* the cell is within the source */
    double size;             /* of a cell, in samples */
} grid_lines;

static void set_lines(grid_lines *l, size_t side, double from, double to, size_t samples)
{
    double step = (to - from) / (double)side, edge = 0.02 / (double)side;
    for (size_t i = 0; i <= side; i++) {
        double at = from + step * (double)i;
        if (i < side)
            l->in[i] = at >= -edge && at + step <= 1 + edge;
        at = fmin(fmax(at, 0), 1) * (double)samples;
        size_t index = (size_t)at;
        if (index >= samples)
            index = samples - 1;
        l->index[i] = index;
        l->fraction[i] = at - (double)index;
    }
    l->size = fabs(step) * (double)samples;
}

/* Averages of cells, of channels from `first` on: as many as there are lanes. */
XR_INLINED void fill_cells(xr_thumb *t, const xr_area *a, const grid_lines *across, const grid_lines *down,
                           size_t first)
{
    size_t channels = a->channels, w = (a->width + 1) * channels, n = t->side, cells = n * n;
    size_t lanes = channels - first < XR_LANES ? channels - first : XR_LANES;
    double share = 1 / fmax(across->size * down->size, 1e-9);
    xr_lanes before[XR_THUMB_LIMIT + 1], line[XR_THUMB_LIMIT + 1];
    for (size_t y = 0; y <= n; y++) {
        const double *top = a->sum + down->index[y] * w + first, *bottom = top + w;
        double f = down->fraction[y];
        for (size_t x = 0; x <= n; x++) {
            size_t i = across->index[x] * channels;
            xr_lanes t0 = XR_LANES_AT(top + i), t1 = XR_LANES_AT(top + i + channels);
            xr_lanes left = t0 + f * (XR_LANES_AT(bottom + i) - t0);
            xr_lanes right = t1 + f * (XR_LANES_AT(bottom + i + channels) - t1);
            line[x] = left + across->fraction[x] * (right - left);
        }
        for (size_t x = 0; y > 0 && x < n; x++) {
            double value[XR_LANES];
            xr_lanes cell = (line[x + 1] - line[x] - before[x + 1] + before[x]) * share;
            memcpy(value, &cell, sizeof value);
            for (size_t c = 0; c < lanes; c++)
                t->v[(first + c) * cells + (y - 1) * n + x] = (float)value[c];
        }
        memcpy(before, line, (n + 1) * sizeof *line);
    }
}

XR_WIDE_CLONE static void fill_cells_wide(xr_thumb *t, const xr_area *a, const grid_lines *across,
                                          const grid_lines *down, size_t first)
{
    fill_cells(t, a, across, down, first);
}

void xr_thumb_of(xr_thumb *t, const xr_area *a, const xr_part *part)
{
    grid_lines across, down;
    set_lines(&across, t->side, part->x0, part->x1, a->width);
    set_lines(&down, t->side, part->y0, part->y1, a->height);
    size_t n = t->side;
    for (size_t y = 0; y < n; y++)
        for (size_t x = 0; x < n; x++)
            t->seen[y * n + x] = across.in[x] && down.in[y];
    for (size_t first = 0; first < a->channels; first += XR_LANES)
        if (XR_HAS_WIDE)
            fill_cells_wide(t, a, &across, &down, first);
        else
            fill_cells(t, a, &across, &down, first);
}

void xr_thumb_orient(const xr_thumb *in, xr_orientation o, xr_thumb *out)
{
    size_t n = in->side, cells = n * n;
    for (size_t y = 0; y < n; y++)
        for (size_t x = 0; x < n; x++) {
            size_t from = xr_orientation_source(x, y, n, n, o), to = y * n + x;
            out->seen[to] = in->seen[from];
            for (size_t c = 0; c < in->channels; c++)
                out->v[c * cells + to] = in->v[c * cells + from];
        }
}
