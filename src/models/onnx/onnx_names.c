/* Names of tensors to their positions: a hash table with open addressing. */
#include "models/onnx/onnx.h"

#include <string.h>

static size_t hash_of(xr_span name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < name.size; i++)
        hash = (hash ^ name.data[i]) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 29);
}

/* The slot that has the name, or is free for it. */
static uint32_t *slot_of(const xr_onnx *onnx, xr_span name)
{
    for (size_t i = hash_of(name);; i++) {
        uint32_t *slot = &onnx->hash[i & (onnx->hash_size - 1)];
        if (!*slot || xr_onnx_is(name, xr_onnx_info(onnx, *slot - 1)->name))
            return slot;
    }
}

uint32_t xr_onnx_find(const xr_onnx *onnx, xr_span name)
{
    if (!onnx->hash_size || !name.size)
        return EXRAY_NO_INDEX;
    uint32_t slot = *slot_of(onnx, name);
    return slot ? slot - 1 : EXRAY_NO_INDEX;
}

static bool grow_hash(xr_onnx *onnx)
{
    if (onnx->hash_size > 2 * onnx->infos.count)
        return true;
    onnx->hash_size = onnx->hash_size ? 2 * onnx->hash_size : 1024;
    onnx->hash = xr_onnx_alloc(onnx, onnx->hash_size, sizeof *onnx->hash);
    if (!onnx->hash)
        return false;
    for (uint32_t i = 0; i < onnx->infos.count; i++) {
        const char *name = xr_onnx_info(onnx, i)->name;
        *slot_of(onnx, (xr_span){(const uint8_t *)name, strlen(name)}) = i + 1;
    }
    return true;
}

bool xr_onnx_tensor_named(xr_onnx *onnx, xr_span name, uint32_t *position)
{
    *position = EXRAY_NO_INDEX;
    if (!name.size)
        return true;
    if (!grow_hash(onnx))
        return false;
    uint32_t *slot = slot_of(onnx, name);
    if (!*slot) {
        const char *text = xr_onnx_text(onnx, name);
        exray_tensor_info *info = text ? xr_onnx_add(onnx, &onnx->infos, sizeof *info) : NULL;
        xr_onnx_tensor *tensor = info ? xr_onnx_add(onnx, &onnx->tensors, sizeof *tensor) : NULL;
        if (!tensor || !xr_onnx_add(onnx, &onnx->constants, sizeof(xr_constant)))
            return false;
        info->name = text;
        tensor->maker = EXRAY_NO_INDEX;
        *slot = (uint32_t)onnx->infos.count;
    }
    *position = *slot - 1;
    return true;
}
