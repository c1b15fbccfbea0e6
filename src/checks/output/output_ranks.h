/* What an application decided (/result), held against what the model returned
 * (/output), on each side by itself: class = output index - offset, whatever the
 * outputs are.  So a shifted label map shows even where the inputs differ. */
#ifndef XR_OUTPUT_RANKS_H
#define XR_OUTPUT_RANKS_H

#include "checks/output/output_reading.h"

/* One ranked class of a frame. */
typedef struct xr_rank {
    size_t frame;
    unsigned rank;
    int64_t id;
    int64_t index;  /* of the output element with the value of that rank; -1: not the only one */
    double score;   /* as told; NAN where not */
    double value;   /* the output's */
    char label[48]; /* "" where none */
} xr_rank;

typedef enum xr_rank_state {
    XR_RANKS_NONE,     /* no results, or no output to hold them against */
    XR_RANKS_OFFSET,   /* class = index - offset, in all frames */
    XR_RANKS_PERMUTED, /* one class for each index, by no offset */
    XR_RANKS_LATE,     /* each result is that of the frame before */
    XR_RANKS_MISREAD,  /* they follow from outputs read as `reading` says, by no offset */
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
    size_t repeats; /* pairs of index and class that came up again: what makes a permutation certain */
    size_t classes; /* different ones, of rank 0 */
    xr_reading reading;
} xr_ranks;

/* Reads one side.  Anything but EXRAY_OK is an error; free with xr_ranks_free in any
 * case. */
exray_status xr_ranks_make(const exray_comparison *comparison, exray_side side, xr_ranks *out,
                           exray_error *error);
void xr_ranks_free(xr_ranks *ranks);

/* How the classes of both sides belong together, rank by rank in the same frames, of
 * results alone.  Only top-1, and only frames with both. */
typedef struct xr_ranks_between {
    size_t frames, equal; /* with a result on both sides; with the same class */
    size_t classes;       /* different ones of the reference */
    bool constant;        /* edge = reference + difference in all frames, difference not 0 */
    int64_t difference;
    bool permuted; /* one class of the edge for each of the reference, and back */
    size_t repeats;
    /* Names: of the same class, other text. */
    size_t named, named_otherwise;
    size_t names_elsewhere; /* of those: the name that the reference has for another class */
    bool names_shifted;     /* the edge's name of class c is the reference's of c + name_shift */
    int64_t name_shift;
} xr_ranks_between;
xr_ranks_between xr_ranks_compare(const xr_ranks *edge, const xr_ranks *reference);

#endif
