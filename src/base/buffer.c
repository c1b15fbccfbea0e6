#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 4096, FIRST_ITEMS = 16 };

static bool reserve(xr_buffer *buffer, size_t more)
{
    size_t capacity = buffer->capacity ? buffer->capacity : FIRST_BYTES;
    while (capacity - buffer->size < more && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (buffer->failed || capacity - buffer->size < more)
        return false;
    uint8_t *grown = realloc(buffer->data, capacity);
    if (!grown)
        return false;
    buffer->data = grown;
    buffer->capacity = capacity;
    return true;
}

void xr_buffer_add(xr_buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    if (buffer->failed || (size > buffer->capacity - buffer->size && !reserve(buffer, size))) {
        buffer->failed = true;
        return;
    }
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

void xr_buffer_add_number(xr_buffer *buffer, uint64_t value, size_t size)
{
    uint8_t little[8];
    for (size_t i = 0; i < size; i++)
        little[i] = (uint8_t)(value >> (8 * i));
    xr_buffer_add(buffer, little, size);
}

void xr_buffer_free(xr_buffer *buffer)
{
    free(buffer->data);
    *buffer = (xr_buffer){0};
}

void *xr_array_grow(void *array, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return array;
    size_t wanted = *capacity ? *capacity * 2 : FIRST_ITEMS;
    if (wanted < *capacity || wanted > SIZE_MAX / item_size)
        return NULL;
    void *grown = realloc(array, wanted * item_size);
    if (grown)
        *capacity = wanted;
    return grown;
}
