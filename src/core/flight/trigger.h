/* Triggers, carried out. */
#ifndef XR_TRIGGER_H
#define XR_TRIGGER_H

#include "core/flight/flight_state.h"

/* Takes what other threads asked for since. */
void xr_flight_take_requests(xr_recorder *r);
/* Marks frames to be written, and tells. */
void xr_flight_fire(xr_recorder *r, uint64_t frame, uint32_t before, uint32_t after, const char *reason);

#endif
