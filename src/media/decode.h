/* Decoding: a sensor record's bytes to a picture. */
#ifndef XR_DECODE_H
#define XR_DECODE_H

#include "media/picture.h"

/* Decodes a sensor record's bytes (jpeg, png, or a raw format) to RGB (or gray
 * where it is gray: 1 channel).  media NULL, media->format NULL or "": told from
 * the bytes, as "jpeg" and "png" are too.  On success release with xr_picture_clear;
 * on failure nothing is left behind.  E_FORMAT: damaged or no picture;
 * E_UNSUPPORTED: a format that is not read; E_LIMIT: too large; E_MEMORY. */
exray_status xr_picture_decode(const exray_media *media, const void *data, size_t size, exray_picture *out,
                               exray_error *error);

/* The numbers of a PNG's pixels, 1 channel: gray or a palette's, which is not applied.  Otherwise as above.
 */
exray_status xr_mask_decode(const void *data, size_t size, exray_picture *out, exray_error *error);

#endif
