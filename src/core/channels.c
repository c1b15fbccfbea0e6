/* Channels by topic, and the layer names that their metadata carries. */
#include "core/channels.h"

static uint32_t hash_of(const char *topic)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *topic; topic++)
        hash = (hash ^ (uint8_t)*topic) * 16777619u;
    return hash;
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
    const char *copy = xr_pool_add(&channels->topics, topic);
    if (!copy)
        return EXRAY_NO_INDEX;
    const uint32_t id = channels->count++;
    channels->table[id] =
        (xr_channel_info){.topic = copy, .layer = node, .hash = hash, .schema = (uint16_t)schema};
    channels->use[id] = (xr_channel_use){0};
    channels->hash[slot] = (uint16_t)(id + 1);
    return id;
}

bool xr_is_name(const char *name)
{
    return name && *name && strlen(name) <= XR_MAX_NAME;
}

void xr_tensor_topic(const exray_tensor *tensor, xr_text_builder *topic)
{
    xr_text_add(topic, "/");
    xr_text_add(topic, exray_kind_name(tensor->kind));
    xr_text_add(topic, "/");
    if (tensor->kind == EXRAY_KIND_LAYER || tensor->kind == EXRAY_KIND_CONSTANT) {
        xr_text_add_number(topic, tensor->index);
        if (tensor->kind == EXRAY_KIND_LAYER && tensor->output) {
            xr_text_add(topic, "/");
            xr_text_add_number(topic, tensor->output);
        }
    } else {
        const char *name = tensor->info.name;
        xr_text_add(topic, name && *name ? name : "0");
    }
}
