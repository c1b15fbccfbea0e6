/* The padding of letterboxes: bars of one color beside the picture.  An edge that fills them with
 * another color shows the same picture nevertheless, so the bars are left out of all comparisons, and
 * their colors are compared by themselves. */
#include "checks/input/search/find.h"

#include "checks/input/picture/bars.h"

#include <math.h>

/* Levels: more than rounding changes a color. */
#define OTHER_COLOR 3.0

/* The mean color of the edge within the reference's bars, for an edge that is oriented; false: it is not
 * of one color there. */
static bool color_in_bars(const xr_raster *edge, const xr_bars *bars, xr_orientation o, double level,
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
            if (!xr_is_in_bars(bars, &back, x, y, 1))
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

/* In how many frames the edge has bars of one color as well, in that layout and orientation; *barred:
 * frames in which the reference has bars. */
static size_t frames_with_padding(xr_input_pair *pair, size_t layout, xr_orientation o, size_t *barred)
{
    size_t plain = 0;
    *barred = 0;
    for (size_t f = 0; f < pair->count; f++) {
        xr_bars bars;
        double color[XR_FIT_CHANNELS];
        if (!xr_find_bars(&pair->frame[f].reference, pair->fit->level[EXRAY_SIDE_REFERENCE], &bars))
            continue;
        ++*barred;
        plain +=
            color_in_bars(&pair->frame[f].edge[layout], &bars, o, pair->fit->level[EXRAY_SIDE_EDGE], color);
    }
    return plain;
}

void xr_find_padding(xr_input_pair *pair)
{
    size_t turns = xr_orientation_count(pair), layouts = xr_layout_count(pair), barred = 0;
    for (size_t l = 0; l < layouts && !pair->padded; l++)
        for (xr_orientation o = 0; o < turns && !pair->padded; o++) {
            size_t plain = frames_with_padding(pair, l, o, &barred);
            pair->padded = 2 * barred >= pair->count && barred > 0 && plain == barred;
        }
    for (size_t f = 0; f < pair->count && pair->padded; f++)
        xr_mask_padding(pair, &pair->frame[f].reference);
}

void xr_compare_padding(xr_input_pair *pair, xr_transform *transform, const xr_input_fit *fit)
{
    const xr_channel_order *order = &fit->orders.list[fit->orders.used];
    bool mapped = fit->orders.count && (fit->map.named || fit->map.after_exchange);
    size_t count = 0, other = 0;
    xr_padding padding = {0};
    for (size_t f = 0; f < pair->count && pair->padded; f++) {
        const xr_search_frame *s = &pair->frame[f];
        xr_raster reference;
        xr_bars bars;
        double color[XR_FIT_CHANNELS];
        bool barred = xr_input_raster(pair, EXRAY_SIDE_REFERENCE, s->source, false, NULL, &reference) &&
                      xr_find_bars(&reference, fit->level[EXRAY_SIDE_REFERENCE], &bars) &&
                      color_in_bars(&s->edge[transform->layout], &bars, transform->turn.orientation,
                                    fit->level[EXRAY_SIDE_EDGE], color);
        xr_raster_free(&reference);
        if (!barred)
            continue;
        double worst = 0, plain = 0; /* with and without the map: padding may be added after it */
        for (size_t c = 0; c < pair->channels; c++) {
            size_t from = fit->orders.count ? order->from[c] : c;
            double expected = (double)bars.color[from];
            if (mapped)
                expected = order->map.gain[c] * expected + order->map.offset[c];
            worst = fmax(worst, fabs(color[c] - expected) / fit->level[EXRAY_SIDE_EDGE]);
            plain = fmax(plain, fabs(color[c] - (double)bars.color[c]) / fit->level[EXRAY_SIDE_EDGE]);
            padding.edge[c] += color[c];
            padding.reference[c] += expected;
        }
        count++;
        other += fmin(worst, plain) > OTHER_COLOR;
    }
    for (size_t c = 0; c < pair->channels && count; c++) {
        padding.edge[c] /= (double)count;
        padding.reference[c] /= (double)count;
    }
    padding.differs = count > 0 && other == count;
    padding.frames = count;
    transform->padding = padding;
}
