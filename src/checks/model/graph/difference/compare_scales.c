#include "checks/model/graph/difference/compare_scales.h"

#include <stdio.h>

static uint32_t scale_of(const xr_finder *f, int side, uint32_t step)
{
    return step == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : f->out->scales.of[side][step];
}

bool xr_steps_are_of_scales(const xr_finder *f, uint32_t edge, uint32_t reference)
{
    return scale_of(f, 0, edge) != EXRAY_NO_INDEX && scale_of(f, 1, reference) != EXRAY_NO_INDEX;
}

bool xr_gap_is_of_scales(const xr_finder *f, const xr_step_gap gap[2])
{
    enum { MOST = 2 }; /* more have others between the first and the last */
    if (gap[0].count + gap[1].count == 0)
        return false;
    for (int s = 0; s < 2; s++)
        if (gap[s].count > MOST || (gap[s].count && (scale_of(f, s, gap[s].first) == EXRAY_NO_INDEX ||
                                                     scale_of(f, s, gap[s].last) == EXRAY_NO_INDEX)))
            return false;
    return true;
}

/* What is right or wrong of what the product makes, all factors included. */
static xr_state made(xr_finder *f, const xr_product_scale *scale)
{
    const xr_state end = xr_state_of(&f->values, scale->end[0], scale->end[1]);
    return end == XR_STATE_UNKNOWN ? xr_state_behind(&f->values, scale->step[0]) : end;
}

/* The first layer that reads what the product makes in all: where the product itself agrees, for the other
 * side's factor comes behind it, it shows there. */
static uint32_t layer_behind(const xr_finder *f, const xr_product_scale *scale)
{
    const xr_step_graph *g = &xr_finder_match(f)->side[0];
    for (uint32_t i = scale->step[0] + 1; i < g->count; i++)
        for (uint32_t k = 0; k < g->step[i].input_count; k++)
            if (g->step[i].input[k] == scale->end[0])
                return xr_layer_behind_step(f, i);
    return EXRAY_NO_INDEX;
}

void xr_compare_scales(xr_finder *f, uint32_t edge)
{
    const uint32_t at = scale_of(f, 0, edge);
    const xr_product_scale *scale = at == EXRAY_NO_INDEX ? NULL : &f->out->scales.list[at];
    if (!scale || scale->step[0] != edge || scale->equal)
        return;
    xr_difference *d = xr_add_difference(f, XR_DIFFERENCE_FUNCTION, edge, scale->step[1], "scale");
    if (!d)
        return;
    const bool agrees = d->behind != EXRAY_NO_INDEX &&
                        exray_comparison_layer(f->comparison, d->behind)->role == EXRAY_LAYER_ROLE_CLEAN;
    d->behind = agrees ? layer_behind(f, scale) : d->behind;
    for (int s = 0; s < 2; s++) {
        char words[XR_DIFFERENCE_WORDS - 32];
        xr_function_words(scale->value[s], words, sizeof words);
        snprintf(d->value[s], sizeof d->value[s], "%s of the product", words);
    }
    if (!xr_judge_difference(f, d, xr_state_before_all(f, scale->source, 2), made(f, scale)))
        xr_drop_difference(f);
}
