/* The open frame. */
#ifndef XR_FRAME_H
#define XR_FRAME_H

#include "core/state.h"

/* The capture level of the open frame, or of the next one. */
exray_capture xr_capture_now(const xr_recorder *r);
/* Begins a frame where none is open. */
exray_status xr_need_frame(xr_recorder *r);
/* xr_check, then that. */
exray_status xr_check_in_frame(xr_recorder *r);
/* Opens a frame for a record that every level but OFF keeps; false: the level keeps none, or *status. */
bool xr_frame_keeps(xr_recorder *r, exray_status *status);
exray_status xr_frame_begin(xr_recorder *r, const char *source);
exray_status xr_frame_end(xr_recorder *r);
/* The last word on how many records were dropped. */
void xr_write_last_system(xr_recorder *r);

#endif
