/* What the log says of itself. */
#ifndef XR_IDENTITY_H
#define XR_IDENTITY_H

#include "core/state.h"

/* The metadata record "exray". */
exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config);

#endif
