/* Room in a slot, for values that are brought into another order. */
#ifndef XR_SLOT_ROOM_H
#define XR_SLOT_ROOM_H

#include <exray/log.h>

/* Room for so many numbers, the slot's until its next call.  NULL: out of memory. */
float *xr_slot_room(exray_slot *slot, uint64_t count);

#endif
