#include "checks/input/search/input_raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rasters ------------------------------------------------------------------- */

bool xr_raster_make(xr_raster *r, size_t width, size_t height, size_t channels)
{
    *r = (xr_raster){width, height, channels, calloc(width * height * channels + 1, sizeof(float))};
    return r->v != NULL;
}

void xr_raster_free(xr_raster *r)
{
    free(r->v);
    *r = (xr_raster){0};
}

bool xr_raster_load(xr_raster *r, const exray_tensor_info *info, uint64_t count, const float *values,
                    bool other_layout)
{
    xr_view v = xr_view_of(info, count);
    if (v.batch != 1 || v.rows < 2 || v.columns < 2 || count != v.rows * v.columns * v.channels)
        return false;
    size_t pixels = v.rows * v.columns;
    bool planar = (v.column_stride == 1 && v.channels > 1) != other_layout;
    if (!xr_raster_make(r, v.columns, v.rows, v.channels))
        return false;
    if (planar || v.channels == 1) {
        memcpy(r->v, values, (size_t)count * sizeof(float));
        return true;
    }
    const char *from = (const char *)values;
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < v.channels; c++, from += sizeof(float))
            memcpy(&r->v[c * pixels + p], from, sizeof(float));
    return true;
}

bool xr_raster_of_picture(xr_raster *r, const exray_picture *picture, size_t channels)
{
    size_t width = exray_picture_width(picture), height = exray_picture_height(picture);
    size_t own = exray_picture_channels(picture), pixels = width * height;
    const uint8_t *from = exray_picture_pixels(picture);
    if (!xr_raster_make(r, width, height, channels))
        return false;
    for (size_t p = 0; p < pixels; p++, from += own) {
        if (channels == 1 && own == 3)
            r->v[p] = 0.299F * from[0] + 0.587F * from[1] + 0.114F * from[2];
        else
            for (size_t c = 0; c < channels; c++)
                r->v[c * pixels + p] = from[own == 1 ? 0 : c % own];
    }
    return true;
}

/* ---- Orientation ----------------------------------------------------------------- */

xr_orientation xr_orientation_inverse(xr_orientation o)
{
    if (!(o & 4))
        return o;
    /* Transposing exchanges which mirror is which. */
    return 4 | (o & 1) << 1 | (o >> 1 & 1);
}

void xr_orientation_parts(xr_orientation o, unsigned *quarter_turns, bool *flip_horizontal,
                          bool *flip_vertical)
{
    static const unsigned char turns[XR_ORIENTATIONS] = {0, 0, 0, 2, 1, 1, 3, 1};
    *flip_horizontal = o == 1 || o == 7;
    *flip_vertical = o == 2 || o == 4;
    *quarter_turns = turns[o & 7];
}

static size_t source_of(size_t x, size_t y, size_t in_width, size_t in_height, xr_orientation o)
{
    size_t sx = o & 4 ? y : x, sy = o & 4 ? x : y;
    if (o & 1)
        sx = in_width - 1 - sx;
    if (o & 2)
        sy = in_height - 1 - sy;
    return sy * in_width + sx;
}

bool xr_raster_orient(const xr_raster *in, xr_orientation o, xr_raster *out)
{
    bool swap = (o & 4) != 0;
    if (!xr_raster_make(out, swap ? in->height : in->width, swap ? in->width : in->height, in->channels))
        return false;
    size_t pixels = in->width * in->height;
    for (size_t y = 0; y < out->height; y++)
        for (size_t x = 0; x < out->width; x++) {
            size_t from = source_of(x, y, in->width, in->height, o);
            for (size_t c = 0; c < in->channels; c++)
                out->v[c * pixels + y * out->width + x] = in->v[c * pixels + from];
        }
    return true;
}

/* ---- Areas ------------------------------------------------------------------------- */

bool xr_area_make(xr_area *a, const xr_raster *r)
{
    size_t w = r->width + 1, h = r->height + 1;
    *a = (xr_area){r->width, r->height, r->channels, calloc(w * h * r->channels, sizeof(double))};
    if (!a->sum)
        return false;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t y = 0; y < r->height; y++) {
            const float *row = r->v + (c * r->height + y) * r->width;
            const double *above = a->sum + (c * h + y) * w;
            double *below = a->sum + (c * h + y + 1) * w, sum = 0;
            for (size_t x = 0; x < r->width; x++) {
                sum += isfinite(row[x]) ? (double)row[x] : 0;
                below[x + 1] = above[x + 1] + sum;
            }
        }
    return true;
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

/* Where the lines of the thumbnail's grid lie in the source. */
typedef struct lines {
    size_t index[XR_THUMB_MOST + 1];
    double fraction[XR_THUMB_MOST + 1];
    bool in[XR_THUMB_MOST]; /* the cell lies within the source */
    double size;            /* of a cell, samples */
} lines;

static void set_lines(lines *l, size_t side, double from, double to, size_t samples)
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

void xr_thumb_of(xr_thumb *t, const xr_area *a, const xr_map *map)
{
    lines across, down;
    set_lines(&across, t->side, map->x0, map->x1, a->width);
    set_lines(&down, t->side, map->y0, map->y1, a->height);
    size_t w = a->width + 1, n = t->side;
    double share = 1 / fmax(across.size * down.size, 1e-9);
    for (size_t y = 0; y < n; y++)
        for (size_t x = 0; x < n; x++)
            t->seen[y * n + x] = across.in[x] && down.in[y];
    for (size_t c = 0; c < a->channels; c++) {
        double before[XR_THUMB_MOST + 1] = {0}, line[XR_THUMB_MOST + 1];
        for (size_t y = 0; y <= n; y++) {
            const double *top = a->sum + (c * (a->height + 1) + down.index[y]) * w, *bottom = top + w;
            double f = down.fraction[y];
            for (size_t x = 0; x <= n; x++) {
                size_t i = across.index[x];
                double g = across.fraction[x];
                double left = top[i] + f * (bottom[i] - top[i]);
                double right = top[i + 1] + f * (bottom[i + 1] - top[i + 1]);
                line[x] = left + g * (right - left);
            }
            for (size_t x = 0; y > 0 && x < n; x++)
                t->v[(c * n + y - 1) * n + x] =
                    (float)((line[x + 1] - line[x] - before[x + 1] + before[x]) * share);
            memcpy(before, line, sizeof line);
        }
    }
}

void xr_thumb_orient(const xr_thumb *in, xr_orientation o, xr_thumb *out)
{
    size_t n = in->side, cells = n * n;
    for (size_t y = 0; y < n; y++)
        for (size_t x = 0; x < n; x++) {
            size_t from = source_of(x, y, n, n, o), to = y * n + x;
            out->seen[to] = in->seen[from];
            for (size_t c = 0; c < in->channels; c++)
                out->v[c * cells + to] = in->v[c * cells + from];
        }
}

/* ---- Fits ------------------------------------------------------------------------------ */

void xr_sums_add(xr_fit_sums *s, size_t channels, const float *edge, const float *scene,
                 const unsigned char *seen, size_t pixels, size_t step)
{
    for (size_t p = 0; p < pixels; p += step) {
        double e[XR_FIT_CHANNELS], r[XR_FIT_CHANNELS], check = 0;
        if (seen && !seen[p])
            continue;
        for (size_t c = 0; c < channels; c++) {
            e[c] = edge[c * pixels + p];
            r[c] = scene[c * pixels + p];
            check += e[c] + r[c];
        }
        if (!isfinite(check))
            continue;
        s->n += 1;
        for (size_t c = 0; c < channels; c++) {
            s->edge[c] += e[c];
            s->reference[c] += r[c];
            s->ee[c][c] += e[c] * e[c];
            for (size_t k = 0; k < channels; k++)
                s->er[c][k] += e[c] * r[k];
            for (size_t k = 0; k <= c; k++)
                s->rr[c][k] += r[c] * r[k];
        }
    }
}

void xr_sums_join(xr_fit_sums *into, const xr_fit_sums *s)
{
    into->n += s->n;
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++) {
        into->edge[c] += s->edge[c];
        into->reference[c] += s->reference[c];
        for (size_t k = 0; k < XR_FIT_CHANNELS; k++) {
            into->ee[c][k] += s->ee[c][k];
            into->rr[c][k] += s->rr[c][k];
            into->er[c][k] += s->er[c][k];
        }
    }
}

static double edge_variation(const xr_fit_sums *s, size_t c)
{
    return fmax(s->ee[c][c] - s->edge[c] * s->edge[c] / s->n, 0);
}

static double shared(const xr_fit_sums *s, size_t c, size_t k)
{
    return s->er[c][k] - s->edge[c] * s->reference[k] / s->n;
}

static double scene_product(const xr_fit_sums *s, size_t a, size_t b)
{
    return (a > b ? s->rr[a][b] : s->rr[b][a]) - s->reference[a] * s->reference[b] / s->n;
}

double xr_sums_spread(const xr_fit_sums *s, size_t channels)
{
    double total = 0;
    for (size_t c = 0; c < channels && s->n > 0; c++)
        total += edge_variation(s, c);
    return s->n > 0 ? sqrt(total / (s->n * (double)channels)) : 0;
}

typedef double cost_matrix[XR_FIT_CHANNELS][XR_FIT_CHANNELS];

/* The order of channels that costs least: the sum of cost[c][from[c]]. */
static double best_order(cost_matrix cost, size_t channels, unsigned char from[XR_FIT_CHANNELS])
{
    double best = INFINITY;
    size_t orders = 1;
    for (size_t i = 0; i < channels; i++)
        orders *= channels;
    for (size_t code = 0; code < orders; code++) {
        unsigned char p[XR_FIT_CHANNELS] = {0};
        unsigned used = 0;
        double sum = 0;
        size_t rest = code;
        for (size_t c = 0; c < channels; c++, rest /= channels) {
            p[c] = (unsigned char)(rest % channels);
            used |= 1U << p[c];
            sum += cost[c][p[c]];
        }
        /* The order as it is wins where another is no better. */
        if (used + 1 != 1U << channels || sum >= best * (1 - 1e-9))
            continue;
        best = sum;
        if (from)
            memcpy(from, p, sizeof p);
    }
    return best;
}

double xr_unexplained_by_order(const xr_fit_sums *s, size_t channels, unsigned char from[XR_FIT_CHANNELS])
{
    cost_matrix left = {{0}};
    double total = 0;
    if (s->n < 4)
        return 1;
    for (size_t c = 0; c < channels; c++) {
        double variation = edge_variation(s, c);
        total += variation;
        for (size_t k = 0; k < channels; k++) {
            double own = scene_product(s, k, k), both = shared(s, c, k);
            left[c][k] = own > 0 && both > 0 ? variation - both * both / own : variation;
        }
    }
    double best = best_order(left, channels, from);
    return total > 0 ? fmax(best, 0) / total : 0;
}

double xr_unexplained_plainly(const xr_fit_sums *s, size_t channels)
{
    cost_matrix left = {{0}};
    double total = 0;
    for (size_t c = 0; c < channels && s->n >= 4; c++) {
        total += edge_variation(s, c);
        for (size_t k = 0; k < channels; k++)
            left[c][k] = s->ee[c][c] - 2 * s->er[c][k] + s->rr[k][k];
    }
    return total > 0 ? fmax(best_order(left, channels, NULL), 0) / total : 1;
}

double xr_unexplained_by_colour(const xr_fit_sums *s, size_t channels)
{
    double m[XR_FIT_CHANNELS][2 * XR_FIT_CHANNELS], total = 0, left = 0, ridge = 0;
    if (s->n < 4)
        return 1;
    for (size_t k = 0; k < channels; k++)
        ridge += 1e-9 * scene_product(s, k, k);
    for (size_t a = 0; a < channels; a++)
        for (size_t b = 0; b < channels; b++) {
            m[a][b] = scene_product(s, a, b) + (a == b ? ridge + 1e-12 : 0);
            m[a][channels + b] = shared(s, b, a);
        }
    /* Gauss-Jordan on a positive definite matrix: no pivoting is needed. */
    for (size_t i = 0; i < channels; i++) {
        double pivot = m[i][i] != 0 ? m[i][i] : 1e-30;
        for (size_t k = 0; k < 2 * channels; k++)
            m[i][k] /= pivot;
        for (size_t j = 0; j < channels; j++) {
            double factor = m[j][i];
            for (size_t k = 0; j != i && k < 2 * channels; k++)
                m[j][k] -= factor * m[i][k];
        }
    }
    for (size_t c = 0; c < channels; c++) {
        double variation = edge_variation(s, c), explained = 0;
        for (size_t k = 0; k < channels; k++)
            explained += m[k][channels + c] * shared(s, c, k);
        total += variation;
        left += fmax(variation - explained, 0);
    }
    return total > 0 ? left / total : 0;
}

double xr_no_worse(double left, double spread)
{
    double levels = sqrt(fmax(left, 0)) * spread, bound = 1.5 * levels + 0.3;
    return spread > 0 ? bound * bound / (spread * spread) : left;
}
