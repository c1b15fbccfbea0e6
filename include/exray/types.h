/* Types that the recorder (recorder.h), the log reader (log.h) and assertions (assertion.h) share.
 *
 * Enumerators have fixed numbers; those that are written into logs have the numbers of schema/exray.proto.
 * New ones are added at the end.
 *
 * Every declaration says since which version it has been there by its name.  A struct's fields are as old as
 * the struct, unless their comment says otherwise. */
#ifndef EXRAY_TYPES_H
#define EXRAY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* The version of these headers: that of the file VERSION (scripts/version.sh changes both).  Since 0.1.0. */
#define EXRAY_VERSION "0.2.0-dev"

/* The version of the library that is linked, such as "0.2.0": a constant; any thread.  Since 0.1.0. */
const char *exray_version(void);

/* Result of a call.  A function that can fail returns one of these, unless it says how else it reports
 * failure.  Since 0.1.0. */
typedef enum exray_status {
    EXRAY_OK = 0,
    EXRAY_E_ARGUMENT = 1, /* an argument is outside its stated range */
    EXRAY_E_STATE = 2,    /* called in the wrong order (not open, no frame), or the data is not there */
    EXRAY_E_MEMORY = 3,   /* the memory given is too small, or malloc failed */
    EXRAY_E_IO = 4,       /* reading or writing failed; the message has the system's reason */
    EXRAY_E_NO_SPACE = 5, /* the disk, or the caller's buffer, is full */
    EXRAY_E_FORMAT = 6,   /* the bytes are damaged, or of another format */
    EXRAY_E_LIMIT = 7,    /* a table of fixed size is full; where a config sizes it, raise the limit there */
    EXRAY_E_ENGINE = 8,   /* the engine's library is missing, too old, or reported a failure */
    EXRAY_E_UNSUPPORTED = 9, /* understood, but not available in this build */
} exray_status;

/* "EXRAY_E_IO", ...; "EXRAY_E_UNKNOWN" for any other number: a constant; any thread.  Since 0.1.0. */
const char *exray_status_name(exray_status status);

/* One line that says what failed, where, why, and what to do.  The caller owns it and sets it to zero;
 * functions of the host library fill it when they fail, and leave it as it is when they succeed.  Where such
 * a function takes an exray_error, NULL is allowed: then the reason is not told.  Since 0.1.0. */
typedef struct exray_error {
    exray_status status;
    char message[480];
} exray_error;

/* "Absent", wherever an index is expected.  Since 0.1.0. */
#define EXRAY_NO_INDEX 0xFFFFFFFFu

/* The most dimensions of a tensor.  Since 0.1.0. */
#define EXRAY_MAX_RANK 8

/* Data types of tensor elements (schema: DType).  X(NAME, number, bits of one element; 0: no fixed size).
 * Since 0.1.0. */
#define EXRAY_DTYPES(X)                                                                                      \
    X(UNSPECIFIED, 0, 0)                                                                                     \
    X(FLOAT32, 1, 32)                                                                                        \
    X(FLOAT16, 2, 16)                                                                                        \
    X(BFLOAT16, 3, 16)                                                                                       \
    X(FLOAT64, 4, 64)                                                                                        \
    X(INT8, 5, 8)                                                                                            \
    X(UINT8, 6, 8)                                                                                           \
    X(INT16, 7, 16)                                                                                          \
    X(UINT16, 8, 16)                                                                                         \
    X(INT32, 9, 32)                                                                                          \
    X(UINT32, 10, 32)                                                                                        \
    X(INT64, 11, 64)                                                                                         \
    X(UINT64, 12, 64)                                                                                        \
    X(BOOL, 13, 8)                                                                                           \
    X(STRING, 14, 0)                                                                                         \
    X(INT4, 15, 4)                                                                                           \
    X(UINT4, 16, 4)                                                                                          \
    X(FLOAT8_E4M3, 17, 8)                                                                                    \
    X(FLOAT8_E5M2, 18, 8)

/* EXRAY_DTYPE_FLOAT32, EXRAY_DTYPE_INT8, ...  Since 0.1.0 (enumerators by these names: 0.2.0). */
typedef enum exray_dtype {
#define EXRAY_DTYPE_ENUM(name, number, bits) EXRAY_DTYPE_##name = number,
    EXRAY_DTYPES(EXRAY_DTYPE_ENUM)
#undef EXRAY_DTYPE_ENUM
} exray_dtype;

/* "float32", "int8", ...; "unspecified" for a number that is no type: a constant; any thread.  Since 0.1.0.
 * */
const char *exray_dtype_name(exray_dtype dtype);

/* Bits of one element; 0 where there is no fixed size (strings, unspecified).  Any thread.  Since 0.1.0. */
unsigned exray_dtype_bits(exray_dtype dtype);

/* Kinds of tensor records.  The topic of a record's channel begins with the name: /sensor/..., /layer/...
 * X(UPPER, lower), numbered from 0.  Since 0.1.0. */
#define EXRAY_KINDS(X)                                                                                       \
    X(SENSOR, sensor)     /* as captured, before any pre-processing */                                       \
    X(STAGE, stage)       /* an intermediate value that the application names */                             \
    X(INPUT, input)       /* what the model was given */                                                     \
    X(LAYER, layer)       /* an output of a node */                                                          \
    X(OUTPUT, output)     /* what the model returned */                                                      \
    X(CONSTANT, constant) /* a tensor of the model: weights, biases */                                       \
    X(STATE, state)       /* what the model remembers, before the run: a variable, or an input that gets an  \
                           * output of the frame before.  Since 0.2.0 */

/* EXRAY_KIND_SENSOR, ...; EXRAY_KIND_COUNT is no kind, but their number in this version.  Since 0.1.0
 * (enumerators by these names: 0.2.0). */
typedef enum exray_kind {
#define EXRAY_KIND_ENUM(upper, lower) EXRAY_KIND_##upper,
    EXRAY_KINDS(EXRAY_KIND_ENUM)
#undef EXRAY_KIND_ENUM
        EXRAY_KIND_COUNT
} exray_kind;

/* "sensor", "stage", ...; "unknown" for a number that is no kind: a constant; any thread.  Since 0.1.0. */
const char *exray_kind_name(exray_kind kind);

/* Capture levels: how much is kept.  Each level includes the ones before it.  X(UPPER, lower), numbered from
 * 1.  Since 0.1.0. */
#define EXRAY_CAPTURES(X)                                                                                    \
    X(OFF, off)       /* nothing at all */                                                                   \
    X(FRAME, frame)   /* frames, latency, system, readings, results */                                       \
    X(IO, io)         /* + data of sensor, stage, state, input, output */                                    \
    X(STATS, stats)   /* + TensorStats of every layer and constant */                                        \
    X(SKETCH, sketch) /* + TensorSketch of every layer */                                                    \
    X(FULL, full)     /* + data of every layer and constant */

/* EXRAY_CAPTURE_OFF ... EXRAY_CAPTURE_FULL.  Since 0.1.0. */
typedef enum exray_capture {
    EXRAY_CAPTURE_DEFAULT = 0, /* the same as EXRAY_CAPTURE_STATS */
#define EXRAY_CAPTURE_ENUM(upper, lower) EXRAY_CAPTURE_##upper,
    EXRAY_CAPTURES(EXRAY_CAPTURE_ENUM)
#undef EXRAY_CAPTURE_ENUM
} exray_capture;

/* "off" ... "full", "default" for 0; "unknown" for a number that is no level: a constant; any thread.
 * Since 0.1.0. */
const char *exray_capture_name(exray_capture capture);

/* The level of that name ("off" ... "full"), or -1.  `name` is not NULL.  Any thread.  Since 0.1.0. */
int exray_capture_from_name(const char *name);

/* real = scale * (stored - zero_point). count 0: not quantized. count 1: one pair for the whole tensor.
 * count N: one pair for each slice along dimension `axis`, which has N of them.  The arrays are borrowed.
 * Since 0.1.0. */
typedef struct exray_quantization {
    uint32_t count;
    uint32_t axis;
    const float *scale;        /* [count] */
    const int64_t *zero_point; /* [count], or NULL: all 0 */
} exray_quantization;

/* What is known of a tensor beside its values (schema: TensorInfo).  Strings and arrays are borrowed; a NULL
 * string means "".  Since 0.1.0. */
typedef struct exray_tensor_info {
    const char *name;   /* the engine's; may be empty, need not be unique */
    const char *layout; /* "NHWC", "NCHW", "HWC", ...; NULL: unknown */
    exray_dtype dtype;
    uint32_t rank;        /* 0: a scalar; at most EXRAY_MAX_RANK */
    const int64_t *shape; /* [rank]; -1: known only at run time */
    exray_quantization quantization;
    bool constant; /* a tensor of the model file */
} exray_tensor_info;

/* A key and its value, UTF-8, borrowed.  Since 0.1.0. */
typedef struct exray_key_value {
    const char *key;
    const char *value;
} exray_key_value;

/* A node of a model's graph (schema: Node).  Strings and arrays are borrowed.  Since 0.1.0. */
typedef struct exray_node {
    const char *op;   /* the engine's own name: CONV_2D, Conv, ... */
    const char *name; /* may be empty */
    uint32_t subgraph;
    const uint32_t *inputs; /* [input_count] positions in exray_model.tensors, or EXRAY_NO_INDEX */
    uint32_t input_count;
    const uint32_t *outputs; /* [output_count] likewise */
    uint32_t output_count;
    const exray_key_value *attributes; /* [attribute_count] */
    uint32_t attribute_count;
    const struct exray_node *inner; /* [inner_count] the nodes that a delegate or a fused kernel runs here */
    uint32_t inner_count;
} exray_node;

/* A model as it runs (schema: Model).  Nodes are in execution order.  Strings and arrays are borrowed.
 * Since 0.1.0. */
typedef struct exray_model {
    const char *name;
    const uint8_t *sha256; /* [32], of the model file; NULL: unknown */
    const char *engine;    /* "tflite", "litert", "onnxruntime", ... */
    const char *engine_version;
    const char *kernels; /* "builtin", "reference", "xnnpack", ... */
    uint32_t threads;
    const exray_tensor_info *tensors; /* [tensor_count] */
    uint32_t tensor_count;
    const exray_node *nodes; /* [node_count] */
    uint32_t node_count;
    const uint32_t *inputs; /* [input_count] positions in tensors */
    uint32_t input_count;
    const uint32_t *outputs; /* [output_count] positions in tensors */
    uint32_t output_count;
} exray_model;

/* How the bytes of a sensor record are to be read (schema: Media).  Zero and NULL: does not apply, or
 * unknown.  Strings are borrowed.  Since 0.1.0. */
typedef struct exray_media {
    /* Pictures: rgb8 bgr8 rgba8 bgra8 argb8 rgb565 gray8 gray16 nv12 nv21 i420 yv12 yuyv uyvy p010, jpeg png;
     * bayer_rggb8 bayer_rggb10 bayer_rggb12 bayer_rggb16, and grbg, gbrg, bggr for rggb (the filters of the
     * first two rows);  sounds: s16 f32, wav; text: utf8.  Samples of more than 8 bits are two bytes, the low
     * one first: p010 has its 10 bits in the high ones, Bayer in the low ones.  argb8, rgb565, gray16, p010,
     * bayer: since 0.2.0. */
    const char *format;
    uint32_t width;       /* pixels */
    uint32_t height;      /* pixels */
    uint32_t row_stride;  /* bytes from one row to the next; 0: rows follow each other */
    const char *matrix;   /* of YUV: "bt601", "bt709", "bt2020"; NULL: unknown */
    bool full_range;      /* of YUV: 0..255 rather than 16..235 */
    uint32_t rotation;    /* degrees counter-clockwise that make it upright */
    uint32_t sample_rate; /* Hz */
    uint32_t channels;    /* of a sound */
} exray_media;

/* Statistics of a tensor's values (schema: TensorStats).  Extrema and moments are over the finite values,
 * after dequantization.  Since 0.1.0. */
typedef struct exray_stats {
    uint64_t count; /* of elements, finite or not */
    uint64_t nan_count;
    uint64_t inf_count;
    uint64_t zero_count;
    double min; /* this and the next three: NAN where no value is finite */
    double max;
    double mean;
    double variance;     /* population variance: the mean of (value - mean)^2 */
    uint64_t low_count;  /* stored values at the data type's minimum (integers only) */
    uint64_t high_count; /* stored values at the data type's maximum (integers only) */
} exray_stats;

/* The most channels that have moments of their own, and the bins of a histogram.  Since 0.2.0. */
#define EXRAY_MAX_CHANNEL_STATS 64
#define EXRAY_HISTOGRAM_BINS    32

/* Moments of each channel and a histogram (schema: TensorStats): of inputs, outputs and sensors with at most
 * 64 channels of at least 64 elements each.  Channels are dimension C of the layout; without a layout the
 * second of four dimensions where that has 2 to 4 and the last has more, else the last (of a rank of 2 or
 * more) where that has at most 64, else the second of four where that has, else all is one channel.  The
 * arrays are borrowed.  Since 0.2.0. */
typedef struct exray_channel_stats {
    uint32_t channel_count;    /* 0: there are none */
    uint32_t bin_count;        /* 0: no histogram; else EXRAY_HISTOGRAM_BINS */
    const float *mean;         /* [channel_count], dequantized */
    const float *variance;     /* [channel_count], population variance */
    const uint32_t *histogram; /* [bin_count] equal bins over [min, max] of the statistics */
} exray_channel_stats;

/* The version of the hash that sketches are made with (spec/sketch.md).  Since 0.1.0. */
#define EXRAY_SKETCH_VERSION 1
/* The most buckets of a sketch.  Since 0.1.0. */
#define EXRAY_SKETCH_BUCKETS 251
/* The seed that recorders use, so that logs compare.  Since 0.1.0. */
#define EXRAY_SKETCH_SEED 1

/* A sketch of a tensor (schema: TensorSketch; spec/sketch.md).  Sketches of tensors with the same elements
 * subtract: the sum of the squared differences of their buckets is about the squared distance of the
 * tensors.  The buckets are borrowed.  Since 0.1.0. */
typedef struct exray_sketch {
    uint32_t version;    /* of the hash; only EXRAY_SKETCH_VERSION is known here */
    uint32_t count;      /* buckets; of a tensor with fewer elements than EXRAY_SKETCH_BUCKETS as many as it
                            has: then they are the elements themselves */
    uint64_t seed;       /* sketches of different seeds do not compare */
    const float *bucket; /* [count] */
} exray_sketch;

/* A class that a classifier names (schema: Result.Class).  Since 0.1.0. */
typedef struct exray_class {
    int64_t id;
    float score;
    const char *label; /* borrowed; or NULL */
} exray_class;

/* An object that a detector found (schema: Result.Box).  Since 0.1.0. */
typedef struct exray_box {
    float x_min, y_min, x_max, y_max; /* 0..1 of the picture's width and height; the origin is top left */
    int64_t id;
    float score;
    const char *label;    /* borrowed; or NULL */
    const float *corners; /* [8] x, y of four corners, where the box is turned (a line of text, a face); NULL:
                             it is upright.  Since 0.2.0 */
    bool crowd;           /* of a truth: a region of many, as COCO's iscrowd.  Since 0.2.0 */
} exray_box;

/* A point that was found, such as a joint or a corner of an eye (schema: Result.Keypoint).  Since 0.2.0. */
typedef struct exray_keypoint {
    float x, y;  /* 0..1 of the picture's width and height; the origin is top left */
    float z;     /* in the unit of the model */
    float score; /* how sure, or how visible; of a truth: 0 means that it is not there */
    int64_t id;  /* which point.  Those of several persons or hands follow each other: each begins anew */
} exray_keypoint;

/* A class for each pixel (schema: Result.Mask).  Since 0.2.0. */
typedef struct exray_mask {
    uint32_t width, height; /* of the mask, which need not be the picture's; it covers all of the picture */
    const void *ids; /* rows from the top: a byte for each pixel, or where `wide` two, the low one first.
                        The highest value (255; 65535) says that a pixel does not count */
    size_t size;     /* bytes of ids: width * height, or twice that */
    bool wide;
} exray_mask;

/* Numbers with a name: an embedding, a regression (schema: Result.Vector).  Since 0.2.0. */
typedef struct exray_vector {
    const char *name; /* or NULL */
    const float *values;
    uint32_t count; /* of values */
} exray_vector;

/* What the application told its user, or the truth of a frame (schema: Result).  Arrays and strings are
 * borrowed.  Since 0.1.0. */
typedef struct exray_result {
    const exray_class *classes; /* [class_count], the best first */
    uint32_t class_count;
    const exray_box *boxes; /* [box_count] */
    uint32_t box_count;
    const char *text; /* or NULL */
    /* Since 0.2.0: */
    const exray_keypoint *keypoints; /* [keypoint_count] */
    uint32_t keypoint_count;
    const exray_vector *vectors; /* [vector_count] */
    uint32_t vector_count;
    const exray_mask *mask; /* or NULL */
} exray_result;

/* Kinds of events, X(upper, lower): what happened to the recording or to the application.  Since 0.2.0. */
#define EXRAY_EVENTS(X)                                                                                      \
    X(USER, user)       /* the application's own */                                                          \
    X(RESET, reset)     /* the model's state was reset */                                                    \
    X(TRIGGER, trigger) /* of a flight recorder */                                                           \
    X(ERROR, error)     /* a call was refused, and what it would have recorded is missing */                 \
    X(GAP, gap)         /* records are missing */                                                            \
    X(LEVEL, level)     /* the capture level changed */                                                      \
    X(ROTATE, rotate)   /* the recording goes on in another file */

/* The kind of an event.  Since 0.2.0. */
typedef enum exray_event_kind {
#define EXRAY_EVENT_ENUM(upper, lower) EXRAY_EVENT_##upper,
    EXRAY_EVENTS(EXRAY_EVENT_ENUM)
#undef EXRAY_EVENT_ENUM
        EXRAY_EVENT_OTHER /* of a later version or another program */
} exray_event_kind;

/* "user", "reset", ...; "other" for every other number.  Any thread.  Since 0.2.0. */
const char *exray_event_kind_name(exray_event_kind kind);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
