/* Activations that 8-bit converters drop because the range of the type does the same. */
#ifndef XR_RANGE_ACTIVATION_H
#define XR_RANGE_ACTIVATION_H

#include <exray/assertion.h>

/* Whether a layer without ReLU or ReLU6 ("NONE" on one side) is quantized to a range that clips its values
 * as the other side's activation does.  `edge` and `reference`: "NONE", "RELU", "ReLU6", ... */
bool xr_range_activates(const exray_comparison *comparison, const exray_layer_pair *layer, const char *edge,
                        const char *reference);

#endif
