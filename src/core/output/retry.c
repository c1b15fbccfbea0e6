/* The part of retries: a sink may take all of the bytes, some of them, or none for now. */
#include "core/output/out.h"

#include "core/mcap.h"
#include "core/port/port.h"
#include <limits.h>

enum {
    MOST_FAILURES = 3, /* in a row */
    FILLING = 0xFF,
    HEADER = 128,          /* what stands before the data of a large record or a chunk is less */
    MOST_AT_ONCE = 1 << 30 /* EXRAY_WRITE_TOOK says of no more */
};

/* EXRAY_WRITE_TOOK(n): n; INT_MAX of another result.  -1 is a failure. */
static unsigned part_of(int result)
{
    return result < 0 ? (unsigned)result - (unsigned)INT_MIN : INT_MAX;
}

size_t xr_out_taken(int result, size_t size)
{
    if (result == 0)
        return size;
    return part_of(result) < INT_MAX && part_of(result) < size ? part_of(result) : 0;
}

/* A sink that did not take all.  What is said of no known kind ends the log when it is said again and
 * again. */
static void refuse(xr_mcap *mcap, int result)
{
    const xr_port_refusal why = part_of(result) < INT_MAX ? XR_PORT_NOT_NOW
                                : result > 0              ? xr_port_refusal_of(result)
                                                          : XR_PORT_FAILED;
    mcap->failures = why == XR_PORT_FAILED ? (uint8_t)(mcap->failures + 1) : 0;
    atomic_store_explicit(&mcap->told->refused, result, memory_order_release);
    if (why == XR_PORT_GONE || mcap->failures >= MOST_FAILURES || (mcap->is_fixed && result > 0))
        mcap->error = result;
}

/* How many of the bytes the sink takes. */
static size_t offer(xr_mcap *mcap, const uint8_t *data, size_t size)
{
    size_t taken = 0;
    while (taken < size && !mcap->error) {
        const size_t piece = size - taken < MOST_AT_ONCE ? size - taken : MOST_AT_ONCE;
        const int result = mcap->write(mcap->user, data + taken, piece);
        const size_t part = xr_out_taken(result, piece);
        taken += part;
        if (result == 0)
            mcap->failures = 0;
        else
            refuse(mcap, result);
        if (part == 0)
            break;
    }
    mcap->sent += taken;
    return taken;
}

/* The same of bytes in memory of the writer: what is left moves to the beginning. */
static bool offer_own(xr_mcap *mcap, uint8_t *bytes, size_t *used)
{
    const size_t taken = offer(mcap, bytes, *used);
    *used -= taken;
    if (taken && *used)
        memmove(bytes, bytes + taken, *used);
    return *used == 0;
}

static bool offer_all(xr_mcap *mcap)
{
    if (!offer_own(mcap, mcap->out, &mcap->out_used) || !offer_own(mcap, mcap->held, &mcap->held_size))
        return false;
    while (mcap->owed) {
        size_t size = mcap->owed < mcap->out_capacity ? (size_t)mcap->owed : mcap->out_capacity;
        memset(mcap->out, FILLING, size);
        mcap->owed -= size;
        mcap->out_used = size;
        if (!offer_own(mcap, mcap->out, &mcap->out_used))
            return false;
    }
    return true;
}

static bool retry_flush(xr_mcap *mcap)
{
    if (!mcap->error && offer_all(mcap))
        atomic_store_explicit(&mcap->told->refused, 0, memory_order_release);
    return !mcap->held_size && !mcap->owed;
}

/* As if the record had never begun.  false: the sink cannot give back what it has. */
static bool take_back(xr_mcap *mcap)
{
    if (!mcap->in_record)
        return false;
    if (mcap->record_at < mcap->sent &&
        !(mcap->take_back && mcap->take_back(mcap->user, mcap->sent - mcap->record_at)))
        return false;
    if (mcap->record_at < mcap->sent) {
        mcap->sent = mcap->record_at;
        mcap->out_used = 0;
    } else {
        mcap->out_used = (size_t)(mcap->record_at - mcap->sent);
    }
    mcap->held_size = 0;
    mcap->position = mcap->record_at;
    mcap->crc = mcap->record_crc;
    return true;
}

/* Keeps what the sink did not take. */
static void keep(xr_mcap *mcap, const void *data, size_t size)
{
    if (mcap->error)
        return;
    if (!mcap->held_size && size <= mcap->out_capacity - mcap->out_used) {
        memcpy(mcap->out + mcap->out_used, data, size);
        mcap->out_used += size;
    } else if (mcap->spare && size <= mcap->spare_size - mcap->held_size) {
        mcap->held = mcap->spare;
        memmove(mcap->held + mcap->held_size, data, size); /* it may lie there */
        mcap->held_size += size;
    } else if (take_back(mcap)) {
        mcap->is_cut = true;
    } else {
        mcap->owed += size;
    }
}

/* The CRC of what will be in the log: of the data, but for the last bytes of it that are owed. */
static void sum(xr_mcap *mcap, const void *data, size_t size, uint64_t owed)
{
    static const uint8_t filling[] = {FILLING, FILLING, FILLING, FILLING, FILLING, FILLING, FILLING, FILLING};
    if (!mcap->crc_of)
        return;
    mcap->crc = mcap->crc_of(mcap, mcap->crc, data, size - (size_t)owed);
    while (owed) {
        const size_t part = owed < sizeof filling ? (size_t)owed : sizeof filling;
        mcap->crc = mcap->crc_of(mcap, mcap->crc, filling, part);
        owed -= part;
    }
}

static void out_write(xr_sink *sink, const void *data, size_t size)
{
    xr_mcap *mcap = ((xr_mcap_sink *)sink)->mcap;
    if (mcap->error || mcap->is_cut)
        return;
    mcap->position += size;
    const uint64_t owed = mcap->owed;
    if (mcap->owed) {
        mcap->owed += size;
    } else if (mcap->held_size) {
        keep(mcap, data, size);
    } else if (size <= mcap->out_capacity - mcap->out_used) {
        memcpy(mcap->out + mcap->out_used, data, size);
        mcap->out_used += size;
    } else {
        retry_flush(mcap);
        const size_t taken = mcap->out_used || size < mcap->out_capacity ? 0 : offer(mcap, data, size);
        if (taken < size)
            keep(mcap, (const uint8_t *)data + taken, size - taken);
    }
    if (!mcap->is_cut)
        sum(mcap, data, size, mcap->owed - owed);
}

static bool retry_begin(xr_mcap *mcap, uint64_t size)
{
    if (mcap->error)
        return false;
    const size_t room = mcap->out_capacity - mcap->out_used;
    if (xr_out_refused(mcap) || (size > room && (size <= mcap->out_capacity || room < HEADER))) {
        const bool clear = retry_flush(mcap);
        if (mcap->error || !clear || (mcap->out_used && size > mcap->out_capacity - mcap->out_used))
            return false;
    }
    mcap->record_at = mcap->position;
    mcap->record_crc = mcap->crc;
    mcap->in_record = true;
    return true;
}

static bool retry_end(xr_mcap *mcap)
{
    const bool whole = !mcap->error && !mcap->is_cut && !mcap->owed;
    mcap->is_cut = mcap->in_record = false;
    return whole;
}

static int retry_settle(xr_mcap *mcap, int how)
{
    int tries = 8;
    do {
        xr_mcap_flush(mcap, (xr_flush)how);
    } while (!mcap->error && xr_out_refused(mcap) && --tries);
    return mcap->error ? mcap->error : xr_out_refused(mcap);
}

const exray_retry_part *exray_retry_part_default(void)
{
    static const exray_retry_part part = {out_write, retry_begin, retry_end, retry_flush, retry_settle};
    return &part;
}
