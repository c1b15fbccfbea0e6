#include "compare/noise/stored_type.h"

#include "compare/match/layers.h"
#include "compare/noise/noise.h"

#include <exray/assertion.h>

#include <math.h>
#include <stdlib.h>
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

/* ---- Integers of 4 bits in bytes ------------------------------------------------------------------ */

/* The largest and the smallest integer of each slice along `axis` that has a scale of its own. */
typedef struct slice_ends {
    int least, most;
} slice_ends;

static bool find_ends(const exray_tensor_view *view, uint32_t axis, slice_ends *ends, uint32_t slices)
{
    const exray_tensor_info *info = &view->info;
    uint64_t behind = 1;
    if (axis >= info->rank || info->shape[axis] != (int64_t)slices || view->size < view->count)
        return false;
    for (uint32_t d = axis + 1; d < info->rank; d++)
        behind *= (uint64_t)info->shape[d];
    for (uint32_t k = 0; k < slices; k++)
        ends[k] = (slice_ends){INT16_MAX, INT16_MIN};
    for (uint64_t i = 0; i < view->count; i++) {
        slice_ends *e = &ends[i / behind % slices];
        int value = info->dtype == EXRAY_DTYPE_INT8 ? ((const int8_t *)view->data)[i]
                                                    : ((const uint8_t *)view->data)[i];
        e->least = value < e->least ? value : e->least;
        e->most = value > e->most ? value : e->most;
    }
    return true;
}

/* Whether bytes are integers of 4 bits, unpacked: no slice goes beyond those, and each goes to their end, as
 * its scale was chosen for. One scale for all says nothing: it may be a byte's, and too wide. */
static bool are_of_4_bits(const exray_tensor_view *view, const exray_quantization *q)
{
    bool is_signed = view->info.dtype == EXRAY_DTYPE_INT8;
    slice_ends *ends = q->count > 1 ? malloc(q->count * sizeof *ends) : NULL;
    bool all = ends && find_ends(view, q->axis, ends, q->count);
    for (uint32_t k = 0; all && k < q->count; k++) {
        int low = is_signed ? -8 : 0, high = is_signed ? 7 : 15;
        bool to_the_end = is_signed ? ends[k].least <= -7 || ends[k].most == high
                                    : ends[k].most - ends[k].least >= high - 1;
        bool empty = ends[k].least == ends[k].most; /* a channel of zeros */
        all = ends[k].least >= low && ends[k].most <= high && (to_the_end || empty);
    }
    free(ends);
    return all;
}

/* ---- The weights of a node -------------------------------------------------------------------------- */

/* The noise of the coarsest type that a constant's values fit. */
static double constant_noise(const exray_log *log, uint32_t tensor, exray_slot *slot)
{
    const exray_tensor_info *info = &exray_log_model(log)->tensors[tensor];
    bool bytes = info->dtype == EXRAY_DTYPE_INT8 || info->dtype == EXRAY_DTYPE_UINT8;
    const exray_record *record = bytes || info->dtype == EXRAY_DTYPE_FLOAT32
                                     ? exray_log_find(log, 0, EXRAY_KIND_CONSTANT, tensor, 0, NULL)
                                     : NULL;
    exray_tensor_view view;
    const float *values = NULL;
    exray_error ignored;
    if (!record || !record->has_data)
        return XR_NOISE_FLOAT32;
    if (bytes) {
        bool read = exray_log_read_tensor(log, record, slot, &view, &ignored) == EXRAY_OK && view.data;
        bool packed = read && view.info.dtype == info->dtype && are_of_4_bits(&view, &info->quantization);
        return packed ? XR_NOISE_4_BITS : XR_NOISE_FLOAT32;
    }
    bool read = exray_log_read_values(log, record, slot, &view, &values, &ignored) == EXRAY_OK && values;
    if (!read)
        return XR_NOISE_FLOAT32;
    exray_dtype type = type_of_values(values, view.count);
    return type == EXRAY_DTYPE_FLOAT32 && exray_weights_rounding(&view.info, values) > 0
               ? XR_NOISE_8_BITS
               : xr_type_noise(type);
}

/* Nodes between two compared tensors: weights are unpacked, multiplied and moved in a few steps. */
enum { MOST_STEPS_BACK = 4, MOST_NODES_BACK = 64 };

static bool is_compared(const exray_comparison *comparison, int side, uint32_t tensor)
{
    for (size_t i = 0; i < comparison->layers.count; i++)
        if (comparison->layers.pair[i].tensor[side] == tensor)
            return true;
    return false;
}

/* The noise of the coarsest type that some weights fit of a node and of those before it, back to compared
 * tensors. */
static double weights_noise(const exray_comparison *comparison, int side, uint32_t n, int steps, int *left,
                            exray_slot *slot)
{
    const exray_log *log = comparison->log[side];
    const exray_model *model = exray_log_model(log);
    const exray_node *node = model && n < model->node_count ? &model->nodes[n] : NULL;
    double noise = XR_NOISE_FLOAT32;
    for (uint32_t i = 0; node && i < node->input_count; i++) {
        uint32_t tensor = node->inputs[i];
        if (tensor >= model->tensor_count)
            continue;
        if (model->tensors[tensor].constant)
            noise = fmax(noise, constant_noise(log, tensor, slot));
        else if (steps > 0 && *left > 0 && !is_compared(comparison, side, tensor)) {
            --*left;
            noise = fmax(noise,
                         weights_noise(comparison, side, xr_maker_of(model, tensor), steps - 1, left, slot));
        }
    }
    return noise;
}

double xr_stored_type_noise(const exray_comparison *comparison, const xr_pair *pair)
{
    exray_slot *slot = exray_slot_new();
    double noise[2] = {0, 0};
    for (int s = 0; slot && s < 2; s++) {
        int left = MOST_NODES_BACK;
        noise[s] = weights_noise(comparison, s, pair->index[s], MOST_STEPS_BACK, &left, slot);
    }
    exray_slot_free(slot);
    return noise[0] == noise[1] ? 0 : fmax(noise[0], noise[1]);
}
