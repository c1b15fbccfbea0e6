/* Protobuf's wire format and MCAP's records, read in place: nothing is copied,
 * every length is checked against what is there. */
#ifndef XR_LOG_WIRE_H
#define XR_LOG_WIRE_H

#include "core/mcap_format.h"
#include "log/arena.h"

/* Little-endian numbers at any address. */
static inline uint16_t xr_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t xr_load32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t xr_load64(const uint8_t *p)
{
    return xr_load32(p) | (uint64_t)xr_load32(p + 4) << 32;
}

/* ---- Protobuf ------------------------------------------------------------- */

enum { XR_WIRE_VARINT = 0, XR_WIRE_FIXED64 = 1, XR_WIRE_BYTES = 2, XR_WIRE_FIXED32 = 5 };

typedef struct xr_wire {
    const uint8_t *at, *end;
    bool bad; /* the bytes are no protobuf message */
} xr_wire;

typedef struct xr_field {
    uint32_t number;
    uint32_t type;       /* XR_WIRE_... */
    uint64_t value;      /* of the numeric types, as its bits */
    const uint8_t *data; /* of XR_WIRE_BYTES */
    size_t size;
} xr_field;

xr_wire xr_wire_begin(const void *data, size_t size);

/* The next field; false at the end, or where the bytes are bad.  Groups, which no schema of ours has, are
 * skipped. */
bool xr_wire_next(xr_wire *wire, xr_field *field);

/* Whether the field has that number and type; a known number with another type
 * is an unknown field, as protobuf has it. */
static inline bool xr_is(const xr_field *field, uint32_t number, uint32_t type)
{
    return field->number == number && field->type == type;
}

float xr_field_float(const xr_field *field);
double xr_field_double(const xr_field *field);
/* NULL where the arena failed. */
const char *xr_field_string(const xr_field *field, xr_arena *arena);

/* Appends a repeated number, packed or not.  Lists hold uint32_t, uint64_t
 * (also for int64), float or double.  False: bad, or the arena failed. */
bool xr_add_u32(const xr_field *field, xr_list *list, xr_arena *arena);
bool xr_add_u64(const xr_field *field, xr_list *list, xr_arena *arena);
bool xr_add_float(const xr_field *field, xr_list *list, xr_arena *arena);
bool xr_add_double(const xr_field *field, xr_list *list, xr_arena *arena);

/* ---- MCAP ----------------------------------------------------------------- */

/* Reads a record's fields one after the other.  Reading beyond the end gives
 * zeros and sets `bad`, so that a caller checks once. */
typedef struct xr_cursor {
    const uint8_t *at, *end;
    bool bad;
} xr_cursor;

typedef struct xr_text {
    const char *data; /* not terminated */
    size_t size;
} xr_text;

xr_cursor xr_cursor_begin(const void *data, size_t size);
uint8_t xr_cursor_u8(xr_cursor *cursor);
uint16_t xr_cursor_u16(xr_cursor *cursor);
uint32_t xr_cursor_u32(xr_cursor *cursor);
uint64_t xr_cursor_u64(xr_cursor *cursor);
/* A string, a map or an array: 32-bit length and bytes. */
xr_text xr_cursor_text(xr_cursor *cursor);
/* The next `size` bytes, or NULL and `bad`. */
const uint8_t *xr_cursor_bytes(xr_cursor *cursor, uint64_t size);

bool xr_text_is(xr_text text, const char *string);

/* One record of a sequence of records; false at the end or where the rest holds
 * no whole record (cursor->bad). */
typedef struct xr_mcap_record {
    uint8_t opcode;
    const uint8_t *data;
    size_t size;
} xr_mcap_record;
bool xr_mcap_next(xr_cursor *cursor, xr_mcap_record *record);

#endif
