/* perf.dropped: the recorder lost records. */
#include "checks/builtin.h"
#include "checks/perf/system_series.h"

#include <stdlib.h>

static bool take_dropped(const exray_system *s, double *value)
{
    *value = (double)s->dropped_records;
    return s->has_dropped;
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    for (int side = 0; side < 2; side++) {
        const exray_log *log = exray_comparison_log(c, (exray_side)side);
        double *value = calloc(exray_log_frame_count(log) + 1, sizeof *value);
        if (!value) {
            error->status = EXRAY_E_MEMORY;
            return EXRAY_E_MEMORY;
        }
        size_t count = xr_system_series(log, take_dropped, value);
        double dropped = count ? value[count - 1] : 0;
        free(value);
        if (!(dropped > 0))
            continue;
        exray_finding *f = exray_findings_add(findings, "perf.dropped", EXRAY_SEVERITY_WARNING, 0.99);
        exray_finding_where(f, "log", exray_log_path(log), EXRAY_NO_INDEX);
        exray_finding_summary(
            f,
            "The %s's recorder dropped %.0f records: what was to be written came faster than it "
            "was, or a budget ended.",
            side ? "reference" : "edge", dropped);
        exray_finding_fix(
            f, "Record less (--capture, filters), every Nth frame, or with a larger buffer or budget.");
        exray_finding_number(f, "dropped_records", dropped);
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"perf.dropped", NULL};

const exray_assertion xr_assertion_perf_dropped = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "perf.dropped",
    .summary = "no record was dropped",
    .causes = causes,
    .needs = "/system",
    .run = run,
};
