/* output.postprocess: equal outputs, and another decision made of them. */
#include "builtin.h"

#include <math.h>

static bool outputs_are_equal(const exray_comparison *comparison)
{
    size_t count = exray_comparison_output_count(comparison);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (!output->comparable || !(output->error <= output->noise) || output->metrics.cosine < 0.999)
            return false;
    }
    return count > 0;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    (void)error;
    const exray_accuracy *accuracy = exray_comparison_accuracy(comparison);
    /* Ties and near-ties may fall either way; half of all frames do not. */
    if (accuracy->frames == 0 || accuracy->agreement > 0.5 || !outputs_are_equal(comparison))
        return EXRAY_OK;
    exray_finding *f = exray_find(findings, "output.postprocess", EXRAY_ERROR, 0.8);
    exray_finding_where(f, "output", exray_comparison_output(comparison, 0)->name[EXRAY_EDGE],
                        EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The model's outputs are equal, but both sides decide the same in %.0f %% of the frames.",
        100 * accuracy->agreement);
    exray_finding_fix(f, "Check what is done after the model: label file, label_offset, argmax.");
    exray_finding_number(f, "agreement", accuracy->agreement);
    exray_finding_number(f, "frames", (double)accuracy->frames);
    return EXRAY_OK;
}

static const char *const causes[] = {"output.postprocess", NULL};

const exray_assertion xr_assertion_output_postprocess = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.postprocess",
    .summary = "from equal outputs both sides make equal decisions",
    .causes = causes,
    .needs = "/output of both logs, and /result of one",
    .run = run,
};
