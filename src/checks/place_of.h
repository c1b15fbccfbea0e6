/* Where a model's tensors are made, and read. */
#ifndef XR_PLACE_OF_H
#define XR_PLACE_OF_H

#include <exray/assertion.h>

#include <stdbool.h>

/* The node and the output that make a tensor, which its records are found by.  False: none does (a constant,
 * an input, a tensor within a partition). */
bool xr_place_of(const exray_model *model, uint32_t tensor, uint32_t *node, uint32_t *output);

/* The tensor that a side's node of a pair of layers makes there; EXRAY_NO_INDEX: it makes none that the model
 * lists. */
uint32_t xr_tensor_of_layer(const exray_model *model, const exray_layer_pair *layer, exray_side side);

/* Whether the node itself reads the tensor, whatever runs within it. */
bool xr_node_reads(const exray_node *node, uint32_t tensor);

#endif
