/* A constant and the node that reads it. */
#ifndef XR_WEIGHT_CONSTANT_H
#define XR_WEIGHT_CONSTANT_H

#include <exray/assertion.h>

enum { XR_MOST_GATES = 4 };

/* What several constants of a recurrent node are together, so that they are what another engine has in one.
 */
typedef enum xr_joined {
    XR_JOINED_NONE,
    XR_JOINED_GATES, /* a constant for each gate: one upon the other */
    XR_JOINED_SUM,   /* the bias of the inputs and that of the state */
} xr_joined;

typedef struct xr_node_constant {
    uint32_t tensor;
    const exray_node *node; /* NULL: not known */
    uint32_t input;         /* of that node */
    uint32_t part,
        parts; /* of a recurrent node's: which direction's, or which bias of a direction; 0, 0: all */
    xr_joined joined;
    uint32_t joined_count; /* further constants, behind `tensor` */
    uint32_t also[XR_MOST_GATES - 1];
} xr_node_constant;

#endif
