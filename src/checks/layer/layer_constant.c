/* layer.constant: a layer whose output is one value everywhere, in every frame, where the reference's
 * is not.  Where both sides ran the same model file the kernel is wrong, and layer.kernel reports
 * it. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/layer/blame.h"
#include "checks/layer/value_evidence.h"
#include "checks/log/output_statistics.h"

#include <math.h>

/* One frame may well be of one value. */
enum { LEAST_FRAMES = 2 };

static bool is_flat(const exray_metrics *m, exray_side side)
{
    return m->count > 1 && m->min[side] == m->max[side];
}

static void report_output(const exray_io_pair *output, double value, exray_findings *findings)
{
    const exray_metrics *m = &output->metrics;
    exray_finding *f = exray_findings_add(findings, "layer.constant", EXRAY_SEVERITY_ERROR, 0.93);
    exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "Output %.*s is %.4g everywhere, in all frames, though the inputs are the reference's.",
        XR_SHORT_NAME(output->name[EXRAY_SIDE_EDGE]), value);
    if (output->comparable)
        exray_finding_detail(f, "The reference's values are %.4g to %.4g.", m->min[EXRAY_SIDE_REFERENCE],
                             m->max[EXRAY_SIDE_REFERENCE]);
    exray_finding_fix(
        f, "Check that the model runs, and that what is read is the buffer it writes to; then record "
           "both sides with --capture full to see which layer is dead.");
    exray_finding_number(f, "value", value);
}

/* An output that is one value in all frames, where no layer that was compared is wrong. */
static void report_outputs(const exray_comparison *comparison, exray_findings *findings)
{
    if (!xr_inputs_known(comparison) || xr_inputs_differ(comparison) || xr_layers_differ(comparison) ||
        exray_comparison_frame_count(comparison) < LEAST_FRAMES)
        return;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        const exray_metrics *m = &output->metrics;
        double value = m->min[EXRAY_SIDE_EDGE];
        const bool dead = output->comparable
                              ? output->error > output->noise && is_flat(m, EXRAY_SIDE_EDGE) &&
                                    !is_flat(m, EXRAY_SIDE_REFERENCE)
                              : output->other_shape == 0 && xr_is_output_dead(comparison, output, &value);
        if (dead)
            report_output(output, value, findings);
    }
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    report_outputs(comparison, findings);
    if (xr_is_same_file(comparison))
        return EXRAY_OK;
    bool unjudged = false;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        const exray_metrics *m = &layer->metrics;
        bool dead = is_flat(m, EXRAY_SIDE_EDGE) && !is_flat(m, EXRAY_SIDE_REFERENCE);
        if (!dead || layer->role != EXRAY_LAYER_ROLE_ORIGINATES)
            continue;
        if (!xr_may_be_blamed(comparison, findings, i)) {
            unjudged = unjudged || xr_layer_given(comparison, findings, i) == XR_GIVEN_WRONG_INPUT;
            continue;
        }
        exray_finding *f = exray_findings_add(findings, "layer.constant", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
        exray_finding_summary(f, "Layer %u (%s) %.*s is dead: every value of it is %.4g.",
                              (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
                              XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]), m->min[EXRAY_SIDE_EDGE]);
        exray_finding_detail(f, "The reference's values are %.4g to %.4g.", m->min[EXRAY_SIDE_REFERENCE],
                             m->max[EXRAY_SIDE_REFERENCE]);
        exray_finding_fix(f,
                          "Check this layer's weights, its scale and its kernel: nothing passes through it.");
        exray_finding_number(f, "value", m->min[EXRAY_SIDE_EDGE]);
        return EXRAY_OK; /* later layers are consequences */
    }
    return unjudged ? xr_say_unjudged(comparison, findings, error) : EXRAY_OK;
}

static const char *const causes[] = {"layer.constant", NULL};

const exray_assertion xr_assertion_layer_constant = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.constant",
    .summary = "no layer's or model's output is one value where the reference's is not",
    .causes = causes,
    .needs = "/layer or /output of both logs, data or statistics",
    .run = run,
};
