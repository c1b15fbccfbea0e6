#include "report/html/drawing/frame_lines.h"

#include "report/html/drawing/svg.h"
#include "report/html/text/html_text.h"

#include <math.h>

static const char *frame_name(void *user, size_t i, size_t step)
{
    static char text[24]; /* read before the next call */
    const xr_frame_chart *chart = user;
    if (i % step)
        return NULL;
    snprintf(text, sizeof text, "%llu", chart->frame[i]);
    return text;
}

static void extend(const xr_frame_chart *chart, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t k = 0; k < chart->line_count; k++)
        for (size_t i = 0; i < chart->count; i++)
            if (isfinite(chart->line[k].value[i])) {
                *low = fmin(*low, chart->line[k].value[i]);
                *high = fmax(*high, chart->line[k].value[i]);
            }
    if (!(*high > *low)) {
        *high = isfinite(*low) ? *low + fmax(fabs(*low), 1) : 1;
        *low = isfinite(*low) ? *low - fmax(fabs(*low), 1) : 0;
    }
}

static void put_line(const xr_chart *c, const xr_axis *axis, const xr_frame_chart *chart,
                     const xr_frame_line *line)
{
    xr_coordinate_text x, y;
    bool drawn = false;
    xr_put(c->out, "<path class=\"span %s\" d=\"", line->css);
    for (size_t i = 0; i < chart->count; i++) {
        if (!isfinite(line->value[i])) {
            drawn = false;
            continue;
        }
        fprintf(c->out, "%c%s %s", drawn ? 'L' : 'M', xr_coordinate(x, xr_column_at(c, chart->count, i)),
                xr_coordinate(y, xr_axis_at(axis, line->value[i])));
        /* A single value is a line, too. */
        if (!drawn && (i + 1 == chart->count || !isfinite(line->value[i + 1])))
            fputs("h3", c->out);
        drawn = true;
    }
    fputs("\"/>\n", c->out);
}

static void put_mark(const xr_chart *c, const xr_frame_chart *chart, const xr_frame_mark *mark)
{
    xr_coordinate_text x, y0, y1;
    double at = xr_column_at(c, chart->count, mark->at) - xr_column_width(c, chart->count) / 2;
    xr_put(c->out, "<path class=\"event\" d=\"M%s %sV%s\"/>", xr_coordinate(x, at), xr_coordinate(y0, c->top),
           xr_coordinate(y1, c->bottom));
    xr_put(c->out, "<text class=\"band-label\" x=\"%s\" y=\"%s\">%s</text>\n",
           xr_coordinate(x, fmin(at + 4, c->right - 60)), xr_coordinate(y0, c->top + 12), mark->text);
}

static void put_differing(const xr_chart *c, const xr_frame_chart *chart)
{
    xr_coordinate_text x, y;
    fputs("<path class=\"differing\" d=\"", c->out);
    for (size_t i = 0; i < chart->count; i++)
        if (chart->differs[i])
            fprintf(c->out, "M%s %sv-7", xr_coordinate(x, xr_column_at(c, chart->count, i)),
                    xr_coordinate(y, c->bottom));
    fputs("\"/>\n", c->out);
}

void xr_put_frame_lines(FILE *out, const xr_frame_chart *chart)
{
    xr_chart c = {out, 1040, 200, 72, 24, 1028, 160};
    double low, high;
    extend(chart, &low, &high);
    xr_axis axis = {XR_LINEAR, low, high, c.bottom, c.top, 1, false};
    xr_frame_chart copy = *chart; /* the callback's argument is not constant */
    xr_svg_begin(&c, chart->id, chart->title, chart->description);
    xr_svg_value_axis(&c, &axis, "");
    xr_svg_column_axis(&c, chart->count, frame_name, &copy);
    xr_svg_axis_titles(&c, chart->up, "frame");
    if (chart->differs)
        put_differing(&c, chart);
    for (size_t i = 0; i < chart->mark_count; i++)
        put_mark(&c, chart, &chart->mark[i]);
    for (size_t k = 0; k < chart->line_count; k++)
        put_line(&c, &axis, chart, &chart->line[k]);
    xr_svg_end(&c);
}
