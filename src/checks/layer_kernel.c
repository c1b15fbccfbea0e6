/* layer.kernel: a layer that is wrong though its inputs, its weights, its attributes and
 * its quantization are right: what is left is the code that computes it. */
#include "builtin.h"
#include "layer_evidence.h"
#include "model_compare.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether something is named of that layer already, or of all layers' weights. */
static bool is_named(const exray_comparison *comparison, const exray_findings *findings, size_t layer)
{
    for (const exray_finding *f = findings->first; f; f = f->next) {
        if (f->severity != EXRAY_ERROR)
            continue;
        if (xr_is_about_layer(comparison, f, layer) || strcmp(f->cause, "model.version") == 0)
            return true;
    }
    return false;
}

/* Whether a node computes with constants at all: where none is listed, an operator that
 * cannot be without hides them. */
static bool needs_weights(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    static const char *const without[] = {"ADD",  "SUB",      "MUL",  "POOL", "MEAN",   "SOFTMAX", "CONCAT",
                                          "RELU", "LOGISTIC", "SIGM", "TANH", "RESIZE", "PAD",     "HARD"};
    char op[32] = "";
    const char *name = layer->op[EXRAY_EDGE];
    for (size_t i = 0; name[i] && i + 1 < sizeof op; i++)
        op[i] = (char)toupper((unsigned char)name[i]);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_EDGE));
    if (!model || layer->node[EXRAY_EDGE] >= model->node_count)
        return true;
    const exray_node *node = &model->nodes[layer->node[EXRAY_EDGE]];
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count && model->tensors[node->inputs[i]].constant &&
            model->tensors[node->inputs[i]].rank > 1)
            return true;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (strstr(op, without[i]))
            return false;
    return true;
}

/* Whether only statistics were compared, of weights of 8 bits with one scale: that says nothing
 * of small channels, which such a scale loses. */
static bool hides_channels(const exray_comparison *comparison, const xr_weight_pair *pair)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_EDGE));
    const exray_tensor_info *info = &model->tensors[pair->tensor[EXRAY_EDGE]];
    return pair->from_stats && info->quantization.count == 1;
}

/* One model file on both sides: what was not recorded of it is the same, too. */
static bool same_file(const exray_comparison *comparison)
{
    const exray_model *edge = exray_log_model(exray_comparison_log(comparison, EXRAY_EDGE));
    const exray_model *reference = exray_log_model(exray_comparison_log(comparison, EXRAY_REFERENCE));
    return edge && reference && edge->sha256 && reference->sha256 &&
           memcmp(edge->sha256, reference->sha256, 32) == 0;
}

/* Whether its weights were compared, and are the same. */
static bool weights_are_equal(const exray_comparison *comparison, const xr_model_fit *fit, size_t layer)
{
    bool compared = same_file(comparison);
    for (size_t i = 0; i < fit->count; i++) {
        if (fit->pair[i].layer != layer)
            continue;
        if (fit->pair[i].differs)
            return false;
        compared = compared || (!fit->pair[i].bias && !hides_channels(comparison, &fit->pair[i]));
    }
    return compared;
}

/* Which nodes a delegate's node runs; 0: it is none. */
static uint32_t list_inner(const exray_comparison *comparison, const exray_layer_pair *layer, char *text,
                           size_t size)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_EDGE));
    const exray_node *node =
        model && layer->node[EXRAY_EDGE] < model->node_count ? &model->nodes[layer->node[EXRAY_EDGE]] : NULL;
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; node && i < node->inner_count; i++) {
        const char *op = node->inner[i].op ? node->inner[i].op : "?";
        if (used + strlen(op) + sizeof ", and more" > size) {
            snprintf(text + used, size - used, ", and more");
            break;
        }
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", op);
    }
    return node ? node->inner_count : 0;
}

static bool same_weights(const exray_comparison *comparison, const xr_model_fit *fit, size_t i)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    return !needs_weights(comparison, layer) || weights_are_equal(comparison, fit, i);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const xr_model_fit *fit = NULL;
    exray_status status = xr_model_fit_get(comparison, findings, &fit, error);
    if (status != EXRAY_OK)
        return status;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->role != EXRAY_LAYER_ORIGINATES || !isfinite(layer->error) || layer->from_stats ||
            is_named(comparison, findings, i) || !same_weights(comparison, fit, i))
            continue;
        exray_finding *f =
            exray_find(findings, "layer.kernel", EXRAY_ERROR, isfinite(layer->isolated_error) ? 0.9 : 0.75);
        exray_finding_where(f, "layer", layer->name[EXRAY_EDGE], (uint32_t)i);
        exray_finding_summary(
            f,
            "Layer %u (%s) %.*s is computed wrongly: its inputs and its weights are right, its "
            "output is not.",
            (unsigned)layer->node[EXRAY_EDGE], layer->op[EXRAY_EDGE], XR_SHORT_NAME(layer->name[EXRAY_EDGE]));
        exray_finding_detail(f, "Its error is %.2g of the signal; its data types and inputs explain %.2g.",
                             layer->error, layer->noise);
        if (isfinite(layer->isolated_error))
            exray_finding_detail(f,
                                 "Run alone on the edge's own inputs, the reference's layer differs from the "
                                 "edge's by %.2g of the signal; it may by %.2g.",
                                 layer->isolated_error, layer->own_noise);
        char inner[200];
        uint32_t inner_count = list_inner(comparison, layer, inner, sizeof inner);
        if (inner_count) {
            exray_finding_detail(f, "It is a delegate's, with %u of the model's nodes inside: %s.",
                                 (unsigned)inner_count, inner);
            exray_finding_number(f, "delegated_nodes", inner_count);
        }
        exray_finding_fix(
            f, "Run this layer with other kernels (--kernels), another engine version, or without the "
               "delegate.");
        exray_finding_number(f, "nrmse", layer->metrics.nrmse);
        exray_finding_number(f, "error_to_signal", layer->error);
        exray_finding_number(f, "noise_to_signal", layer->noise);
        exray_finding_alternative(f, "layer.unknown", 0.25);
        return EXRAY_OK; /* the first; what is behind it may be its consequence */
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"layer.kernel", NULL};

const exray_assertion xr_assertion_layer_kernel = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.kernel",
    .summary = "a layer with right inputs, weights and quantization computes what the reference computes",
    .causes = causes,
    .needs = "/model, /constant and /layer of both logs with data (--capture full)",
    .run = run,
};
