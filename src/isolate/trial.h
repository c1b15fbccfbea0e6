/* A layer, or a block of layers, cut out of the reference's model and run on what one side recorded. */
#ifndef XR_TRIAL_H
#define XR_TRIAL_H

#include "compare/compare.h"
#include "engines/engine.h"
#include "isolate/plan.h"

/* Frames that a layer is run on: its error hardly depends on the picture.  Where it shows none in the first,
 * those in which the two sides differ most. */
enum { XR_TRIAL_FRAMES = 3, XR_TRIAL_INPUTS = 16 };

/* What all trials share. */
typedef struct xr_trial_bench {
    exray_comparison *comparison;
    const xr_engine *engine;
    const char *kernels; /* NULL: default */
    const char *library; /* NULL: found */
    xr_plan plan;
    exray_slot *slot[1 + XR_TRIAL_INPUTS];
    bool worst; /* layers are run on the frames in which they differ most, not on the first */
} xr_trial_bench;

/* One cut-out model, open. */
typedef struct xr_trial {
    xr_model_bytes bytes;
    xr_model_file file;
    xr_session *session;
    exray_side side;  /* whose inputs it gets, and whose output it is compared with: the edge's */
    bool keeps_state; /* from run to run */
    uint32_t inputs;
    uint32_t tensor[XR_TRIAL_INPUTS]; /* the original's */
    xr_source source[XR_TRIAL_INPUTS];
    float *value[XR_TRIAL_INPUTS]; /* the edge's, in the cut model's layout */
    uint64_t count[XR_TRIAL_INPUTS];
    uint32_t output;        /* of the session */
    uint32_t output_tensor; /* the original's */
    float *edge, *reference;
    uint64_t output_count;
    double low, high;  /* the range of the edge's type */
    double within;     /* the error against the reference clamped to that range */
    double deviation;  /* of the reference */
    exray_error error; /* of the engine or the log, if that is the reason */
} xr_trial;

/* Runs the block of at least `least` layers that ends with that one; its error, or NAN and why, which lives
 * as long as the trial.  To be closed in any case. */
double xr_trial_run(xr_trial_bench *bench, exray_side side, size_t layer, uint32_t least, xr_trial *trial,
                    const char **why);
void xr_trial_close(const xr_trial_bench *bench, xr_trial *trial);

#endif
