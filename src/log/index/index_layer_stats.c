#include "log/index/index_layer_stats.h"

#include <stdio.h>
#include <string.h>

enum { MOST_WITHOUT_MODEL = 1 << 16 }; /* indices, where no model says how many there are */

/* Indices below it are of the model. */
static uint32_t index_limit(const exray_log *log, exray_kind kind)
{
    if (!log->has_model)
        return MOST_WITHOUT_MODEL;
    return kind == EXRAY_KIND_LAYER ? log->model.node_count : log->model.tensor_count;
}

/* The row of that index; NULL: the arena failed. */
static xr_gathered *row_of(xr_builder *b, exray_kind kind, uint32_t index)
{
    xr_list *rows = &b->gathered[kind == EXRAY_KIND_CONSTANT];
    if (index >= rows->count) {
        const size_t more = index + 1 - rows->count;
        if (!xr_list_reserve(rows, &b->scratch, sizeof(xr_gathered), more))
            return NULL;
        memset((xr_gathered *)rows->items + rows->count, 0, more * sizeof(xr_gathered));
        rows->count += more;
    }
    xr_gathered *row = (xr_gathered *)rows->items + index;
    if (!row->topic) {
        char text[32];
        snprintf(text, sizeof text, "/%s/%u", exray_kind_name(kind), index);
        row->topic = xr_arena_string(&b->log->arena, text, strlen(text));
    }
    return row->topic ? row : NULL;
}

/* The nodes of a message, and how many statistics it has. */
typedef struct contents {
    uint64_t frame;
    xr_list node; /* uint32_t */
    size_t stats;
} contents;

static bool read_contents(xr_builder *b, const uint8_t *data, size_t size, contents *out)
{
    xr_arena_reset(&b->message);
    *out = (contents){0};
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_VARINT))
            out->frame = f.value;
        else if (f.number == 2 && !xr_add_u32(&f, &out->node, &b->message))
            return false;
        else if (xr_is(&f, 3, XR_WIRE_BYTES))
            out->stats++;
    }
    return !wire.bad && out->stats == out->node.count;
}

/* A node that stands twice in a message is one too many. */
static bool add_one(xr_builder *b, exray_record *record, uint32_t index)
{
    const xr_gathered_mark mark = b->gathered_messages;
    if (index >= index_limit(b->log, record->kind)) {
        xr_index_damage(b);
        return true;
    }
    xr_gathered *row = row_of(b, record->kind, index);
    if (!row)
        return false;
    if (row->last == mark) {
        xr_index_damage(b);
        return true;
    }
    row->last = mark;
    record->index = index;
    record->topic = row->topic;
    return xr_index_add(b, record);
}

bool xr_index_layer_stats(xr_builder *b, exray_kind kind, uint64_t log_time, const uint8_t *data, size_t size,
                          uint64_t position)
{
    contents message;
    if (!read_contents(b, data, size, &message)) {
        xr_index_damage(b);
        return !b->message.failed;
    }
    b->gathered_messages++;
    const uint32_t *node = message.node.items;
    exray_record record = {.message = EXRAY_MESSAGE_TENSOR,
                           .kind = kind,
                           .log_time = log_time,
                           .frame = message.frame,
                           .name = "",
                           .chunk = b->chunk_number};
    xr_wire wire = xr_wire_begin(data, size);
    size_t at = 0;
    for (xr_field f; at < message.node.count && xr_wire_next(&wire, &f);) {
        if (!xr_is(&f, 3, XR_WIRE_BYTES))
            continue;
        record.position = (position + (uint64_t)(f.data - data)) | XR_RECORD_GATHERED;
        record.size = f.size;
        if (!add_one(b, &record, node[at++]))
            return false;
    }
    return true;
}
