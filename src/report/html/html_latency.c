/* How long the layers take on both sides, and each frame. */
#include "report/html/html_layers.h"

#include "report/html/drawing/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DOTS_MOST = 600 }; /* frames that are drawn one by one */
#define HEADROOM 4.0      /* times the 90th percentile that the timeline shows; above is cut */

bool xr_html_has_latency(const xr_page *p)
{
    return exray_comparison_latency(p->comparison, EXRAY_SIDE_EDGE)->frames > 0 ||
           exray_comparison_latency(p->comparison, EXRAY_SIDE_REFERENCE)->frames > 0;
}

/* ---- Layers --------------------------------------------------------------------------------- */

static bool is_straggler(const xr_report *r, uint32_t node)
{
    char key[24];
    snprintf(key, sizeof key, "layer_%u", (unsigned)node);
    for (size_t i = 0; i < r->outcome->shown_count; i++) {
        const exray_finding *f = r->outcome->shown[i];
        for (size_t k = 0; strcmp(f->cause, "perf.straggler") == 0 && k < f->evidence_count; k++)
            if (strcmp(f->evidence[k].key, key) == 0)
                return true;
    }
    return false;
}

static double median_of(xr_page *p, exray_side side, size_t i)
{
    const exray_layer_pair *l = exray_comparison_layer(p->comparison, i);
    const exray_node_latency *n =
        l->output ? NULL
                  : exray_latency_table_node(exray_comparison_latency(p->comparison, side), l->node[side]);
    return n ? n->time.median / 1e6 : NAN;
}

static const char *node_text(void *user, size_t i, size_t step)
{
    const xr_page *p = user;
    return xr_node_number(exray_comparison_layer(p->comparison, i), step);
}

static void put_bar(xr_page *p, const xr_chart *c, const xr_axis *axis, exray_side side, size_t count,
                    size_t i)
{
    const exray_layer_pair *l = exray_comparison_layer(p->comparison, i);
    double ms = median_of(p, side, i), x = xr_column_at(c, count, i),
           width = xr_column_width(c, count) * 0.72;
    bool straggler = side == EXRAY_SIDE_EDGE && is_straggler(p->report, l->node[EXRAY_SIDE_EDGE]);
    xr_coordinate_text a, b, w, h;
    if (isnan(ms))
        return;
    double zero = xr_axis_at(axis, 0), end = xr_axis_at(axis, side == EXRAY_SIDE_EDGE ? ms : -ms);
    width = fmin(fmax(width, 0.4), 16);
    xr_put(p->out,
           "<rect class=\"bar %s%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"><title>%u %s: %s %.3f "
           "ms</title></rect>\n",
           xr_side_name(side), straggler ? " straggler" : "", xr_coordinate(a, x - width / 2),
           xr_coordinate(b, fmin(zero, end)), xr_coordinate(w, width),
           xr_coordinate(h, fmax(fabs(zero - end), 0.5)), (unsigned)l->node[side], l->op[side],
           xr_side_name(side), ms);
    if (straggler) {
        xr_svg_mark(c, XR_MARK_DIAMOND, "mark origin", x, end - 10, 5);
        xr_put(p->out, "<title>%u %s is slow</title>", (unsigned)l->node[side], l->op[side]);
        xr_svg_close_mark(c);
    }
}

/* Both sides have layers' times, or one has. */
static double slowest(xr_page *p, exray_side side)
{
    double most = 0;
    for (size_t i = 0; i < exray_comparison_layer_count(p->comparison); i++) {
        double ms = median_of(p, side, i);
        most = isnan(ms) ? most : fmax(most, ms);
    }
    return most;
}

static void put_layer_chart(xr_page *p)
{
    size_t count = exray_comparison_layer_count(p->comparison);
    double edge = slowest(p, EXRAY_SIDE_EDGE), reference = slowest(p, EXRAY_SIDE_REFERENCE);
    if (edge <= 0 && reference <= 0) {
        fputs("<p class=\"none\">The logs have no times of single layers.</p>\n", p->out);
        return;
    }
    xr_chart c = {p->out, 1040, 344, 72, 32, 1028, 304};
    xr_axis axis = {XR_LINEAR, -reference * 1.08, edge * 1.12, c.bottom, c.top, 1, true};
    fputs("<p class=\"chart-name\">Time of each layer, median: <span class=\"swatch edge\"></span> edge "
          "upwards, <span "
          "class=\"swatch reference\"></span> reference downwards</p>\n",
          p->out);
    xr_svg_begin(&c, "chart-latency", "Time of each layer, edge and reference",
                 "One column per layer in execution order; the edge's median time upwards, the reference's "
                 "downwards.");
    xr_svg_value_axis(&c, &axis, "");
    xr_svg_column_axis(&c, count, node_text, p);
    xr_svg_axis_titles(&c, "time, ms", "layer, by its number in the edge's model");
    for (size_t i = 0; i < count; i++)
        for (int s = 0; s < 2; s++)
            put_bar(p, &c, &axis, (exray_side)s, count, i);
    xr_coordinate_text x0, x1, y;
    xr_put(p->out, "<path class=\"zero\" d=\"M%s %sH%s\"/>\n", xr_coordinate(x0, c.left),
           xr_coordinate(y, xr_axis_at(&axis, 0)), xr_coordinate(x1, c.right));
    xr_svg_end(&c);
}

/* ---- Frames ------------------------------------------------------------------------------------- */

static const char *frame_text(void *user, size_t i, size_t step)
{
    static char text[24]; /* read before the next call */
    (void)user;
    if (i % step)
        return NULL;
    snprintf(text, sizeof text, "%zu", i);
    return text;
}

static double top_of(const exray_latency_table *t)
{
    double most = 0;
    for (size_t i = 0; i < t->frames; i++)
        most = fmax(most, t->inference[i]);
    double shown = HEADROOM * t->settled.p90;
    return (isfinite(shown) && shown > 0 ? fmin(most, shown) : most) / 1e6;
}

/* Frames one by one; of many, each column from its fastest to its slowest. */
static void put_frames(xr_page *p, const xr_chart *c, const xr_axis *axis, exray_side side, size_t columns)
{
    const exray_latency_table *t = exray_comparison_latency(p->comparison, side);
    size_t most = t->frames > DOTS_MOST ? DOTS_MOST : t->frames;
    xr_coordinate_text x, y0, y1;
    if (t->frames <= DOTS_MOST) {
        for (size_t i = 0; i < t->frames; i++) {
            double ms = t->inference[i] / 1e6, at = xr_column_at(c, columns, i);
            bool beyond = ms > axis->high;
            xr_svg_mark(c,
                        side == EXRAY_SIDE_EDGE ? (beyond ? XR_MARK_TRIANGLE : XR_MARK_DOT) : XR_MARK_SQUARE,
                        side == EXRAY_SIDE_EDGE ? "time edge" : "time reference", at, xr_axis_at(axis, ms),
                        side == EXRAY_SIDE_EDGE ? 3 : 2.2);
            xr_put(p->out, "<title>frame %zu, %s: %.2f ms</title>", i, xr_side_name(side), ms);
            xr_svg_close_mark(c);
        }
        return;
    }
    xr_put(p->out, "<path class=\"span %s\" d=\"", xr_side_name(side));
    for (size_t k = 0; k < most; k++) {
        double low = INFINITY, high = 0;
        for (size_t i = t->frames * k / most; i < t->frames * (k + 1) / most; i++) {
            low = fmin(low, t->inference[i] / 1e6);
            high = fmax(high, t->inference[i] / 1e6);
        }
        double at = xr_column_at(c, columns, t->frames * k / most);
        fprintf(p->out, "M%s %sV%s", xr_coordinate(x, at), xr_coordinate(y0, xr_axis_at(axis, low) + 1),
                xr_coordinate(y1, xr_axis_at(axis, high) - 1));
    }
    fputs("\"/>\n", p->out);
}

static void put_band(xr_page *p, const xr_chart *c, size_t columns, size_t from, size_t to, const char *css,
                     const char *text)
{
    double width = xr_column_width(c, columns);
    double left = xr_column_at(c, columns, from) - width / 2,
           right = xr_column_at(c, columns, to) - width / 2;
    xr_coordinate_text x, y, w, h;
    xr_put(p->out, "<rect class=\"band %s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>", css,
           xr_coordinate(x, left), xr_coordinate(y, c->top), xr_coordinate(w, right - left),
           xr_coordinate(h, c->bottom - c->top));
    xr_put(p->out, "<text class=\"band-label\" x=\"%s\" y=\"%s\">%s</text>\n", xr_coordinate(x, left + 5),
           xr_coordinate(y, c->top + 15), text);
}

/* The frame from which on, by a finding, the edge was slower: its position among the frames. */
static size_t throttled_from(const xr_page *p, const exray_latency_table *t)
{
    const exray_log *log = exray_comparison_log(p->comparison, EXRAY_SIDE_EDGE);
    for (size_t i = 0; i < p->report->outcome->shown_count; i++) {
        const exray_finding *f = p->report->outcome->shown[i];
        if (strcmp(f->cause, "perf.throttle") != 0)
            continue;
        double from = 0; /* a drift covers all frames */
        for (size_t k = 0; k < f->evidence_count; k++)
            if (strcmp(f->evidence[k].key, "from_frame") == 0)
                from = f->evidence[k].number;
        for (size_t k = 0; k < t->frames; k++)
            if ((double)exray_log_frame(log, t->frame[k])->index >= from)
                return k;
    }
    return t->frames;
}

static void put_timeline(xr_page *p)
{
    const exray_latency_table *t[2] = {exray_comparison_latency(p->comparison, EXRAY_SIDE_EDGE),
                                       exray_comparison_latency(p->comparison, EXRAY_SIDE_REFERENCE)};
    size_t columns = t[0]->frames > t[1]->frames ? t[0]->frames : t[1]->frames;
    double most = fmax(top_of(t[0]), top_of(t[1]));
    if (columns == 0 || !(most > 0))
        return;
    xr_chart c = {p->out, 1040, 268, 72, 24, 1028, 228};
    xr_axis axis = {XR_LINEAR, 0, most * 1.05, c.bottom, c.top, 1, false};
    fputs("<p class=\"chart-name\">Time of each frame: <span class=\"swatch edge\"></span> edge <span "
          "class=\"swatch "
          "reference\"></span> reference</p>\n",
          p->out);
    xr_svg_begin(&c, "chart-frames", "Time of each frame, in order",
                 "The inference time of each frame on both sides. Frames of the edge's warm-up, and those "
                 "from which on "
                 "it was throttled, are in marked bands.");
    size_t slow = throttled_from(p, t[0]);
    if (t[0]->warmup)
        put_band(p, &c, columns, 0, t[0]->warmup, "warmup", "warm-up");
    if (slow < t[0]->frames)
        put_band(p, &c, columns, slow, t[0]->frames, "throttled", "slower from here");
    xr_svg_value_axis(&c, &axis, "");
    xr_svg_column_axis(&c, columns, frame_text, p);
    xr_svg_axis_titles(&c, "time, ms", "frame, in order of recording");
    put_frames(p, &c, &axis, EXRAY_SIDE_REFERENCE, columns);
    put_frames(p, &c, &axis, EXRAY_SIDE_EDGE, columns);
    xr_svg_end(&c);
}

/* ---- The section --------------------------------------------------------------------------------- */

static void put_sums(xr_page *p)
{
    fputs("<div class=\"scroll\"><table class=\"small\"><caption>Inference</caption><thead><tr><th "
          "scope=\"col\">Side</th><th "
          "scope=\"col\">Frames</th><th "
          "scope=\"col\">Warm-up</th><th scope=\"col\">Fastest</th><th scope=\"col\">Median</th><th "
          "scope=\"col\">90 %</th></tr></thead><tbody>\n",
          p->out);
    for (int s = 0; s < 2; s++) {
        const exray_latency_table *t = exray_comparison_latency(p->comparison, (exray_side)s);
        xr_number_text a, b, c;
        xr_put(
            p->out,
            "<tr><th scope=\"row\">%s</th><td>%zu</td><td>%zu</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
            xr_side_name((exray_side)s), t->frames, t->warmup, xr_milliseconds(a, t->settled.least),
            xr_milliseconds(b, t->settled.median), xr_milliseconds(c, t->settled.p90));
    }
    fputs("</tbody></table></div>\n", p->out);
}

void xr_html_latency(xr_page *p)
{
    if (!xr_html_has_latency(p))
        return;
    fputs("<section id=\"latency\"><h2>How long it takes</h2>\n", p->out);
    put_sums(p);
    put_layer_chart(p);
    put_timeline(p);
    fputs("</section>\n", p->out);
}
