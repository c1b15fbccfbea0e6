/* FlatBuffers: every length and distance is checked before it is used. */
#include "models/flatbuffer.h"

#include <string.h>

/* ---- Numbers in the file; the place is known to lie within ---------------------- */

static uint32_t u16_at(const xr_flat *flat, uint64_t at)
{
    return (uint32_t)flat->data[at] | (uint32_t)flat->data[at + 1] << 8;
}

static uint32_t u32_at(const xr_flat *flat, uint64_t at)
{
    return u16_at(flat, at) | u16_at(flat, at + 2) << 16;
}

static uint64_t u64_at(const xr_flat *flat, uint64_t at)
{
    return u32_at(flat, at) | (uint64_t)u32_at(flat, at + 4) << 32;
}

static float f32_at(const xr_flat *flat, uint64_t at)
{
    uint32_t bits = u32_at(flat, at);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Positions are below 2^33 (two distances of 32 bits), so sums do not overflow. */
static bool is_within(xr_flat *flat, uint64_t at, uint64_t length)
{
    if (at <= flat->size && length <= flat->size - at)
        return true;
    flat->damaged = true;
    return false;
}

/* ---- Tables ------------------------------------------------------------------------ */

static xr_flat_table table_at(xr_flat *flat, uint64_t at)
{
    static const xr_flat_table absent;
    if (!is_within(flat, at, 4))
        return absent;
    int64_t vtable = (int64_t)at - (int32_t)u32_at(flat, at);
    if (at == 0 || vtable < 0 || !is_within(flat, (uint64_t)vtable, 4)) {
        flat->damaged = true;
        return absent;
    }
    xr_flat_table table = {at, (uint64_t)vtable, u16_at(flat, (uint64_t)vtable),
                           u16_at(flat, (uint64_t)vtable + 2)};
    if (table.vtable_size < 4 || table.size < 4 || !is_within(flat, table.vtable, table.vtable_size) ||
        !is_within(flat, at, table.size)) {
        flat->damaged = true;
        return absent;
    }
    return table;
}

xr_flat_table xr_flat_root(xr_flat *flat)
{
    return is_within(flat, 0, 8) ? table_at(flat, u32_at(flat, 0)) : (xr_flat_table){0};
}

uint64_t xr_flat_field(xr_flat *flat, const xr_flat_table *table, unsigned field, unsigned width)
{
    uint32_t slot = 4 + 2 * field;
    if (!table->at || slot + 2 > table->vtable_size)
        return 0;
    uint32_t place = u16_at(flat, table->vtable + slot);
    if (!place)
        return 0;
    if (place < 4 || place + width > table->size) {
        flat->damaged = true;
        return 0;
    }
    return table->at + place;
}

uint32_t xr_flat_u8(xr_flat *flat, const xr_flat_table *table, unsigned field)
{
    uint64_t at = xr_flat_field(flat, table, field, 1);
    return at ? flat->data[at] : 0;
}

int32_t xr_flat_i8(xr_flat *flat, const xr_flat_table *table, unsigned field, int32_t otherwise)
{
    uint64_t at = xr_flat_field(flat, table, field, 1);
    return at ? (int8_t)flat->data[at] : otherwise;
}

int32_t xr_flat_i32(xr_flat *flat, const xr_flat_table *table, unsigned field, int32_t otherwise)
{
    uint64_t at = xr_flat_field(flat, table, field, 4);
    return at ? (int32_t)u32_at(flat, at) : otherwise;
}

uint32_t xr_flat_u32(xr_flat *flat, const xr_flat_table *table, unsigned field)
{
    uint64_t at = xr_flat_field(flat, table, field, 4);
    return at ? u32_at(flat, at) : 0;
}

int64_t xr_flat_i64(xr_flat *flat, const xr_flat_table *table, unsigned field)
{
    uint64_t at = xr_flat_field(flat, table, field, 8);
    return at ? (int64_t)u64_at(flat, at) : 0;
}

float xr_flat_f32(xr_flat *flat, const xr_flat_table *table, unsigned field)
{
    uint64_t at = xr_flat_field(flat, table, field, 4);
    return at ? f32_at(flat, at) : 0;
}

/* ---- What fields refer to ------------------------------------------------------------ */

xr_flat_table xr_flat_child(xr_flat *flat, const xr_flat_table *table, unsigned field)
{
    uint64_t at = xr_flat_field(flat, table, field, 4);
    return at ? table_at(flat, at + u32_at(flat, at)) : (xr_flat_table){0};
}

xr_flat_vector xr_flat_children(xr_flat *flat, const xr_flat_table *table, unsigned field,
                                unsigned element_size)
{
    static const xr_flat_vector absent;
    uint64_t at = xr_flat_field(flat, table, field, 4);
    if (!at)
        return absent;
    at += u32_at(flat, at);
    if (!is_within(flat, at, 4))
        return absent;
    xr_flat_vector vector = {at + 4, u32_at(flat, at)};
    return is_within(flat, vector.at, (uint64_t)vector.count * element_size) ? vector : absent;
}

const char *xr_flat_string(xr_flat *flat, const xr_flat_table *table, unsigned field, uint32_t *length)
{
    xr_flat_vector text = xr_flat_children(flat, table, field, 1);
    *length = text.count;
    if (!text.at || !is_within(flat, text.at, (uint64_t)text.count + 1))
        return NULL;
    if (flat->data[text.at + text.count] != '\0') {
        flat->damaged = true;
        return NULL;
    }
    return (const char *)flat->data + text.at;
}

xr_flat_table xr_flat_table_at(xr_flat *flat, const xr_flat_vector *vector, uint32_t i)
{
    uint64_t at = vector->at + 4 * (uint64_t)i;
    return table_at(flat, at + u32_at(flat, at));
}

int32_t xr_flat_i32_at(const xr_flat *flat, const xr_flat_vector *vector, uint32_t i)
{
    return (int32_t)u32_at(flat, vector->at + 4 * (uint64_t)i);
}

int64_t xr_flat_i64_at(const xr_flat *flat, const xr_flat_vector *vector, uint32_t i)
{
    return (int64_t)u64_at(flat, vector->at + 8 * (uint64_t)i);
}

float xr_flat_f32_at(const xr_flat *flat, const xr_flat_vector *vector, uint32_t i)
{
    return f32_at(flat, vector->at + 4 * (uint64_t)i);
}
