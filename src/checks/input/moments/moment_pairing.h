/* Which frame of the reference each frame of the edge has the statistics of. */
#ifndef XR_MOMENT_PAIRING_H
#define XR_MOMENT_PAIRING_H

#include "checks/input/moments/moment_fit.h"

/* A pairing other than the recorded one.  Positions are among the frames with statistics. */
typedef struct xr_moment_pairing {
    size_t count;
    size_t *edge, *reference; /* [count]; frames without a counterpart are left out */
    size_t moved, late, early, repeated;
} xr_moment_pairing;

/* Finds the pairing that explains what the recorded one does not: all frames late or early by one number of
 * frames, under any order of channels and map; else each frame for itself, with neither.  *choice: the order
 * and map with it.  false: there is none, or the frames are too few or too much alike to tell. */
bool xr_find_moment_pairing(const xr_moment_pairs *recorded, const xr_moment_choice *now,
                            xr_moment_pairing *out, xr_moment_choice *choice);
void xr_moment_pairing_free(xr_moment_pairing *pairing);

#endif
