#include "report/html/signals/feature_map.h"

#include "compare/match/shapes.h"
#include "report/html/drawing/html_image.h"
#include "report/html/drawing/svg.h"

#include <math.h>
#include <stdlib.h>

enum {
    SIDE_LEAST = 4,
    BINS_MOST = 512,
    ROWS_LEAST = 3,
    FLAT_BINS_LEAST = 8,
    FLAT_BINS_MOST = 160,
    FLAT_MOST = 1 << 15,
    SAMPLES_LEAST = 4, /* for each value of features */
    PIXELS_MOST = 512
};
#define ALIKE 0.5 /* correlation of a row with the next */

/* ---- Which values are where ------------------------------------------------------------------ */

/* How alike the values are that lie `lag` apart: their correlation. */
static double alikeness(const xr_signal *s, size_t lag)
{
    double sum = 0, square = 0, product = 0;
    size_t n = (size_t)s->count;
    for (size_t i = 0; i < n; i++) {
        double v = isfinite(s->values[i]) ? (double)s->values[i] : 0;
        sum += v;
        square += v * v;
    }
    double mean = sum / (double)n, variance = square / (double)n - mean * mean;
    for (size_t i = 0; i + lag < n; i++) {
        double a = isfinite(s->values[i]) ? (double)s->values[i] - mean : 0;
        double b = isfinite(s->values[i + lag]) ? (double)s->values[i + lag] - mean : 0;
        product += a * b;
    }
    return variance > 0 ? product / (double)(n - lag) / variance : 0;
}

/* The length of the rows of a flat list: neighboring rows of features are alike, more than what lies a few
 * values beside. */
static xr_feature_shape shape_of_flat(const xr_signal *s)
{
    xr_feature_shape best = {0, 0};
    double most = ALIKE;
    for (size_t bins = FLAT_BINS_LEAST; bins <= FLAT_BINS_MOST && bins * SIDE_LEAST <= s->count; bins++) {
        if (s->count % bins)
            continue;
        double here = alikeness(s, bins), beside = fmax(alikeness(s, bins - 3), alikeness(s, bins + 3));
        if (here > most && here > beside + 0.05) {
            most = here;
            best = (xr_feature_shape){(size_t)s->count / bins, bins};
        }
    }
    return best;
}

xr_feature_shape xr_feature_shape_of(const xr_signal *s, uint64_t heard)
{
    int64_t shape[EXRAY_MAX_RANK];
    xr_feature_shape none = {0, 0};
    if (s->count == 0 || xr_signal_is_tokens(s))
        return none;
    uint32_t rank = xr_squeeze(&s->view.info, shape);
    if (rank == 2 && (heard || s->view.info.rank < 4) && shape[0] >= ROWS_LEAST && shape[1] >= SIDE_LEAST &&
        shape[1] <= BINS_MOST)
        return (xr_feature_shape){(size_t)shape[0], (size_t)shape[1]};
    return rank == 1 && s->count <= heard / SAMPLES_LEAST && s->count <= FLAT_MOST ? shape_of_flat(s) : none;
}

/* ---- Maps ----------------------------------------------------------------------------------------- */

static bool make_map(xr_raster *r, const xr_signal *s, xr_feature_shape shape)
{
    if (!xr_raster_make(r, shape.rows, shape.bins, 1))
        return false;
    for (size_t row = 0; row < shape.rows; row++)
        for (size_t bin = 0; bin < shape.bins; bin++)
            r->v[(shape.bins - 1 - bin) * shape.rows + row] = s->values[row * shape.bins + bin];
    return true;
}

/* Takes the picture over. */
static void put_map(xr_page *p, exray_picture *picture, xr_feature_shape shape, const char *id,
                    const char *title, const char *remark)
{
    xr_chart c = xr_svg_half_chart(p->out);
    exray_picture *small = picture ? xr_image_shrunk(picture, PIXELS_MOST) : NULL;
    xr_axis up = {XR_LINEAR, 0, (double)shape.bins, c.bottom, c.top, 1, false};
    xr_axis across = {XR_LINEAR, 0, (double)shape.rows, c.left, c.right, 1, false};
    fputs("<figure class=\"plot map\"><div class=\"stack\">", p->out);
    if (!small || !xr_put_exact_image(p->out, small, ""))
        fputs("<span class=\"absent\">cannot be shown</span>", p->out);
    xr_svg_begin(&c, id, title, "Rows of time to the right, bins upwards");
    xr_svg_value_axis(&c, &up, "");
    xr_svg_across_axis(&c, &across);
    xr_svg_axis_titles(&c, "bin", "row, in time");
    xr_svg_end(&c);
    xr_put(p->out, "</div><figcaption>%s<span>%s</span></figcaption></figure>\n", title, remark);
    exray_picture_free(small);
    exray_picture_free(picture);
}

static void put_side(xr_page *p, exray_side side, const xr_raster *r, xr_feature_shape shape,
                     const xr_shades *shades, size_t number)
{
    char id[40], title[64], remark[96];
    xr_number_text low, high;
    snprintf(id, sizeof id, "map-%s-%zu", xr_side_name(side), number);
    snprintf(title, sizeof title, "What the %s fed the model", xr_side_name(side));
    snprintf(remark, sizeof remark, "%zu rows of %zu bins; black is %s, white %s", shape.rows, shape.bins,
             xr_number(low, shades->low), xr_number(high, shades->high));
    put_map(p, xr_image_of_raster(r, shades), shape, id, title, remark);
}

static double greatest_difference(const xr_raster *a, const xr_raster *b)
{
    double most = 0;
    for (size_t i = 0; i < a->width * a->height; i++) {
        double d = fabs((double)a->v[i] - (double)b->v[i]);
        most = isfinite(d) ? fmax(most, d) : most;
    }
    return most;
}

static void put_difference(xr_page *p, const xr_raster map[2], xr_feature_shape shape, size_t number)
{
    char id[40], remark[96];
    xr_number_text text;
    double most = greatest_difference(&map[0], &map[1]);
    xr_shades whole = {0, most > 0 ? most : 1};
    snprintf(id, sizeof id, "map-difference-%zu", number);
    if (most > 0)
        snprintf(remark, sizeof remark, "black is equal, pale yellow %s", xr_number(text, most));
    else
        snprintf(remark, sizeof remark, "none: equal");
    put_map(p, xr_image_of_difference(&map[0], &map[1], &whole, 1), shape, id, "The difference", remark);
}

void xr_put_feature_maps(xr_page *p, const xr_signal sides[2], const xr_feature_shape shapes[2],
                         size_t number)
{
    xr_raster map[2] = {{0}, {0}};
    xr_shades shades = {INFINITY, -INFINITY};
    int scale = sides[EXRAY_SIDE_REFERENCE].count ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    xr_signal_extend(&sides[scale], &shades.low, &shades.high);
    if (!(shades.high > shades.low))
        shades =
            (xr_shades){isfinite(shades.low) ? shades.low - 1 : 0, isfinite(shades.low) ? shades.low + 1 : 1};
    fputs("<div class=\"plots\">\n", p->out);
    for (int s = 0; s < 2; s++)
        if (shapes[s].rows && make_map(&map[s], &sides[s], shapes[s]))
            put_side(p, (exray_side)s, &map[s], shapes[s], &shades, number);
    if (map[0].v && map[1].v && shapes[0].rows == shapes[1].rows && shapes[0].bins == shapes[1].bins)
        put_difference(p, map, shapes[0], number);
    fputs("</div>\n", p->out);
    xr_raster_free(&map[0]);
    xr_raster_free(&map[1]);
}
