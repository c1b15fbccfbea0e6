#include "log/scrub/scrub_message.h"

#include "core/dtype.h"
#include "core/encode/messages.h"
#include "log/decode_messages.h"

#include <exray/recorder.h>
#include <stdio.h>

/* Field numbers are those of schema/exray.proto. */
enum {
    FRAME_SOURCE = 2,
    FRAME_LABEL = 3,
    FRAME_VALUES = 7,
    FRAME_SPANS = 8,
    TENSOR_DATA = 3,
    TENSOR_STATS = 4,
    TENSOR_SKETCH = 5,
    TENSOR_LAST = 8,
    LAYERS_NODE = 2,
    LAYERS_STATS = 3,
};

bool xr_scrub_frame(xr_scrub_rules *rules, const uint8_t *content, size_t size, xr_buffer *out)
{
    static const char *const names[] = {[FRAME_SOURCE] = "/frame/source",
                                        [FRAME_LABEL] = "/frame/label",
                                        [FRAME_VALUES] = "/frame/values",
                                        [FRAME_SPANS] = "/frame/spans"};
    xr_wire wire = xr_wire_begin(content, size);
    const uint8_t *begin = content;
    for (xr_field f; xr_wire_next(&wire, &f); begin = wire.at) {
        const char *name = f.number < sizeof names / sizeof *names ? names[f.number] : NULL;
        if (!name || !xr_scrub_drops(rules, name))
            xr_buffer_add(out, begin, (size_t)(wire.at - begin));
    }
    return !wire.bad;
}

/* ---- Layers ---------------------------------------------------------------------- */

typedef struct buffer_sink {
    xr_sink sink;
    xr_buffer *out;
} buffer_sink;

static void write_buffer(xr_sink *sink, const void *data, size_t size)
{
    xr_buffer_add(((buffer_sink *)sink)->out, data, size);
}

static buffer_sink sink_into(xr_buffer *out)
{
    return (buffer_sink){.sink = {.write = write_buffer}, .out = out};
}

static bool drops_layer(xr_scrub_rules *rules, const char *kind, uint32_t node)
{
    char topic[32];
    snprintf(topic, sizeof topic, "/%s/%u", kind, (unsigned)node);
    return xr_scrub_drops(rules, topic);
}

/* Appends the nodes and the statistics that are kept: node[i] goes with the i-th statistics. */
static bool copy_layers(xr_scrub_rules *rules, const char *kind, const xr_list *nodes, const uint8_t *content,
                        size_t size, xr_arena *arena, xr_buffer *out)
{
    const uint32_t *node = nodes->items;
    xr_list kept = {0};
    buffer_sink sink = sink_into(out);
    xr_wire wire = xr_wire_begin(content, size);
    const uint8_t *begin = content;
    size_t i = 0;
    for (xr_field f; xr_wire_next(&wire, &f); begin = wire.at) {
        if (f.number == LAYERS_NODE)
            continue;
        if (xr_is(&f, LAYERS_STATS, XR_WIRE_BYTES)) {
            const size_t at = i++;
            if (at >= nodes->count || drops_layer(rules, kind, node[at]))
                continue;
            uint32_t *item = xr_list_add(&kept, arena, sizeof *item);
            if (!item)
                return false;
            *item = node[at];
        }
        xr_buffer_add(out, begin, (size_t)(wire.at - begin));
    }
    xr_pb_packed_u32(&sink.sink, LAYERS_NODE, kept.items, kept.count);
    return !wire.bad;
}

bool xr_scrub_layers(xr_scrub_rules *rules, const char *kind, const uint8_t *content, size_t size,
                     xr_buffer *out)
{
    xr_arena arena = {0};
    xr_list nodes = {0};
    xr_wire wire = xr_wire_begin(content, size);
    bool good = true;
    for (xr_field f; good && xr_wire_next(&wire, &f);)
        if (f.number == LAYERS_NODE)
            good = xr_add_u32(&f, &nodes, &arena);
    good = good && !wire.bad && copy_layers(rules, kind, &nodes, content, size, &arena, out);
    xr_arena_free(&arena);
    return good;
}

/* ---- Tensors --------------------------------------------------------------------- */

/* What stands for the data of a tensor. */
typedef struct scrubbed_summary {
    exray_stats stats;
    exray_channel_room room;
    exray_channel_stats channels;
    bool has_channels;
} scrubbed_summary;

/* Whether statistics of the data were made, those of the channels where the recorder makes them. */
static bool summarize(const exray_tensor_view *view, bool has_info, const exray_model *model, exray_kind kind,
                      scrubbed_summary *s)
{
    const exray_tensor_info *info = &view->info;
    if (!view->data || (view->has_media && xr_format_is_opaque(view->media.format)))
        return false;
    if (!has_info) {
        if (!model || view->model_tensor >= model->tensor_count)
            return false;
        info = &model->tensors[view->model_tensor];
    }
    if (exray_stats_compute(info, view->data, view->size, &s->stats) != EXRAY_OK)
        return false;
    s->has_channels = kind != EXRAY_KIND_LAYER && kind != EXRAY_KIND_CONSTANT &&
                      exray_channel_stats_compute(info, view->data, view->size, &s->stats, &s->room,
                                                  &s->channels) == EXRAY_OK;
    return true;
}

/* Whether a field of a tensor stays as it is. */
static bool stays(const xr_field *field, const exray_tensor_view *view)
{
    if (field->number == TENSOR_STATS)
        return !view->data; /* else they are made anew */
    return field->number <= TENSOR_LAST && field->number != TENSOR_DATA && field->number != TENSOR_SKETCH;
}

bool xr_scrub_tensor(const uint8_t *content, size_t size, exray_kind kind, const exray_model *model,
                     xr_buffer *out)
{
    xr_arena arena = {0};
    exray_tensor_view view;
    bool has_info;
    const bool good = xr_decode_tensor(content, size, &arena, &view, &has_info);
    xr_wire wire = xr_wire_begin(content, size);
    const uint8_t *begin = content;
    for (xr_field f; good && xr_wire_next(&wire, &f); begin = wire.at)
        if (stays(&f, &view))
            xr_buffer_add(out, begin, (size_t)(wire.at - begin));
    scrubbed_summary s;
    if (good && summarize(&view, has_info, model, kind, &s)) {
        buffer_sink sink = sink_into(out);
        xr_encode_tensor_values(
            &sink.sink,
            &(xr_tensor_message){.stats = &s.stats, .channels = s.has_channels ? &s.channels : NULL});
    }
    xr_arena_free(&arena);
    return good;
}
