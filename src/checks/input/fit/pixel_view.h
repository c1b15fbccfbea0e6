/* A tensor's elements as rows, columns and channels. */
#ifndef XR_PIXEL_VIEW_H
#define XR_PIXEL_VIEW_H

#include <exray/assertion.h>
#include <string.h>

/* Where the element of a row, column and channel is, counted in elements.  A picture has rank 3 or 4;
 * a clip rank 5: its pictures lie one below the other, as the rows of one.  Anything else is one row of
 * `count` columns with one channel. */
typedef struct xr_pixel_view {
    size_t batch, rows, columns, channels;
    size_t batch_stride, row_stride, column_stride, channel_stride;
    size_t pictures; /* of a clip; else 1 */
} xr_pixel_view;
xr_pixel_view xr_pixel_view_of(const exray_tensor_info *info, uint64_t count);

/* Reads an input's values of both sides in a frame, and how they lie; false: one has none.  What is read is
 * valid as long as the slots are not used again. */
bool xr_pixel_sides_read(const exray_comparison *comparison, size_t pair, size_t frame,
                         exray_slot *const slot[2], exray_tensor_view tensor[2], xr_pixel_view view[2],
                         const float *values[2]);

/* Where an element is, in elements: of a pixel, counted along the rows of a picture of the batch. */
static inline size_t xr_pixel_place(const xr_pixel_view *v, size_t pixel, size_t channel)
{
    return pixel / v->columns * v->row_stride + pixel % v->columns * v->column_stride +
           channel * v->channel_stride;
}

/* The value at such a place; a log's values may lie anywhere. */
static inline double xr_value_at(const float *values, size_t place)
{
    float value;
    memcpy(&value, (const char *)values + place * sizeof value, sizeof value);
    return (double)value;
}

#endif
