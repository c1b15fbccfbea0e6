#include "log/unknown.h"

#include <stdio.h>
#include <string.h>

enum { MOST_FIELDS = 13, MAX_DEPTH = 8 };

/* Messages that stand within others. */
enum {
    TENSOR_INFO = XR_SCHEMA_LAYER_STATS + 1,
    QUANTIZATION,
    NODE,
    MAP_ENTRY,
    STATS,
    SKETCH,
    MEDIA,
    CLASS,
    BOX,
    KEYPOINT,
    MASK,
    VECTOR,
    SCHEMA_COUNT
};

/* schema/exray.proto: a message's fields are numbered from 1 without gaps; those that are messages
 * themselves say of which schema. */
static const struct {
    const char *name;
    uint8_t fields;
    uint8_t nested[MOST_FIELDS + 1];
} schemas[SCHEMA_COUNT] = {
    [XR_SCHEMA_MODEL] = {"Model", 10, {[7] = TENSOR_INFO, [8] = NODE}},
    [XR_SCHEMA_FRAME] = {"Frame", 8, {[7] = MAP_ENTRY, [8] = MAP_ENTRY}},
    [XR_SCHEMA_TENSOR] = {"Tensor", 8, {[2] = TENSOR_INFO, [4] = STATS, [5] = SKETCH, [7] = MEDIA}},
    [XR_SCHEMA_LATENCY] = {"Latency", 4, {0}},
    [XR_SCHEMA_SYSTEM] = {"System", 8, {0}},
    [XR_SCHEMA_READING] = {"Reading", 3, {0}},
    [XR_SCHEMA_RESULT] = {"Result", 7, {[2] = CLASS, [3] = BOX, [5] = KEYPOINT, [6] = MASK, [7] = VECTOR}},
    [XR_SCHEMA_EVENT] = {"Event", 4, {0}},
    [XR_SCHEMA_LAYER_STATS] = {"LayerStats", 3, {[3] = STATS}},
    [TENSOR_INFO] = {"TensorInfo", 6, {[4] = QUANTIZATION}},
    [QUANTIZATION] = {"Quantization", 3, {0}},
    [NODE] = {"Node", 7, {[6] = MAP_ENTRY, [7] = NODE}},
    [MAP_ENTRY] = {"map entry", 2, {0}},
    [STATS] = {"TensorStats", 13, {0}},
    [SKETCH] = {"TensorSketch", 3, {0}},
    [MEDIA] = {"Media", 9, {0}},
    [CLASS] = {"Result.Class", 3, {0}},
    [BOX] = {"Result.Box", 9, {0}},
    [KEYPOINT] = {"Result.Keypoint", 5, {0}},
    [MASK] = {"Result.Mask", 4, {0}},
    [VECTOR] = {"Result.Vector", 2, {0}},
};

static void note_field(xr_unknown *unknown, unsigned schema, uint32_t number)
{
    for (uint32_t i = 0; i < unknown->field_count; i++)
        if (unknown->fields[i].schema == schema && unknown->fields[i].number == number)
            return;
    if (unknown->field_count == XR_UNKNOWN_FIELDS)
        return;
    unknown->fields[unknown->field_count].schema = (uint8_t)schema;
    unknown->fields[unknown->field_count++].number = number;
}

static void scan(xr_unknown *unknown, unsigned schema, const uint8_t *data, size_t size, unsigned depth)
{
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (f.number > schemas[schema].fields) {
            note_field(unknown, schema, f.number);
            continue;
        }
        unsigned nested = f.number <= MOST_FIELDS ? schemas[schema].nested[f.number] : 0;
        if (nested && f.type == XR_WIRE_BYTES && depth < MAX_DEPTH)
            scan(unknown, nested, f.data, f.size, depth + 1);
    }
}

void xr_unknown_fields(xr_unknown *unknown, xr_schema schema, const uint8_t *data, size_t size)
{
    scan(unknown, schema, data, size, 0);
}

/* Appends to a text of `room` bytes, and ends with "..." what does not fit. */
static void append(char *text, size_t room, const char *first, const char *more)
{
    size_t used = strlen(text);
    if (used >= 3 && strcmp(text + used - 3, "...") == 0)
        return;
    const char *comma = used ? ", " : "";
    const size_t rest = sizeof ", ..."; /* always kept free */
    if (used + strlen(comma) + strlen(first) + strlen(more) + rest > room)
        snprintf(text + used, room - used, "%s...", comma);
    else
        snprintf(text + used, room - used, "%s%s%s", comma, first, more);
}

void xr_unknown_topic(xr_unknown *unknown, const char *topic, xr_text schema)
{
    uint32_t kept = unknown->topic_count < XR_UNKNOWN_TOPICS ? unknown->topic_count : XR_UNKNOWN_TOPICS;
    for (uint32_t i = 0; i < kept; i++)
        if (strcmp(unknown->topics[i].topic, topic) == 0)
            return;
    if (kept < XR_UNKNOWN_TOPICS) {
        unknown->topics[kept].topic = topic;
        unknown->topics[kept].schema = schema;
    }
    unknown->topic_count++;
}

const char *xr_unknown_text(const xr_unknown *unknown, xr_arena *arena)
{
    char topics[256] = "", fields[256] = "", text[640] = "";
    for (uint32_t i = 0; i < unknown->topic_count && i < XR_UNKNOWN_TOPICS; i++) {
        const xr_text schema = unknown->topics[i].schema;
        char of[96] = "";
        if (schema.size)
            snprintf(of, sizeof of, ": %.*s", schema.size < 80 ? (int)schema.size : 80, schema.data);
        append(topics, sizeof topics, unknown->topics[i].topic, of);
    }
    for (uint32_t i = 0; i < unknown->field_count; i++) {
        char number[16];
        snprintf(number, sizeof number, " %u", unknown->fields[i].number);
        append(fields, sizeof fields, schemas[unknown->fields[i].schema].name, number);
    }
    if (unknown->topic_count > XR_UNKNOWN_TOPICS)
        append(topics, sizeof topics, "...", "");
    if (unknown->topic_count)
        snprintf(text, sizeof text, "%u topic%s (%s)", unknown->topic_count,
                 unknown->topic_count == 1 ? "" : "s", topics);
    if (unknown->field_count) {
        size_t used = strlen(text);
        bool all = unknown->field_count < XR_UNKNOWN_FIELDS;
        snprintf(text + used, sizeof text - used, "%s%u%s field%s (%s)", used ? ", " : "",
                 unknown->field_count, all ? "" : " or more", unknown->field_count == 1 ? "" : "s", fields);
    }
    return text[0] ? xr_arena_string(arena, text, strlen(text)) : NULL;
}
