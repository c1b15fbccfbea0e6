#include "core/layout.h"

#include "core/channels.h"
#include "core/sized.h"

enum {
    DEFAULT_CHANNELS = 4096,
    SMALLEST_CHANNELS = 8, /* six are set aside for what every log has */
    DEFAULT_BUFFER = 16 << 10,
    SMALLEST_BUFFER = 256,
    DRAFT = 4 << 10, /* bytes; what of a record is larger than that is encoded as it is written */
};

/* What has the same size in every recorder. */
typedef struct fixed_block {
    xr_callback callback;
    xr_mcap_told told;
    char topic[XR_MAX_TOPIC], source[XR_MAX_SOURCE + 1];
    uint8_t entries[XR_FRAME_ENTRIES];
} fixed_block;

static uint32_t power_of_two_below(uint32_t size)
{
    uint32_t power = 1;
    while (power <= size / 2)
        power *= 2;
    return power;
}

static uint32_t max_channels(const exray_recorder_config *config)
{
    const uint32_t count = config->max_channels ? config->max_channels : DEFAULT_CHANNELS;
    return count < SMALLEST_CHANNELS ? SMALLEST_CHANNELS : count;
}

static void place_channels(xr_recorder *r, uint32_t max, xr_memory_block *block)
{
    xr_channels *channels = &r->channels;
    const size_t topics = (size_t)max * 24 + 2 * XR_MAX_TOPIC;
    channels->max = max;
    channels->hash_size = power_of_two_below(max * 4);
    channels->table = xr_block_take(block, max, sizeof *channels->table);
    channels->use = xr_block_take(block, max, sizeof *channels->use);
    channels->hash = xr_block_take(block, channels->hash_size, sizeof *channels->hash);
    channels->topics = (xr_name_pool){xr_block_take(block, topics, 1), 0, topics};
}

static void place_writer(xr_recorder *r, const exray_recorder_config *config, size_t sink_size,
                         xr_memory_block *block)
{
    xr_mcap *mcap = &r->mcap;
    mcap->out_capacity = config->buffer_size ? config->buffer_size : DEFAULT_BUFFER;
    if (mcap->out_capacity < SMALLEST_BUFFER)
        mcap->out_capacity = SMALLEST_BUFFER;
    mcap->out = xr_block_take(block, mcap->out_capacity, 1);
    mcap->channels = r->channels.table;
    mcap->max_channels = r->channels.max;
    mcap->channel_written = xr_block_take(block, r->channels.max, sizeof *mcap->channel_written);
    r->draft.room = mcap->out_capacity < DRAFT ? mcap->out_capacity : DRAFT;
    r->draft.bytes = xr_block_take(block, r->draft.room, 1);
    mcap->codec = config->codec;
    mcap->checksums = r->parts.checksums;
    mcap->retry = r->parts.retry;
    mcap->flush = r->parts.flush;
    if (config->stream) {
        if (mcap->checksums)
            mcap->checksums->place(mcap, block);
        return;
    }
    mcap->part = r->parts.chunks;
    mcap->chunks = mcap->part->place(config, sink_size, r->channels.max, block);
    r->draft.crc_of = mcap->part->crc;
    r->draft.context = mcap;
}

size_t xr_layout(xr_recorder *r, const exray_recorder_config *config, size_t sink_size, void *memory)
{
    xr_memory_block block = {memory, 0};
    place_channels(r, max_channels(config), &block);
    place_writer(r, config, sink_size, &block);
    fixed_block *fixed = xr_block_take(&block, 1, sizeof *fixed);
    if (fixed) {
        r->callback = &fixed->callback;
        r->mcap.told = &fixed->told;
        r->topic = fixed->topic;
        r->frame.source = fixed->source;
        r->frame.entries = fixed->entries;
    }
    if (r->parts.sketch)
        r->bucket = xr_block_take(&block, EXRAY_SKETCH_BUCKETS, sizeof *r->bucket);
    if (r->parts.stats && r->parts.stats->channels)
        r->channel_room = xr_block_take(&block, 1, sizeof *r->channel_room);
    if (r->parts.layers)
        r->layers = r->parts.layers->place(config, r->channels.max, &block);
    if (r->parts.layer_stats)
        r->layer_stats = r->parts.layer_stats->place(r->channels.max, &block);
    r->mcap.layers_part = r->parts.layers;
    r->mcap.layers = r->layers;
    if (config->flight)
        r->flight = r->parts.flight->place(config, &block, &r->flight_capture);
    if (config->ring_size)
        r->ring = r->parts.async->place(config, &block);
    if (memory) {
        memset(r->channels.hash, 0, r->channels.hash_size * sizeof *r->channels.hash);
        memset(r->mcap.channel_written, 0, r->channels.max);
        atomic_init(&r->mcap.told->refused, 0);
        atomic_init(&r->mcap.told->lost, 0);
    }
    return block.used;
}

/* "PART (what asks for it)", of a part that the config needs and that is not there; NULL: none. */
static const char *missing_part(const exray_recorder_config *config, const exray_recorder_parts *parts)
{
    const exray_capture capture = config->capture ? config->capture : EXRAY_CAPTURE_STATS;
    const bool summarizes = capture == EXRAY_CAPTURE_STATS || capture == EXRAY_CAPTURE_SKETCH;
    if (!config->stream && !parts->chunks)
        return "chunks (stream is false)";
    if ((summarizes || config->no_io_data || config->no_output_data) && !parts->stats)
        return "stats (capture, 0 is STATS; no_..._data)";
    if (capture == EXRAY_CAPTURE_SKETCH && !parts->sketch)
        return "sketch (capture)";
    if (config->ring_size && !parts->async)
        return "async (ring_size)";
    if (config->byte_budget && !parts->budget)
        return "budget (byte_budget)";
    if (!parts->flush && (config->flush_frames || config->flush_ms || config->sync_frames || config->sync_ms))
        return "flush (flush_..., sync_...)";
    if (config->flight && !parts->flight)
        return "flight (flight)";
    if (config->layers && *config->layers && !parts->layers)
        return "layers (layers)";
    return NULL;
}

/* NULL: the config can be, no part missing. */
static const char *config_problem(const exray_recorder_config *config, const exray_recorder_parts *parts)
{
    if ((unsigned)config->capture > EXRAY_CAPTURE_FULL)
        return "config.capture is unknown";
    if (config->compression && config->stream)
        return "config.compression needs chunks, not config.stream";
    if ((unsigned)config->role > EXRAY_ROLE_REFERENCE)
        return "config.role is unknown";
    if (config->max_channels > 65535)
        return "config.max_channels is over 65535";
    for (uint32_t i = 0; i < config->metadata_count; i++)
        if (!config->metadata || !config->metadata[i].key || !*config->metadata[i].key)
            return "config.metadata or a key in it is missing";
    const char *problem = config->stream ? NULL : parts->chunks->problem(config);
    if (!problem && config->ring_size)
        problem = parts->async->problem(config);
    if (!problem && config->flight)
        problem = parts->flight->problem(config, parts);
    if (!problem && config->layers && *config->layers)
        problem = parts->layers->problem(config->layers);
    return problem;
}

const char *xr_read_config(const exray_recorder_config *from, const exray_recorder_parts *parts,
                           exray_recorder_config *to, exray_recorder_parts *to_parts, const char **which)
{
    const char *problem = NULL;
    *which = "config: ";
    memset(to, 0, sizeof *to);
    if (from)
        problem = xr_sized_read(to, sizeof *to, from);
    if (problem)
        return problem;
    *which = "config.parts: ";
    problem = xr_sized_read(to_parts, sizeof *to_parts, to->parts ? to->parts : parts);
    if (problem)
        return problem;
    *which = "config.parts lacks a part that config asks for: ";
    problem = missing_part(to, to_parts);
    if (problem)
        return problem;
    *which = "";
    return config_problem(to, to_parts);
}

size_t xr_memory_needed(const exray_recorder_config *config, const exray_recorder_parts *parts)
{
    exray_recorder_config known;
    const char *which;
    xr_recorder scratch;
    memset(&scratch, 0, sizeof scratch);
    if (xr_read_config(config, parts, &known, &scratch.parts, &which))
        return 0;
    /* The block need not be aligned. */
    return xr_layout(&scratch, &known, 0, NULL) + XR_BLOCK_ALIGNMENT;
}
