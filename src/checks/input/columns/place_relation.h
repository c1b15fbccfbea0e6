/* Whether the edge's values are the reference's of other places along one dimension, or with dimensions
 * exchanged, the same in all frames. */
#ifndef XR_PLACE_RELATION_H
#define XR_PLACE_RELATION_H

#include <exray/assertion.h>

typedef enum xr_place_kind {
    XR_PLACES_LATER,    /* edge[t] = reference[t - by]; what is before or behind is open */
    XR_PLACES_ROLLED,   /* the same, and what falls out at one end comes in at the other */
    XR_PLACES_REVERSED, /* edge[t] = reference[n - 1 - t] */
    XR_PLACES_HELD,     /* edge[t] = reference[t * step] */
    XR_PLACES_TURNED,   /* the dimensions lie in another order: `order` */
} xr_place_kind;

enum { XR_TURNED_AXES = 3 };

typedef struct xr_place_relation {
    xr_place_kind kind;
    uint32_t axis;
    size_t length; /* of that dimension */
    long by;
    double step;
    uint32_t order[XR_TURNED_AXES]; /* of the last dimensions, as they are written, counted from 0 */
    uint32_t rank;                  /* of the tensor */
    uint32_t bands;                 /* which dimension has the fewest places */
    double before, after;           /* shares of the variance that differ */
    size_t frames;
} xr_place_relation;

/* Looks along one dimension; rolled: for that alone. */
bool xr_relate_places(const exray_comparison *comparison, size_t pair, uint32_t axis, bool rolled,
                      xr_place_relation *out);
/* Whether the last dimensions (2 or 3 of them) lie in another order. */
bool xr_relate_turned(const exray_comparison *comparison, size_t pair, xr_place_relation *out);

#endif
