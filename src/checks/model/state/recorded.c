#include "checks/model/state/recorded.h"

#include <stdlib.h>

/* Whether a record is zeros alone: 1, or not: 0; -1: it cannot be read. */
static int is_zeros(const exray_log *log, const exray_record *record, exray_slot *slot)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    if (!record || !record->has_data ||
        exray_log_read_values(log, record, slot, &view, &values, &error) != EXRAY_OK || view.count == 0)
        return -1;
    for (uint64_t i = 0; i < view.count; i++)
        if (values[i] != 0)
            return 0;
    return 1;
}

/* Of one matched frame. */
static void compare_frame(const exray_comparison *c, size_t f, exray_slot *slot, xr_state_resets *out)
{
    const exray_log *edge = exray_comparison_log(c, EXRAY_SIDE_EDGE);
    const exray_log *reference = exray_comparison_log(c, EXRAY_SIDE_REFERENCE);
    const exray_frame_pair pair = exray_comparison_frame(c, f);
    size_t count;
    const exray_record *record = exray_log_records_in(edge, pair.frame[0], slot, &count);
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        if (record[i].message != EXRAY_MESSAGE_TENSOR || record[i].kind != EXRAY_KIND_STATE)
            continue;
        int e = is_zeros(edge, &record[i], slot);
        int r = is_zeros(
            reference,
            exray_log_find(reference, pair.frame[1], EXRAY_KIND_STATE, EXRAY_NO_INDEX, 0, record[i].name),
            slot);
        if (e < 0 || r < 0)
            continue;
        any = true;
        if (e == r)
            continue;
        out->in[e ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE][f] = true;
        out->name = out->name ? out->name : record[i].name;
    }
    out->compared += any;
    for (int s = 0; s < 2; s++)
        out->count[s] += out->in[s][f];
}

bool xr_find_state_resets(const exray_comparison *comparison, xr_state_resets *out)
{
    size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot = exray_slot_new();
    *out = (xr_state_resets){.in = {calloc(frames + 1, sizeof(bool)), calloc(frames + 1, sizeof(bool))}};
    bool ok = slot && out->in[0] && out->in[1];
    for (size_t f = 0; ok && f < frames; f++)
        compare_frame(comparison, f, slot, out);
    exray_slot_free(slot);
    return ok;
}

void xr_state_resets_free(xr_state_resets *resets)
{
    free(resets->in[0]);
    free(resets->in[1]);
    *resets = (xr_state_resets){0};
}
