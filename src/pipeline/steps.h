/* What the files of the pipeline share: the parsed steps, and the tensor they end in. */
#ifndef XR_STEPS_H
#define XR_STEPS_H

#include "base/error.h"
#include "base/file.h"
#include "media/samples.h"
#include "pipeline/pipeline.h"

enum {
    XR_MAX_TARGET_SIDE = 1 << 14, /* of a size in a pipeline file */
    XR_MAX_STEPS = 64,
};

/* ---- The parsed pipeline --------------------------------------------------- */

typedef enum xr_step_kind {
    XR_STEP_ORIENT,
    XR_STEP_CROP,
    XR_STEP_RESIZE,
    XR_STEP_ROTATE,
    XR_STEP_FLIP,
    XR_STEP_CHANNELS,
    XR_STEP_NORMALIZE,
} xr_step_kind;

typedef enum xr_crop_kind { XR_CROP_NONE, XR_CROP_CENTER, XR_CROP_LETTERBOX, XR_CROP_SIZE } xr_crop_kind;

typedef enum xr_size_kind {
    XR_SIZE_KEEP,    /* resize: none */
    XR_SIZE_MODEL,   /* not named: the model's */
    XR_SIZE_EXACT,   /* width x height */
    XR_SIZE_SHORTER, /* the shorter side becomes `width`, the shape is kept */
} xr_size_kind;

typedef enum xr_layout { XR_LAYOUT_MODEL, XR_LAYOUT_NHWC, XR_LAYOUT_NCHW } xr_layout;

typedef struct xr_resize {
    xr_filter filter;
    xr_sampling sampling;
    xr_size_kind size;
    uint32_t width, height;
} xr_resize;

typedef struct xr_step {
    xr_step_kind kind;
    unsigned line; /* of the pipeline file; 0: a default, not written there */
    union {
        bool orient; /* by EXIF */
        struct {
            xr_crop_kind kind;
            double fraction;        /* CENTER: of the shorter side */
            uint8_t pad;            /* LETTERBOX */
            uint32_t width, height; /* SIZE */
        } crop;
        xr_resize resize;
        unsigned quarter_turns; /* counter-clockwise, 0..3 */
        xr_flip flip;
        char channels[4]; /* a permutation of "rgb", "y" for grey, "" for what the model takes */
        struct {
            unsigned mean_count, std_count; /* 1: for all channels */
            double mean[3], std[3];
        } normalize;
    } as;
} xr_step;

struct xr_pipeline {
    char *name;       /* stands in messages */
    const char *task; /* a constant */
    xr_step steps[XR_MAX_STEPS];
    unsigned step_count;
    xr_layout layout;
    int64_t label_offset;
    unsigned top_k;
    char *labels;
};

/* ---- The model's input ---------------------------------------------------------- */

/* What the tensor's description comes to. */
typedef struct xr_target {
    uint32_t width, height; /* 0: known only at run time */
    uint32_t channels;      /* 1 or 3 */
    xr_layout layout;       /* NHWC or NCHW */
    exray_dtype dtype;
    size_t element_size;
    bool quantized;
    float scale;
    int64_t zero_point;
} xr_target;

exray_status xr_target_read(const exray_tensor_info *info, xr_target *target, exray_error *error);

/* Writes the picture's values, (sample - mean) / std, in the target's type and
 * quantization; out has room for width * height * channels elements. */
exray_status xr_target_write(const xr_target *target, xr_layout layout, const xr_picture *picture,
                             const double *mean, const double *std, void *out, exray_error *error);

#endif
