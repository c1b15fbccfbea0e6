/* The end of a recorder. */
#ifndef XR_CLOSE_H
#define XR_CLOSE_H

#include "core/state.h"

/* Gives back what open took; the error stays. */
void xr_release(xr_recorder *r, bool closed);

#endif
