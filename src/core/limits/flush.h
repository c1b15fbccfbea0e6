/* How soon what is recorded is safe. */
#ifndef XR_FLUSH_H
#define XR_FLUSH_H

#include "core/state.h"

/* At a frame's end: hands over what waits, as far as the config says. */
exray_status xr_flush_frame(xr_recorder *r);

#endif
