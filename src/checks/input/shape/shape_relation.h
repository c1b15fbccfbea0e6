/* How the values of two tensors of different shapes relate: a part, padding, a transpose, a resize. */
#ifndef XR_SHAPE_RELATION_H
#define XR_SHAPE_RELATION_H

#include <exray/assertion.h>

/* One side's tensor, dequantized. */
typedef struct xr_shaped {
    const exray_tensor_info *info;
    const float *values;
    uint64_t count;
} xr_shaped;

typedef enum xr_shape_kind {
    XR_SHAPE_UNRELATED,  /* or the values were not recorded */
    XR_SHAPE_PART,       /* one side's values are a part of the other's */
    XR_SHAPE_PADDED,     /* likewise, and the rest of the other is one value */
    XR_SHAPE_SPLIT,      /* one side has the other's first and last values, not those between */
    XR_SHAPE_TRANSPOSED, /* the same values, two dimensions exchanged */
    XR_SHAPE_RESHAPED,   /* the same values in the same order */
    XR_SHAPE_RESIZED,    /* the same picture at another size */
} xr_shape_kind;

typedef struct xr_shape_relation {
    xr_shape_kind kind;
    uint32_t rank;                   /* of both shapes, dimensions of 1 on both sides left out */
    int64_t size[2][EXRAY_MAX_RANK]; /* by exray_side */
    uint32_t axis[EXRAY_MAX_RANK];   /* [rank]: of the tensor */
    exray_side larger;               /* PART, PADDED, SPLIT */
    int64_t begin[EXRAY_MAX_RANK];   /* PART, PADDED: where the part begins in the larger */
    double pad;                      /* PADDED: the value */
    uint32_t first, second;          /* TRANSPOSED: positions among `rank`; SPLIT: first is the axis */
    int64_t head, tail;              /* SPLIT: of the axis, how many of the first and last */
} xr_shape_relation;

/* Relates two tensors; values may be NULL.  `exact`: ids, of which none is near another. */
void xr_relate_shapes(const xr_shaped side[2], bool exact, xr_shape_relation *out);

#endif
