#include "checks/layer/output_sizes.h"

/* In so many frames a value at its threshold may fall on either side; noise does not reach half of them. */
#define MOST_BY_CHANCE 0.5

/* False: not recorded, or damaged. */
static bool count_values(const exray_comparison *c, size_t position, size_t frame, exray_slot *slot,
                         uint64_t count[2])
{
    for (int s = 0; s < 2; s++) {
        exray_tensor_view view;
        const float *values;
        exray_error error;
        if (exray_comparison_values(c, (exray_side)s, frame, EXRAY_KIND_OUTPUT, position, slot, &view,
                                    &values, &error) != EXRAY_OK)
            return false;
        count[s] = view.count;
    }
    return true;
}

xr_output_sizes xr_output_sizes_of(const exray_comparison *comparison, size_t position)
{
    xr_output_sizes sizes = {0};
    if (exray_comparison_output(comparison, position)->other_shape == 0)
        return sizes;
    exray_slot *slot = exray_slot_new();
    for (size_t f = 0; slot && f < exray_comparison_frame_count(comparison); f++) {
        uint64_t count[2];
        if (!count_values(comparison, position, f, slot, count))
            continue;
        sizes.frames++;
        sizes.other += count[0] != count[1];
        for (int s = 0; s < 2; s++)
            sizes.mean[s] += (double)count[s];
    }
    for (int s = 0; s < 2 && sizes.frames; s++)
        sizes.mean[s] /= (double)sizes.frames;
    exray_slot_free(slot);
    return sizes;
}

bool xr_sizes_differ(const xr_output_sizes *sizes)
{
    return (double)sizes->other > MOST_BY_CHANCE * (double)sizes->frames;
}
