/* The one line that says what failed, where neither `base` nor a recorder is at hand. */
#ifndef XR_REFUSE_H
#define XR_REFUSE_H

#include <exray/exray.h>

/* Fills error; returns the status given. */
exray_status xr_refuse(exray_error *error, exray_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The recorder's error, if it has one; returns its status. */
exray_status xr_refuse_as_recorder(exray_error *error, const exray_recorder *recorder);

#endif
