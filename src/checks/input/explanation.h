/* Whether a transform explains an input, step by step: each frame votes on each step. */
#ifndef XR_EXPLANATION_H
#define XR_EXPLANATION_H

#include "checks/input/search/input_pair.h"

/* Frames that need a step, that do as well without it, and that do decisively better without it. */
typedef struct xr_votes {
    size_t agree, abstain, contradict;
    double without; /* the median frame's residual without the step, levels rms */
} xr_votes;

typedef enum xr_transform_step {
    XR_STEP_FRAME_ORDER,
    XR_STEP_DECODE,
    XR_STEP_SIGN_WRAP,
    XR_STEP_LAYOUT,
    XR_STEP_STRIDE,
    XR_STEP_TURN,
    XR_STEP_CROP,
    XR_STEP_PADDING,
    XR_STEP_KERNEL,
    XR_STEP_COLOR,
    XR_STEP_VALUE_MAP,
    XR_STEPS
} xr_transform_step;

typedef struct xr_explanation {
    const exray_comparison *comparison;
    const xr_input_fit *before, *after; /* without and with the transform */
    const xr_transform *transform;
    bool has_sensor;
    bool present[XR_STEPS];
    xr_votes votes[XR_STEPS];
} xr_explanation;

/* Notes which steps a transform has; then lets at most `most` frames vote on each of them. */
void xr_list_steps(xr_explanation *e);
void xr_vote_on_steps(xr_input_pair *pair, xr_explanation *e, size_t most);
/* Remove the steps that some frame contradicts, or that no frame needs; `transform` is the
 * explanation's own.  Whether any was removed. */
bool xr_drop_contradicted_steps(xr_explanation *e, xr_transform *transform);
bool xr_drop_idle_steps(xr_explanation *e, xr_transform *transform);

/* Begins the finding of a step, with the evidence that all steps have. */
exray_finding *xr_begin_step(const xr_explanation *e, exray_findings *findings, const char *cause,
                             xr_transform_step step, double confidence);
/* The confidence in a step, from the residuals with and without it. */
double xr_step_confidence(const xr_explanation *e, xr_transform_step step);

#endif
