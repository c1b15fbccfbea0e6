/* The metadata record "exray": what the log says of itself. */
#ifndef XR_IDENTITY_H
#define XR_IDENTITY_H

#include "core/state.h"

enum { XR_MACHINE_PAIRS = 7 };

/* `machine`: at most XR_MACHINE_PAIRS pairs of what is known of it; values that are NULL or "" are
 * left out. */
exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config,
                               const exray_key_value *machine, size_t machine_count);

#endif
