/* model.operator: a layer with other attributes (padding, stride, activation, epsilon, resize
 * convention, ...), as the models say or as the values show. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/layer/blame.h"
#include "checks/layer/inner_range.h"
#include "checks/layer/layers_behind.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/graph/between/attribute_texts.h"
#include "checks/model/graph/between/integer_scales.h"
#include "checks/model/graph/node_facts.h"
#include "checks/model/model_fit.h"
#include "checks/model/operator_report.h"
#include "checks/model/range_activation.h"
#include "checks/op_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An explanation must leave less than this share of the difference's energy. */
#define EXPLAINED 0.02

static const exray_node *node_of(const exray_comparison *comparison, const exray_layer_pair *layer,
                                 exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    return model && layer->node[side] < model->node_count ? &model->nodes[layer->node[side]] : NULL;
}

/* Numbers are compared up to the rounding of printing. */
static bool same_value(const char *a, const char *b)
{
    if (strcmp(a, b) == 0 || xr_texts_may_agree(a, b))
        return true;
    char *end[2];
    double x = strtod(a, &end[0]), y = strtod(b, &end[1]);
    return *a && *b && !*end[0] && !*end[1] && fabs(x - y) <= 1e-6 * fabs(y);
}

/* The first attribute that both have with different values, or NULL.  Engines name attributes
 * differently, so only operators of the same name are compared. */
static const exray_key_value *other_attribute(const exray_node *edge, const exray_node *reference,
                                              const char **value)
{
    if (!edge || !reference || !edge->op || !reference->op || strcmp(edge->op, reference->op) != 0)
        return NULL;
    for (uint32_t i = 0; i < edge->attribute_count; i++)
        for (uint32_t k = 0; k < reference->attribute_count; k++) {
            const exray_key_value *a = &edge->attributes[i], *b = &reference->attributes[k];
            if (a->key && b->key && a->value && b->value && strcmp(a->key, b->key) == 0 &&
                !same_value(a->value, b->value)) {
                *value = b->value;
                return a;
            }
        }
    return NULL;
}

static bool any_order(const char *op)
{
    return xr_is_op(op, "add") || xr_is_op(op, "mul") || xr_is_op(op, "minimum") || xr_is_op(op, "maximum");
}

/* Whether the node reads the outputs of the same matched layers on both sides, in another order.
 * Nodes of delegates are left out: they list inputs in the delegate's own order. */
static bool has_swapped_inputs(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    const exray_node *node[2] = {node_of(comparison, layer, EXRAY_SIDE_EDGE),
                                 node_of(comparison, layer, EXRAY_SIDE_REFERENCE)};
    if (!node[0] || !node[1] || node[0]->input_count != node[1]->input_count || node[0]->inner_count > 0 ||
        node[1]->inner_count > 0 || any_order(node[0]->op))
        return false;
    bool moved = false;
    for (uint32_t i = 0; i < node[0]->input_count; i++) {
        size_t producer = xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, node[0]->inputs[i]);
        bool found = false;
        for (uint32_t k = 0; producer != SIZE_MAX && k < node[1]->input_count; k++)
            found = found ||
                    xr_layer_that_makes(comparison, EXRAY_SIDE_REFERENCE, node[1]->inputs[k]) == producer;
        if (producer != SIZE_MAX && !found)
            return false; /* other inputs, not the same in another order */
        moved = moved || (found && xr_layer_that_makes(comparison, EXRAY_SIDE_REFERENCE,
                                                       node[1]->inputs[i]) != producer);
    }
    return moved;
}

static exray_finding *begin(const exray_layer_pair *layer, size_t i, double confidence,
                            exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "model.operator", EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
    exray_finding_number(f, "error_to_signal", layer->error);
    exray_finding_number(f, "noise_to_signal", layer->noise);
    return f;
}

static void report_attribute(const exray_layer_pair *layer, size_t i, const exray_key_value *attribute,
                             const char *value, exray_findings *findings)
{
    exray_finding *f = begin(layer, i, 0.95, findings);
    char text[2][XR_ATTRIBUTE_NUMBER];
    const char *shown[2] = {attribute->value, value};
    xr_attribute_words(shown, text);
    exray_finding_summary(f, "Layer %u (%s) %.*s has %.60s %.60s on the edge, %.60s in the reference.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]), attribute->key, shown[0], shown[1]);
    exray_finding_fix(f, "Convert the model again with %.60s %.60s for this layer.", attribute->key,
                      shown[1]);
    exray_finding_text(f, "attribute", attribute->key);
    exray_finding_text(f, "edge", attribute->value);
    exray_finding_text(f, "reference", value);
}

static void report_order(const exray_layer_pair *layer, size_t i, exray_findings *findings)
{
    exray_finding *f = begin(layer, i, 0.95, findings);
    exray_finding_summary(f, "Layer %u (%s) %.*s reads its inputs in another order than the reference's.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
    exray_finding_fix(f, "Convert the model again: the operands of this layer were exchanged.");
    exray_finding_text(f, "attribute", "inputs");
}

static void report_activation(const exray_layer_pair *layer, size_t i, bool missing, const char *name,
                              double left, exray_findings *findings)
{
    exray_finding *f = begin(layer, i, 0.9, findings);
    exray_finding_summary(f, "Layer %u (%s) %.*s %s the activation %s that the %s has.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]), missing ? "lacks" : "applies", name,
                          missing ? "reference" : "edge alone");
    exray_finding_detail(f, "With it on both sides, %.2g %% of the difference's energy would be left.",
                         100 * left);
    exray_finding_fix(f, "Convert the model again: this layer's fused activation was %s.",
                      missing ? "lost" : "added");
    exray_finding_text(f, "activation", name);
    exray_finding_number(f, "left", left);
}

static void report_padding(const exray_layer_pair *layer, size_t i, const xr_layer_evidence *e,
                           exray_findings *findings)
{
    exray_finding *f = begin(layer, i, 0.7, findings);
    exray_finding_summary(f,
                          "Layer %u (%s) %.*s is wrong at the rim of the picture alone: its padding differs.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
    exray_finding_detail(
        f, "%.1f %% of the difference lies in the outermost rows and columns, %.1f %% of the area.",
        100 * e->border, 100 * e->border_area);
    exray_finding_fix(f, "Compare padding and border handling of this layer: the model's, and the kernel's.");
    exray_finding_number(f, "border", e->border);
    exray_finding_number(f, "border_area", e->border_area);
    exray_finding_alternative(f, "layer.kernel", 0.3);
}

/* Whether both models give the layer the same activation: then its values differ for another
 * reason, such as a range that clips them as the activation would. */
static bool says_same_activation(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    static const char key[] = "fused_activation_function";
    const char *value[2];
    for (int s = 0; s < 2; s++)
        value[s] = exray_node_attribute(node_of(comparison, layer, (exray_side)s), key);
    return value[0] && value[1] && strcmp(value[0], value[1]) == 0;
}

static void look_at_values(const exray_comparison *comparison, const exray_layer_pair *layer, size_t i,
                           const xr_layer_evidence *e, exray_findings *findings)
{
    static const char *const names[XR_ACTIVATIONS] = {"RELU", "RELU6"};
    bool known = says_same_activation(comparison, layer);
    for (int k = 0; !known && k < XR_ACTIVATIONS; k++) {
        bool missing = e->without[k] < EXPLAINED * e->difference;
        if (!missing && !(e->with[k] < EXPLAINED * e->difference))
            continue;
        double left = (missing ? e->without[k] : e->with[k]) / e->difference;
        report_activation(layer, i, missing, names[k], left, findings);
        return;
    }
    if (xr_is_at_border(e))
        report_padding(layer, i, e, findings);
}

static bool is_by_range(const exray_comparison *comparison, const exray_layer_pair *layer, const char *key,
                        const char *edge, const char *reference)
{
    return strcmp(key, "fused_activation_function") == 0 &&
           xr_range_activates(comparison, layer, edge, reference);
}

/* A layer by itself: where the graphs do not tell. */
static exray_status look_at_layer(const exray_comparison *comparison, size_t i, exray_findings *findings,
                                  exray_error *error)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    const char *value = NULL;
    const exray_key_value *attribute =
        other_attribute(node_of(comparison, layer, EXRAY_SIDE_EDGE),
                        node_of(comparison, layer, EXRAY_SIDE_REFERENCE), &value);
    if (attribute && !is_by_range(comparison, layer, attribute->key, attribute->value, value)) {
        report_attribute(layer, i, attribute, value, findings);
        return EXRAY_OK;
    }
    if (has_swapped_inputs(comparison, layer)) {
        report_order(layer, i, findings);
        return EXRAY_OK;
    }
    /* The operators of one file are the same: only a kernel can be wrong. */
    if (xr_is_same_file(comparison) || !xr_may_be_blamed(comparison, findings, i))
        return EXRAY_OK;
    xr_layer_evidence e;
    exray_status status = xr_layer_evidence_get(comparison, i, &e, error);
    /* A range that is long enough and in the wrong place cuts as an activation would, and is none. */
    bool misplaced = status == EXRAY_OK && e.step > 0 && xr_is_range_off_center(&e);
    if (status == EXRAY_OK && e.frames && e.difference > 0 && !misplaced)
        look_at_values(comparison, layer, i, &e, findings);
    return status;
}

/* `graphs`: NULL where they were not compared. */
static exray_status look_at_layers(const exray_comparison *comparison, const xr_differences *graphs,
                                   exray_findings *findings, exray_error *error)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; status == EXRAY_OK && i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        bool known =
            graphs && (xr_is_told_of_layer(comparison, findings, "model.operator", i) ||
                       xr_differences_know(graphs, layer) || xr_differences_contradict(graphs, layer));
        if (layer->role == EXRAY_LAYER_ROLE_ORIGINATES && !known)
            status = look_at_layer(comparison, i, findings, error);
    }
    return status;
}

/* ---- Integers that are read otherwise than they are written -------------------------------------- */

enum { MOST_MISREAD = 32, MOST_LAYERS = 8 };

/* The layers that a node ends in: it is one, or those that read what it makes. */
static size_t layers_of(const exray_comparison *comparison, const exray_model *model, uint32_t node,
                        size_t layer[MOST_LAYERS])
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE] == node) {
            layer[0] = i;
            return 1;
        }
    return model->nodes[node].output_count && model->nodes[node].outputs[0] < model->tensor_count
               ? xr_layers_that_read(comparison, model->nodes[node].outputs[0], layer, MOST_LAYERS)
               : 0;
}

/* Whether a layer errs by what is read otherwise: beyond noise; or within that of few bits, but several times
 * as much as what was written, and half of what the other scale makes or more. */
static bool errs_by_scale(const exray_comparison *comparison, const exray_model *model,
                          const xr_scale_mismatch *m, const exray_layer_pair *layer)
{
    static const double beyond = 3;
    if (!isfinite(layer->error) || layer->error > layer->noise)
        return isfinite(layer->error);
    const exray_node *writer = &model->nodes[m->writer];
    const exray_layer_pair *before = NULL;
    for (uint32_t k = 0; k < 2 && !before; k++) { /* what the node makes, or quantizes */
        uint32_t tensor = k ? (writer->input_count ? writer->inputs[0] : EXRAY_NO_INDEX)
                            : (writer->output_count ? writer->outputs[0] : EXRAY_NO_INDEX);
        size_t at =
            tensor == EXRAY_NO_INDEX ? SIZE_MAX : xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, tensor);
        before = at == SIZE_MAX ? NULL : exray_comparison_layer(comparison, at);
    }
    if (!before || !isfinite(before->error) || !(before->metrics.std[EXRAY_SIDE_EDGE] > 0))
        return false;
    double made = fabs(m->scale[1] / m->scale[0] - 1) +
                  fabs(m->zero[0] - m->zero[1]) * m->scale[0] / before->metrics.std[EXRAY_SIDE_EDGE];
    return layer->error > beyond * before->error && layer->error > 0.5 * made;
}

/* Whether the two files, equal bit for bit up to the node that reads otherwise and beside it, begin to differ
 * behind it: then nothing else can be the reason, however little it costs.  Fills in the first such layer.
 * False, too, where memory lacks. */
static bool begins_behind(const exray_comparison *comparison, const xr_scale_mismatch *m, size_t *first)
{
    static const double of_floats = 1e-4; /* of the signal: more than rounding floats costs */
    const size_t layers = exray_comparison_layer_count(comparison);
    bool *behind = calloc(layers + 1, sizeof *behind);
    bool before = false, begins = behind && !xr_inputs_differ(comparison) &&
                                  xr_mark_behind_node(comparison, m->reader, behind);
    *first = SIZE_MAX;
    for (size_t i = 0; begins && i < layers; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        before = before || (!behind[i] && xr_layer_has_data(layer));
        if (!behind[i])
            begins = !(layer->metrics.max_abs > 0);
        else if (*first == SIZE_MAX && xr_layer_has_data(layer) && layer->error > of_floats)
            *first = i;
    }
    free(behind);
    return begins && before && *first != SIZE_MAX;
}

static exray_finding *begin_misread(const exray_model *model, const xr_scale_mismatch *m, size_t layer,
                                    exray_findings *findings)
{
    const exray_node *reader = &model->nodes[m->reader];
    const char *tensor = model->tensors[m->tensor].name, *name = reader->name ? reader->name : "";
    const bool scales = m->scale[0] != m->scale[1];
    exray_finding *f = exray_findings_add(findings, "model.operator", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "model", tensor, (uint32_t)layer);
    exray_finding_summary(f,
                          "Node %u (%.40s) %.*s reads the integers %.*s with the %s %.6g, which are written "
                          "with %.6g.",
                          (unsigned)m->reader, reader->op, XR_SHORT_NAME(name),
                          XR_SHORT_NAME(tensor ? tensor : ""), scales ? "scale" : "zero point",
                          scales ? m->scale[1] : m->zero[1], scales ? m->scale[0] : m->zero[0]);
    exray_finding_detail(f, "Written by node %u (%.40s): scale %.6g, zero point %g; read: %.6g, %g.",
                         (unsigned)m->writer, model->nodes[m->writer].op, m->scale[0], m->zero[0],
                         m->scale[1], m->zero[1]);
    exray_finding_fix(f, "Give both nodes the scale and the zero point that the tensor was calibrated with: "
                         "quantize the model again, and look at what edits its file behind that.");
    exray_finding_text(f, "attribute", scales ? "scale" : "zero point");
    exray_finding_number(f, "scale_written", m->scale[0]);
    exray_finding_number(f, "scale_read", m->scale[1]);
    exray_finding_number(f, "zero_point_written", m->zero[0]);
    exray_finding_number(f, "zero_point_read", m->zero[1]);
    if (!scales)
        exray_finding_alternative(f, "layer.zero_point", 0.3);
    return f;
}

/* Such integers of a side's model, up to MOST_MISREAD.  False: out of memory. */
static bool find_misread(const exray_log *log, xr_scale_mismatch *found, size_t *count)
{
    xr_model_constants constants;
    *count = 0;
    if (!exray_log_model(log))
        return true;
    if (!xr_model_constants_open(log, &constants))
        return false;
    *count = xr_scale_mismatches(&constants, found, MOST_MISREAD);
    xr_model_constants_close(&constants);
    return true;
}

/* Tells such integers where a layer behind them errs: a factor may be meant. */
static bool look_at_scales(const exray_comparison *comparison, exray_findings *findings)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    xr_scale_mismatch found[MOST_MISREAD], others[MOST_MISREAD];
    size_t count, of_reference;
    if (!model || xr_is_same_file(comparison))
        return true;
    if (!find_misread(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), found, &count))
        return false;
    if (count && !find_misread(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE), others, &of_reference))
        return false;
    exray_finding *f = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t layer[MOST_LAYERS], layers = layers_of(comparison, model, found[i].reader, layer);
        size_t first;
        if (of_reference == 0 && begins_behind(comparison, &found[i], &first)) {
            const exray_layer_pair *pair = exray_comparison_layer(comparison, first);
            if (!f)
                f = begin_misread(model, &found[i], first, findings);
            exray_finding_number(f, "begins_at", pair->node[EXRAY_SIDE_EDGE]);
            exray_finding_number(f, "error_to_signal", pair->error);
            continue;
        }
        for (size_t k = 0; k < layers; k++) {
            const exray_layer_pair *pair = exray_comparison_layer(comparison, layer[k]);
            char key[40];
            if (!errs_by_scale(comparison, model, &found[i], pair))
                continue;
            if (!f)
                f = begin_misread(model, &found[i], layer[k], findings);
            snprintf(key, sizeof key, "layer_%u", (unsigned)pair->node[EXRAY_SIDE_EDGE]);
            exray_finding_number(f, key, pair->error);
        }
    }
    return true;
}

/* ---- Normalizations that were folded with another epsilon ----------------------------------------- */

static exray_finding *begin_epsilon(const exray_comparison *comparison, const xr_weight_pair *p,
                                    exray_findings *findings)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, p->layer);
    const double *e = p->epsilon;
    exray_finding *f = begin(layer, p->layer, 0.95, findings);
    exray_finding_summary(
        f,
        "Layer %u (%s) %.*s has a normalization of epsilon %.6g on the edge, of %.6g in the "
        "reference.",
        (unsigned)layer->node[0], layer->op[0], XR_SHORT_NAME(layer->name[0]), e[0], e[1]);
    exray_finding_detail(
        f, "One side has it folded into the layer's weights: they are those of the other side's, "
           "with that epsilon.");
    exray_finding_fix(f, "Convert the model again with epsilon %.6g.", e[1]);
    exray_finding_text(f, "attribute", "epsilon");
    exray_finding_number(f, "edge", e[0]);
    exray_finding_number(f, "reference", e[1]);
    return f;
}

/* Whether a layer is wrong or, where it was not recorded, the outputs are. */
static bool is_shown(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    return isnan(layer->error) ? xr_outputs_alone_differ(comparison)
                               : layer->role != EXRAY_LAYER_ROLE_CLEAN && layer->error > layer->noise;
}

/* Tells such normalizations where their layers, or the outputs, show it. */
static exray_status look_at_epsilons(const exray_comparison *comparison, exray_findings *findings,
                                     exray_error *error)
{
    const xr_model_fit *fit = NULL;
    exray_finding *f = NULL;
    exray_status status = xr_model_fit_get(comparison, findings, &fit, error);
    for (size_t i = 0; status == EXRAY_OK && i < fit->count; i++) {
        const xr_weight_pair *p = &fit->pair[i];
        char key[40];
        if (!(p->epsilon[0] > 0) || p->differs || p->layer == SIZE_MAX)
            continue;
        const exray_layer_pair *layer = exray_comparison_layer(comparison, p->layer);
        if (!is_shown(comparison, layer))
            continue;
        f = f ? f : begin_epsilon(comparison, p, findings);
        if (xr_outputs_differ_little(comparison))
            f->severity = EXRAY_SEVERITY_WARNING;
        snprintf(key, sizeof key, "layer_%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
        exray_finding_number(f, key, layer->error);
    }
    return status;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const xr_differences *graphs;
    bool ok = xr_differences_get(comparison, findings, &graphs);
    if (ok && graphs)
        ok = xr_report_operators(comparison, graphs, findings);
    ok = ok && look_at_scales(comparison, findings);
    if (ok) {
        const exray_status status = look_at_epsilons(comparison, findings, error);
        return status == EXRAY_OK ? look_at_layers(comparison, graphs, findings, error) : status;
    }
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the models' graphs"};
    return EXRAY_E_MEMORY;
}

static const char *const causes[] = {"model.operator", NULL};

const exray_assertion xr_assertion_model_operator = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "model.operator",
    .summary = "every layer has the same attributes on both sides",
    .causes = causes,
    .needs = "/model of both logs with attributes, or /layer of both with data",
    .run = run,
};
