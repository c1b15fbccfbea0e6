/* The ring in a file that outlives the process. */
#ifndef XR_BLACK_BOX_H
#define XR_BLACK_BOX_H

#include "core/flight/flight_state.h"

/* Makes and maps the file. */
exray_status xr_flight_box_open(xr_recorder *r);
/* Gives an entry of the ring its checksums; `entry` is followed by topic and message. */
void xr_flight_box_seal(xr_flight *flight, xr_box_entry *entry);
/* Keeps the model, a message of no frame: the one in the draft. */
void xr_flight_box_message(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                           const void *object);
/* `closed`: the log has all that was asked for. */
void xr_flight_box_close(xr_flight *flight, bool closed);

#endif
