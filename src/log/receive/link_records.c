#include "log/receive/link_records.h"

#include <stdlib.h>
#include <string.h>

/* ---- What has not come -------------------------------------------------------------- */

enum { MOST_GAPS = 1 << 16 }; /* beyond them, repeats mend nothing */

static void insert_gap(xr_link_records *r, size_t at, uint32_t first, uint32_t end)
{
    if (first >= end || r->gap_count == MOST_GAPS)
        return;
    void *grown = xr_array_grow(r->gaps, r->gap_count, &r->gap_capacity, sizeof *r->gaps);
    if (!grown) {
        r->no_memory = true;
        return;
    }
    r->gaps = grown;
    memmove(r->gaps + at + 1, r->gaps + at, (r->gap_count - at) * sizeof *r->gaps);
    r->gaps[at] = (xr_link_gap){first, end};
    r->gap_count++;
}

/* Whether the record had not come; now it has. */
static bool fill_gap(xr_link_records *r, uint32_t number)
{
    size_t low = 0, high = r->gap_count; /* the first gap that ends behind the number */
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (r->gaps[middle].end <= number)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == r->gap_count || r->gaps[low].first > number)
        return false;
    xr_link_gap *gap = &r->gaps[low];
    const xr_link_gap rest = {number + 1, gap->end};
    gap->end = number;
    insert_gap(r, low + 1, rest.first, rest.end);
    return true;
}

/* ---- Piece by piece ----------------------------------------------------------------- */

static bool is_magic(const xr_buffer *bytes)
{
    return bytes->size >= XR_MCAP_MAGIC_SIZE && memcmp(bytes->data, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE) == 0;
}

/* The record's size with opcode and length, where they have come; 0: not yet; UINT64_MAX: too large. */
static uint64_t whole_size(const xr_buffer *bytes)
{
    if (is_magic(bytes))
        return XR_MCAP_MAGIC_SIZE;
    if (bytes->size < XR_MCAP_RECORD_HEADER)
        return 0;
    const uint64_t size = xr_load64(bytes->data + 1);
    return size > XR_LINK_MOST_RECORD ? UINT64_MAX : size + XR_MCAP_RECORD_HEADER;
}

/* Adds the packet's payload; true: the record is whole, and open no more.  *good: the packet is its next. */
static bool add_piece(xr_link_piecing *p, const xr_link_packet *packet, bool *good)
{
    if (packet->offset == 0) {
        p->bytes.size = 0;
        p->number = packet->record;
        p->open = true;
    }
    *good = p->open && packet->size && p->number == packet->record && p->bytes.size == packet->offset;
    if (!*good) {
        p->open = false;
        return false;
    }
    xr_buffer_add(&p->bytes, packet->payload, packet->size);
    const uint64_t whole = whole_size(&p->bytes);
    *good = !p->bytes.failed && (whole == 0 || p->bytes.size <= whole);
    const bool done = *good && whole && p->bytes.size == whole;
    p->open = *good && !done;
    return done;
}

static void hand_over(const xr_link_piecing *p, const xr_link_record_user *user)
{
    const xr_buffer *bytes = &p->bytes;
    if (is_magic(bytes))
        return;
    const xr_mcap_record record = {.opcode = bytes->data[0],
                                   .data = bytes->data + XR_MCAP_RECORD_HEADER,
                                   .size = bytes->size - XR_MCAP_RECORD_HEADER};
    user->record(user->context, &record);
}

/* Records from the expected one up to `next` are lost. */
static void lose(xr_link_records *r, uint32_t next, const xr_link_record_user *user)
{
    if (next <= r->expected)
        return;
    r->lost += next - r->expected;
    insert_gap(r, r->gap_count, r->expected, next);
    user->lost(user->context, next - r->expected);
    r->expected = next;
}

static void take_repeat(xr_link_records *r, const xr_link_packet *packet, const xr_link_record_user *user)
{
    bool good;
    if (!add_piece(&r->repeat, packet, &good))
        return;
    /* Before the first packet of all, nothing is known to have come. */
    const bool before = !r->begun || packet->record < r->first;
    if (r->begun && !fill_gap(r, packet->record))
        return;
    r->lost -= !before;
    hand_over(&r->repeat, user);
}

void xr_link_records_take(xr_link_records *r, const xr_link_packet *packet, const xr_link_record_user *user)
{
    if (packet->repeat) {
        take_repeat(r, packet, user);
        return;
    }
    if (!r->begun) {
        r->begun = true;
        r->first = r->expected = packet->record;
        insert_gap(r, 0, 0, r->first);
    }
    const bool twice = r->now.open && packet->offset && packet->offset < r->now.bytes.size;
    if (packet->record < r->expected || (twice && packet->record == r->now.number))
        return; /* the rest of a lost record, or a packet that came twice */
    bool good;
    const bool done = add_piece(&r->now, packet, &good);
    r->no_memory = r->no_memory || r->now.bytes.failed || r->repeat.bytes.failed;
    lose(r, good ? packet->record : packet->record + 1, user);
    if (!done)
        return;
    r->expected = packet->record + 1;
    hand_over(&r->now, user);
}

void xr_link_records_end(xr_link_records *r, const xr_link_record_user *user)
{
    if (r->now.open)
        lose(r, r->expected + 1, user);
    r->now.open = false;
}

void xr_link_records_free(xr_link_records *r)
{
    xr_buffer_free(&r->now.bytes);
    xr_buffer_free(&r->repeat.bytes);
    free(r->gaps);
}
