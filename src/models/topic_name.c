#include "models/topic_name.h"

#include <string.h>

size_t xr_name_size(const char *name)
{
    size_t size = strlen(name);
    if (size <= XR_NAME_MOST)
        return size;
    size = XR_NAME_MOST;
    while (size && ((unsigned char)name[size] & 0xC0) == 0x80) /* within a UTF-8 character */
        size--;
    return size;
}

static const char *name_at(const exray_tensor_info *tensors, uint32_t position)
{
    return position == EXRAY_NO_INDEX ? NULL : tensors[position].name;
}

const char *xr_topic_name(const exray_tensor_info *tensors, const uint32_t *positions, uint32_t count,
                          uint32_t i)
{
    const char *name = name_at(tensors, positions[i]);
    if (!name || !*name)
        return NULL;
    for (uint32_t k = 0; k < count; k++) {
        const char *other = name_at(tensors, positions[k]);
        if (k != i && other && strcmp(name, other) == 0)
            return NULL;
    }
    return name;
}
