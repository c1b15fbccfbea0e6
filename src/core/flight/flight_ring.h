/* The ring in which frames wait: whole entries, one behind the other; the oldest frame makes room.
 * It knows nothing of the recorder. */
#ifndef XR_FLIGHT_RING_H
#define XR_FLIGHT_RING_H

#include "core/flight/box_format.h"
#include <stdbool.h>
#include <stddef.h>

/* xr_box_entry.state: of a frame (of its BEGIN), and of a message that WAITS. */
typedef enum xr_flight_state {
    XR_FLIGHT_WAITING,
    XR_FLIGHT_WANTED,  /* to be written: it makes no room before */
    XR_FLIGHT_WRITTEN, /* it is in the log, or was given up */
} xr_flight_state;

typedef struct xr_flight_ring {
    uint8_t *bytes;
    size_t capacity; /* a multiple of XR_BOX_ALIGNMENT */
    size_t tail, head, used;
    uint64_t sequence;
    uint32_t frames;  /* in it, the open one counted */
    bool open;        /* the last frame has no end yet */
    size_t open_at;   /* where it begins, */
    size_t open_used; /* and how much it takes */
} xr_flight_ring;

void xr_flight_ring_begin(xr_flight_ring *ring, void *memory, size_t size);

/* Room for an entry of that many bytes of topic and message, all its fields set but `crc` and
 * `content_crc`, and counted.  NULL: the frame that is open fills the ring by itself, or those before
 * it must be written first; `*pinned` says which. */
xr_box_entry *xr_flight_ring_add(xr_flight_ring *ring, const xr_box_entry *fields, size_t topic_and_message,
                                 bool *pinned);
static inline uint8_t *xr_flight_content(xr_box_entry *entry)
{
    return (uint8_t *)(entry + 1);
}

/* Forgets the open frame: its room is free again. */
void xr_flight_ring_forget_open(xr_flight_ring *ring);
/* Makes room by the oldest frame.  false: there is none, or it is wanted, or open. */
bool xr_flight_ring_drop_oldest(xr_flight_ring *ring);

/* A walk over the entries, the oldest first. */
typedef struct xr_flight_walk {
    const xr_flight_ring *ring;
    size_t at, left;
} xr_flight_walk;
xr_flight_walk xr_flight_walk_begin(const xr_flight_ring *ring);
/* NULL: that was all. */
xr_box_entry *xr_flight_walk_next(xr_flight_walk *walk);
/* The same for the entries XR_BOX_BEGIN alone. */
xr_box_entry *xr_flight_walk_frame(xr_flight_walk *walk);

#endif
