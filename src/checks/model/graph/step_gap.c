#include "checks/model/graph/step_gap.h"

#include <string.h>

static void add_entry(xr_step_gap *gap, uint32_t tensor)
{
    uint32_t kept = gap->entries < 4 ? gap->entries : 4;
    for (uint32_t i = 0; i < kept; i++)
        if (gap->entry[i] == tensor)
            return;
    if (gap->entries < 4)
        gap->entry[gap->entries] = tensor;
    gap->entries++;
}

/* Only another shape, or another order that the formats differ in. */
static bool computes(const xr_op_step *step)
{
    return step->kind != XR_STEP_SHAPE && step->kind != XR_STEP_TRANSPOSE;
}

void xr_step_gap_of(const xr_step_match *m, int side, uint32_t tensor, bool *seen, xr_step_gap *out)
{
    const xr_step_graph *g = &m->side[side];
    *out = (xr_step_gap){.first = EXRAY_NO_INDEX, .last = EXRAY_NO_INDEX};
    tensor = g->tensor[tensor].same_as;
    uint32_t maker = g->tensor[tensor].maker;
    if (maker == EXRAY_NO_INDEX || m->mate[side][maker] != EXRAY_NO_INDEX) {
        add_entry(out, tensor);
        return;
    }
    memset(seen, 0, g->count * sizeof *seen);
    seen[maker] = true;
    for (uint32_t i = maker + 1; i-- > 0;) { /* steps run in order: makers come before */
        if (!seen[i])
            continue;
        const xr_op_step *step = &g->step[i];
        if (computes(step)) {
            out->count++;
            out->first = i;
            out->last = out->last == EXRAY_NO_INDEX ? i : out->last;
        }
        for (uint32_t k = 0; k < step->input_count; k++) {
            uint32_t before = g->tensor[step->input[k]].maker;
            if (before != EXRAY_NO_INDEX && before < i && m->mate[side][before] == EXRAY_NO_INDEX)
                seen[before] = true;
            else
                add_entry(out, step->input[k]);
        }
    }
}
