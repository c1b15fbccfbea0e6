#include "core/encode/sink.h"
#include "core/encode/text.h"

/* Protobuf's wire types. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void memory_write(xr_sink *sink, const void *data, size_t size)
{
    xr_memory_sink *memory = (xr_memory_sink *)sink;
    memcpy(memory->at, data, size);
    memory->at += size;
}

xr_memory_sink xr_memory_sink_at(void *at)
{
    return (xr_memory_sink){.sink = {.write = memory_write}, .at = at};
}

size_t xr_encoded_size(xr_encode_fn encode, const void *object)
{
    xr_sink counter = {NULL, 0};
    encode(&counter, object);
    return counter.size;
}

void xr_store_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

void xr_store_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void xr_store_u64(uint8_t *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

void xr_put_u8(xr_sink *sink, uint8_t value)
{
    xr_put(sink, &value, 1);
}

void xr_put_u16(xr_sink *sink, uint16_t value)
{
    uint8_t bytes[2];
    xr_store_u16(bytes, value);
    xr_put(sink, bytes, sizeof bytes);
}

void xr_put_u32(xr_sink *sink, uint32_t value)
{
    uint8_t bytes[4];
    xr_store_u32(bytes, value);
    xr_put(sink, bytes, sizeof bytes);
}

void xr_put_u64(xr_sink *sink, uint64_t value)
{
    uint8_t bytes[8];
    xr_store_u64(bytes, value);
    xr_put(sink, bytes, sizeof bytes);
}

/* Readers refuse a whole message over one string that is not UTF-8 (a file name
 * in another encoding): each byte that is none becomes '?', so that the length
 * stays. */
static void put_text(xr_sink *sink, const char *text, size_t size)
{
    if (!sink->write) {
        sink->size += size;
        return;
    }
    while (size) {
        size_t good = 0, length = 1;
        while (good < size && length) {
            length = xr_utf8_length(text + good, size - good);
            good += length;
        }
        xr_put(sink, text, good);
        if (!length) {
            xr_put_u8(sink, '?');
            good++;
        }
        text += good;
        size -= good;
    }
}

void xr_put_string(xr_sink *sink, const char *text)
{
    const size_t size = text ? strlen(text) : 0;
    xr_put_u32(sink, (uint32_t)size);
    if (size)
        put_text(sink, text, size);
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static void put_varint(xr_sink *sink, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;
    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    xr_put(sink, bytes, size);
}

static void put_tag(xr_sink *sink, uint32_t field, uint32_t wire)
{
    put_varint(sink, (uint64_t)field << 3 | wire);
}

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

void xr_pb_uint_always(xr_sink *sink, uint32_t field, uint64_t value)
{
    put_tag(sink, field, WIRE_VARINT);
    put_varint(sink, value);
}

void xr_pb_uint(xr_sink *sink, uint32_t field, uint64_t value)
{
    if (value)
        xr_pb_uint_always(sink, field, value);
}

void xr_pb_int(xr_sink *sink, uint32_t field, int64_t value)
{
    xr_pb_uint(sink, field, (uint64_t)value);
}

void xr_pb_double_always(xr_sink *sink, uint32_t field, double value)
{
    put_tag(sink, field, WIRE_64);
    xr_put_u64(sink, double_bits(value));
}

void xr_pb_double(xr_sink *sink, uint32_t field, double value)
{
    if (double_bits(value)) /* -0.0 is not the default */
        xr_pb_double_always(sink, field, value);
}

void xr_pb_float(xr_sink *sink, uint32_t field, float value)
{
    if (float_bits(value)) {
        put_tag(sink, field, WIRE_32);
        xr_put_u32(sink, float_bits(value));
    }
}

void xr_pb_string(xr_sink *sink, uint32_t field, const char *text)
{
    const size_t size = text ? strlen(text) : 0;
    if (!size)
        return;
    put_tag(sink, field, WIRE_BYTES);
    put_varint(sink, size);
    put_text(sink, text, size);
}

void xr_pb_bytes(xr_sink *sink, uint32_t field, const void *data, size_t size)
{
    put_tag(sink, field, WIRE_BYTES);
    put_varint(sink, size);
    xr_put(sink, data, size);
}

size_t xr_pb_bytes_size(uint32_t field, size_t size)
{
    return varint_size((uint64_t)field << 3) + varint_size(size) + size;
}

void xr_pb_message(xr_sink *sink, uint32_t field, xr_encode_fn encode, const void *object)
{
    const size_t size = xr_encoded_size(encode, object);
    put_tag(sink, field, WIRE_BYTES);
    put_varint(sink, size);
    if (sink->write)
        encode(sink, object);
    else
        sink->size += size; /* counting twice at every level would be exponential in the depth */
}

static void put_packed_header(xr_sink *sink, uint32_t field, size_t size)
{
    put_tag(sink, field, WIRE_BYTES);
    put_varint(sink, size);
}

/* Numbers of 32 (`narrow`) or 64 bits. */
static void put_packed(xr_sink *sink, uint32_t field, const uint32_t *narrow, const uint64_t *wide,
                       size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += varint_size(narrow ? narrow[i] : wide[i]);
    if (!count)
        return;
    put_packed_header(sink, field, size);
    for (size_t i = 0; i < count; i++)
        put_varint(sink, narrow ? narrow[i] : wide[i]);
}

void xr_pb_packed_u32(xr_sink *sink, uint32_t field, const uint32_t *values, size_t count)
{
    put_packed(sink, field, values, NULL, count);
}

void xr_pb_packed_u64(xr_sink *sink, uint32_t field, const uint64_t *values, size_t count)
{
    put_packed(sink, field, NULL, values, count);
}

void xr_pb_packed_i64(xr_sink *sink, uint32_t field, const int64_t *values, size_t count)
{
    /* The wire has negative numbers in two's complement: the same bytes. */
    xr_pb_packed_u64(sink, field, (const uint64_t *)values, count);
}

void xr_pb_packed_zeros(xr_sink *sink, uint32_t field, size_t count)
{
    if (!count)
        return;
    put_packed_header(sink, field, count);
    for (size_t i = 0; i < count; i++)
        xr_put_u8(sink, 0);
}

/* Numbers of `width` bytes, 4 or 8. */
static void put_packed_fixed(xr_sink *sink, uint32_t field, const void *values, size_t count, size_t width)
{
    if (!count)
        return;
    put_packed_header(sink, field, count * width);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    xr_put(sink, values, count * width);
#else
    for (size_t i = 0; i < count; i++) {
        uint32_t narrow;
        uint64_t wide;
        memcpy(&narrow, (const uint8_t *)values + i * width, sizeof narrow);
        if (width == sizeof narrow) {
            xr_put_u32(sink, narrow);
        } else {
            memcpy(&wide, (const uint8_t *)values + i * width, sizeof wide);
            xr_put_u64(sink, wide);
        }
    }
#endif
}

void xr_pb_packed_float(xr_sink *sink, uint32_t field, const float *values, size_t count)
{
    put_packed_fixed(sink, field, values, count, sizeof *values);
}

void xr_pb_packed_double(xr_sink *sink, uint32_t field, const double *values, size_t count)
{
    put_packed_fixed(sink, field, values, count, sizeof *values);
}
