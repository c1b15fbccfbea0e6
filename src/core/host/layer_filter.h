/* config.layers: "Conv*,#12,#3-9". */
#ifndef XR_LAYER_FILTER_H
#define XR_LAYER_FILTER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the list of patterns (config.layers) takes the layer. */
bool xr_filter_takes(const char *layers, uint32_t index, const char *name);
/* NULL: the list can be understood; else what is wrong with it. */
const char *xr_filter_problem(const char *layers);

#endif
