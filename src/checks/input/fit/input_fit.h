/* How the edge's model input follows from the reference's: the order of channels and an affine map
 * for each channel, edge[c] = gain[c] * reference[order[c]] + offset[c].  docs/causes-input.md has
 * the reasoning.
 *
 * Each picture is used in two ways.  The averages of blocks of 8 x 8 pixels hardly depend on the
 * kernel of a resize, the decoder, or rounding: they show which order and which map.  The pixels
 * themselves show whether any difference is left to explain.
 * Residuals are in levels: steps between neighboring values (exray_io_pair.step). */
#ifndef XR_INPUT_FIT_H
#define XR_INPUT_FIT_H

#include "checks/input/fit/fit_read.h"

enum { XR_FIT_ORDERS = 24 };

typedef struct xr_affine {
    double gain[XR_FIT_CHANNELS], offset[XR_FIT_CHANNELS];
} xr_affine;

/* One order of the channels. */
typedef struct xr_channel_order {
    unsigned char from[XR_FIT_CHANNELS]; /* [edge channel]: reference channel */
    xr_affine map;                       /* fitted on the blocks of all frames */
    double residual;                     /* of the blocks under the map, levels rms */
    double plain;                        /* of the blocks without any map, levels rms */
} xr_channel_order;

/* Step 1: the difference as it is. */
typedef struct xr_raw_difference {
    double pixels; /* levels rms */
    size_t worst_frame;
    double worst; /* its pixels, levels rms */
} xr_raw_difference;

/* Step 2: which order of channels. */
typedef struct xr_order_fit {
    xr_channel_order list[XR_FIT_ORDERS]; /* the identity first */
    size_t count;
    size_t best;       /* with the smallest residual of the blocks */
    size_t runner_up;  /* the next best */
    bool named;        /* the best is certain, and not the identity */
    bool tied;         /* the identity and another explain the data equally well */
    size_t tie;        /* the other */
    size_t supporting; /* frames for the best order */
    size_t opposing;   /* frames against it */
    size_t used;       /* the order that map and residual are judged by */
} xr_order_fit;

/* Step 3: whether the channels' values are mapped, with the order that is used. */
typedef struct xr_map_fit {
    bool named;                  /* the map is certain */
    bool after_exchange;         /* the map is the reference's own, applied after the exchange of channels */
    size_t supporting, opposing; /* frames that fit better with the map; without it */
    double effect;               /* how much the map changes, levels rms */
    double effect_max;           /* at most, over the range of the values */
} xr_map_fit;

/* Step 4: what order and map leave. */
typedef struct xr_fit_residual {
    double blocks, pixels, luma; /* levels rms */
    size_t worst_frame;
    double worst;           /* its pixels, levels rms */
    bool explained;         /* the residual is noise */
    double nrmse_before;    /* without order and map */
    double nrmse_reordered; /* with the order alone */
    double nrmse_after;
} xr_fit_residual;

typedef enum xr_fit_state {
    XR_FIT_EQUAL,    /* up to float noise */
    XR_FIT_NOISE,    /* within what decoders and rounding do */
    XR_FIT_DIFFERS,  /* by more */
    XR_FIT_SHAPES,   /* the shapes do not match */
    XR_FIT_UNJUDGED, /* not recorded, or without a known unit: `why` */
} xr_fit_state;

/* The difference of one pair of inputs.  With XR_FIT_EQUAL at most values, level and raw are filled in;
 * with XR_FIT_NOISE no order is named. */
typedef struct xr_input_fit {
    xr_fit_state state;
    const char *why;
    size_t pair; /* among the comparison's inputs */
    const exray_io_pair *io;
    xr_input_values values;
    double level[2]; /* step by side, never 0 */
    xr_raw_difference raw;
    xr_order_fit orders;
    xr_map_fit map;
    xr_fit_residual residual;
    size_t unaffected; /* frames that are as the reference's, while order and map are of others */
    bool channel_same[XR_FIT_CHANNELS]; /* to float noise */
    bool edge_gray;                     /* the edge's channels are equal, the reference's are not */
    bool edge_constant, reference_flat; /* one color in all frames */
} xr_input_fit;

/* Judges a pair of inputs, as they are or (placement not NULL) placed.  Anything but EXRAY_OK is an
 * error of reading. */
exray_status xr_input_fit_make(const exray_comparison *comparison, size_t pair, const xr_placement *placement,
                               xr_input_fit *fit, exray_error *error);

/* With fit->unaffected, sets affected[matched frame] of the frames that are not. */
exray_status xr_input_fit_affected(const exray_comparison *comparison, const xr_input_fit *fit,
                                   bool *affected, exray_error *error);

#endif
