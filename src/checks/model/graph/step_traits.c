#include "checks/model/graph/step_traits.h"

#include "checks/model/channel_order.h"
#include "checks/model/graph/join/step_groups.h"
#include "checks/model/graph/join/step_softmax.h"
#include "checks/model/graph/recurrent_traits.h"

#include "checks/model/graph/resize_map.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Layouts --------------------------------------------------------------------------- */

static bool is_engine(const xr_step_graph *g, const char *name)
{
    return g->model->engine && strstr(g->model->engine, name);
}

xr_layout_of xr_step_layout(const xr_step_graph *g, const xr_op_step *step)
{
    if (step->node->op &&
        (strncmp(step->node->op, "Nhwc", 4) == 0 || xr_attribute_flag(step->node, "channels_last", false)))
        return XR_CHANNELS_LAST;
    if (xr_has_channels_last(g->model))
        return XR_CHANNELS_LAST;
    return is_engine(g, "onnx") || is_engine(g, "torch") ? XR_CHANNELS_FIRST : XR_LAYOUT_UNKNOWN;
}

/* Of an axis of a tensor with channels: its number where the channels are the second dimension, whatever
 * order the tensor is stored in.  NAN: unknown. */
static double axis_first(const exray_tensor_info *info, double axis, xr_layout_of layout)
{
    if (!info || info->rank == 0 || layout == XR_LAYOUT_UNKNOWN || axis != floor(axis))
        return NAN;
    double rank = info->rank;
    axis = axis < 0 ? axis + rank : axis;
    if (axis < 0 || axis >= rank)
        return NAN;
    if (layout == XR_CHANNELS_FIRST || info->rank < 3 || axis == 0)
        return axis;
    return axis == rank - 1 ? 1 : axis + 1;
}

static const exray_tensor_info *input_info(const xr_step_graph *g, const xr_op_step *step)
{
    const exray_tensor_info *info = step->input_count ? xr_step_graph_info(g, step->input[0]) : NULL;
    return info && info->rank ? info : NULL;
}

static const exray_tensor_info *output_info(const xr_step_graph *g, const xr_op_step *step)
{
    const exray_tensor_info *info = xr_step_graph_info(g, step->output);
    /* A core with a fused activation has the shape of the node's own output. */
    if (!info && step->node->output_count)
        info = xr_step_graph_info(g, step->node->outputs[0]);
    return info && info->rank ? info : NULL;
}

/* Rows and columns of a tensor of four dimensions; NAN: unknown. */
static void sizes_of(const exray_tensor_info *info, xr_layout_of layout, double size[2])
{
    size[0] = size[1] = NAN;
    if (!info || info->rank != 4 || layout == XR_LAYOUT_UNKNOWN)
        return;
    for (int d = 0; d < 2; d++) {
        int64_t n = info->shape[d + (layout == XR_CHANNELS_FIRST ? 2 : 1)];
        size[d] = n > 0 ? (double)n : NAN;
    }
}

/* ---- Windows: convolutions and pools -------------------------------------------------------- */

/* Two numbers from an attribute of one or two, or from two attributes; `otherwise` where there is none. */
static void two_numbers(const exray_node *node, const char *both, const char *rows, const char *columns,
                        double otherwise, double out[2])
{
    double found[2];
    size_t count = both ? xr_attribute_numbers(node, both, found, 2) : 0;
    out[0] = count > 0 ? found[0] : xr_attribute_number(node, rows, otherwise);
    out[1] = count > 1 ? found[1] : count == 1 ? found[0] : xr_attribute_number(node, columns, otherwise);
}

typedef struct window {
    bool line; /* along one dimension, which is the first here; the other is left alone */
    double kernel[2], stride[2], dilation[2], pad[4]; /* top, left, bottom, right */
} window;

static const exray_tensor_info *weights_of(const xr_step_graph *g, const xr_op_step *step)
{
    return step->constant_count ? xr_step_graph_info(g, step->constant[0]) : NULL;
}

static void kernel_size(const xr_step_graph *g, const xr_op_step *step, double out[2])
{
    const exray_node *node = step->node;
    const exray_tensor_info *w = weights_of(g, step);
    double found[2];
    out[0] = out[1] = NAN;
    size_t count = xr_attribute_numbers(node, "kernel_shape", found, 2);
    if (!count)
        count = xr_attribute_numbers(node, "kernel_size", found, 2);
    if (!count)
        count = xr_attribute_numbers(node, "pool_size", found, 2);
    if (count) {
        out[0] = found[0];
        out[1] = count > 1 ? found[1] : found[0];
    } else if (exray_node_attribute(node, "filter_height")) {
        out[0] = xr_attribute_number(node, "filter_height", NAN);
        out[1] = xr_attribute_number(node, "filter_width", NAN);
    } else if (step->kind != XR_STEP_POOL && w && w->rank == 4)
        sizes_of(w,
                 is_engine(g, "keras") || is_engine(g, "tensorflow") ? XR_LAYOUT_UNKNOWN
                 : xr_has_channels_last(g->model)                    ? XR_CHANNELS_LAST
                                                                     : XR_CHANNELS_FIRST,
                 out);
}

/* Whether a window slides along one dimension alone, of a tensor of three. */
static bool is_line(const xr_step_graph *g, const xr_op_step *step)
{
    const exray_tensor_info *info = step->kind == XR_STEP_POOL ? input_info(g, step) : weights_of(g, step);
    double kernel[2];
    return info && info->rank == 3 && (!xr_has_channels_last(g->model) || is_engine(g, "keras")) &&
           xr_attribute_numbers(step->node, "kernel_shape", kernel, 2) <= 1 &&
           xr_attribute_numbers(step->node, "kernel_size", kernel, 2) <= 1;
}

/* The sizes that a window slides along. */
static void window_sizes(const xr_step_graph *g, const xr_op_step *step, const window *w,
                         const exray_tensor_info *info, double size[2])
{
    sizes_of(info, xr_step_layout(g, step), size);
    const int along = xr_step_layout(g, step) == XR_CHANNELS_LAST ? 1 : 2;
    if (w->line && info && info->rank == 3 && xr_step_layout(g, step) != XR_LAYOUT_UNKNOWN &&
        info->shape[along] > 0)
        size[0] = (double)info->shape[along];
}

/* What SAME adds in one dimension, before and behind. */
static void same_padding(double in, double out, double kernel, double stride, double dilation,
                         bool more_before, double *before, double *behind)
{
    double count = isnan(out) ? ceil(in / stride) : out;
    double total = fmax(0, (count - 1) * stride + (kernel - 1) * dilation + 1 - in);
    double less = floor(total / 2);
    *before = more_before ? total - less : less;
    *behind = total - *before;
}

static bool starts_with(const char *text, const char *with)
{
    for (; text && *with; text++, with++)
        if (tolower((unsigned char)*text) != *with)
            return false;
    return text != NULL;
}

static bool read_padding(const xr_step_graph *g, const xr_op_step *step, window *w)
{
    const exray_node *node = step->node;
    const char *word = exray_node_attribute(node, "padding"),
               *automatic = exray_node_attribute(node, "auto_pad");
    double in[2], out[2], found[4];
    window_sizes(g, step, w, input_info(g, step), in);
    window_sizes(g, step, w, output_info(g, step), out);
    word = automatic && starts_with(automatic, "same") ? automatic : word;
    if (word && starts_with(word, "same")) {
        bool lower = strstr(word, "LOWER") != NULL;
        for (int d = 0; d < (w->line ? 1 : 2); d++)
            same_padding(in[d], out[d], w->kernel[d], w->stride[d], w->dilation[d], lower, &w->pad[d],
                         &w->pad[d + 2]);
        return true;
    }
    if (word && starts_with(word, "causal")) { /* Keras: of a line, all before */
        w->pad[0] = (w->kernel[0] - 1) * w->dilation[0];
        return w->line;
    }
    if ((word && starts_with(word, "valid")) || (automatic && starts_with(automatic, "valid")))
        return true; /* zeros */
    size_t count = xr_attribute_numbers(node, "pads", found, 4);
    if (count == 4) {
        memcpy(w->pad, found, sizeof found);
        return true;
    }
    if (count == 2 && w->line) {
        w->pad[0] = found[0];
        w->pad[2] = found[1];
        return true;
    }
    count = xr_attribute_numbers(node, "padding", found, 2);
    if (count == 1 || count == 2) {
        w->pad[0] = w->pad[2] = found[0];
        w->pad[1] = w->pad[3] = found[count - 1];
        return true;
    }
    return is_engine(g, "onnx") && !exray_node_attribute(node, "pads"); /* its default: none */
}

/* What a step of its own fills the rim with; NULL: unknown. */
static const char *pad_mode(const xr_step_graph *g, const xr_op_step *step)
{
    static const struct {
        const char *plain, *mode;
    } named[] = {{"padv2", "constant"},          {"zeropad2d", "constant"},
                 {"zeropadding2d", "constant"},  {"zeropadding1d", "constant"},
                 {"constantpad1d", "constant"},  {"constantpad2d", "constant"},
                 {"reflectionpad1d", "reflect"}, {"reflectionpad2d", "reflect"},
                 {"replicationpad1d", "edge"},   {"replicationpad2d", "edge"}};
    char plain[XR_PLAIN_NAME];
    exray_node_plain_op(step->node->op, plain, sizeof plain);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (strcmp(named[i].plain, plain) == 0)
            return named[i].mode;
    const char *mode = exray_node_attribute(step->node, "mode");
    return mode || is_engine(g, "torch") || strcmp(plain, "pad") != 0 ? mode : "constant";
}

/* The numbers of a step that adds zeros, as they are stored; their number; 0: unknown, or other values. */
static size_t stored_pads(xr_step_graph *g, const xr_op_step *step, double found[8])
{
    size_t count = xr_attribute_numbers(step->node, "pads", found, 8);
    const char *mode = pad_mode(g, step);
    double inner[4]; /* Keras': of rows and columns alone */
    const size_t sides = is_engine(g, "keras") && xr_has_channels_last(g->model)
                             ? xr_attribute_numbers(step->node, "padding", inner, 4)
                             : 0;
    if (count == 0 && (sides == 2 || sides == 4)) {
        memset(found, 0, 8 * sizeof *found);
        memcpy(found + 2, inner, sides * sizeof *inner);
        count = sides + 4;
    }
    double value = xr_attribute_number(step->node, "value", 0);
    for (uint32_t i = 0; i < step->constant_count; i++) {
        double own[8];
        size_t n = xr_model_constants_values(&g->constants, step->constant[i], own, 8);
        if (n == 1)
            value = own[0];
        else if (count == 0)
            memcpy(found, own, (count = n) * sizeof *own);
    }
    return value != 0 || !mode || strcmp(mode, "constant") != 0 ? 0 : count;
}

/* Of a line, whatever its layout: zeros before and behind, along the one dimension that gets some. */
static bool pad_of_line(xr_step_graph *g, const xr_op_step *step, double ends[2])
{
    double found[8];
    int padded = 0;
    if (stored_pads(g, step, found) != 6)
        return false;
    for (int d = 0; d < 3; d++) { /* [before, behind] of each dimension, else all before, then all behind */
        const bool pairs = xr_has_channels_last(g->model);
        const double before = found[pairs ? 2 * d : d], behind = found[pairs ? 2 * d + 1 : 3 + d];
        if (before == 0 && behind == 0)
            continue;
        padded++;
        ends[0] = before;
        ends[1] = behind;
    }
    return padded == 1;
}

/* Zeros that a step of its own adds: above, left, below, right.  False: unknown, or other values. */
static bool pad_of_step(xr_step_graph *g, const xr_op_step *step, bool line, double pad[4])
{
    double found[8];
    if (stored_pads(g, step, found) != (line ? 6 : 8))
        return false;
    if (line) {
        const bool pairs = xr_has_channels_last(g->model);
        pad[0] = found[2];
        pad[2] = found[pairs ? 3 : 5];
        pad[1] = pad[3] = 0;
        return pairs || xr_step_layout(g, step) == XR_CHANNELS_FIRST;
    }
    /* [before, behind] of each dimension, else all before, then all behind. */
    bool pairs = xr_has_channels_last(g->model);
    int first = xr_step_layout(g, step) == XR_CHANNELS_LAST ? 1 : 2;
    for (int d = 0; d < 2; d++) {
        pad[d] = pairs ? found[2 * (first + d)] : found[first + d];
        pad[d + 2] = pairs ? found[2 * (first + d) + 1] : found[4 + first + d];
    }
    return true;
}

/* Padding that a step of its own adds before, where nothing else reads that. */
static void add_step_before(xr_step_graph *g, const xr_op_step *step, window *w)
{
    enum { FURTHEST = 4 };
    uint32_t input = step->input_count ? step->input[0] : EXRAY_NO_INDEX;
    uint32_t maker = input == EXRAY_NO_INDEX ? input : g->tensor[input].maker;
    bool reshaped = false; /* a line that is padded and becomes a plane of one row */
    for (int i = 0; i < FURTHEST && maker != EXRAY_NO_INDEX && g->step[maker].kind == XR_STEP_SHAPE &&
                    g->step[maker].input_count;
         i++) {
        reshaped = true;
        maker = g->tensor[g->step[maker].input[0]].maker;
    }
    if (maker == EXRAY_NO_INDEX || (!reshaped && g->tensor[input].readers > 1) ||
        g->step[maker].kind != XR_STEP_PAD)
        return;
    double pad[4] = {0, 0, 0, 0}, ends[2];
    bool zeros =
        reshaped ? pad_of_line(g, &g->step[maker], ends) : pad_of_step(g, &g->step[maker], w->line, pad);
    if (reshaped && zeros) {
        const int along = !w->line && w->kernel[0] == 1;
        pad[along] = ends[0];
        pad[along + 2] = ends[1];
    }
    for (int i = 0; i < 4; i++)
        w->pad[i] += zeros ? pad[i] : NAN; /* other values: no padding of the window's own is the same */
}

static bool read_window(xr_step_graph *g, const xr_op_step *step, window *w)
{
    const exray_node *node = step->node;
    *w = (window){.line = is_line(g, step), .kernel = {NAN, NAN}};
    kernel_size(g, step, w->kernel);
    const char *strides = exray_node_attribute(node, "strides") ? "strides" : "stride";
    bool pool = step->kind == XR_STEP_POOL, torch = is_engine(g, "torch") || is_engine(g, "keras");
    two_numbers(node, strides, "stride_h", "stride_w", pool && torch ? w->kernel[0] : 1, w->stride);
    const char *dilations = exray_node_attribute(node, "dilations")       ? "dilations"
                            : exray_node_attribute(node, "dilation_rate") ? "dilation_rate"
                                                                          : "dilation";
    two_numbers(node, dilations, "dilation_h_factor", "dilation_w_factor", 1, w->dilation);
    if (!read_padding(g, step, w))
        return false;
    if (step->kind != XR_STEP_TRANSPOSED_CONV)
        add_step_before(g, step, w);
    return true;
}

/* Whether a pool's last window may lie beyond the rim in part: said only where there is such a window. */
static void add_rounding_up(const xr_step_graph *g, const xr_op_step *step, const window *w, xr_traits *t)
{
    double in[2];
    bool matters = false;
    window_sizes(g, step, w, input_info(g, step), in);
    for (int d = 0; d < (w->line ? 1 : 2); d++)
        matters = matters || fmod(in[d] + w->pad[d] + w->pad[d + 2] - (w->kernel[d] - 1) * w->dilation[d] - 1,
                                  w->stride[d]) > 0;
    if (matters)
        xr_traits_add_number(t, "ceil_mode", xr_attribute_flag(step->node, "ceil_mode", false));
}

static void add_window(xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    window w;
    /* A tap that was not given the file knows no attributes of TensorFlow Lite: they are not 1. */
    if (step->node->attribute_count == 0 && (is_engine(g, "tflite") || is_engine(g, "litert")))
        return;
    bool padded = read_window(g, step, &w);
    size_t along = w.line ? 1 : 2;
    const double ends[2] = {w.pad[0], w.pad[2]};
    xr_traits_add_numbers(t, "strides", w.stride, along);
    xr_traits_add_numbers(t, "dilations", w.dilation, along);
    if (step->kind == XR_STEP_POOL)
        xr_traits_add_numbers(t, "kernel_shape", w.kernel, along);
    if (padded && step->kind != XR_STEP_TRANSPOSED_CONV)
        xr_traits_add_numbers(t, "pads", w.line ? ends : w.pad, 2 * along);
    if (padded && step->kind == XR_STEP_POOL)
        add_rounding_up(g, step, &w, t);
    bool any = padded && (w.pad[0] > 0 || w.pad[1] > 0 || w.pad[2] > 0 || w.pad[3] > 0);
    if (strcmp(step->word, "average pool") == 0 && any) {
        bool counted = xr_attribute_flag(step->node, "count_include_pad", is_engine(g, "torch"));
        xr_traits_add_number(t, "count_include_pad", counted);
    }
}

/* ---- Others ------------------------------------------------------------------------------- */

static void add_axis(const xr_step_graph *g, const xr_op_step *step, double axis, xr_traits *t)
{
    const exray_tensor_info *info = output_info(g, step);
    if (!info || isnan(axis))
        return;
    double rank = info->rank;
    if (info->rank < 3 || info->rank > 4)
        xr_traits_add_number(t, "axis", axis < 0 ? axis + rank : axis);
    else
        xr_traits_add_number(t, "axis", axis_first(info, axis, xr_step_layout(g, step)));
}

static double softmax_axis(const xr_step_graph *g, const xr_op_step *step)
{
    if (step->over)
        return xr_step_joined_axis(g, step);
    double axis = xr_attribute_number(step->node, "axis", xr_attribute_number(step->node, "dim", NAN));
    if (!isnan(axis))
        return axis;
    return is_engine(g, "tflite") || is_engine(g, "litert") || is_engine(g, "onnx") ? -1 : NAN;
}

/* Before version 13 of ONNX's operators a softmax takes its axis and all behind it together (the reader of a
 * file notes the version). */
static void add_extent(const xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    const exray_tensor_info *info = output_info(g, step);
    double axis = softmax_axis(g, step);
    if (!info || isnan(axis) || !is_engine(g, "onnx"))
        return;
    axis += axis < 0 ? info->rank : 0;
    const bool all = !isnan(xr_attribute_number(step->node, "opset", NAN)) && axis + 1 < info->rank;
    xr_traits_add_text(t, "softmax",
                       all ? "over its axis and all behind it (before opset 13)" : "over its axis alone");
}

/* The epsilon of a batch norm that a framework's file leaves out is the framework's default. */
static void add_epsilon(const xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    double epsilon = xr_attribute_number(step->node, "epsilon", xr_attribute_number(step->node, "eps", NAN));
    if (isnan(epsilon) && is_engine(g, "onnx"))
        epsilon = 1e-5;
    xr_traits_add_number(t, "epsilon", step->epsilon > 0 ? step->epsilon : epsilon);
    double groups = xr_attribute_number(
        step->node, "num_groups",
        xr_attribute_number(step->node, "groups", xr_attribute_number(step->node, "group", NAN)));
    xr_traits_add_number(t, "num_groups", isnan(groups) ? xr_step_joined_groups(g, step) : groups);
}

/* The kernel that a resize weights values with. */
static void add_kernel(const xr_step_graph *g, const xr_op_step *step, const xr_resize_way *way, bool smaller,
                       xr_traits *t)
{
    bool cubic = strcmp(way->mode, "cubic") == 0, nearest = strcmp(way->mode, "nearest") == 0;
    bool wider = smaller && !nearest && xr_attribute_flag(step->node, "antialias", false);
    if (smaller && !nearest)
        xr_traits_add_number(t, "antialias", wider);
    if (cubic && (is_engine(g, "onnx") || is_engine(g, "torch")))
        xr_traits_add_number(
            t, "cubic_coeff_a",
            xr_attribute_number(step->node, "cubic_coeff_a", wider && is_engine(g, "torch") ? -0.5 : -0.75));
    if ((cubic || wider) && is_engine(g, "onnx"))
        xr_traits_add_number(t, "exclude_outside", xr_attribute_number(step->node, "exclude_outside", 0));
}

/* Which values of its input each value of a resize is made of. */
static void add_resize(const xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    double in[2], out[2], place[XR_TRAIT_NUMBERS];
    xr_resize_way way = xr_resize_way_of(step->node, is_engine(g, "torch"));
    sizes_of(input_info(g, step), xr_step_layout(g, step), in);
    sizes_of(output_info(g, step), xr_step_layout(g, step), out);
    if (!way.known || isnan(in[0]) || isnan(out[0]))
        return;
    xr_traits_add_text(t, "mode", way.mode);
    add_kernel(g, step, &way, out[0] < in[0] || out[1] < in[1], t);
    for (int d = 0; d < 2; d++) {
        size_t before = t->count;
        xr_traits_add_numbers(t, d ? "columns" : "rows", place,
                              xr_resize_places(&way, in[d], out[d], place, XR_TRAIT_NUMBERS));
        if (t->count > before)
            t->trait[before].name = xr_resize_name(&way);
    }
}

static void add_depth_to_space(const xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    const exray_node *node = step->node;
    double block = xr_attribute_number(
        node, "blocksize",
        xr_attribute_number(node, "block_size", xr_attribute_number(node, "upscale_factor", NAN)));
    xr_traits_add_number(t, "blocksize", block);
    const char *mode = exray_node_attribute(node, "mode");
    xr_traits_add_text(t, "mode", is_engine(g, "torch") ? "CRD" : mode ? mode : "DCR");
}

/* Gemm's factors where it adds a bias: else they are steps of their own.  Which way its weights lie shows in
 * their shape, unless they are square. */
static void add_gemm(const xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    const exray_tensor_info *weights = weights_of(g, step);
    if (xr_product_is_biased(step->node)) {
        xr_traits_add_number(t, "alpha", xr_attribute_number(step->node, "alpha", 1));
        xr_traits_add_number(t, "beta", xr_attribute_number(step->node, "beta", 1));
    }
    const bool turns = xr_is_gemm(step->node) || exray_node_attribute(step->node, "transB");
    if (turns && weights && weights->rank == 2 && weights->shape[0] == weights->shape[1])
        xr_traits_add_number(t, "transB", xr_attribute_number(step->node, "transB", 0));
}

/* Whether a single window reads what a step pads, and counts the padding as its own. */
static bool is_part_of_window(const xr_step_graph *g, const xr_op_step *step)
{
    if (g->tensor[step->output].readers > 1)
        return false;
    for (uint32_t i = 0; i < g->count; i++) {
        const xr_op_step *s = &g->step[i];
        const bool slides =
            s->kind == XR_STEP_CONV || s->kind == XR_STEP_POOL || s->kind == XR_STEP_TRANSPOSED_CONV;
        if (slides && s->input_count && s->input[0] == step->output)
            return true;
    }
    return false;
}

static void add_pad(xr_step_graph *g, const xr_op_step *step, xr_traits *t)
{
    const exray_tensor_info *info = input_info(g, step);
    const bool line = info && info->rank == 3;
    double pad[4];
    xr_traits_add_text(t, "mode", pad_mode(g, step));
    if (!info || is_part_of_window(g, step) || !pad_of_step(g, step, line, pad))
        return;
    const double ends[2] = {pad[0], pad[2]};
    xr_traits_add_numbers(t, "pads", line ? ends : pad, line ? 2 : 4);
}

void xr_step_traits_of(xr_step_graph *g, const xr_op_step *step, xr_traits *out)
{
    out->count = 0;
    switch (step->kind) {
    case XR_STEP_CONV:
    case XR_STEP_POOL:
    case XR_STEP_TRANSPOSED_CONV:
        add_window(g, step, out);
        break;
    case XR_STEP_SOFTMAX:
        add_axis(g, step, softmax_axis(g, step), out);
        add_extent(g, step, out);
        xr_traits_add_number(out, "beta", xr_attribute_number(step->node, "beta", 1));
        break;
    case XR_STEP_CONCAT:
        add_axis(g, step,
                 xr_attribute_number(step->node, "axis", xr_attribute_number(step->node, "dim", NAN)), out);
        break;
    case XR_STEP_NORM:
        add_epsilon(g, step, out);
        break;
    case XR_STEP_PRODUCT:
        add_gemm(g, step, out);
        break;
    case XR_STEP_RESIZE:
        add_resize(g, step, out);
        break;
    case XR_STEP_PAD:
        add_pad(g, step, out);
        break;
    default:
        if (strcmp(step->word, "depth to space") == 0)
            add_depth_to_space(g, step, out);
        xr_recurrent_traits(g, step, out);
        break;
    }
}

/* ---- Comparing ------------------------------------------------------------------------------ */

/* Whether a window along one dimension is that of two dimensions of which one has the size 1. */
static bool same_window(const xr_trait *line, const xr_trait *plane)
{
    const double *p = plane->number;
    double idle = strcmp(line->key, "pads") == 0 ? 0 : 1;
    for (size_t d = 0; d < 2; d++) {
        bool same = true;
        for (size_t i = 0; i < line->count; i++)
            same = same && p[2 * i + d] == line->number[i] &&
                   (p[2 * i + 1 - d] == idle || p[2 * i + 1 - d] == p[2 * i + d]);
        if (same)
            return true;
    }
    return false;
}

static bool is_of_windows(const xr_trait *trait)
{
    static const char *const keys[] = {"strides", "dilations", "kernel_shape", "pads"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], trait->key) == 0)
            return true;
    return false;
}

static bool same_trait(const xr_trait *a, const xr_trait *b)
{
    if (!a->text != !b->text)
        return true; /* one side's is not known in these terms */
    if (a->text) {
        const char *x = a->text, *y = b->text;
        while (*x && tolower((unsigned char)*x) == tolower((unsigned char)*y))
            x++, y++;
        return !*x && !*y;
    }
    if (is_of_windows(a) && (a->count == 2 * b->count || b->count == 2 * a->count))
        return a->count < b->count ? same_window(a, b) : same_window(b, a);
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (fabs(a->number[i] - b->number[i]) > 1e-5 * fmax(fabs(a->number[i]), fabs(b->number[i])))
            return false;
    return true;
}

size_t xr_traits_differ(const xr_traits *a, const xr_traits *b, size_t which[XR_TRAITS][2])
{
    size_t count = 0;
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (strcmp(a->trait[i].key, b->trait[k].key) == 0 && !same_trait(&a->trait[i], &b->trait[k])) {
                which[count][0] = i;
                which[count++][1] = k;
            }
    return count;
}

void xr_trait_words(const xr_trait *trait, char *text, size_t size)
{
    if (trait->text || trait->name) {
        snprintf(text, size, "%s", trait->name ? trait->name : trait->text);
        return;
    }
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < trait->count && used + 16 < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%.6g", i ? "," : "", trait->number[i]);
}
