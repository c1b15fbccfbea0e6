/* How an application interprets its model's output: its results (/result) are compared with what
 * the model stored (/output), on each side by itself.
 *
 * Each way to interpret stored integers, with or without a softmax on top, predicts all scores and
 * which classes are the best.  The one whose predictions hold in all frames is the application's.
 * The right way is tried first, so that no wrong one is reported where the data fit both. */
#ifndef XR_INTERPRETATION_H
#define XR_INTERPRETATION_H

#include <exray/assertion.h>

/* X(NAME): the value that the application gives a stored integer. */
#define XR_INTERPRETATION_MAPS(X)                                                                            \
    X(VALUE)                    /* scale * (stored - zero point) */                                          \
    X(RAW)                      /* stored */                                                                 \
    X(NO_ZERO_POINT)            /* scale * stored */                                                         \
    X(OTHER_SIGN)               /* the same bits as a type of the other signedness, dequantized */           \
    X(OTHER_SIGN_RAW)           /* ... not dequantized */                                                    \
    X(OTHER_SIGN_NO_ZERO_POINT) /* ... scaled */

typedef enum xr_interpretation_map {
#define XR_INTERPRETATION_ENUM(name) XR_INTERPRET_##name,
    XR_INTERPRETATION_MAPS(XR_INTERPRETATION_ENUM)
#undef XR_INTERPRETATION_ENUM
        XR_INTERPRETATION_MAP_COUNT
} xr_interpretation_map;

typedef enum xr_interpretation_state {
    XR_INTERPRETATION_UNKNOWN,   /* there is nothing to compare, or no known way explains it */
    XR_INTERPRETATION_EXPLAINED, /* by `map` and `softmax` */
    XR_INTERPRETATION_SCALED,    /* score = gain * value + offset, which is no known way */
} xr_interpretation_state;

typedef struct xr_interpretation {
    xr_interpretation_state state;
    xr_interpretation_map map;
    bool softmax;       /* on top of it */
    bool probabilities; /* the model's output has been through an activation already */
    double gain, offset;
    bool counts_classes; /* class = index - class_offset in all frames, by that interpretation */
    int64_t class_offset;
    size_t frames; /* with a result and an output */
    size_t scored; /* of those, with scores */
    double scale;  /* 0: the output is not quantized */
    int64_t zero_point;
} xr_interpretation;

/* Finds one side's interpretation.  Anything but EXRAY_OK is an error. */
exray_status xr_interpretation_make(const exray_comparison *comparison, exray_side side,
                                    xr_interpretation *out, exray_error *error);

/* Whether both sides interpret it in the same way: then it is intended. */
bool xr_interpretation_same(const xr_interpretation *a, const xr_interpretation *b);

/* Whether the interpretation changes the order of the classes. */
bool xr_interpretation_reorders(const xr_interpretation *interpretation);

/* ---- Records ------------------------------------------------------------------------ */

/* The frame's results as one (exray_log_read_told); false where there is none, or it cannot be read. */
bool xr_frame_result(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                     exray_result *out);
/* The frame's result where it names classes; else NULL. */
const exray_result *xr_result_read(const exray_comparison *comparison, exray_side side, size_t frame,
                                   exray_slot *slot, exray_result *out);

/* The model's one output, where it is a vector of two values or more. */
bool xr_vector_read(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                    exray_tensor_view *view, const float **values);

#endif
