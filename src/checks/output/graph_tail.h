/* The activations at the very end of a model's graph; ops that only move or convert values are
 * skipped. */
#ifndef XR_GRAPH_TAIL_H
#define XR_GRAPH_TAIL_H

#include <exray/assertion.h>

typedef enum xr_tail_activation { XR_TAIL_SOFTMAX, XR_TAIL_LOG_SOFTMAX, XR_TAIL_SIGMOID } xr_tail_activation;

enum { XR_TAIL_MOST = 4 };
typedef struct xr_tail {
    bool known; /* the op before the activations was found */
    size_t count;
    xr_tail_activation activation[XR_TAIL_MOST]; /* in the order in which they run */
} xr_tail;

/* The tail of output `pair`.  Not known where /model was not recorded, or where a partition hides
 * its nodes. */
xr_tail xr_output_tail(const exray_comparison *comparison, exray_side side, size_t pair);

/* Whether both are known, and differ. */
bool xr_tails_differ(const xr_tail *a, const xr_tail *b);

/* "softmax, softmax", or "no activation". */
void xr_tail_words(const xr_tail *tail, char *text, size_t size);

/* The layer pair that runs the first of the activations at the end of either side; or
 * EXRAY_NO_INDEX. */
uint32_t xr_tail_layer(const exray_comparison *comparison, const exray_io_pair *output);

/* The model's tensor of output `pair`, or EXRAY_NO_INDEX. */
uint32_t xr_output_tensor(const exray_comparison *comparison, exray_side side, size_t pair);

/* The op that makes a tensor, also one within a partition; or NULL. */
const exray_node *xr_producer(const exray_model *model, uint32_t tensor);

#endif
