/* /result: a task's interpretation of a model's outputs. */
#ifndef XR_RESULT_H
#define XR_RESULT_H

#include "base/anchors.h"
#include "engines/engine.h"
#include "pipeline/steps.h"
#include "replay/feed.h"
#include "replay/labels.h"

typedef struct xr_task {
    const char *name; /* "classification", "detection", ...; "": none */
    const xr_output_keys *keys;
    xr_names labels; /* count 0: none */
    xr_anchors anchors;
    int64_t label_offset; /* the pipeline's, or the model's */
} xr_task;

/* The task of a pipeline, which is borrowed, and the files that it names. */
exray_status xr_task_load(const xr_pipeline *pipeline, xr_task *out, exray_error *error);
/* Takes what the model's file says of its classes, where the pipeline names no file. */
exray_status xr_task_take_notes(xr_task *task, const xr_model_notes *notes, exray_error *error);
void xr_task_free(xr_task *task);

/* How outputs are read, for the log's metadata, so that `validate` can read those of the other side in the
 * same way: fills `pairs`, whose texts live in `room`, and returns how many there are. */
enum { XR_TASK_KEYS = 9 };
typedef struct xr_task_key_room {
    char text[XR_TASK_KEYS][40];
} xr_task_key_room;
uint32_t xr_task_keys(const xr_task *task, const xr_pipeline *pipeline, xr_task_key_room *room,
                      exray_key_value pairs[XR_TASK_KEYS]);

/* Attaches what these keys need: letters, anchors. */
exray_status xr_task_attach(const xr_task *task, exray_recorder *recorder, exray_error *error);

/* Whether the model's outputs are of the task's kind; where not, or where something is odd, `why` gets a
 * line. A task without a result always fits. */
bool xr_task_fits(const xr_task *task, const xr_engine *engine, xr_session *session, const xr_feeds *inputs,
                  char *why, size_t why_size);

/* Whether outputs have dimensions that are known after a run only: whether the task fits cannot be told
 * before. */
bool xr_task_is_open(const xr_engine *engine, xr_session *session);

/* How many classes the model's output has; 0 where the task has none. */
int64_t xr_task_classes(const xr_task *task, const xr_engine *engine, xr_session *session);

/* Writes /result for the outputs of the last run, which had these inputs. */
exray_status xr_task_record(const xr_task *task, const xr_engine *engine, xr_session *session,
                            const xr_feeds *inputs, exray_recorder *recorder, exray_error *error);

#endif
