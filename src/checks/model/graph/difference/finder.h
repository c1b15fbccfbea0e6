/* Differences between two graphs as they are found: the list, and what the recorded values say to each. */
#ifndef XR_FINDER_H
#define XR_FINDER_H

#include "checks/model/graph/between/product_scales.h"
#include "checks/model/graph/step_values.h"

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
    bool lone;        /* an attribute that one side leaves out, whose default may be the other's */
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
    xr_product_scales scales;
    xr_difference *list; /* in the order in which the edge runs them */
    size_t count;
} xr_differences;

/* While they are searched for. */
typedef struct xr_finder {
    const exray_comparison *comparison;
    xr_differences *out;
    xr_step_values values;
    bool *seen[2];
    bool failed; /* out of memory */
} xr_finder;

const xr_step_match *xr_finder_match(const xr_finder *f);
const xr_op_step *xr_finder_step(const xr_finder *f, int side, uint32_t i);
/* The reference's tensor that is the edge's, or EXRAY_NO_INDEX. */
uint32_t xr_finder_mate(const xr_finder *f, uint32_t edge_tensor);

/* NULL: out of memory.  Valid until the next one is added. */
xr_difference *xr_add_difference(xr_finder *f, xr_difference_kind kind, uint32_t edge, uint32_t reference,
                                 const char *key);
/* The one that was added last. */
void xr_drop_difference(xr_finder *f);
/* The first pair of layers at the step or among those that read it, or EXRAY_NO_INDEX. */
uint32_t xr_layer_behind_step(const xr_finder *f, uint32_t edge_step);

/* Whether tensors of the edge are all right; wrong where one is. */
xr_state xr_state_before_all(xr_finder *f, const uint32_t *tensor, uint32_t count);

/* Settles the proof by whether what the step was given is right, and what it makes.  False: what it makes is
 * right, so that the difference is none. */
bool xr_judge_difference(xr_finder *f, xr_difference *d, xr_state in, xr_state out);
bool xr_judge_made(xr_finder *f, xr_difference *d);
/* Drops the difference where it is none; d, the one added last, may be NULL. */
void xr_judge_step(xr_finder *f, xr_difference *d);
/* Likewise of exchanged operands, which may make the same values in another order, which are compared as
 * such: then what reads them shows it, or what reads a function of them. */
void xr_judge_order(xr_finder *f, xr_difference *d);

/* Whether what the step made was compared, or what came of it, with the noise of 8 bits. */
bool xr_difference_is_coarse(const xr_finder *f, const xr_difference *d);

/* Whether both sides have the attributes of one kind of file: what another does not state is no default of
 * this. */
bool xr_have_one_format(const xr_finder *f);

#endif
