/* Inputs of two dimensions that are rows of bins, and no gray pictures. */
#ifndef XR_TABLE_INPUT_H
#define XR_TABLE_INPUT_H

#include "compare/comparison.h"

/* The shape of a pair's input as the model has it, or, where it has none, the first record of the
 * reference's; `slot` keeps what `info` points to. */
bool xr_input_shape(const exray_comparison *c, const xr_pair *pair, exray_tensor_info *info,
                    exray_slot *slot);

/* Sets `table` and `table_channels` of each pair of inputs. */
void xr_find_tables(exray_comparison *c);

#endif
