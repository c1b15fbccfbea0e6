/* Reading a tensor and checking its chunk's CRC in one pass over memory: the
 * caller has the bytes summed block by block, as it goes through the data. */
#ifndef XR_LOG_DEFERRED_H
#define XR_LOG_DEFERRED_H

#include <exray/log.h>

/* A check under way; private. */
typedef struct xr_deferred {
    const exray_log *log;
    struct xr_chunk *chunk; /* NULL: nothing to check */
    const uint8_t *at;      /* summed so far, up to here */
    uint32_t crc;
} xr_deferred;

/* As exray_log_read_tensor, but the data is not checked before xr_deferred_finish
 * has returned true: until then what is made of it must not be kept. */
exray_status xr_log_read_deferred(const exray_log *log, const exray_record *record, exray_slot *slot,
                                  exray_tensor_view *out, xr_deferred *check, exray_error *error);

/* Sums on to `end`, an address in the tensor's data that never goes back. */
void xr_deferred_advance(xr_deferred *check, const void *end);

/* For callers who sum bytes themselves, in a pass that they make anyway: the CRC-32 of what comes before
 * `begin`, an address in the tensor's data; false: there is nothing to sum from there.  Then how far they
 * came, and theirs. */
bool xr_deferred_begin(xr_deferred *check, const void *begin, uint32_t *crc);
void xr_deferred_summed(xr_deferred *check, const void *end, uint32_t crc);

/* Sums the rest of the chunk; whether the CRC is right. */
bool xr_deferred_finish(xr_deferred *check);

#endif
