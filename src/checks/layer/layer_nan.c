/* layer.nan: NaN or infinite values where the reference has none. */
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/layer/blame.h"
#include "checks/layer/value_evidence.h"
#include "checks/log/output_statistics.h"
#include "checks/op_name.h"
#include "checks/port/not_finite.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_worse(const exray_metrics *m)
{
    return m->nan_count[EXRAY_SIDE_EDGE] > m->nan_count[EXRAY_SIDE_REFERENCE] ||
           m->inf_count[EXRAY_SIDE_EDGE] > m->inf_count[EXRAY_SIDE_REFERENCE];
}

static exray_finding *begin(exray_findings *findings, const exray_metrics *m, const char *what,
                            const char *name)
{
    exray_finding *f = exray_findings_add(findings, "layer.nan", EXRAY_SEVERITY_ERROR, 0.99);
    exray_finding_summary(f, "%s %.*s is the first to hold NaN or infinite values; the reference's has none.",
                          what, XR_SHORT_NAME(name));
    exray_finding_detail(f, "%" PRIu64 " NaN and %" PRIu64 " infinite of %" PRIu64 " values on the edge.",
                         m->nan_count[EXRAY_SIDE_EDGE], m->inf_count[EXRAY_SIDE_EDGE],
                         m->count + m->nan_count[EXRAY_SIDE_EDGE] + m->inf_count[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "nan", (double)m->nan_count[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "inf", (double)m->inf_count[EXRAY_SIDE_EDGE]);
    return f;
}

/* Whether a layer makes NaN of finite numbers only if it is wrong: sums of products in float32, which
 * overflow beyond 1e38.  A logarithm, a root or a quotient makes it of a wrong input, too, and rightly. */
static bool is_never_nan(const exray_comparison *comparison, const exray_layer_pair *layer)
{
    static const char *const sums[] = {
        "conv", "conv2d",  "depthwiseconv2d", "matmul",      "gemm", "fullyconnected", "add",
        "sub",  "maxpool", "maxpool2d",       "averagepool", "relu", "averagepool2d"};
    const exray_tensor_info *info = xr_layer_info(comparison, layer, EXRAY_SIDE_EDGE);
    bool sum = false;
    for (size_t i = 0; i < sizeof sums / sizeof *sums && !sum; i++)
        sum = xr_is_op(layer->op[EXRAY_SIDE_EDGE], sums[i]);
    return sum && info && info->dtype == EXRAY_DTYPE_FLOAT32;
}

/* Notes that a wrong input of the model accounts for the NaN, for consequences.c. */
static void note_given(const exray_comparison *comparison, exray_findings *findings, size_t i,
                       exray_finding *f)
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    bool alone = !isnan(layer->isolated_error);
    bool right = alone ? layer->isolated_error <= layer->own_noise : !is_never_nan(comparison, layer);
    if (right && xr_layer_given(comparison, findings, i) == XR_GIVEN_WRONG_INPUT)
        exray_finding_number(f, XR_BEHIND_WRONG_INPUT, 1);
}

static bool are_layers_known(const exray_comparison *comparison)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    return c->with_data + c->with_stats + c->with_sketch > 0;
}

/* As many of them on both sides, or more in the reference: at other places, or others. */
static void report_places(const exray_comparison *comparison, size_t i, exray_findings *findings)
{
    const exray_io_pair *output = exray_comparison_output(comparison, i);
    xr_not_finite counts;
    char words[160];
    xr_not_finite_find(comparison, EXRAY_KIND_OUTPUT, i, &counts);
    if (!xr_is_not_finite(&counts))
        return;
    xr_not_finite_words(&counts, words, sizeof words);
    exray_finding *f = exray_findings_add(findings, "layer.nan", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "Output %.*s holds %s, in %zu of %zu frames.",
                          XR_SHORT_NAME(output->name[EXRAY_SIDE_EDGE]), words, counts.frames, output->frames);
    if (!counts.edge)
        exray_finding_detail(f, "Which side is right, the logs do not say.");
    exray_finding_fix(f, counts.edge || counts.other
                             ? "Look for a division by 0 or a logarithm of 0, and at what is read of it."
                             : "Look at the reference first: what holds NaN is no measure of the edge.");
    xr_not_finite_evidence(&counts, f);
    exray_finding_number(f, "frames", (double)counts.frames);
    if (xr_output_is_behind_wrong_input(comparison, findings, i))
        exray_finding_number(f, XR_BEHIND_WRONG_INPUT, 1);
}

/* In frames of which the edge has statistics alone.  False: out of memory. */
static bool report_statistics(const exray_comparison *comparison, size_t i, exray_findings *findings,
                              bool *found)
{
    const exray_io_pair *output = exray_comparison_output(comparison, i);
    bool *frames = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *frames);
    const size_t count = frames ? xr_output_statistics_nan(comparison, output, frames) : 0;
    if (count) {
        exray_finding *f = exray_findings_add(findings, "layer.nan", EXRAY_SEVERITY_ERROR, 0.97);
        exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(f,
                              "Output %.*s holds NaN on the edge, in %zu frame%s, and none in the reference.",
                              XR_SHORT_NAME(output->name[EXRAY_SIDE_EDGE]), count, count == 1 ? "" : "s");
        exray_finding_detail(f, "So say its statistics; its values were not recorded.");
        exray_finding_fix(f, "Look for a division by 0 or a logarithm of 0 in these frames.");
        exray_finding_frames(f, comparison, frames);
        *found = true;
    }
    free(frames);
    return frames != NULL;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++)
        if (is_worse(&exray_comparison_input(comparison, i)->metrics))
            return EXRAY_OK; /* the input has them already: input.unknown reports it */
    size_t layers = exray_comparison_layer_count(comparison);
    bool found = false;
    for (size_t i = 0; i < layers; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        /* A layer whose input has NaN only propagates it, as its role says; what is right but for what a mask
         * hides (-infinity) is right. */
        if (!is_worse(&layer->metrics) || layer->role == EXRAY_LAYER_ROLE_CLEAN ||
            (found && layer->role != EXRAY_LAYER_ROLE_ORIGINATES))
            continue;
        char what[96];
        snprintf(what, sizeof what, "Layer %u (%.60s)", (unsigned)layer->node[EXRAY_SIDE_EDGE],
                 layer->op[EXRAY_SIDE_EDGE]);
        exray_finding *f = begin(findings, &layer->metrics, what, layer->name[EXRAY_SIDE_EDGE]);
        exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
        exray_finding_fix(f, "Run this layer with another kernel or in a wider type, and check its weights.");
        xr_not_finite_frames(comparison, EXRAY_KIND_LAYER, i, f);
        note_given(comparison, findings, i, f);
        found = true;
    }
    for (size_t i = 0; !found && i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (!is_worse(&output->metrics))
            continue;
        exray_finding *f = begin(findings, &output->metrics, "Output", output->name[EXRAY_SIDE_EDGE]);
        exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_fix(
            f, are_layers_known(comparison)
                   ? "Look at what is between the last layer that was compared and this output: no "
                     "layer that was compared holds any."
                   : "Record both sides with --capture stats or full to see which layer makes them.");
        xr_not_finite_frames(comparison, EXRAY_KIND_OUTPUT, i, f);
        if (xr_output_is_behind_wrong_input(comparison, findings, i))
            exray_finding_number(f, XR_BEHIND_WRONG_INPUT, 1);
        found = true;
    }
    bool room = true;
    for (size_t i = 0; room && !found && i < exray_comparison_output_count(comparison); i++)
        room = report_statistics(comparison, i, findings, &found);
    if (!room) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while looking for NaN"};
        return EXRAY_E_MEMORY;
    }
    for (size_t i = 0; !found && i < exray_comparison_output_count(comparison); i++)
        report_places(comparison, i, findings);
    return EXRAY_OK;
}

static const char *const causes[] = {"layer.nan", NULL};

const exray_assertion xr_assertion_layer_nan = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.nan",
    .summary = "no layer holds NaN or infinity where the reference's is finite",
    .causes = causes,
    .needs = "/layer or /output of both logs, data or statistics",
    .run = run,
};
