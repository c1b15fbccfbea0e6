#include "tasks/vectors.h"

#include <math.h>
#include <string.h>

exray_status xr_vector_decide(const exray_task_output *outputs, size_t count, exray_told *told,
                              exray_result *out, exray_error *error)
{
    *out = (exray_result){.text = ""};
    exray_vector *vectors = exray_told_room(told, count ? count : 1, sizeof *vectors);
    if (!vectors)
        return xr_task_no_memory(error, "of vectors");
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (!outputs[i].values || outputs[i].count == 0 || outputs[i].count > UINT32_MAX)
            continue;
        float *values = exray_told_room(told, (size_t)outputs[i].count, sizeof *values);
        if (!values)
            return xr_task_no_memory(error, "of vectors");
        memcpy(values, outputs[i].values, (size_t)outputs[i].count * sizeof *values);
        vectors[found++] = (exray_vector){outputs[i].info->name, values, (uint32_t)outputs[i].count};
    }
    out->vectors = vectors;
    out->vector_count = found;
    return found ? EXRAY_OK : EXRAY_E_UNSUPPORTED;
}

const exray_vector *xr_vector_partner(const exray_result *told, uint32_t i, const exray_result *other)
{
    const exray_vector *one = &told->vectors[i];
    const exray_vector *found = i < other->vector_count ? &other->vectors[i] : NULL;
    for (uint32_t k = 0; one->name && *one->name && k < other->vector_count; k++)
        if (other->vectors[k].name && strcmp(other->vectors[k].name, one->name) == 0) {
            found = &other->vectors[k];
            break;
        }
    return found && found->count == one->count ? found : NULL;
}

bool xr_vector_is_unit(const exray_vector *vector)
{
    double square = 0;
    for (uint32_t i = 0; i < vector->count; i++)
        square += (double)vector->values[i] * vector->values[i];
    return vector->count >= 8 && fabs(square - 1) < 0.02;
}
