/* Ways to read (or write) a buffer of rows that are not the right one: as functions from an item of the
 * buffer as it is read to the item that was written there.  Items are pixels, or the single values of a
 * tensor in the order of its memory. */
#ifndef XR_READING_H
#define XR_READING_H

#include "checks/input/picture/raster.h"

typedef enum xr_reading_kind {
    XR_READ_AT_STEP,    /* packed rows, read as if they began every `step` items, from `offset` on */
    XR_WRITTEN_AT_STEP, /* rows written every `step` items, `length` of each, later ones over earlier ones;
                           read as if packed */
    XR_READ_UNPADDED,   /* the padding that the sensor record says is taken for pixels */
    XR_READ_COLUMNS,    /* columns written where rows are read */
    XR_READ_EXCHANGED,  /* a picture of exchanged width and height */
    XR_READ_UNRESIZED,  /* the sensor's bytes copied as they are, rows of `step` bytes, from `offset` on */
    XR_READ_FIELDS,     /* whole rows in another order: that of `fields` */
    XR_READ_TILES, /* tiles of `step` x `step` pixels one after another, as textures have them, read as rows
                    */
    XR_READ_AS_TILES, /* the reverse */
    XR_READ_GROUPS,   /* each `step` items from the last to the first: words in the other byte order */
} xr_reading_kind;

/* What becomes of the two fields of an interlaced picture, its even and its odd rows: which rows are read. */
typedef enum xr_field_order {
    XR_FIELDS_EXCHANGED,  /* each even row in the place of the odd one below, and the reverse */
    XR_FIELDS_APART,      /* the even rows above, the odd ones below */
    XR_FIELDS_APART_ODD,  /* the odd rows above */
    XR_FIELDS_WOVEN,      /* the rows of the upper half with those of the lower between them */
    XR_FIELDS_WOVEN_LOW,  /* the same, the lower half's first */
    XR_FIELDS_EVEN_TWICE, /* each even row in the place of the odd one, too */
    XR_FIELDS_ODD_TWICE,
    XR_FIELD_ORDERS
} xr_field_order;

typedef enum xr_reading_items {
    XR_ITEMS_PIXELS,
    XR_ITEMS_INTERLEAVED, /* values, the channels of a pixel beside each other */
    XR_ITEMS_PLANAR,      /* values, a plane for each channel */
} xr_reading_items;

typedef struct xr_reading {
    bool set;
    xr_reading_kind kind;
    bool on_sensor; /* of the sensor's picture, before all else; else of the model's input */
    xr_reading_items items;
    int64_t step, length, offset; /* length 0: whole rows */
    int64_t limit;                /* only so many items were written at all; 0: all */
    xr_field_order fields;        /* of XR_READ_FIELDS */
} xr_reading;

/* Another order of whole pixels, of those that are usual: the one of number `i`; false: there are no more. */
bool xr_reading_order(size_t i, bool on_sensor, xr_reading *out);

/* Rows of pixels that are `pixels` longer where they are read (or written) than they are. */
xr_reading xr_reading_of_pixels(xr_reading_kind kind, bool on_sensor, size_t width, int64_t pixels);

/* Whether it moves whole pixels from place to place, in a picture of any size. */
bool xr_reading_moves_pixels(const xr_reading *reading);

/* Where item i of a buffer of `rows` rows of `length` items comes from; SIZE_MAX: nobody wrote it. */
size_t xr_reading_source(const xr_reading *reading, size_t rows, size_t length, size_t i);

/* The raster as it is read; NAN where nobody wrote.  `in` of XR_READ_EXCHANGED has exchanged sides. */
bool xr_reading_raster(const xr_reading *reading, const xr_raster *in, xr_raster *out);
/* The same of a picture, in pixels; black where nobody wrote.  NULL: out of memory. */
exray_picture *xr_reading_picture(const xr_reading *reading, const exray_picture *in);

/* Position of a value in the order of memory, as a place in a planar raster. */
size_t xr_planar_place(xr_reading_items items, size_t channels, size_t pixels, size_t i);

#endif
