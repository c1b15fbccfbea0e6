#include "checks/gate/known.h"

#include <string.h>

const char *xr_known_place(const exray_finding *finding)
{
    return finding->tensor && *finding->tensor ? finding->tensor : finding->stage ? finding->stage : "";
}

static bool is_cause(const char *pattern, const char *cause)
{
    size_t n = strlen(pattern);
    return n && pattern[n - 1] == '*' ? strncmp(pattern, cause, n - 1) == 0 : strcmp(pattern, cause) == 0;
}

static bool fits(const xr_known_finding *known, const exray_finding *finding)
{
    return is_cause(known->cause, finding->cause) &&
           (!known->where || strcmp(known->where, xr_known_place(finding)) == 0 ||
            (finding->stage && strcmp(known->where, finding->stage) == 0));
}

static void mark(xr_known_finding *known, size_t count, exray_finding *finding)
{
    for (size_t i = 0; i < count; i++) {
        if (!fits(&known[i], finding))
            continue;
        known[i].used++;
        if (!known[i].expired && !finding->known)
            finding->known = &known[i];
    }
}

void xr_known_mark(xr_known_finding *known, size_t count, exray_findings *findings)
{
    for (exray_finding *f = findings->first; f; f = f->next)
        for (size_t i = 0; i < count && !f->known; i++)
            if (!known[i].expired && fits(&known[i], f))
                f->known = &known[i];
}

void xr_known_apply(xr_known_finding *known, size_t count, exray_finding **shown, size_t shown_count)
{
    for (size_t i = 0; i < shown_count; i++)
        mark(known, count, shown[i]);
    /* Few findings: each new one passes over the known ones before it. */
    for (size_t i = 1; i < shown_count; i++)
        for (size_t k = i; k > 0 && !shown[k]->known && shown[k - 1]->known; k--) {
            exray_finding *passed = shown[k - 1];
            shown[k - 1] = shown[k];
            shown[k] = passed;
        }
}
