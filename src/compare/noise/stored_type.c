#include "compare/noise/stored_type.h"

#include "compare/noise/noise.h"

#include <string.h>

enum { FEW = 16 }; /* values other than 0 and 1 that may fit by chance */

/* The coarsest of the types that hold all values exactly. */
static exray_dtype type_of_values(const float *value, uint64_t count)
{
    bool half = true, brain = true;
    uint64_t telling = 0;
    for (uint64_t i = 0; i < count && (half || brain); i++) {
        uint32_t bits;
        memcpy(&bits, &value[i], sizeof bits);
        float size = fabsf(value[i]);
        telling += size != 0 && size != 1;
        brain = brain && (bits & 0xffff) == 0;
        /* Below 2^-14 its steps are all alike. */
        half = half && size <= 65504 &&
               (size < 0x1p-14f ? size * 0x1p24f == rintf(size * 0x1p24f) : (bits & 0x1fff) == 0);
    }
    if (telling < FEW)
        return EXRAY_DTYPE_FLOAT32;
    return brain ? EXRAY_DTYPE_BFLOAT16 : half ? EXRAY_DTYPE_FLOAT16 : EXRAY_DTYPE_FLOAT32;
}

/* The noise of the coarsest type that some weights of a node fit. */
static double weights_noise(const exray_log *log, uint32_t n, exray_slot *slot)
{
    const exray_model *model = exray_log_model(log);
    const exray_node *node = model && n < model->node_count ? &model->nodes[n] : NULL;
    double noise = XR_NOISE_FLOAT32;
    for (uint32_t i = 0; node && i < node->input_count; i++) {
        uint32_t tensor = node->inputs[i];
        if (tensor >= model->tensor_count || !model->tensors[tensor].constant ||
            model->tensors[tensor].dtype != EXRAY_DTYPE_FLOAT32)
            continue;
        const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL);
        exray_tensor_view view;
        const float *values = NULL;
        exray_error ignored;
        if (record && record->has_data &&
            exray_log_read_values(log, record, slot, &view, &values, &ignored) == EXRAY_OK && values)
            noise = fmax(noise, xr_type_noise(type_of_values(values, view.count)));
    }
    return noise;
}

double xr_stored_type_noise(const exray_comparison *comparison, const xr_pair *pair)
{
    exray_slot *slot = exray_slot_new();
    double noise[2] = {0, 0};
    for (int s = 0; slot && s < 2; s++)
        noise[s] = weights_noise(comparison->log[s], pair->index[s], slot);
    exray_slot_free(slot);
    return noise[0] == noise[1] ? 0 : fmax(noise[0], noise[1]);
}
