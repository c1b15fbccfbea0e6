#include "checks/port/port_samples.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <string.h>

/* Where the element that is at `at` with channels last is stored. */
static size_t stored_at(const xr_pixel_view *v, uint64_t at)
{
    return xr_pixel_place(v, (size_t)(at / v->channels), (size_t)(at % v->channels));
}

exray_status xr_port_sample_read(const exray_comparison *comparison, exray_side side, size_t frame,
                                 exray_kind kind, size_t pair, exray_slot *slot, xr_port_sample *out,
                                 exray_error *error)
{
    exray_tensor_view view;
    const float *values;
    out->count = out->samples = 0;
    exray_status status =
        exray_comparison_values(comparison, side, frame, kind, pair, slot, &view, &values, error);
    if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
        return error->status = EXRAY_OK;
    if (status != EXRAY_OK)
        return status;
    xr_pixel_view v = xr_pixel_view_of(&view.info, view.count);
    bool picture = (uint64_t)v.rows * v.columns * v.channels == view.count && v.channels > 1;
    out->count = view.count;
    out->samples = view.count < XR_PORT_SAMPLES ? (size_t)view.count : XR_PORT_SAMPLES;
    out->whole = out->samples == view.count;
    out->colored = picture && v.channels == 3;
    for (size_t k = 0; k < out->samples; k++) {
        /* Spread evenly, and moved within each part: no stride falls in step with rows or channels. */
        uint64_t part = view.count / out->samples, at = k * part + k * 2654435761u % part;
        uint64_t mirrored = at - at % 3 + 2 - at % 3;
        const char *from = (const char *)values;
        memcpy(&out->value[k], from + (picture ? stored_at(&v, at) : at) * sizeof *values, sizeof *values);
        if (out->colored)
            memcpy(&out->reversed[k], from + stored_at(&v, mirrored) * sizeof *values, sizeof *values);
    }
    return EXRAY_OK;
}

xr_port_distance xr_port_distance_of(const xr_port_sample *a, const xr_port_sample *b)
{
    xr_port_distance d = {.rms = INFINITY};
    double sum = 0, square = 0, apart = 0;
    if (a->count != b->count || a->count == 0)
        return d;
    for (size_t i = 0; i < b->samples; i++) {
        double x = a->value[i], y = b->value[i];
        if (isfinite(x) != isfinite(y))
            return d;
        if (!isfinite(x))
            continue;
        sum += y;
        square += y * y;
        apart += (x - y) * (x - y);
        d.count++;
    }
    double n = d.count ? (double)d.count : 1;
    d.rms = sqrt(apart / n);
    d.spread = sqrt(fmax(square / n - sum / n * sum / n, 0));
    d.size = sqrt(square / n);
    return d;
}
