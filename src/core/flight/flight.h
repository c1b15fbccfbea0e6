/* The flight recorder's state, and what its files share. */
#ifndef XR_FLIGHT_H
#define XR_FLIGHT_H

#include "core/chunks/crc32.h"
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

/* ---- trigger.c ---- */

/* Takes what other threads asked for since. */
void xr_flight_take_requests(xr_recorder *r);
/* Marks frames to be written, and tells. */
void xr_flight_fire(xr_recorder *r, uint64_t frame, uint32_t before, uint32_t after, const char *reason);

/* ---- conditions.c ---- */

void xr_flight_conditions_begin(xr_flight *flight);
/* What a record of the frame tells. */
void xr_flight_note_result(xr_flight *flight, const exray_result *result);
void xr_flight_note_output(xr_flight *flight, const exray_tensor *tensor);
/* At the frame's end. */
void xr_flight_conditions_check(xr_recorder *r);

/* ---- black_box.c ---- */

/* Makes and maps the file. */
exray_status xr_flight_box_open(xr_recorder *r);
/* Gives an entry of the ring its checksums; `entry` is followed by topic and message. */
void xr_flight_box_seal(xr_flight *flight, xr_box_entry *entry);
/* Keeps the model, a message of no frame: the one in the draft. */
void xr_flight_box_message(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                           const void *object);
/* `closed`: the log has all that was asked for. */
void xr_flight_box_close(xr_flight *flight, bool closed);

#endif
