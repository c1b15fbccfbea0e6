/* Types that the monitor (exray.h), the log reader (log.h) and assertions
 * (assertion.h) share.  Enumerators that stand in the log have the numbers of
 * schema/exray.proto. */
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

/* That of the file VERSION; scripts/version.sh changes both. */
#define EXRAY_VERSION "0.2.0-dev"

/* The version of the library in use, such as "0.2.0".  A constant; any thread. */
const char *exray_version(void);

/* Result of a call.  Every function that can fail returns one of these or
 * says how else it tells. */
typedef enum exray_status {
    EXRAY_OK = 0,
    EXRAY_E_ARGUMENT = 1,    /* a parameter is out of its stated range */
    EXRAY_E_STATE = 2,       /* called in the wrong order: not open, no frame, ... */
    EXRAY_E_MEMORY = 3,      /* the memory given, or malloc at open, does not suffice */
    EXRAY_E_IO = 4,          /* reading or writing failed; errno in the message */
    EXRAY_E_NO_SPACE = 5,    /* the disk, or the caller's buffer, is full */
    EXRAY_E_FORMAT = 6,      /* the bytes are not what they should be */
    EXRAY_E_LIMIT = 7,       /* a fixed table is full: raise the limit in the config */
    EXRAY_E_ENGINE = 8,      /* the engine's library is missing, too old, or said no */
    EXRAY_E_UNSUPPORTED = 9, /* understood, and not available in this build */
} exray_status;

/* A constant English name such as "EXRAY_E_IO"; never NULL. */
const char *exray_status_name(exray_status status);

/* One line of explanation: what failed, where, why, what to do.  Zero is "no
 * error".  Functions of the host libraries fill one that the caller owns. */
typedef struct exray_error {
    exray_status status;
    char message[480];
} exray_error;

#define EXRAY_NO_INDEX 0xFFFFFFFFu /* "absent" wherever an index is expected */
#define EXRAY_MAX_RANK 8           /* dimensions of a tensor */

/* schema: DType.  X(NAME, number, bits of one element; 0: no fixed size) */
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

typedef enum exray_dtype {
#define EXRAY_DTYPE_ENUM(name, number, bits) EXRAY_DTYPE_##name = number,
    EXRAY_DTYPES(EXRAY_DTYPE_ENUM)
#undef EXRAY_DTYPE_ENUM
} exray_dtype;

/* "float32", "int8", ...; "unspecified" for a number that is none. */
const char *exray_dtype_name(exray_dtype dtype);

/* Bits of one element; 0 where there is no fixed size (strings, unspecified). */
unsigned exray_dtype_bits(exray_dtype dtype);

/* What a tensor record is.  The topic of its channel begins with the name. */
#define EXRAY_KINDS(X)                                                                                       \
    X(SENSOR, sensor)     /* as captured, before any pre-processing */                                       \
    X(STAGE, stage)       /* a named intermediate value of the application */                                \
    X(INPUT, input)       /* what the model was given */                                                     \
    X(LAYER, layer)       /* an output of a node */                                                          \
    X(OUTPUT, output)     /* what the model returned */                                                      \
    X(CONSTANT, constant) /* a tensor of the model: weights, biases */

typedef enum exray_kind {
#define EXRAY_KIND_ENUM(upper, lower) EXRAY_KIND_##upper,
    EXRAY_KINDS(EXRAY_KIND_ENUM)
#undef EXRAY_KIND_ENUM
        EXRAY_KIND_COUNT
} exray_kind;

/* "sensor", "stage", ... */
const char *exray_kind_name(exray_kind kind);

/* How much is kept, each level containing the one before. */
#define EXRAY_CAPTURES(X)                                                                                    \
    X(OFF, off)       /* nothing at all */                                                                   \
    X(FRAME, frame)   /* frames, latency, system, readings, results */                                       \
    X(IO, io)         /* + data of sensor, stage, input, output */                                           \
    X(STATS, stats)   /* + TensorStats of every layer and constant */                                        \
    X(SKETCH, sketch) /* + TensorSketch of every layer */                                                    \
    X(FULL, full)     /* + data of every layer and constant */

typedef enum exray_capture {
    EXRAY_CAPTURE_DEFAULT = 0, /* STATS */
#define EXRAY_CAPTURE_ENUM(upper, lower) EXRAY_CAPTURE_##upper,
    EXRAY_CAPTURES(EXRAY_CAPTURE_ENUM)
#undef EXRAY_CAPTURE_ENUM
} exray_capture;

/* "off" ... "full"; "default" for 0. */
const char *exray_capture_name(exray_capture capture);

/* The level of that name, or -1. */
int exray_capture_from_name(const char *name);

/* real = scale * (stored - zero_point).  count 0: not quantized.  count 1: one
 * pair for the tensor.  count N: one pair for each slice along `axis`.  A NULL
 * zero_point means all zero.  The arrays are borrowed. */
typedef struct exray_quantization {
    uint32_t count;
    uint32_t axis;
    const float *scale;        /* [count] */
    const int64_t *zero_point; /* [count] or NULL */
} exray_quantization;

/* schema: TensorInfo.  Strings and arrays are borrowed; NULL strings are "". */
typedef struct exray_tensor_info {
    const char *name;   /* the engine's; may be empty, need not be unique */
    const char *layout; /* "NHWC", "NCHW", "HWC", ... or NULL if unknown */
    exray_dtype dtype;
    uint32_t rank;        /* 0: a scalar; at most EXRAY_MAX_RANK */
    const int64_t *shape; /* [rank]; -1: known only at run time */
    exray_quantization quantization;
    bool constant;
} exray_tensor_info;

typedef struct exray_key_value {
    const char *key;
    const char *value;
} exray_key_value;

/* schema: Node. */
typedef struct exray_node {
    const char *op;   /* the engine's own name: CONV_2D, Conv, ... */
    const char *name; /* may be empty */
    uint32_t subgraph;
    const uint32_t *inputs; /* positions in exray_model.tensors, or EXRAY_NO_INDEX */
    uint32_t input_count;
    const uint32_t *outputs;
    uint32_t output_count;
    const exray_key_value *attributes;
    uint32_t attribute_count;
    const struct exray_node *inner; /* the nodes that a delegate or a fusion runs here */
    uint32_t inner_count;
} exray_node;

/* schema: Model.  Nodes are in execution order, as executed. */
typedef struct exray_model {
    const char *name;
    const uint8_t *sha256; /* 32 bytes, or NULL: unknown */
    const char *engine;    /* "tflite", "litert", "onnxruntime", ... */
    const char *engine_version;
    const char *kernels; /* "builtin", "reference", "xnnpack", ... */
    uint32_t threads;
    const exray_tensor_info *tensors;
    uint32_t tensor_count;
    const exray_node *nodes;
    uint32_t node_count;
    const uint32_t *inputs; /* positions in tensors */
    uint32_t input_count;
    const uint32_t *outputs;
    uint32_t output_count;
} exray_model;

/* schema: Media.  How the bytes of a sensor record are to be understood. */
typedef struct exray_media {
    const char
        *format; /* rgb8 bgr8 rgba8 bgra8 gray8 nv12 nv21 i420 yv12 yuyv uyvy; s16 f32; jpeg png wav; utf8 */
    uint32_t width;      /* pixels */
    uint32_t height;     /* pixels */
    uint32_t row_stride; /* bytes; 0: packed */
    const char *matrix;  /* "bt601", "bt709", "bt2020" or NULL */
    bool full_range;
    uint32_t rotation;    /* degrees counter-clockwise that make it upright */
    uint32_t sample_rate; /* Hz */
    uint32_t channels;
} exray_media;

/* schema: TensorStats.  Extrema and moments over finite values, dequantized. */
typedef struct exray_stats {
    uint64_t count;
    uint64_t nan_count;
    uint64_t inf_count;
    uint64_t zero_count;
    double min;
    double max;
    double mean;
    double variance;     /* population variance */
    uint64_t low_count;  /* stored values at the dtype's minimum (integers only) */
    uint64_t high_count; /* stored values at the dtype's maximum (integers only) */
} exray_stats;

/* schema: TensorSketch (spec/sketch.md).  Those of two tensors of the same elements
 * subtract: the squares of the differences of their buckets sum up to about the square
 * of the tensors' distance.  The buckets are borrowed. */
#define EXRAY_SKETCH_VERSION 1
#define EXRAY_SKETCH_BUCKETS 251
#define EXRAY_SKETCH_SEED    1 /* what the recorder uses, so that logs compare */
typedef struct exray_sketch {
    uint32_t version;    /* names the hash; others than EXRAY_SKETCH_VERSION are not known here */
    uint32_t count;      /* buckets; as many as the tensor has elements where those are fewer than
                            EXRAY_SKETCH_BUCKETS: then they are the elements */
    uint64_t seed;       /* sketches of different seeds do not compare */
    const float *bucket; /* [count] */
} exray_sketch;

/* schema: Result.Class and Result.Box. */
typedef struct exray_class {
    int64_t id;
    float score;
    const char *label; /* or NULL */
} exray_class;

typedef struct exray_box {
    float x_min, y_min, x_max, y_max; /* 0..1 of the picture's width and height */
    int64_t id;
    float score;
    const char *label; /* or NULL */
} exray_box;

/* schema: Result.  What the application told its user. */
typedef struct exray_result {
    const exray_class *classes; /* best first */
    uint32_t class_count;
    const exray_box *boxes;
    uint32_t box_count;
    const char *text; /* or NULL */
} exray_result;

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
