/* Where in a picture another one lies, as the region that a tracker or a detector has cut out of it. */
#ifndef XR_LOCATE_PART_H
#define XR_LOCATE_PART_H

#include "checks/input/picture/thumbnail.h"

/* Finds the part of `picture` that `shown` shows, upright, at any place and of any size from a seventh of the
 * width on; seed (may be NULL): a part to try first.  Returns the share of shown's variance that any mixture
 * of the part's colors leaves: 1 where nothing is like it. */
double xr_locate_part(const xr_area *picture, const xr_area *shown, const xr_part *seed, xr_part *part);

#endif
