/* Dark pictures, of a few levels: whatever is done to them differs by no more than noise does.  But noise
 * neither mirrors a picture nor moves it: where one such change of the reference's makes what differs, it is
 * proven, however small it is. */
#ifndef XR_FIND_EXACT_H
#define XR_FIND_EXACT_H

#include "checks/input/search/input_pair.h"

typedef enum xr_exact_kind {
    XR_EXACT_NONE,
    XR_EXACT_TURNED,  /* edge = oriented reference, but for little noise */
    XR_EXACT_SHIFTED, /* edge(x, y) = reference(x + dx, y + dy), wherever that is in the picture */
    XR_EXACT_CHANNEL, /* every channel is the reference's `channel`, normalized as its own is */
    XR_EXACT_MIXTURE, /* every channel is a mixture of the reference's three, rounded */
} xr_exact_kind;

typedef struct xr_exact_change {
    xr_exact_kind kind;
    xr_orientation orientation;
    xr_orientation as_well[XR_ORIENTATIONS]; /* others that make as much of the edge */
    size_t as_well_count;
    long dx, dy;
    bool wrapped; /* a shift along the rows: what comes in is the end of the row before, or the next one's
                     begin */
    size_t channel;
    bool mapped; /* a turn (or none), of pictures that are normalized otherwise, too: by gain and offset */
    double gain[XR_FIT_CHANNELS],
        offset[XR_FIT_CHANNELS];                      /* of XR_EXACT_CHANNEL; the offsets of _MIXTURE, too */
    double mixture[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* [edge's channel][reference's] */
    xr_fit_sums sums;                                 /* of _MIXTURE: that it was fitted to */

    bool *changed;            /* [frames] those that show it; free it */
    size_t frames;            /* that show it */
    size_t silent, unchanged; /* that are so either way; that are as the reference's, and would not be so */
    double before, after;     /* levels rms, of the frames that show it */
} xr_exact_change;

/* Reads one frame, in which both sides differ most, and all frames only where that one shows a change, or
 * more difference of three colors than rounding makes. False: there is none, or not in every frame that
 * differs. */
bool xr_find_exact(xr_input_pair *pair, xr_exact_change *out);

/* Whether that one frame is, bit for bit, what the reference has in a frame nearby. */
bool xr_is_another_frame(xr_input_pair *pair);

#endif
