#include "report/html/drawing/svg.h"

#include "report/html/text/html_text.h"

#include <math.h>

#define NAME_WIDTH 60.0 /* pixels that the name of a column takes, about */

/* ---- Axes --------------------------------------------------------------------------- */

static double scaled(const xr_axis *a, double v)
{
    if (a->scale == XR_LOG)
        return log10(v);
    if (a->scale == XR_SIGNED)
        return copysign(log10(1 + fabs(v) / a->unit), v);
    return v;
}

double xr_axis_at(const xr_axis *a, double value)
{
    if (isnan(value) || !(a->high > a->low))
        return a->from;
    double v = value < a->low ? a->low : value > a->high ? a->high : value;
    double low = scaled(a, a->low), high = scaled(a, a->high);
    return a->from + (scaled(a, v) - low) / (high - low) * (a->to - a->from);
}

/* 1, 2 or 5 times a power of ten, at least `rough`. */
static double round_step(double rough)
{
    double power = pow(10, floor(log10(rough)));
    static const double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < 4; i++)
        if (steps[i] * power >= rough * (1 - 1e-9))
            return steps[i] * power;
    return 10 * power;
}

static size_t linear_ticks(const xr_axis *a, size_t most, double tick[XR_TICKS])
{
    double step = round_step((a->high - a->low) / (double)(most > 1 ? most - 1 : 1));
    size_t count = 0;
    for (double k = ceil(a->low / step - 1e-9); count < most && k * step <= a->high + step * 1e-6; k += 1)
        tick[count++] = fabs(k) < 0.5 ? 0 : k * step;
    return count;
}

static size_t log_ticks(const xr_axis *a, size_t most, double tick[XR_TICKS])
{
    double first = ceil(log10(a->low) - 1e-9), last = floor(log10(a->high) + 1e-9);
    double step = ceil((last - first + 1) / (double)most);
    size_t count = 0;
    for (double k = first; step >= 1 && count < most && k <= last; k += step)
        tick[count++] = pow(10, k);
    return count;
}

static void add_tick(const xr_axis *a, size_t most, double value, double tick[XR_TICKS], size_t *count)
{
    if (*count < most && value >= a->low && value <= a->high)
        tick[(*count)++] = value;
}

/* 0, and powers of ten on both sides of it, the greatest among them. */
static size_t signed_ticks(const xr_axis *a, size_t most, double tick[XR_TICKS])
{
    double reach = fmax(fabs(a->low), fabs(a->high));
    int last = (int)floor(log10(reach) + 1e-9), first = (int)ceil(log10(a->unit) - 1e-9);
    int half = (int)((most - 1) / 2), powers = last - first + 1;
    int step = powers > half ? (powers + half - 1) / half : 1;
    size_t count = 0;
    for (int k = last; k >= first; k -= step)
        add_tick(a, most, -pow(10, k), tick, &count);
    add_tick(a, most, 0, tick, &count);
    for (int k = powers > 0 ? last - (powers - 1) / step * step : last + 1; k <= last; k += step)
        add_tick(a, most, pow(10, k), tick, &count);
    return count;
}

size_t xr_axis_ticks(const xr_axis *a, size_t most, double tick[XR_TICKS])
{
    if (most > XR_TICKS)
        most = XR_TICKS;
    if (most == 0 || !(a->high > a->low) || !isfinite(a->low) || !isfinite(a->high))
        return 0;
    return a->scale == XR_LOG      ? log_ticks(a, most, tick)
           : a->scale == XR_SIGNED ? signed_ticks(a, most < 3 ? 3 : most, tick)
                                   : linear_ticks(a, most, tick);
}

/* ---- Drawing ---------------------------------------------------------------------------- */

const char *xr_coordinate(xr_coordinate_text buffer, double value)
{
    double v = isfinite(value) ? value : 0;
    v = v > 1e6 ? 1e6 : v < -1e6 ? -1e6 : v;
    v = round(v * 10) / 10;
    snprintf(buffer, sizeof(xr_coordinate_text), "%.*f", v == round(v) ? 0 : 1, v + 0.0);
    return buffer;
}

xr_chart xr_svg_half_chart(FILE *out)
{
    return (xr_chart){out, 520, 190, 62, 22, 512, 142};
}

void xr_svg_begin(const xr_chart *c, const char *id, const char *title, const char *description)
{
    xr_put(c->out,
           "<div class=\"scroll\"><svg id=\"%s\" class=\"chart\" role=\"img\" viewBox=\"0 0 %g %g\" "
           "aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">%s</title><desc "
           "id=\"%s-desc\">%s</desc>\n",
           id, c->width, c->height, id, id, id, title, id, description);
}

void xr_svg_end(const xr_chart *c)
{
    fputs("</svg></div>\n", c->out);
}

void xr_svg_value_axis(const xr_chart *c, const xr_axis *axis, const char *unit)
{
    double tick[XR_TICKS];
    xr_coordinate_text y, left, right;
    size_t count = xr_axis_ticks(axis, 7, tick);
    xr_coordinate(left, c->left);
    xr_coordinate(right, c->right);
    fputs("<g class=\"grid\">", c->out);
    for (size_t i = 0; i < count; i++) {
        xr_coordinate(y, xr_axis_at(axis, tick[i]));
        xr_put(c->out, "<path d=\"M%s %sH%s\"/>", left, y, right);
    }
    fputs("</g>\n<g class=\"ticks value\">", c->out);
    for (size_t i = 0; i < count; i++) {
        xr_coordinate_text x;
        double at = xr_axis_at(axis, tick[i]);
        if (axis->scale == XR_LOG && (tick[i] < 0.01 || tick[i] > 9999))
            xr_put(c->out, "<text x=\"%s\" y=\"%s\">10<tspan dy=\"-5\" class=\"power\">%d</tspan></text>",
                   xr_coordinate(x, c->left - 8), xr_coordinate(y, at + 4), (int)lround(log10(tick[i])));
        else
            xr_put(c->out, "<text x=\"%s\" y=\"%s\">%g%s</text>", xr_coordinate(x, c->left - 8),
                   xr_coordinate(y, at + 4), tick[i] < 0 && !axis->magnitude ? tick[i] : fabs(tick[i]), unit);
    }
    fputs("</g>\n", c->out);
}

void xr_svg_across_axis(const xr_chart *c, const xr_axis *axis)
{
    double tick[XR_TICKS];
    xr_coordinate_text x, y;
    size_t count = xr_axis_ticks(axis, 7, tick);
    fputs("<g class=\"grid\">", c->out);
    for (size_t i = 0; i < count; i++)
        xr_put(c->out, "<path d=\"M%s %sv5\"/>", xr_coordinate(x, xr_axis_at(axis, tick[i])),
               xr_coordinate(y, c->bottom));
    fputs("</g>\n<g class=\"ticks column\">", c->out);
    for (size_t i = 0; i < count; i++)
        xr_put(c->out, "<text x=\"%s\" y=\"%s\">%g</text>", xr_coordinate(x, xr_axis_at(axis, tick[i])),
               xr_coordinate(y, c->bottom + 18), tick[i]);
    fputs("</g>\n", c->out);
}

void xr_svg_axis_titles(const xr_chart *c, const char *up, const char *across)
{
    xr_coordinate_text x, y;
    xr_put(c->out, "<g class=\"axis-titles\"><text x=\"8\" y=\"12\">%s</text>", up);
    xr_put(c->out, "<text class=\"end\" x=\"%s\" y=\"%s\">%s</text></g>\n", xr_coordinate(x, c->right),
           xr_coordinate(y, c->bottom + 35), across);
}

double xr_column_width(const xr_chart *c, size_t count)
{
    return (c->right - c->left) / (double)(count ? count : 1);
}

double xr_column_at(const xr_chart *c, size_t count, size_t i)
{
    return c->left + xr_column_width(c, count) * ((double)i + 0.5);
}

void xr_svg_column_axis(const xr_chart *c, size_t count, xr_column_name *name, void *user)
{
    size_t fit = (size_t)((c->right - c->left) / NAME_WIDTH);
    size_t step = count > fit && fit ? (size_t)round_step((double)count / (double)fit) : 1;
    double last = -INFINITY;
    xr_coordinate_text x, y;
    fputs("<g class=\"ticks column\">", c->out);
    for (size_t i = 0; i < count; i++) {
        double at = xr_column_at(c, count, i);
        const char *text = at - last < NAME_WIDTH / 2 ? NULL : name(user, i, step);
        if (!text)
            continue;
        xr_put(c->out, "<text x=\"%s\" y=\"%s\">%s</text>", xr_coordinate(x, at),
               xr_coordinate(y, c->bottom + 18), text);
        last = at;
    }
    fputs("</g>\n", c->out);
}

void xr_svg_mark(const xr_chart *c, xr_mark mark, const char *css, double x, double y, double r)
{
    xr_coordinate_text a, b, n, m, s, t;
    xr_coordinate(a, x);
    xr_coordinate(b, y);
    xr_coordinate(n, r);
    xr_coordinate(m, -r);
    xr_coordinate(s, 2 * r);
    xr_coordinate(t, -2 * r);
    switch (mark) {
    case XR_MARK_DOT:
        xr_put(c->out, "<path class=\"%s\" d=\"M%s %sm%s 0a%s %s 0 1 0 %s 0a%s %s 0 1 0 %s 0z\">", css, a, b,
               m, n, n, s, n, n, t);
        return;
    case XR_MARK_DIAMOND:
        xr_put(c->out, "<path class=\"%s\" d=\"M%s %sm0 %sl%s %sl%s %sl%s %sz\">", css, a, b, m, n, n, m, n,
               m, m);
        return;
    case XR_MARK_TRIANGLE:
        xr_put(c->out, "<path class=\"%s\" d=\"M%s %sm%s %sl%s %sl%s %sz\">", css, a, b, m, n, n, t, n, s);
        return;
    case XR_MARK_CROSS:
        xr_put(c->out, "<path class=\"%s\" d=\"M%s %sm%s %sl%s %sm%s 0l%s %s\">", css, a, b, m, m, s, s, t, s,
               t);
        return;
    default:
        xr_put(c->out, "<path class=\"%s\" d=\"M%s %sm%s %sh%sv%sh%sz\">", css, a, b, m, m, s, s, t);
    }
}

void xr_svg_close_mark(const xr_chart *c)
{
    fputs("</path>\n", c->out);
}
