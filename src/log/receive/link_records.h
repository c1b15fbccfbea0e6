/* Packets of a link -> MCAP records, whole ones alone, and how many were lost. */
#ifndef XR_LINK_RECORDS_H
#define XR_LINK_RECORDS_H

#include "base/buffer.h"
#include "log/receive/link_packets.h"
#include "log/wire.h"

/* One record on its way, from packets that follow one another. */
typedef struct xr_link_piecing {
    xr_buffer bytes; /* with opcode and length */
    uint32_t number;
    bool open;
} xr_link_piecing;

/* Numbers of records that have not come: first ... end - 1. */
typedef struct xr_link_gap {
    uint32_t first, end;
} xr_link_gap;

/* Zero it before use. */
typedef struct xr_link_records {
    bool begun;
    uint32_t first;    /* the number that the first packet was of: what was sent before is not lost */
    uint32_t expected; /* the next record's number */
    xr_link_piecing now, repeat;
    xr_link_gap *gaps; /* sorted; where a repeated record is of one, it is new */
    size_t gap_count, gap_capacity;
    bool no_memory;
    uint64_t lost; /* records, as far as they were not repeated */
} xr_link_records;

enum { XR_LINK_MOST_RECORD = 1 << 30 }; /* bytes; data beyond that are never written */

typedef struct xr_link_record_user {
    void *context;
    /* A whole record; its opcode and length stand before its data. */
    void (*record)(void *context, const xr_mcap_record *record);
    /* So many records were lost, before the record that comes next. */
    void (*lost)(void *context, uint64_t records);
} xr_link_record_user;

/* Takes a packet of the stream. */
void xr_link_records_take(xr_link_records *records, const xr_link_packet *packet,
                          const xr_link_record_user *user);
/* At the end: what is open is lost. */
void xr_link_records_end(xr_link_records *records, const xr_link_record_user *user);
void xr_link_records_free(xr_link_records *records);

#endif
