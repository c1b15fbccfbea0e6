#include "checks/output/box_change.h"

#include <math.h>

enum { SIDES = 4 };

static const char *const names[XR_BOX_CHANGES] = {
    "another unit",
    "x and y exchanged",
    "corners to centre and size",
    "corners to centre and size, x and y exchanged",
    "centre and size to corners",
    "centre and size to corners, x and y exchanged",
    "corners to corner and size",
    "corners to corner and size, x and y exchanged",
    "corner and size to corners",
    "corner and size to corners, x and y exchanged",
    "centre and size to corner and size",
    "centre and size to corner and size, x and y exchanged",
    "corner and size to centre and size",
    "corner and size to centre and size, x and y exchanged",
    "the first two and the last two exchanged",
    "from the last to the first",
    "x of both corners before y of both, or the other way round",
    "x of both corners before y of both, or the other way round, and x and y exchanged",
    "the first two (a center) and the last two (a size) in other units, as by variances",
    "the first two (a center) and the last two (a size) in other units, as by variances, x and y exchanged",
};

static void change(int which, const float *b, double *out)
{
    double x = b[0], y = b[1], u = b[2], v = b[3];
    double changed[XR_BOX_CHANGES / 2][SIDES] = {{x, y, u, v},
                                                 {(x + u) / 2, (y + v) / 2, u - x, v - y},
                                                 {x - u / 2, y - v / 2, x + u / 2, y + v / 2},
                                                 {x, y, u - x, v - y},
                                                 {x, y, x + u, y + v},
                                                 {x - u / 2, y - v / 2, u, v},
                                                 {x + u / 2, y + v / 2, u, v},
                                                 {u, v, x, y},
                                                 {x, u, y, v},
                                                 {x, y, u, v}};
    for (int i = 0; i < SIDES; i++)
        out[i] = changed[which / 2][which % 2 ? i ^ 1 : i];
}

/* Whether the first two numbers have one unit and the last two another; else x has one, and y. */
static bool has_unit_of_size(int which)
{
    return which / 2 == XR_BOX_CHANGES / 2 - 1;
}

/* Whether centers and sizes differ by the factors that coders of anchored boxes take (variances of 0.1 and
 * 0.2): others are of any rows. */
static bool are_of_variances(const double gain[2])
{
    static const double usual[][2] = {{10, 5}, {0.1, 0.2}};
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
        if (fabs(gain[0] / usual[i][0] - 1) < 0.03 && fabs(gain[1] / usual[i][1] - 1) < 0.03)
            return true;
    return false;
}

static void add(xr_box_change_sums *s, int which, const float *edge, const float *reference)
{
    double changed[SIDES];
    change(which, reference, changed);
    for (int i = 0; i < SIDES; i++) {
        const int k = has_unit_of_size(which) ? i >> 1 : i & 1;
        s->tt[k] += (double)edge[i] * edge[i];
        s->ts[k] += edge[i] * changed[i];
        s->ss[k] += changed[i] * changed[i];
    }
}

static double residual_of(const xr_box_change_sums *s, const double gain[2])
{
    double residual = 0;
    for (int k = 0; k < 2; k++)
        residual += fmax(s->tt[k] - 2 * gain[k] * s->ts[k] + gain[k] * gain[k] * s->ss[k], 0);
    return residual;
}

/* A gain of nearly 1 is taken as 1, since a fitted one would make the residual too small. */
static void fit_gain(const xr_box_change_sums *s, double gain[2])
{
    for (int k = 0; k < 2; k++) {
        gain[k] = s->ss[k] > 0 ? s->ts[k] / s->ss[k] : 1;
        if (fabs(gain[k] - 1) < 0.02)
            gain[k] = 1;
    }
}

void xr_box_sums_add(xr_box_sums *w, const float *edge, const float *reference, uint64_t count)
{
    for (uint64_t i = 0; i + SIDES <= count; i += SIDES) {
        bool finite = true;
        for (int k = 0; k < SIDES; k++)
            finite = finite && isfinite(edge[i + (uint64_t)k]) && isfinite(reference[i + (uint64_t)k]);
        if (!finite)
            continue;
        for (int c = 0; c < XR_BOX_CHANGES; c++)
            add(&w->all[c], c, edge + i, reference + i);
        for (int k = 0; k < SIDES; k++) {
            double d = (double)edge[i + (uint64_t)k] - reference[i + (uint64_t)k];
            w->difference += d * d;
            w->sum += edge[i + (uint64_t)k];
            w->square += (double)edge[i + (uint64_t)k] * edge[i + (uint64_t)k];
            w->count++;
        }
    }
}

const char *xr_box_change_name(int change)
{
    return names[change];
}

double xr_box_sums_residual(const xr_box_sums *sums, int change, const double gain[2])
{
    return residual_of(&sums->all[change], gain);
}

int xr_box_sums_judge(const xr_box_sums *w, xr_box_fit *fit)
{
    double mean = w->sum / w->count, unit = sqrt(fmax(w->square / w->count - mean * mean, 0));
    int best = -1;
    fit->runner_up = INFINITY;
    for (int c = 0; c < XR_BOX_CHANGES && unit > 0; c++) {
        double gain[2];
        fit_gain(&w->all[c], gain);
        if (has_unit_of_size(c) && !are_of_variances(gain))
            continue;
        double after = sqrt(residual_of(&w->all[c], gain) / w->count) / unit;
        if (best >= 0 && after >= fit->after) {
            fit->runner_up = fmin(fit->runner_up, after);
            continue;
        }
        if (best >= 0)
            fit->runner_up = fit->after;
        best = c;
        fit->after = after;
        fit->gain[0] = gain[0];
        fit->gain[1] = gain[1];
    }
    fit->before = unit > 0 ? sqrt(w->difference / w->count) / unit : 0;
    return best;
}
