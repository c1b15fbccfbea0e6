/* The integer front end on a sound that goes on. */
#ifndef XR_MICROFRONTEND_H
#define XR_MICROFRONTEND_H

#include <exray/sound.h>

enum { XR_MICROFRONTEND_CHANNELS = 512 }; /* at most */

/* exray_microfrontend_run from an estimate of the noise on, [num_channels], which is brought up to date;
 * zeros, or NULL: as at the beginning. */
exray_status xr_microfrontend_run_on(const exray_microfrontend_options *options, const int16_t *samples,
                                     size_t length, uint32_t *noise, uint16_t *out, exray_error *error);

#endif
