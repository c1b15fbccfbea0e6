/* What taps ask of a recorder beyond its public functions. */
#ifndef XR_TAPS_H
#define XR_TAPS_H

#include <exray/exray.h>

/* What `function` was registered with (exray_recorder_on_close): a tap finds itself again by its
 * own function.  NULL: it was not, or the recorder is closed. */
void *xr_closer_user(const exray_recorder *recorder, void (*function)(void *user));

/* Whether the recorder is open, without error, and keeps anything at all. */
bool xr_is_recording(const exray_recorder *recorder);

/* Whether what is kept of layers depends on the order of their values: sketches and data do, statistics do
 * not. */
bool xr_capture_keeps_order(const exray_recorder *recorder); /* as opened */
bool xr_frame_keeps_order(const exray_recorder *recorder);   /* in this frame */

/* Whether a filter (every Nth frame, the first N) leaves this frame with less than others get. */
bool xr_frame_is_filtered(const exray_recorder *recorder);

/* Records as /event what happened to the observation, one line; no error comes of it. */
void xr_say_event(exray_recorder *recorder, exray_event_kind kind, const char *text);

/* Reads a tap's config (core/sized.h); what is wrong with it becomes the recorder's error, with `what` in
 * front. */
exray_status xr_tap_config(exray_recorder *recorder, void *to, size_t known, const void *from,
                           const char *what);

/* What a tap could not observe, and how often. */
typedef struct xr_unobserved {
    const char *what;
    uint64_t count;
} xr_unobserved;

/* At close: the metadata "exray.unobserved" has those of the first XR_UNOBSERVED_MOST that happened. */
enum { XR_UNOBSERVED_MOST = 8 };
void xr_record_unobserved(exray_recorder *recorder, const xr_unobserved *losses, size_t count);

#endif
