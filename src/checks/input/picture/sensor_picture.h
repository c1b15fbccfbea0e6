/* The pictures of the sensor records. */
#ifndef XR_SENSOR_PICTURE_H
#define XR_SENSOR_PICTURE_H

#include <exray/assertion.h>
#include <exray/picture.h>

/* How to decode the recorded bytes, where not as recorded; see exray_picture_decode. */
typedef struct xr_decode_override {
    const char *format; /* NULL: as recorded */
    const char *matrix;
    int full_range;     /* -1: as recorded */
    int64_t row_stride; /* -1: as recorded */
} xr_decode_override;

/* The sensor's picture of a matched frame, upright; NULL where there is none.  `as` may be NULL.
 * media (may be NULL) gets what it was recorded as; its strings live as long as the slot. */
exray_picture *xr_sensor_picture(const exray_comparison *comparison, size_t frame,
                                 const xr_decode_override *as, exray_slot *slot, exray_media *media);

/* The recorded bytes; false where there are none.  *data and media's strings live as long as the slot. */
bool xr_sensor_bytes(const exray_comparison *comparison, size_t frame, exray_slot *slot, exray_media *media,
                     const uint8_t **data, size_t *size);

#endif
