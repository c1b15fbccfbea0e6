/* A constant and the node that reads it. */
#ifndef XR_WEIGHT_CONSTANT_H
#define XR_WEIGHT_CONSTANT_H

#include <exray/assertion.h>

typedef struct xr_node_constant {
    uint32_t tensor;
    const exray_node *node; /* NULL: not known */
    uint32_t input;         /* of that node */
    uint32_t part,
        parts; /* of a recurrent node's: which direction's, or which bias of a direction; 0, 0: all */
} xr_node_constant;

#endif
