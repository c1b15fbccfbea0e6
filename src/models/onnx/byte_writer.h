/* Bytes that grow, and protobuf fields among them. */
#ifndef XR_BYTE_WRITER_H
#define XR_BYTE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A failure stays; what was written is the owner's to free. */
typedef struct xr_byte_writer {
    uint8_t *data;
    size_t size, room;
    bool failed;
} xr_byte_writer;

void xr_byte_writer_put(xr_byte_writer *w, const void *data, size_t size);
void xr_byte_writer_varint(xr_byte_writer *w, uint64_t value);
/* Fields: of bytes, of a number. */
void xr_byte_writer_bytes(xr_byte_writer *w, uint32_t number, const void *data, size_t size);
void xr_byte_writer_number(xr_byte_writer *w, uint32_t number, uint64_t value);
/* A finished message as a field of another; its memory is freed. */
void xr_byte_writer_message(xr_byte_writer *w, uint32_t number, xr_byte_writer *message);
/* A field of `size` bytes that the caller fills; NULL: no memory. */
uint8_t *xr_byte_writer_room(xr_byte_writer *w, uint32_t number, size_t size);

#endif
