/* What is said of features: how each finding begins and ends, and the same cells under a line. */
#ifndef XR_FEATURE_REPORT_H
#define XR_FEATURE_REPORT_H

#include "checks/input/features/feature_relation.h"

typedef struct xr_feature_report {
    const xr_feature_frames *frames;
    const xr_feature_relation *relation;
    exray_findings *findings;
} xr_feature_report;

/* A finding of that cause about the input, an error; and, once its own words are said, what all have: the
 * rows, what is left, the frames that differ. */
exray_finding *xr_feature_finding(const xr_feature_report *report, const char *cause, double confidence);
void xr_feature_finding_end(const xr_feature_report *report, exray_finding *finding);

/* What a factor between two logarithms is known for; NULL: nothing. */
const char *xr_logarithm_words(double gain);

/* The same cells under a line: a logarithm of another base, another level of the samples, another scale.
 * false: the sides store them in other steps, which others name. */
bool xr_report_feature_scale(const xr_feature_report *report);

#endif
