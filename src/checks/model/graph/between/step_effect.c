#include "checks/model/graph/between/step_effect.h"

#include "checks/model/graph/resize_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 2, MOST_SIDE = 2048 };
/* Of a tensor whose values are looked at; more are many planes of the same kind. */
#define MOST_RESULTS ((int64_t)1 << 19)

typedef struct effect_sums {
    double n, sum, square, moved, left, results;
} effect_sums;

static void add_values(effect_sums *s, double edge, double reference)
{
    s->n++;
    s->sum += reference;
    s->square += reference * reference;
    s->moved += (edge - reference) * (edge - reference);
}

/* ---- Planes ------------------------------------------------------------------------------- */

/* A tensor of four dimensions, as planes of rows and columns. */
typedef struct value_planes {
    const float *value;
    int64_t count, channels, rows, columns; /* count: of all samples and channels */
    int64_t row_stride, column_stride;
} value_planes;

static bool view_planes(const exray_tensor_info *info, bool channels_last, value_planes *out)
{
    if (!info || info->rank != 4)
        return false;
    const int64_t *n = info->shape;
    for (int d = 0; d < 4; d++)
        if (n[d] < 1 || n[d] > ((int64_t)1 << 24))
            return false;
    int64_t channels = n[channels_last ? 3 : 1];
    *out = (value_planes){
        NULL, n[0] * channels, channels, n[channels_last ? 1 : 2], n[channels_last ? 2 : 3], 0, 1};
    out->column_stride = channels_last ? channels : 1;
    out->row_stride = out->columns * out->column_stride;
    return out->count <= ((int64_t)1 << 31) && out->rows <= MOST_SIDE && out->columns <= MOST_SIDE;
}

/* The first value of a plane. */
static const float *plane_at(const value_planes *p, int64_t plane)
{
    int64_t each = p->rows * p->columns, channel = plane % p->channels;
    return p->value + (plane - channel) * each + channel * (p->column_stride == 1 ? each : 1);
}

static double value_at(const value_planes *p, const float *plane, int64_t row, int64_t column)
{
    return plane[row * p->row_stride + column * p->column_stride];
}

/* ---- Ways ------------------------------------------------------------------------------------ */

typedef struct pool_window {
    double kernel[2], stride[2], dilation[2], pad[4];
    bool counted, most;
} pool_window;

/* How one side makes its result of planes. */
typedef struct step_way {
    bool resize;
    double *place[2]; /* of a resize: for each row, each column of the result */
    pool_window pool;
} step_way;

static void free_way(step_way *w)
{
    for (int d = 0; d < 2; d++)
        free(w->place[d]);
}

static bool resize_way(const xr_step_graph *g, const xr_op_step *step, const value_planes *in,
                       const value_planes *out, step_way *w)
{
    xr_resize_way how =
        xr_resize_way_of(step->node, g->model->engine && strstr(g->model->engine, "torch") != NULL);
    bool wider = xr_attribute_flag(step->node, "antialias", false);
    if (!how.known || wider || (strcmp(how.mode, "linear") != 0 && strcmp(how.mode, "nearest") != 0))
        return false;
    w->resize = true;
    for (int d = 0; d < 2; d++) {
        int64_t from = d ? in->columns : in->rows, to = d ? out->columns : out->rows;
        w->place[d] = calloc((size_t)to + 1, sizeof *w->place[d]);
        if (!w->place[d] ||
            xr_resize_places(&how, (double)from, (double)to, w->place[d], (size_t)to) != (size_t)to)
            return false;
    }
    return true;
}

static const xr_trait *trait_of(const xr_traits *traits, const char *key, size_t count)
{
    const xr_trait *trait = xr_trait_of(traits, key);
    return trait && trait->count == count ? trait : NULL;
}

static bool pool_way(const xr_op_step *step, const xr_traits *traits, step_way *w)
{
    const xr_trait *kernel = trait_of(traits, "kernel_shape", 2), *stride = trait_of(traits, "strides", 2),
                   *dilation = trait_of(traits, "dilations", 2), *pads = trait_of(traits, "pads", 4),
                   *counted = trait_of(traits, "count_include_pad", 1);
    bool average = strcmp(step->word, "average pool") == 0;
    if (!kernel || !stride || !dilation || !pads || (!average && strcmp(step->word, "max pool") != 0))
        return false;
    memcpy(w->pool.kernel, kernel->number, sizeof w->pool.kernel);
    memcpy(w->pool.stride, stride->number, sizeof w->pool.stride);
    memcpy(w->pool.dilation, dilation->number, sizeof w->pool.dilation);
    memcpy(w->pool.pad, pads->number, sizeof w->pool.pad);
    w->pool.most = !average;
    w->pool.counted = counted && counted->number[0] != 0;
    return w->pool.kernel[0] >= 1 && w->pool.kernel[1] >= 1 && w->pool.kernel[0] * w->pool.kernel[1] <= 4096;
}

static double resized(const step_way *w, const value_planes *in, const float *plane, int64_t row,
                      int64_t column)
{
    double y = fmin(fmax(w->place[0][row], 0), (double)in->rows - 1),
           x = fmin(fmax(w->place[1][column], 0), (double)in->columns - 1);
    int64_t top = (int64_t)y, left = (int64_t)x;
    int64_t bottom = top + 1 < in->rows ? top + 1 : top, right = left + 1 < in->columns ? left + 1 : left;
    double down = y - (double)top, aside = x - (double)left;
    return (1 - down) *
               ((1 - aside) * value_at(in, plane, top, left) + aside * value_at(in, plane, top, right)) +
           down *
               ((1 - aside) * value_at(in, plane, bottom, left) + aside * value_at(in, plane, bottom, right));
}

static double pooled(const pool_window *w, const value_planes *in, const float *plane, int64_t row,
                     int64_t column)
{
    double sum = 0, count = 0, rim = 0, most = -INFINITY;
    for (int64_t i = 0; i < (int64_t)w->kernel[0]; i++)
        for (int64_t k = 0; k < (int64_t)w->kernel[1]; k++) {
            double y = (double)row * w->stride[0] - w->pad[0] + (double)i * w->dilation[0],
                   x = (double)column * w->stride[1] - w->pad[1] + (double)k * w->dilation[1];
            if (y >= 0 && x >= 0 && y < (double)in->rows && x < (double)in->columns) {
                double value = value_at(in, plane, (int64_t)y, (int64_t)x);
                sum += value;
                most = fmax(most, value);
                count++;
            } else if (y < (double)in->rows + w->pad[2] && x < (double)in->columns + w->pad[3])
                rim++;
        }
    if (w->most)
        return count > 0 ? most : 0;
    count += w->counted ? rim : 0;
    return count > 0 ? sum / count : 0;
}

static double made(const step_way *w, const value_planes *in, const float *plane, int64_t row, int64_t column)
{
    return w->resize ? resized(w, in, plane, row, column) : pooled(&w->pool, in, plane, row, column);
}

/* ---- Both ways -------------------------------------------------------------------------------- */

/* What the edge recorded of what its step reads: the tensor itself, or as the node has it. */
static const float *read_input(xr_step_values *v, const xr_op_step *step, size_t frame, uint64_t *count,
                               const exray_tensor_info **info)
{
    uint32_t tensors[2] = {step->input[0], step->node->input_count ? step->node->inputs[0] : step->input[0]};
    for (int i = 0; i < 2; i++) {
        const float *value = xr_step_values_read(v, 0, tensors[i], frame, count);
        *info = xr_step_graph_info(&v->match->side[0], tensors[i]);
        if (value && *info)
            return value;
    }
    return NULL;
}

static void add_planes(const step_way w[2], const value_planes *in, const value_planes *out, effect_sums *s)
{
    int64_t each = out->rows * out->columns, most = MOST_RESULTS / each > 0 ? MOST_RESULTS / each : 1;
    for (int64_t plane = 0; plane < out->count && plane < most; plane++) {
        const float *from = plane_at(in, plane), *to = out->value ? plane_at(out, plane) : NULL;
        for (int64_t row = 0; row < out->rows; row++)
            for (int64_t column = 0; column < out->columns; column++) {
                double edge = made(&w[0], in, from, row, column),
                       reference = made(&w[1], in, from, row, column);
                if (!isfinite(edge) || !isfinite(reference))
                    continue;
                add_values(s, edge, reference);
                if (!to)
                    continue;
                double off = value_at(out, to, row, column) - edge;
                s->left += isfinite(off) ? off * off : 0;
                s->results++;
            }
    }
}

static bool add_frame_of_planes(xr_step_values *v, const xr_op_step *const step[2], const xr_traits traits[2],
                                size_t frame, effect_sums *s)
{
    uint64_t count, results;
    const exray_tensor_info *info;
    const float *value = read_input(v, step[0], frame, &count, &info);
    bool last = xr_step_layout(&v->match->side[0], step[0]) == XR_CHANNELS_LAST;
    value_planes in, out;
    step_way w[2] = {{0}, {0}};
    if (!value || !view_planes(info, last, &in) ||
        !view_planes(xr_step_graph_info(&v->match->side[0], step[0]->output), last, &out) ||
        in.count != out.count || count != (uint64_t)(in.count * in.rows * in.columns))
        return false;
    float *kept = malloc((size_t)count * sizeof *kept); /* the slot is read into again */
    bool ok = kept != NULL;
    if (ok)
        memcpy(kept, value, (size_t)count * sizeof *kept);
    in.value = kept;
    for (int k = 0; ok && k < 2; k++)
        ok = step[k]->kind == XR_STEP_RESIZE
                 ? resize_way(&v->match->side[k], step[k], &in, &out, &w[k])
                 : step[k]->kind == XR_STEP_POOL && pool_way(step[k], &traits[k], &w[k]);
    if (ok) {
        out.value = xr_step_values_read(v, 0, step[0]->output, frame, &results);
        if (out.value && results != (uint64_t)(out.count * out.rows * out.columns))
            out.value = NULL;
        add_planes(w, &in, &out, s);
    }
    for (int k = 0; k < 2; k++)
        free_way(&w[k]);
    free(kept);
    return ok;
}

/* ---- Normalizations ---------------------------------------------------------------------------- */

/* How many neighbors are normalized together; 0: unknown. */
static uint64_t row_of(const xr_step_values *v, const xr_op_step *step, const exray_tensor_info *info,
                       uint64_t count)
{
    bool first = xr_step_layout(&v->match->side[0], step) == XR_CHANNELS_FIRST;
    double axis = xr_attribute_number(step->node, "axis", -1), groups = step->groups;
    uint64_t samples = info->rank && info->shape[0] > 0 ? (uint64_t)info->shape[0] : 0, row = 1;
    if (strcmp(step->word, "layer norm") == 0 || strcmp(step->word, "rms norm") == 0) {
        axis += axis < 0 ? info->rank : 0;
        for (uint32_t d = axis >= 0 && axis < info->rank ? (uint32_t)axis : info->rank; d < info->rank; d++)
            row *= info->shape[d] > 0 ? (uint64_t)info->shape[d] : 1;
        return row;
    }
    if (!first || samples == 0 || info->rank < 3 || info->shape[1] < 1)
        return 0;
    if (strcmp(step->word, "instance norm") == 0)
        groups = (double)info->shape[1];
    else if (strcmp(step->word, "group norm") == 0 && !(groups > 0))
        groups = xr_attribute_number(step->node, "num_groups", 0);
    else if (strcmp(step->word, "group norm") != 0)
        return 0;
    return groups >= 1 && groups < 1e6 ? count / samples / (uint64_t)groups : 0;
}

/* What a normalization multiplies its result with and adds to it. */
typedef struct norm_scale {
    double *value[2];
    uint64_t count[2]; /* 0: nothing */
    bool known;
} norm_scale;

static void read_scale(xr_model_constants *constants, const xr_op_step *step, uint64_t row, uint64_t channels,
                       norm_scale *out)
{
    out->known = step->constant_count <= 2;
    for (uint32_t k = 0; k < 2 && k < step->constant_count; k++) {
        uint64_t room = row > channels ? row : channels, n;
        out->value[k] = room < ((uint64_t)1 << 24) ? calloc(room + 1, sizeof *out->value[k]) : NULL;
        n = out->value[k] ? xr_model_constants_values(constants, step->constant[k], out->value[k], room) : 0;
        out->count[k] = n == row || n == channels ? n : 0;
        out->known = out->known && out->count[k] > 0;
    }
}

/* Place i of the tensor, which is place `within` of its row. */
static double scaled(const norm_scale *s, double x, uint64_t within, uint64_t row, uint64_t channel)
{
    double part[2] = {1, 0};
    for (int k = 0; k < 2; k++)
        if (s->count[k])
            part[k] = s->value[k][s->count[k] == row ? within : channel];
    return x * part[0] + part[1];
}

typedef struct norm_frame {
    const float *value, *made; /* made: NULL: not recorded */
    uint64_t count, row, channels, plane;
    bool centered;
    norm_scale scale;
} norm_frame;

/* Other small numbers beside the variance. */
static void add_rows(const norm_frame *n, const double epsilon[2], effect_sums *s)
{
    for (uint64_t r = 0; r < n->count; r += n->row) {
        const float *x = n->value + r;
        double mean = 0, square = 0;
        for (uint64_t i = 0; i < n->row && n->centered; i++)
            mean += x[i] / (double)n->row;
        for (uint64_t i = 0; i < n->row; i++)
            square += (x[i] - mean) * (x[i] - mean) / (double)n->row;
        double edge = 1 / sqrt(square + epsilon[0]), reference = 1 / sqrt(square + epsilon[1]);
        for (uint64_t i = 0; isfinite(edge) && isfinite(reference) && i < n->row; i++) {
            uint64_t channel = (r + i) / n->plane % n->channels;
            double own = scaled(&n->scale, (x[i] - mean) * edge, i, n->row, channel);
            add_values(s, own, scaled(&n->scale, (x[i] - mean) * reference, i, n->row, channel));
            if (!n->made || !n->scale.known)
                continue;
            double off = n->made[r + i] - own;
            s->left += isfinite(off) ? off * off : 0;
            s->results++;
        }
    }
}

static bool add_frame_of_norms(xr_step_values *v, xr_model_constants *constants, const xr_op_step *step,
                               const double epsilon[2], size_t frame, effect_sums *s)
{
    norm_frame n = {.centered = strcmp(step->word, "rms norm") != 0, .channels = 1, .plane = 1};
    const exray_tensor_info *info;
    uint64_t results;
    const float *value = read_input(v, step, frame, &n.count, &info);
    n.row = value ? row_of(v, step, info, n.count) : 0;
    if (n.row == 0 || n.count % n.row)
        return false;
    if (info->rank > 2 && info->shape[0] > 0 && info->shape[1] > 0 && (uint64_t)info->shape[0] <= n.count &&
        (uint64_t)info->shape[1] <= n.count / (uint64_t)info->shape[0]) {
        n.channels = (uint64_t)info->shape[1];
        n.plane = n.count / (uint64_t)info->shape[0] / n.channels;
    }
    float *kept = malloc((size_t)n.count * sizeof *kept); /* the slot is read into again */
    if (!kept)
        return false;
    memcpy(kept, value, (size_t)n.count * sizeof *kept);
    n.value = kept;
    n.made = xr_step_values_read(v, 0, step->output, frame, &results);
    if (n.made && results != n.count)
        n.made = NULL;
    read_scale(constants, step, n.row, n.channels, &n.scale);
    add_rows(&n, epsilon, s);
    for (int k = 0; k < 2; k++)
        free(n.scale.value[k]);
    free(kept);
    return true;
}

/* ---- All ----------------------------------------------------------------------------------------- */

static bool has_activation(const exray_node *node)
{
    const char *fused = exray_node_attribute(node, "fused_activation_function");
    return fused && strcmp(fused, "NONE") != 0;
}

bool xr_step_effect_of(xr_step_values *v, xr_step_match *match, const uint32_t pair[2],
                       const xr_traits traits[2], xr_step_effect *out)
{
    const xr_op_step *step[2] = {&match->side[0].step[pair[0]], &match->side[1].step[pair[1]]};
    const xr_trait *epsilon[2] = {trait_of(&traits[0], "epsilon", 1), trait_of(&traits[1], "epsilon", 1)};
    bool norm = step[0]->kind == XR_STEP_NORM, known = false;
    effect_sums s = {0};
    if (step[0]->kind != step[1]->kind || step[0]->input_count == 0 || has_activation(step[0]->node) ||
        has_activation(step[1]->node) || (norm && (!epsilon[0] || !epsilon[1])))
        return false;
    size_t frames = exray_comparison_frame_count(v->comparison);
    for (size_t f = 0; f < frames && f < MOST_FRAMES; f++) {
        bool ok =
            norm ? add_frame_of_norms(v, &match->side[0].constants, step[0],
                                      (const double[2]){epsilon[0]->number[0], epsilon[1]->number[0]}, f, &s)
                 : add_frame_of_planes(v, step, traits, f, &s);
        known = known || ok;
    }
    double deviation = s.n > 0 ? sqrt(fmax(s.square / s.n - s.sum / s.n * (s.sum / s.n), 0)) : 0;
    if (!known || !(deviation > 0))
        return false;
    *out = (xr_step_effect){sqrt(s.moved / s.n) / deviation,
                            s.results > 0 ? sqrt(s.left / s.results) / deviation : NAN};
    return true;
}
