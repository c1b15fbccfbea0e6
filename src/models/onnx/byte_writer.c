#include "models/onnx/byte_writer.h"

#include "models/onnx/onnx.h"

#include <stdlib.h>
#include <string.h>

static bool grow(xr_byte_writer *w, size_t size)
{
    if (w->failed || size > SIZE_MAX / 4 - w->size) {
        w->failed = true;
        return false;
    }
    if (w->size + size <= w->room)
        return true;
    /* Large parts come one by one: twice the room would be too much. */
    size_t room = w->size + size + (w->size + size < ((size_t)1 << 26) ? w->size + size : (size_t)1 << 26);
    uint8_t *grown = realloc(w->data, room);
    if (!grown) {
        w->failed = true;
        return false;
    }
    w->data = grown;
    w->room = room;
    return true;
}

void xr_byte_writer_put(xr_byte_writer *w, const void *data, size_t size)
{
    if (!size || !grow(w, size))
        return;
    memcpy(w->data + w->size, data, size);
    w->size += size;
}

void xr_byte_writer_varint(xr_byte_writer *w, uint64_t value)
{
    uint8_t bytes[10];
    size_t used = 0;
    do
        bytes[used++] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
    while (value >>= 7);
    xr_byte_writer_put(w, bytes, used);
}

static void put_head(xr_byte_writer *w, uint32_t number, size_t size)
{
    xr_byte_writer_varint(w, (uint64_t)number << 3 | XR_PB_BYTES);
    xr_byte_writer_varint(w, size);
}

void xr_byte_writer_bytes(xr_byte_writer *w, uint32_t number, const void *data, size_t size)
{
    put_head(w, number, size);
    xr_byte_writer_put(w, data, size);
}

void xr_byte_writer_number(xr_byte_writer *w, uint32_t number, uint64_t value)
{
    xr_byte_writer_varint(w, (uint64_t)number << 3 | XR_PB_VARINT);
    xr_byte_writer_varint(w, value);
}

void xr_byte_writer_message(xr_byte_writer *w, uint32_t number, xr_byte_writer *message)
{
    w->failed |= message->failed;
    xr_byte_writer_bytes(w, number, message->data, message->size);
    free(message->data);
    *message = (xr_byte_writer){0};
}

uint8_t *xr_byte_writer_room(xr_byte_writer *w, uint32_t number, size_t size)
{
    put_head(w, number, size);
    if (!grow(w, size))
        return NULL;
    uint8_t *room = w->data + w->size;
    w->size += size;
    return room;
}
