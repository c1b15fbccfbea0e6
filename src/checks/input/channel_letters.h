/* Which side feeds which order of channels: what the logs prove of it. */
#ifndef XR_CHANNEL_LETTERS_H
#define XR_CHANNEL_LETTERS_H

#include "checks/input/fit/input_fit.h"

typedef struct xr_letters {
    const char *known_by; /* "pipeline", "sensor"; NULL: nothing says which channel is which */
    char reference[XR_FIT_CHANNELS + 1], edge[XR_FIT_CHANNELS + 1];
} xr_letters;

/* The letters of both sides' channels ("RGB", "BGR"), where the edge's are the reference's in that order:
 * by a pipeline file of either log, else by the sensor's pictures. */
xr_letters xr_channel_letters(const exray_comparison *comparison, const xr_input_fit *fit,
                              const xr_channel_order *order);

/* The same by a pipeline file alone; from[edge channel]: the reference's channel. */
xr_letters xr_pipeline_letters(const exray_comparison *comparison, size_t channels,
                               const unsigned char *from);

#endif
