/* The error of every layer in execution order, and the ranges of values: two charts that
 * share their columns.  The first columns are the model's inputs, the last its outputs. */
#include "report/html/html_layers.h"

#include "base/sort.h"
#include "checks/scrubbed.h"
#include "report/html/drawing/svg.h"
#include "report/layer_cause.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The range of a logarithmic axis, with a place for errors of 0 at its foot. */
#define LEAST_ERROR 1e-7
#define MOST_ERROR  1e3
/* Values up to which the axis is linear; beyond it is logarithmic, or small values could not be seen. */
#define LARGE 20
#define FAR   1e4 /* times the median of all layers' greatest magnitudes: beyond is not shown */

#define ACROSS "layer, by its number in the edge's model, in execution order"

/* ---- Columns ------------------------------------------------------------------------------ */

xr_columns xr_columns_of(const exray_comparison *c)
{
    xr_columns columns = {.inputs = exray_comparison_input_count(c),
                          .layers = exray_comparison_layer_count(c),
                          .outputs = exray_comparison_output_count(c)};
    columns.count = columns.inputs + columns.layers + columns.outputs;
    return columns;
}

const char *xr_node_number(const exray_layer_pair *layer, size_t step)
{
    static char text[16]; /* the page is written by one thread */
    if (layer->output || layer->node[EXRAY_SIDE_EDGE] % step)
        return NULL;
    snprintf(text, sizeof text, "%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
    return text;
}

static xr_column column_of_io(const exray_io_pair *io, const char *what, bool first)
{
    /* An input's error cannot come from a layer before it. */
    bool wrong = io->error > io->noise;
    exray_layer_role role = isnan(io->error) ? EXRAY_LAYER_ROLE_UNJUDGED
                            : !wrong         ? EXRAY_LAYER_ROLE_CLEAN
                            : first          ? EXRAY_LAYER_ROLE_ORIGINATES
                                             : EXRAY_LAYER_ROLE_PROPAGATES;
    return (xr_column){.name = io->name[EXRAY_SIDE_EDGE],
                       .op = what,
                       .node = EXRAY_NO_INDEX,
                       .role = role,
                       .error = io->error,
                       .low = io->error,
                       .high = io->error,
                       .noise = io->noise,
                       .metrics = &io->metrics};
}

xr_column xr_column_get(const exray_comparison *c, const xr_columns *columns, size_t i)
{
    if (i < columns->inputs)
        return column_of_io(exray_comparison_input(c, i), "model input", true);
    if (i >= columns->inputs + columns->layers)
        return column_of_io(exray_comparison_output(c, i - columns->inputs - columns->layers), "model output",
                            false);
    const exray_layer_pair *l = exray_comparison_layer(c, i - columns->inputs);
    return (xr_column){.name = l->name[EXRAY_SIDE_EDGE],
                       .op = l->op[EXRAY_SIDE_EDGE],
                       .node = l->node[EXRAY_SIDE_EDGE],
                       .role = l->role,
                       .error = l->error,
                       .low = l->error_low,
                       .high = l->error_high,
                       .noise = l->noise,
                       .metrics = &l->metrics,
                       .layer = l};
}

static const char *column_name(void *user, size_t i, size_t step)
{
    const xr_page *p = user;
    xr_columns columns = xr_columns_of(p->comparison);
    if (i < columns.inputs)
        return "in";
    if (i >= columns.inputs + columns.layers)
        return "out";
    return xr_node_number(exray_comparison_layer(p->comparison, i - columns.inputs), step);
}

/* ---- The error chart ------------------------------------------------------------------------- */

static xr_axis error_axis(const xr_page *p, const xr_columns *columns, const xr_chart *chart)
{
    double low = 1e-2, high = 1;
    for (size_t i = 0; i < columns->count; i++) {
        xr_column c = xr_column_get(p->comparison, columns, i);
        const double values[3] = {c.error, c.noise, c.low};
        for (int k = 0; k < 3; k++)
            if (isfinite(values[k]) && values[k] > 0) {
                low = fmin(low, values[k]);
                high = fmax(high, values[k]);
            }
    }
    low = pow(10, floor(log10(fmax(low, LEAST_ERROR)))) / 2;
    high = pow(10, ceil(log10(fmin(high, MOST_ERROR))));
    return (xr_axis){XR_LOG, low, high, chart->bottom, chart->top, 1, false};
}

/* A step for every column that has a noise floor. */
static void put_noise(const xr_page *p, const xr_columns *columns, const xr_chart *chart, const xr_axis *axis)
{
    xr_coordinate_text x0, x1, y;
    double half = xr_column_width(chart, columns->count) / 2;
    bool drawn = false;
    fputs("<path class=\"noise\" d=\"", p->out);
    for (size_t i = 0; i < columns->count; i++) {
        xr_column c = xr_column_get(p->comparison, columns, i);
        double at = xr_column_at(chart, columns->count, i);
        if (!(c.noise > 0) || !isfinite(c.noise)) {
            drawn = false;
            continue;
        }
        fprintf(p->out, drawn ? "L%s %sH%s" : "M%s %sH%s", xr_coordinate(x0, at - half),
                xr_coordinate(y, xr_axis_at(axis, c.noise)), xr_coordinate(x1, at + half));
        drawn = true;
    }
    fputs("\"/>\n", p->out);
}

static void put_trend(const xr_page *p, const xr_columns *columns, const xr_chart *chart, const xr_axis *axis)
{
    xr_coordinate_text x, y;
    bool drawn = false;
    fputs("<path class=\"trend\" d=\"", p->out);
    for (size_t i = 0; i < columns->count; i++) {
        xr_column c = xr_column_get(p->comparison, columns, i);
        if (isnan(c.error)) {
            drawn = false;
            continue;
        }
        fprintf(p->out, "%c%s %s", drawn ? 'L' : 'M',
                xr_coordinate(x, xr_column_at(chart, columns->count, i)),
                xr_coordinate(y, xr_axis_at(axis, c.error)));
        drawn = true;
    }
    fputs("\"/>\n", p->out);
}

static void put_bounds(const xr_page *p, const xr_column *c, const xr_chart *chart, const xr_axis *axis,
                       double at)
{
    xr_coordinate_text x, y0, y1;
    bool open = isinf(c->high);
    if (!(c->high > c->low))
        return;
    xr_put(p->out, "<path class=\"bounds\" d=\"M%s %sV%s\"/>\n", xr_coordinate(x, at),
           xr_coordinate(y0, xr_axis_at(axis, fmax(c->low, axis->low))),
           xr_coordinate(y1, open ? chart->top : xr_axis_at(axis, c->high)));
}

static void put_mark(const xr_page *p, const xr_columns *columns, const xr_chart *chart, const xr_axis *axis,
                     size_t i)
{
    static const xr_mark marks[] = {XR_MARK_DOT, XR_MARK_DIAMOND, XR_MARK_TRIANGLE, XR_MARK_CROSS};
    xr_column c = xr_column_get(p->comparison, columns, i);
    double x = xr_column_at(chart, columns->count, i),
           size = fmin(4, fmax(1.5, xr_column_width(chart, columns->count) / 3));
    char css[32];
    xr_number_text error;
    bool judged = !isnan(c.error);
    if (c.role == EXRAY_LAYER_ROLE_ORIGINATES)
        size = fmax(size + 2.5, 5);
    if (judged)
        put_bounds(p, &c, chart, axis, x);
    snprintf(css, sizeof css, "mark %s", xr_role_class(c.role));
    xr_svg_mark(chart, marks[c.role], css, x, judged ? xr_axis_at(axis, c.error) : chart->bottom, size);
    if (c.node == EXRAY_NO_INDEX)
        xr_put(p->out, "<title>%s %s: error %s, %s</title>", c.op, c.name, xr_number(error, c.error),
               xr_role_words(c.role));
    else
        xr_put(p->out, "<title>%u %s: error %s, %s</title>", (unsigned)c.node, c.op,
               xr_number(error, c.error), xr_role_words(c.role));
    xr_svg_close_mark(chart);
    if (i >= columns->inputs && i < columns->inputs + columns->layers &&
        xr_layer_cause(p->report, i - columns->inputs)) {
        xr_svg_mark(chart, XR_MARK_DOT, "named", x, judged ? xr_axis_at(axis, c.error) : chart->bottom,
                    size + 4);
        fputs("</path>\n", p->out);
    }
}

/* The column that the first error is about; else the first one that is wrong by itself; `count`: none. */
static size_t origin_column(const xr_page *p, const xr_columns *columns)
{
    const xr_outcome *o = p->report->outcome;
    for (size_t i = 0; i < o->shown_count && o->shown[i]->severity == EXRAY_SEVERITY_ERROR; i++) {
        size_t layer = o->shown[i]->layer;
        if (strncmp(o->shown[i]->cause, "layer.", 6) != 0 && strncmp(o->shown[i]->cause, "model.", 6) != 0)
            break;
        if (layer < columns->layers && !isnan(exray_comparison_layer(p->comparison, layer)->error))
            return columns->inputs + layer;
    }
    for (size_t i = 0; i < columns->count; i++) {
        xr_column c = xr_column_get(p->comparison, columns, i);
        if (c.role == EXRAY_LAYER_ROLE_ORIGINATES && !isnan(c.error))
            return i;
    }
    return columns->count;
}

/* A text above the plot, and a line down to the layer where the error begins. */
static void put_origin_label(const xr_page *p, const xr_columns *columns, const xr_chart *chart,
                             const xr_axis *axis)
{
    size_t i = origin_column(p, columns);
    if (i < columns->count) {
        xr_column c = xr_column_get(p->comparison, columns, i);
        xr_coordinate_text x, y0, y1;
        double at = xr_column_at(chart, columns->count, i);
        bool right = at < (chart->left + chart->right) / 2;
        xr_put(p->out, "<path class=\"leader\" d=\"M%s %sV%s\"/>\n", xr_coordinate(x, at),
               xr_coordinate(y0, chart->top - 16), xr_coordinate(y1, xr_axis_at(axis, c.error) - 9));
        xr_put(p->out, "<text class=\"origin-label %s\" x=\"%s\" y=\"%s\">", right ? "start" : "end",
               xr_coordinate(x, right ? at - 5 : at + 5), xr_coordinate(y0, chart->top - 22));
        if (c.node == EXRAY_NO_INDEX)
            fputs("begins with the model's input</text>\n", p->out);
        else
            xr_put(p->out, "begins here: %u %s</text>\n", (unsigned)c.node, c.op);
    }
}

static void put_error_chart(xr_page *p, const xr_columns *columns)
{
    xr_chart chart = {p->out, 1040, 392, 72, 52, 1028, 352};
    xr_axis axis = error_axis(p, columns, &chart);
    char description[200];
    size_t origins = 0, passing = 0;
    for (size_t i = 0; i < columns->layers; i++) {
        exray_layer_role role = exray_comparison_layer(p->comparison, i)->role;
        origins += role == EXRAY_LAYER_ROLE_ORIGINATES;
        passing += role == EXRAY_LAYER_ROLE_PROPAGATES;
    }
    snprintf(
        description, sizeof description,
        "%zu layers from left to right in execution order; %zu wrong by themselves, %zu pass an error on. "
        "The table below has the figures.",
        columns->layers, origins, passing);
    xr_svg_begin(&chart, "chart-error", "Error of each layer, logarithmic", description);
    xr_svg_value_axis(&chart, &axis, "");
    xr_svg_column_axis(&chart, columns->count, column_name, p);
    xr_svg_axis_titles(&chart, "error, in standard deviations of the reference", ACROSS);
    put_noise(p, columns, &chart, &axis);
    put_trend(p, columns, &chart, &axis);
    for (size_t i = 0; i < columns->count; i++)
        put_mark(p, columns, &chart, &axis, i);
    put_origin_label(p, columns, &chart, &axis);
    xr_put(p->out, "<path class=\"cursor\" d=\"M0 %gV%g\"/>\n", chart.top, chart.bottom);
    xr_svg_end(&chart);
}

/* ---- The ranges ---------------------------------------------------------------------------------- */

/* The values that the edge's tensor can hold; false: it is not quantized as a whole. */
bool xr_storable(const exray_comparison *c, const exray_layer_pair *l, double *low, double *high)
{
    const exray_tensor_info *t = xr_stored_tensor(c, l, EXRAY_SIDE_EDGE);
    if (!t || t->quantization.count != 1)
        return false;
    double least, greatest;
    switch (t->dtype) {
    case EXRAY_DTYPE_INT8:
        least = -128, greatest = 127;
        break;
    case EXRAY_DTYPE_UINT8:
        least = 0, greatest = 255;
        break;
    case EXRAY_DTYPE_INT16:
        least = -32768, greatest = 32767;
        break;
    default:
        return false;
    }
    double scale = (double)t->quantization.scale[0];
    double zero = t->quantization.zero_point ? (double)t->quantization.zero_point[0] : 0;
    *low = scale * (least - zero);
    *high = scale * (greatest - zero);
    return isfinite(*low) && isfinite(*high);
}

const exray_tensor_info *xr_stored_tensor(const exray_comparison *c, const exray_layer_pair *l,
                                          exray_side side)
{
    const exray_model *m = exray_log_model(exray_comparison_log(c, side));
    uint32_t output = side == EXRAY_SIDE_EDGE ? l->output : l->reference_output;
    if (!m || l->node[side] >= m->node_count || output >= m->nodes[l->node[side]].output_count)
        return NULL;
    uint32_t tensor = m->nodes[l->node[side]].outputs[output];
    return tensor < m->tensor_count ? &m->tensors[tensor] : NULL;
}

/* The greatest magnitude of a column's values on both sides; 0: none is known. */
static double magnitude(const exray_metrics *m)
{
    double most = 0;
    for (int s = 0; s < 2; s++) {
        most = isfinite(m->min[s]) ? fmax(most, fabs(m->min[s])) : most;
        most = isfinite(m->max[s]) ? fmax(most, fabs(m->max[s])) : most;
    }
    return most;
}

double xr_shown_magnitude(const exray_comparison *c, const xr_columns *columns, size_t *beyond)
{
    double *all = malloc((columns->count + 1) * sizeof *all), most = 0, limit = INFINITY;
    size_t known = 0;
    for (size_t i = 0; all && i < columns->count; i++) {
        double m = magnitude(xr_column_get(c, columns, i).metrics);
        if (m > 0)
            all[known++] = m;
    }
    if (known) {
        qsort(all, known, sizeof *all, xr_by_double);
        limit = fmax(FAR * all[known / 2], LARGE);
        for (size_t i = 0; i < known && all[i] <= limit; i++)
            most = all[i];
    }
    size_t further = 0;
    for (size_t i = 0; i < known; i++)
        further += all[i] > limit;
    free(all);
    if (beyond)
        *beyond = further;
    return further ? most : INFINITY;
}

static xr_axis range_axis(const xr_page *p, const xr_columns *columns, const xr_chart *chart)
{
    double low = 0, high = 0, reach = xr_shown_magnitude(p->comparison, columns, NULL);
    for (size_t i = 0; i < columns->count; i++) {
        const exray_metrics *m = xr_column_get(p->comparison, columns, i).metrics;
        for (int s = 0; s < 2; s++) {
            low = isfinite(m->min[s]) ? fmin(low, fmax(m->min[s], -reach)) : low;
            high = isfinite(m->max[s]) ? fmax(high, fmin(m->max[s], reach)) : high;
        }
    }
    if (!(high > low))
        high = 1;
    xr_scale scale = fmax(-low, high) > LARGE ? XR_SIGNED : XR_LINEAR;
    return (xr_axis){scale, low, high, chart->bottom, chart->top, 1, false};
}

static void put_range(const xr_page *p, const xr_chart *chart, const xr_axis *axis, double x, double width,
                      double low, double high, const char *css)
{
    xr_coordinate_text a, b, w, h;
    if (!isfinite(low) || !isfinite(high))
        return;
    double top = xr_axis_at(axis, high), bottom = xr_axis_at(axis, low);
    xr_put(chart->out, "<rect class=\"%s\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/>", css,
           xr_coordinate(a, x), xr_coordinate(b, top), xr_coordinate(w, fmax(width, 0.4)),
           xr_coordinate(h, fmax(bottom - top, 1)));
    (void)p;
}

/* An arrow at the end of the axis where a column's values lie beyond it. */
static void put_beyond(const xr_chart *chart, const xr_axis *axis, const xr_column *c, double at)
{
    xr_coordinate_text x, y;
    xr_number_text number;
    for (int up = 0; up < 2; up++) {
        const double *ends = up ? c->metrics->max : c->metrics->min;
        double end = up ? fmax(ends[0], ends[1]) : fmin(ends[0], ends[1]);
        if (!isfinite(end) || (up ? end <= axis->high : end >= axis->low))
            continue;
        xr_put(chart->out, "<path class=\"beyond\" d=\"M%s %s", xr_coordinate(x, at),
               xr_coordinate(y, up ? chart->top - 8 : chart->bottom + 8));
        xr_put(chart->out, up ? "l5 7h-10z\">" : "l5 -7h-10z\">");
        xr_put(chart->out, "<title>%s %s reaches %s</title></path>", c->op, c->name, xr_number(number, end));
    }
}

static void put_ranges(const xr_page *p, const xr_columns *columns, const xr_chart *chart,
                       const xr_axis *axis, size_t i)
{
    xr_column c = xr_column_get(p->comparison, columns, i);
    double width = xr_column_width(chart, columns->count), at = xr_column_at(chart, columns->count, i), low,
           high;
    double bar = fmin(width * 0.36, 9);
    if (c.layer && width > 4 && xr_storable(p->comparison, c.layer, &low, &high))
        put_range(p, chart, axis, at - bar - 1.5, 2 * bar + 3, fmax(low, axis->low), fmin(high, axis->high),
                  "bar storable");
    put_range(p, chart, axis, at - bar, bar - 0.3, c.metrics->min[EXRAY_SIDE_EDGE],
              c.metrics->max[EXRAY_SIDE_EDGE], "bar edge");
    put_range(p, chart, axis, at + 0.3, bar - 0.3, c.metrics->min[EXRAY_SIDE_REFERENCE],
              c.metrics->max[EXRAY_SIDE_REFERENCE], "bar reference");
    put_beyond(chart, axis, &c, at);
    fputc('\n', p->out);
}

static void put_range_chart(xr_page *p, const xr_columns *columns)
{
    xr_chart chart = {p->out, 1040, 252, 72, 28, 1028, 212};
    xr_axis axis = range_axis(p, columns, &chart);
    xr_svg_begin(
        &chart, "chart-range", "Range of each layer's values",
        "For each layer the smallest to the largest value of the edge and of the reference, side by side.");
    xr_svg_value_axis(&chart, &axis, "");
    xr_svg_column_axis(&chart, columns->count, column_name, p);
    xr_svg_axis_titles(&chart, "values, in the layer's own unit", ACROSS);
    for (size_t i = 0; i < columns->count; i++)
        put_ranges(p, columns, &chart, &axis, i);
    xr_put(p->out, "<path class=\"cursor\" d=\"M0 %gV%g\"/>\n", chart.top, chart.bottom);
    xr_svg_end(&chart);
}

/* ---- The section ------------------------------------------------------------------------------------- */

static void put_key(xr_page *p)
{
    static const struct {
        xr_mark mark;
        const char *css, *text;
    } keys[] = {{XR_MARK_DIAMOND, "mark origin", "wrong by itself"},
                {XR_MARK_TRIANGLE, "mark passes", "passes an error on"},
                {XR_MARK_DOT, "mark clean", "within noise"},
                {XR_MARK_CROSS, "mark unjudged", "not judged"},
                {XR_MARK_DOT, "named", "at fault by a finding, whatever its own error"}};
    xr_chart chart = {.out = p->out};
    fputs("<ul class=\"key\" aria-label=\"Marks of the chart\">", p->out);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        fputs("<li><svg viewBox=\"0 0 16 16\" width=\"16\" height=\"16\" aria-hidden=\"true\">", p->out);
        xr_svg_mark(&chart, keys[i].mark, keys[i].css, 8, 8, keys[i].mark == XR_MARK_DIAMOND ? 6 : 4);
        fputs("</path></svg>", p->out);
        xr_put(p->out, "%s</li>", keys[i].text);
    }
    fputs("<li><svg viewBox=\"0 0 32 16\" width=\"32\" height=\"16\" aria-hidden=\"true\"><path "
          "class=\"noise\" "
          "d=\"M0 8H32\"/></svg>noise floor: what data types and healthy inputs explain</li></ul>\n",
          p->out);
}

static bool has_values(const xr_page *p, const xr_columns *columns)
{
    for (size_t i = 0; i < columns->layers; i++)
        if (isfinite(exray_comparison_layer(p->comparison, i)->metrics.max[EXRAY_SIDE_EDGE]))
            return true;
    return false;
}

static void put_none(xr_page *p)
{
    char words[640];
    xr_scrubbed_words(p->comparison, words, sizeof words);
    if (*words)
        xr_put(p->out, "<p class=\"none\">Both logs have values of no layer in common: %s.</p>\n</section>\n",
               words);
    else
        fputs("<p class=\"none\">Both logs have values of no layer in common: record with <code>--capture "
              "stats</code> or more to see where an error begins.</p>\n</section>\n",
              p->out);
}

static void put_beyond_words(const xr_page *p, const xr_columns *columns)
{
    size_t beyond;
    xr_number_text number;
    double most = xr_shown_magnitude(p->comparison, columns, &beyond), end = 0;
    if (beyond == 0)
        return;
    for (size_t i = 0; i < columns->count; i++)
        end = fmax(end, magnitude(xr_column_get(p->comparison, columns, i).metrics));
    xr_put(p->out,
           "<p class=\"legend\">%zu %s further than the chart, up to a magnitude of %s (an arrow each): "
           "values as large often stand for infinity, as in a mask.",
           beyond, beyond == 1 ? "layer reaches" : "layers reach", xr_number(number, end));
    xr_put(p->out, " All others are within %s.</p>\n", xr_number(number, most));
}

void xr_html_layers(xr_page *p)
{
    xr_columns columns = xr_columns_of(p->comparison);
    fputs("<section id=\"layers\"><h2>Where the error is</h2>\n", p->out);
    if (!has_values(p, &columns)) {
        put_none(p);
        return;
    }
    fputs("<p>Error of each layer's output over the reference's standard deviation: lower is better, 1 is as "
          "large "
          "as the signal.</p>\n",
          p->out);
    put_key(p);
    put_error_chart(p, &columns);
    fputs("<p class=\"chart-name\">Range of values <span class=\"swatch edge\"></span> edge <span "
          "class=\"swatch "
          "reference\"></span> reference <span class=\"swatch storable\"></span> what the edge's type can "
          "hold</p>\n",
          p->out);
    put_range_chart(p, &columns);
    put_beyond_words(p, &columns);
    xr_put(p->out,
           "<div class=\"pick\" hidden><label for=\"pick\">Layer</label><input id=\"pick\" type=\"range\" "
           "min=\"0\" "
           "max=\"%zu\" value=\"0\" step=\"1\"></div>\n"
           "<div id=\"details\" class=\"details\" aria-live=\"polite\" hidden></div>\n</section>\n",
           columns.layers - 1);
}
