#include "checks/model/channel_order.h"

#include "checks/model/partition.h"
#include "checks/op_name.h"

#include <string.h>

bool xr_has_channels_last(const exray_model *model)
{
    /* As compare/match/shapes.c has them. */
    static const char *const engines[] = {"tflite", "litert", "keras", "tensorflow"};
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (model && model->engine && strstr(model->engine, engines[i]))
            return true;
    return false;
}

/* The sizes without dimensions of 1; 0: one is unknown, or they are more than three. */
static uint32_t squeeze(const exray_tensor_info *info, uint64_t size[3])
{
    uint32_t rank = 0;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] == 1)
            continue;
        if (info->shape[i] < 1 || info->shape[i] > (1 << 20) || rank == 3)
            return 0;
        size[rank++] = (uint64_t)info->shape[i];
    }
    return rank;
}

bool xr_reads_flattened(const exray_model *model, const exray_node *node, xr_flat_picture *out)
{
    enum { FURTHEST = 4 };
    uint32_t tensor = node && node->input_count ? node->inputs[0] : EXRAY_NO_INDEX;
    *out = (xr_flat_picture){.channels_last = xr_has_channels_last(model)};
    for (int i = 0; i < FURTHEST && tensor < model->tensor_count; i++) {
        uint32_t rank = squeeze(&model->tensors[tensor], out->size);
        if (rank == 3)
            return i > 0;
        const exray_node *maker = rank == 1 ? xr_maker_within(model, tensor) : NULL;
        bool keeps = maker && maker->input_count &&
                     (xr_is_op(maker->op, "reshape") || xr_is_op(maker->op, "flatten") ||
                      xr_is_op(maker->op, "squeeze") || xr_is_op(maker->op, "identity") ||
                      xr_is_op(maker->op, "dropout"));
        tensor = keeps ? maker->inputs[0] : EXRAY_NO_INDEX;
    }
    return false;
}

uint64_t xr_place_in_other_order(const xr_flat_picture *p, uint64_t place)
{
    const uint64_t *s = p->size;
    /* [rows][columns] to [columns][rows], the pixels or the channels being the rows. */
    uint64_t rows = p->channels_last ? s[0] * s[1] : s[0], columns = p->channels_last ? s[2] : s[1] * s[2];
    return place % columns * rows + place / columns;
}
