#include "checks/gate/measures.h"

static size_t add_decisions(const exray_accuracy *a, xr_measure *out)
{
    const size_t frames = a->labeled ? a->labeled : a->frames;
    if (a->frames == 0)
        return 0;
    out[0] = (xr_measure){"top1", "share", true, NULL, NULL, frames, a->top1[0], a->top1[1], a->agreement};
    out[1] =
        (xr_measure){"top5", "share", true, NULL, NULL, frames, a->top5[0], a->top5[1], a->agreement_top5};
    return 2;
}

size_t xr_measures(const exray_comparison *comparison, xr_measure *out)
{
    size_t count = add_decisions(exray_comparison_accuracy(comparison), out);
    for (size_t i = 0; i < exray_comparison_measure_count(comparison) && count < XR_MEASURES_MOST; i++) {
        const exray_measure *m = exray_comparison_measure(comparison, i);
        out[count++] = (xr_measure){m->name,
                                    m->unit,
                                    m->higher,
                                    *m->output ? m->output : NULL,
                                    *m->group ? m->group : NULL,
                                    m->frames,
                                    m->edge,
                                    m->reference,
                                    m->agreement};
    }
    return count;
}
