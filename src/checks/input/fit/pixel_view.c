#include "checks/input/fit/pixel_view.h"

#include "checks/input/fit/fit_sums.h"
#include "checks/port/both_sides.h"

#include <string.h>

static bool is_layout(const exray_tensor_info *info, const char *a, const char *b)
{
    return info->layout && (strcmp(info->layout, a) == 0 || strcmp(info->layout, b) == 0);
}

static bool few(int64_t channels)
{
    return channels >= 1 && channels <= XR_FIT_CHANNELS;
}

enum { COLORS = 3, MOST_STACKED = 4 };

/* Whether channels are those of several color pictures behind each other. */
static bool are_stacked(int64_t channels, int64_t rows, int64_t columns)
{
    enum { SMALLEST = 32 };
    return channels > COLORS && channels <= (int64_t)COLORS * MOST_STACKED && channels % COLORS == 0 &&
           rows >= SMALLEST && columns >= SMALLEST;
}

/* Makes of one picture's view that of several, one below the other. */
static void stack(xr_pixel_view *v, size_t pictures, size_t stride)
{
    v->pictures = pictures;
    v->picture_rows = v->rows;
    v->picture_stride = stride;
    v->rows *= pictures;
}

/* The dimension of a clip's channels: [1, T, H, W, C], [1, C, T, H, W] or [1, T, C, H, W].  Where two may be
 * it, that of three. */
static int clip_channels(const exray_tensor_info *info)
{
    static const struct {
        int at;
        const char *layout[2];
    } ways[] = {{4, {"NDHWC", "NTHWC"}}, {1, {"NCDHW", "NCTHW"}}, {2, {"NDCHW", "NTCHW"}}};
    int found = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const int64_t channels = info->shape[ways[i].at];
        if (few(channels) && is_layout(info, ways[i].layout[0], ways[i].layout[1]))
            return ways[i].at;
        if (few(channels) && (!found || (channels == 3 && info->shape[found] != 3)))
            found = ways[i].at;
    }
    return found;
}

/* A clip (rank 5) as one picture, its pictures one below the other: whatever is done to each pixel, or to
 * each row, is the same. */
static bool stack_clip(const exray_tensor_info *info, xr_pixel_view *v)
{
    const int channels = clip_channels(info), time = channels == 1 ? 2 : 1, rows = channels == 4 ? 2 : 3;
    size_t d[5], stride[5] = {0, 0, 0, 0, 1};
    if (!channels || info->shape[0] != 1)
        return false;
    for (int i = 4; i >= 0; i--) {
        if (info->shape[i] < 1 || (uint64_t)info->shape[i] > SIZE_MAX / stride[i])
            return false;
        d[i] = (size_t)info->shape[i];
        if (i > 0)
            stride[i - 1] = stride[i] * d[i];
    }
    *v = (xr_pixel_view){d[time] * d[rows], d[rows + 1], d[channels], stride[rows], stride[rows + 1],
                         stride[channels],  d[time],     d[rows],     stride[time]};
    return true;
}

xr_pixel_view xr_pixel_view_of(const exray_tensor_info *info, uint64_t count)
{
    xr_pixel_view v = xr_row_view((size_t)count);
    if (info->rank == 5)
        return stack_clip(info, &v) ? v : xr_row_view((size_t)count);
    if (info->rank != 3 && info->rank != 4)
        return v;
    int64_t s[3];
    memcpy(s, info->shape + (info->rank - 3), sizeof s);
    const bool last = few(s[2]) && !is_layout(info, "NCHW", "CHW"),
               first = few(s[0]) && !is_layout(info, "NHWC", "HWC");
    const bool stacked_first = are_stacked(s[0], s[1], s[2]), stacked = are_stacked(s[2], s[0], s[1]);
    if (!last && !first && !stacked_first && !stacked)
        return v;
    v = last || (!first && stacked) ? xr_interleaved_view((size_t)s[1], (size_t)s[0], (size_t)s[2])
                                    : xr_plane_view((size_t)s[2], (size_t)s[1], (size_t)s[0]);
    const size_t batch = info->rank == 4 ? (size_t)info->shape[0] : 1;
    if (batch > 1)
        stack(&v, batch, v.rows * v.columns * v.channels);
    else if (!last && !first) {
        const size_t pictures = v.channels / COLORS;
        v.channels = COLORS;
        stack(&v, pictures, COLORS * v.channel_stride);
    }
    return v;
}

bool xr_pixel_sides_read(const exray_comparison *comparison, size_t pair, size_t frame,
                         exray_slot *const slot[2], exray_tensor_view tensor[2], xr_pixel_view view[2],
                         const float *values[2])
{
    if (!xr_both_values(comparison, EXRAY_KIND_INPUT, pair, frame, slot, tensor, values))
        return false;
    for (int s = 0; s < 2; s++)
        view[s] = xr_pixel_view_of(&tensor[s].info, tensor[s].count);
    return true;
}
