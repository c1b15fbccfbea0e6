/* How unequal the channels of a layer's weights are, and what one scale for all of them costs. */
#ifndef XR_WEIGHT_CHANNELS_H
#define XR_WEIGHT_CHANNELS_H

#include <exray/assertion.h>

typedef struct xr_weight_channels {
    size_t count;
    double step;
    double rms_min, rms_max; /* of a channel's weights; rms_min is 0 where a channel was rounded to zero */
    size_t lost;             /* channels with an error of more than a quarter */
    double predicted;        /* error of the layer's result / its deviation */
} xr_weight_channels;

/* *found: the edge's layer has weights of at most 8 bits with one scale for all channels, which the
 * reference's have not, and one side has them in its log. */
exray_status xr_weight_channels_get(const exray_comparison *comparison, const exray_layer_pair *layer,
                                    xr_weight_channels *out, bool *found, exray_error *error);

#endif
