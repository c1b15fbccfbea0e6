/* A comparison under way: what was matched, and what was measured of it. */
#ifndef XR_COMPARISON_H
#define XR_COMPARISON_H

#include "compare/measure/moments.h"
#include "compare/perf/latency.h"

/* Values of a tensor's channels, a few, to see their spacing. */
enum { XR_STEP_CHANNELS = 4, XR_STEP_SAMPLES = 2048 };
typedef struct xr_samples {
    float value[XR_STEP_CHANNELS][XR_STEP_SAMPLES];
    size_t count[XR_STEP_CHANNELS];
    size_t channels;
    bool picture; /* it has rows, columns, and a few channels */
} xr_samples;

/* How one side stores a tensor, from the first record seen. */
typedef struct xr_stored {
    bool known;
    exray_dtype dtype;
    double scale; /* the largest of its quantization's scales; 0: not quantized */
} xr_stored;

/* The different values of an output: 8 bits that an application dequantized itself lie on
 * a lattice of at most 256 levels, whatever type they are stored in. */
enum { XR_LEVELS_MOST = 256 };
typedef struct xr_levels {
    float value[XR_LEVELS_MOST]; /* ascending */
    size_t count;
    bool too_many;
} xr_levels;

/* Statistics alone, added up: what is left of metrics without data. */
typedef struct xr_stat_sums {
    uint64_t frames;
    uint64_t count, nan_count[2], inf_count[2];
    double sum[2], square[2], min[2], max[2];
    uint64_t saturated_low, saturated_high; /* of the edge: stored values at the ends of its type */
    bool ends_unknown;                      /* as values stood in for the edge's statistics */
    double bound;                           /* sum over frames of count * a lower bound of mean((a-b)^2) */
} xr_stat_sums;

/* Differences of sketches, added up over the frames that have them on both sides. */
typedef struct xr_sketch_sums {
    double square[EXRAY_SKETCH_BUCKETS]; /* of each bucket's difference */
    uint64_t frames;
    bool exact; /* the buckets were the elements */
} xr_sketch_sums;

/* A matched pair of tensors of any kind, and what was measured. */
typedef struct xr_pair {
    exray_kind kind;
    uint32_t index[2], output[2]; /* LAYER: nodes, and which of their outputs */
    const char *matched_by;       /* LAYER: constant text */
    const char *name[2];          /* INPUT, OUTPUT: as in the topic */
    uint32_t tensor[2];           /* position in the models' tensors, or EXRAY_NO_INDEX */
    xr_stored stored[2];
    xr_moments moments;
    xr_stat_sums stats;
    xr_sketch_sums *sketch; /* beside stats, or NULL */
    xr_samples *samples[2]; /* inputs only; freed after the measuring */
    xr_levels *levels[2];   /* outputs only; freed after the measuring */
    double lattice[2];      /* of an output of floats: the spacing of its levels; 0: it has none */
    uint64_t frames;        /* with data of both sides */
    uint64_t failures;      /* records that could not be read */
    const char *problem;    /* constant text; the first reason why a frame was not compared */
    double error, noise;
    double error_low, error_high; /* bounds of `error`, where it is an estimate; else equal to it */
    double own;                   /* LAYER: the error that it may add itself */
    bool exact;                   /* LAYER: of one model file, of integers: on the same inputs ... */
    double alone;                 /* ... it may add this, a step; else as `own` */
    double repeat_square; /* mean square of what runs of one input differ by, of both sides; 0: not known */
} xr_pair;

typedef struct xr_pairs {
    xr_pair *pair;
    size_t count;
} xr_pairs;

struct exray_comparison {
    const exray_log *log[2];
    exray_frame_pair *frame;
    size_t frame_count;
    size_t unmatched[2];
    const char *matched_by;

    xr_pairs inputs, outputs, layers;
    exray_io_pair *input, *output; /* what the public functions show of them */
    exray_layer_pair *layer;
    exray_coverage coverage;
    exray_accuracy accuracy;
    xr_latency latency[2];
    char (*made_names)[2][24]; /* [layer][side]: names of layers whose model is not in the log */
};

#endif
