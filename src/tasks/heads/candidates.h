/* Boxes that a head proposes, and those that are left when overlapping ones are one (non-maximum
 * suppression). However many there are, the surest 10,000 are looked at. */
#ifndef XR_CANDIDATES_H
#define XR_CANDIDATES_H

#include <exray/task.h>

typedef struct xr_box_candidate {
    exray_box box;
    uint64_t row; /* of the head; what is equally sure goes by it */
} xr_box_candidate;

typedef struct xr_candidates {
    xr_box_candidate *of; /* a heap, the least sure first, until they are sorted */
    size_t count;
    float threshold; /* the least score */
    exray_told *told;
    size_t room;
    bool failed; /* out of memory */
} xr_candidates;

/* The options' threshold; 0.5 where it is not given. */
xr_candidates xr_candidates_begin(const exray_task_options *options, exray_told *told);
/* Whether a box of that score would be kept, so that it is worth decoding. */
bool xr_candidate_counts(const xr_candidates *found, float score);
/* Boxes that are not finite are left out. */
void xr_candidate_add(xr_candidates *found, const exray_box *box, uint64_t row);
/* The surest first. */
void xr_candidates_sort(xr_candidates *found);

/* Sorts, and leaves out boxes that overlap a surer one of their class by more than the options say (0.45);
 * the result has the options' top_k (300) surest, with their names. */
exray_status xr_candidates_tell(xr_candidates *found, const exray_task_options *options, exray_result *out,
                                exray_error *error);

/* How many boxes are told at most. */
uint32_t xr_candidates_most(const exray_task_options *options);

#endif
