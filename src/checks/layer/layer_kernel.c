/* layer.kernel: a layer that is wrong though its inputs, weights, attributes and quantization are
 * right: then the code that computes it is wrong. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/layer/blame.h"
#include "checks/layer/clipped_sums.h"
#include "checks/layer/layers_behind.h"
#include "checks/layer/run_together.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/model_fit.h"
#include "checks/model/operator_report.h"
#include "checks/model/state/memory_reads.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define XR_TEXT(text) ((text) ? (text) : "")

/* Whether an earlier finding is about that layer, or about the weights of all layers. */
static bool has_cause(const exray_comparison *comparison, const exray_findings *findings, size_t layer)
{
    for (const exray_finding *f = findings->first; f; f = f->next) {
        /* Another operator of little effect is a warning, and the cause nevertheless where it is this
         * layer's: of those that were run with it nobody has seen that their effect is more. */
        if (f->severity != EXRAY_SEVERITY_ERROR && strcmp(f->cause, "model.operator") != 0)
            continue;
        const bool about = f->severity == EXRAY_SEVERITY_ERROR
                               ? xr_is_about_layer_or_run_with(comparison, f, layer)
                               : xr_is_about_layer(comparison, f, layer);
        if (about || strcmp(f->cause, "model.version") == 0)
            return true;
    }
    return false;
}

static bool reads_weights(const exray_comparison *comparison, const exray_layer_pair *layer, exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    if (!model || layer->node[side] >= model->node_count)
        return false;
    const exray_node *node = &model->nodes[layer->node[side]];
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count && model->tensors[node->inputs[i]].constant &&
            model->tensors[node->inputs[i]].rank > 1)
            return true;
    return false;
}

/* Whether a node computes with weights: it lists constants, or its operator needs them; or its counterpart
 * does, of which it is the last part. */
static bool needs_weights(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    static const char *const without[] = {"ADD",  "SUB",      "MUL",  "POOL", "MEAN",   "SOFTMAX", "CONCAT",
                                          "RELU", "LOGISTIC", "SIGM", "TANH", "RESIZE", "PAD",     "HARD"};
    char op[32] = "";
    const char *name = layer->op[EXRAY_SIDE_EDGE];
    for (size_t i = 0; name[i] && i + 1 < sizeof op; i++)
        op[i] = (char)toupper((unsigned char)name[i]);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    if (!model || layer->node[EXRAY_SIDE_EDGE] >= model->node_count)
        return true;
    if (reads_weights(comparison, layer, EXRAY_SIDE_EDGE) ||
        reads_weights(comparison, layer, EXRAY_SIDE_REFERENCE))
        return true;
    for (size_t i = 0; i < sizeof without / sizeof *without; i++)
        if (strstr(op, without[i]))
            return false;
    return true;
}

/* Whether the layer's weights were compared and are equal: statistics alone show neither another order of
 * them nor small channels that one scale rounds to zero.  With the same model file on both sides they need
 * not be recorded. */
static bool weights_are_equal(const exray_comparison *comparison, const xr_model_fit *fit, size_t layer)
{
    bool compared = xr_is_same_file(comparison);
    for (size_t i = 0; i < fit->count; i++) {
        if (fit->pair[i].layer != layer)
            continue;
        if (fit->pair[i].differs || fit->pair[i].order)
            return false;
        compared = compared || (!fit->pair[i].bias && !fit->pair[i].from_stats);
    }
    return compared;
}

/* Lists the ops that a delegate's node runs, and returns their number; 0 for other nodes. */
static uint32_t list_inner(const exray_comparison *comparison, const exray_layer_pair *layer, char *text,
                           size_t size)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const exray_node *node = model && layer->node[EXRAY_SIDE_EDGE] < model->node_count
                                 ? &model->nodes[layer->node[EXRAY_SIDE_EDGE]]
                                 : NULL;
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

/* ---- Kernels of both sides --------------------------------------------------------------------- */

static const char *kernels_of(const exray_comparison *comparison, exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    return model && model->kernels ? model->kernels : "";
}

/* Whether both sides ran the same model file on the same inputs with different kernels. */
static bool kernels_disagree(const exray_comparison *comparison)
{
    const char *a = kernels_of(comparison, EXRAY_SIDE_EDGE),
               *b = kernels_of(comparison, EXRAY_SIDE_REFERENCE);
    return *a && *b && strcmp(a, b) != 0 && xr_is_same_file(comparison) && !xr_inputs_differ(comparison);
}

static void describe_kernels(const exray_comparison *comparison, exray_finding *f)
{
    const exray_model *side[2];
    for (int k = 0; k < 2; k++)
        if (!(side[k] = exray_log_model(exray_comparison_log(comparison, (exray_side)k))))
            return;
    const char *kernels[2] = {kernels_of(comparison, EXRAY_SIDE_EDGE),
                              kernels_of(comparison, EXRAY_SIDE_REFERENCE)};
    for (int k = 0; k < 2; k++)
        exray_finding_text(f, k ? "reference_kernels" : "edge_kernels", kernels[k]);
    bool same_engine = strcmp(XR_TEXT(side[0]->engine), XR_TEXT(side[1]->engine)) == 0 &&
                       strcmp(XR_TEXT(side[0]->engine_version), XR_TEXT(side[1]->engine_version)) == 0;
    if (kernels_disagree(comparison))
        exray_finding_detail(
            f,
            "Both ran the same model file on the same inputs, the edge with %.20s kernels (%.40s "
            "%.30s), the reference with %.20s kernels (%.40s %.30s): one of the two is wrong.",
            kernels[0], XR_TEXT(side[0]->engine), XR_TEXT(side[0]->engine_version), kernels[1],
            XR_TEXT(side[1]->engine), XR_TEXT(side[1]->engine_version));
    else if (same_engine && xr_is_same_file(comparison) && *kernels[0] && strcmp(kernels[0], kernels[1]) == 0)
        exray_finding_detail(
            f,
            "Both logs name %.20s%s of %.40s %.30s, and they disagree: the edge's are of "
            "another build, were registered by the application, or run on another processor.",
            strcmp(kernels[0], "none") == 0 ? "the kernels" : kernels[0],
            strcmp(kernels[0], "none") == 0 ? "" : " kernels", XR_TEXT(side[0]->engine),
            XR_TEXT(side[0]->engine_version));
}

/* ---- The finding ------------------------------------------------------------------------ */

static bool is_suspect(const exray_comparison *comparison, exray_findings *findings, const xr_model_fit *fit,
                       size_t i)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    /* Who reads a variable computes nothing: what it gives was remembered. */
    return !xr_reads_variable(layer) && xr_originates(comparison, findings, i) && isfinite(layer->error) &&
           !layer->from_stats && !xr_may_be_rounding(comparison, layer) && !xr_is_only_clipped(layer) &&
           !xr_is_contradicted(findings, layer) && !xr_is_of_unknown_content(findings, layer) &&
           !has_cause(comparison, findings, i) && same_weights(comparison, fit, i) &&
           (xr_is_same_file(comparison) || xr_reads_alike(comparison, i)) &&
           !xr_reads_contradicted(comparison, findings, i) && !xr_loses_by_rounding(comparison, i);
}

static bool is_behind_wrong_input(const exray_comparison *comparison, exray_findings *findings, size_t i)
{
    return xr_layer_given(comparison, findings, i) == XR_GIVEN_WRONG_INPUT;
}

/* Whose output does not follow from its own inputs; 2: it is not known. */
static int wrong_side(const exray_layer_pair *layer)
{
    if (isfinite(layer->reference_error))
        return EXRAY_SIDE_REFERENCE;
    return layer->isolated_error > layer->own_noise ? EXRAY_SIDE_EDGE : 2;
}

static void summarize(const exray_comparison *comparison, const exray_layer_pair *layer, exray_finding *f)
{
    unsigned node = layer->node[EXRAY_SIDE_EDGE];
    const char *op = layer->op[EXRAY_SIDE_EDGE], *name = layer->name[EXRAY_SIDE_EDGE];
    if (kernels_disagree(comparison) && wrong_side(layer) != EXRAY_SIDE_REFERENCE)
        exray_finding_summary(
            f,
            "Layer %u (%s) %.*s: the edge's %.20s kernel differs from the reference's %.20s "
            "kernel beyond rounding; inputs and weights are the same.",
            node, op, XR_SHORT_NAME(name), kernels_of(comparison, EXRAY_SIDE_EDGE),
            kernels_of(comparison, EXRAY_SIDE_REFERENCE));
    else if (wrong_side(layer) == EXRAY_SIDE_EDGE)
        exray_finding_summary(
            f,
            "Layer %u (%s) %.*s is computed wrongly on the edge: its inputs and its weights are right, its "
            "output is not.",
            node, op, XR_SHORT_NAME(name));
    else if (wrong_side(layer) == EXRAY_SIDE_REFERENCE)
        exray_finding_summary(f,
                              "Layer %u (%s) %.*s is computed wrongly in the reference: its output does not "
                              "follow from its inputs; the edge's does.",
                              node, op, XR_SHORT_NAME(name));
    else
        exray_finding_summary(
            f,
            "Layer %u (%s) %.*s is computed differently: its inputs and its weights are the same on both "
            "sides, its outputs differ beyond rounding; which is right, the logs do not say.",
            node, op, XR_SHORT_NAME(name));
}

/* ---- Sums that are clipped ---------------------------------------------------------------------- */

/* Names sums clipped at 16 bits, where those explain what one side recorded; false: they do not. */
static bool report_clipped(const exray_comparison *comparison, size_t i, exray_finding *f)
{
    static const char *const whose[] = {"edge", "reference"};
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    xr_clipped_sums sums;
    int side = 0;
    while (side < 2 && !xr_sums_are_clipped(comparison, i, (exray_side)side, &sums))
        side++;
    if (side == 2)
        return false;
    exray_finding_summary(f,
                          "Layer %u (%s) %.*s: the %s's processor clips sums of products at 16 bits; its "
                          "inputs and its weights are right.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]), whose[side]);
    exray_finding_detail(
        f,
        "Computed again from the integers that the %s recorded, %llu of %llu values change where "
        "each two adjacent products are added with saturation at 16 bits: %llu of these are as "
        "recorded then, %llu with exact sums.",
        whose[side], (unsigned long long)sums.telling, (unsigned long long)sums.values,
        (unsigned long long)sums.clipped, (unsigned long long)sums.exact);
    exray_finding_detail(f, "x86-64 processors without VNNI do so with unsigned activations and signed 8-bit "
                            "weights.");
    exray_finding_fix(
        f,
        "Quantize with reduce_range=True (7-bit weights), or on the %s set ONNX Runtime's session "
        "option session.x64quantprecision to 1, or use a processor with VNNI.",
        whose[side]);
    exray_finding_text(f, "clipped_sums", whose[side]);
    exray_finding_number(f, "clipped_values", (double)sums.telling);
    return true;
}

/* Adds what the values show of the error. */
static exray_status describe(const exray_comparison *comparison, size_t i, exray_finding *f,
                             exray_error *error)
{
    xr_layer_evidence e;
    exray_status status = xr_layer_evidence_get(comparison, i, &e, error);
    if (status != EXRAY_OK || e.frames == 0)
        return status;
    if (e.min[EXRAY_SIDE_EDGE] == e.max[EXRAY_SIDE_EDGE])
        exray_finding_detail(f, "Every value of it is %.4g.", e.min[EXRAY_SIDE_EDGE]);
    if (xr_is_at_border(&e))
        exray_finding_detail(
            f,
            "%.1f %% of the difference lies in the outermost rows and columns, %.1f %% of the "
            "area: look at how it handles the border.",
            100 * e.border, 100 * e.border_area);
    return EXRAY_OK;
}

static void suggest(const exray_comparison *comparison, const exray_layer_pair *layer, exray_finding *f)
{
    int side = wrong_side(layer);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    bool delegate = model && layer->node[EXRAY_SIDE_EDGE] < model->node_count &&
                    model->nodes[layer->node[EXRAY_SIDE_EDGE]].inner_count > 0;
    if (side == EXRAY_SIDE_REFERENCE) {
        exray_finding_fix(f, "Make the reference with other kernels (--kernels) or another engine version.");
        return;
    }
    exray_finding_fix(
        f,
        kernels_disagree(comparison)
            ? "Run the layer with third kernels (--kernels, another engine) to see which of the two is "
              "right, and deploy with those."
        : delegate ? "Run this layer with other kernels (--kernels), another engine version, or without the "
                     "delegate."
        : side == EXRAY_SIDE_EDGE
            ? "Run this layer with other kernels (--kernels) or another engine version."
            : "Run this layer with other kernels (--kernels) or another engine version on either side: the "
              "side that changes is the wrong one.");
}

static void report(const exray_comparison *comparison, size_t i, exray_finding *f)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
    bool clipped = report_clipped(comparison, i, f);
    if (!clipped)
        summarize(comparison, layer, f);
    if (layer->error > layer->noise)
        exray_finding_detail(f, "Its error is %.2g of the signal; its data types and inputs explain %.2g.",
                             layer->error, layer->noise);
    if (isfinite(layer->isolated_error))
        exray_finding_detail(f,
                             "Run alone on the edge's own inputs, the reference's layer differs from the "
                             "edge's by %.2g of the signal; it may by %.2g.",
                             layer->isolated_error, layer->own_noise);
    if (isfinite(layer->reference_error))
        exray_finding_detail(
            f,
            "Of the reference's own inputs the layer makes something else than the reference "
            "did, by %.2g of the signal.",
            layer->reference_error);
    char inner[200];
    uint32_t inner_count = list_inner(comparison, layer, inner, sizeof inner);
    if (inner_count) {
        exray_finding_detail(f, "It is a delegate's, with %u of the model's nodes inside: %s.",
                             (unsigned)inner_count, inner);
        exray_finding_number(f, "delegated_nodes", inner_count);
    }
    if (!clipped) {
        describe_kernels(comparison, f);
        suggest(comparison, layer, f);
    }
    exray_finding_number(f, "nrmse", layer->metrics.nrmse);
    exray_finding_number(f, "error_to_signal", layer->error);
    exray_finding_number(f, "noise_to_signal", layer->noise);
    if (!clipped)
        exray_finding_alternative(f, "layer.unknown", 0.25);
}

/* Lists further wrong layers with the same operator in the same finding: they have the same kernel. */
static void add_others(const exray_comparison *comparison, exray_findings *findings, const xr_model_fit *fit,
                       size_t first, exray_finding *f)
{
    const char *op = exray_comparison_layer(comparison, first)->op[EXRAY_SIDE_EDGE];
    size_t others = 0;
    uint32_t second = 0, last = 0;
    for (size_t i = first + 1; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (strcmp(layer->op[EXRAY_SIDE_EDGE], op) != 0 || !is_suspect(comparison, findings, fit, i) ||
            (isnan(layer->isolated_error) && is_behind_wrong_input(comparison, findings, i)))
            continue;
        char key[40];
        snprintf(key, sizeof key, "layer_%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
        exray_finding_number(f, key, isfinite(layer->isolated_error) ? layer->isolated_error : layer->error);
        last = layer->node[EXRAY_SIDE_EDGE];
        second = others++ ? second : last;
    }
    if (others == 1)
        exray_finding_detail(f, "So is layer %u, of the same operator.", (unsigned)second);
    if (others > 1)
        exray_finding_detail(f, "So are %zu more layers of this operator, from %u to %u.", others,
                             (unsigned)second, (unsigned)last);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const xr_model_fit *fit = NULL;
    exray_status status = xr_model_fit_get(comparison, findings, &fit, error);
    if (status != EXRAY_OK)
        return status;
    bool reported = false, unjudged = false;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        /* Later layers may be consequences of the first, except those that were run alone. */
        bool alone = isfinite(exray_comparison_layer(comparison, i)->isolated_error);
        if ((reported && !alone) || !is_suspect(comparison, findings, fit, i))
            continue;
        if (!xr_may_be_blamed(comparison, findings, i)) {
            unjudged = unjudged || is_behind_wrong_input(comparison, findings, i);
            continue;
        }
        exray_finding *f =
            exray_findings_add(findings, "layer.kernel", EXRAY_SEVERITY_ERROR, alone ? 0.9 : 0.75);
        report(comparison, i, f);
        if ((status = describe(comparison, i, f, error)) != EXRAY_OK)
            return status;
        add_others(comparison, findings, fit, i, f);
        reported = true;
    }
    return unjudged && !reported ? xr_say_unjudged(comparison, findings, error) : EXRAY_OK;
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
