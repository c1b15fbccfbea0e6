#include "checks/told/value_steps.h"

#include "checks/ascending.h"

#include <math.h>
#include <stdlib.h>

bool xr_are_in_steps(double *score, size_t count)
{
    enum { MOST_STEPS = 2048, MOST_PARTS = 4 };
    double gap = INFINITY;
    qsort(score, count, sizeof *score, xr_ascending_doubles);
    const double most = fmax(fabs(score[0]), fabs(score[count - 1]));
    for (size_t i = 1; i < count; i++)
        gap = score[i] - score[i - 1] > 1e-6 * most ? fmin(gap, score[i] - score[i - 1]) : gap;
    if (!isfinite(gap))
        return true; /* one score */
    for (int parts = 1; parts <= MOST_PARTS && gap * MOST_STEPS >= parts * most; parts++) {
        const double step = most / rint(most * parts / gap);
        size_t whole = 0;
        while (whole < count && fabs(score[whole] / step - rint(score[whole] / step)) < 0.02)
            whole++;
        if (whole == count)
            return true;
    }
    return false;
}
