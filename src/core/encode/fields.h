/* Fields of messages that are numbers and texts, as tables: what takes the least code. */
#ifndef XR_FIELDS_H
#define XR_FIELDS_H

#include "core/encode/sink.h"
#include <stddef.h>

typedef enum xr_field_kind {
    XR_FIELD_U8,
    XR_FIELD_U32,
    XR_FIELD_U64,
    XR_FIELD_I32,
    XR_FIELD_FLOAT,
    XR_FIELD_DOUBLE,
    XR_FIELD_TEXT
} xr_field_kind;

typedef struct xr_field_of {
    uint8_t number, kind; /* of the message; xr_field_kind */
    uint16_t at;          /* in the object */
} xr_field_of;

/* An enumeration is one of the integers; which one, the processor's ABI says. */
#define XR_KIND_OF(value)                                                                                    \
    _Generic((value),                                                                                        \
        bool: XR_FIELD_U8,                                                                                      \
        unsigned char: XR_FIELD_U8,                                                                             \
        unsigned: XR_FIELD_U32,                                                                                 \
        unsigned long: sizeof(long) == 8 ? XR_FIELD_U64 : XR_FIELD_U32,                                            \
        unsigned long long: XR_FIELD_U64,                                                                       \
        int: XR_FIELD_I32,                                                                                      \
        long: sizeof(long) == 8 ? XR_FIELD_U64 : XR_FIELD_I32,                                                     \
        long long: XR_FIELD_U64,                                                                                \
        float: XR_FIELD_FLOAT,                                                                                  \
        double: XR_FIELD_DOUBLE,                                                                                \
        const char *: XR_FIELD_TEXT)
#define XR_FIELD(number, type, member)                                                                       \
    {                                                                                                        \
        number, XR_KIND_OF(((const type *)NULL)->member), offsetof(type, member)                             \
    }

/* Those of `object` that are not zero. */
void xr_put_fields(xr_sink *sink, const xr_field_of *fields, size_t count, const void *object);

#define XR_PUT_FIELDS(sink, fields, object)                                                                  \
    xr_put_fields(sink, fields, sizeof(fields) / sizeof *(fields), object)

/* As many messages as there are objects of that size. */
static inline void xr_put_all(xr_sink *sink, uint32_t number, xr_encode_fn encode, const void *objects,
                              uint32_t count, size_t size)
{
    const uint8_t *object = objects;
    for (; count; count--, object += size)
        xr_pb_message(sink, number, encode, object);
}

#define XR_PUT_ALL(sink, number, encode, objects, count)                                                     \
    xr_put_all(sink, number, encode, objects, count, sizeof *(objects))

#endif
