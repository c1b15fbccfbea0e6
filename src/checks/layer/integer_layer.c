#include "checks/layer/integer_layer.h"
#include "checks/place_of.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ABSENT = -1 };
#define MOST_ELEMENTS ((uint64_t)1 << 26)

/* Where an operator lists what it reads. */
typedef struct operator_inputs {
    const char *op;
    bool window; /* a convolution */
    bool in_run; /* it quantizes its activations itself, over the range that they have */
    int activation_scale, activation_zero, weight, weight_scale, weight_zero, bias; /* ABSENT */
} operator_inputs;

static const operator_inputs known[] = {
    {"QLinearMatMul", false, false, 1, 2, 3, 4, 5, ABSENT},
    {"QLinearConv", true, false, 1, 2, 3, 4, 5, 8},
    {"QGemm", false, false, 1, 2, 3, 4, 5, 6},
    {"MatMulInteger", false, false, ABSENT, 2, 1, ABSENT, 3, ABSENT},
    {"ConvInteger", true, false, ABSENT, 2, 1, ABSENT, 3, ABSENT},
    {"MatMulIntegerToFloat", false, false, 2, 4, 1, 3, 5, 6},
    {"DynamicQuantizeMatMul", false, true, ABSENT, ABSENT, 1, 2, 3, 4},
};

typedef struct source {
    const exray_log *log;
    const exray_model *model;
    const exray_node *node;
    size_t frame;
} source;

/* ---- Tensors ------------------------------------------------------------------------------------ */

static uint32_t tensor_of(const source *s, int input)
{
    bool listed = input >= 0 && (uint32_t)input < s->node->input_count;
    uint32_t tensor = listed ? s->node->inputs[input] : EXRAY_NO_INDEX;
    return tensor < s->model->tensor_count ? tensor : EXRAY_NO_INDEX;
}

/* A constant, an input of the model, or what a node made. */
static const exray_record *record_of(const source *s, uint32_t tensor)
{
    const exray_record *record = exray_log_find(s->log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    if (record)
        return record;
    uint32_t node, output;
    if (xr_place_of(s->model, tensor, &node, &output))
        return exray_log_find(s->log, s->frame, EXRAY_KIND_LAYER, node, output, NULL);
    const char *name = s->model->tensors[tensor].name;
    return name ? exray_log_find(s->log, s->frame, EXRAY_KIND_INPUT, 0, 0, name) : NULL;
}

static bool read_raw(const source *s, uint32_t tensor, exray_slot *slot, exray_tensor_view *out)
{
    exray_error ignored;
    const exray_record *record = tensor == EXRAY_NO_INDEX ? NULL : record_of(s, tensor);
    return record && record->has_data &&
           exray_log_read_tensor(s->log, record, slot, out, &ignored) == EXRAY_OK && out->data &&
           out->count > 0 && out->count <= MOST_ELEMENTS;
}

static bool read_real(const source *s, uint32_t tensor, exray_slot *slot, exray_tensor_view *out,
                      const float **values)
{
    exray_error ignored;
    const exray_record *record = tensor == EXRAY_NO_INDEX ? NULL : record_of(s, tensor);
    return record && record->has_data &&
           exray_log_read_values(s->log, record, slot, out, values, &ignored) == EXRAY_OK && out->count > 0 &&
           out->count <= MOST_ELEMENTS;
}

/* One number, or `count` of them: item i % count. */
static bool read_number(const source *s, int input, uint64_t i, exray_slot *slot, double *out)
{
    exray_tensor_view view;
    const float *values;
    if (!read_real(s, tensor_of(s, input), slot, &view, &values))
        return false;
    *out = values[view.count > 1 ? i % view.count : 0];
    return isfinite(*out);
}

/* ---- Activations ---------------------------------------------------------------------------------- */

static bool find_zero(const source *s, int input, const exray_tensor_info *info, exray_slot *slot,
                      int32_t *out)
{
    double value = 0;
    if (tensor_of(s, input) != EXRAY_NO_INDEX) {
        if (!read_number(s, input, 0, slot, &value) &&
            !(info->quantization.count == 1 && info->quantization.zero_point))
            return false;
        if (info->quantization.count == 1 && info->quantization.zero_point)
            value = (double)info->quantization.zero_point[0];
    }
    *out = (int32_t)value;
    return fabs(value) <= 255;
}

/* As DynamicQuantizeLinear has it. */
static void quantize_in_run(const float *values, uint64_t count, uint8_t *out, double *scale, int32_t *zero)
{
    float least = 0, most = 0;
    for (uint64_t i = 0; i < count; i++) {
        least = fminf(least, values[i]);
        most = fmaxf(most, values[i]);
    }
    float step = most > least ? (most - least) / 255.0F : 1.0F;
    float origin = fminf(fmaxf(rintf(-least / step), 0), 255);
    for (uint64_t i = 0; i < count; i++)
        out[i] = (uint8_t)fminf(fmaxf(rintf(values[i] / step) + origin, 0), 255);
    *scale = step;
    *zero = (int32_t)origin;
}

/* Fills input, zero, *scale (1 where the operator has none) and *view. */
static bool read_activations(const source *s, const operator_inputs *o, xr_integer_layer *l,
                             exray_tensor_view *view, double *scale)
{
    const float *real = NULL;
    *scale = 1;
    if (o->in_run ? !read_real(s, tensor_of(s, 0), l->slot[0], view, &real)
                  : !read_raw(s, tensor_of(s, 0), l->slot[0], view))
        return false;
    l->input = malloc(view->count);
    if (!l->input)
        return false;
    if (o->in_run) {
        quantize_in_run(real, view->count, l->input, scale, &l->zero);
        return isfinite(*scale);
    }
    bool is_signed = view->info.dtype == EXRAY_DTYPE_INT8;
    if ((!is_signed && view->info.dtype != EXRAY_DTYPE_UINT8) || view->size < view->count)
        return false;
    const uint8_t *bytes = view->data;
    for (uint64_t i = 0; i < view->count; i++)
        l->input[i] = is_signed ? bytes[i] ^ 0x80 : bytes[i];
    exray_tensor_info info = view->info;
    if (!find_zero(s, o->activation_zero, &info, l->slot[3], &l->zero))
        return false;
    l->zero += is_signed ? 128 : 0;
    if (o->activation_scale == ABSENT)
        return true;
    if (info.quantization.count == 1)
        *scale = info.quantization.scale[0];
    else if (!read_number(s, o->activation_scale, 0, l->slot[3], scale))
        return false;
    return isfinite(*scale);
}

/* ---- Windows -------------------------------------------------------------------------------------- */

/* Item i of an attribute that lists numbers. */
static int64_t item(const exray_node *node, const char *key, int i, int64_t otherwise)
{
    const char *text = exray_node_attribute(node, key);
    for (int k = 0; text && k < i; k++) {
        text = strchr(text, ',');
        text = text ? text + 1 : NULL;
    }
    long long value = text && *text ? strtoll(text, NULL, 10) : otherwise;
    return value >= 0 && value < 1 << 20 ? value : -1;
}

static int64_t begin_pad(const exray_node *node, const xr_integer_window *w, int d)
{
    const char *automatic = exray_node_attribute(node, "auto_pad");
    if (!automatic || strcmp(automatic, "NOTSET") == 0)
        return item(node, "pads", d, 0);
    if (strncmp(automatic, "SAME", 4) != 0)
        return 0;
    int64_t all = (w->out[d] - 1) * w->stride[d] + (w->size[d] - 1) * w->dilation[d] + 1 - w->in[1 + d];
    all = all > 0 ? all : 0;
    return strcmp(automatic, "SAME_LOWER") == 0 ? all - all / 2 : all / 2;
}

/* Pictures of one plane per channel: NCHW. */
static bool describe_window(const source *s, const exray_tensor_view *x, const exray_tensor_view *w,
                            const exray_tensor_view *y, xr_integer_layer *l)
{
    if (x->info.rank != 4 || w->info.rank != 4 || y->info.rank != 4 || x->info.shape[0] != y->info.shape[0])
        return false;
    xr_integer_window *at = &l->at;
    for (int d = 0; d < 3; d++)
        at->in[d] = x->info.shape[1 + d];
    for (int d = 0; d < 2; d++) {
        at->out[d] = y->info.shape[2 + d];
        at->size[d] = w->info.shape[2 + d];
        at->stride[d] = item(s->node, "strides", d, 1);
        at->dilation[d] = item(s->node, "dilations", d, 1);
        if (at->out[d] > 1 << 20 || at->in[1 + d] > 1 << 20 || at->size[d] > 1 << 20 || at->stride[d] < 1 ||
            at->dilation[d] < 1 || at->out[d] < 1 || at->size[d] < 1 ||
            (at->pad[d] = begin_pad(s->node, at, d)) < 0)
            return false;
    }
    int64_t groups = item(s->node, "group", 0, 1);
    l->columns = (uint64_t)w->info.shape[0];
    at->group_channels = w->info.shape[1];
    if (groups < 1 || at->group_channels < 1 || at->group_channels > 1 << 20 || w->info.shape[0] < 1 ||
        w->info.shape[0] % groups != 0 || at->group_channels * groups != at->in[0] ||
        y->info.shape[1] != w->info.shape[0])
        return false;
    at->group_columns = w->info.shape[0] / groups;
    l->depth = w->count / l->columns;
    l->rows = y->count / l->columns;
    uint64_t pixels = (uint64_t)(at->out[0] * at->out[1]), plane = (uint64_t)(at->in[1] * at->in[2]);
    return at->in[1] > 0 && at->in[2] > 0 && l->rows % pixels == 0 && y->count == l->rows * l->columns &&
           x->count == l->rows / pixels * (uint64_t)at->in[0] * plane &&
           l->depth == (uint64_t)(at->group_channels * at->size[0] * at->size[1]) &&
           w->count == l->depth * l->columns;
}

static bool describe_product(const source *s, const exray_tensor_view *x, const exray_tensor_view *w,
                             const exray_tensor_view *y, xr_integer_layer *l)
{
    if (x->info.rank < 1 || w->info.rank != 2 || item(s->node, "transA", 0, 0) != 0)
        return false;
    l->transposed = item(s->node, "transB", 0, 0) == 1;
    int64_t depth = w->info.shape[l->transposed ? 1 : 0], columns = w->info.shape[l->transposed ? 0 : 1];
    if (depth < 1 || columns < 1 || x->info.shape[x->info.rank - 1] != depth)
        return false;
    l->depth = (uint64_t)depth;
    l->columns = (uint64_t)columns;
    l->rows = x->count / l->depth;
    return w->count == l->depth * l->columns && y->count == l->rows * l->columns;
}

/* ---- The sums' meaning ------------------------------------------------------------------------------ */

/* Range and step of the output. */
static bool describe_output(const exray_tensor_view *y, xr_integer_layer *l)
{
    const exray_quantization *q = &y->info.quantization;
    l->low = -INFINITY;
    l->high = INFINITY;
    if (y->info.dtype == EXRAY_DTYPE_FLOAT32)
        return true;
    if (y->info.dtype == EXRAY_DTYPE_INT32) {
        l->whole = true;
        return q->count == 0;
    }
    bool is_signed = y->info.dtype == EXRAY_DTYPE_INT8;
    if ((!is_signed && y->info.dtype != EXRAY_DTYPE_UINT8) || q->count != 1 || !(q->scale[0] > 0))
        return false;
    double zero = q->zero_point ? (double)q->zero_point[0] : 0;
    l->step = q->scale[0];
    l->low = ((is_signed ? -128 : 0) - zero) * l->step;
    l->high = ((is_signed ? 127 : 255) - zero) * l->step;
    return true;
}

static bool find_factors(const source *s, const operator_inputs *o, const exray_tensor_info *weight,
                         double activation_scale, xr_integer_layer *l)
{
    l->factor = calloc(l->columns, sizeof *l->factor);
    l->bias = calloc(l->columns, sizeof *l->bias);
    if (!l->factor || !l->bias)
        return false;
    uint32_t bias = tensor_of(s, o->bias);
    bool in_sums = bias != EXRAY_NO_INDEX && s->model->tensors[bias].dtype == EXRAY_DTYPE_INT32;
    exray_tensor_view view = {.count = 0};
    const float *values = NULL;
    if (bias != EXRAY_NO_INDEX &&
        (!(in_sums ? read_raw(s, bias, l->slot[3], &view) : read_real(s, bias, l->slot[3], &view, &values)) ||
         view.count != l->columns || (in_sums && view.size < 4 * view.count)))
        return false;
    const exray_quantization *q = &weight->quantization;
    for (uint64_t n = 0; n < l->columns; n++) {
        double scale = 1;
        if (o->weight_scale != ABSENT) {
            if (q->count != 1 && q->count != l->columns)
                return false;
            scale = q->scale[q->count > 1 ? n : 0];
        }
        l->factor[n] = activation_scale * scale;
        int32_t whole = 0;
        if (in_sums)
            memcpy(&whole, (const uint8_t *)view.data + 4 * n, 4);
        l->bias[n] = in_sums ? whole * l->factor[n] : values ? values[n] : 0;
        if (!isfinite(l->factor[n]) || !isfinite(l->bias[n]))
            return false;
    }
    return true;
}

static const operator_inputs *find_operator(const exray_node *node)
{
    for (size_t i = 0; node->op && i < sizeof known / sizeof *known; i++)
        if (strcmp(node->op, known[i].op) == 0)
            return &known[i];
    return NULL;
}

static bool read_layer(const source *s, const operator_inputs *o, uint32_t output, xr_integer_layer *l)
{
    exray_tensor_view x, w, y;
    double scale;
    for (int i = 0; i < 4; i++)
        if (!(l->slot[i] = exray_slot_new()))
            return false;
    if (output != 0 || s->node->output_count == 0 || s->node->outputs[0] >= s->model->tensor_count ||
        !read_activations(s, o, l, &x, &scale) || !read_raw(s, tensor_of(s, o->weight), l->slot[1], &w) ||
        w.info.dtype != EXRAY_DTYPE_INT8 || w.size < w.count ||
        !read_real(s, s->node->outputs[0], l->slot[2], &y, &l->output))
        return false;
    l->window = o->window;
    l->weight = w.data;
    bool fits = o->window ? describe_window(s, &x, &w, &y, l) : describe_product(s, &x, &w, &y, l);
    const exray_quantization *q = &w.info.quantization;
    /* Weights with a zero point for each column are left alone. */
    for (uint32_t i = 1; fits && q->zero_point && i < q->count; i++)
        fits = q->zero_point[i] == q->zero_point[0];
    if (!fits || l->depth < 2 || l->columns > 1 << 20 || !describe_output(&y, l))
        return false;
    if (q->count && q->zero_point)
        l->weight_zero = (int32_t)q->zero_point[0];
    else if (!find_zero(s, o->weight_zero, &w.info, l->slot[3], &l->weight_zero))
        return false;
    return find_factors(s, o, &w.info, scale, l);
}

bool xr_integer_layer_open(const exray_comparison *comparison, size_t layer, exray_side side, size_t frame,
                           xr_integer_layer *out)
{
    *out = (xr_integer_layer){.rows = 0};
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    const exray_log *log = exray_comparison_log(comparison, side);
    const exray_model *model = exray_log_model(log);
    if (!pair || !model || pair->node[side] >= model->node_count ||
        frame >= exray_comparison_frame_count(comparison))
        return false;
    const source s = {log, model, &model->nodes[pair->node[side]],
                      exray_comparison_frame(comparison, frame).frame[side]};
    const operator_inputs *o = find_operator(s.node);
    uint32_t output = side == EXRAY_SIDE_EDGE ? pair->output : pair->reference_output;
    if (o && read_layer(&s, o, output, out))
        return true;
    xr_integer_layer_close(out);
    return false;
}

void xr_integer_layer_close(xr_integer_layer *layer)
{
    for (int i = 0; i < 4; i++)
        exray_slot_free(layer->slot[i]);
    free(layer->input);
    free(layer->factor);
    free(layer->bias);
    *layer = (xr_integer_layer){.rows = 0};
}

/* ---- Sums ----------------------------------------------------------------------------------------- */

static uint8_t pixel(const xr_integer_layer *l, uint64_t row, int64_t channel, int64_t y, int64_t x)
{
    const xr_integer_window *at = &l->at;
    uint64_t pixels = (uint64_t)(at->out[0] * at->out[1]), batch = row / pixels;
    int64_t place = (int64_t)(row % pixels);
    int64_t i = place / at->out[1] * at->stride[0] + y * at->dilation[0] - at->pad[0];
    int64_t k = place % at->out[1] * at->stride[1] + x * at->dilation[1] - at->pad[1];
    if (i < 0 || k < 0 || i >= at->in[1] || k >= at->in[2])
        return (uint8_t)l->zero;
    return l->input[((batch * (uint64_t)at->in[0] + (uint64_t)channel) * (uint64_t)at->in[1] + (uint64_t)i) *
                        (uint64_t)at->in[2] +
                    (uint64_t)k];
}

static void gather_window(const xr_integer_layer *l, uint64_t row, uint64_t column, xr_sum_order order,
                          uint8_t *activations, int8_t *weights)
{
    const xr_integer_window *at = &l->at;
    int64_t places = at->size[0] * at->size[1];
    int64_t first = (int64_t)column / at->group_columns * at->group_channels;
    for (int64_t c = 0; c < at->group_channels; c++)
        for (int64_t p = 0; p < places; p++) {
            int64_t to = order == XR_SUM_CHANNELS_FIRST ? c * places + p : p * at->group_channels + c;
            activations[to] = pixel(l, row, first + c, p / at->size[1], p % at->size[1]);
            weights[to] = l->weight[column * l->depth + (uint64_t)(c * places + p)];
        }
}

void xr_integer_layer_gather(const xr_integer_layer *l, uint64_t row, uint64_t column, xr_sum_order order,
                             uint8_t *activations, int8_t *weights)
{
    if (l->window) {
        gather_window(l, row, column, order, activations, weights);
        return;
    }
    memcpy(activations, l->input + row * l->depth, l->depth);
    for (uint64_t k = 0; k < l->depth; k++)
        weights[k] = l->weight[l->transposed ? column * l->depth + k : k * l->columns + column];
}

double xr_integer_layer_output(const xr_integer_layer *l, uint64_t row, uint64_t column)
{
    if (!l->window)
        return l->output[row * l->columns + column];
    uint64_t pixels = (uint64_t)(l->at.out[0] * l->at.out[1]);
    return l->output[(row / pixels * l->columns + column) * pixels + row % pixels];
}
