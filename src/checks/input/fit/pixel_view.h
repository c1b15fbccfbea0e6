/* A tensor's elements as rows, columns and channels. */
#ifndef XR_PIXEL_VIEW_H
#define XR_PIXEL_VIEW_H

#include <exray/assertion.h>
#include <string.h>

/* Where the element of a row, column and channel is, counted in elements.  A picture has rank 3 or 4;
 * the pictures of a clip (rank 5), of a batch, and those that lie behind each other in 6, 9 or 12 channels
 * are one below the other, as the rows of one.  Anything else is one row of `count` columns with one channel.
 */
typedef struct xr_pixel_view {
    size_t rows, columns, channels;
    size_t row_stride, column_stride, channel_stride;
    size_t pictures;       /* of a clip or a batch; else 1 */
    size_t picture_rows;   /* rows of each of them */
    size_t picture_stride; /* from one to the next */
} xr_pixel_view;

/* One row of values. */
static inline xr_pixel_view xr_row_view(size_t count)
{
    return (xr_pixel_view){1, count, 1, 0, 1, 0, 1, 1, 0};
}

/* A picture whose channels are planes. */
static inline xr_pixel_view xr_plane_view(size_t width, size_t height, size_t channels)
{
    return (xr_pixel_view){height, width, channels, width, 1, width * height, 1, height, 0};
}

/* A picture whose pixels have their channels side by side. */
static inline xr_pixel_view xr_interleaved_view(size_t width, size_t height, size_t channels)
{
    return (xr_pixel_view){height, width, channels, width * channels, channels, 1, 1, height, 0};
}

xr_pixel_view xr_pixel_view_of(const exray_tensor_info *info, uint64_t count);

/* Reads an input's values of both sides in a frame, and how they lie; false: one has none.  What is read is
 * valid as long as the slots are not used again. */
bool xr_pixel_sides_read(const exray_comparison *comparison, size_t pair, size_t frame,
                         exray_slot *const slot[2], exray_tensor_view tensor[2], xr_pixel_view view[2],
                         const float *values[2]);

/* Whether both have as many rows, columns and channels. */
static inline bool xr_is_same_size(const xr_pixel_view *a, const xr_pixel_view *b)
{
    return a->rows == b->rows && a->columns == b->columns && a->channels == b->channels;
}

/* Where a row begins, in elements. */
static inline size_t xr_row_place(const xr_pixel_view *v, size_t row)
{
    if (row < v->picture_rows || !v->picture_rows)
        return row * v->row_stride;
    return row / v->picture_rows * v->picture_stride + row % v->picture_rows * v->row_stride;
}

/* Where an element is, in elements. */
static inline size_t xr_element_place(const xr_pixel_view *v, size_t row, size_t column, size_t channel)
{
    return xr_row_place(v, row) + column * v->column_stride + channel * v->channel_stride;
}

/* The same of a pixel that is counted along the rows. */
static inline size_t xr_pixel_place(const xr_pixel_view *v, size_t pixel, size_t channel)
{
    return xr_element_place(v, pixel / v->columns, pixel % v->columns, channel);
}

/* The value at such a place; a log's values may lie anywhere. */
static inline double xr_value_at(const float *values, size_t place)
{
    float value;
    memcpy(&value, (const char *)values + place * sizeof value, sizeof value);
    return (double)value;
}

#endif
