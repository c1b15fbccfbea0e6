/* The metadata record "exray": what the log says of itself. */
#ifndef XR_IDENTITY_H
#define XR_IDENTITY_H

#include "core/state.h"

/* What is known of the machine; NULL or "": not known. */
typedef struct xr_machine_texts {
    const char *log_id, *device, *os, *arch, *cpu, *created;
} xr_machine_texts;

exray_status xr_write_identity(xr_recorder *r, const exray_recorder_config *config,
                               const xr_machine_texts *machine);

#endif
