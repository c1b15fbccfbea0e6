/* How much a stated difference of an operator changes what it makes: computed both ways, on the edge's own
 * recorded values.  In 8 bits a wrong operator may lie within noise, and be wrong all the same. */
#ifndef XR_STEP_EFFECT_H
#define XR_STEP_EFFECT_H

#include "checks/model/graph/step_traits.h"
#include "checks/model/graph/step_values.h"

typedef struct xr_step_effect {
    double moved; /* the difference of the two results, as a share of their deviation */
    double left;  /* likewise, of the recorded result from the edge's own way; NAN: not recorded */
} xr_step_effect;

/* Of resizes, pools and normalizations; `pair`: the edge's step and the reference's.  False: it is none of
 * these that is known, the values are not there, or out of memory. */
bool xr_step_effect_of(xr_step_values *values, xr_step_match *match, const uint32_t pair[2],
                       const xr_traits traits[2], xr_step_effect *out);

#endif
