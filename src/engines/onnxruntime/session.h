/* The session of the engine "onnxruntime".
 *
 * session.c   open, inputs and outputs, the deployed model's run
 * observe.c   the graph that ONNX Runtime made of the model: described, exposed, run for its layers
 * profile.c   the time of each node, from the profile of a run */
#ifndef XR_ORT_SESSION_H
#define XR_ORT_SESSION_H

#include "engine.h"
#include "model_file.h"
#include "ort.h"

typedef struct xr_ort_port {
    char *name; /* the allocator's */
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
} xr_ort_port;

/* One of ONNX Runtime's sessions with its inputs' or outputs' names. */
typedef struct xr_ort_observer xr_ort_observer;

struct xr_session {
    xr_ort_api api;
    OrtEnv *env;
    OrtAllocator *allocator;
    OrtMemoryInfo *memory;
    OrtSession *deployed;
    xr_ort_port *input, *output;
    size_t input_count, output_count;
    void **input_bytes;
    size_t *input_size;
    OrtValue **input_value, **output_value;
    exray_recorder *recorder; /* NULL: unobserved */
    xr_ort_observer *observer;
    int level;
    unsigned threads;
};

/* Fills error with a failed call's message, frees the status; EXRAY_OK where there is none. */
exray_status xr_ort_check(const xr_ort_api *api, OrtStatus *status, const char *what, exray_error *error);

/* A session of a model in memory; `saved` (NULL: none) is where ONNX Runtime writes what it
 * made of it. */
exray_status xr_ort_create(xr_session *session, const void *model, size_t size, int level, const char *saved,
                           OrtSession **out, exray_error *error);

/* observe.c.  Describes the deployed graph in the recorder's log; layers and latencies from
 * then on. */
exray_status xr_ort_observe(xr_session *session, const xr_session_config *config, exray_error *error);
/* After the deployed run: latencies, layers. */
exray_status xr_ort_record(xr_session *session, exray_error *error);
void xr_ort_unobserve(xr_session *session);

/* A tensor's shape and type as it is now; false where it is none of fixed-size elements. */
bool xr_ort_describe(const xr_ort_api *api, const OrtValue *value, exray_tensor_info *info,
                     int64_t shape[EXRAY_MAX_RANK], const void **data, size_t *size);

/* profile.c */
typedef struct xr_ort_event {
    char name[1000]; /* the node's, or its output's */
    uint64_t start_ns, duration_ns;
} xr_ort_event;

/* Runs the deployed model once more with a profile; `seen` is called for each node that ran. */
exray_status xr_ort_profile(xr_session *session, void (*seen)(void *user, const xr_ort_event *event),
                            void *user, exray_error *error);

#endif
