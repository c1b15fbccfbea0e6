#include "checks/input/features/feature_row.h"

#include <math.h>

/* The row that has a share of a frame's difference, at least; SIZE_MAX: none does. */
static size_t row_that_differs(const xr_feature_frames *n, const xr_feature_frame *f, double share)
{
    double all = 0, most = 0;
    size_t row = SIZE_MAX;
    for (size_t r = 0; r < n->rows; r++) {
        double sum = 0;
        for (size_t k = r * n->bins; k < (r + 1) * n->bins; k++) {
            const double d = (double)f->side[EXRAY_SIDE_EDGE][k] - (double)f->side[EXRAY_SIDE_REFERENCE][k];
            sum += d * d;
        }
        all += sum;
        if (sum > most)
            most = sum, row = r;
    }
    return most >= share * all ? row : SIZE_MAX;
}

size_t xr_feature_row_that_differs(const xr_feature_frames *n, double share)
{
    enum { LEAST_FRAMES = 3, LEAST_ROWS = 8 };
    size_t row = SIZE_MAX, frames = 0;
    for (size_t i = 0; i < n->count && n->rows >= LEAST_ROWS; i++) {
        if (!n->list[i].differs)
            continue;
        const size_t now = row_that_differs(n, &n->list[i], share);
        if (now == SIZE_MAX || (frames && now != row))
            return SIZE_MAX;
        row = now;
        frames++;
    }
    return frames >= LEAST_FRAMES ? row : SIZE_MAX;
}

bool xr_feature_row_is(const xr_feature_frames *n, size_t row, size_t of)
{
    for (size_t i = 0; i < n->count; i++)
        for (size_t b = 0; b < n->bins && n->list[i].differs; b++) {
            const float e = n->list[i].side[EXRAY_SIDE_EDGE][row * n->bins + b],
                        r = n->list[i].side[EXRAY_SIDE_REFERENCE][of * n->bins + b];
            if (!(fabsf(e - r) <= 1e-6F * fabsf(r) + (float)n->scale / 2))
                return false;
        }
    return true;
}
