/* The ground of a letterbox: bars of one colour beside the picture.  An edge that fills them with
 * another colour shows the same picture nevertheless, so the bars are left out of every comparison,
 * and their colours are compared apart. */
#include "checks/input/search/input_search.h"

#include <math.h>

enum { FEWEST_LINES = 4 };

/* Levels: other than rounding makes them. */
#define OTHER_COLOUR 3.0

/* Whether a line of pixels has one colour, that of `colour`; along x or y. */
static bool is_plain(const xr_raster *r, bool column, size_t at, const float *colour, double tolerance)
{
    size_t pixels = r->width * r->height, length = column ? r->height : r->width;
    size_t start = column ? at : at * r->width, step = column ? r->width : 1;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t k = 0; k < length; k++)
            if (!(fabs((double)r->v[c * pixels + start + k * step] - (double)colour[c]) <= tolerance))
                return false;
    return true;
}

static size_t bar(const xr_raster *r, bool column, bool from_end, const float *colour, double tolerance)
{
    size_t count = column ? r->width : r->height, lines = 0;
    while (lines < count && is_plain(r, column, from_end ? count - 1 - lines : lines, colour, tolerance))
        lines++;
    return lines;
}

bool xr_find_bars(const xr_raster *r, double level, xr_bars *out)
{
    size_t pixels = r->width * r->height, last = pixels - 1;
    double tolerance = level / 2;
    *out = (xr_bars){0};
    for (size_t c = 0; c < r->channels; c++)
        out->colour[c] = r->v[c * pixels];
    out->top = bar(r, false, false, out->colour, tolerance);
    out->left = bar(r, true, false, out->colour, tolerance);
    if (out->top + out->left == 0) /* all of the ground may lie at the other end */
        for (size_t c = 0; c < r->channels; c++)
            out->colour[c] = r->v[c * pixels + last];
    out->bottom = bar(r, false, true, out->colour, tolerance);
    out->right = bar(r, true, true, out->colour, tolerance);
    size_t across = out->left + out->right, down = out->top + out->bottom;
    return across < r->width && down < r->height && (across >= FEWEST_LINES || down >= FEWEST_LINES);
}

static bool is_ground(const xr_bars *b, const xr_raster *r, size_t x, size_t y, size_t margin)
{
    return y + margin < b->top || x + margin < b->left || y >= r->height - b->bottom + margin ||
           x >= r->width - b->right + margin;
}

/* Fills the bars, and the line beside them, where rounding mixes both, with NAN. */
static void hide_bars(const xr_bars *b, xr_raster *r)
{
    xr_bars wider = *b;
    wider.top += b->top > 0, wider.left += b->left > 0;
    wider.bottom += b->bottom > 0, wider.right += b->right > 0;
    size_t pixels = r->width * r->height;
    for (size_t y = 0; y < r->height; y++)
        for (size_t x = 0; x < r->width; x++)
            for (size_t c = 0; is_ground(&wider, r, x, y, 0) && c < r->channels; c++)
                r->v[c * pixels + y * r->width + x] = NAN;
}

void xr_hide_ground(const xr_scene *scene, xr_raster *reference)
{
    xr_bars bars;
    if (scene->ground && xr_find_bars(reference, scene->fit->level[EXRAY_SIDE_REFERENCE], &bars))
        hide_bars(&bars, reference);
}

/* The mean of a side's values where the bars lie, once turned; false: they are not of one
 * colour. */
static bool colour_in_bars(const xr_raster *edge, const xr_bars *bars, xr_orientation o, double level,
                           double out[XR_FIT_CHANNELS])
{
    xr_raster back;
    size_t count = 0, pixels = edge->width * edge->height;
    double low[XR_FIT_CHANNELS], high[XR_FIT_CHANNELS];
    if (!xr_raster_orient(edge, xr_orientation_inverse(o), &back))
        return false;
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
        out[c] = 0, low[c] = INFINITY, high[c] = -INFINITY;
    for (size_t y = 0; y < back.height; y++)
        for (size_t x = 0; x < back.width; x++) {
            if (!is_ground(bars, &back, x, y, 1))
                continue;
            count++;
            for (size_t c = 0; c < back.channels; c++) {
                double v = back.v[c * pixels + y * back.width + x];
                out[c] += v;
                low[c] = fmin(low[c], v);
                high[c] = fmax(high[c], v);
            }
        }
    bool plain = count > 0;
    for (size_t c = 0; c < back.channels; c++) {
        out[c] /= count ? (double)count : 1;
        plain = plain && high[c] - low[c] <= 2.5 * level;
    }
    xr_raster_free(&back);
    return plain;
}

/* In how many frames the edge has bars of one colour, too, that way up; those with bars. */
static size_t frames_with_ground(xr_scene *scene, size_t layout, xr_orientation o, size_t *barred)
{
    size_t plain = 0;
    *barred = 0;
    for (size_t f = 0; f < scene->count; f++) {
        xr_bars bars;
        double colour[XR_FIT_CHANNELS];
        if (!xr_find_bars(&scene->frame[f].reference, scene->fit->level[EXRAY_SIDE_REFERENCE], &bars))
            continue;
        ++*barred;
        plain += colour_in_bars(&scene->frame[f].edge[layout], &bars, o, scene->fit->level[EXRAY_SIDE_EDGE],
                                colour);
    }
    return plain;
}

void xr_find_ground(xr_scene *scene)
{
    size_t turns = scene->width == scene->height ? 8 : 4, layouts = scene->channels > 1 ? 2 : 1, barred = 0;
    for (size_t l = 0; l < layouts && !scene->ground; l++)
        for (xr_orientation o = 0; o < turns && !scene->ground; o++) {
            size_t plain = frames_with_ground(scene, l, o, &barred);
            scene->ground = 2 * barred >= scene->count && barred > 0 && plain == barred;
        }
    for (size_t f = 0; f < scene->count && scene->ground; f++)
        xr_hide_ground(scene, &scene->frame[f].reference);
}

void xr_compare_ground(xr_scene *scene, xr_chain *chain, const xr_input_fit *fit)
{
    const xr_order *order = &fit->order[fit->order_used];
    bool mapped = fit->order_count && (fit->map_named || fit->map_after);
    size_t count = 0, other = 0;
    xr_ground g = {0};
    for (size_t f = 0; f < scene->count && scene->ground; f++) {
        const xr_search_frame *s = &scene->frame[f];
        xr_raster reference;
        xr_bars bars;
        double colour[XR_FIT_CHANNELS];
        bool barred = xr_scene_raster(scene, EXRAY_SIDE_REFERENCE, s->shows, false, NULL, &reference) &&
                      xr_find_bars(&reference, fit->level[EXRAY_SIDE_REFERENCE], &bars) &&
                      colour_in_bars(&s->edge[chain->layout], &bars, chain->orientation,
                                     fit->level[EXRAY_SIDE_EDGE], colour);
        xr_raster_free(&reference);
        if (!barred)
            continue;
        double worst = 0, plain = 0; /* under the map, which the ground may not have gone through */
        for (size_t c = 0; c < scene->channels; c++) {
            size_t from = fit->order_count ? order->from[c] : c;
            double due = (double)bars.colour[from];
            if (mapped)
                due = order->map.gain[c] * due + order->map.offset[c];
            worst = fmax(worst, fabs(colour[c] - due) / fit->level[EXRAY_SIDE_EDGE]);
            plain = fmax(plain, fabs(colour[c] - (double)bars.colour[c]) / fit->level[EXRAY_SIDE_EDGE]);
            g.edge[c] += colour[c];
            g.reference[c] += due;
        }
        count++;
        other += fmin(worst, plain) > OTHER_COLOUR;
    }
    for (size_t c = 0; c < scene->channels && count; c++) {
        g.edge[c] /= (double)count;
        g.reference[c] /= (double)count;
    }
    g.differs = count > 0 && other == count;
    g.frames = count;
    chain->ground = g;
}
