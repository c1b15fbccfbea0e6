/* The flight recorder's state: data alone. */
#ifndef XR_FLIGHT_STATE_H
#define XR_FLIGHT_STATE_H

#include "core/checksums/crc32.h"
#include "core/flight/flight_ring.h"
#include "core/state.h"

enum {
    XR_FLIGHT_REASON = 160, /* bytes, its NUL included */
    XR_FLIGHT_REQUESTS = 8,
    XR_FLIGHT_CONDITIONS = 4,
};

/* A trigger that waits for the recorder's thread.  Whoever has made `state` TAKEN owns the rest. */
typedef enum xr_request_state { XR_REQUEST_FREE, XR_REQUEST_TAKEN, XR_REQUEST_READY } xr_request_state;
typedef struct xr_flight_request {
    atomic_uint state;
    uint32_t frame; /* the low half of its index */
    uint32_t before, after;
    char reason[XR_FLIGHT_REASON];
} xr_flight_request;

/* Beyond the table: what they ask for together. */
typedef struct xr_flight_more {
    atomic_uint count, before, after, frame;
} xr_flight_more;

/* One trigger of a condition in a while. */
typedef struct xr_flight_limit {
    uint64_t last_ns;
    bool ever;
    uint32_t held_back;
} xr_flight_limit;

typedef struct xr_flight {
    exray_flight_config config;
    xr_flight_ring ring;
    uint64_t frame; /* the last that began */
    bool in_frame, keeping;
    bool frame_wanted; /* the one that is open */
    bool writing;      /* its records come from the ring */
    uint64_t spent;    /* of the budget, before what is being written */
    uint32_t wanted;   /* frames in the ring that are to be written */
    uint32_t after_left;
    uint32_t pause; /* frames until one is tried again, after one that did not fit */
    bool too_large, told_too_large;
    uint64_t lost_records; /* of frames that were wanted, since it was last told */

    /* Of the open frame. */
    bool has_score;
    float score;
    char not_finite[64]; /* the output's name, or "" */
    xr_flight_limit limits[XR_FLIGHT_CONDITIONS];

    /* Any thread. */
    atomic_uint now;     /* the low half of `frame` */
    atomic_uint waiting; /* requests were made */
    xr_flight_request requests[XR_FLIGHT_REQUESTS];
    xr_flight_more more;

    /* The file, where there is one. */
    xr_box_header *box; /* its mapping */
    size_t box_size, head_used;
    uint32_t run, run_crc;
    bool head_full;
    const exray_codec *codec;
    xr_crc32_tables *crc_tables;
} xr_flight;

#endif
