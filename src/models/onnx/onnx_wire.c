/* Protobuf's wire format, read in place: every length is checked against what is
 * there.  And the memory that a model's description lives in. */
#include "models/onnx/onnx.h"

#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

xr_pb xr_pb_begin(const void *data, size_t size)
{
    const uint8_t *at = data;
    return (xr_pb){.at = at, .end = at ? at + size : NULL};
}

static bool bad(xr_pb *pb)
{
    pb->bad = true;
    return false;
}

bool xr_pb_varint(xr_pb *pb, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (pb->at == pb->end)
            return bad(pb);
        uint8_t byte = *pb->at++;
        result |= (uint64_t)(byte & 0x7F) << shift; /* of the tenth byte one bit counts */
        if (!(byte & 0x80)) {
            *value = result;
            return true;
        }
    }
    return bad(pb);
}

static bool fixed(xr_pb *pb, unsigned bytes, uint64_t *value)
{
    if ((size_t)(pb->end - pb->at) < bytes)
        return bad(pb);
    *value = 0;
    for (unsigned i = 0; i < bytes; i++)
        *value |= (uint64_t)pb->at[i] << 8 * i;
    pb->at += bytes;
    return true;
}

bool xr_pb_next(xr_pb *pb, xr_pb_field *field)
{
    uint64_t tag, length;
    if (pb->bad || pb->at == pb->end || !xr_pb_varint(pb, &tag))
        return false;
    if (tag >> 3 == 0 || tag >> 3 > 0x1FFFFFFF)
        return bad(pb);
    *field = (xr_pb_field){.number = (uint32_t)(tag >> 3), .type = tag & 7};
    switch (field->type) {
    case XR_PB_VARINT:
        return xr_pb_varint(pb, &field->value);
    case XR_PB_FIXED64:
        return fixed(pb, 8, &field->value);
    case XR_PB_FIXED32:
        return fixed(pb, 4, &field->value);
    case XR_PB_BYTES:
        if (!xr_pb_varint(pb, &length))
            return false;
        if (length > (uint64_t)(pb->end - pb->at))
            return bad(pb);
        field->data = pb->at;
        field->size = (size_t)length;
        pb->at += length;
        return true;
    default: /* groups: no ONNX schema ever had one */
        return bad(pb);
    }
}

/* ---- Memory ------------------------------------------------------------------ */

struct xr_onnx_block {
    xr_onnx_block *next;
    max_align_t data[];
};

bool xr_onnx_fail(xr_onnx *onnx, exray_status status, const char *why)
{
    if (onnx->error && onnx->error->status == EXRAY_OK)
        xr_refuse(onnx->error, status, "%s", why);
    return false;
}

void *xr_onnx_alloc(xr_onnx *onnx, size_t count, size_t size)
{
    xr_onnx_block *block = NULL;
    if (!size || count <= (SIZE_MAX / 2 - sizeof(xr_onnx_block)) / size)
        block = calloc(1, sizeof *block + count * size);
    if (!block) {
        xr_onnx_fail(onnx, EXRAY_E_MEMORY, "out of memory for the model's description");
        return NULL;
    }
    block->next = onnx->blocks;
    onnx->blocks = block;
    return block->data;
}

void xr_onnx_free(xr_onnx *onnx)
{
    while (onnx->blocks) {
        xr_onnx_block *block = onnx->blocks;
        onnx->blocks = block->next;
        free(block);
    }
}

void *xr_onnx_add(xr_onnx *onnx, xr_onnx_list *list, size_t size)
{
    if (list->count >= UINT32_MAX - 1) {
        xr_onnx_fail(onnx, EXRAY_E_LIMIT, "the graph has more items than can be numbered");
        return NULL;
    }
    if (list->count == list->room) {
        size_t room = list->room ? 2 * list->room : 16;
        void *items = xr_onnx_alloc(onnx, room, size);
        if (!items)
            return NULL;
        if (list->count)
            memcpy(items, list->items, list->count * size);
        list->items = items;
        list->room = room;
    }
    return (char *)list->items + size * list->count++;
}

const char *xr_onnx_text(xr_onnx *onnx, xr_span text)
{
    if (!text.size)
        return "";
    if (memchr(text.data, 0, text.size)) {
        xr_onnx_fail(onnx, EXRAY_E_FORMAT, "a name in it holds a NUL byte");
        return NULL;
    }
    char *copy = xr_onnx_alloc(onnx, text.size + 1, 1);
    return copy ? memcpy(copy, text.data, text.size) : NULL;
}

bool xr_onnx_is(xr_span text, const char *string)
{
    return text.size == strlen(string) && (!text.size || memcmp(text.data, string, text.size) == 0);
}
