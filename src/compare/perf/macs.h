/* The work of a layer. */
#ifndef XR_MACS_H
#define XR_MACS_H

#include <exray/types.h>

/* Multiply-accumulates of one execution of a node; 0: none, or the shapes do not say. */
uint64_t xr_node_macs(const exray_model *model, uint32_t node);

#endif
