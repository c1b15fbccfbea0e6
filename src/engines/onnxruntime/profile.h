/* The time of each node, from the profile of a separate run. */
#ifndef XR_ORT_PROFILE_H
#define XR_ORT_PROFILE_H

#include "engines/onnxruntime/ort.h"
#include "engines/onnxruntime/profile_text.h"

/* Makes the call once more with a profile (its own run options, and `values` for the outputs, released
 * again); `seen` is called for each node that ran. */
exray_status xr_ort_profile(const xr_ort_api *api, const xr_ort_call *call, OrtValue **values,
                            void (*seen)(void *user, const xr_ort_event *event), void *user,
                            exray_error *error);

#endif
