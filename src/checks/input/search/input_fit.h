/* How the edge's model input follows from the reference's: the order of channels
 * and an affine map for each, edge[c] = gain[c] * reference[order[c]] + offset[c].
 * docs/causes-input.md has the reasoning.
 *
 * Two views of each picture are used.  Blocks of 8 x 8 pixels, averaged, hardly
 * change with the kernel of a resize, a decoder, or rounding: they tell which order
 * and which map.  The pixels themselves tell whether anything is left to explain.
 * Residuals are in levels: steps between neighbouring values (exray_io_pair.step). */
#ifndef XR_INPUT_FIT_H
#define XR_INPUT_FIT_H

#include <exray/assertion.h>

enum { XR_FIT_CHANNELS = 4, XR_FIT_ORDERS = 24 };

/* Sums over the pixels (or blocks) of one frame. */
typedef struct xr_fit_sums {
    double n;
    double edge[XR_FIT_CHANNELS], reference[XR_FIT_CHANNELS];
    double ee[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* lower triangle */
    double rr[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* lower triangle */
    double er[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* [edge][reference] */
} xr_fit_sums;

typedef struct xr_affine {
    double gain[XR_FIT_CHANNELS], offset[XR_FIT_CHANNELS];
} xr_affine;

typedef struct xr_order {
    unsigned char from[XR_FIT_CHANNELS]; /* [edge channel]: reference channel */
    xr_affine map;                       /* fitted on the blocks of all frames */
    double residual;                     /* of the blocks under the map, levels rms */
    double plain;                        /* of the blocks with no map at all, levels rms */
} xr_order;

/* What the difference of one pair of inputs comes to. */
typedef enum xr_fit_state {
    XR_FIT_EQUAL,    /* equal, or by float noise */
    XR_FIT_NOISE,    /* within what decoders and rounding do */
    XR_FIT_DIFFERS,  /* more than that */
    XR_FIT_SHAPES,   /* the shapes do not fit together */
    XR_FIT_UNJUDGED, /* not recorded, or without a known unit: `why` */
} xr_fit_state;

typedef struct xr_input_fit {
    xr_fit_state state;
    const char *why;
    size_t pair; /* among the comparison's inputs */
    const exray_io_pair *io;
    size_t channels, rows, columns;
    bool picture; /* height, width and 1 to 4 channels */
    bool floats;  /* float on both sides: no step of quantization between them */
    bool tokens;  /* integers without a unit on both sides, and no picture: equal, or not */
    size_t frames;
    size_t not_finite[2];    /* elements */
    double level[2];         /* step by side, never 0 */
    double clipped, counted; /* elements that the edge's 8-bit tensor cannot hold, of how many */
    double limit[2];         /* what it can hold, where counted > 0 */
    double min[2][XR_FIT_CHANNELS], max[2][XR_FIT_CHANNELS];
    double raw_pixels; /* pixels without any map, levels rms: the difference as it is */
    size_t worst_frame;
    double worst_raw; /* that frame's */

    /* Where the state is XR_FIT_DIFFERS (or NOISE, for the map). */
    xr_order order[XR_FIT_ORDERS];
    size_t order_count;
    size_t best;       /* the order with the smallest residual of the blocks */
    bool order_named;  /* it is not the identity, and beyond doubt */
    bool order_tied;   /* the identity and another do equally well: the data cannot tell */
    size_t tie;        /* the other */
    size_t runner_up;  /* the next best of the others */
    size_t supporting; /* frames that tell for the best order */
    size_t opposing;   /* frames that tell against it */
    size_t order_used; /* the order that the rest is judged by */
    bool map_named;    /* with that order, the channels' values are mapped differently */
    bool map_after;    /* the map is the reference's own, applied after the exchange of channels */
    size_t map_supporting, map_opposing;           /* frames that the map suits, and that do better without */
    double effect;                                 /* what the map changes, levels rms */
    double effect_max;                             /* at most, over the range of the values */
    double left_blocks, left_pixels, left_luma;    /* under order and map, levels rms */
    size_t left_worst_frame;                       /* where most is left */
    double left_worst;                             /* its pixels, levels rms */
    bool explained;                                /* what is left is noise */
    double nrmse_before, nrmse_order, nrmse_after; /* as is; under the order alone; under order and map */
    bool edge_grey;                     /* the edge's channels are equal, the reference's are not */
    bool edge_constant, reference_flat; /* one colour in all frames */
} xr_input_fit;

/* Where the element of a row, column and channel lies, counted in elements.  A
 * picture has rank 3 or 4; anything else is one channel of `count` columns. */
typedef struct xr_view {
    size_t batch, rows, columns, channels;
    size_t batch_stride, row_stride, column_stride, channel_stride;
} xr_view;
xr_view xr_view_of(const exray_tensor_info *info, uint64_t count);

/* Brings the pair of one matched frame into the same place: what is left between the
 * two is colour.  Both pictures are planar, of the same size and channels; the second
 * is in the reference's unit, and NAN where nothing is known.  `planes` is valid until
 * the next call.  EXRAY_E_STATE: this frame tells nothing. */
typedef struct xr_placed {
    size_t width, height, channels;
    const float *plane[2]; /* by exray_side */
} xr_placed;
typedef struct xr_placement {
    void *user;
    exray_status (*read)(void *user, size_t frame, xr_placed *out, exray_error *error);
    size_t step; /* every how many frames are read: 1 or more */
} xr_placement;

/* Judges a pair of inputs, as they are or (placement not NULL) placed.  Anything but
 * EXRAY_OK is an error of reading. */
exray_status xr_input_fit_make(const exray_comparison *comparison, size_t pair, const xr_placement *placement,
                               xr_input_fit *fit, exray_error *error);

/* Internal: sums.c of the same name. */
typedef struct xr_fit_frames {
    xr_fit_sums *pixels, *blocks; /* [frames] */
    size_t *frame;                /* [frames]: matched frame */
    size_t count;
} xr_fit_frames;
exray_status xr_fit_read(const exray_comparison *comparison, const xr_placement *placement, xr_input_fit *fit,
                         xr_fit_frames *frames, exray_error *error);
void xr_fit_frames_free(xr_fit_frames *frames);

#endif
