#include "core/taps.h"

#include "core/state.h"

void *xr_closer_user(const exray_recorder *recorder, void (*function)(void *user))
{
    const xr_recorder *r = xr_of_const(recorder);
    for (uint32_t i = 0; r->magic == XR_MAGIC && i < r->closer_count; i++)
        if (r->closers[i].function == function)
            return r->closers[i].user;
    return NULL;
}

bool xr_is_recording(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC && !r->error.status && r->capture >= EXRAY_CAPTURE_FRAME;
}
