/* A tensor's elements as rows, columns and channels. */
#ifndef XR_PIXEL_VIEW_H
#define XR_PIXEL_VIEW_H

#include <exray/assertion.h>

/* Where the element of a row, column and channel is, counted in elements.  A picture has rank 3 or 4;
 * a clip rank 5: its pictures lie one below the other, as the rows of one.  Anything else is one row of
 * `count` columns with one channel. */
typedef struct xr_pixel_view {
    size_t batch, rows, columns, channels;
    size_t batch_stride, row_stride, column_stride, channel_stride;
    size_t pictures; /* of a clip; else 1 */
} xr_pixel_view;
xr_pixel_view xr_pixel_view_of(const exray_tensor_info *info, uint64_t count);

#endif
