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

xr_pixel_view xr_pixel_view_of(const exray_tensor_info *info, uint64_t count)
{
    xr_pixel_view v = {1, 1, (size_t)count, 1, 0, 0, 1, 0};
    if (info->rank < 3 || info->rank > 4)
        return v;
    const int64_t *s = info->shape + (info->rank - 3);
    bool last = few(s[2]) && !is_layout(info, "NCHW", "CHW");
    bool first = few(s[0]) && !is_layout(info, "NHWC", "HWC");
    if (!last && !first)
        return v;
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
