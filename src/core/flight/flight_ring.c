#include "core/flight/flight_ring.h"

#include <string.h>

_Static_assert(sizeof(xr_box_entry) == XR_BOX_ALIGNMENT, "an entry's header is one unit of the ring");

static size_t round_up(size_t size)
{
    return (size + XR_BOX_ALIGNMENT - 1) / XR_BOX_ALIGNMENT * XR_BOX_ALIGNMENT;
}

static xr_box_entry *entry_at(const xr_flight_ring *ring, size_t at)
{
    return (xr_box_entry *)(void *)(ring->bytes + at);
}

void xr_flight_ring_begin(xr_flight_ring *ring, void *memory, size_t size)
{
    const size_t skip = (0 - (uintptr_t)memory) % XR_BOX_ALIGNMENT;
    *ring = (xr_flight_ring){.bytes = (uint8_t *)memory + skip,
                             .capacity = (size - skip) / XR_BOX_ALIGNMENT * XR_BOX_ALIGNMENT};
}

/* Removes `total` bytes at the old end. */
static void shrink(xr_flight_ring *ring, size_t total)
{
    ring->used -= total;
    ring->tail += total;
    if (ring->tail == ring->capacity)
        ring->tail = 0;
}

bool xr_flight_ring_drop_oldest(xr_flight_ring *ring)
{
    xr_flight_walk walk = xr_flight_walk_begin(ring);
    const xr_box_entry *frame = xr_flight_walk_frame(&walk);
    if (!frame || frame->state == XR_FLIGHT_WANTED || (ring->open && ring->frames == 1))
        return false;
    bool begun = false;
    while (ring->used) {
        const xr_box_entry *entry = entry_at(ring, ring->tail);
        if (entry->kind == XR_BOX_BEGIN && begun)
            break;
        begun = begun || entry->kind == XR_BOX_BEGIN;
        shrink(ring, entry->total);
    }
    ring->frames--;
    return true;
}

void xr_flight_ring_forget_open(xr_flight_ring *ring)
{
    if (!ring->open)
        return;
    ring->open = false;
    ring->used -= ring->open_used;
    ring->head = ring->open_at;
    ring->frames--;
}

/* What a jump to the beginning leaves unused, where an entry of `total` bytes is too long for the end. */
static size_t gap_before(const xr_flight_ring *ring, size_t total)
{
    const size_t to_end = ring->capacity - ring->head;
    return to_end < total ? to_end : 0;
}

static bool make_room(xr_flight_ring *ring, size_t total, bool *pinned)
{
    while (ring->used + gap_before(ring, total) + total > ring->capacity) {
        *pinned = !(ring->open && ring->frames == 1);
        if (!xr_flight_ring_drop_oldest(ring))
            return false;
        if (!ring->used)
            ring->head = ring->tail = 0;
    }
    return true;
}

xr_box_entry *xr_flight_ring_add(xr_flight_ring *ring, const xr_box_entry *fields, size_t topic_and_message,
                                 bool *pinned)
{
    *pinned = false;
    if (topic_and_message > ring->capacity - sizeof(xr_box_entry) || topic_and_message > UINT32_MAX / 2)
        return NULL;
    const size_t total = round_up(sizeof(xr_box_entry) + topic_and_message);
    if (total > ring->capacity || !make_room(ring, total, pinned))
        return NULL;
    const size_t gap = gap_before(ring, total), from = ring->head;
    if (gap) {
        xr_box_entry *skip = entry_at(ring, ring->head);
        skip->magic = 0;
        skip->kind = XR_BOX_SKIP;
        skip->total = (uint32_t)gap;
        ring->head = 0;
    }
    xr_box_entry *entry = entry_at(ring, ring->head);
    *entry = *fields;
    entry->magic = XR_BOX_ENTRY;
    entry->sequence = ring->sequence++;
    entry->total = (uint32_t)total;
    ring->head += total;
    if (ring->head == ring->capacity)
        ring->head = 0;
    ring->used += gap + total;
    if (entry->kind == XR_BOX_BEGIN) {
        ring->open = true;
        ring->open_at = from;
        ring->open_used = 0;
        ring->frames++;
    }
    ring->open_used += gap + total;
    ring->open = ring->open && entry->kind != XR_BOX_END;
    return entry;
}

xr_flight_walk xr_flight_walk_begin(const xr_flight_ring *ring)
{
    return (xr_flight_walk){ring, ring->tail, ring->used};
}

xr_box_entry *xr_flight_walk_next(xr_flight_walk *walk)
{
    while (walk->left) {
        xr_box_entry *entry = entry_at(walk->ring, walk->at);
        walk->left -= entry->total;
        walk->at += entry->total;
        if (walk->at == walk->ring->capacity)
            walk->at = 0;
        if (entry->kind != XR_BOX_SKIP)
            return entry;
    }
    return NULL;
}

xr_box_entry *xr_flight_walk_frame(xr_flight_walk *walk)
{
    xr_box_entry *entry;
    while ((entry = xr_flight_walk_next(walk)) && entry->kind != XR_BOX_BEGIN)
        ;
    return entry;
}
