/* Whether the model file that the tap was given is that of the model that runs. */
#ifndef XR_TFLITE_TAP_CHECK_H
#define XR_TFLITE_TAP_CHECK_H

#include "engines/tflite/tap_state.h"

/* Compares the file's main graph with the interpreter's: operators, and the names, types, constant shapes and
 * scales of tensors.  false: they differ, and an event says where; nothing of the file is used from then on.
 */
bool xr_tap_check_file(xr_tap *tap, const xr_tap_tables *tables);

#endif
