/* Layers of which one side makes the other's values times a factor for each channel: quantizers move such
 * factors from what a layer makes into the weights that read it (equalized layers, a normalization's scale
 * smoothed into the products behind it). */
#ifndef XR_CHANNEL_FACTORS_H
#define XR_CHANNEL_FACTORS_H

#include "compare/comparison.h"

/* Whether the pair of layers at that position differs by a factor for each channel, up to the pair's noise:
 * along the last dimension, or the one behind the batch. */
bool xr_differs_by_channel_factors(const exray_comparison *comparison, size_t layer);

#endif
