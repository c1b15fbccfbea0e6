/* Room in a slot: for values that are brought into another order, for records. */
#ifndef XR_SLOT_ROOM_H
#define XR_SLOT_ROOM_H

#include <exray/log.h>

/* Room for so many numbers, the slot's until its next call.  NULL: out of memory. */
float *xr_slot_room(exray_slot *slot, uint64_t count);
/* The records of a frame, where the slot has them. */
const exray_record *xr_slot_has_records(const exray_slot *slot, const exray_log *log, size_t frame);
/* Room for so many records of a frame, which it has from then on.  NULL: out of memory. */
exray_record *xr_slot_records(exray_slot *slot, const exray_log *log, size_t frame, size_t count);

#endif
