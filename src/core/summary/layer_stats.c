/* The part that gathers statistics: those of a frame's layers in one message, and those of the
 * model's constants in another, instead of a message and a channel for each. */
#include "core/channels.h"
#include "core/emit.h"

enum {
    SMALLEST_ROOM = 1 << 10,
    LARGEST_ROOM = 16 << 10, /* beyond it, a frame has several messages */
    BYTES_A_LAYER = 48,      /* of most layers' statistics */
    FEWEST_BYTES = 16,       /* of statistics worth a place of their own in the table of nodes */
    STATS_FIELD = 3,
};

typedef struct xr_layer_stats {
    /* What /model says of the layers, so that a reader describes them as they were. */
    uint32_t *output; /* [node_count] output 0 of each node, as a position in the model's tensors */
    uint32_t node_count, max_nodes, tensor_count;

    /* What waits: statistics as they will be written, and whose they are. */
    uint8_t *bytes;
    size_t used, room;
    uint32_t *node;
    uint32_t count, max_count;
    exray_kind kind;
    uint64_t frame;
} xr_layer_stats;

static size_t room_for(uint32_t max_channels)
{
    const size_t room = (size_t)max_channels * BYTES_A_LAYER;
    return room < SMALLEST_ROOM ? SMALLEST_ROOM : room > LARGEST_ROOM ? LARGEST_ROOM : room;
}

static xr_layer_stats *place(uint32_t max_channels, xr_memory_block *block)
{
    const size_t room = room_for(max_channels);
    const uint32_t max_count = (uint32_t)room / FEWEST_BYTES;
    xr_layer_stats *s = xr_block_take(block, 1, sizeof *s);
    uint32_t *output = xr_block_take(block, max_channels, sizeof *output);
    uint32_t *node = xr_block_take(block, max_count, sizeof *node);
    uint8_t *bytes = xr_block_take(block, room, 1);
    if (s)
        *s = (xr_layer_stats){.output = output,
                              .max_nodes = max_channels,
                              .bytes = bytes,
                              .room = room,
                              .node = node,
                              .max_count = max_count};
    return s;
}

static const char *topic_of(exray_kind kind)
{
    return kind == EXRAY_KIND_LAYER ? "/layers" : "/constants";
}

/* The channels are made now: later, those of inputs and results may have filled the table. */
static void keep_model(xr_recorder *r, const exray_model *model)
{
    xr_layer_stats *s = r->layer_stats;
    s->node_count = model->node_count < s->max_nodes ? model->node_count : s->max_nodes;
    for (uint32_t i = 0; i < s->node_count; i++)
        s->output[i] = model->nodes[i].output_count ? model->nodes[i].outputs[0] : EXRAY_NO_INDEX;
    s->tensor_count = model->tensor_count;
    xr_channel_find(r, topic_of(EXRAY_KIND_LAYER), XR_SCHEMA_LAYER_STATS, EXRAY_NO_INDEX);
    xr_channel_find(r, topic_of(EXRAY_KIND_CONSTANT), XR_SCHEMA_LAYER_STATS, EXRAY_NO_INDEX);
}

/* A reader has a node and statistics, no more: all else must be what /model says of the node. */
static bool is_known(const xr_recorder *r, const exray_tensor *tensor)
{
    const xr_layer_stats *s = r->layer_stats;
    if (r->model_dropped || !tensor->in_model || tensor->info_differs || !tensor->data || tensor->media)
        return false;
    if (tensor->kind == EXRAY_KIND_CONSTANT)
        return tensor->index < s->tensor_count && tensor->model_tensor == tensor->index;
    return tensor->kind == EXRAY_KIND_LAYER && tensor->output == 0 && tensor->occurrence == 0 &&
           tensor->index < s->node_count && tensor->model_tensor == s->output[tensor->index];
}

static exray_status flush(xr_recorder *r)
{
    xr_layer_stats *s = r->layer_stats;
    if (!s->count)
        return EXRAY_OK;
    const bool constants = s->kind == EXRAY_KIND_CONSTANT;
    const xr_layer_stats_message message = {constants ? 0 : s->frame, s->node, s->count, {s->bytes, s->used}};
    s->count = 0;
    s->used = 0;
    return xr_emit_topic(r, topic_of(s->kind), XR_SCHEMA_LAYER_STATS, xr_encode_layer_stats, &message,
                         xr_port_now(), constants ? XR_WAIT : XR_MAY_DROP);
}

static void encode_entry(xr_sink *sink, const void *stats)
{
    xr_pb_message(sink, STATS_FIELD, xr_encode_stats, stats);
}

static exray_status add(xr_recorder *r, const exray_tensor *tensor, const exray_stats *stats)
{
    xr_layer_stats *s = r->layer_stats;
    const size_t size =
        xr_encoded_size(encode_entry, stats); /* at most 120 bytes: there is room when empty */
    const bool other = s->kind != tensor->kind || s->frame != r->next_frame;
    exray_status status = EXRAY_OK;
    if (other || s->count == s->max_count || size > s->room - s->used)
        status = flush(r);
    s->kind = tensor->kind;
    s->frame = r->next_frame;
    xr_memory_sink memory = xr_memory_sink_at(s->bytes + s->used);
    encode_entry(&memory.sink, stats);
    s->used += size;
    s->node[s->count++] = tensor->index;
    return status;
}

static bool take_stats(xr_recorder *r, const exray_tensor *tensor, exray_status *status)
{
    exray_stats stats;
    if (!is_known(r, tensor) || !r->parts.stats ||
        r->parts.stats->compute(&tensor->info, tensor->data, tensor->size, &stats))
        return false;
    *status = add(r, tensor, &stats);
    return true;
}

const exray_layer_stats_part *exray_layer_stats_part_default(void)
{
    static const exray_layer_stats_part part = {place, keep_model, take_stats, flush};
    return &part;
}
