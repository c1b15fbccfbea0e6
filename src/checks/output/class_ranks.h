/* An application's decisions (/result) compared with its model's output (/output), on each side by
 * itself: class = output index - offset, whatever the outputs are.  So a shifted label map is seen
 * even where the inputs differ. */
#ifndef XR_CLASS_RANKS_H
#define XR_CLASS_RANKS_H

#include "checks/output/interpretation.h"

/* One ranked class of a frame. */
typedef struct xr_rank {
    size_t frame;
    unsigned rank;
    int64_t id;
    int64_t index; /* of the output element with the value of that rank; -1: several have it */
    double score;  /* the result's; NAN where it has none */
    double value;  /* the output's value of that rank */
} xr_rank;

typedef enum xr_rank_state {
    XR_RANKS_NONE,     /* no results, or no output to compare them with */
    XR_RANKS_OFFSET,   /* class = index - offset, in all frames */
    XR_RANKS_PERMUTED, /* one class for each index, but not by an offset */
    XR_RANKS_LATE,     /* each result belongs to the frame before */
    XR_RANKS_MISREAD,  /* they follow from the outputs by `interpretation`, but not by an offset */
    XR_RANKS_BROKEN,   /* results do not follow from the outputs */
} xr_rank_state;

typedef struct xr_ranks {
    xr_rank *rank;
    size_t count;
    size_t frames;   /* with a result */
    size_t elements; /* of the output; 0: not recorded */
    xr_rank_state state;
    int64_t offset;
    size_t frames_supporting;
    size_t repeats; /* pairs of index and class that were seen again: evidence of a permutation */
    size_t classes; /* distinct classes of rank 0 */
    xr_interpretation interpretation;
} xr_ranks;

/* Reads one side.  Anything but EXRAY_OK is an error; free with xr_ranks_free in any
 * case. */
exray_status xr_ranks_make(const exray_comparison *comparison, exray_side side, xr_ranks *out,
                           exray_error *error);
void xr_ranks_free(xr_ranks *ranks);

/* Whether in every frame the first class told is a best of the side's own output: of several equal ones, as
 * coarse integers have them, any. */
bool xr_ranks_tell_bests(const exray_comparison *comparison, exray_side side, const xr_ranks *ranks);

/* How the classes of both sides correspond, from the results alone: the best class of each frame
 * that has a result on both sides. */
typedef struct xr_ranks_between {
    size_t frames, equal; /* with a result on both sides; with the same class */
    size_t classes;       /* distinct classes of the reference */
    bool constant;        /* edge = reference + difference in all frames, difference not 0 */
    int64_t difference;
    bool permuted; /* one class of the edge for each of the reference, and the reverse */
    size_t repeats;
} xr_ranks_between;
xr_ranks_between xr_ranks_compare(const xr_ranks *edge, const xr_ranks *reference);

#endif
