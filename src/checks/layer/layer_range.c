/* layer.saturation, layer.range, layer.zero_point: the range of a layer's 8-bit output compared with
 * the range of the reference's values.
 *
 * A range has two costs: values beyond it are clipped, and a wide one has coarse steps.  Good
 * calibration, by whatever method, makes clipping cost no more than rounding (calibration by mean
 * squared error makes them equal; the usual methods clip less).  So a range is too narrow where
 * clipping costs several times the rounding error, and too wide where rounding costs much more than
 * the range of the values requires.  A range that is wide enough, but clips on one side and is unused
 * on the other, has a wrong zero point. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/layer/inner_range.h"
#include "checks/layer/input_range.h"
#include "checks/layer/layers_behind.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/operator_report.h"
#include "checks/model/state/loops.h"
#include "checks/op_name.h"
#include "checks/place_of.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Clipping that costs less than this share of the signal has no effect on later layers. */
#define LEAST_CLIPPING 0.01
/* Share of the reference's values beyond the range at whose places the edge is at its end; clipped layers
 * before leave fewer of them. */
#define LEAST_HELD 0.25
/* Share of the worst layer's cost that the reported layer must reach. */
#define SHARE_OF_WORST 0.25

/* 6 times the noise of 8-bit weights, 4 / (127 sqrt(12)): the error of a clean layer
 * (compare/localize.c). */
#define MOST_OF_8_BITS 0.055

typedef enum range_fault { HEALTHY, TOO_NARROW, TOO_WIDE, OFF_CENTER } range_fault;

typedef struct judged {
    size_t layer;
    range_fault fault;
    bool known;  /* the reference is quantized to the same type */
    double cost; /* error from clipping or from the steps / the signal's deviation */
    /* Tensors of the edge that have no counterpart, or EXRAY_NO_INDEX: a copy in integers of what the layer
     * made, integers that it reads, and the node that makes those. */
    uint32_t copy, before, maker;
    xr_layer_evidence evidence;
} judged;

typedef struct range_limits {
    double clip_ratio, step_ratio;
} range_limits;

/* The quantization of the reference's output, where it has the same type and one scale: then the
 * right quantization is known.  Else NULL. */
static const exray_quantization *same_type(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    const exray_tensor_info *edge = xr_layer_stored(comparison, layer, EXRAY_SIDE_EDGE);
    const exray_tensor_info *reference = xr_layer_stored(comparison, layer, EXRAY_SIDE_REFERENCE);
    bool alike = edge && reference && edge->dtype == reference->dtype && reference->quantization.count == 1;
    return alike ? &reference->quantization : NULL;
}

/* Calibration that changes the zero point changes the scale, too. */
static bool is_moved(const xr_layer_evidence *e, const exray_quantization *reference)
{
    double zero = reference->zero_point ? (double)reference->zero_point[0] : 0;
    return e->step == (double)reference->scale[0] && e->zero_point != zero && e->below + e->above > 0;
}

/* Whether the edge is at the end of its range where the reference is beyond it: else its values are others
 * for another reason, and say nothing about the range.  From statistics it is not known where. */
static bool is_held(const xr_layer_evidence *e)
{
    return isnan(e->held) || e->held >= LEAST_HELD * (e->below + e->above);
}

static range_fault judge(const xr_layer_evidence *e, const range_limits *limit,
                         const exray_quantization *reference, double *cost)
{
    *cost = 0;
    if (e->frames == 0 || e->step <= 0 || !(e->deviation > 0))
        return HEALTHY;
    double clipping = sqrt(e->clipped) / e->deviation, rounding = e->step / sqrt(12) / e->deviation;
    if (reference && is_moved(e, reference)) {
        *cost = clipping;
        return OFF_CENTER;
    }
    if (clipping > limit->clip_ratio * rounding && clipping > LEAST_CLIPPING && is_held(e)) {
        *cost = clipping;
        return xr_is_range_off_center(e) ? OFF_CENTER : TOO_NARROW;
    }
    double error = sqrt(e->difference) / e->deviation;
    if (reference) {
        *cost = e->step > limit->step_ratio * reference->scale[0] ? fmax(rounding, error) : 0;
        return *cost > 0 ? TOO_WIDE : HEALTHY;
    }
    double used = (e->max[1] - e->min[1]) / (e->high - e->low);
    if (used * limit->step_ratio < 1 && rounding > 0.5 * error) {
        *cost = rounding;
        return TOO_WIDE;
    }
    return HEALTHY;
}

/* Whether the range is that of the function itself: 0 to 1 of a softmax or sigmoid, -1 to 1 of a tanh
 * or an L2 normalization.  TensorFlow Lite's quantization specification fixes it so, and ONNX Runtime's
 * quantizer does the same, whatever the values are: no calibration chose it. */
static bool is_range_of_function(const exray_layer_pair *layer, const xr_layer_evidence *e)
{
    const char *op = layer->op[EXRAY_SIDE_EDGE];
    bool from_zero = xr_is_op(op, "softmax") || xr_is_op(op, "logistic") || xr_is_op(op, "sigmoid");
    if (!from_zero && !xr_is_op(op, "tanh") && !xr_is_op(op, "l2normalization"))
        return false;
    return fabs(e->low - (from_zero ? 0 : -1)) < 1.5 * e->step && fabs(e->high - 1) < 1.5 * e->step;
}

static bool is_wrong(const exray_layer_pair *layer)
{
    return layer->role == EXRAY_LAYER_ROLE_ORIGINATES || layer->role == EXRAY_LAYER_ROLE_PROPAGATES;
}

/* Judges the range that the layer itself has. */
static exray_status judge_own(const exray_comparison *comparison, const exray_tensor_info *edge,
                              const range_limits *limit, judged *j, exray_error *error)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, j->layer);
    exray_status status = EXRAY_OK;
    if (layer->from_stats || layer->from_sketch)
        xr_layer_evidence_from_stats(comparison, j->layer, &j->evidence);
    else
        status = xr_layer_range_evidence_get(comparison, j->layer, &j->evidence, error);
    if (status != EXRAY_OK)
        return status;
    const exray_quantization *reference = same_type(comparison, layer);
    j->known = reference != NULL;
    j->fault = judge(&j->evidence, limit, reference, &j->cost);
    /* Integers of 16 bits are symmetric: their zero point is zero, and only a wider range holds more. */
    if (j->fault == OFF_CENTER && !j->known && edge->dtype == EXRAY_DTYPE_INT16 &&
        j->evidence.zero_point == 0)
        j->fault = TOO_NARROW;
    /* From a lower bound of the error it is not known whether the steps are most of it. */
    if (j->fault == TOO_WIDE &&
        ((layer->from_stats && !j->known) || is_range_of_function(layer, &j->evidence)))
        j->fault = HEALTHY;
    return EXRAY_OK;
}

/* Whether an activation that cuts values off reads the reference's layer: the same cut may then be the range
 * of a copy on the edge. */
static bool is_cut_behind(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    static const char *const cutting[] = {"relu", "relu6", "clip", "minimum", "maximum", "min", "max"};
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    const exray_tensor_info *made = xr_layer_info(comparison, layer, EXRAY_SIDE_REFERENCE);
    for (uint32_t n = 0; model && made && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        const bool reads = xr_node_reads(node, (uint32_t)(made - model->tensors));
        for (size_t k = 0; reads && k < sizeof cutting / sizeof *cutting; k++)
            if (xr_is_op(node->op, cutting[k]))
                return true;
    }
    return !model || !made;
}

/* Judges the range of the copy that a node behind a layer of floats makes. */
static exray_status judge_copy(const exray_comparison *comparison, const range_limits *limit, judged *j,
                               exray_error *error)
{
    uint32_t node = xr_quantizer_behind(comparison, j->layer);
    if (node == EXRAY_NO_INDEX || !xr_layer_has_data(exray_comparison_layer(comparison, j->layer)))
        return EXRAY_OK;
    j->copy = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE))->nodes[node].outputs[0];
    exray_status status = xr_quantizer_evidence(comparison, j->layer, node, &j->evidence, error);
    if (status == EXRAY_OK)
        j->fault = judge(&j->evidence, limit, NULL, &j->cost);
    /* A range that begins at zero may be an activation; what it holds is compared behind it. */
    bool activates =
        (fabs(j->evidence.low) < j->evidence.step || fabs(j->evidence.high) < j->evidence.step) &&
        is_cut_behind(comparison, exray_comparison_layer(comparison, j->layer));
    if (j->fault == TOO_WIDE
            ? is_range_of_function(exray_comparison_layer(comparison, j->layer), &j->evidence)
            : activates)
        j->fault = HEALTHY;
    return status;
}

/* Of a layer that is wrong: all of the error but its noise lies where the integers that it reads are at an
 * end of their type, or their steps are most of it. */
static exray_status judge_before(const exray_comparison *comparison, const range_limits *limit, judged *j,
                                 exray_error *error)
{
    static const double most = 0.9;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, j->layer);
    j->before = layer->role == EXRAY_LAYER_ROLE_ORIGINATES
                    ? xr_integers_before(comparison, j->layer, &j->maker)
                    : EXRAY_NO_INDEX;
    if (j->before == EXRAY_NO_INDEX)
        return EXRAY_OK;
    xr_layer_evidence *e = &j->evidence;
    exray_status status = xr_integers_evidence(comparison, j->layer, j->before, e, error);
    if (status != EXRAY_OK || e->frames == 0 || !(e->deviation > 0))
        return status;
    double clipping = sqrt(e->clipped) / e->deviation, rest = sqrt(e->unclipped) / e->deviation;
    double used = (e->max[0] - e->min[0]) / (e->high - e->low);
    if (e->clipped > most * e->difference && clipping > LEAST_CLIPPING && rest <= layer->noise) {
        j->fault = TOO_NARROW;
        j->cost = clipping;
    } else if (used * limit->step_ratio < 1 && e->step / sqrt(12) > 0.5 * sqrt(e->difference)) {
        j->fault = TOO_WIDE;
        j->cost = e->step / sqrt(12) / e->deviation;
    }
    return EXRAY_OK;
}

/* *ranges: how many layers have a range of their own. */
static exray_status judge_all(const exray_comparison *comparison, const range_limits *limit, judged *list,
                              size_t *count, size_t *ranges, exray_error *error)
{
    const bool quantizes = xr_has_quantizers(comparison);
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        bool summed = layer->from_stats || layer->from_sketch;
        const exray_tensor_info *edge = summed ? xr_layer_info(comparison, layer, EXRAY_SIDE_EDGE)
                                               : xr_layer_stored(comparison, layer, EXRAY_SIDE_EDGE);
        judged j = {.layer = i, .copy = EXRAY_NO_INDEX, .before = EXRAY_NO_INDEX};
        exray_status status = EXRAY_OK;
        if (edge && edge->quantization.count == 1)
            status = judge_own(comparison, edge, limit, &j, error);
        else if (edge && quantizes)
            status = judge_copy(comparison, limit, &j, error);
        if (status == EXRAY_OK && j.fault == HEALTHY && !summed)
            status = judge_before(comparison, limit, &j, error);
        if (status != EXRAY_OK)
            return status;
        *ranges += j.evidence.step > 0;
        if (j.fault != HEALTHY)
            list[(*count)++] = j;
    }
    return EXRAY_OK;
}

/* What no healthy 8-bit model has, whatever its layers' errors are: another zero point than the reference's
 * of the same type and scale; and, if it costs more than the error of a clean layer, a range in the wrong
 * place (data that calibration has not seen exceed a range at one end or the other), one that is too wide, or
 * too narrow where the reference has the same type. */
static bool is_certain(const judged *j)
{
    bool costly = j->cost > MOST_OF_8_BITS;
    return (j->fault == OFF_CENTER && j->known) || (costly && (j->fault != TOO_NARROW || j->known));
}

/* Behind layers with other weights values are wrong anyway; a range is too narrow nevertheless where the edge
 * is at its end wherever the reference is beyond it: other weights alone would not gather the values there,
 * the less so where the range was chosen for them. */
static bool is_stuck(const judged *j)
{
    const xr_layer_evidence *e = &j->evidence;
    return j->fault == TOO_NARROW && j->cost > MOST_OF_8_BITS && isfinite(e->held) &&
           e->held >= 0.5 * (e->below + e->above);
}

/* Whether one layer alone, of several with a range, clips, and that far beyond what any calibration trades
 * for finer steps: one that clips for these would do so in the others, too; a copy's range may be an
 * activation.  Layers that hand on the integers of one range are one. */
static bool clips_alone(const judged *list, size_t count, size_t ranges, const range_limits *limit)
{
    enum { FEWEST = 5 };
    const judged *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (list[i].fault != TOO_NARROW || list[i].copy != EXRAY_NO_INDEX || list[i].before != EXRAY_NO_INDEX)
            return false;
        first = first ? first : &list[i];
        if (list[i].evidence.low != first->evidence.low || list[i].evidence.high != first->evidence.high)
            return false;
    }
    return first && ranges >= FEWEST && is_stuck(first) &&
           first->cost > 2 * limit->clip_ratio * first->evidence.step / sqrt(12) / first->evidence.deviation;
}

/* Whether a range ends at zero, which quantizers have within each, and at the largest value: of values that
 * lie far from zero (a level, a temperature) no calibration makes its steps finer. */
static bool is_bound_by_zero(const xr_layer_evidence *e)
{
    const double near = 2 * e->step;
    return (fabs(e->low) <= near && e->min[1] > 0 && fabs(e->high - e->max[1]) <= near) ||
           (fabs(e->high) <= near && e->max[1] < 0 && fabs(e->low - e->min[1]) <= near);
}

/* Where no layer or output is wrong, keeps only what is certain; with one layer that surely clips, the others
 * that clip: one calibration made them.  A range that the engine keeps for several tensors has to hold the
 * largest. */
static size_t keep_certain(const exray_comparison *comparison, judged *list, size_t count, size_t ranges,
                           const range_limits *limit, bool other_weights)
{
    size_t kept = 0;
    if (clips_alone(list, count, ranges, limit))
        return count;
    bool clips = false;
    for (size_t i = 0; i < count; i++)
        clips = clips || (list[i].fault == TOO_NARROW && is_certain(&list[i]));
    for (size_t i = 0; i < count; i++)
        if ((is_certain(&list[i]) &&
             (list[i].fault != TOO_WIDE || list[i].known ||
              !(xr_shares_range(comparison, list[i].layer) || is_bound_by_zero(&list[i].evidence)))) ||
            (other_weights && is_stuck(&list[i])) || (clips && list[i].fault == TOO_NARROW))
            list[kept++] = list[i];
    return kept;
}

/* Behind another operator the reference has other values: that a range does not hold those is no fault of it.
 * False: out of memory. */
static bool keep_before_operators(const exray_comparison *comparison, const exray_findings *findings,
                                  judged *list, size_t *count)
{
    const size_t layers = exray_comparison_layer_count(comparison);
    bool *behind = calloc(layers + 1, sizeof *behind), any = false;
    for (const exray_finding *f = findings->first; behind && f; f = f->next) {
        const bool other = f->severity == EXRAY_SEVERITY_ERROR && strcmp(f->cause, "model.operator") == 0;
        for (size_t i = 0; other && i < layers; i++)
            if (xr_is_about_layer(comparison, f, i))
                any = behind[i] = true;
    }
    const bool good = behind && (!any || xr_mark_behind(comparison, behind));
    size_t kept = 0;
    for (size_t i = 0; good && i < *count; i++)
        if (!behind[list[i].layer])
            list[kept++] = list[i];
    free(behind);
    *count = kept;
    return good;
}

static bool any_alone(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (isfinite(exray_comparison_layer(comparison, i)->isolated_error))
            return true;
    return false;
}

/* Where the model's inputs differ, the costs of ranges are not known.  But a layer that was run alone
 * on the edge's inputs and was wrong only by clipping has too narrow a range, if the reference's
 * values do not fit either. */
static size_t keep_clipped(const exray_comparison *comparison, judged *list, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].fault != TOO_WIDE &&
            xr_is_only_clipped(exray_comparison_layer(comparison, list[i].layer)))
            list[kept++] = list[i];
    return kept;
}

/* ---- Findings ------------------------------------------------------------------------- */

static const char *cause_of(range_fault f)
{
    return f == TOO_NARROW ? "layer.saturation" : f == TOO_WIDE ? "layer.range" : "layer.zero_point";
}

/* Of integers that the layer reads, which the reference has no counterpart of. */
static void describe_before(const exray_comparison *comparison, const judged *j, exray_finding *f)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, j->layer);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const xr_layer_evidence *e = &j->evidence;
    const exray_node *maker = &model->nodes[j->maker];
    const char *tensor = model->tensors[j->before].name, *inner = maker->name && *maker->name ? maker->name
                                                                  : tensor                    ? tensor
                                                                                              : "";
    exray_finding_summary(f,
                          "Layer %u (%s) %.*s, before layer %u (%s) %.*s, %s: it can hold %.4g to %.4g, its "
                          "values are %.4g to %.4g.",
                          (unsigned)j->maker, maker->op ? maker->op : "", XR_SHORT_NAME(inner),
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]),
                          j->fault == TOO_NARROW ? "saturates" : "is quantized too coarsely", e->low, e->high,
                          e->min[0], e->max[0]);
    if (j->fault == TOO_NARROW) {
        exray_finding_detail(f,
                             "%.2g %% of its values are at an end of that range, and %.3g %% of the squared "
                             "difference of the layer lies there; elsewhere it is within noise.",
                             100 * (e->below + e->above), 100 * e->clipped / e->difference);
        exray_finding_fix(f, "Calibrate again with data as in use: the range of %.*s is too narrow.",
                          XR_SHORT_NAME(inner));
    } else {
        exray_finding_detail(f, "Its steps of %.3g cost %.2g of the signal.", e->step, j->cost);
        exray_finding_fix(f, "Calibrate again with data as in use: the range of %.*s is too wide.",
                          XR_SHORT_NAME(inner));
    }
    exray_finding_text(f, "inner", inner);
    exray_finding_number(f, "low", e->low);
    exray_finding_number(f, "high", e->high);
    exray_finding_number(f, "cost", j->cost);
    exray_finding_number(f, "error_to_signal", sqrt(e->difference) / e->deviation);
}

/* Layers that read the copy answer to what it lost: "layer_17", their error. */
static void add_readers(const exray_comparison *comparison, const judged *j, exray_finding *f)
{
    enum { MOST = 16 };
    size_t reader[MOST];
    size_t count = xr_layers_that_read(comparison, j->copy, reader, MOST);
    for (size_t i = 0; i < count; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, reader[i]);
        char key[40];
        snprintf(key, sizeof key, "layer_%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
        if (is_wrong(layer) && !xr_finding_evidence(f, key))
            exray_finding_number(f, key, layer->error);
    }
}

static void describe(const exray_comparison *comparison, const judged *j, exray_finding *f)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, j->layer);
    const xr_layer_evidence *e = &j->evidence;
    unsigned node = (unsigned)layer->node[EXRAY_SIDE_EDGE];
    const char *op = layer->op[EXRAY_SIDE_EDGE], *name = layer->name[EXRAY_SIDE_EDGE];
    double outside = 100 * (e->below + e->above);
    if (j->before != EXRAY_NO_INDEX) {
        describe_before(comparison, j, f);
        return;
    }
    switch (j->fault) {
    case TOO_NARROW:
        exray_finding_summary(f,
                              "Layer %u (%s) %.*s saturates: it can hold %.4g to %.4g, the reference's "
                              "values are %.4g to %.4g.",
                              node, op, XR_SHORT_NAME(name), e->low, e->high, e->min[1], e->max[1]);
        exray_finding_detail(
            f,
            "%.2g %% of the values are clipped, which costs %.2g of the signal; the steps of "
            "that range cost %.2g.",
            outside, j->cost, e->step / sqrt(12) / e->deviation);
        exray_finding_fix(f, "Calibrate again with data as in use: the range of this layer is too narrow.");
        exray_finding_alternative(f, "layer.range", 0.4);
        break;
    case OFF_CENTER:
        exray_finding_summary(
            f,
            "Layer %u (%s) %.*s has its zero point off: it can hold %.4g to %.4g, the reference's values are "
            "%.4g to %.4g.",
            node, op, XR_SHORT_NAME(name), e->low, e->high, e->min[1], e->max[1]);
        exray_finding_detail(
            f, "The range is long enough, and in the wrong place: %.2g %% of the values are clipped.",
            outside);
        exray_finding_fix(f, "Quantize this layer again: its scale fits, its zero point does not.");
        exray_finding_alternative(f, "layer.saturation", 0.3);
        break;
    default:
        exray_finding_summary(f,
                              "Layer %u (%s) %.*s is quantized too coarsely: it can hold %.4g to %.4g, the "
                              "reference's values are %.4g to %.4g.",
                              node, op, XR_SHORT_NAME(name), e->low, e->high, e->min[1], e->max[1]);
        exray_finding_detail(f, "Its steps of %.3g cost %.2g of the signal.", e->step, j->cost);
        exray_finding_fix(f, "Calibrate again with data as in use: the range of this layer is too wide.");
    }
    exray_finding_number(f, "low", e->low);
    exray_finding_number(f, "high", e->high);
    exray_finding_number(f, "reference_min", e->min[1]);
    exray_finding_number(f, "reference_max", e->max[1]);
    exray_finding_number(f, "clipped_share", e->below + e->above);
    exray_finding_number(f, "cost", j->cost);
    exray_finding_number(f, "error_to_signal", sqrt(e->difference) / e->deviation);
    exray_finding_number(f, "error_without_clipping", sqrt(e->unclipped) / e->deviation);
}

/* The reported layer may be within noise by itself, while many layers that clip a little exceed it
 * together: names the first layer that does. */
static void add_first_wrong_layer(const exray_comparison *comparison, size_t layer, exray_finding *f)
{
    if (exray_comparison_layer(comparison, layer)->role != EXRAY_LAYER_ROLE_CLEAN)
        return;
    for (size_t i = layer + 1; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *later = exray_comparison_layer(comparison, i);
        if (later->role != EXRAY_LAYER_ROLE_ORIGINATES && later->role != EXRAY_LAYER_ROLE_PROPAGATES)
            continue;
        exray_finding_detail(
            f,
            "By itself it errs within noise; such layers add up to more than that from layer %u "
            "(%s) on.",
            (unsigned)later->node[EXRAY_SIDE_EDGE], later->op[EXRAY_SIDE_EDGE]);
        return;
    }
}

/* "layer_17": what each layer with that fault costs. */
static void add_layers(const exray_comparison *comparison, const judged *list, size_t count,
                       range_fault which, exray_finding *f)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].fault != which)
            continue;
        char key[40];
        snprintf(key, sizeof key, "layer_%u",
                 (unsigned)exray_comparison_layer(comparison, list[i].layer)->node[EXRAY_SIDE_EDGE]);
        exray_finding_number(f, key, list[i].cost);
    }
}

/* ---- Inputs that the model quantizes itself ---------------------------------------------------- */

typedef struct judged_input {
    size_t input;
    uint32_t node;
    judged j; /* fault HEALTHY: there is none */
} judged_input;

/* The input whose quantization costs the most, of those that are known to be right. */
static exray_status judge_inputs(const exray_comparison *comparison, const range_limits *limit,
                                 judged_input *out, exray_error *error)
{
    *out = (judged_input){.j = {.fault = HEALTHY}};
    if (xr_is_same_file(comparison)) /* the reference does the same */
        return EXRAY_OK;
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        const exray_io_pair *pair = exray_comparison_input(comparison, i);
        uint32_t node = xr_input_quantizer(comparison, i);
        if (node == EXRAY_NO_INDEX || !pair->comparable || !(pair->error <= pair->noise))
            continue;
        judged j = {.layer = SIZE_MAX};
        exray_status status = xr_input_range_evidence(comparison, i, node, &j.evidence, error);
        if (status != EXRAY_OK)
            return status;
        j.fault = judge(&j.evidence, limit, NULL, &j.cost);
        if (j.fault != HEALTHY && j.cost > out->j.cost)
            *out = (judged_input){i, node, j};
    }
    return EXRAY_OK;
}

/* "input x can hold -0.1 to 0.1, its values are -1 to 1", as a sentence of its own. */
static void describe_input(const exray_comparison *comparison, const judged_input *in, char *text,
                           size_t size)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const xr_layer_evidence *e = &in->j.evidence;
    const char *name = exray_comparison_input(comparison, in->input)->name[EXRAY_SIDE_EDGE];
    snprintf(text, size,
             "The model quantizes its input %.*s %s (node %u, %.40s): it can hold %.4g to %.4g, the input's "
             "values are %.4g to %.4g.",
             XR_SHORT_NAME(name), in->j.fault == TOO_WIDE ? "too coarsely" : "to a range that clips it",
             (unsigned)in->node, model->nodes[in->node].op, e->low, e->high, e->min[0], e->max[0]);
}

static void report_input(const exray_comparison *comparison, const judged_input *in, exray_findings *findings)
{
    const xr_layer_evidence *e = &in->j.evidence;
    char words[300];
    describe_input(comparison, in, words, sizeof words);
    exray_finding *f = exray_findings_add(findings, cause_of(in->j.fault), EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "input", exray_comparison_input(comparison, in->input)->name[EXRAY_SIDE_EDGE],
                        EXRAY_NO_INDEX);
    exray_finding_summary(f, "%s", words);
    exray_finding_detail(f,
                         in->j.fault == TOO_WIDE
                             ? "Its steps of %.3g cost %.2g of the signal."
                             : "Beyond its steps of %.3g, clipping costs %.2g of the signal.",
                         e->step, in->j.cost);
    exray_finding_fix(f, "Calibrate again with data that are normalized as in use.");
    exray_finding_number(f, "low", e->low);
    exray_finding_number(f, "high", e->high);
    exray_finding_number(f, "clipped_share", e->below + e->above);
    exray_finding_number(f, "cost", in->j.cost);
}

/* Reports all layers with one fault as one finding, at the first whose cost matters. */
static exray_finding *report(const exray_comparison *comparison, const judged *list, size_t count,
                             range_fault which, exray_findings *findings)
{
    double worst = 0;
    size_t layers = 0;
    const judged *first = NULL;
    for (size_t i = 0; i < count; i++)
        if (list[i].fault == which) {
            worst = fmax(worst, list[i].cost);
            layers++;
        }
    for (size_t i = 0; i < count && !first; i++)
        if (list[i].fault == which && list[i].cost >= SHARE_OF_WORST * worst)
            first = &list[i];
    if (!first)
        return NULL;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, first->layer);
    bool summed = layer->from_stats || layer->from_sketch;
    exray_finding *f =
        exray_findings_add(findings, cause_of(which), EXRAY_SEVERITY_ERROR, summed ? 0.75 : 0.9);
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)first->layer);
    describe(comparison, first, f);
    if (summed)
        exray_finding_detail(f, "Estimated from statistics: the first such layer may be one nearby.");
    if (layers > 1)
        add_first_wrong_layer(comparison, first->layer, f);
    if (layers > 1)
        exray_finding_detail(f,
                             which == TOO_NARROW
                                 ? "%zu layers are clipped: the calibration was too narrow; the "
                                   "worst costs %.2g of its signal."
                                 : "%zu layers have this; the worst costs %.2g of its signal.",
                             layers, worst);
    exray_finding_number(f, "layers", (double)layers);
    add_layers(comparison, list, count, which, f);
    for (size_t i = 0; i < count; i++)
        if (list[i].fault == which && list[i].copy != EXRAY_NO_INDEX)
            add_readers(comparison, &list[i], f);
    return f;
}

/* Reports what is wrong with layers; an input's range with those of layers, where they have the same fault:
 * they were calibrated with the same data. */
static void report_all(const exray_comparison *comparison, const judged *list, size_t count,
                       const judged_input *input, exray_findings *findings)
{
    static const range_fault faults[] = {TOO_NARROW, OFF_CENTER, TOO_WIDE};
    bool told = input->j.fault == HEALTHY;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        exray_finding *f = report(comparison, list, count, faults[i], findings);
        if (!f || faults[i] != input->j.fault)
            continue;
        char words[300];
        describe_input(comparison, input, words, sizeof words);
        exray_finding_detail(f, "%s", words);
        told = true;
    }
    if (!told)
        report_input(comparison, input, findings);
}

/* Layers that clip account for what is wrong at them and behind: not where values are wrong before all of
 * them.  From statistics it is not known where that begins; pairs that are not one quantity are not wrong. */
static bool may_account(const exray_comparison *comparison, const exray_findings *findings,
                        const judged *list, size_t count)
{
    size_t layers = exray_comparison_layer_count(comparison), first = layers;
    bool other = false; /* wrong pairs that are not one quantity */
    for (size_t i = 0; i < layers && first == layers; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        bool contradicted = is_wrong(layer) && xr_is_contradicted(findings, layer);
        other = other || contradicted;
        first = is_wrong(layer) && !contradicted ? i : first;
    }
    if (first == layers || exray_comparison_layer(comparison, first)->from_stats)
        return first < layers || !other;
    for (size_t i = 0; i < count; i++)
        if (list[i].layer <= first)
            return true;
    return false;
}

/* Whether no input differs, but for states that the application carries from frame to frame: those follow
 * from what the layers made of the frames before, unless the state itself is reported. */
static bool are_inputs_right(const exray_comparison *comparison, exray_findings *findings)
{
    if (!xr_inputs_differ(comparison))
        return true;
    const xr_loops *loops = xr_has_error(findings, "model.state") ? NULL : xr_loops_get(comparison, findings);
    for (size_t i = 0; loops && i < exray_comparison_input_count(comparison); i++) {
        const exray_io_pair *input = exray_comparison_input(comparison, i);
        if (!(input->error <= input->noise) && !xr_is_looped(loops, i))
            return false;
    }
    return loops != NULL;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    bool clean = are_inputs_right(comparison, findings);
    /* Of another model, or one with other weights, wrong values are no sign of ranges. */
    bool wrong =
        (xr_layers_differ(comparison) || xr_outputs_differ(comparison)) && !xr_has_error(findings, "model.");
    bool other_weights = xr_has_error(findings, "model.weights") && !xr_has_error(findings, "model.version");
    judged *list = calloc(exray_comparison_layer_count(comparison) + 1, sizeof *list);
    if (!list)
        return error->status = EXRAY_E_MEMORY;
    range_limits limit = {exray_findings_option(findings, "clip_ratio"),
                          exray_findings_option(findings, "step_ratio")};
    size_t count = 0, ranges = 0;
    judged_input input;
    exray_status status = judge_all(comparison, &limit, list, &count, &ranges, error);
    if (status == EXRAY_OK)
        status = judge_inputs(comparison, &limit, &input, error);
    if (status == EXRAY_OK) {
        /* A costly range is a fault only if the model is wrong because of it. */
        size_t found = count;
        if (!clean)
            count = keep_clipped(comparison, list, count);
        else if (!wrong || !may_account(comparison, findings, list, count))
            count = keep_certain(comparison, list, count, ranges, &limit, other_weights);
        if (!keep_before_operators(comparison, findings, list, &count))
            status = error->status = EXRAY_E_MEMORY;
        if (!clean || (!wrong && !is_certain(&input.j)))
            input.j.fault = HEALTHY;
        report_all(comparison, list, count, &input, findings);
        if (status == EXRAY_OK && !clean && found && count == 0) {
            status = error->status = EXRAY_E_STATE;
            snprintf(error->message, sizeof error->message,
                     "the model's inputs differ: what narrow ranges cost is judged once they are equal%s",
                     any_alone(comparison) ? "" : ", or with --engine");
        }
    }
    free(list);
    return status;
}

static const char *const causes[] = {"layer.saturation", "layer.range", "layer.zero_point", NULL};
static const exray_option options[] = {
    {"clip_ratio", "times the rounding error that clipping may cost; optimal calibration has 1", 3, 1, 1000},
    {"step_ratio", "times the reference's range that the layer's may have if rounding is most of its error",
     6, 1, 1000},
    {.name = NULL},
};

const exray_assertion xr_assertion_layer_range = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.range",
    .summary = "every layer's quantization covers the reference's values, and little more",
    .causes = causes,
    .needs = "/model and /layer of both logs (statistics suffice for saturation), and clean inputs",
    .run = run,
    .options = options,
};
