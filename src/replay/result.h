/* /result: a task's interpretation of a model's outputs. */
#ifndef XR_RESULT_H
#define XR_RESULT_H

#include "engines/engine.h"
#include "replay/labels.h"

typedef struct xr_task {
    const char *name; /* "classification", "detection", ... */
    int64_t label_offset;
    unsigned top_k;
    xr_names labels; /* count 0: none */
} xr_task;

/* Whether the model's outputs are of the task's kind; where not, `why` gets one
 * line.  A task without a result always fits. */
bool xr_task_fits(const xr_task *task, const xr_engine *engine, xr_session *session, char *why,
                  size_t why_size);

/* How many classes the model's output has; 0 where the task has none. */
int64_t xr_task_classes(const xr_task *task, const xr_engine *engine, xr_session *session);

/* Writes /result for the outputs of the last run. */
exray_status xr_task_record(const xr_task *task, const xr_engine *engine, xr_session *session,
                            exray_recorder *recorder, exray_error *error);

#endif
