/* What the script shows of a layer: one compact JSON object each. It does not repeat the table, except what
 * the details show beside it. */
#include "report/html/html_layers.h"

#include "compare/compare.h"
#include "compare/match/shapes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BINS = 40,
    FRAMES_READ = 4,     /* evenly taken */
    PIXELS_READ = 4096,  /* per channel and frame, evenly spaced */
    CHANNELS_SHOWN = 96, /* bars; of more channels, each bar is the worst of its group */
    CHANNELS_MOST = 1 << 16,
    QUANTIZATION_SHOWN = 3, /* scales that are listed one by one */
};

/* ---- Where the channels lie --------------------------------------------------------------- */

/* Element (pixel, channel) is at (batch * channels + channel) * area + pixel where channels come
 * first, else at pixel * channels + channel. */
typedef struct grid {
    uint64_t channels, area, pixels;
    bool first;
} grid;

static bool is_channels_first(const exray_comparison *c, exray_side side, const exray_tensor_info *info)
{
    if (info->layout && *info->layout)
        return strncmp(info->layout, "NC", 2) == 0 || strcmp(info->layout, "CHW") == 0;
    const exray_model *m = exray_log_model(exray_comparison_log(c, side));
    return m && m->engine && strcmp(m->engine, "onnxruntime") == 0;
}

static bool grid_of(const exray_tensor_view *view, bool first, grid *g)
{
    int64_t shape[EXRAY_MAX_RANK];
    uint32_t rank = xr_squeeze(&view->info, shape);
    if (rank == 0 || view->count == 0)
        return false;
    first = first && rank >= 3 && rank <= 4;
    int64_t channels = first ? shape[rank - 3] : shape[rank - 1];
    if (channels <= 0 || channels > CHANNELS_MOST || view->count % (uint64_t)channels)
        return false;
    uint64_t area = 1;
    if (first)
        area = (uint64_t)shape[rank - 2] * (uint64_t)shape[rank - 1];
    *g = (grid){(uint64_t)channels, area, view->count / (uint64_t)channels, first};
    return !first || (area > 0 && g->pixels % area == 0);
}

static uint64_t place(const grid *g, uint64_t pixel, uint64_t channel)
{
    return g->first ? (pixel / g->area * g->channels + channel) * g->area + pixel % g->area
                    : pixel * g->channels + channel;
}

/* ---- Reading ------------------------------------------------------------------------------- */

typedef struct profile {
    bool known, by_channel;
    double low, high;
    uint64_t bin[2][BINS], total[2];
    double *square; /* [channels] of differences */
    uint64_t *count;
    uint64_t channels;
} profile;

static void count_value(profile *f, int side, double v)
{
    if (!isfinite(v) || v < f->low || v > f->high)
        return;
    double x = (v - f->low) / (f->high - f->low) * BINS;
    size_t bin = x < 0 ? 0 : x >= BINS ? BINS - 1 : (size_t)x;
    f->bin[side][bin]++;
    f->total[side]++;
}

static bool make_channels(profile *f, uint64_t channels)
{
    if (f->channels)
        return f->square && f->count && f->channels == channels;
    f->square = calloc((size_t)channels, sizeof *f->square);
    f->count = calloc((size_t)channels, sizeof *f->count);
    f->channels = channels;
    return f->square && f->count;
}

/* Both sides' values of one frame. */
static void add_frame(profile *f, const grid g[2], bool same, const float *const values[2])
{
    uint64_t step = g[0].pixels / PIXELS_READ + 1;
    for (uint64_t pixel = 0; pixel < g[0].pixels; pixel += step)
        for (uint64_t c = 0; c < g[0].channels; c++) {
            double v[2];
            v[0] = xr_value_at(values[0], place(&g[0], pixel, c));
            v[1] = same ? xr_value_at(values[1], place(&g[1], pixel, c)) : NAN;
            double d = v[0] - v[1];
            count_value(f, 0, v[0]);
            if (same)
                count_value(f, 1, v[1]);
            if (f->by_channel && isfinite(d)) {
                f->square[c] += d * d;
                f->count[c]++;
            }
        }
}

static void read_frame(xr_page *p, size_t i, size_t frame, profile *f)
{
    exray_tensor_view view[2];
    const float *values[2];
    grid g[2];
    exray_error error;
    for (int s = 0; s < 2; s++)
        if (exray_comparison_values(p->comparison, (exray_side)s, frame, EXRAY_KIND_LAYER, i, p->slot[s],
                                    &view[s], &values[s], &error) != EXRAY_OK)
            return;
    xr_layout_match match =
        xr_comparison_layout(p->comparison, EXRAY_KIND_LAYER, i, &view[0].info, &view[1].info);
    bool first[2] = {match == XR_LAYOUT_EDGE_FIRST, match == XR_LAYOUT_EDGE_LAST};
    if (match == XR_LAYOUT_SAME)
        first[0] = first[1] = is_channels_first(p->comparison, EXRAY_SIDE_EDGE, &view[0].info);
    if (!grid_of(&view[0], first[0], &g[0]) || !grid_of(&view[1], first[1], &g[1]))
        return;
    bool same = match != XR_LAYOUT_NONE && match != XR_LAYOUT_SWAPPED && view[0].count == view[1].count &&
                g[0].channels == g[1].channels;
    f->by_channel = same && make_channels(f, g[0].channels);
    f->known = true;
    add_frame(f, g, same, values);
}

/* reach: the magnitude up to which values count. */
static void read_profile(xr_page *p, size_t i, double reach, profile *f)
{
    const exray_layer_pair *l = exray_comparison_layer(p->comparison, i);
    size_t frames = exray_comparison_frame_count(p->comparison);
    size_t read = frames < FRAMES_READ ? frames : FRAMES_READ;
    *f = (profile){.low = fmax(fmin(l->metrics.min[0], l->metrics.min[1]), -reach),
                   .high = fmin(fmax(l->metrics.max[0], l->metrics.max[1]), reach)};
    if (l->from_stats || l->from_sketch || l->problem || !isfinite(f->low) || !isfinite(f->high) ||
        !(f->high > f->low))
        return;
    for (size_t k = 0; k < read; k++)
        read_frame(p, i, frames * k / read, f);
}

/* ---- Writing ------------------------------------------------------------------------------------ */

/* Shares of the largest bin of both, 0..999. */
static void put_bins(xr_page *p, const profile *f)
{
    double most = 0;
    for (int s = 0; s < 2; s++)
        for (size_t b = 0; b < BINS && f->total[s]; b++)
            most = fmax(most, (double)f->bin[s][b] / (double)f->total[s]);
    fputs(",\"h\":{\"lo\":", p->out);
    xr_put_json_number(p->out, f->low, 4);
    fputs(",\"hi\":", p->out);
    xr_put_json_number(p->out, f->high, 4);
    for (int s = 0; s < 2; s++) {
        fprintf(p->out, ",\"%c\":[", s ? 'r' : 'e');
        for (size_t b = 0; b < BINS && f->total[s] && most > 0; b++)
            fprintf(p->out, b ? ",%d" : "%d",
                    (int)lround(999 * (double)f->bin[s][b] / (double)f->total[s] / most));
        fputc(']', p->out);
    }
    fputc('}', p->out);
}

static double channel_error(const profile *f, uint64_t c, double std)
{
    return f->count[c] ? sqrt(f->square[c] / (double)f->count[c]) / std : 0;
}

static void put_channels(xr_page *p, const profile *f, double std)
{
    uint64_t bars = f->channels < CHANNELS_SHOWN ? f->channels : CHANNELS_SHOWN, worst = 0;
    fprintf(p->out, ",\"c\":{\"n\":%llu,\"v\":[", (unsigned long long)f->channels);
    for (uint64_t b = 0; b < bars; b++) {
        double most = 0;
        for (uint64_t c = f->channels * b / bars; c < f->channels * (b + 1) / bars; c++) {
            most = fmax(most, channel_error(f, c, std));
            if (channel_error(f, c, std) > channel_error(f, worst, std))
                worst = c;
        }
        if (b)
            fputc(',', p->out);
        xr_put_json_number(p->out, most, 3);
    }
    fprintf(p->out, "],\"w\":%llu}", (unsigned long long)worst);
}

static void put_quantization(FILE *out, const exray_tensor_info *t)
{
    char text[256];
    const exray_quantization *q = &t->quantization;
    int used = snprintf(text, sizeof text, "%s", exray_dtype_name(t->dtype));
    for (uint32_t i = 0; i < q->count && i < QUANTIZATION_SHOWN && used > 0 && (size_t)used < sizeof text;
         i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s scale %.4g, zero point %lld",
                         i ? ";" : ",", (double)q->scale[i], q->zero_point ? (long long)q->zero_point[i] : 0);
    if (q->count > QUANTIZATION_SHOWN && used > 0 && (size_t)used < sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, "; ... %u along axis %u", (unsigned)q->count,
                 (unsigned)q->axis);
    xr_put_json_text(out, text);
}

static void put_shape(FILE *out, const exray_tensor_info *t)
{
    char text[128];
    int used = snprintf(text, sizeof text, "[");
    for (uint32_t i = 0; i < t->rank && i < EXRAY_MAX_RANK && used > 0 && (size_t)used < sizeof text; i++)
        used +=
            snprintf(text + used, sizeof text - (size_t)used, i ? ", %lld" : "%lld", (long long)t->shape[i]);
    if (used > 0 && (size_t)used < sizeof text)
        snprintf(text + used, sizeof text - (size_t)used, "]");
    xr_put_json_text(out, text);
}

static void put_side(xr_page *p, const exray_layer_pair *l, exray_side side)
{
    const exray_tensor_info *t = xr_stored_tensor(p->comparison, l, side);
    const exray_metrics *m = &l->metrics;
    const double values[] = {m->min[side], m->max[side], m->mean[side], m->std[side]};
    fprintf(p->out, "{\"i\":%u,\"n\":", (unsigned)l->node[side]);
    xr_put_json_text(p->out, l->name[side]);
    fputs(",\"op\":", p->out);
    xr_put_json_text(p->out, l->op[side]);
    fputs(",\"v\":[", p->out);
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
        if (k)
            fputc(',', p->out);
        xr_put_json_number(p->out, values[k], 4);
    }
    fprintf(p->out, "],\"bad\":%llu", (unsigned long long)m->nan_count[side] + m->inf_count[side]);
    if (t) {
        fputs(",\"q\":", p->out);
        put_quantization(p->out, t);
        fputs(",\"s\":", p->out);
        put_shape(p->out, t);
    }
    fputc('}', p->out);
}

static void put_numbers(xr_page *p, const exray_layer_pair *l)
{
    const exray_metrics *m = &l->metrics;
    const struct {
        const char *key;
        double value;
    } numbers[] = {{"e", l->error},       {"lo", l->error_low},     {"hi", l->error_high}, {"no", l->noise},
                   {"nr", m->nrmse},      {"co", m->cosine},        {"ma", m->max_abs},    {"sq", m->sqnr_db},
                   {"own", l->own_noise}, {"is", l->isolated_error}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (isnan(numbers[i].value))
            continue;
        fprintf(p->out, ",\"%s\":", numbers[i].key);
        xr_put_json_number(p->out, numbers[i].value, numbers[i].key[0] == 'c' ? 6 : 4);
    }
}

static void put_layer(xr_page *p, size_t i, double reach)
{
    const exray_layer_pair *l = exray_comparison_layer(p->comparison, i);
    profile f;
    fputs("{\"s\":[", p->out);
    put_side(p, l, EXRAY_SIDE_EDGE);
    fputc(',', p->out);
    put_side(p, l, EXRAY_SIDE_REFERENCE);
    fprintf(p->out, "],\"r\":\"%s\",\"rw\":\"%s\",\"by\":", xr_role_class(l->role), xr_role_words(l->role));
    xr_put_json_text(p->out, l->matched_by);
    fprintf(p->out, ",\"n\":%llu", (unsigned long long)l->metrics.count);
    put_numbers(p, l);
    if (l->problem) {
        fputs(",\"p\":", p->out);
        xr_put_json_text(p->out, l->problem);
    }
    if (l->from_sketch || l->from_stats)
        fprintf(p->out, ",\"from\":\"%s\"", l->from_sketch ? "sketches" : "statistics");
    read_profile(p, i, reach, &f);
    if (f.known)
        put_bins(p, &f);
    if (f.known && f.by_channel && f.channels > 1 && l->metrics.std[EXRAY_SIDE_REFERENCE] > 0)
        put_channels(p, &f, l->metrics.std[EXRAY_SIDE_REFERENCE]);
    free(f.square);
    free(f.count);
    fputc('}', p->out);
}

void xr_html_data(xr_page *p)
{
    xr_columns columns = xr_columns_of(p->comparison);
    double reach = xr_shown_magnitude(p->comparison, &columns, NULL);
    fprintf(p->out,
            "<script type=\"application/json\" "
            "id=\"data\">{\"columns\":%zu,\"inputs\":%zu,\"frames\":%d,\"layers\":[\n",
            columns.count, columns.inputs, FRAMES_READ);
    for (size_t i = 0; i < columns.layers; i++) {
        put_layer(p, i, reach);
        fputs(i + 1 < columns.layers ? ",\n" : "\n", p->out);
    }
    fputs("]}</script>\n", p->out);
}
