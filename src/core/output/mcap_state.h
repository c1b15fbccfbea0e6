/* The state of the MCAP writer: data alone.  What works on it: mcap.h; out.h, the way to the sink. */
#ifndef XR_MCAP_STATE_H
#define XR_MCAP_STATE_H

#include "core/encode/messages.h"
#include "core/parts.h"
#include <stdatomic.h>

/* A channel, made by the recorder.  It does not change once it is in use, so the
 * writer thread may read it while the recorder adds others. */
typedef struct xr_channel_info {
    const char *topic;
    uint32_t layer; /* the node whose name and op are the channel's metadata, or EXRAY_NO_INDEX */
    uint32_t hash;
    uint16_t schema; /* xr_schema_id, which is also the MCAP schema id */
} xr_channel_info;

/* The records that stand at the head of a log: an xr_message (the model, a constant), an
 * xr_attachment_record, an xr_metadata_record. */
typedef enum xr_head_kind { XR_HEAD_MESSAGE, XR_HEAD_ATTACHMENT, XR_HEAD_METADATA } xr_head_kind;
/* What the recorder reads of the writer, which may run on a thread of its own. */
typedef struct xr_mcap_told {
    atomic_int refused; /* the last error number of a sink that did not take all; 0: it did */
    atomic_uint lost;   /* records so far */
} xr_mcap_told;

typedef struct xr_mcap {
    /* Set by the opener. */
    exray_recorder_write_fn write;
    void *user;
    bool (*take_back)(void *user,
                      uint64_t size); /* takes the last bytes back from the sink; NULL: it cannot */
    bool is_fixed;                    /* a sink that is full stays full */
    const xr_channel_info *channels;
    uint32_t max_channels;
    uint8_t *channel_written; /* [max_channels] of the recorder, zeros: its Channel record is in the log, the
                                 last one since that many repetitions */
    uint64_t budget;          /* of bytes; 0: none */
    uint8_t *out;
    size_t out_capacity;
    xr_mcap_told *told;
    const exray_chunks_part *part; /* NULL: a stream */
    struct xr_chunks *chunks;
    /* Keeps a record that each file of a series begins with; NULL: there is one file. */
    void (*keep)(struct xr_mcap *mcap, xr_head_kind kind, const void *record);
    void *sink;              /* `user`, whatever stands between the writer and its sink */
    int (*sync)(void *sink); /* beyond the system's buffers; NULL: the sink cannot */
    /* Writes `distance` bytes behind what `write` was given, which goes on where it was; size 0: what was
     * written ahead is void.  NULL: the
     * sink cannot. */
    int (*write_ahead)(void *sink, uint64_t distance, const void *data, size_t size);
    uint64_t flush_ns, sync_ns;            /* how old what waits may become; sync_ns 0: any age */
    const exray_checksums_part *checksums; /* NULL: no Check records */
    const exray_retry_part *retry;         /* NULL: a sink that does not take all ends the log */
    const exray_flush_part *flush;         /* NULL: what waits may become of any age */
    const exray_codec *codec;
    struct xr_crc32_tables *crc_tables;   /* of the checksums */
    const exray_layers_part *layers_part; /* NULL: channels have no metadata */
    struct xr_layer_list *layers;

    /* State; zero at first. */
    int error;         /* of a sink that is gone: nothing more is written */
    uint64_t before;   /* bytes of the files before this one */
    uint64_t position; /* of what comes next, in the log */
    size_t out_used;
    uint64_t flushed_ns, synced_ns; /* when the open chunk was last closed, the sink last synced */
    int sync_error;                 /* of the last sync, 0: none */
    /* output/out.c: what waits in `out`, then what is held, then what is owed. */
    uint8_t *held;
    size_t held_size;
    uint64_t owed;
    uint8_t *spare; /* memory for `held`; NULL: none now */
    size_t spare_size;
    uint64_t sent, record_at; /* bytes that the sink has; where the record under way begins */
    bool in_record, is_cut;   /* is_cut: taken back, the rest of it is passed over */
    uint8_t failures;
    bool ending; /* what is written now is the last of the data */
    bool schema_written[XR_SCHEMA_COUNT];
    uint8_t repetition; /* of the channels, from 1 on */
    uint64_t repeat_at; /* where the next one begins */
    /* The CRC of all bytes of the data section; NULL: nobody wants it.  record_crc: where the record under
     * way begins. */
    uint32_t (*crc_of)(const void *context, uint32_t crc, const void *data, size_t size);
    uint32_t crc, record_crc;
    uint64_t checked; /* the end of the last Check record */
} xr_mcap;

/* A sink to the log itself. */
typedef struct xr_mcap_sink {
    xr_sink sink;
    xr_mcap *mcap;
} xr_mcap_sink;

#endif
