/* Features (a spectrogram that a model is given) as maps: time to the right, bins upwards. */
#ifndef XR_FEATURE_MAP_H
#define XR_FEATURE_MAP_H

#include "report/html/signals/signal_read.h"

/* How the values of an input lie: rows of time, bins in each; rows 0: they are no features. */
typedef struct xr_feature_shape {
    size_t rows, bins;
} xr_feature_shape;

/* heard: how many samples of sound the sensor recorded; 0: none.  Where a flat list has far fewer values than
 * that, it may be features, too. */
xr_feature_shape xr_feature_shape_of(const xr_signal *signal, uint64_t heard);

/* Both sides' maps on one scale, and their difference. */
void xr_put_feature_maps(xr_page *page, const xr_signal sides[2], const xr_feature_shape shapes[2],
                         size_t number);

#endif
