/* log.truncated: a log has no regular end, or damaged parts. */
#include "checks/builtin.h"

#include <inttypes.h>

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    (void)error;
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        const char *why = exray_log_truncated(log);
        uint64_t damaged = exray_log_damaged(log);
        if (!why && damaged == 0)
            continue;
        exray_finding *f = exray_findings_add(findings, "log.truncated", EXRAY_SEVERITY_WARNING, 0.99);
        exray_finding_where(f, "log", exray_log_path(log), EXRAY_NO_INDEX);
        if (why)
            exray_finding_summary(f, "The %s log %s; what can be read of it was compared.",
                                  s ? "reference" : "edge", why);
        else
            exray_finding_summary(f, "The %s log has %" PRIu64 " damaged part%s left out: %" PRIu64 " bytes.",
                                  s ? "reference" : "edge", damaged,
                                  damaged == 1 ? ", which was" : "s, which were", exray_log_lost(log));
        exray_finding_fix(f, "Record it again; `exray recover` gives other tools what can be read of it.");
        exray_finding_number(f, "damaged", (double)damaged);
        exray_finding_number(f, "lost_bytes", (double)exray_log_lost(log));
    }
    return EXRAY_OK;
}

static const char *const causes[] = {"log.truncated", NULL};

const exray_assertion xr_assertion_log_truncated = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "log.truncated",
    .summary = "both logs are whole",
    .causes = causes,
    .needs = "nothing",
    .run = run,
};
