#include "checks/model/state/memory_reads.h"

#include "checks/layer/equal_frames.h"
#include "checks/layer/value_evidence.h"
#include "checks/op_name.h"

bool xr_reads_variable(const exray_layer_pair *layer)
{
    return xr_is_op(layer->op[EXRAY_SIDE_EDGE], "readvariable") &&
           xr_is_op(layer->op[EXRAY_SIDE_REFERENCE], "readvariable");
}

/* Over all frames; not where it is unknown. */
static bool is_other(const exray_layer_pair *layer, bool exact)
{
    return xr_layer_has_data(layer) && (exact ? layer->metrics.max_abs != 0 : layer->error > layer->noise);
}

bool xr_memory_reads_differ(const exray_comparison *comparison, bool exact)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (xr_reads_variable(layer) && is_other(layer, exact))
            return true;
    }
    return false;
}

static bool is_other_in(const exray_comparison *comparison, size_t layer, size_t frame, bool exact,
                        exray_slot *slot[2])
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    return is_other(pair, exact) &&
           xr_error_in_frame(comparison, layer, frame, slot) > (exact ? 0 : pair->noise);
}

/* The first layer that differs in a frame; SIZE_MAX: none. */
static size_t first_in(const exray_comparison *comparison, size_t frame, bool exact, exray_slot *slot[2])
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (is_other_in(comparison, i, frame, exact, slot))
            return i;
    return SIZE_MAX;
}

static bool some_read_differs(const exray_comparison *comparison, size_t frame, bool exact,
                              exray_slot *slot[2])
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (xr_reads_variable(exray_comparison_layer(comparison, i)) &&
            is_other_in(comparison, i, frame, exact, slot))
            return true;
    return false;
}

bool xr_memory_reads_find(const exray_comparison *comparison, bool exact, bool *differs)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const bool ok = slot[0] && slot[1];
    size_t frames = exray_comparison_frame_count(comparison), first = SIZE_MAX, f = 0;
    for (; ok && first == SIZE_MAX && f < frames; f++)
        first = first_in(comparison, f, exact, slot);
    if (first != SIZE_MAX && xr_reads_variable(exray_comparison_layer(comparison, first)))
        for (f--; f < frames; f++)
            differs[f] = some_read_differs(comparison, f, exact, slot);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok;
}
