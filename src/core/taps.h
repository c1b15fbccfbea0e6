/* What taps ask of a recorder beyond its public functions. */
#ifndef XR_TAPS_H
#define XR_TAPS_H

#include <exray/exray.h>

/* What `function` was registered with (exray_recorder_on_close): a tap finds itself again by its
 * own function.  NULL: it was not, or the recorder is closed. */
void *xr_closer_user(const exray_recorder *recorder, void (*function)(void *user));

/* Whether the recorder is open, without error, and keeps anything at all. */
bool xr_is_recording(const exray_recorder *recorder);

/* Reads a tap's config (core/sized.h); what is wrong with it becomes the recorder's error, with `what` in
 * front. */
exray_status xr_tap_config(exray_recorder *recorder, void *to, size_t known, const void *from,
                           const char *what);

#endif
