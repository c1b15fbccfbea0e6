#include "checks/input/fit/pixel_view.h"

#include "checks/input/fit/fit_sums.h"

#include <string.h>

static bool is_layout(const exray_tensor_info *info, const char *a, const char *b)
{
    return info->layout && (strcmp(info->layout, a) == 0 || strcmp(info->layout, b) == 0);
}

static bool few(int64_t channels)
{
    return channels >= 1 && channels <= XR_FIT_CHANNELS;
}

/* The sizes of pictures in a clip (rank 5, [1, T, H, W, C] or [1, C, T, H, W]) as one picture, its pictures
 * one below the other: whatever is done to each pixel, or to each row, is the same.  *pictures: how many. */
static bool stack_clip(const exray_tensor_info *info, int64_t s[3], bool *last, bool *first, size_t *pictures)
{
    const int64_t *d = info->shape;
    *last = few(d[4]) && !is_layout(info, "NCDHW", "NCTHW");
    *first = few(d[1]) && !is_layout(info, "NDHWC", "NTHWC");
    if (d[0] != 1 || (!*last && !*first) || d[1] < 1 || d[2] < 1 || d[3] < 1)
        return false;
    *first = !*last;
    const int64_t count = *last ? d[1] : d[2], rows = *last ? d[2] : d[3];
    if (count > INT64_MAX / rows)
        return false;
    *pictures = (size_t)count;
    s[0] = *last ? count * rows : d[1];
    s[1] = *last ? d[3] : count * rows;
    s[2] = d[4];
    return true;
}

xr_pixel_view xr_pixel_view_of(const exray_tensor_info *info, uint64_t count)
{
    xr_pixel_view v = {1, 1, (size_t)count, 1, 0, 0, 1, 0, 1};
    if (info->rank < 3 || info->rank > 5)
        return v;
    int64_t s[3];
    bool last, first;
    size_t pictures = 1;
    if (info->rank == 5) {
        if (!stack_clip(info, s, &last, &first, &pictures))
            return v;
    } else {
        memcpy(s, info->shape + (info->rank - 3), sizeof s);
        last = few(s[2]) && !is_layout(info, "NCHW", "CHW");
        first = few(s[0]) && !is_layout(info, "NHWC", "HWC");
    }
    if (!last && !first)
        return v;
    v.pictures = pictures;
    v.batch = info->rank == 4 ? (size_t)info->shape[0] : 1;
    v.batch_stride = (size_t)s[0] * (size_t)s[1] * (size_t)s[2];
    if (last) {
        v.rows = (size_t)s[0], v.columns = (size_t)s[1], v.channels = (size_t)s[2];
        v.channel_stride = 1, v.column_stride = v.channels, v.row_stride = v.columns * v.channels;
    } else {
        v.channels = (size_t)s[0], v.rows = (size_t)s[1], v.columns = (size_t)s[2];
        v.column_stride = 1, v.row_stride = v.columns, v.channel_stride = v.rows * v.columns;
    }
    return v;
}

bool xr_pixel_sides_read(const exray_comparison *comparison, size_t pair, size_t frame,
                         exray_slot *const slot[2], exray_tensor_view tensor[2], xr_pixel_view view[2],
                         const float *values[2])
{
    exray_error error;
    for (int s = 0; s < 2; s++) {
        if (exray_comparison_values(comparison, (exray_side)s, frame, EXRAY_KIND_INPUT, pair, slot[s],
                                    &tensor[s], &values[s], &error) != EXRAY_OK)
            return false;
        view[s] = xr_pixel_view_of(&tensor[s].info, tensor[s].count);
    }
    return true;
}
