/* The steps that a model computes, and what is known of its tensors. */
#ifndef XR_OP_STEPS_H
#define XR_OP_STEPS_H

#include "checks/model/graph/model_constants.h"
#include "checks/model/graph/node_facts.h"
#include "checks/model/graph/pointwise.h"
#include "checks/model/graph/step_memory.h"

typedef enum xr_op_step_kind {
    XR_STEP_OTHER, /* known by its name alone */
    XR_STEP_FUNCTION,
    XR_STEP_CONV,
    XR_STEP_TRANSPOSED_CONV,
    XR_STEP_PRODUCT, /* of matrices */
    XR_STEP_COMBINE, /* two tensors, or one and a constant array, element by element */
    XR_STEP_POOL,
    XR_STEP_REDUCE,
    XR_STEP_CONCAT,
    XR_STEP_SOFTMAX,
    XR_STEP_RESIZE,
    XR_STEP_PAD,
    XR_STEP_NORM,
    XR_STEP_TRANSPOSE,
    XR_STEP_SHAPE, /* the same numbers in another shape */
} xr_op_step_kind;

/* A part of a tensor: of each dimension `count` values from `start` on, `step` apart. */
typedef struct xr_cut {
    uint32_t of;   /* the tensor that it is a part of: no part of another itself */
    uint32_t read; /* the tensor that the node reads */
    uint32_t rank;
    int64_t size[EXRAY_MAX_RANK], start[EXRAY_MAX_RANK], count[EXRAY_MAX_RANK], step[EXRAY_MAX_RANK];
} xr_cut;

enum { XR_STEP_OPERANDS = 3 };
typedef struct xr_op_step {
    xr_op_step_kind kind;
    char word[XR_PLAIN_NAME]; /* what it does: "conv", "maxpool", "add", ... */
    const exray_node *node;   /* that it is, or is a part of; of a function, the last of its nodes */
    uint32_t at;              /* the node's place in the model, or the place of the partition that runs it */
    uint32_t output;          /* tensor: the first, of several; from model->tensor_count on, one that the
                                 model does not have because a fused operator hides it */
    uint32_t *input;          /* [input_count] tensors that change from frame to frame */
    uint32_t input_count;
    uint32_t *constant; /* [constant_count] tensors of the model file, in the node's order */
    uint32_t constant_count;
    const double *value; /* FUNCTION: its values at xr_points */
    const double *slack; /* how much the rounding of its constants may be of them; NULL: nothing */
    /* Of a function of one node alone: what it computes. */
    xr_pointwise pointwise;
    uint32_t operand[XR_STEP_OPERANDS]; /* tensors, or EXRAY_NO_INDEX: the number */
    double number[XR_STEP_OPERANDS];
    double rounding[XR_STEP_OPERANDS]; /* the most that each number was rounded by where it is stored */
    double epsilon;                    /* of a normalization that was put together of several nodes; else 0 */
    double groups;                     /* likewise, of groups of channels */
    const exray_node *over;            /* of a softmax that was put together: its sum; else NULL */
    const xr_cut
        *cut;    /* of a slice or one part of a split: which part it is; NULL: unknown, or something else */
    bool rounds; /* a rounding to steps, how numbers are stored */
} xr_op_step;

/* Whether a step moves numbers and computes nothing: another shape, or another order. */
static inline bool xr_step_moves_alone(const xr_op_step *step)
{
    return step->kind == XR_STEP_SHAPE || step->kind == XR_STEP_TRANSPOSE;
}

typedef struct xr_tensor_facts {
    uint32_t maker;      /* the step that computes it (of a function, the whole), or EXRAY_NO_INDEX */
    uint32_t raw;        /* the step of one node that does, or EXRAY_NO_INDEX */
    uint32_t root;       /* the tensor that it is a function of, element by element; itself where of none */
    const double *value; /* that function at xr_points; NULL: identity */
    const double *slack; /* as xr_op_step's */
    uint32_t same_as;    /* the tensor that has the same numbers (the root of an identity), or itself */
    uint32_t source;     /* of a constant that is made of another by type and shape alone: that one */
    uint32_t readers;    /* steps that read it */
    bool constant;       /* of the model file, or computed from such alone */
} xr_tensor_facts;

/* Integers that a graph only writes in floats (x / s, round, clip, times s): what they hold. */
typedef struct xr_written_range {
    uint32_t from, to; /* what is rounded, and the tensor of whole numbers */
    double low, high, step;
} xr_written_range;

typedef struct xr_step_graph {
    const exray_model *model, *other; /* of the side, of the other one */
    xr_model_constants constants;
    xr_op_step *step; /* [count] in the order in which they run */
    uint32_t count;
    xr_op_step *raw; /* [raw_count] as the nodes have them */
    uint32_t raw_count;
    xr_written_range *written; /* [written_count] */
    uint32_t written_count;
    xr_tensor_facts *tensor; /* [tensor_count] */
    uint32_t tensor_count;   /* those that fused operators hide included */
    uint32_t *inside; /* [tensor_count] of tensors within a normalization that was put together: what it
                         computes; else EXRAY_NO_INDEX.  NULL: there is none */
    xr_step_memory *memory;
} xr_step_graph;

#endif
