/* The tables behind exray_recorder_parts: what the recorder asks of a part.  A recorder calls a
 * part by its table alone, so that a program links what it names. */
#ifndef XR_PARTS_H
#define XR_PARTS_H

#include "core/encode/sink.h"
#include "core/memory_block.h"
#include <exray/exray.h>

struct xr_mcap;
struct xr_message;
struct xr_attachment_record;
struct xr_metadata_record;
struct xr_recorder;
struct xr_ring;
struct xr_chunks;
struct xr_sink;
struct xr_layer_list;
struct xr_port_usage;
struct xr_flight;
struct xr_layer_stats;
struct xr_event_message;

/* What is kept of a tensor. */
typedef enum xr_keep { XR_KEEP_NOTHING, XR_KEEP_INFO, XR_KEEP_STATS, XR_KEEP_SKETCH, XR_KEEP_DATA } xr_keep;

/* checksums/ */
struct exray_checksums_part {
    /* Takes the memory that it needs. */
    void (*place)(struct xr_mcap *mcap, xr_memory_block *block);
    /* Continues a CRC-32; `context` is the xr_mcap. */
    uint32_t (*crc)(const void *context, uint32_t crc, const void *data, size_t size);
    /* A Check record, if there are bytes that none covers. */
    void (*check)(struct xr_mcap *mcap);
    /* Before and after a message of a stream (of chunks: before it); `size`: of its content. */
    void (*before)(struct xr_mcap *mcap, size_t size);
    void (*after)(struct xr_mcap *mcap);
};

/* output/retry.c: what out.h says. */
struct exray_retry_part {
    void (*write)(struct xr_sink *sink, const void *data, size_t size);
    bool (*begin)(struct xr_mcap *mcap, uint64_t size);
    bool (*end)(struct xr_mcap *mcap);
    bool (*flush)(struct xr_mcap *mcap);
    int (*settle)(struct xr_mcap *mcap, int how);
};

/* events/tell.c */
struct exray_events_part {
    /* One line of text at most; whatever the level. */
    exray_status (*write)(struct xr_recorder *r, struct xr_event_message *event);
    /* exray_recorder_event */
    exray_status (*call)(struct xr_recorder *r, exray_event_kind kind, const char *text);
    /* A call was refused, at the cost of so many records: r->error. */
    void (*refused)(struct xr_recorder *r, uint32_t records);
    /* At the end: of calls that were only counted so far; a sink that was busy may take again what waits. */
    void (*end)(struct xr_recorder *r);
    /* So many more records were lost. */
    void (*gap)(struct xr_recorder *r, uint32_t lost);
    const char *(*status_name)(exray_status status);
};

/* limits/flush.c; `how` is xr_flush. */
struct exray_flush_part {
    /* How far what is buffered goes, by its age. */
    int (*by_age)(struct xr_mcap *mcap, int how, uint64_t now);
    /* Hands over what is too old, and only that; returns the writer's error number. */
    int (*written)(struct xr_mcap *mcap, uint64_t now);
    /* After it was handed over. */
    void (*handed_over)(struct xr_mcap *mcap, int how, uint64_t now);
    /* At a frame's end. */
    int (*at_frame)(struct xr_recorder *r);
    exray_status (*call)(struct xr_recorder *r, int how);
};

/* summary/stats.c */
struct exray_stats_part {
    exray_status (*compute)(const exray_tensor_info *info, const void *data, size_t size, exray_stats *out);
    /* exray_channel_stats_compute, or NULL. */
    exray_status (*channels)(const exray_tensor_info *info, const void *data, size_t size,
                             const exray_stats *stats, exray_channel_room *room, exray_channel_stats *out);
};

/* summary/sketch.c */
struct exray_sketch_part {
    exray_status (*compute)(const exray_tensor_info *info, const void *data, size_t size, uint64_t seed,
                            exray_stats *stats, float bucket[EXRAY_SKETCH_BUCKETS], uint32_t *count);
};

/* host/layers_part.c */
struct exray_layers_part {
    /* NULL: the list can be understood; else what is wrong with it. */
    const char *(*problem)(const char *layers);
    struct xr_layer_list *(*place)(const exray_recorder_config *config, uint32_t max_channels,
                                   xr_memory_block *block);
    /* Keeps the names of the model's layers, as far as there is room. */
    void (*keep_names)(struct xr_layer_list *layers, const exray_model *model);
    /* The metadata of a layer's channel: pairs of what is known of its name and op. */
    void (*put_names)(struct xr_sink *sink, const struct xr_layer_list *layers, uint32_t node);
    /* Whether config.layers takes the layer. */
    bool (*take)(const struct xr_layer_list *layers, uint32_t index, const char *name);
};

/* host/machine.c */
struct exray_machine_part {
    /* Writes the metadata record "exray" with what is known of the machine. */
    exray_status (*identify)(struct xr_recorder *r, const exray_recorder_config *config);
    /* Opens, reads and closes what /system tells. */
    void (*watch)(struct xr_recorder *r);
    void (*read)(struct xr_recorder *r, uint64_t now, struct xr_port_usage *usage);
    void (*put)(struct xr_sink *sink, const struct xr_port_usage *usage); /* fields of System */
    void (*end)(struct xr_recorder *r);
};

/* flight/flight.c */
struct exray_flight_part {
    /* NULL: config.flight is fine; else what is wrong with it. */
    const char *(*problem)(const exray_recorder_config *config, const exray_recorder_parts *parts);
    /* And the level that waits. */
    struct xr_flight *(*place)(const exray_recorder_config *config, xr_memory_block *block,
                               exray_capture *level);
    /* While the beginning of the log is in the writer's buffer. */
    exray_status (*start)(struct xr_recorder *r);
    /* A record on its way to the log, in the draft.  true: the log does not get it now. */
    bool (*take)(struct xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                 const void *object, bool rich);
    /* After /frame. */
    void (*frame_end)(struct xr_recorder *r);
    /* Writes what is still to be written. */
    void (*end)(struct xr_recorder *r);
    void (*release)(struct xr_recorder *r, bool closed);
};

/* summary/layer_stats.c */
struct exray_layer_stats_part {
    struct xr_layer_stats *(*place)(uint32_t max_channels, xr_memory_block *block);
    /* Notes what /model will say of layers and constants, and makes the channels. */
    void (*keep_model)(struct xr_recorder *r, const exray_model *model);
    /* Where statistics alone say all of the tensor: keeps them for the message of their frame (of the
     * constants), which is written at its end, or when the part's memory is full.  false: they do not. */
    bool (*take)(struct xr_recorder *r, const exray_tensor *tensor, exray_status *status);
    /* Writes what waits. */
    exray_status (*flush)(struct xr_recorder *r);
};

/* limits/budget.c; but for begin, none is called where there is no limit.  A share is an xr_share. */
struct exray_budget_part {
    /* Once the log is begun: what is set aside for its end, and for the channels that there are. */
    void (*begin)(struct xr_recorder *r);
    /* The most that a message of that size adds to the log. */
    uint64_t (*cost)(const struct xr_recorder *r, uint32_t channel, uint64_t size);
    /* Whether it finds no room here, but would in an empty file. */
    bool (*waits)(const struct xr_recorder *r, int share, uint64_t cost);
    /* Whether a message of that size may be sent, and its cost, which goes to the channel's share. */
    bool (*admit_message)(struct xr_recorder *r, uint32_t channel, uint64_t size, uint64_t *cost);
    void (*spend_message)(struct xr_recorder *r, uint32_t channel, uint64_t cost);
    /* Whether the head of each file may have so much more; and takes it. */
    bool (*head)(struct xr_recorder *r, uint64_t cost);
    /* Whether data of the tensor, which end the message in the draft, may be sent. */
    bool (*data)(struct xr_recorder *r, const exray_tensor *tensor, uint32_t channel);
    /* What may be kept of a tensor of which that much is to be. */
    xr_keep (*keep)(const struct xr_recorder *r, exray_kind kind, xr_keep k);
    /* Whether the frame that begins is recorded. */
    bool (*keeps_frame)(struct xr_recorder *r, uint64_t index);
    /* Tells what was lowered since; at the end, what was left out.  Not while a record is being made. */
    void (*tell)(struct xr_recorder *r, bool end);
};

/* What the writer's thread is told to do: returns the writer's error number. */
typedef int (*xr_writer_call)(struct xr_mcap *mcap, const void *object);

/* async/ring.c */
struct exray_async_part {
    /* NULL: the config is fine; else what is wrong with it. */
    const char *(*problem)(const exray_recorder_config *config);
    struct xr_ring *(*place)(const exray_recorder_config *config, xr_memory_block *block);
    exray_status (*start)(struct xr_recorder *r);
    /* Takes the message in, as the policy says; `must`: waits in any case.  false: there is no room. */
    bool (*send)(struct xr_recorder *r, const struct xr_message *message, bool must);
    /* Whether a message of that size leaves half of the ring free; also where it could never be taken. */
    bool (*has_room)(struct xr_ring *ring, size_t size);
    void (*call)(struct xr_ring *ring, xr_writer_call function, const void *object);
    /* The same without waiting for it; false: there is no room. */
    bool (*post)(struct xr_ring *ring, xr_writer_call function, const void *object);
    void (*flush)(struct xr_ring *ring, int how); /* xr_flush */
    void (*stop)(struct xr_ring *ring, bool discard);
    uint64_t (*bytes_written)(struct xr_ring *ring);
};

/* chunks/chunks.c */
struct exray_chunks_part {
    /* NULL: the config is fine; else what is wrong with it. */
    const char *(*problem)(const exray_recorder_config *config);
    /* `sink_size`: bytes of a memory sink, 0 for others. */
    struct xr_chunks *(*place)(const exray_recorder_config *config, size_t sink_size, uint32_t max_channels,
                               xr_memory_block *block);
    /* `context` is the xr_mcap. */
    uint32_t (*crc)(const void *context, uint32_t crc, const void *data, size_t size);
    /* false: it is not in the log, for the sink has no room. */
    bool (*message)(struct xr_mcap *mcap, const struct xr_message *message);
    /* Notes the record for the summary; the attachment's CRC. */
    uint32_t (*attachment)(struct xr_mcap *mcap, const struct xr_attachment_record *attachment,
                           uint64_t offset, uint64_t length);
    void (*metadata)(struct xr_mcap *mcap, const struct xr_metadata_record *metadata, uint64_t offset,
                     uint64_t length);
    void (*close_chunk)(struct xr_mcap *mcap);
    /* Back to no chunk at all, for the next file. */
    void (*restart)(struct xr_mcap *mcap);
    /* Writes the open chunk ahead of its end (xr_mcap.write_ahead). */
    void (*write_ahead)(struct xr_mcap *mcap);
    /* Writes the summary and the footer up to its CRC, which is returned. */
    uint32_t (*summary)(struct xr_mcap *mcap);
    /* An upper bound of what a message of that size adds to the log. */
    uint64_t (*message_cost)(const struct xr_mcap *mcap, uint64_t size);
};

#endif
