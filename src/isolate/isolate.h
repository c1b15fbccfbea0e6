/* Isolation: a layer is cut out of the reference's model and run by the reference's engine on the inputs
 * that the edge recorded.  The difference between its output and the edge's is the layer's own error,
 * independent of the errors of its inputs. */
#ifndef XR_ISOLATE_H
#define XR_ISOLATE_H

#include "compare/compare.h"
#include "engines/engine.h"
#include "models/model_file.h"

/* A tensor of an isolated run; values are float32, dequantized. */
typedef struct xr_isolated_tensor {
    const char *name;
    const exray_tensor_info *info; /* as the cut model has it */
    const float *values;
    uint64_t count;
} xr_isolated_tensor;

/* The first layer that is wrong by itself; valid during a call of `failing`. */
typedef struct xr_isolated {
    size_t layer;       /* among the comparison's */
    const char *format; /* "tflite", "onnx" */
    xr_model_bytes model;
    const xr_isolated_tensor *inputs; /* the edge's */
    size_t input_count;
    xr_isolated_tensor edge, reference; /* both outputs */
    double error, noise;
} xr_isolated;

typedef struct xr_isolate_options {
    const xr_engine *engine;
    const char *kernels; /* NULL: default */
    const char *library; /* NULL: found */
    const void *model;   /* the reference's model file; borrowed */
    size_t model_size;
    double seconds; /* no further layer is run once that many have passed; 0: no limit */
    /* Called once, for the first layer that is wrong by itself; may be NULL.  False: it failed and has
     * reported that. */
    bool (*failing)(void *user, const xr_isolated *what);
    void *user;
} xr_isolate_options;

typedef struct xr_isolate_report {
    size_t wrong;   /* layers beyond noise */
    size_t run;     /* of them, those that were run alone */
    size_t failed;  /* layers that are wrong by themselves */
    char why[320];  /* why some were not run; "" where all were */
    bool not_saved; /* `failing` returned false */
} xr_isolate_report;

/* Runs every layer that is wrong beyond noise alone, and where both sides have this one model file those
 * of integers that are within the noise of their network, too; if none is wrong by itself, the shortest
 * block that is.  Updates the results and roles of the comparison's layers.  EXRAY_E_FORMAT,
 * EXRAY_E_ENGINE: the model or the engine cannot be used. */
exray_status xr_isolate(exray_comparison *comparison, const xr_isolate_options *options,
                        xr_isolate_report *report, exray_error *error);

#endif
