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

/* What a message has. */
typedef struct contents {
    uint64_t frame;
    xr_list node;      /* uint32_t */
    xr_list size;      /* uint32_t: bytes of each statistic */
    const uint8_t *at; /* the first one */
    bool consecutive;  /* the others follow as protobuf writes them */
} contents;

static bool add_size(xr_builder *b, const xr_field *f, const uint8_t *end, contents *out)
{
    uint32_t *size = xr_list_add(&out->size, &b->message, sizeof *size);
    if (!size)
        return false;
    *size = (uint32_t)f->size;
    if (!out->at)
        out->at = f->data;
    size_t before = 2; /* a tag, a length of one byte or more */
    for (size_t rest = f->size >> 7; rest; rest >>= 7)
        before++;
    out->consecutive = out->consecutive && f->size <= UINT32_MAX && (!end || f->data == end + before);
    return true;
}

static bool read_contents(xr_builder *b, const uint8_t *data, size_t size, contents *out)
{
    xr_arena_reset(&b->message);
    *out = (contents){.consecutive = true};
    const uint8_t *end = NULL;
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_VARINT)) {
            out->frame = f.value;
        } else if (f.number == 2) {
            if (!xr_add_u32(&f, &out->node, &b->message))
                return false;
        } else if (xr_is(&f, 3, XR_WIRE_BYTES)) {
            if (!add_size(b, &f, end, out))
                return false;
            end = f.data + f.size;
        }
    }
    return !wire.bad && out->size.count == out->node.count;
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
    return xr_entries_add(&b->log->entries, record, &row->form);
}

/* Each statistic as a record of its own. */
static bool add_each(xr_builder *b, exray_record record, const contents *message, const uint8_t *data,
                     size_t size, uint64_t position)
{
    const uint32_t *node = message->node.items;
    xr_wire wire = xr_wire_begin(data, size);
    size_t at = 0;
    b->gathered_messages++;
    for (xr_field f; at < message->node.count && xr_wire_next(&wire, &f);) {
        if (!xr_is(&f, 3, XR_WIRE_BYTES))
            continue;
        record.position = (position + (uint64_t)(f.data - data)) | XR_RECORD_GATHERED;
        record.size = f.size;
        if (!add_one(b, &record, node[at++]))
            return false;
    }
    return true;
}

/* Keeps a gathering that no message had so far; EXRAY_NO_INDEX: a node of it is not of the model or stands
 * there twice, or *failed: out of memory. */
static uint32_t keep_gathering(xr_builder *b, const xr_gathering *found, bool *failed)
{
    xr_arena *arena = &b->log->arena;
    const xr_gathered_mark mark = ++b->gathered_messages;
    *failed = true;
    uint32_t *index = xr_arena_take(arena, found->count * sizeof *index);
    const char **topic = xr_arena_take(arena, found->count * sizeof *topic);
    if (!index || !topic)
        return EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < found->count; i++) {
        xr_gathered *row = row_of(b, found->kind, found->index[i]);
        if (!row)
            return EXRAY_NO_INDEX;
        if (row->last == mark) {
            *failed = false;
            return EXRAY_NO_INDEX;
        }
        row->last = mark;
        index[i] = found->index[i];
        topic[i] = row->topic;
    }
    xr_gathering kept = *found;
    kept.index = index;
    kept.topic = topic;
    const uint32_t number = xr_entries_add_gathering(&b->log->entries, &kept);
    *failed = number == EXRAY_NO_INDEX;
    return number;
}

/* The gathering of a message; EXRAY_NO_INDEX: it cannot be one, or *failed. */
static uint32_t gathering_of(xr_builder *b, const exray_record *record, const contents *message, bool *failed)
{
    enum { MOST_GATHERINGS = 1024 }; /* of a log; more are no pattern */
    const uint32_t *node = message->node.items;
    const size_t count = message->node.count;
    xr_entries *entries = &b->log->entries;
    *failed = false;
    if (count < 2 || count >= EXRAY_NO_INDEX || !message->consecutive ||
        !xr_entries_can_gather(entries, record))
        return EXRAY_NO_INDEX;
    for (size_t i = 0; i < count; i++)
        if (node[i] >= index_limit(b->log, record->kind))
            return EXRAY_NO_INDEX;
    const xr_gathering wanted = {.kind = record->kind, .count = (uint32_t)count, .index = node};
    uint32_t *last = &b->last_gathering[record->kind == EXRAY_KIND_CONSTANT];
    uint32_t number = xr_entries_find_gathering(entries, &wanted, *last);
    if (number == EXRAY_NO_INDEX && entries->gathering_count < MOST_GATHERINGS)
        number = keep_gathering(b, &wanted, failed);
    if (number != EXRAY_NO_INDEX)
        *last = number;
    return number;
}

bool xr_index_layer_stats(xr_builder *b, exray_kind kind, uint64_t log_time, const uint8_t *data, size_t size,
                          uint64_t position)
{
    contents message;
    if (!read_contents(b, data, size, &message)) {
        xr_index_damage(b);
        return !b->message.failed;
    }
    exray_record record = {.message = EXRAY_MESSAGE_TENSOR,
                           .kind = kind,
                           .log_time = log_time,
                           .frame = message.frame,
                           .name = "",
                           .chunk = b->chunk_number};
    bool failed;
    const uint32_t gathering = gathering_of(b, &record, &message, &failed);
    if (failed)
        return false;
    if (gathering == EXRAY_NO_INDEX)
        return add_each(b, record, &message, data, size, position);
    record.position = position + (uint64_t)(message.at - data);
    return xr_entries_add_gathered(&b->log->entries, gathering, &record, message.size.items);
}
