/* The sums of values and of their squares tell nearly all other weights apart, and were made when each was
 * compared with the one at its place; only what they leave is read again. */
#include "checks/model/weights/weight_elsewhere.h"

/* Whether the values say something: a bias of zeros is at many places. */
static bool is_distinct(const xr_weight_pair *p)
{
    const double n = (double)p->count;
    return !p->from_stats && p->unit > 0 && p->square[0] - p->sum[0] * p->sum[0] / n > 1e-9 * p->square[0];
}

exray_status xr_weights_find_elsewhere(xr_weight_matcher *m, xr_weight_pair *pair, size_t count)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; i < count; i++) {
        if (!pair[i].differs || pair[i].transposed || pair[i].crossed || pair[i].gates_exchanged ||
            pair[i].order || pair[i].not_finite || !is_distinct(&pair[i]))
            continue;
        for (size_t k = 0; k < count && status == EXRAY_OK && pair[i].from == SIZE_MAX; k++) {
            bool equal = false;
            if (k != i && xr_weights_may_be_equal(&pair[i], &pair[k], m->factor))
                status = xr_weights_are_equal(m, &pair[i].of[0], &pair[k].of[1], &equal);
            if (equal)
                pair[i].from = k;
        }
    }
    return status;
}
