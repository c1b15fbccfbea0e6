/* One input of the model on both sides, with the sensor's pictures: read frame by frame, and a few
 * frames kept in memory for the search. */
#ifndef XR_INPUT_PAIR_H
#define XR_INPUT_PAIR_H

#include "checks/input/fit/input_fit.h"
#include "checks/input/picture/row_sample.h"
#include "checks/input/search/transform.h"

enum { XR_SEARCH_FRAMES = XR_SAMPLED_PICTURES };

/* One of the frames that are searched. */
typedef struct xr_search_frame {
    size_t frame, source; /* of the edge; of the reference: the one that the edge's frame shows */
    xr_raster edge[2];    /* by layout: as it is, and as the other */
    xr_raster reference;
    xr_area edge_area[2], reference_area;
    exray_picture *picture; /* the sensor's, or NULL */
    xr_area picture_area;
    exray_picture *edge_picture; /* the sensor's as the edge decodes it; NULL: as the reference does */
    xr_area edge_picture_area;
} xr_search_frame;

typedef struct xr_input_pair {
    const exray_comparison *comparison;
    size_t index; /* among the comparison's inputs */
    const xr_input_fit *fit;
    exray_slot *slot, *sensor_slot;
    size_t pictures; /* of a clip; else 1 */
    size_t picture;  /* of them, the one that is read: that which differs most */

    /* What a user of the search asks for. */
    size_t required_frame; /* 1 + a frame that is searched, whatever its contrast; 0: none */
    bool *only;            /* [matched frames] those that are looked at at all; NULL: every one */
    bool fine;             /* small differences matter: they look like those of a kernel */

    /* Known once frames are loaded. */
    size_t width, height, channels; /* of the edge's input */
    bool has_sensor;
    xr_reading_items items[2]; /* by side: how its tensor lies in memory */
    double spread[2];          /* standard deviation of both sides' values, in levels */

    /* The range of the edge's 8-bit tensor (xr_find_value_map). */
    double low, high;
    bool saturated; /* many of the edge's values are at its ends, where no map holds */
    bool clamped;   /* the reference's values exceed it */
    bool whole;     /* set it: values at the ends are looked at like others */

    xr_color_transform late_color; /* a conversion that, after the resize, explains much of the edge */

    bool padded; /* letterboxes on both sides: the padding is left out (xr_find_padding) */

    xr_search_frame frame[XR_SEARCH_FRAMES];
    size_t count;
} xr_input_pair;

/* NULL: out of memory. */
xr_input_pair *xr_input_pair_open(const exray_comparison *comparison, size_t index, const xr_input_fit *fit);
void xr_input_pair_close(xr_input_pair *pair);

/* The same pair for one call of exray_comparison_share: with slots of its own; what the call changes in it
 * stays there.  Return it in any case; false: out of memory. */
bool xr_input_pair_lend(const xr_input_pair *pair, xr_input_pair *lent);
void xr_input_pair_return(xr_input_pair *lent);

/* One side's input of a frame, of a clip pair->picture; false where there is none. */
bool xr_input_raster(xr_input_pair *pair, exray_side side, size_t frame, bool other_layout,
                     const xr_sign_wrap *wrap, xr_raster *out);
/* How the edge's input of 8 bits is stored; false: it has no 8 bits, or cannot be read. */
typedef struct xr_storage {
    bool quantized;            /* else scale is 1 and zero 0 */
    double scale, zero, least; /* least: the smallest stored value */
} xr_storage;
bool xr_edge_storage(xr_input_pair *pair, xr_storage *out);
/* The sensor's picture of a frame of the reference, decoded as the transform says. */
exray_picture *xr_decoded_sensor(xr_input_pair *pair, const xr_transform *transform, size_t source);

/* The camera's memory: the recorded bytes of a raw format, the pixels of an encoded one. */
typedef struct xr_camera_memory {
    const uint8_t *data;
    size_t size, row;       /* row: bytes from one to the next */
    exray_picture *decoded; /* what holds the pixels, or NULL */
} xr_camera_memory;
bool xr_camera_bytes(xr_input_pair *pair, size_t source, xr_camera_memory *out);
void xr_camera_bytes_free(xr_camera_memory *memory);

/* The sensor's bytes as pixels of the input, without a resize (XR_READ_UNRESIZED): those of a raw format as
 * they were recorded, of an encoded picture decoded. */
bool xr_unresized_raster(xr_input_pair *pair, const xr_reading *reading, size_t source, xr_raster *out);

/* Loads the frames that are searched, with the steps of the transform that are known by then: frame
 * order, sign, values.  False: none can be read. */
bool xr_search_frames_load(xr_input_pair *pair, const xr_transform *transform);
/* Decodes the sensor's pictures of the frames that are searched as the transform says. */
bool xr_search_frames_decode(xr_input_pair *pair, const xr_transform *transform);
/* Frees the frames that are searched; applying a transform does not need them. */
void xr_search_frames_free(xr_input_pair *pair);

/* The sensor's picture of a searched frame, and its areas, as a side decodes it. */
const exray_picture *xr_search_picture(const xr_search_frame *frame, exray_side side);
const xr_area *xr_search_area(const xr_search_frame *frame, exray_side side);

/* Whether the sensor's pictures are large: decoding and resizing them takes long. */
bool xr_input_pair_is_large(const xr_input_pair *pair);
/* Every how many pixels of an input are looked at by what needs no more than a sample: `least`, or more where
 * the input is large: neither even nor a multiple of 3 then, as in the other layout those are of one channel.
 */
size_t xr_search_step(const xr_input_pair *pair, size_t least);
/* Some rows of a side's searched frames, turned back from an orientation; false: see xr_row_sample_make. */
bool xr_search_rows(const xr_input_pair *pair, exray_side side, bool layout, xr_orientation orientation,
                    xr_row_sample *sample);
/* The number of orientations that keep the input's shape, and of layouts. */
static inline size_t xr_orientation_count(const xr_input_pair *pair)
{
    return pair->width == pair->height ? XR_ORIENTATIONS : XR_ORIENTATIONS / 2;
}
static inline size_t xr_layout_count(const xr_input_pair *pair)
{
    return pair->channels > 1 ? 2 : 1;
}

/* Levels rms of a share of a side's variance, on the frames that are searched. */
double xr_levels_of(const xr_input_pair *pair, exray_side side, double residual);

/* Sets values at the ends of the edge's range to NAN, where they are saturated. */
void xr_mask_saturated(const xr_input_pair *pair, xr_raster *edge);
/* Clamps values to the edge's range. */
void xr_clamp_to_range(const xr_input_pair *pair, xr_raster *reference);
/* Sets the padding of the reference's letterbox to NAN, where both sides are padded. */
void xr_mask_padding(const xr_input_pair *pair, xr_raster *reference);

#endif
