/* The memory block: how large each table and buffer is, and where it lies. */
#include "core/layout.h"

#include "core/channels.h"
#include "core/host/layer_filter.h"
#include "core/sized.h"

enum {
    DEFAULT_CHANNELS = 4096,
    SMALLEST_CHANNELS = 8, /* five are set aside for what every log has */
    DEFAULT_CHUNKS = 16384,
    DEFAULT_CHUNK = 1 << 20,
    SMALLEST_CHUNK = 32 << 10, /* schema, channel and a quarter's message fit in any case */
    CHUNK_ENTRIES = 4096,      /* messages in one chunk */
    CHANNELS_PER_CHUNK = 16,   /* on average, for the chunk index */
    NAMES = 64 << 10,          /* bytes for the names of layers */
    OUT_BUFFER = 16 << 10,
    SMALLEST_RING = 16 << 10,
    INDEX_BYTES = 8 << 10, /* of AttachmentIndex, and of MetadataIndex records */
    ALIGNMENT = 16,
};

/* One walk over the parts serves both: measuring (base NULL) and placing. */
typedef struct memory_block {
    uint8_t *base;
    size_t used;
} memory_block;

static void *take(memory_block *b, size_t count, size_t size)
{
    void *at = b->base ? b->base + b->used : NULL;
    b->used += (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return at;
}

static void place_channels(xr_recorder *r, const xr_memory_plan *plan, memory_block *b)
{
    xr_channels *channels = &r->channels;
    channels->table = take(b, plan->max_channels, sizeof *channels->table);
    channels->use = take(b, plan->max_channels, sizeof *channels->use);
    channels->hash = take(b, plan->hash_size, sizeof *channels->hash);
    channels->topics = (xr_name_pool){take(b, plan->topics_size, 1), 0, plan->topics_size};
    channels->max = plan->max_channels;
    channels->hash_size = plan->hash_size;
    r->names.arena = (xr_name_pool){take(b, plan->names_size, 1), 0, plan->names_size};
    r->names.name = take(b, plan->max_layers, sizeof *r->names.name);
    r->names.op = take(b, plan->max_layers, sizeof *r->names.op);
    r->names.max = plan->max_layers;
}

static void place_writer(xr_mcap *mcap, const xr_memory_plan *plan, const exray_recorder_config *config,
                         memory_block *b)
{
    mcap->stream = config->stream;
    mcap->codec = config->codec;
    mcap->compression = config->compression;
    mcap->chunk_size = plan->chunk_size;
    /* Uncompressed it saves a copy; compressed, small chunks would pack badly. */
    mcap->own_size = plan->chunk_size / (config->compression ? 4 : 16);
    mcap->max_chunks = plan->max_chunks;
    mcap->max_entries = plan->max_entries;
    mcap->max_chunk_channels = plan->max_chunk_channels;
    mcap->states = take(b, plan->max_channels, sizeof *mcap->states);
    mcap->out = take(b, plan->out_capacity, 1);
    mcap->out_capacity = plan->out_capacity;
    if (config->stream)
        return;
    mcap->chunk = take(b, plan->chunk_size, 1);
    mcap->packed = take(b, plan->packed_capacity, 1);
    mcap->packed_capacity = plan->packed_capacity;
    mcap->entries = take(b, plan->max_entries, sizeof *mcap->entries);
    mcap->touched = take(b, plan->max_entries, sizeof *mcap->touched);
    mcap->chunks = take(b, plan->max_chunks, sizeof *mcap->chunks);
    mcap->chunk_channels = take(b, plan->max_chunk_channels, sizeof *mcap->chunk_channels);
    if (plan->crc_tables)
        mcap->crc_tables = take(b, 1, sizeof *mcap->crc_tables);
    mcap->attachments = (xr_index_bytes){.bytes = take(b, plan->index_size, 1), .capacity = plan->index_size};
    mcap->metadata = (xr_index_bytes){.bytes = take(b, plan->index_size, 1), .capacity = plan->index_size};
}

static size_t place_all(xr_recorder *r, const xr_memory_plan *plan, const exray_recorder_config *config,
                        memory_block *b)
{
    place_channels(r, plan, b);
    place_writer(&r->mcap, plan, config, b);
    r->frame.source = take(b, XR_MAX_SOURCE + 1, 1);
    r->frame.entries = take(b, XR_FRAME_ENTRIES, 1);
    char *layers = plan->layers_size ? take(b, plan->layers_size, 1) : NULL;
    if (layers && config->layers)
        r->layers = memcpy(layers, config->layers, plan->layers_size);
    if (plan->ring_size) {
        r->ring.worker = take(b, 1, xr_port_worker_size());
        r->ring.bytes = take(b, plan->ring_size, 1);
        r->ring.capacity = plan->ring_size;
    }
    return b->used;
}

static size_t power_of_two_below(size_t size)
{
    size_t power = 1;
    while (power <= size / 2)
        power *= 2;
    return power;
}

static const char *problem_of(const exray_recorder_config *config)
{
    const bool compresses = config->codec && config->codec->compress && config->codec->compress_bound;
    if ((unsigned)config->capture > EXRAY_CAPTURE_FULL)
        return "config.capture is no capture level; use EXRAY_CAPTURE_OFF ... EXRAY_CAPTURE_FULL";
    if ((unsigned)config->compression > EXRAY_COMPRESSION_ZSTD)
        return "config.compression is none of EXRAY_COMPRESSION_NONE, LZ4, ZSTD";
    if (config->compression && !compresses)
        return "config.compression needs config.codec: link exray_codecs and set it to exray_codec_default()";
    if (config->compression && config->stream)
        return "config.compression needs chunks: leave config.stream false";
    if (config->ring_size && config->ring_size < SMALLEST_RING)
        return "config.ring_size is under 16 KiB; a frame's records need more (several MiB are usual)";
    if ((unsigned)config->role > EXRAY_ROLE_REFERENCE)
        return "config.role is neither EXRAY_ROLE_EDGE nor EXRAY_ROLE_REFERENCE";
    if (config->max_channels > 65535)
        return "config.max_channels is over 65535, the most that MCAP can number";
    if (config->metadata_count && !config->metadata)
        return "config.metadata is NULL, but config.metadata_count is not 0";
    for (uint32_t i = 0; i < config->metadata_count; i++)
        if (!config->metadata[i].key || !*config->metadata[i].key)
            return "config.metadata has an entry without a key";
    return config->layers && *config->layers ? xr_filter_problem(config->layers) : NULL;
}

/* A small memory sink wants small chunks: what is in an unfinished one is lost
 * when the sink is full. */
static size_t default_chunk(size_t sink_size)
{
    const size_t share = sink_size / 16;
    if (!sink_size || share > DEFAULT_CHUNK)
        return DEFAULT_CHUNK;
    return share < SMALLEST_CHUNK ? SMALLEST_CHUNK : share;
}

static void plan_chunks(const exray_recorder_config *config, size_t sink_size, xr_memory_plan *plan)
{
    plan->chunk_size = config->chunk_size ? config->chunk_size : default_chunk(sink_size);
    if (plan->chunk_size < SMALLEST_CHUNK)
        plan->chunk_size = SMALLEST_CHUNK;
    plan->max_chunks = config->max_chunks ? config->max_chunks : DEFAULT_CHUNKS;
    plan->max_entries = CHUNK_ENTRIES;
    plan->max_chunk_channels = plan->max_chunks > UINT32_MAX / CHANNELS_PER_CHUNK
                                   ? UINT32_MAX
                                   : plan->max_chunks * CHANNELS_PER_CHUNK;
    if (config->compression)
        plan->packed_capacity = config->codec->compress_bound(config->compression, plan->chunk_size);
    plan->crc_tables = !config->codec || !config->codec->crc32;
    plan->index_size = INDEX_BYTES;
}

bool xr_plan_of(const exray_recorder_config *config, size_t sink_size, xr_memory_plan *plan,
                const char **problem)
{
    *plan = (xr_memory_plan){0};
    *problem = problem_of(config);
    if (*problem)
        return false;
    plan->max_channels = config->max_channels ? config->max_channels : DEFAULT_CHANNELS;
    if (plan->max_channels < SMALLEST_CHANNELS)
        plan->max_channels = SMALLEST_CHANNELS;
    plan->hash_size = (uint32_t)power_of_two_below((size_t)plan->max_channels * 4);
    plan->topics_size = (size_t)plan->max_channels * 24 + 2 * XR_MAX_TOPIC;
    /* A recorder of few channels is one of little memory. */
    plan->names_size = plan->max_channels < 512 ? (size_t)plan->max_channels * 128 : NAMES;
    plan->max_layers = plan->max_channels;
    plan->out_capacity = OUT_BUFFER;
    plan->layers_size = config->layers && *config->layers ? strlen(config->layers) + 1 : 0;
    plan->ring_size = config->ring_size ? power_of_two_below(config->ring_size) : 0;
    if (!config->stream)
        plan_chunks(config, sink_size, plan);
    xr_recorder scratch;
    memset(&scratch, 0, sizeof scratch);
    plan->total = place_all(&scratch, plan, config, &(memory_block){NULL, 0});
    return true;
}

void xr_place(xr_recorder *r, const xr_memory_plan *plan, const exray_recorder_config *config, void *memory)
{
    place_all(r, plan, config, &(memory_block){memory, 0});
    memset(r->channels.hash, 0, plan->hash_size * sizeof *r->channels.hash);
    r->mcap.channels = r->channels.table;
}

size_t exray_recorder_memory_needed(const exray_recorder_config *config)
{
    static const exray_recorder_config defaults = EXRAY_RECORDER_CONFIG_INIT;
    exray_recorder_config known;
    xr_memory_plan plan;
    const char *problem = xr_sized_read(&known, sizeof known, config ? config : &defaults);
    if (problem || !xr_plan_of(&known, 0, &plan, &problem))
        return 0;
    return plan.total + ALIGNMENT; /* the block need not be aligned */
}
