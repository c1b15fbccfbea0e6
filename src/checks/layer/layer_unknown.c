/* layer.unknown: a layer whose output is wrong beyond noise though its inputs are not, and for which
 * no other assertion has a cause. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/layer/blame.h"
#include "checks/layer/clipped_sums.h"
#include "checks/layer/equal_frames.h"
#include "checks/layer/layers_behind.h"
#include "checks/layer/output_sizes.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/coarse.h"
#include "checks/model/operator_report.h"
#include "checks/port/lone_elements.h"
#include "checks/port/tensor_type.h"

#include <math.h>

enum { MOST = 3 }; /* findings; further layers are only counted */

/* Where the outputs are right, an 8-bit layer is reported from this many times its noise on. */
#define WORTH_A_WARNING 3.0
/* An output with this error is wrong, however it comes about. */
#define MOST_OF_OUTPUT 0.9

/* An error, from statistics, that another input does not leave in a layer. */
#define EQUAL 1e-4

/* An error where float noise is exceeded, or where the noise of 8 bits is exceeded and the outputs
 * are wrong, too; else a warning. */
static exray_severity severity_of(const exray_comparison *comparison, double noise)
{
    return noise < XR_COARSE_NOISE || !xr_outputs_agree(comparison) ? EXRAY_SEVERITY_ERROR
                                                                    : EXRAY_SEVERITY_WARNING;
}

/* Behind a wrong input, or a layer that is wrong, a layer may clip values that right ones never lead to: then
 * it is not reported. */
static bool clips_wrong_values(const exray_comparison *comparison, exray_findings *findings, size_t i)
{
    return xr_is_only_clipped(exray_comparison_layer(comparison, i)) &&
           (xr_inputs_differ(comparison) || xr_layer_given(comparison, findings, i) == XR_GIVEN_WRONG_LAYER);
}

static bool is_worth_reporting(const exray_comparison *comparison, exray_findings *findings, size_t i)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    if (clips_wrong_values(comparison, findings, i))
        return false;
    return severity_of(comparison, layer->noise) == EXRAY_SEVERITY_ERROR || xr_has_sharp_bound(layer) ||
           layer->error > WORTH_A_WARNING * layer->noise;
}

static bool inputs_are_known(const exray_comparison *comparison)
{
    size_t count = exray_comparison_input_count(comparison);
    for (size_t i = 0; i < count; i++)
        if (!exray_comparison_input(comparison, i)->comparable)
            return false;
    return count > 0;
}

static void add_numbers(exray_finding *f, const exray_metrics *m, double error, double noise)
{
    exray_finding_number(f, "nrmse", m->nrmse);
    exray_finding_number(f, "max_abs", m->max_abs);
    exray_finding_number(f, "cosine", m->cosine);
    exray_finding_number(f, "error_to_signal", error);
    exray_finding_number(f, "noise_to_signal", noise);
}

static double confidence(double error, double noise)
{
    double ratio = error / (noise > 0 ? noise : 1e-9);
    return fmin(0.95, ratio / (1 + ratio));
}

/* Two sides that differ do not tell which of them is wrong. */
static const char no_side[] = "Which side is right, the logs do not say.";

static void report_layer(const exray_comparison *comparison, size_t i, exray_findings *findings,
                         size_t others)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    bool absorbed = xr_is_layer_absorbed(comparison, findings, layer),
         rounded = xr_loses_by_rounding(comparison, i);
    exray_finding *f = exray_findings_add(findings, "layer.unknown",
                                          absorbed                    ? EXRAY_SEVERITY_INFO
                                          : xr_has_sharp_bound(layer) ? EXRAY_SEVERITY_ERROR
                                                                      : severity_of(comparison, layer->noise),
                                          confidence(layer->error, layer->noise));
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
    exray_finding_summary(f, "Layer %u (%s) %.*s differs beyond noise though its inputs do not%s.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]),
                          rounded ? ": the rounding of its weights and inputs to 8 bits costs that much"
                                  : "");
    if (rounded)
        exray_finding_detail(f, "It was computed again from its own integers, and is right.");
    exray_finding_detail(f, "Its error is %.2g of the signal%s; its data types and inputs explain %.2g.",
                         layer->error,
                         layer->from_stats    ? " at least (from statistics; it may begin earlier)"
                         : layer->from_sketch ? " (estimated from sketches)"
                                              : "",
                         layer->noise);
    if (absorbed)
        exray_finding_detail(f, "Nothing of it is left at the model's outputs.");
    if (isfinite(layer->isolated_error))
        exray_finding_detail(
            f,
            "Run alone on the edge's own inputs, the reference's layer differs from the edge's by "
            "%.2g of the signal; it may by %.2g.",
            layer->isolated_error, layer->own_noise);
    else
        exray_finding_detail(f, "%s", no_side);
    if (others)
        exray_finding_detail(f, "%zu more layers add errors of their own.", others);
    exray_finding_fix(
        f, rounded ? "Keep this layer in floats or in 16 bits, or even out its weights before they "
                     "are quantized."
           : layer->noise < XR_COARSE_NOISE
               ? "Run this layer with other kernels, and compare its weights."
               : "Run this layer with other kernels, and compare its weights and quantization.");
    add_numbers(f, &layer->metrics, layer->error, layer->noise);
}

/* No single layer exceeds its noise, but many small errors add up. */
static void report_build_up(const exray_comparison *comparison, size_t first, exray_findings *findings)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, first);
    exray_finding *f = exray_findings_add(findings, "layer.unknown", severity_of(comparison, layer->noise),
                                          confidence(layer->error, layer->noise));
    exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)first);
    exray_finding_summary(f, "The error builds up over layers until it is beyond noise at %u (%s) %.*s.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
    exray_finding_detail(
        f,
        "There it is %.2g of the signal, more than the %.2g that data types explain; no single "
        "layer stands out.",
        layer->error, layer->noise);
    if (layer->block_first == EXRAY_NO_INDEX)
        exray_finding_detail(f, "%s", no_side);
    else
        exray_finding_detail(
            f,
            "Run alone on the edge's inputs, each layer passes; the block from layer %u to %u fails, "
            "with an error of %.2g.",
            (unsigned)layer->block_first, (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->block_error);
    exray_finding_fix(f,
                      isnan(layer->isolated_error)
                          ? "Run validate again with --engine and --reference-model, which runs each layer "
                            "alone; compare the weights and the quantization of both models."
                          : "Compare the weights and the quantization of both models.");
    exray_finding_number(f, "build_up", 1);
    add_numbers(f, &layer->metrics, layer->error, layer->noise);
}

/* Begins a finding about what is behind an input that was not recorded; or statistics alone of it, which
 * agree
 * (`statistics`: its name): then the layer is not blamed before it. */
static exray_finding *begin_unseen(exray_findings *findings, exray_severity severity, const char *statistics)
{
    exray_finding *f =
        exray_findings_add(findings, statistics ? "input.unknown" : "layer.unknown", severity, 0.5);
    exray_finding_alternative(f, statistics ? "layer.unknown" : "input.unknown", statistics ? 0.4 : 0.5);
    return f;
}

/* Says where the finding is, and what the statistics leave open. */
static void place_unseen(exray_finding *f, const char *stage, const char *tensor, uint32_t layer,
                         const char *statistics)
{
    if (!statistics) {
        exray_finding_where(f, stage, tensor, layer);
        return;
    }
    exray_finding_where(f, "input", statistics, EXRAY_NO_INDEX);
    exray_finding_detail(
        f, "The input's statistics agree, as those of a mirrored, turned or shuffled input do: it may "
           "be another one nevertheless, or what is behind it computes otherwise.");
    exray_finding_text(f, "judged_by", "statistics");
}

/* Wrong from the first layer on, and the input was not recorded, or statistics alone. */
static void report_unrecorded(const exray_comparison *comparison, size_t first, const char *statistics,
                              exray_findings *findings)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, first);
    exray_finding *f = begin_unseen(findings, severity_of(comparison, layer->noise), statistics);
    exray_finding_summary(f,
                          "From layer %u (%s) on values are wrong beyond noise; %s, so it may be the reason.",
                          (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                          statistics ? "of the model's input statistics alone were recorded"
                                     : "the model's input was not recorded");
    place_unseen(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)first, statistics);
    exray_finding_detail(f, "There the error is %.2g of the signal%s; data types explain %.2g.", layer->error,
                         layer->from_stats ? " at least" : "", layer->noise);
    exray_finding_fix(f, "Record the input on both sides (--capture io or more, without --no-io-data).");
    add_numbers(f, &layer->metrics, layer->error, layer->noise);
}

/* The first layer that is wrong, whatever its role, by more than its input may rightly make; SIZE_MAX: none.
 */
static size_t first_wrong(const exray_comparison *comparison, double allowed)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (isfinite(layer->error) && layer->error > fmax(layer->noise, allowed))
            return i;
    }
    return SIZE_MAX;
}

static void report_output(const exray_comparison *comparison, size_t i, const char *statistics,
                          exray_findings *findings)
{
    const exray_io_pair *output = exray_comparison_output(comparison, i);
    bool known = inputs_are_known(comparison);
    exray_finding *f = known ? exray_findings_add(findings, "layer.unknown", EXRAY_SEVERITY_ERROR,
                                                  confidence(output->error, output->noise))
                             : begin_unseen(findings, EXRAY_SEVERITY_ERROR, statistics);
    exray_finding_summary(f, "Output %s differs beyond noise%s.", output->name[EXRAY_SIDE_EDGE],
                          known ? " though the inputs do not"
                          : statistics
                              ? "; of the inputs statistics alone were recorded, so they may be the reason"
                              : "; the inputs were not recorded, so they may be the reason");
    place_unseen(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX, known ? NULL : statistics);
    exray_finding_detail(f, "The difference is %.2g of the signal; data types explain %.2g. %s",
                         output->error, output->noise, no_side);
    exray_finding_fix(
        f, statistics && !known
               ? "Record the input on both sides (--capture io or more, without --no-io-data)."
           : exray_comparison_coverage(comparison)->with_data
               ? "Look at what is between the last layer that was compared and this output, and at "
                 "how the application reads it: no layer that was compared is beyond its noise."
               : "Record both sides with --capture full to see in which layer it begins.");
    add_numbers(f, &output->metrics, output->error, output->noise);
}

/* Elements that are wrong in outputs that 8 bits may make as wrong as they are, but not in these alone. */
static void report_lone_elements(const exray_comparison *comparison, size_t i, exray_findings *findings)
{
    const exray_io_pair *output = exray_comparison_output(comparison, i);
    const xr_lone_elements lone = xr_lone_elements_of(comparison, i);
    if (lone.count == 0)
        return;
    exray_finding *f = exray_findings_add(findings, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.8);
    exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "Output %.100s differs in element %zu%s as 8 bits do not make it: in these alone, of %zu.",
        output->name[EXRAY_SIDE_EDGE], lone.first, lone.count > 1 ? " and others" : "", lone.elements);
    exray_finding_detail(
        f,
        "Its difference is %.2g of its own deviation over %zu frames, that of the median element %.2g: "
        "rounding is spread over all of them. %s",
        lone.error, lone.frames, lone.usual, no_side);
    exray_finding_fix(
        f, "Compare the weights, the bias and the scale that make this element in both files (--capture "
           "full records them).");
    exray_finding_alternative(f, "model.weights", 0.4);
    exray_finding_number(f, "element", (double)lone.first);
    exray_finding_number(f, "elements", (double)lone.count);
    exray_finding_number(f, "error_of_element", lone.error);
    exray_finding_number(f, "usual_error", lone.usual);
    exray_finding_number(f, "frames", (double)lone.frames);
}

/* Whether no layer was compared, and the model has integers or none is described: then what its layers round
 * is not known. */
static bool may_hide_coarse_layers(const exray_comparison *comparison)
{
    if (exray_comparison_coverage(comparison)->with_data)
        return false;
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
        if (!model || model->node_count == 0)
            return true;
        for (uint32_t t = 0; t < model->tensor_count; t++)
            if (model->tensors[t].quantization.count > 0 || xr_is_byte(model->tensors[t].dtype) ||
                model->tensors[t].dtype == EXRAY_DTYPE_FLOAT16)
                return true;
    }
    return false;
}

static exray_finding *begin_sizes(const exray_io_pair *output, const xr_output_sizes *sizes,
                                  exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "layer.unknown", EXRAY_SEVERITY_ERROR, 0.8);
    exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "Output %.100s has another number of values in %zu of %zu frames though the inputs do not differ.",
        output->name[EXRAY_SIDE_EDGE], sizes->other, sizes->frames);
    exray_finding_detail(f, "On average %.6g values on the edge, %.6g in the reference.  %s", sizes->mean[0],
                         sizes->mean[1], no_side);
    exray_finding_fix(f, "Compare what decides how many there are: thresholds, limits, and the operator that "
                         "applies them.");
    exray_finding_number(f, "frames", (double)sizes->frames);
    exray_finding_number(f, "frames_other_size", (double)sizes->other);
    exray_finding_number(f, "values_edge", sizes->mean[0]);
    exray_finding_number(f, "values_reference", sizes->mean[1]);
    return f;
}

/* Outputs of another number of values, behind equal inputs: another result, of which no value can be
 * compared.  One operator decides how many boxes, scores and classes there are. */
static void report_sizes(const exray_comparison *comparison, exray_findings *findings)
{
    exray_finding *f = NULL;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        xr_output_sizes sizes = xr_output_sizes_of(comparison, i);
        if (!xr_sizes_differ(&sizes))
            continue;
        if (f)
            exray_finding_detail(f, "So has output %.100s, in %zu of %zu frames: %.6g and %.6g values.",
                                 output->name[EXRAY_SIDE_EDGE], sizes.other, sizes.frames, sizes.mean[0],
                                 sizes.mean[1]);
        else
            f = begin_sizes(output, &sizes, findings);
    }
}

/* Whether what a layer reads is not what the reference's does, in a model of which it is told that it is
 * another. */
static bool is_wired_otherwise(const exray_comparison *comparison, const exray_findings *findings, size_t i)
{
    return !xr_is_same_file(comparison) && xr_has_error(findings, "model.") && !xr_reads_alike(comparison, i);
}

/* Whether the error is 8-bit rounding that adds up over many layers, in some networks to more than usual
 * (linear bottlenecks): a fault only where it is far larger. */
static bool is_accumulated_rounding(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->role != EXRAY_LAYER_ROLE_PROPAGATES || !isfinite(layer->error))
            continue;
        if (layer->noise < XR_COARSE_NOISE || layer->error > WORTH_A_WARNING * layer->noise ||
            layer->block_first != EXRAY_NO_INDEX)
            return false;
    }
    return true;
}

/* Whether an earlier layer has equal values, as far as statistics tell: of another input it would not. */
static bool follows_equal_layer(const exray_comparison *comparison, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (exray_comparison_layer(comparison, k)->error <= EQUAL)
            return true;
    return false;
}

/* Whether a remark says already what the layer has, of which nothing is left. */
static bool is_remarked(const exray_comparison *comparison, const exray_findings *findings, size_t i)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (f->severity == EXRAY_SEVERITY_INFO && xr_is_about_layer(comparison, f, i))
            return xr_is_layer_absorbed(comparison, findings, exray_comparison_layer(comparison, i));
    return false;
}

/* Outputs that are wrong in a frame whose inputs are equal, though those of others are not: what a model with
 * a state makes comes back to it, and the first frame alone shows whose the difference is. */
static void report_equal_frame(const exray_comparison *comparison, exray_findings *findings)
{
    const size_t frame = xr_find_equal_frame(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    for (size_t i = 0;
         frame != SIZE_MAX && slot[0] && slot[1] && i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        const double found = xr_output_error_in_frame(comparison, i, frame, slot);
        if (!(found > output->noise))
            continue;
        exray_finding *f = exray_findings_add(findings, "layer.unknown", EXRAY_SEVERITY_ERROR,
                                              confidence(found, output->noise));
        exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(f, "Output %s differs beyond noise in frame %zu, whose inputs are equal.",
                              output->name[EXRAY_SIDE_EDGE], frame);
        exray_finding_detail(f, "There the difference is %.2g of the signal; data types explain %.2g. %s",
                             found, output->noise, no_side);
        exray_finding_detail(
            f, "The inputs of other frames differ, as those must that an output comes back to.");
        exray_finding_fix(f, "Record both sides with --capture full to see in which layer it begins.");
        exray_finding_number(f, "frame", (double)frame);
        exray_finding_number(f, "error_to_signal", found);
        exray_finding_number(f, "noise_to_signal", output->noise);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    size_t layers = exray_comparison_layer_count(comparison), originating = 0, shown = 0, dirty = SIZE_MAX;
    uint32_t told = EXRAY_NO_INDEX; /* the node of the last one: of several outputs the first is told */
    bool unjudged = false;
    for (size_t i = 0; i < layers; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (xr_is_contradicted(findings, layer)) /* not one quantity: nothing is wrong with it */
            continue;
        originating += xr_originates(comparison, findings, i) && isfinite(layer->error) &&
                       is_worth_reporting(comparison, findings, i) &&
                       xr_may_be_blamed(comparison, findings, i);
        if (dirty == SIZE_MAX && isfinite(layer->error) && layer->role == EXRAY_LAYER_ROLE_PROPAGATES &&
            is_worth_reporting(comparison, findings, i) && !xr_is_layer_absorbed(comparison, findings, layer))
            dirty = i;
    }
    const char *statistics;
    bool clean = !xr_inputs_differ(comparison), known = inputs_are_known(comparison);
    double allowed = xr_moments_allow(comparison, findings, &statistics);
    for (size_t i = 0; i < layers && shown < MOST; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (!xr_originates(comparison, findings, i) || !isfinite(layer->error) ||
            !is_worth_reporting(comparison, findings, i) || xr_is_contradicted(findings, layer) ||
            xr_reads_contradicted(comparison, findings, i) || is_remarked(comparison, findings, i) ||
            is_wired_otherwise(comparison, findings, i))
            continue;
        /* Statistics bound an error from below: behind an input that is wrong, or may be, a layer that
         * seems right may pass on what the next one shows. */
        if (layer->from_stats && (!clean || (!known && !follows_equal_layer(comparison, i))))
            continue;
        if (!xr_may_be_blamed(comparison, findings, i)) {
            unjudged = unjudged || xr_layer_given(comparison, findings, i) == XR_GIVEN_WRONG_INPUT;
            continue;
        }
        if (layer->node[EXRAY_SIDE_EDGE] == told)
            continue;
        told = layer->node[EXRAY_SIDE_EDGE];
        shown++;
        report_layer(comparison, i, findings, shown == MOST ? originating - shown : 0);
    }
    if (!shown && !clean)
        report_equal_frame(comparison, findings);
    if (shown || !clean)
        return unjudged && !shown ? xr_say_unjudged(comparison, findings, error) : EXRAY_OK;
    size_t first = known ? SIZE_MAX : first_wrong(comparison, allowed);
    if (first != SIZE_MAX) {
        if (xr_layer_given(comparison, findings, first) == XR_GIVEN_WRONG_INPUT)
            return xr_say_unjudged(comparison, findings, error);
        report_unrecorded(comparison, first, statistics, findings);
        return EXRAY_OK;
    }
    if (dirty != SIZE_MAX && xr_layer_given(comparison, findings, dirty) == XR_GIVEN_WRONG_INPUT)
        return xr_say_unjudged(comparison, findings, error); /* of an input that no numbers tell of */
    if (dirty != SIZE_MAX && !(allowed > 0) && !is_accumulated_rounding(comparison)) {
        report_build_up(comparison, dirty, findings);
        return EXRAY_OK;
    }
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        double limit = output->noise;
        if (exray_comparison_coverage(comparison)->with_data && limit >= XR_COARSE_NOISE &&
            is_accumulated_rounding(comparison))
            limit = fmax(limit, fmin(limit * WORTH_A_WARNING, MOST_OF_OUTPUT));
        if (output->comparable && isfinite(output->error) && output->error > fmax(limit, allowed))
            report_output(comparison, i, statistics, findings);
        else if (known && !xr_has_error(findings, ""))
            report_lone_elements(comparison, i, findings);
    }
    /* What 8 bits round moves many values over a threshold. */
    if (known && !may_hide_coarse_layers(comparison) && !xr_has_coarse_layer(comparison) &&
        !xr_has_error(findings, ""))
        report_sizes(comparison, findings);
    return EXRAY_OK;
}

static const char *const causes[] = {"layer.unknown", "input.unknown", NULL};

const exray_assertion xr_assertion_layer_unknown = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.unknown",
    .summary = "every layer is as right as its inputs and data types allow",
    .causes = causes,
    .needs = "/layer or /output of both logs; data, or statistics with less certainty",
    .run = run,
};
