#include "checks/input/picture/bars.h"

#include <math.h>

enum { FEWEST_LINES = 4 };

/* Whether all pixels of a row or column have that color. */
static bool is_plain(const xr_raster *r, bool column, size_t at, const float *color, double tolerance)
{
    size_t pixels = r->width * r->height, length = column ? r->height : r->width;
    size_t start = column ? at : at * r->width, step = column ? r->width : 1;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t k = 0; k < length; k++)
            if (!(fabs((double)r->v[c * pixels + start + k * step] - (double)color[c]) <= tolerance))
                return false;
    return true;
}

static size_t bar_lines(const xr_raster *r, bool column, bool from_end, const float *color, double tolerance)
{
    size_t count = column ? r->width : r->height, lines = 0;
    while (lines < count && is_plain(r, column, from_end ? count - 1 - lines : lines, color, tolerance))
        lines++;
    return lines;
}

bool xr_find_bars(const xr_raster *r, double level, xr_bars *out)
{
    size_t pixels = r->width * r->height, last = pixels - 1;
    double tolerance = level / 2;
    *out = (xr_bars){0};
    for (size_t c = 0; c < r->channels; c++)
        out->color[c] = r->v[c * pixels];
    out->top = bar_lines(r, false, false, out->color, tolerance);
    out->left = bar_lines(r, true, false, out->color, tolerance);
    if (out->top + out->left == 0) /* all of the padding may be at the other end */
        for (size_t c = 0; c < r->channels; c++)
            out->color[c] = r->v[c * pixels + last];
    out->bottom = bar_lines(r, false, true, out->color, tolerance);
    out->right = bar_lines(r, true, true, out->color, tolerance);
    size_t across = out->left + out->right, down = out->top + out->bottom;
    return across < r->width && down < r->height && (across >= FEWEST_LINES || down >= FEWEST_LINES);
}

bool xr_is_in_bars(const xr_bars *b, const xr_raster *r, size_t x, size_t y, size_t margin)
{
    return y + margin < b->top || x + margin < b->left || y >= r->height - b->bottom + margin ||
           x >= r->width - b->right + margin;
}

void xr_mask_bars(const xr_bars *b, xr_raster *r)
{
    xr_bars wider = *b;
    wider.top += b->top > 0, wider.left += b->left > 0;
    wider.bottom += b->bottom > 0, wider.right += b->right > 0;
    size_t pixels = r->width * r->height;
    for (size_t y = 0; y < r->height; y++)
        for (size_t x = 0; x < r->width; x++)
            for (size_t c = 0; xr_is_in_bars(&wider, r, x, y, 0) && c < r->channels; c++)
                r->v[c * pixels + y * r->width + x] = NAN;
}
