#include "checks/input/words.h"

#include "checks/input/fit/conventions.h"

#include <math.h>
#include <stdio.h>

void xr_describe_values(const xr_input_fit *fit, exray_side side, char *text, size_t size)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < fit->values.channels; c++) {
        low = fmin(low, fit->values.min[side][c]);
        high = fmax(high, fit->values.max[side][c]);
    }
    bool exact, other;
    const xr_convention *k = xr_convention_of(fit, side, &exact);
    /* The spacing of an 8-bit input is its scale, whatever its values are: where both sides would have the
     * same name, the edge gets none. */
    if (side == EXRAY_SIDE_EDGE && k == xr_convention_of(fit, EXRAY_SIDE_REFERENCE, &other))
        k = NULL;
    snprintf(text, size, "values of %.4g to %.4g%s%s%s%s", low, high, k ? " (" : "",
             k && !exact ? "about " : "", k ? k->name : "", k ? ")" : "");
}

double xr_confidence(double residual, double runner_up)
{
    double ratio = (runner_up + 0.1) / (residual + 0.1);
    return fmin(0.99, ratio / (1 + ratio));
}
