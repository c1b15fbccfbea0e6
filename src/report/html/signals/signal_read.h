/* The values that an input has in one frame, copied. */
#ifndef XR_SIGNAL_READ_H
#define XR_SIGNAL_READ_H

#include "report/html/page.h"

typedef struct xr_signal {
    exray_tensor_view view;
    uint64_t count; /* of values; 0: there are none */
    float *values;
    double rate; /* samples a second; 0: unknown */
} xr_signal;

/* Input `pair` of a side in a matched frame; count is 0 where it was not recorded or is too large to draw. */
void xr_signal_read(xr_page *page, exray_side side, size_t frame, size_t pair, xr_signal *out);
void xr_signal_free(xr_signal *signal);

/* Whole numbers that are not quantized: ids, masks. */
bool xr_signal_is_tokens(const xr_signal *signal);

/* The least and the greatest finite value; *low and *high stay as they are where it has none. */
void xr_signal_extend(const xr_signal *signal, double *low, double *high);

/* The rate at which a model takes its samples: what a pipeline file in a log says (`rate:`), else that of the
 * sensor's sound where the reference's samples are the sound's one by one, whatever their unit; 0: the logs
 * do not say. */
double xr_signal_model_rate(xr_page *page, const xr_signal sides[2], const xr_signal *sensor);

#endif
