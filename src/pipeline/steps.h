/* A parsed pipeline: its steps, and how outputs are read. */
#ifndef XR_STEPS_H
#define XR_STEPS_H

#include "media/resize.h"
#include "pipeline/audio_plan.h"

#include <exray/text.h>

enum {
    XR_MAX_TARGET_SIDE = 1 << 14, /* of a size in a pipeline file */
    XR_MAX_STEPS = 64,
};

typedef enum xr_step_kind {
    XR_STEP_ORIENT,
    XR_STEP_CROP,
    XR_STEP_RESIZE,
    XR_STEP_ROTATE,
    XR_STEP_FLIP,
    XR_STEP_CHANNELS,
    XR_STEP_NORMALIZE,
    XR_STEP_PAD, /* of a letterbox, after normalizing */
} xr_step_kind;

typedef enum xr_crop_kind {
    XR_CROP_NONE,
    XR_CROP_CENTER,
    XR_CROP_LETTERBOX,
    XR_CROP_SIZE,
    XR_CROP_REGION, /* a turned rectangle */
} xr_crop_kind;

/* A rectangle, turned clockwise about its middle (x, y): in pixels of the picture, or in shares of its width
 * and height. */
typedef struct xr_region {
    double x, y, width, height, degrees;
    bool pixels;
} xr_region;

typedef enum xr_size_kind {
    XR_SIZE_KEEP,    /* resize: none */
    XR_SIZE_MODEL,   /* not named: the model's */
    XR_SIZE_EXACT,   /* width x height */
    XR_SIZE_SHORTER, /* the shorter side becomes `width`, the shape is kept */
} xr_size_kind;

/* Of the model's input; MODEL: as its shape says. */
typedef enum xr_layout { XR_LAYOUT_MODEL, XR_LAYOUT_NHWC, XR_LAYOUT_NCHW } xr_layout;

typedef struct xr_resize {
    exray_filter filter;
    exray_sampling sampling;
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
            double fraction;   /* CENTER: of the shorter side */
            uint8_t pad;       /* LETTERBOX */
            bool corner;       /* LETTERBOX: at the top left, not in the middle */
            uint32_t multiple; /* LETTERBOX: sides are the next multiples of it; 0: those of the resize */
            uint32_t width, height; /* SIZE */
            xr_region region;       /* REGION */
            bool of_reading;        /* REGION: that of the frame, /reading/region */
        } crop;
        double pad; /* the ground, in the unit of the samples by then */
        xr_resize resize;
        unsigned quarter_turns; /* counter-clockwise, 0..3 */
        xr_flip flip;
        char channels[4]; /* a permutation of "rgb", "y" for gray, "" for what the model takes */
        struct {
            unsigned mean_count, std_count; /* 1: for all channels */
            double mean[3], std[3];
            bool of_model; /* as the model says */
        } normalize;
    } as;
} xr_step;

/* What an input of a model of several gets (key `inputs`): what the pipeline makes of a picture, a sound or a
 * text, a number, or the mask of another input. */
typedef enum xr_input_kind {
    XR_INPUT_IMAGE,
    XR_INPUT_AUDIO,
    XR_INPUT_TEXT,
    XR_INPUT_CONSTANT,
    XR_INPUT_MASK
} xr_input_kind;
typedef struct xr_input_source {
    char *name;
    xr_input_kind kind;
    double value;  /* CONSTANT */
    char *mask_of; /* MASK: the name of another input; else NULL */
    unsigned line;
} xr_input_source;

/* An input that gets an output of the frame before (key `state`). */
typedef struct xr_state_source {
    char *input, *output;
    unsigned line;
} xr_state_source;

/* How a text becomes ids (key `text`). */
typedef struct xr_text_source {
    unsigned line; /* of the key; 0: the file does not have it */
    exray_tokenizer_config config;
    char *vocabulary, *pattern; /* the vocabulary's path; or NULL */
    unsigned vocabulary_line;
    void *file; /* the vocabulary's bytes, and their number, once it was read */
    size_t file_size;
    exray_tokenizer *tokenizer; /* likewise */
} xr_text_source;

enum { XR_MAX_INPUTS = 32 };

/* How the outputs are read (key `output`). */
typedef struct xr_output_keys {
    int64_t label_offset;
    unsigned top_k;   /* 0: not given, as the numbers below */
    char *labels;     /* resolved against the pipeline file's folder; NULL: not given, as the others */
    const char *head; /* a constant */
    double threshold; /* below 0: none */
    double nms;
    unsigned classes;
    bool sigmoid;
    char *boxes;
    char *anchors; /* a file, resolved */
    unsigned labels_line, anchors_line;
} xr_output_keys;

/* Never changes after it was parsed: any number of threads may use one. */
typedef struct xr_pipeline {
    char *name;   /* stands in messages */
    char *source; /* the file's text, and its bytes, of one that was read from a file; else NULL */
    size_t source_size;
    const char *task; /* a constant, or own_task; NULL: not given */
    char *own_task;   /* "user.NAME" */
    xr_step steps[XR_MAX_STEPS];
    unsigned step_count;
    xr_layout layout;
    xr_audio audio;
    xr_output_keys output;
    xr_input_source inputs[XR_MAX_INPUTS];
    unsigned input_count;
    xr_state_source states[XR_MAX_INPUTS];
    unsigned state_count;
    xr_text_source text;
} xr_pipeline;

/* What the model's file says of the normalization: for `normalize: model`, and for a file that has no
 * normalize
 * (*defaulted: such a one).  To be called before the pipeline runs. */
void xr_pipeline_set_normalization(xr_pipeline *pipeline, const double mean[3], const double std[3],
                                   unsigned count, bool *defaulted);

/* NULL is nothing. */
void xr_pipeline_free(xr_pipeline *pipeline);

/* "classification", ...; never NULL. */
const char *xr_pipeline_task(const xr_pipeline *pipeline);
const xr_output_keys *xr_pipeline_output(const xr_pipeline *pipeline);

#endif
