/* log.perturbed: observing the layers changed a side's outputs, as `record` and `replay` measured. */
#include "checks/builtin.h"

#include <math.h>
#include <stdlib.h>

static double number(const exray_log *log, const char *key)
{
    const char *text = exray_log_metadata(log, key);
    char *end;
    double value = text ? strtod(text, &end) : NAN;
    return text && end != text && !*end ? value : NAN;
}

static void report(const exray_log *log, const char *side, exray_findings *findings)
{
    const exray_model *model = exray_log_model(log);
    const char *engine = model && model->engine && *model->engine ? model->engine : "unknown engine";
    const char *kernels = model && model->kernels ? model->kernels : "";
    const char *output = exray_log_metadata(log, "observer_output");
    double moved = number(log, "observer_max_abs"), range = number(log, "observer_range");
    exray_finding *f = exray_findings_add(findings, "log.perturbed", EXRAY_SEVERITY_WARNING, 0.99);
    exray_finding_where(f, "log", exray_log_path(log), EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "Observing changed what the %s's model returns (%s%s%s): %s%.100s%sby up to %.3g.",
                          side, engine, *kernels ? ", kernels " : "", kernels, output ? "output " : "",
                          output ? output : "", output ? " " : "", moved);
    exray_finding_detail(
        f,
        "Not to be trusted: layers and outputs of the %s log, and causes under layer., model. "
        "and output. that rest on them. Sensor records and inputs are as they were.",
        side);
    exray_finding_fix(f, "Record the %s again with --capture io, or with other kernels, and compare outputs.",
                      side);
    exray_finding_text(f, "side", side);
    exray_finding_text(f, "engine", engine);
    exray_finding_number(f, "max_abs", moved);
    if (!isnan(range))
        exray_finding_number(f, "range", range);
    exray_finding_text(f, "untrusted", "layers, outputs");
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    (void)error;
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        const char *observer = exray_log_metadata(log, "observer");
        if (observer && strcmp(observer, "differs") == 0)
            report(log, s ? "reference" : "edge", findings);
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"log.perturbed", NULL};

const exray_assertion xr_assertion_log_perturbed = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "log.perturbed",
    .summary = "observing changed no result",
    .causes = causes,
    .needs = "the key observer of the metadata of a log",
    .run = run,
};
