#include "log/open/learned_tensors.h"

#include "log/log_file.h"

#include <string.h>

static exray_tensor_info *made_by(const exray_model *model, uint32_t node, uint32_t output)
{
    const uint32_t t = model->nodes[node].outputs[output];
    /* The log's own, which only its index and this change. */
    return t < model->tensor_count ? (exray_tensor_info *)(uintptr_t)&model->tensors[t] : NULL;
}

/* Whether a tensor that a node makes has no type: a description that was made without one. */
static bool lacks_types(const exray_model *model)
{
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t k = 0; k < model->nodes[n].output_count; k++) {
            const exray_tensor_info *t = made_by(model, n, k);
            if (t && t->dtype == EXRAY_DTYPE_UNSPECIFIED)
                return true;
        }
    return false;
}

static void learn(exray_log *log, exray_tensor_info *tensor, const exray_tensor_info *seen)
{
    if (seen->dtype == EXRAY_DTYPE_UNSPECIFIED || seen->rank == 0)
        return;
    int64_t *shape = xr_arena_take(&log->arena, seen->rank * sizeof *shape);
    if (!shape)
        return;
    memcpy(shape, seen->shape, seen->rank * sizeof *shape);
    tensor->dtype = seen->dtype;
    tensor->rank = seen->rank;
    tensor->shape = shape;
}

void xr_log_learn_tensors(exray_log *log)
{
    const exray_model *model = exray_log_model(log);
    exray_slot *slot = model && log->frame_count && lacks_types(model) ? exray_slot_new() : NULL;
    for (uint32_t n = 0; slot && n < model->node_count; n++) {
        for (uint32_t k = 0; k < model->nodes[n].output_count; k++) {
            exray_tensor_view view;
            exray_error ignored;
            exray_tensor_info *t = made_by(model, n, k);
            const bool open = t && !t->constant && t->rank == 0; /* a scalar stays one */
            const exray_record *record = open ? exray_log_find(log, 0, EXRAY_KIND_LAYER, n, k, NULL) : NULL;
            if (record && exray_log_read_tensor(log, record, slot, &view, &ignored) == EXRAY_OK)
                learn(log, t, &view.info);
        }
    }
    exray_slot_free(slot);
}
