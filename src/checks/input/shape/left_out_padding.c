#include "checks/input/shape/left_out_padding.h"

#include "checks/port/both_sides.h"

#include <math.h>

static size_t padded_frames(const exray_comparison *c)
{
    size_t count = 0;
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++)
        count += exray_comparison_is_padded(c, f);
    return count;
}

/* Whether an output has one shape on both sides in each of those frames. */
static bool is_whole(const exray_comparison *c, size_t output)
{
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++)
        if (exray_comparison_is_padded(c, f) && !exray_comparison_same_shape(c, f, EXRAY_KIND_OUTPUT, output))
            return false;
    return exray_comparison_output(c, output)->comparable;
}

/* Another frame is beyond noise by itself, however many others are equal: by a level or two it is not. */
static bool agrees_in(const exray_comparison *c, size_t output, size_t frame, exray_slot *slot[2])
{
    const exray_io_pair *io = exray_comparison_output(c, output);
    const double step = fmax(isnan(io->step[0]) ? 0 : io->step[0], isnan(io->step[1]) ? 0 : io->step[1]);
    const double allowed = fmax(io->noise * io->metrics.std[EXRAY_SIDE_REFERENCE], 2 * step);
    exray_tensor_view view[2];
    const float *v[2];
    double sum = 0;
    if (!xr_both_values(c, EXRAY_KIND_OUTPUT, output, frame, slot, view, v))
        return false;
    if (view[0].count != view[1].count || view[0].count == 0)
        return false;
    for (uint64_t i = 0; i < view[0].count; i++) {
        const double d = (double)v[0][i] - (double)v[1][i];
        sum += v[0][i] == v[1][i] ? 0 : d * d;
    }
    return sqrt(sum / (double)view[0].count) <= allowed;
}

static bool agrees(const exray_comparison *c, size_t output, exray_slot *slot[2])
{
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++)
        if (exray_comparison_is_padded(c, f) && !agrees_in(c, output, f, slot))
            return false;
    return true;
}

exray_status xr_padding_effect_find(const exray_comparison *comparison, xr_padding_effect *out)
{
    *out = XR_PADDING_NONE;
    if (padded_frames(comparison) == 0)
        return EXRAY_OK;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const bool ok = slot[0] && slot[1];
    for (size_t o = 0; ok && o < exray_comparison_output_count(comparison) && *out != XR_PADDING_READ; o++)
        if (is_whole(comparison, o))
            *out = agrees(comparison, o, slot) ? XR_PADDING_LEFT_OUT : XR_PADDING_READ;
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

bool xr_differs_by_padding_alone(const exray_comparison *comparison, size_t input)
{
    const exray_io_pair *io = exray_comparison_input(comparison, input);
    if (io->other_shape == 0 || (io->comparable && io->metrics.max_abs != 0))
        return false;
    for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++)
        if (!exray_comparison_same_shape(comparison, f, EXRAY_KIND_INPUT, input) &&
            !exray_comparison_is_padded(comparison, f))
            return false;
    return true;
}
