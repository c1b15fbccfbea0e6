#include "checks/head/head_table.h"

enum { FEWEST_ROWS = 2, MOST_ROWS = 4096, FEWEST_COLUMNS = 4, MOST_VALUES = 1 << 16 };

bool xr_head_frame_begin(xr_head_frame *frame)
{
    *frame = (xr_head_frame){.slot = {exray_slot_new(), exray_slot_new()}};
    return frame->slot[0] && frame->slot[1];
}

void xr_head_frame_end(xr_head_frame *frame)
{
    exray_slot_free(frame->slot[0]);
    exray_slot_free(frame->slot[1]);
}

exray_status xr_head_frame_read(xr_head_frame *frame, const exray_comparison *comparison, size_t matched,
                                size_t pair, bool *there, exray_error *error)
{
    exray_tensor_view view[2];
    *there = false;
    for (int s = 0; s < 2; s++) {
        exray_status status =
            exray_comparison_values(comparison, (exray_side)s, matched, EXRAY_KIND_OUTPUT, pair,
                                    frame->slot[s], &view[s], &frame->values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            return error->status = EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        if (!frame->values[s] || view[s].info.rank > EXRAY_MAX_RANK)
            return EXRAY_OK;
    }
    for (int s = 0; s < 2; s++) {
        frame->count[s] = view[s].count;
        frame->rank[s] = view[s].info.rank;
        for (uint32_t i = 0; i < frame->rank[s]; i++)
            frame->shape[s][i] = view[s].info.shape[i];
    }
    *there = true;
    return EXRAY_OK;
}

static bool table_along(const xr_head_frame *frame, int side, uint32_t axis, xr_head_table *out)
{
    uint64_t total = 1;
    *out = (xr_head_table){frame->values[side], 0, 1, 1};
    if (axis >= frame->rank[side])
        return false;
    for (uint32_t i = 0; i < frame->rank[side]; i++) {
        const uint64_t n = frame->shape[side][i] > 0 ? (uint64_t)frame->shape[side][i] : 0;
        if (n == 0 || total > frame->count[side] / n)
            return false;
        total *= n;
        if (i < axis)
            out->outer *= (size_t)n;
        else if (i == axis)
            out->rows = (size_t)n;
        else
            out->inner *= (size_t)n;
    }
    return total == frame->count[side] && out->rows >= FEWEST_ROWS && out->rows <= MOST_ROWS;
}

bool xr_head_tables(const xr_head_frame *frame, const xr_head_axes *axes, xr_head_table table[2])
{
    for (int s = 0; s < 2; s++)
        if (!table_along(frame, s, axes->axis[s], &table[s]))
            return false;
    const size_t columns = table[0].outer * table[0].inner;
    return columns == table[1].outer * table[1].inner && columns >= FEWEST_COLUMNS;
}

size_t xr_head_stride(const xr_head_table *table)
{
    const size_t columns = table->outer * table->inner, most = MOST_VALUES / table->rows;
    return columns > most ? (columns + most - 1) / most : 1;
}
