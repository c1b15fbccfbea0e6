/* Durations of frames and nodes of one log, and their robust statistics. */
#ifndef XR_LATENCY_H
#define XR_LATENCY_H

#include <exray/assertion.h>

/* What exray_comparison_latency shows, and the memory behind it. */
typedef struct xr_latency {
    exray_latency_table table;
    double *inference;
    size_t *frame;
    exray_node_latency *node;
} xr_latency;

/* Reads all /latency records of a log (at most some thousand, evenly taken).  Records that
 * cannot be read are left out.  False: out of memory. */
bool xr_latency_read(const exray_log *log, xr_latency *out);
void xr_latency_free(xr_latency *latency);

/* Sorts `value` and says what is known of its distribution. */
exray_durations xr_durations(double *value, size_t count);

#endif
