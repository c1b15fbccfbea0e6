#include "checks/input/frames/frame_words.h"

#include "checks/findings.h"
#include "checks/input/frames/frame_list.h"
#include "checks/input/frames/reading_split.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const relations[] = {"below", "above", "within", "beyond"};
static const char condition[] = "reading_condition";

void xr_say_reading(const exray_comparison *comparison, const bool *chosen, exray_finding *finding)
{
    xr_reading_split s;
    char name[128], words[256], range[2][64];
    if (!xr_split_by_reading(comparison, chosen, &s))
        return;
    xr_split_name(&s, name, sizeof name);
    xr_split_words(&s, words, sizeof words);
    for (int k = 0; k < 2; k++)
        if (s.low[k] < s.high[k])
            snprintf(range[k], sizeof range[k], "%g to %g", s.low[k], s.high[k]);
        else
            snprintf(range[k], sizeof range[k], "%g", s.low[k]);
    const char *unit = s.reading->unit, *blank = *unit ? " " : "";
    exray_finding_detail(finding,
                         "The reading %s separates them: %s%s%s in these frames, %s%s%s in the others.", name,
                         range[1], blank, unit, range[0], blank, unit);
    exray_finding_text(finding, "separating_reading", name);
    exray_finding_text(finding, "reading_relation", relations[s.relation]);
    exray_finding_text(finding, condition, words);
    if (*unit)
        exray_finding_text(finding, "reading_unit", unit);
    if (s.relation == XR_SPLIT_BELOW || s.relation == XR_SPLIT_ABOVE)
        exray_finding_number(finding, "reading_threshold", s.threshold);
}

void exray_finding_frames(exray_finding *finding, const exray_comparison *comparison, const bool *chosen)
{
    char list[256];
    size_t count = 0, frames = exray_comparison_frame_count(comparison);
    for (size_t f = 0; f < frames; f++)
        count += chosen[f];
    if (count == 0 || count == frames)
        return;
    xr_list_frames(comparison, chosen, list, sizeof list);
    exray_finding_detail(finding, "This is so in %zu of %zu frames only: %s.", count, frames, list);
    exray_finding_text(finding, "frame_list", list);
    exray_finding_number(finding, "frames_affected", (double)count);
    xr_say_reading(comparison, chosen, finding);
}

void xr_tell_conditions(exray_findings *findings)
{
    for (exray_finding *f = findings->first; f; f = f->next) {
        const xr_evidence *e = xr_finding_evidence(f, condition);
        size_t length = f->summary ? strlen(f->summary) : 0;
        if (!e || !e->text || !length || strstr(f->summary, e->text))
            continue;
        char *was = malloc(length + 1);
        if (!was)
            continue;
        memcpy(was, f->summary, length + 1);
        if (was[length - 1] == '.')
            was[length - 1] = 0;
        exray_finding_summary(f, "%s, only where %s.", was, e->text);
        free(was);
    }
}
