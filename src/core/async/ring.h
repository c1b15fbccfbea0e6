/* The asynchronous mode: a bounded ring of whole messages between the thread
 * that records (the only producer) and a writer thread (the only consumer). */
#ifndef XR_RING_H
#define XR_RING_H

#include "core/mcap.h"
#include "core/port/port.h"
#include <stdatomic.h>

typedef struct xr_ring {
    /* Set by the opener. */
    xr_mcap *mcap; /* the writer thread's, from start to stop */
    xr_port_worker *worker;
    uint8_t *bytes;
    size_t capacity; /* a power of two */

    /* Positions only grow; the byte at position p is bytes[p & (capacity - 1)]. */
    atomic_size_t head; /* the producer's */
    atomic_size_t tail; /* the consumer's */
    atomic_int error;   /* the first error number of the writer, 0: none */
    atomic_bool discard;
    /* Under the worker's lock. */
    bool stop, producer_waits;
    uint64_t bytes_written;
} xr_ring;

/* 0, or the error number of the thread's creation. */
int xr_ring_start(xr_ring *ring);

/* Takes the message in.  false: there was no room, and `wait` was not set or the
 * message is larger than half the ring (see xr_ring_call).  `spare`: bytes that
 * must stay free behind it, unless it waits. */
bool xr_ring_push(xr_ring *ring, const xr_message *message, bool wait, size_t spare);

/* Has the writer thread run function(mcap, object) after all that was pushed
 * before, and waits for it: the way of what is too large for the ring, or too
 * dear to be dropped. */
typedef int (*xr_ring_function)(xr_mcap *mcap, const void *object);
void xr_ring_call(xr_ring *ring, xr_ring_function function, const void *object);

/* Has the writer thread write out what it holds, without waiting for it. */
void xr_ring_flush(xr_ring *ring, bool close_chunk);

/* Ends the writer thread: after all that was pushed, or (discard) at once. */
void xr_ring_stop(xr_ring *ring, bool discard);

/* Bytes of the log, as of the last message written. */
uint64_t xr_ring_bytes_written(xr_ring *ring);

#endif
