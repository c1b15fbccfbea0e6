/* Channels by topic, and the layer names that their metadata carries. */
#include "core/channels.h"

#include "core/encode/text.h"

static uint32_t hash_of(const char *topic)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *topic; topic++)
        hash = (hash ^ (uint8_t)*topic) * 16777619u;
    return hash;
}

/* A copy of the string in the arena, or NULL where it is full. */
static char *arena_copy(xr_name_pool *arena, const char *text)
{
    const size_t size = strlen(text) + 1;
    if (size > arena->capacity - arena->used)
        return NULL;
    char *copy = memcpy(arena->bytes + arena->used, text, size);
    arena->used += size;
    return copy;
}

uint32_t xr_channel_find(xr_recorder *r, const char *topic, xr_schema_id schema, uint32_t node)
{
    xr_channels *channels = &r->channels;
    const uint32_t hash = hash_of(topic);
    uint32_t slot = hash & (channels->hash_size - 1);
    for (; channels->hash[slot]; slot = (slot + 1) & (channels->hash_size - 1)) {
        const uint32_t id = channels->hash[slot] - 1u;
        const xr_channel_info *channel = &channels->table[id];
        if (channel->hash == hash && strcmp(channel->topic, topic) == 0)
            return id;
    }
    if (channels->count == channels->max)
        return EXRAY_NO_INDEX;
    const char *copy = arena_copy(&channels->topics, topic);
    if (!copy)
        return EXRAY_NO_INDEX;
    const uint32_t id = channels->count++;
    channels->table[id] = (xr_channel_info){
        .topic = copy,
        .name = node == EXRAY_NO_INDEX ? NULL : xr_layer_name(r, node),
        .op = node == EXRAY_NO_INDEX ? NULL : xr_layer_op(r, node),
        .hash = hash,
        .schema = (uint16_t)schema,
    };
    channels->use[id] = (xr_channel_use){0};
    channels->hash[slot] = (uint16_t)(id + 1);
    return id;
}

void xr_tensor_topic(const exray_tensor *tensor, char topic[XR_MAX_TOPIC])
{
    xr_text_builder text = xr_text_in(topic, XR_MAX_TOPIC);
    xr_text_add(&text, "/");
    xr_text_add(&text, exray_kind_name(tensor->kind));
    xr_text_add(&text, "/");
    if (tensor->kind == EXRAY_KIND_LAYER || tensor->kind == EXRAY_KIND_CONSTANT) {
        xr_text_add_number(&text, tensor->index);
        if (tensor->kind == EXRAY_KIND_LAYER && tensor->output) {
            xr_text_add(&text, "/");
            xr_text_add_number(&text, tensor->output);
        }
    } else {
        const char *name = tensor->info.name;
        xr_text_add(&text, name && *name ? name : "0");
    }
}

static uint32_t keep_string(xr_name_pool *arena, const char *text)
{
    if (!text || !*text || strlen(text) > XR_MAX_NAME)
        return EXRAY_NO_INDEX;
    const char *copy = arena_copy(arena, text);
    return copy ? (uint32_t)(copy - arena->bytes) : EXRAY_NO_INDEX;
}

/* The node's name, else that of its first output. */
static const char *name_of(const exray_model *model, const exray_node *node)
{
    if (node->name && *node->name)
        return node->name;
    if (node->output_count && node->outputs[0] < model->tensor_count)
        return model->tensors[node->outputs[0]].name;
    return NULL;
}

/* Models have many nodes and few ops: the same op is kept once. */
static uint32_t keep_op(xr_layer_names *names, uint32_t nodes, const char *op)
{
    if (!op)
        return EXRAY_NO_INDEX;
    for (uint32_t i = nodes; i-- > 0;)
        if (names->op[i] != EXRAY_NO_INDEX && strcmp(names->arena.bytes + names->op[i], op) == 0)
            return names->op[i];
    return keep_string(&names->arena, op);
}

void xr_keep_names(xr_recorder *r, const exray_model *model)
{
    xr_layer_names *names = &r->names;
    const uint32_t count = model->node_count < names->max ? model->node_count : names->max;
    for (uint32_t i = 0; i < count; i++) {
        names->op[i] = keep_op(names, i, model->nodes[i].op);
        names->name[i] = keep_string(&names->arena, name_of(model, &model->nodes[i]));
    }
    names->count = count;
}

static const char *kept(const xr_layer_names *names, const uint32_t *offsets, uint32_t node)
{
    if (node >= names->count || offsets[node] == EXRAY_NO_INDEX)
        return NULL;
    return names->arena.bytes + offsets[node];
}

const char *xr_layer_name(const xr_recorder *r, uint32_t node)
{
    return kept(&r->names, r->names.name, node);
}

const char *xr_layer_op(const xr_recorder *r, uint32_t node)
{
    return kept(&r->names, r->names.op, node);
}
