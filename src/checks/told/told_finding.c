#include "checks/told/told_finding.h"

#include "checks/input/frames/frame_words.h"

#include <string.h>

exray_finding *xr_told_finding(exray_findings *findings, const char *kind, const char *stage,
                               const char *name, double confidence)
{
    exray_finding *f = exray_findings_add(findings, "output.postprocess", EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, stage, name, EXRAY_NO_INDEX);
    exray_finding_text(f, "kind", kind);
    return f;
}

void xr_say_told_frames(exray_finding *finding, const exray_comparison *comparison,
                        const xr_equal_frames *equal, const bool *differs, bool some, xr_told_side side)
{
    size_t frames = exray_comparison_frame_count(comparison), count = 0;
    for (size_t f = 0; f < frames; f++)
        count += differs[f];
    exray_finding_detail(finding, "%s in the %zu frames that were compared; what was told differs in %zu.",
                         equal->by_outputs ? "The models' outputs are equal" : "The models' inputs are equal",
                         equal->count, count);
    switch (side) {
    case XR_TOLD_EDGE_WRONG:
        exray_finding_detail(finding, "The reference tells what its own model returned; the edge does not.");
        break;
    case XR_TOLD_REFERENCE_WRONG:
        exray_finding_detail(finding, "The edge tells what its own model returned; the reference does not.");
        break;
    case XR_TOLD_EDGE_AS_GIVEN:
        exray_finding_detail(finding, "The edge tells what its model returned, as it is; the reference's "
                                      "application changes it.");
        break;
    case XR_TOLD_BOTH_RIGHT:
    case XR_TOLD_UNKNOWN:
        exray_finding_detail(finding, "Which of the two is right, the logs do not say.");
    }
    exray_finding_number(finding, "frames", (double)equal->count);
    exray_finding_number(finding, "frames_differ", (double)count);
    if (some && count < equal->count)
        exray_finding_frames(finding, comparison, differs);
}

static const char excused[] = "told.excused";

static void keep(void *state)
{
    (void)state; /* a constant */
}

void xr_note_excused(exray_findings *findings)
{
    static char mark;
    xr_findings_attach(findings, excused, 0, &mark, keep);
}

bool xr_was_excused(const exray_findings *findings)
{
    return xr_findings_attached(findings, excused, 0) != NULL;
}

bool xr_result_is_explained(const exray_findings *findings, const char *const *causes)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        for (const char *const *cause = causes; *cause; cause++)
            if (strcmp(f->cause, *cause) == 0 && f->severity == EXRAY_SEVERITY_ERROR && f->stage &&
                strcmp(f->stage, "result") == 0)
                return true;
    return false;
}
