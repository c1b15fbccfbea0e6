/* How decisions follow from outputs: one judgement for output.label_offset and
 * output.postprocess, so that they do not both report the same fault. */
#ifndef XR_LABELLING_H
#define XR_LABELLING_H

#include "checks/output/class_ranks.h"
#include "checks/output/vector_shift.h"

typedef enum xr_labelling_state {
    XR_LABELS_RIGHT,
    XR_LABELS_VECTOR_SHIFTED,  /* the output vector itself */
    XR_LABELS_VECTOR_PERMUTED, /* the output vector itself */
    XR_LABELS_SHIFTED,         /* class numbers, by `difference` */
    XR_LABELS_PERMUTED,        /* class numbers */
    XR_LABELS_LATE,            /* decisions belong to the frame before */
    XR_LABELS_BROKEN,          /* decisions that do not follow from the outputs */
} xr_labelling_state;

typedef struct xr_labelling {
    xr_labelling_state state;
    exray_side side; /* whose decisions; for PERMUTED, LATE and BROKEN */
    double confidence;
    bool ambiguous;     /* a label map or the search for the best class: the other cause is an alternative */
    int64_t difference; /* edge's class - reference's class */
    size_t supporting, frames;
    xr_ranks ranks[2]; /* by exray_side */
    xr_ranks_between between;
    xr_shift shift;
} xr_labelling;

/* The judgement, made when first asked for and kept by `findings`: it reads all outputs and results.  NULL:
 * an error, which is set. */
const xr_labelling *xr_labelling_of(const exray_comparison *comparison, exray_findings *findings,
                                    exray_error *error);

/* Whether each side tells a best of its own outputs in every frame, as one does that tells nothing, whose
 * decisions are its outputs': where the two differ then, near-equal values went either way. */
bool xr_sides_tell_bests(const exray_comparison *comparison, const xr_labelling *labelling);

/* Whether all outputs were compared and are equal within noise. */
bool xr_outputs_equal(const exray_comparison *comparison);

#endif
