#include "engines/onnxruntime/strings.h"

#include <stdlib.h>

/* A log's numbers have the low byte first on every machine. */
static void put_number(uint8_t *to, uint64_t number)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t count_of(const exray_tensor_info *info)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 0 || (info->shape[i] && count > UINT32_MAX / (uint64_t)info->shape[i]))
            return UINT32_MAX;
        count *= (uint64_t)info->shape[i];
    }
    return count;
}

void *xr_ort_strings(const xr_ort_api *api, const OrtValue *value, const exray_tensor_info *info,
                     size_t *size)
{
    enum { MOST = 1 << 28 }; /* elements, bytes of text: what offsets of 32 bits reach with room to spare */
    exray_error ignored = {EXRAY_OK, ""};
    const uint64_t count = count_of(info);
    size_t text = 0;
    if (count > MOST || xr_ort_check(api, api->GetStringTensorDataLength(value, &text), "", &ignored) ||
        text > MOST)
        return NULL;
    const size_t head = 4 * ((size_t)count + 2);
    uint8_t *out = malloc(head + text + 1);
    size_t *offset = calloc((size_t)count + 1, sizeof *offset);
    const bool good =
        out && offset &&
        (!count ||
         !xr_ort_check(api, api->GetStringTensorContent(value, out + head, text, offset, (size_t)count), "",
                       &ignored));
    if (good) {
        offset[count] = text;
        put_number(out, count);
        for (size_t i = 0; i <= count; i++)
            put_number(out + 4 * (i + 1), head + offset[i]);
        *size = head + text;
    }
    free(offset);
    if (!good)
        free(out);
    return good ? out : NULL;
}
