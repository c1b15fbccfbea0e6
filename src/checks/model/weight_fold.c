#include "checks/model/weight_fold.h"

#include "checks/op_name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which ---------------------------------------------------------------------------------- */

/* Axis of the channels among a layer's weights; NONE: it is no such layer. */
enum { NONE = -1, FIRST = 0, SECOND = 1, LAST = 2, LAST_BUT_ONE = 3, LAST_TWO = 4 };

static bool is_engine(const exray_model *model, const char *name)
{
    return model->engine && strstr(model->engine, name);
}

static int channel_axis(const exray_model *model, const exray_node *node)
{
    static const struct {
        const char *engine, *op;
        int axis;
    } rules[] = {{"onnx", "conv", FIRST},
                 {"onnx", "fusedconv", FIRST},
                 {"onnx", "convtranspose", SECOND},
                 {"onnx", "matmul", LAST},
                 {"torch", "conv1d", FIRST},
                 {"torch", "conv2d", FIRST},
                 {"torch", "conv3d", FIRST},
                 {"torch", "convtranspose1d", SECOND},
                 {"torch", "convtranspose2d", SECOND},
                 {"torch", "convtranspose3d", SECOND},
                 {"torch", "linear", FIRST},
                 {"keras", "conv1d", LAST},
                 {"keras", "conv2d", LAST},
                 {"keras", "conv3d", LAST},
                 {"keras", "dense", LAST},
                 {"keras", "conv2dtranspose", LAST_BUT_ONE},
                 {"keras", "depthwiseconv2d", LAST_TWO}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (is_engine(model, rules[i].engine) && xr_is_op(node->op, rules[i].op)) {
            const char *group = exray_node_attribute(node, "group");
            return rules[i].axis == SECOND && group && strtol(group, NULL, 10) != 1 ? NONE : rules[i].axis;
        }
    if (is_engine(model, "onnx") && xr_is_op(node->op, "gemm")) {
        const char *turned = exray_node_attribute(node, "transB");
        return turned && strtol(turned, NULL, 10) ? FIRST : LAST;
    }
    return NONE;
}

static bool is_norm(const exray_node *node)
{
    static const char *const names[] = {"batchnormalization", "batchnorm",   "batchnorm1d",
                                        "batchnorm2d",        "batchnorm3d", "syncbatchnorm"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (xr_is_op(node->op, names[i]))
            return true;
    return false;
}

/* Numbers in other types, or packed and unpacked again. */
static bool is_storage(const exray_node *node)
{
    return xr_is_op(node->op, "quantizelinear") || xr_is_op(node->op, "dequantizelinear");
}

static bool is_constant(const exray_model *model, uint32_t tensor)
{
    return tensor < model->tensor_count && model->tensors[tensor].constant;
}

/* Fills readers (how many read each tensor, the model's outputs included), folds->reader and folds->source.
 */
static void note_readers(xr_weight_folds *f, uint32_t *readers)
{
    const exray_model *model = f->model;
    for (uint32_t t = 0; t < model->tensor_count; t++) {
        f->source[t] = t;
        f->reader[t] = EXRAY_NO_INDEX;
    }
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] < model->tensor_count) {
                readers[node->inputs[i]]++;
                f->reader[node->inputs[i]] = n;
            }
        if (is_storage(node) && node->input_count && node->output_count &&
            is_constant(model, node->inputs[0]) && node->outputs[0] < model->tensor_count)
            f->source[node->outputs[0]] = node->inputs[0];
    }
    for (uint32_t i = 0; i < model->output_count; i++)
        if (model->outputs[i] < model->tensor_count)
            readers[model->outputs[i]]++;
}

/* The normalization that alone reads a tensor, stored in another type between or not; or EXRAY_NO_INDEX. */
static uint32_t norm_behind(const xr_weight_folds *f, const uint32_t *readers, uint32_t tensor)
{
    const exray_model *model = f->model;
    for (int depth = 0; depth < 4 && tensor < model->tensor_count && readers[tensor] == 1; depth++) {
        uint32_t n = f->reader[tensor];
        if (n == EXRAY_NO_INDEX)
            return n;
        const exray_node *node = &model->nodes[n];
        if (node->input_count > 2 && is_norm(node) && node->inputs[0] == tensor)
            return n;
        if (!is_storage(node) || node->inputs[0] != tensor || !node->output_count)
            return EXRAY_NO_INDEX;
        tensor = node->outputs[0];
    }
    return EXRAY_NO_INDEX;
}

bool xr_weight_folds_make(const exray_log *log, xr_weight_folds *f)
{
    *f = (xr_weight_folds){.log = log, .model = exray_log_model(log), .slot = exray_slot_new()};
    if (!f->model)
        return f->slot != NULL;
    const exray_model *model = f->model;
    f->norm = malloc(((size_t)model->node_count + 1) * sizeof *f->norm);
    f->source = malloc(((size_t)model->tensor_count + 1) * sizeof *f->source);
    f->reader = malloc(((size_t)model->tensor_count + 1) * sizeof *f->reader);
    uint32_t *readers = calloc((size_t)model->tensor_count + 1, sizeof *readers);
    bool ok = f->slot && f->norm && f->source && f->reader && readers;
    if (ok)
        note_readers(f, readers);
    for (uint32_t n = 0; ok && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool folds = node->output_count && channel_axis(model, node) != NONE;
        f->norm[n] = folds ? norm_behind(f, readers, node->outputs[0]) : EXRAY_NO_INDEX;
    }
    free(readers);
    return ok;
}

void xr_weight_folds_free(xr_weight_folds *f)
{
    free(f->norm);
    free(f->source);
    free(f->reader);
    exray_slot_free(f->slot);
    *f = (xr_weight_folds){0};
}

/* ---- A normalization's constants -------------------------------------------------------------- */

/* Constants, or EXRAY_NO_INDEX. */
typedef struct fold {
    const exray_node *core, *norm;
    uint32_t weights, bias, scale, shift, mean, variance;
} fold;

static bool ends_in(const char *name, const char *end)
{
    size_t length = name ? strlen(name) : 0, own = strlen(end);
    return length >= own && strcmp(name + length - own, end) == 0;
}

/* The constant that a node's input is, or is unpacked from; EXRAY_NO_INDEX: it is none. */
static uint32_t constant_at(const xr_weight_folds *folds, const exray_node *node, uint32_t input)
{
    uint32_t tensor = input < node->input_count ? node->inputs[input] : EXRAY_NO_INDEX;
    tensor = tensor < folds->model->tensor_count ? folds->source[tensor] : EXRAY_NO_INDEX;
    return is_constant(folds->model, tensor) ? tensor : EXRAY_NO_INDEX;
}

/* ONNX lists scale, shift, mean, variance; other frameworks' constants are told by their names. */
static void read_norm(const xr_weight_folds *folds, fold *f)
{
    uint32_t *place[] = {&f->scale, &f->shift, &f->mean, &f->variance};
    bool onnx = is_engine(folds->model, "onnx");
    uint32_t others = 0;
    for (uint32_t i = 1; i < f->norm->input_count; i++) {
        uint32_t tensor = constant_at(folds, f->norm, i);
        if (tensor == EXRAY_NO_INDEX)
            continue;
        const char *name = folds->model->tensors[tensor].name;
        if (onnx && i <= 4)
            *place[i - 1] = tensor;
        else if (ends_in(name, "running_mean") || ends_in(name, "moving_mean"))
            f->mean = tensor;
        else if (ends_in(name, "running_var") || ends_in(name, "moving_variance"))
            f->variance = tensor;
        else if (ends_in(name, "beta"))
            f->shift = tensor;
        else if (ends_in(name, "gamma") || others++ == 0)
            f->scale = tensor;
        else
            f->shift = tensor;
    }
}

static bool find_fold(const xr_weight_folds *folds, uint32_t node, fold *out)
{
    const exray_model *model = folds->model;
    if (!model || node >= model->node_count || folds->norm[node] == EXRAY_NO_INDEX)
        return false;
    *out = (fold){.core = &model->nodes[node],
                  .norm = &model->nodes[folds->norm[node]],
                  .scale = EXRAY_NO_INDEX,
                  .shift = EXRAY_NO_INDEX,
                  .mean = EXRAY_NO_INDEX,
                  .variance = EXRAY_NO_INDEX};
    read_norm(folds, out);
    /* QLinearConv(x, its scale, its zero point, w, two, two of the result, b) */
    bool integers = out->core->op && strncmp(out->core->op, "QLinear", 7) == 0;
    out->weights = constant_at(folds, out->core, integers ? 3 : 1);
    out->bias = constant_at(folds, out->core, integers ? 8 : 2);
    return out->weights != EXRAY_NO_INDEX && out->mean != EXRAY_NO_INDEX && out->variance != EXRAY_NO_INDEX;
}

/* The node that reads a constant, unpacked where it is packed; EXRAY_NO_INDEX: not known. */
static uint32_t reader_of(const xr_weight_folds *folds, const xr_node_constant *constant)
{
    const exray_model *model = folds->model;
    if (!model || !constant->node || constant->node < model->nodes ||
        constant->node >= model->nodes + model->node_count)
        return EXRAY_NO_INDEX;
    const exray_node *node = constant->node;
    if (is_storage(node) && node->output_count && node->outputs[0] < model->tensor_count)
        return folds->reader[node->outputs[0]];
    return (uint32_t)(node - model->nodes);
}

/* The fold that a constant is part of: it is read by the layer, or by the normalization behind. */
static bool fold_of(const xr_weight_folds *folds, const xr_node_constant *constant, fold *out)
{
    uint32_t node = reader_of(folds, constant);
    if (node == EXRAY_NO_INDEX)
        return false;
    if (!is_norm(&folds->model->nodes[node]))
        return find_fold(folds, node, out);
    for (uint32_t n = 0; n < folds->model->node_count; n++)
        if (folds->norm[n] == node)
            return find_fold(folds, n, out);
    return false;
}

static uint32_t carrier(const fold *f)
{
    return f->shift != EXRAY_NO_INDEX ? f->shift : f->mean;
}

xr_fold_part xr_weight_fold_part(const xr_weight_folds *folds, const xr_node_constant *constant)
{
    fold f;
    if (!fold_of(folds, constant, &f))
        return XR_FOLD_NONE;
    const exray_node *reader = &folds->model->nodes[reader_of(folds, constant)];
    if (reader == f.core && constant->tensor == f.weights)
        return XR_FOLD_WEIGHTS;
    if (reader == f.norm && constant->tensor == carrier(&f))
        return XR_FOLD_BIAS;
    return reader == f.norm || constant->tensor == f.bias ? XR_FOLD_USED : XR_FOLD_NONE;
}

void xr_weight_folds_drop(xr_weight_folds *folds, const xr_node_constant *weights)
{
    fold f;
    if (fold_of(folds, weights, &f))
        folds->norm[f.core - folds->model->nodes] = EXRAY_NO_INDEX;
}

void xr_weight_folds_add(const xr_weight_folds *folds, xr_weight_graph *walk)
{
    size_t count = walk->found_count; /* there is room for what all nodes read */
    for (size_t i = 0; i < count; i++) {
        fold f;
        bool known = xr_weight_fold_part(folds, &walk->found[i]) != XR_FOLD_WEIGHTS;
        if (known || !fold_of(folds, &walk->found[i], &f))
            continue;
        for (size_t k = 0; k < walk->found_count && !known; k++) {
            uint32_t reader = reader_of(folds, &walk->found[k]);
            known = reader != EXRAY_NO_INDEX && &folds->model->nodes[reader] == f.norm;
        }
        for (uint32_t k = 0; k < f.norm->input_count && !known; k++) {
            known = constant_at(folds, f.norm, k) == carrier(&f);
            if (known)
                walk->found[walk->found_count++] =
                    (xr_node_constant){.tensor = carrier(&f), .node = f.norm, .input = k};
        }
    }
}

bool xr_weight_is_normed(const xr_weight_folds *folds, const xr_node_constant *constant)
{
    fold f;
    uint32_t reader = reader_of(folds, constant);
    return (reader != EXRAY_NO_INDEX && is_norm(&folds->model->nodes[reader])) ||
           fold_of(folds, constant, &f);
}

bool xr_weight_is_beside_norm(const exray_model *model, const xr_node_constant *constant)
{
    const exray_node *node = constant->node;
    bool found = false;
    for (uint32_t i = 0; node && !is_norm(node) && i < node->input_count; i++) {
        const char *name =
            node->inputs[i] < model->tensor_count ? model->tensors[node->inputs[i]].name : NULL;
        found = found || ends_in(name, "moving_variance") || ends_in(name, "running_var");
    }
    return found;
}

/* ---- Values ------------------------------------------------------------------------------------- */

/* Adds `factor` times a constant's values to sum[channels]; a constant that is left out adds nothing.
 * False: they are not known. */
static bool add_constant(xr_weight_folds *folds, uint32_t tensor, double factor, uint64_t channels,
                         double *sum)
{
    if (tensor == EXRAY_NO_INDEX)
        return true;
    const exray_record *record = exray_log_find(folds->log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
    exray_tensor_view view;
    const float *value;
    exray_error error;
    if (!record || !record->has_data ||
        exray_log_read_values(folds->log, record, folds->slot, &view, &value, &error) != EXRAY_OK ||
        view.count != channels)
        return false;
    for (uint64_t c = 0; c < channels; c++)
        sum[c] += factor * (double)value[c];
    return true;
}

static double epsilon_of(const exray_model *model, const exray_node *norm)
{
    const char *text = exray_node_attribute(norm, "epsilon");
    text = text ? text : exray_node_attribute(norm, "eps");
    return text ? strtod(text, NULL) : is_engine(model, "keras") ? 1e-3 : 1e-5;
}

/* A folded layer, [channels]: what each channel is multiplied with, what is added then, and the variance that
 * the quantization of what they are made of, and of the weights, leaves: of the factors as a share of them.
 */
typedef struct channel_terms {
    double *factor, *shift, *factor_error, *shift_error, *weight_error;
} channel_terms;

/* The variance of a constant's value of channel c by its quantization; 0: it is of floats. */
static double step_variance(const exray_model *model, uint32_t tensor, uint64_t c)
{
    const exray_quantization *q = tensor < model->tensor_count ? &model->tensors[tensor].quantization : NULL;
    if (!q || q->count == 0)
        return 0;
    double step = q->scale[q->count == 1 || c >= q->count ? 0 : c];
    return step * step / 12;
}

double xr_weight_fold_epsilon(const xr_weight_folds *folds, const xr_node_constant *constant)
{
    fold f;
    return fold_of(folds, constant, &f) ? epsilon_of(folds->model, f.norm) : NAN;
}

static bool terms_of(xr_weight_folds *folds, const fold *f, uint64_t channels, channel_terms *t)
{
    const exray_model *model = folds->model;
    double *variance = calloc(channels + 1, sizeof *variance), *offset = calloc(channels + 1, sizeof *offset);
    bool ok = variance && offset && add_constant(folds, f->variance, 1, channels, variance) &&
              add_constant(folds, f->scale, 1, channels, t->factor) &&
              add_constant(folds, f->shift, 1, channels, t->shift) &&
              add_constant(folds, f->bias, 1, channels, offset) &&
              add_constant(folds, f->mean, -1, channels, offset);
    double epsilon = folds->epsilon > 0 ? folds->epsilon : epsilon_of(model, f->norm);
    for (uint64_t c = 0; ok && c < channels; c++) {
        double scale = f->scale == EXRAY_NO_INDEX ? 1 : t->factor[c];
        double spread = variance[c] + epsilon, variance_step = step_variance(model, f->variance, c);
        t->factor[c] = scale / sqrt(spread);
        t->shift[c] += offset[c] * t->factor[c];
        ok = isfinite(t->factor[c]);
        t->factor_error[c] = (scale != 0 ? step_variance(model, f->scale, c) / (scale * scale) : 0) +
                             variance_step / (4 * spread * spread);
        double moved = offset[c] * offset[c] * t->factor_error[c] + step_variance(model, f->bias, c) +
                       step_variance(model, f->mean, c);
        t->shift_error[c] = step_variance(model, f->shift, c) + moved * t->factor[c] * t->factor[c];
        t->weight_error[c] = step_variance(model, f->weights, c);
    }
    free(variance);
    free(offset);
    return ok;
}

/* How many values in the order of storage share a channel; 0: another layout. */
static uint64_t values_in_turn(int axis, const exray_tensor_info *info, uint64_t channels)
{
    uint32_t rank = info->rank;
    uint32_t at = axis == FIRST ? 0 : axis == SECOND ? 1 : axis == LAST_BUT_ONE ? rank - 2 : rank - 1;
    if (rank < 2)
        return 0;
    if (axis == LAST_TWO)
        return (uint64_t)(info->shape[rank - 1] * info->shape[rank - 2]) == channels ? 1 : 0;
    uint64_t inner = 1;
    for (uint32_t d = at + 1; d < rank; d++)
        inner *= (uint64_t)info->shape[d];
    return info->shape[at] == (int64_t)channels ? inner : 0;
}

exray_status xr_weight_fold(xr_weight_folds *folds, const xr_node_constant *constant, xr_weight_values *v,
                            exray_error *error)
{
    fold f;
    xr_fold_part part = xr_weight_fold_part(folds, constant);
    if (!v->value || (part != XR_FOLD_WEIGHTS && part != XR_FOLD_BIAS) || !fold_of(folds, constant, &f))
        return EXRAY_OK;
    uint64_t channels = xr_weight_count(folds->model, &(xr_node_constant){.tensor = f.mean});
    uint64_t inner = part == XR_FOLD_BIAS
                         ? (v->view.count == channels ? 1 : 0)
                         : values_in_turn(channel_axis(folds->model, f.core), &v->view.info, channels);
    if (channels == 0 || inner == 0)
        return EXRAY_OK;
    double *room = calloc(5 * channels + 1, sizeof *room);
    channel_terms t = {room, room + channels, room + 2 * channels, room + 3 * channels, room + 4 * channels};
    float *folded = malloc((v->view.count + 1) * sizeof *folded);
    bool enough = room && folded, ok = enough && terms_of(folds, &f, channels, &t);
    double error_squared = 0;
    for (uint64_t i = 0; ok && i < v->view.count; i++) {
        uint64_t c = i / inner % channels;
        double weight = v->value[i], factor = t.factor[c];
        folded[i] = (float)(part == XR_FOLD_BIAS ? t.shift[c] : weight * factor);
        error_squared += part == XR_FOLD_BIAS
                             ? t.shift_error[c]
                             : factor * factor * (weight * weight * t.factor_error[c] + t.weight_error[c]);
    }
    free(room);
    if (ok) {
        free(v->unpacked);
        v->value = v->unpacked = folded;
        if (error_squared > 0)
            v->rounding = sqrt(error_squared / (double)v->view.count);
    } else
        free(folded);
    if (enough)
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while folding a normalization"};
    return EXRAY_E_MEMORY;
}
