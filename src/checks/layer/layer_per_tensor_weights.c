/* layer.per_tensor_weights: one scale for weights whose channels differ too much.
 *
 * Rounding changes each weight by step / sqrt(12) rms, whatever its size: for a channel whose weights
 * are w rms, that is an error of q = step / (sqrt(12) w) of its result.  Where the q of all channels
 * explain the error that the layer adds, the single scale is the reason (Nagel et al., 2019, section
 * 3.1, describes this for MobileNetV2). */
#include "checks/builtin.h"
#include "checks/layer/value_evidence.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct weight_channels {
    size_t count;
    double step;
    double rms_min, rms_max; /* of a channel's weights; rms_min is 0 where a channel was rounded to zero */
    size_t lost;             /* channels with an error of more than a quarter */
    double predicted;        /* error of the layer's result / its deviation */
} weight_channels;

static bool is_8_bits(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_INT8 || info->dtype == EXRAY_DTYPE_UINT8 ||
           info->dtype == EXRAY_DTYPE_INT4 || info->dtype == EXRAY_DTYPE_UINT4;
}

/* The node's weights: its largest constant input of more than one dimension. */
static uint32_t weights_of(const exray_model *model, const exray_node *node)
{
    uint32_t best = EXRAY_NO_INDEX;
    int64_t most = 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] >= model->tensor_count || !model->tensors[node->inputs[i]].constant)
            continue;
        const exray_tensor_info *info = &model->tensors[node->inputs[i]];
        int64_t elements = 1;
        for (uint32_t d = 0; d < info->rank; d++)
            elements *= info->shape[d] > 0 && elements < INT32_MAX ? info->shape[d] : 1;
        if (info->rank > 1 && elements > most) {
            most = elements;
            best = node->inputs[i];
        }
    }
    return best;
}

static const exray_record *constant_record(const exray_log *log, uint32_t tensor)
{
    size_t count;
    const exray_record *record = exray_log_constants(log, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_CONSTANT &&
            record[i].index == tensor)
            return &record[i];
    return NULL;
}

/* Output channels: the first dimension, except in TensorFlow Lite's depthwise weights: the last. */
static void channel_strides(const exray_node *node, const exray_tensor_info *info, uint64_t *channels_out,
                            uint64_t *stride)
{
    bool last = node->op && strcmp(node->op, "DEPTHWISE_CONV_2D") == 0;
    uint32_t axis = last ? info->rank - 1 : 0;
    *channels_out = info->shape[axis] > 0 ? (uint64_t)info->shape[axis] : 0;
    *stride = 1;
    for (uint32_t d = axis + 1; d < info->rank; d++)
        *stride *= info->shape[d] > 0 ? (uint64_t)info->shape[d] : 1;
}

static bool measure(const exray_node *node, const exray_tensor_view *view, const float *values, double step,
                    weight_channels *out)
{
    uint64_t count, stride;
    channel_strides(node, &view->info, &count, &stride);
    if (count < 2 || view->count % count != 0)
        return false;
    double *square = calloc(count, sizeof *square);
    if (!square)
        return false;
    for (uint64_t i = 0; i < view->count; i++)
        square[i / stride % count] += (double)values[i] * values[i];
    *out = (weight_channels){.count = count, .step = step, .rms_min = INFINITY};
    double sum = 0, each = (double)(view->count / count);
    for (uint64_t c = 0; c < count; c++) {
        double rms = sqrt(square[c] / each), error = fmin(1, out->step / sqrt(12) / fmax(rms, 1e-30));
        out->rms_min = fmin(out->rms_min, rms);
        out->rms_max = fmax(out->rms_max, rms);
        out->lost += error > 0.25;
        sum += error * error;
    }
    free(square);
    out->predicted = sqrt(sum / (double)count);
    return true;
}

static const exray_node *node_of(const exray_comparison *comparison, const exray_layer_pair *layer,
                                 exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    return model && layer->node[side] < model->node_count ? &model->nodes[layer->node[side]] : NULL;
}

/* Whether the reference's weights have the same type and scale: then both sides compute with the same
 * weights. */
static bool rounded_alike(const exray_comparison *comparison, const exray_layer_pair *layer,
                          const exray_tensor_info *edge)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    const exray_node *node = node_of(comparison, layer, EXRAY_SIDE_REFERENCE);
    uint32_t tensor = node ? weights_of(model, node) : EXRAY_NO_INDEX;
    if (tensor == EXRAY_NO_INDEX)
        return false;
    const exray_tensor_info *info = &model->tensors[tensor];
    return info->dtype == edge->dtype && info->quantization.count == 1 &&
           info->quantization.scale[0] == edge->quantization.scale[0];
}

/* The step of the edge's weights if they have one scale that the reference's have not; else 0. */
static double single_step(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const exray_node *node = node_of(comparison, layer, EXRAY_SIDE_EDGE);
    uint32_t tensor = node ? weights_of(model, node) : EXRAY_NO_INDEX;
    if (tensor == EXRAY_NO_INDEX)
        return 0;
    const exray_tensor_info *info = &model->tensors[tensor];
    bool one = info->quantization.count == 1 && is_8_bits(info);
    return one && !rounded_alike(comparison, layer, info) ? info->quantization.scale[0] : 0;
}

/* The layer's weights in one side's log, or NULL. */
static const exray_record *weights_record(const exray_comparison *comparison, const exray_layer_pair *layer,
                                          exray_side side)
{
    const exray_log *log = exray_comparison_log(comparison, side);
    const exray_node *node = node_of(comparison, layer, side);
    uint32_t tensor = node ? weights_of(exray_log_model(log), node) : EXRAY_NO_INDEX;
    const exray_record *record = tensor == EXRAY_NO_INDEX ? NULL : constant_record(log, tensor);
    return record && record->has_data ? record : NULL;
}

/* Measures the channels of the edge's weights; or of the reference's, as only the edge's step is
 * needed. */
static exray_status measure_layer(const exray_comparison *comparison, const exray_layer_pair *layer,
                                  weight_channels *out, bool *found, exray_error *error)
{
    *found = false;
    double step = single_step(comparison, layer);
    if (!(step > 0))
        return EXRAY_OK;
    exray_side side = EXRAY_SIDE_EDGE;
    const exray_record *record = weights_record(comparison, layer, side);
    if (!record)
        record = weights_record(comparison, layer, side = EXRAY_SIDE_REFERENCE);
    if (!record)
        return EXRAY_OK;
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *values;
    exray_status status = slot ? exray_log_read_values(exray_comparison_log(comparison, side), record, slot,
                                                       &view, &values, error)
                               : EXRAY_E_MEMORY;
    if (status == EXRAY_OK && view.info.rank > 1)
        *found = measure(node_of(comparison, layer, side), &view, values, step, out);
    exray_slot_free(slot);
    return status;
}

/* The error of the layer alone, where it is known. */
static double own_error(const exray_layer_pair *layer)
{
    return isfinite(layer->isolated_error) ? layer->isolated_error : layer->error;
}

static exray_finding *report(const exray_layer_pair *layer, size_t i, const weight_channels *c,
                             exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "layer.per_tensor_weights", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
    exray_finding_summary(f, "Layer %u (%s) %.*s has one scale for weights of very different channels.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
    exray_finding_detail(
        f,
        "Its step is %.3g; the weights of its channels are %.3g to %.3g (rms), so that %zu of %zu "
        "channels err by more than a quarter.",
        c->step, c->rms_min, c->rms_max, c->lost, c->count);
    exray_finding_detail(f, "That explains an error of %.2g of the signal; it is %.2g.", c->predicted,
                         own_error(layer));
    exray_finding_fix(
        f, "Quantize the weights per channel; a single layer kept in float does not mend the others.");
    exray_finding_number(f, "step", c->step);
    exray_finding_number(f, "channel_rms_min", c->rms_min);
    exray_finding_number(f, "channel_rms_max", c->rms_max);
    exray_finding_number(f, "channels", (double)c->count);
    exray_finding_number(f, "channels_lost", (double)c->lost);
    exray_finding_number(f, "predicted_error", c->predicted);
    exray_finding_number(f, "error_to_signal", layer->error);
    exray_finding_number(f, "noise_to_signal", layer->noise);
    return f;
}

/* The whole model is quantized in this way: further layers are listed in the first one's finding. */
static void note_layer(const exray_layer_pair *layer, const weight_channels *c, exray_finding *f)
{
    char key[40];
    snprintf(key, sizeof key, "layer_%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, key, c->predicted);
}

/* Whether the edge has 8-bit weights of several channels with one scale. */
static bool has_shared_scale(const exray_comparison *comparison)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    for (uint32_t t = 0; model && t < model->tensor_count; t++) {
        const exray_tensor_info *info = &model->tensors[t];
        if (info->constant && info->rank > 1 && info->quantization.count == 1 &&
            exray_dtype_bits(info->dtype) == 8)
            return true;
    }
    return false;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    double share = exray_findings_option(findings, "share"),
           spread = exray_findings_option(findings, "spread");
    exray_finding *first = NULL;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->role != EXRAY_LAYER_ROLE_ORIGINATES || !isfinite(layer->error))
            continue;
        weight_channels c;
        bool found;
        exray_status status = measure_layer(comparison, layer, &c, &found, error);
        if (status != EXRAY_OK)
            return status;
        if (!found || c.predicted <= share * own_error(layer) || c.rms_max <= spread * c.rms_min)
            continue;
        if (!first)
            first = report(layer, i, &c, findings);
        note_layer(layer, &c, first);
    }
    const exray_coverage *coverage = exray_comparison_coverage(comparison);
    if (coverage->with_stats && coverage->with_data + coverage->with_sketch == 0 &&
        has_shared_scale(comparison)) {
        snprintf(error->message, sizeof error->message,
                 "statistics of layers do not show what one scale for all channels loses");
        return error->status = EXRAY_E_STATE;
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"layer.per_tensor_weights", NULL};
static const exray_option options[] = {
    {"share", "share of the layer's error that its weights' rounding must explain", 0.3, 0, 10},
    {"spread", "ratio of the largest to the smallest channel's weights, at least", 8, 1, 1e6},
    {.name = NULL},
};

const exray_assertion xr_assertion_layer_per_tensor_weights = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.per_tensor_weights",
    .summary = "one scale for a layer's weights does not lose whole channels",
    .causes = causes,
    .needs = "/model and /layer of both logs, /constant of one with data (--capture full)",
    .run = run,
    .options = options,
};
