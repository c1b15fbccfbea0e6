/* Findings of what running both sides' models again has shown. */
#ifndef XR_STORY_REPORT_H
#define XR_STORY_REPORT_H

#include "checks/model/state/story.h"

/* A finding of its own: the sides' memories are others.  `tensor`: where; `op`: what keeps it, or NULL. */
void xr_story_report(const exray_comparison *comparison, const xr_stories *stories, const char *tensor,
                     const char *op, exray_findings *findings);

/* Adds to a finding that the logs alone prove what the runs say of it; stories NULL: nothing. */
void xr_story_explain(const exray_comparison *comparison, const xr_stories *stories, exray_finding *finding);

#endif
