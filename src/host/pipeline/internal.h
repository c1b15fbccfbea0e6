/* What the files of the pipeline share: the parsed steps, the picture that they
 * work on, and the decoders. */
#ifndef XR_PIPELINE_INTERNAL_H
#define XR_PIPELINE_INTERNAL_H

#include "file.h"
#include "pipeline.h"

enum {
    XR_MAX_PIXELS = 1 << 28,      /* of one picture, decoded or made by a step */
    XR_MAX_RESIZED = 1 << 26,     /* pixels that a resize may make */
    XR_MAX_SIDE = 1 << 20,        /* of a decoded or raw picture */
    XR_MAX_TARGET_SIDE = 1 << 14, /* of a size in a pipeline file */
    XR_MAX_STEPS = 64,
    XR_SHOWN = 48, /* room for a shown piece of somebody's text */
};

/* A piece of a stranger's text that is fit to stand in a one-line message:
 * shortened, without control characters.  Returns `out`. */
const char *xr_pipeline_show(const char *text, char out[XR_SHOWN]);

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

typedef enum xr_filter { XR_NEAREST, XR_BILINEAR, XR_BICUBIC, XR_AREA } xr_filter;

typedef enum xr_size_kind {
    XR_SIZE_KEEP,    /* resize: none */
    XR_SIZE_MODEL,   /* not named: the model's */
    XR_SIZE_EXACT,   /* width x height */
    XR_SIZE_SHORTER, /* the shorter side becomes `width`, the shape is kept */
} xr_size_kind;

/* Which positions and which weights: see docs/pipeline.md. */
typedef enum xr_sampling {
    XR_HALF_PIXEL,
    XR_ANTIALIAS,
    XR_ALIGN_CORNERS,
    XR_ASYMMETRIC, /* BILINEAR, BICUBIC */
    XR_EXACT,      /* NEAREST */
} xr_sampling;

typedef enum xr_flip { XR_FLIP_NONE, XR_FLIP_HORIZONTAL, XR_FLIP_VERTICAL } xr_flip;

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

/* ---- The picture that steps work on ------------------------------------------- */

/* Interleaved samples, bytes until `normalize`, then floats.  `samples` may be
 * a part of `owned`, or of memory that another one owns. */
typedef struct xr_picture {
    uint32_t width, height, channels;
    size_t stride; /* samples from row to row */
    bool is_float;
    uint8_t *bytes; /* first sample if !is_float */
    float *floats;  /* first sample if is_float */
    void *owned;    /* malloc'd, or NULL */
    char order[4];  /* "rgb", "bgr", ...; "y": one grey channel */
} xr_picture;

/* Makes `to` a new picture of that size, of the same sample type, channels and
 * order as `like`.  E_MEMORY or E_LIMIT (too many pixels). */
exray_status xr_picture_new(xr_picture *to, const xr_picture *like, uint32_t width, uint32_t height,
                            exray_error *error);
/* Frees what it owns. */
void xr_picture_free(xr_picture *picture);
/* Frees `picture`'s own memory and makes it `with`. */
void xr_picture_replace(xr_picture *picture, xr_picture *with);

/* Each turns *picture into its result; on failure it stays valid. */
exray_status xr_picture_turn(xr_picture *picture, unsigned quarter_turns, exray_error *error);
exray_status xr_picture_flip(xr_picture *picture, xr_flip flip, exray_error *error);
exray_status xr_picture_orient(xr_picture *picture, unsigned exif_orientation, exray_error *error);
exray_status xr_picture_reorder(xr_picture *picture, const char *order, exray_error *error);
/* Cuts out a rectangle that lies within the picture; shares its memory. */
void xr_picture_cut(xr_picture *picture, uint32_t left, uint32_t top, uint32_t width, uint32_t height);
/* Puts the picture on a ground of value `pad`, at (left, top). */
exray_status xr_picture_pad(xr_picture *picture, uint32_t width, uint32_t height, uint32_t left, uint32_t top,
                            uint8_t pad, exray_error *error);
/* Samples become floats: (sample - mean) / std, one pair per channel. */
exray_status xr_picture_normalize(xr_picture *picture, const double *mean, const double *std,
                                  exray_error *error);
/* Whether a filter has a sampling: no antialias for NEAREST, and so on. */
bool xr_resize_exists(xr_filter filter, xr_sampling sampling);
exray_status xr_picture_resize(xr_picture *picture, xr_filter filter, xr_sampling sampling, uint32_t width,
                               uint32_t height, exray_error *error);

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

/* ---- Decoders ------------------------------------------------------------------- */

/* Allocates image->pixels for its width, height, channels, after checking them. */
exray_status xr_image_allocate(xr_image *image, const char *what, exray_error *error);

/* The orientation (1..8) in an EXIF block, with or without the leading "Exif\0\0". */
unsigned xr_exif_orientation(const uint8_t *data, size_t size);

/* reduce: 1, 2, 4, 8: decodes at that part of the size, as thumbnailers do. */
exray_status xr_decode_jpeg(const uint8_t *data, size_t size, unsigned reduce, xr_image *out,
                            exray_error *error);
exray_status xr_decode_png(const uint8_t *data, size_t size, xr_image *out, exray_error *error);
/* media->format is a raw one, or an unknown one, which is an error. */
exray_status xr_decode_raw(const exray_media *media, const uint8_t *data, size_t size, xr_image *out,
                           exray_error *error);

#endif
