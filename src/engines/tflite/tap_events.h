/* The profiler's events. */
#ifndef XR_TFLITE_TAP_EVENTS_H
#define XR_TFLITE_TAP_EVENTS_H

#include "engines/tflite/tap_state.h"

void xr_tap_event(TfLiteTelemetryProfilerStruct *self, const char *name, uint64_t status);
void xr_tap_delegate_op(TfLiteTelemetryProfilerStruct *self, const char *name, uint64_t elapsed_us,
                        int64_t op, int64_t subgraph);
uint32_t xr_tap_begin_op(TfLiteTelemetryProfilerStruct *self, const char *op_name, int64_t op,
                         int64_t subgraph);
void xr_tap_end_op(TfLiteTelemetryProfilerStruct *self, uint32_t handle);

#endif
