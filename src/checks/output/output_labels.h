/* What becomes of equal outputs on their way to a decision: one judgement for
 * output.label_offset and output.postprocess, which must not both name it. */
#ifndef XR_OUTPUT_LABELS_H
#define XR_OUTPUT_LABELS_H

#include "checks/output/output_ranks.h"
#include "checks/output/output_shift.h"

typedef enum xr_labelling_state {
    XR_LABELS_RIGHT,
    XR_LABELS_VECTOR_SHIFTED,  /* the output vector itself */
    XR_LABELS_VECTOR_PERMUTED, /* the output vector itself */
    XR_LABELS_SHIFTED,         /* class numbers, by `difference` */
    XR_LABELS_PERMUTED,        /* class numbers */
    XR_LABELS_NAMES,           /* the names of classes, by names_shifted or not */
    XR_LABELS_LATE,            /* decisions of the frame before */
    XR_LABELS_BROKEN,          /* decisions that do not follow from the outputs */
} xr_labelling_state;

typedef struct xr_labelling {
    xr_labelling_state state;
    exray_side side; /* whose decisions: of PERMUTED, LATE and BROKEN */
    double confidence;
    bool ambiguous;     /* a label map, or the search for the best class: the other is an alternative */
    int64_t difference; /* edge's class - reference's class */
    size_t supporting, frames;
    xr_ranks ranks[2]; /* by exray_side */
    xr_ranks_between between;
    xr_shift shift;
} xr_labelling;

/* Judges.  Anything but EXRAY_OK is an error; free with xr_labelling_free in any case. */
exray_status xr_labelling_make(const exray_comparison *comparison, xr_labelling *out, exray_error *error);
void xr_labelling_free(xr_labelling *labels);

/* All outputs are there and equal within noise. */
bool xr_outputs_equal(const exray_comparison *comparison);

#endif
