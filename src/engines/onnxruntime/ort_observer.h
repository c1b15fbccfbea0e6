/* What observes the runs of a session of ONNX Runtime, and how it is made. */
#ifndef XR_ORT_OBSERVER_H
#define XR_ORT_OBSERVER_H

#include "engines/agreement.h"
#include "engines/onnxruntime/graph_match.h"
#include "engines/onnxruntime/ort.h"
#include "engines/onnxruntime/ports.h"
#include "engines/serving.h"
#include "models/model_file.h"
#include "models/topic_name.h"

typedef struct xr_ort_observation {
    const xr_ort_api *api; /* outlives the observer, as the model's bytes do */
    exray_recorder *recorder;
    const char *model_path; /* for its name; may be NULL */
    const void *model_data;
    size_t model_size;
    const char *kernels;      /* NULL: "default" */
    xr_ort_making making;     /* as the deployed session was made; saved is not read */
    const xr_ort_call *zeros; /* a run on any values, to learn shapes from; NULL: they are not learned */
    bool no_constants, no_latency;
    /* Of an application: its frames are to cost little.  The layers' statistics are taken of the deployed
     * level's graph, latencies of few frames, and the exposed graph may make the outputs (may_serve). */
    bool cheap, may_serve;
} xr_ort_observation;

/* A kernel of the deployed level's graph and the node of the described graph that it computes. */
typedef struct xr_ort_kernel {
    char *name;
    uint32_t node;
} xr_ort_kernel;

/* Where a tensor of the logged graph is made. */
typedef struct xr_ort_place {
    uint32_t node, output; /* EXRAY_NO_INDEX: it is an input or a constant */
} xr_ort_place;

typedef struct xr_ort_observer {
    const xr_ort_api *api;
    exray_recorder *recorder;
    xr_ort_making making;
    bool no_latency;

    void *saved; /* the graph's bytes, where they are not the model's */
    size_t saved_size;
    xr_model_file file;
    exray_model model; /* file.model with what a run has shown */
    exray_tensor_info *tensors;
    exray_node *nodes;
    int64_t (*shapes)[EXRAY_MAX_RANK];
    char **names; /* cut to what the recorder takes; NULL where they fit */
    char **node_names;
    xr_ort_place *made; /* [model.tensor_count] */

    bool straight; /* every layer is among the model's own outputs */
    xr_model_bytes exposed;
    OrtSession *session; /* of the exposed graph; NULL: none */
    size_t output_count; /* of the exposed graph */
    const char **output_name;
    uint32_t *output_tensor; /* in the model's tensors */
    OrtValue **value;
    size_t own_count;     /* outputs of the model itself */
    OrtValue **own_value; /* of a profiled run */

    /* Where the exposed graph is that of the deployed level: */
    xr_ort_layout *layout; /* [output_count]; NULL: it is the described one */
    char **deployed_name;  /* [output_count] what output_name points to */
    xr_ort_kernel *kernel;
    size_t kernel_count;
    void *scratch; /* a value in another order */
    size_t scratch_size;
    uint32_t within_kernels; /* nodes whose values exist within a fused kernel only */
    xr_serving serving;

    uint32_t *latency_node;
    uint64_t *latency_start, *latency_duration;
    size_t latency_count, latency_most;
    uint64_t frame_offset;
    bool cheap;
    uint64_t runs, next_profile; /* in frames that are recorded; the one that is profiled next */
    uint64_t unplaced;           /* profiled kernels that are no node of the logged graph */
    uint64_t unordered;          /* values that did not fit the scratch */
    uint64_t in_place;           /* runs that overwrote their inputs: no layers */
    xr_agreement agreement;
} xr_ort_observer;

#endif
