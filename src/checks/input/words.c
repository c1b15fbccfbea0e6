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

void xr_describe_exchange(size_t channels, const unsigned char *from, char *text, size_t size)
{
    size_t moved[EXRAY_MAX_CHANNEL_STATS], count = 0, to[EXRAY_MAX_CHANNEL_STATS] = {0};
    for (size_t c = 0; c < channels && c < EXRAY_MAX_CHANNEL_STATS; c++) {
        to[from[c]] = c;
        if (from[c] != c)
            moved[count++] = c;
    }
    if (count == 2) {
        snprintf(text, size, "swapping channels %zu and %zu", moved[0], moved[1]);
        return;
    }
    int used = snprintf(text, size, "taking the edge's channels in the order");
    for (size_t c = 0; c < channels && c < EXRAY_MAX_CHANNEL_STATS && used > 0 && (size_t)used < size; c++)
        used += snprintf(text + used, size - (size_t)used, "%s %zu", c ? "," : "", to[c]);
}

double xr_confidence(double residual, double runner_up)
{
    double ratio = (runner_up + 0.1) / (residual + 0.1);
    return fmin(0.99, ratio / (1 + ratio));
}
