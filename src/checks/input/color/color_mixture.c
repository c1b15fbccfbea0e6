#include "checks/input/color/color_mixture.h"

#include <math.h>
#include <stdio.h>

/* A matrix is that of a saturation where no element is further off: two levels of a saturated color. */
#define SATURATION 0.02
/* A smaller part of a color is not told. */
#define PART 0.005

bool xr_fit_mixture(const xr_fit_sums *sums, const xr_pixel_unit *unit, xr_color_transform *out)
{
    double m[XR_FIT_CHANNELS][XR_FIT_CHANNELS];
    if (!xr_solve_color(sums, 3, m))
        return false;
    *out = (xr_color_transform){.kind = XR_COLOR_MIXED};
    for (size_t c = 0; c < 3; c++) {
        double offset = sums->edge[c] / sums->n, gain = unit->gain[c];
        double *row = out->matrix[unit->from[c]];
        for (size_t k = 0; k < 3; k++)
            offset -= m[c][k] * sums->reference[k] / sums->n;
        row[3] = (offset - unit->offset[c]) / gain;
        for (size_t k = 0; k < 3; k++) {
            row[unit->from[k]] = m[c][k] * unit->gain[k] / gain;
            row[3] += m[c][k] * unit->offset[k] / gain;
            if (!isfinite(row[unit->from[k]]))
                return false;
        }
    }
    return true;
}

bool xr_mixture_suffices(double after, double before, double spread)
{
    const double decoders = 1.5; /* levels */
    return after < 0.12 * before || (after < before / 3 && sqrt(after) * spread < decoders);
}

bool xr_is_saturation(const xr_color_transform *mixture, double *factor)
{
    static const double grays[][3] = {{0.299, 0.587, 0.114},
                                      {0.2126, 0.7152, 0.0722},
                                      {0.3086, 0.6094, 0.082},
                                      {1 / 3.0, 1 / 3.0, 1 / 3.0}};
    for (size_t g = 0; g < sizeof grays / sizeof *grays; g++) {
        double sum = 0, most = 0;
        for (int c = 0; c < 3; c++)
            sum += mixture->matrix[c][c] - grays[g][c];
        *factor = sum / 2; /* the trace is 3 s + (1 - s) */
        for (int c = 0; c < 3; c++) {
            for (int k = 0; k < 3; k++)
                most = fmax(
                    most, fabs(mixture->matrix[c][k] - (c == k ? *factor : 0) - (1 - *factor) * grays[g][k]));
            most = fmax(most, fabs(mixture->matrix[c][3]) / 255);
        }
        if (most < SATURATION && *factor >= 0)
            return true;
    }
    return false;
}

bool xr_is_scaling(const xr_color_transform *t)
{
    double most = 0;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 3; k++)
            most = fmax(most, c == k ? 0 : fabs(t->matrix[c][k]));
    return t->kind == XR_COLOR_MIXED && most < SATURATION;
}

bool xr_is_filter_shift(const xr_color_transform *t)
{
    /* Green for red and blue, the mean of those for green: smoothed by interpolation. */
    static const double shifted[3][4] = {{0, 1, 0, 0}, {.5, 0, .5, 0}, {0, 1, 0, 0}}, near = 0.06;
    double most = 0;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 4; k++)
            most = fmax(most, fabs(t->matrix[c][k] - shifted[c][k]) / (k == 3 ? 255 : 1));
    return t->kind == XR_COLOR_MIXED && most < near;
}

/* snprintf behind what is there. */
#define ADD(...)                                                                                             \
    do {                                                                                                     \
        int added = used < size ? snprintf(text + used, size - used, __VA_ARGS__) : 0;                       \
        used += added > 0 ? (size_t)added : 0;                                                               \
    } while (0)

void xr_mixture_text(const xr_color_transform *mixture, char *text, size_t size)
{
    static const char *const names[] = {"red", "green", "blue"};
    double factor;
    size_t used = 0;
    if (xr_is_saturation(mixture, &factor)) {
        snprintf(text, size, "their saturation is %.2f of the reference's (0 is grey)", factor);
        return;
    }
    if (xr_is_filter_shift(mixture)) {
        snprintf(text, size,
                 "red and blue are the reference's green, green is the mean of its red and blue: a sensor's "
                 "filters (Bayer) are read a row or a column off (RGGB as GBRG or GRBG)");
        return;
    }
    if (xr_is_scaling(mixture)) {
        ADD("the pixels' red, green and blue are those of the reference times");
        for (int c = 0; c < 3; c++) {
            ADD("%s %.3g", c ? "," : "", mixture->matrix[c][c]);
            if (fabs(mixture->matrix[c][3]) >= 1)
                ADD(" %+.0f", mixture->matrix[c][3]);
        }
        ADD("%s", mixture->clipped ? ", clipped at the ends of their range (0 to 255)" : "");
        return;
    }
    ADD("each is a mixture of the reference's");
    for (int c = 0; c < 3; c++) {
        ADD("%s %s is", c ? "," : ":", names[c]);
        for (int k = 0; k < 3; k++)
            if (fabs(mixture->matrix[c][k]) >= PART)
                ADD(" %+.2f %s", mixture->matrix[c][k], names[k]);
        if (fabs(mixture->matrix[c][3]) >= 1)
            ADD(" %+.0f", mixture->matrix[c][3]);
    }
}
