/* The capture level, changed while the recorder runs. */
#ifndef XR_LEVEL_H
#define XR_LEVEL_H

#include "core/state.h"

/* On the recorder's thread, between two frames: takes over the level that was set, and tells. */
void xr_take_over_level(xr_recorder *r);

#endif
