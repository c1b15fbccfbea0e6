/* A place that bytes go to, and the two little languages written into it:
 * little-endian integers (MCAP) and protobuf's wire format.
 *
 * An encoder is a pure function of an object: run into a counting sink it gives
 * the length, run into any other the bytes.  That is why no message needs a
 * scratch buffer, and why a tensor's data is never copied on its way. */
#ifndef XR_SINK_H
#define XR_SINK_H

#include <exray/types.h>
#include <string.h>

typedef struct xr_sink {
    void (*write)(struct xr_sink *sink, const void *data, size_t size); /* NULL: only count */
    size_t size;                                                        /* bytes so far */
} xr_sink;

static inline void xr_put(xr_sink *sink, const void *data, size_t size)
{
    sink->size += size;
    if (sink->write && size)
        sink->write(sink, data, size);
}

/* A sink into memory that is large enough: the caller counted before. */
typedef struct xr_memory_sink {
    xr_sink sink;
    uint8_t *at;
} xr_memory_sink;

xr_memory_sink xr_memory_sink_at(void *at);

/* What gives a message's bytes. */
typedef void (*xr_encode_fn)(xr_sink *sink, const void *object);

/* Its length. */
size_t xr_encoded_size(xr_encode_fn encode, const void *object);

/* Bytes that are borrowed. */
typedef struct xr_byte_range {
    const void *data;
    size_t size;
} xr_byte_range;

/* ---- Little-endian integers, whatever the machine's order ---- */

void xr_store_u16(uint8_t *at, uint16_t value);
void xr_store_u32(uint8_t *at, uint32_t value);
void xr_store_u64(uint8_t *at, uint64_t value);

void xr_put_u8(xr_sink *sink, uint8_t value);
void xr_put_u16(xr_sink *sink, uint16_t value);
void xr_put_u32(xr_sink *sink, uint32_t value);
void xr_put_u64(xr_sink *sink, uint64_t value);
/* u32 length, then the bytes; NULL is "".  Bytes that are not UTF-8 become '?',
 * here and in xr_pb_string. */
void xr_put_string(xr_sink *sink, const char *text);

/* ---- Protobuf ----
 * A scalar with its default value is left out, as proto3 wants it; the
 * `_always` forms are for fields with presence ("optional"). */

void xr_pb_uint_always(xr_sink *sink, uint32_t field, uint64_t value);
void xr_pb_uint(xr_sink *sink, uint32_t field, uint64_t value);
void xr_pb_int(xr_sink *sink, uint32_t field, int64_t value);
void xr_pb_double_always(xr_sink *sink, uint32_t field, double value);
void xr_pb_double(xr_sink *sink, uint32_t field, double value);
void xr_pb_float(xr_sink *sink, uint32_t field, float value);
/* NULL and "" are left out. */
void xr_pb_string(xr_sink *sink, uint32_t field, const char *text);
/* Tag, length and bytes, even of none. */
void xr_pb_bytes(xr_sink *sink, uint32_t field, const void *data, size_t size);
/* How many bytes xr_pb_bytes writes of that many. */
size_t xr_pb_bytes_size(uint32_t field, size_t size);
void xr_pb_message(xr_sink *sink, uint32_t field, xr_encode_fn encode, const void *object);
/* Packed repeated fields; count 0 is left out. */
void xr_pb_packed_u32(xr_sink *sink, uint32_t field, const uint32_t *values, size_t count);
void xr_pb_packed_u64(xr_sink *sink, uint32_t field, const uint64_t *values, size_t count);
void xr_pb_packed_i64(xr_sink *sink, uint32_t field, const int64_t *values, size_t count);
/* The same as packed_i64 of `count` zeros. */
void xr_pb_packed_zeros(xr_sink *sink, uint32_t field, size_t count);
void xr_pb_packed_float(xr_sink *sink, uint32_t field, const float *values, size_t count);
void xr_pb_packed_double(xr_sink *sink, uint32_t field, const double *values, size_t count);

#endif
