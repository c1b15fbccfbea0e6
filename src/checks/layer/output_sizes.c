#include "checks/layer/output_sizes.h"

#include <math.h>

/* In so many frames a value at its threshold may fall on either side; noise does not reach half of them. */
#define MOST_BY_CHANCE 0.5
/* Nor, in a frame or two, so large a share of the values. */
enum { FEW_FRAMES = 3 };
#define LARGE_SHARE 0.1

/* False: not recorded, or damaged; or not to be compared.  No value is read for it. */
static bool count_values(const exray_comparison *c, const exray_io_pair *output, size_t frame,
                         exray_slot *slot, uint64_t count[2])
{
    if (exray_comparison_is_behind(c, frame) && !exray_comparison_is_padded(c, frame))
        return false;
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(c, (exray_side)s);
        const exray_record *record = exray_log_find(log, exray_comparison_frame(c, frame).frame[s],
                                                    EXRAY_KIND_OUTPUT, EXRAY_NO_INDEX, 0, output->name[s]);
        exray_tensor_view view;
        exray_error error;
        if (!record || !record->has_data ||
            exray_log_read_tensor(log, record, slot, &view, &error) != EXRAY_OK)
            return false;
        count[s] = view.count;
    }
    return true;
}

xr_output_sizes xr_output_sizes_of(const exray_comparison *comparison, size_t position)
{
    xr_output_sizes sizes = {0};
    const exray_io_pair *output = exray_comparison_output(comparison, position);
    if (output->other_shape == 0)
        return sizes;
    exray_slot *slot = exray_slot_new();
    for (size_t f = 0; slot && f < exray_comparison_frame_count(comparison); f++) {
        uint64_t count[2];
        if (!count_values(comparison, output, f, slot, count))
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
    const bool large =
        fabs(sizes->mean[0] - sizes->mean[1]) > LARGE_SHARE * fmax(sizes->mean[0], sizes->mean[1]);
    return (double)sizes->other > MOST_BY_CHANCE * (double)sizes->frames &&
           (large || sizes->frames >= FEW_FRAMES);
}
