#include "log/wire.h"

#include <string.h>

/* ---- Protobuf ------------------------------------------------------------- */

enum { GROUP_BEGIN = 3, GROUP_END = 4, MAX_GROUP_DEPTH = 32 };

xr_wire xr_wire_begin(const void *data, size_t size)
{
    const uint8_t *at = data;
    return (xr_wire){.at = at, .end = at ? at + size : NULL};
}

static bool fail(xr_wire *wire)
{
    wire->bad = true;
    return false;
}

static bool read_varint(xr_wire *wire, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (wire->at == wire->end)
            return fail(wire);
        uint8_t byte = *wire->at++;
        /* The tenth byte has room for one bit; protobuf drops the others. */
        result |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            *value = result;
            return true;
        }
    }
    return fail(wire);
}

static bool read_one(xr_wire *wire, xr_field *field)
{
    uint64_t tag, length;
    if (!read_varint(wire, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
        return fail(wire);
    *field = (xr_field){.number = (uint32_t)(tag >> 3), .type = tag & 7};
    size_t left;
    switch (field->type) {
    case XR_WIRE_VARINT:
        return read_varint(wire, &field->value);
    case XR_WIRE_FIXED64:
        left = (size_t)(wire->end - wire->at);
        if (left < 8)
            return fail(wire);
        field->value = xr_load64(wire->at);
        wire->at += 8;
        return true;
    case XR_WIRE_FIXED32:
        left = (size_t)(wire->end - wire->at);
        if (left < 4)
            return fail(wire);
        field->value = xr_load32(wire->at);
        wire->at += 4;
        return true;
    case XR_WIRE_BYTES:
        if (!read_varint(wire, &length))
            return false;
        left = (size_t)(wire->end - wire->at);
        if (length > left)
            return fail(wire);
        field->data = wire->at;
        field->size = (size_t)length;
        wire->at += length;
        return true;
    case GROUP_BEGIN:
    case GROUP_END:
        return true;
    default:
        return fail(wire);
    }
}

bool xr_wire_next(xr_wire *wire, xr_field *field)
{
    unsigned depth = 0;
    while (!wire->bad && (wire->at != wire->end || depth)) {
        if (!read_one(wire, field))
            return false;
        if (field->type == GROUP_BEGIN) {
            if (++depth > MAX_GROUP_DEPTH)
                return fail(wire);
        } else if (field->type == GROUP_END) {
            if (depth-- == 0)
                return fail(wire);
        } else if (depth == 0) {
            return true;
        }
    }
    return false;
}

float xr_field_float(const xr_field *field)
{
    uint32_t bits = (uint32_t)field->value;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

double xr_field_double(const xr_field *field)
{
    double value;
    memcpy(&value, &field->value, sizeof value);
    return value;
}

const char *xr_field_string(const xr_field *field, xr_arena *arena)
{
    return xr_arena_string(arena, field->data, field->size);
}

/* Stores one number of a repeated field as an item of `item_size` bytes: the
 * low bytes of its bits, which on a little-endian machine are the number. */
static bool add_bits(xr_list *list, xr_arena *arena, size_t item_size, uint64_t bits)
{
    void *item = xr_list_add(list, arena, item_size);
    if (!item)
        return false;
    memcpy(item, &bits, item_size);
    return true;
}

static bool add_varints(const xr_field *field, xr_list *list, xr_arena *arena, size_t item_size)
{
    if (field->type == XR_WIRE_VARINT)
        return add_bits(list, arena, item_size, field->value);
    if (field->type != XR_WIRE_BYTES)
        return true;
    xr_wire wire = xr_wire_begin(field->data, field->size);
    while (wire.at != wire.end) {
        uint64_t value;
        if (!read_varint(&wire, &value) || !add_bits(list, arena, item_size, value))
            return false;
    }
    return true;
}

static bool add_fixed(const xr_field *field, xr_list *list, xr_arena *arena, size_t item_size)
{
    if (field->type == (item_size == 4 ? XR_WIRE_FIXED32 : XR_WIRE_FIXED64))
        return add_bits(list, arena, item_size, field->value);
    if (field->type != XR_WIRE_BYTES)
        return true;
    size_t count = field->size / item_size;
    if (field->size % item_size || !xr_list_reserve(list, arena, item_size, count))
        return false;
    if (count)
        memcpy((char *)list->items + list->count * item_size, field->data, field->size);
    list->count += count;
    return true;
}

bool xr_add_u32(const xr_field *field, xr_list *list, xr_arena *arena)
{
    return add_varints(field, list, arena, sizeof(uint32_t));
}

bool xr_add_u64(const xr_field *field, xr_list *list, xr_arena *arena)
{
    return add_varints(field, list, arena, sizeof(uint64_t));
}

bool xr_add_float(const xr_field *field, xr_list *list, xr_arena *arena)
{
    return add_fixed(field, list, arena, sizeof(float));
}

bool xr_add_double(const xr_field *field, xr_list *list, xr_arena *arena)
{
    return add_fixed(field, list, arena, sizeof(double));
}

/* ---- MCAP ----------------------------------------------------------------- */

xr_cursor xr_cursor_begin(const void *data, size_t size)
{
    const uint8_t *at = data;
    return (xr_cursor){.at = at, .end = at ? at + size : NULL};
}

const uint8_t *xr_cursor_bytes(xr_cursor *cursor, uint64_t size)
{
    if (cursor->bad || size > (uint64_t)(cursor->end - cursor->at)) {
        cursor->bad = true;
        return NULL;
    }
    const uint8_t *bytes = cursor->at;
    cursor->at += size;
    return bytes;
}

uint8_t xr_cursor_u8(xr_cursor *cursor)
{
    const uint8_t *bytes = xr_cursor_bytes(cursor, 1);
    return bytes ? *bytes : 0;
}

uint16_t xr_cursor_u16(xr_cursor *cursor)
{
    const uint8_t *bytes = xr_cursor_bytes(cursor, 2);
    return bytes ? xr_load16(bytes) : 0;
}

uint32_t xr_cursor_u32(xr_cursor *cursor)
{
    const uint8_t *bytes = xr_cursor_bytes(cursor, 4);
    return bytes ? xr_load32(bytes) : 0;
}

uint64_t xr_cursor_u64(xr_cursor *cursor)
{
    const uint8_t *bytes = xr_cursor_bytes(cursor, 8);
    return bytes ? xr_load64(bytes) : 0;
}

xr_text xr_cursor_text(xr_cursor *cursor)
{
    uint32_t size = xr_cursor_u32(cursor);
    const uint8_t *bytes = xr_cursor_bytes(cursor, size);
    return bytes ? (xr_text){(const char *)bytes, size} : (xr_text){"", 0};
}

bool xr_text_is(xr_text text, const char *string)
{
    return text.size == strlen(string) && memcmp(text.data, string, text.size) == 0;
}

bool xr_mcap_next(xr_cursor *cursor, xr_mcap_record *record)
{
    if (cursor->bad || cursor->at == cursor->end)
        return false;
    record->opcode = xr_cursor_u8(cursor);
    uint64_t size = xr_cursor_u64(cursor);
    record->data = xr_cursor_bytes(cursor, size);
    record->size = (size_t)size;
    return !cursor->bad;
}
