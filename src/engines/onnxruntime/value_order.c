#include "engines/onnxruntime/value_order.h"

#include <string.h>

void xr_ort_described_shape(const xr_ort_layout *layout, const int64_t *stored, uint32_t rank,
                            int64_t described[EXRAY_MAX_RANK])
{
    for (uint32_t i = 0; i < rank && i < EXRAY_MAX_RANK; i++)
        described[i] = stored[i];
    if (layout->order == XR_ORT_BLOCKED && rank > 1)
        described[1] = layout->channels;
    if (layout->order == XR_ORT_CHANNELS_LAST && rank > 2) {
        described[1] = stored[rank - 1];
        for (uint32_t i = 2; i < rank; i++)
            described[i] = stored[i - 1];
    }
}

/* Elements of a channel. */
static uint64_t plane_of(const int64_t *shape, uint32_t rank)
{
    uint64_t plane = 1;
    for (uint32_t i = 2; i < rank; i++)
        plane *= (uint64_t)shape[i];
    return plane;
}

static uint64_t blocks_of(const xr_ort_layout *layout)
{
    return ((uint64_t)layout->channels + layout->block - 1) / layout->block;
}

uint64_t xr_ort_stored_element(const xr_ort_layout *layout, const int64_t *described, uint32_t rank,
                               uint64_t element)
{
    if (layout->order == XR_ORT_AS_DESCRIBED || rank < 2)
        return element;
    uint64_t plane = plane_of(described, rank), channels = (uint64_t)described[1];
    uint64_t at = element % plane, c = element / plane % channels, n = element / plane / channels;
    if (layout->order == XR_ORT_CHANNELS_LAST)
        return (n * plane + at) * channels + c;
    return ((n * blocks_of(layout) + c / layout->block) * plane + at) * layout->block + c % layout->block;
}

bool xr_ort_is_padded(const xr_ort_layout *layout)
{
    return layout->order == XR_ORT_BLOCKED && layout->channels % layout->block != 0;
}

void xr_ort_reorder(const xr_ort_layout *layout, const int64_t *described, uint32_t rank, uint64_t count,
                    size_t size, const void *stored, void *to)
{
    for (uint64_t i = 0; i < count; i++)
        memcpy((char *)to + i * size,
               (const char *)stored + xr_ort_stored_element(layout, described, rank, i) * size, size);
}

void xr_ort_drop_padding(const xr_ort_layout *layout, const int64_t *described, uint32_t rank, size_t size,
                         const void *stored, void *to)
{
    uint64_t plane = plane_of(described, rank), blocks = blocks_of(layout);
    size_t row = layout->block * size, kept = (size_t)layout->channels % layout->block * size;
    size_t whole = (size_t)((blocks - 1) * plane) * row;
    const char *from = stored;
    char *out = to;
    for (int64_t n = 0; n < described[0]; n++) {
        memcpy(out, from, whole);
        out += whole;
        from += whole;
        for (uint64_t i = 0; i < plane; i++) {
            memcpy(out, from, kept);
            out += kept;
            from += row;
        }
    }
}
