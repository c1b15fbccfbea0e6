#include "checks/gate/measures.h"

size_t xr_measures(const exray_comparison *comparison, xr_measure *out)
{
    const exray_accuracy *a = exray_comparison_accuracy(comparison);
    if (a->frames == 0)
        return 0;
    out[0] =
        (xr_measure){"top1",     "share",    true,        NULL, NULL, a->labeled ? a->labeled : a->frames,
                     a->top1[0], a->top1[1], a->agreement};
    out[1] = (xr_measure){"top5",     "share",    true,
                          NULL,       NULL,       a->labeled ? a->labeled : a->frames,
                          a->top5[0], a->top5[1], a->agreement_top5};
    return 2;
}
