#include "tasks/task_overlap.h"

#include <math.h>

static double area_of(const exray_box *b)
{
    return fmax((double)b->x_max - b->x_min, 0) * fmax((double)b->y_max - b->y_min, 0);
}

/* fmin() and fmax() pass over what is no number. */
static bool is_finite(const exray_box *b)
{
    return isfinite(b->x_min) && isfinite(b->y_min) && isfinite(b->x_max) && isfinite(b->y_max);
}

double xr_task_overlap(const exray_box *a, const exray_box *b)
{
    if (!(a->x_min < b->x_max && b->x_min < a->x_max && a->y_min < b->y_max && b->y_min < a->y_max) ||
        !is_finite(a) || !is_finite(b))
        return 0;
    const double wide = fmin(a->x_max, b->x_max) - fmax(a->x_min, b->x_min);
    const double high = fmin(a->y_max, b->y_max) - fmax(a->y_min, b->y_min);
    const double common = wide > 0 && high > 0 ? wide * high : 0;
    const double both = area_of(a) + (b->crowd ? 0 : area_of(b) - common);
    return both > 0 ? common / both : 0;
}
