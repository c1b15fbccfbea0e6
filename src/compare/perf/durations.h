/* Durations of frames and nodes of one log, and their robust statistics. */
#ifndef XR_DURATIONS_H
#define XR_DURATIONS_H

#include "compare/perf/latency.h"

/* Reads all /latency records of a log (at most some thousand, evenly taken).  Records that
 * cannot be read are left out.  False: out of memory. */
bool xr_latency_read(const exray_log *log, xr_latency *out);
void xr_latency_free(xr_latency *latency);

/* Sorts `value` and returns its statistics. */
exray_durations xr_durations(double *value, size_t count);

#endif
