/* The part of chunks: its table, its memory, what it costs. */
#include "core/chunks/chunk_summary.h"

enum {
    DEFAULT_CHUNKS = 16384,
    DEFAULT_CHUNK = 1 << 20,
    SMALLEST_CHUNK = 32 << 10, /* schema, channel and a quarter's message fit in any case */
    CHUNK_ENTRIES = 4096,      /* messages in one chunk */
    CHANNELS_PER_CHUNK = 16,   /* on average, for the chunk index */
    INDEX_BYTES = 8 << 10,     /* of AttachmentIndex, and of MetadataIndex records */
};

/* ---- Memory ------------------------------------------------------------------- */

static const char *problem(const exray_recorder_config *config)
{
    const bool compresses = config->codec && config->codec->compress && config->codec->compress_bound;
    if ((unsigned)config->compression > EXRAY_COMPRESSION_ZSTD)
        return "config.compression is none of EXRAY_COMPRESSION_NONE, LZ4, ZSTD";
    if (config->compression && !compresses)
        return "config.compression needs config.codec: link exray_codecs and set it to exray_codec_default()";
    return NULL;
}

/* A small memory sink wants small chunks: what is in an unfinished one is lost
 * when the sink is full. */
static size_t default_chunk(size_t sink_size)
{
    const size_t share = sink_size / 16;
    return !sink_size || share > DEFAULT_CHUNK ? DEFAULT_CHUNK : share;
}

static xr_chunks plan(const exray_recorder_config *config, size_t sink_size)
{
    xr_chunks chunks = {.compression = config->compression, .codec = config->codec};
    chunks.chunk_size = config->chunk_size ? config->chunk_size : default_chunk(sink_size);
    if (chunks.chunk_size < SMALLEST_CHUNK)
        chunks.chunk_size = SMALLEST_CHUNK;
    /* Uncompressed it saves a copy; compressed, small chunks would pack badly. */
    chunks.own_size = chunks.chunk_size / (config->compression ? 4 : 16);
    chunks.max_entries = CHUNK_ENTRIES;
    chunks.max_chunks = config->max_chunks ? config->max_chunks : DEFAULT_CHUNKS;
    chunks.max_chunk_channels = chunks.max_chunks > UINT32_MAX / CHANNELS_PER_CHUNK
                                    ? UINT32_MAX
                                    : chunks.max_chunks * CHANNELS_PER_CHUNK;
    if (config->compression)
        chunks.packed_capacity = config->codec->compress_bound(config->compression, chunks.chunk_size);
    return chunks;
}

static xr_chunks *place(const exray_recorder_config *config, size_t sink_size, uint32_t max_channels,
                        xr_memory_block *block)
{
    xr_chunks c = plan(config, sink_size);
    xr_chunks *chunks = xr_block_take(block, 1, sizeof *chunks);
    c.states = xr_block_take(block, max_channels, sizeof *c.states);
    c.chunk = xr_block_take(block, c.chunk_size, 1);
    c.packed = xr_block_take(block, c.packed_capacity, 1);
    c.entries = xr_block_take(block, c.max_entries, sizeof *c.entries);
    c.touched = xr_block_take(block, c.max_entries, sizeof *c.touched);
    c.chunks = xr_block_take(block, c.max_chunks, sizeof *c.chunks);
    c.chunk_channels = xr_block_take(block, c.max_chunk_channels, sizeof *c.chunk_channels);
    if (!config->codec || !config->codec->crc32)
        c.crc_tables = xr_block_take(block, 1, sizeof *c.crc_tables);
    c.attachments = (xr_index_bytes){.bytes = xr_block_take(block, INDEX_BYTES, 1), .capacity = INDEX_BYTES};
    c.metadata = (xr_index_bytes){.bytes = xr_block_take(block, INDEX_BYTES, 1), .capacity = INDEX_BYTES};
    if (!chunks)
        return NULL;
    *chunks = c;
    if (c.crc_tables)
        xr_crc32_make(c.crc_tables);
    return chunks;
}

static void restart(xr_mcap *mcap)
{
    xr_chunks *chunks = mcap->chunks;
    memset(&chunks->chunk_used, 0, sizeof *chunks - offsetof(xr_chunks, chunk_used));
    chunks->attachments.used = chunks->attachments.count = 0;
    chunks->metadata.used = chunks->metadata.count = 0;
    chunks->attachments.full = chunks->metadata.full = false;
}

/* ---- Cost ------------------------------------------------------------------- */

/* Sizes of records, as the specification has them, rounded up. */
enum {
    MESSAGE_HEADER = XR_MCAP_RECORD_HEADER + XR_MCAP_MESSAGE_HEADER,
    INDEX_ENTRY = 16,
    MESSAGE_INDEX_AND_OFFSET = 9 + 6 + 10, /* a message may be the only one of its channel in a chunk */
    CHUNK_AND_INDEX = (9 + 44) + (9 + 72),
};

static uint64_t message_cost(const xr_mcap *mcap, uint64_t size)
{
    const uint64_t cost = MESSAGE_HEADER + size + INDEX_ENTRY + MESSAGE_INDEX_AND_OFFSET;
    /* A chunk may be closed because this message, up to a quarter of a chunk,
     * did not fit: the others fill at least three quarters.  One that is a chunk
     * of its own may have closed another before it. */
    if (size >= mcap->chunks->own_size)
        return cost + 2 * CHUNK_AND_INDEX;
    return cost + 2 + cost * CHUNK_AND_INDEX * 2 / mcap->chunks->chunk_size;
}

const exray_chunks_part *exray_chunks_part_default(void)
{
    static const exray_chunks_part part = {
        .problem = problem,
        .place = place,
        .crc = xr_chunks_crc,
        .message = xr_chunks_message,
        .attachment = xr_chunks_attachment,
        .metadata = xr_chunks_metadata,
        .close_chunk = xr_chunks_close,
        .restart = restart,
        .write_ahead = xr_chunks_write_ahead,
        .summary = xr_chunks_summary,
        .message_cost = message_cost,
    };
    return &part;
}
