/* The durations of one log, kept for the reports. */
#ifndef XR_LATENCY_H
#define XR_LATENCY_H

#include <exray/assertion.h>

/* What exray_comparison_latency returns, and the memory behind it. */
typedef struct xr_latency {
    exray_latency_table table;
    double *inference;
    size_t *frame;
    exray_node_latency *node;
} xr_latency;

#endif
