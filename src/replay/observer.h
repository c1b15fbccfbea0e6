/* The observer guard: does recording the layers change what the model returns? */
#ifndef XR_OBSERVER_H
#define XR_OBSERVER_H

#include "replay/feed.h"

typedef struct xr_observation {
    const char *verdict;     /* "equal", "noise" or "differs" */
    double max_abs;          /* of the output named: the largest difference, in its unit; INFINITY where
                                shapes, or NaN and Inf, differ */
    double range;            /* of that output unobserved: largest less smallest value */
    char output[128];        /* its name; "" where all are equal */
    bool repeated;           /* `repeat_max_abs` is set */
    double repeat_max_abs;   /* by how much unobserved runs differ among themselves, in that output */
    unsigned observed, bare; /* runs made, each in a session of its own */
} xr_observation;

/* Factor on the difference among repeated runs; docs/commands.md says where it comes from. */
#define XR_OBSERVER_REPEATS 3

/* Runs the model once in `bare`, a fresh session without a recorder, which it
 * closes in any case, and once in a session observed as `recording` says, into a
 * recorder that keeps nothing; both get the same inputs.  Where the outputs
 * differ by more than noise, it runs both again in fresh sessions: a model that is
 * random is not a perturbed one.  `session` is what opens further sessions
 * (recorder NULL).  Errors are those of the engine. */
exray_status xr_observe(const xr_engine *engine, const xr_session_config *session, xr_session *bare,
                        const exray_recorder_config *recording, const xr_feeds *inputs, xr_observation *out,
                        exray_error *error);

/* Whether anything is observed beyond inputs and outputs. */
bool xr_observes_layers(const exray_recorder_config *recording);

#endif
