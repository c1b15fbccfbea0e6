/* The recorder's first error, which every later call returns. */
#ifndef XR_STICKY_ERROR_H
#define XR_STICKY_ERROR_H

#include "core/state.h"

/* EXRAY_OK where the recorder is open and without error, else what a call
 * returns. */
exray_status xr_check(xr_recorder *r);
/* The writer thread's error becomes the recorder's. */
void xr_look_for_writer_error(xr_recorder *r);
/* Sets the sticky error, unless there is one; returns it.  The texts are joined;
 * NULL ends them early. */
exray_status xr_fail_with(xr_recorder *r, exray_status status, const char *a, const char *b, const char *c);
/* Sets the sticky error that a failed write is. */
exray_status xr_fail_write(xr_recorder *r, int error);

#endif
