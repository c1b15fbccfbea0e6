/* One value of all /system records of a log, in order. */
#ifndef XR_SYSTEM_SERIES_H
#define XR_SYSTEM_SERIES_H

#include <exray/assertion.h>

/* Takes one value of a record; false where the record has none. */
typedef bool xr_system_value(const exray_system *system, double *value);

/* The value of the first /system record of each of these frames (NULL: the first `frames`); `out` has room
 * for all of them.  Returns how many have it. */
size_t xr_system_series_of(const exray_log *log, const size_t *frame, size_t frames, xr_system_value *take,
                           double *out);

/* Likewise of all frames. */
size_t xr_system_series(const exray_log *log, xr_system_value *take, double *out);

#endif
