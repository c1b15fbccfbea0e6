/* `validate --repro DIR`: files that reproduce a wrong layer elsewhere. */
#ifndef XR_REPRO_H
#define XR_REPRO_H

#include "isolate/isolate.h"

typedef struct xr_repro {
    const char *folder; /* created where it is not there */
    const exray_comparison *comparison;
    const xr_engine *engine;
    exray_error *error; /* filled where something could not be written */
    bool written;
} xr_repro;

/* xr_isolate_options.failing; user is an xr_repro.  Writes the cut-out model, inputs.npz,
 * edge.npz, reference.npz and README.txt into the folder. */
bool xr_repro_write(void *user, const xr_isolated *what);

#endif
