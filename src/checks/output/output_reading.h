/* How an application reads its model's output: what it told (/result) held against what
 * the model stored (/output), on one side by itself.
 *
 * Each way to read stored integers, with or without a softmax on top, predicts all scores
 * and which classes are the best.  One that predicts those of all frames is how the
 * application reads; the right one is tried first, so that none of the others is named
 * where the data do not tell them apart. */
#ifndef XR_OUTPUT_READING_H
#define XR_OUTPUT_READING_H

#include <exray/assertion.h>

/* X(NAME): what is taken for the value of a stored integer. */
#define XR_READING_MAPS(X)                                                                                   \
    X(VALUE)                    /* scale * (stored - zero point) */                                          \
    X(RAW)                      /* stored */                                                                 \
    X(NO_ZERO_POINT)            /* scale * stored */                                                         \
    X(OTHER_SIGN)               /* the same bits as a type of the other sign, dequantized */                 \
    X(OTHER_SIGN_RAW)           /* ... not dequantized */                                                    \
    X(OTHER_SIGN_NO_ZERO_POINT) /* ... scaled */

typedef enum xr_reading_map {
#define XR_READING_ENUM(name) XR_READ_##name,
    XR_READING_MAPS(XR_READING_ENUM)
#undef XR_READING_ENUM
        XR_READING_MAP_COUNT
} xr_reading_map;

typedef enum xr_reading_state {
    XR_READING_UNKNOWN,   /* nothing to hold together, or nothing known explains it */
    XR_READING_EXPLAINED, /* by `map` and `softmax` */
    XR_READING_SCALED,    /* score = gain * value + offset, and that is no known map */
} xr_reading_state;

typedef struct xr_reading {
    xr_reading_state state;
    xr_reading_map map;
    bool softmax;       /* on top */
    bool probabilities; /* what the model returns went through an activation already */
    double gain, offset;
    bool counts_classes; /* class = index - class_offset in all frames, read so */
    int64_t class_offset;
    size_t frames; /* with a result and an output */
    size_t scored; /* of those, with scores */
    double scale;  /* 0: the output is not quantized */
    int64_t zero_point;
} xr_reading;

/* Reads one side.  Anything but EXRAY_OK is an error. */
exray_status xr_reading_make(const exray_comparison *comparison, exray_side side, xr_reading *out,
                             exray_error *error);

/* Whether both sides read alike: then it is meant so. */
bool xr_reading_same(const xr_reading *a, const xr_reading *b);

/* Whether another order of the classes follows from the reading. */
bool xr_reading_reorders(const xr_reading *reading);

/* ---- Records ------------------------------------------------------------------------ */

/* The frame's first result; false where there is none, or it cannot be read. */
bool xr_frame_result(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                     exray_result *out);
/* The frame's result where it names classes; else NULL. */
const exray_result *xr_result_read(const exray_comparison *comparison, exray_side side, size_t frame,
                                   exray_slot *slot, exray_result *out);

/* The model's one output, where it is a vector of two values or more. */
bool xr_vector_read(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                    exray_tensor_view *view, const float **values);

#endif
