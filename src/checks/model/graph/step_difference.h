/* What the two models compute differently, by their graphs, and what the recorded values say to it. */
#ifndef XR_STEP_DIFFERENCE_H
#define XR_STEP_DIFFERENCE_H

#include "checks/model/graph/step_match.h"

typedef enum xr_difference_kind {
    XR_DIFFERENCE_ATTRIBUTE,
    XR_DIFFERENCE_FUNCTION, /* of single elements */
    XR_DIFFERENCE_CONSTANT, /* that is no weight */
    XR_DIFFERENCE_ORDER,    /* of the inputs */
    XR_DIFFERENCE_MOVES,    /* the same values, moved to other places */
    XR_DIFFERENCE_SOURCE,   /* another tensor is read */
    XR_DIFFERENCE_LACKS,    /* steps that the reference alone has */
    XR_DIFFERENCE_EXTRA,    /* steps that the edge alone has */
    XR_DIFFERENCE_REPLACED, /* other steps in the same place */
} xr_difference_kind;

typedef enum xr_difference_proof {
    XR_PROOF_NONE,   /* the values say nothing */
    XR_PROOF_HIDDEN, /* it changes what is computed, by less than the noise of 8 bits */
    XR_PROOF_BEHIND, /* what it was given is wrong already */
    XR_PROOF_SHOWN,  /* given right values, it makes wrong ones */
} xr_difference_proof;

enum { XR_DIFFERENCE_WORDS = 200, XR_DIFFERENCE_KEY = 48 };

typedef struct xr_difference {
    xr_difference_kind kind;
    xr_difference_proof proof;
    double effect;    /* the share of the step's result that it changes; NAN: unknown */
    bool absorbed;    /* it does not reach an output of the model */
    uint32_t step[2]; /* edge, reference: where it is; EXRAY_NO_INDEX: at an output of the model */
    uint32_t layer;   /* position among the comparison's pairs of layers, or EXRAY_NO_INDEX */
    uint32_t behind;  /* likewise: the first pair at or behind it */
    char key[XR_DIFFERENCE_KEY];
    char value[2][XR_DIFFERENCE_WORDS];
    /* Steps that one side lacks: how many, the first and the last. */
    uint32_t count[2], first[2], last[2];
} xr_difference;

typedef struct xr_differences {
    xr_step_match match;
    xr_difference *list; /* in the order in which the edge runs them */
    size_t count;
} xr_differences;

/* Both logs have a model.  False: out of memory. */
bool xr_differences_find(const exray_comparison *comparison, xr_differences *out);
void xr_differences_free(xr_differences *differences);

/* Whether the pair's tensors are not the same quantity by the graphs: other steps, or another function of one
 * tensor.  Then their values say nothing of a kernel. */
bool xr_differences_contradict(const xr_differences *differences, const exray_layer_pair *layer);

/* Whether both graphs tell what the pair's layer computes, and it is the same step of both: then what was
 * not found there is not there. */
bool xr_differences_know(const xr_differences *differences, const exray_layer_pair *layer);

/* Whether the error of the pair's layer has gone before it reaches an output of the model: what is behind it
 * is right. */
bool xr_differences_absorb(const exray_comparison *comparison, const xr_differences *differences,
                           const exray_layer_pair *layer);

#endif
