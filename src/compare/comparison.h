/* A comparison: what was matched and measured. */
#ifndef XR_COMPARISON_H
#define XR_COMPARISON_H

#include "compare/match/shapes.h"
#include "compare/measure/moments.h"
#include "compare/perf/latency.h"

#include <stdatomic.h>

/* What a tensor's shape says: it has rows, columns and a few channels; or several color pictures may lie
 * behind each other, which have levels of 8 bits where these are measured, and are not supposed to. */
typedef enum xr_pictures { XR_NO_PICTURE, XR_PERHAPS_PICTURES, XR_PICTURES } xr_pictures;

/* A few values of each channel of a tensor, to find the spacing of its levels. */
enum { XR_STEP_CHANNELS = 4, XR_STEP_SAMPLES = 2048 };
typedef struct xr_samples {
    float value[XR_STEP_CHANNELS][XR_STEP_SAMPLES];
    size_t count[XR_STEP_CHANNELS];
    size_t channels;
    xr_pictures pictures;
    bool table; /* whatever the shape says, it is no picture */
} xr_samples;

/* How one side stores a tensor, from the first record seen. */
typedef struct xr_stored {
    bool known;
    exray_dtype dtype;
    double scale; /* the largest of its quantization's scales; 0: not quantized */
} xr_stored;

/* What takes recorded values to those that they stand for: gain * x + offset. */
typedef struct xr_input_unit {
    bool other; /* it is not that in which they were recorded */
    double gain, offset;
} xr_input_unit;

/* The distinct values of an output: 8 bits that an application dequantized itself lie on a lattice of at
 * most 256 levels, whatever type they are stored in. */
enum { XR_LEVELS_MOST = 256 };
typedef struct xr_levels {
    float value[XR_LEVELS_MOST]; /* ascending */
    size_t count;
    bool too_many;
    /* Floats of 16 bits that were converted: values that take the finest of their digits, and whether any has
     * more than they have. */
    uint64_t fine_half, fine_brain;
    bool beyond_half, beyond_brain;
} xr_levels;

/* Sums of statistics, for tensors that were recorded without data. */
typedef struct xr_stat_sums {
    uint64_t frames;
    uint64_t count, nan_count[2], inf_count[2];
    double sum[2], square[2], min[2], max[2];
    uint64_t saturated_low, saturated_high; /* of the edge: stored values at the limits of its type */
    bool ends_unknown;                      /* the edge's statistics were computed from values */
    double bound;                           /* sum over frames of count * a lower bound of mean((a-b)^2) */
} xr_stat_sums;

/* Sums of the differences of sketches, over the frames that have them on both sides. */
typedef struct xr_sketch_sums {
    double square[EXRAY_SKETCH_BUCKETS]; /* of each bucket's difference */
    uint64_t frames;
    bool exact; /* the buckets were the elements */
} xr_sketch_sums;

/* A matched pair of tensors of any kind, and its measurements. */
typedef struct xr_pair {
    exray_kind kind;
    uint32_t index[2], output[2]; /* LAYER: nodes, and which of their outputs */
    const char *matched_by;       /* LAYER: constant text */
    bool proven;                  /* LAYER: names of one graph say that it is the same tensor */
    const char *name[2];          /* INPUT, OUTPUT: as in the topic */
    uint32_t tensor[2];           /* position in the models' tensors, or EXRAY_NO_INDEX */
    xr_layout_match layout;       /* chosen where shapes leave it open (layout_choice.h); else NONE */
    int64_t flattened[3];         /* LAYER of one dimension that the other side has in another order: the
                                     edge's shape before it was flattened, and `layout` how they correspond;
                                     else 0 */
    bool same_shape;              /* with it: the shapes are the same on both sides */
    char reference_layout[8];     /* with it: as recorded */
    xr_stored stored[2];
    xr_moments moments;
    xr_stat_sums stats;
    xr_sketch_sums *sketch; /* beside stats, or NULL */
    xr_input_unit unit[2];  /* INPUT: by exray_side */
    xr_samples *samples[2]; /* inputs only; freed after the measuring */
    xr_levels *levels[2];   /* outputs only; freed after the measuring */
    double lattice[2];      /* of an output of floats: the spacing of its levels; 0: none */
    uint64_t frames;        /* with data of both sides */
    uint64_t failures;      /* records that could not be read */
    uint64_t other_shape;   /* frames in which the two sides have different shapes */
    bool table;             /* INPUT: of rows and bins, no gray picture (measure/table_input.h) */
    int table_channels;     /* with it: which of the two dimensions is that of bins; -1: not known */
    bool *differs;          /* INPUT, OUTPUT: [frames] whether that frame is one of those */
    const char *problem;    /* constant text; the first reason why a frame was not compared */
    double error, noise;
    double error_low, error_high; /* bounds of `error`, where it is an estimate; else equal to it */
    double own;                   /* LAYER: the largest error that a healthy layer adds by itself */
    bool exact;       /* LAYER: of integers, both sides do the same with the same stored numbers */
    double alone;     /* as `own`, where the inputs are the same on both sides: of an exact layer one step */
    bool channels;    /* LAYER: it originates an error by its channels, each relative to its own deviation */
    double evaluated; /* LAYER: its error on the edge's own inputs, where that was computed; else NAN */
    double evaluated_within;    /* LAYER: likewise, all values held by the ranges of the edge's integers */
    double reference_evaluated; /* LAYER: the reference's error on its own inputs, where that is beyond noise
                                   and the edge's is not; else NAN */
    double repeat_square; /* mean square of the differences among runs of one input, both sides together; 0:
                             not known */
} xr_pair;

typedef struct xr_pairs {
    xr_pair *pair;
    size_t count;
} xr_pairs;

/* A layer of one side. */
typedef struct xr_layer_place {
    uint32_t node, output;
} xr_layer_place;

/* A reading of a peripheral sensor, and what the public functions show of it. */
typedef struct xr_reading_kept {
    char name[128], unit[32];
    double *value; /* [frames][width] */
    exray_reading_series shown;
} xr_reading_kept;

struct exray_comparison {
    const exray_log *log[2];
    exray_frame_pair *frame;
    size_t frame_count;
    size_t unmatched[2];
    const char *matched_by;
    bool *behind; /* [frames]: an input has another shape on the two sides: what follows is not compared */
    bool *padded; /* [frames]: of those, by its padding alone: the outputs are compared */

    xr_pairs inputs, outputs, layers;
    exray_io_pair *input, *output; /* what the public functions return */
    exray_layer_pair *layer;
    xr_layer_place
        *inside; /* layers of the edge that a node of the reference computes unseen, or otherwise */
    size_t inside_count;
    xr_layer_place *parted; /* layers of the reference whose counterparts were taken out (judge/dissolve.c) */
    size_t parted_count;
    exray_coverage coverage;
    exray_accuracy accuracy;
    struct xr_output_keys_read *keys; /* [2] how outputs are read (judge/output_keys.h) */
    exray_measure *measure;           /* of the other tasks */
    size_t measure_count;
    xr_latency latency[2];
    xr_reading_kept *reading;
    size_t reading_count;
    char (*made_names)[2][64]; /* [layer][side]: names of layers, where no model is in the log */

    unsigned jobs;       /* threads of exray_comparison_share */
    atomic_bool sharing; /* they are at work */
};

/* Reads them of the matched frames (readings.c).  False: out of memory. */
bool xr_readings_load(exray_comparison *comparison);
void xr_readings_free(exray_comparison *comparison);

#endif
