/* What triggers by itself. */
#ifndef XR_CONDITIONS_H
#define XR_CONDITIONS_H

#include "core/flight/flight_state.h"

void xr_flight_conditions_begin(xr_flight *flight);
/* What a record of the frame tells. */
void xr_flight_note_result(xr_flight *flight, const exray_result *result);
void xr_flight_note_output(xr_flight *flight, const exray_tensor *tensor);
/* At the frame's end. */
void xr_flight_conditions_check(xr_recorder *r);

#endif
