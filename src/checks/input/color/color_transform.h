/* Colors of a picture converted by a function of each pixel: what an application does to them that the
 * reference does not, or the reverse. */
#ifndef XR_COLOR_TRANSFORM_H
#define XR_COLOR_TRANSFORM_H

#include "checks/input/fit/fit_sums.h"
#include "checks/input/picture/raster.h"

/* Pixels of 0..255 in the reference's unit: reference = gain * pixel[from] + offset
 * (search/find_pixel_unit.c). */
typedef struct xr_pixel_unit {
    bool measured; /* from the sensor's pictures; else from the convention that the values follow */
    unsigned char from[XR_FIT_CHANNELS];
    double gain[XR_FIT_CHANNELS], offset[XR_FIT_CHANNELS];
} xr_pixel_unit;

/* Kinds of conversions, on pixels of 0..255 (search/find_color.c, search/find_decoding.c). */
typedef enum xr_color_kind {
    XR_COLOR_NONE,
    XR_COLOR_GRAY,
    XR_COLOR_UV,     /* U and V exchanged */
    XR_COLOR_MATRIX, /* encoded with one matrix, decoded with another */
    XR_COLOR_RANGE,  /* limited range taken for full, or full for limited */
    XR_COLOR_GAMMA,
    XR_COLOR_PACKED,    /* YUYV read as UYVY, or the reverse: luma and chroma exchanged */
    XR_COLOR_NO_CHROMA, /* U, V or both read as 0 */
    XR_COLOR_CODED,     /* the values of another color space fed as RGB */
    XR_COLOR_SWAPPED,   /* 16-bit colors of which the two bytes are exchanged, or read by other bits */
    XR_COLOR_COARSE,    /* fewer bits of each channel */
    XR_COLOR_MIXED,     /* each a mixture of the three: another saturation, a color matrix, a white balance */
    XR_COLOR_CHANNELS,  /* channels of another place, or a constant (an alpha of 255) in one */
    XR_COLOR_HUE,       /* the hue turned, in HSV: saturation and value are as they were */
} xr_color_kind;

/* Color spaces whose values are fed as RGB. */
typedef enum xr_color_code {
    XR_CODE_MATRIX,  /* linear: `matrix` */
    XR_CODE_HSV,     /* hue of 0..255 (Pillow, OpenCV's _FULL) */
    XR_CODE_HSV_180, /* hue of 0..179 (OpenCV) */
    XR_CODE_HLS,     /* OpenCV: hue of 0..179, lightness, saturation */
    XR_CODE_LAB,     /* OpenCV: L of 0..255, a and b + 128 */
} xr_color_code;

typedef struct xr_color_transform {
    xr_color_kind kind;
    double matrix[3][4]; /* to = matrix (r, g, b, 1) */
    double gamma;        /* to = 255 (from / 255)^gamma */
    double turn;         /* HUE: added to it, 0..1 of the circle */
    size_t from, to;     /* MATRIX, RANGE: encodings of the reference and the edge */
    int range;           /* RANGE: 1 limited taken for full, -1 full taken for limited */
    xr_color_code code;  /* CODED */
    bool clipped;        /* MIXED: some of what it makes is beyond a pixel's range */
    bool backward;    /* CODED: the reference feeds such values, the edge RGB; SWAPPED: colors of these bits
                         are read as of 5, 6 and 5 */
    const char *name; /* CODED, NO_CHROMA; GRAY of one channel alone: a constant */
    unsigned char
        bits[3];   /* COARSE; SWAPPED: as which colors of 5, 6 and 5 bits are read (0: bytes exchanged) */
    bool low_zero; /* COARSE: the bits that are missing are 0, not the high ones again */
    unsigned char channel[3]; /* CHANNELS: the reference's channel; 3: the constant */
    double constant;          /* CHANNELS: a pixel's value */
    double residual_without;
} xr_color_transform;

/* The converted pixel. */
void xr_convert_pixel(const xr_color_transform *color, const double in[3], double out[3]);
/* Converts the colors of a picture in the reference's unit. */
void xr_apply_color(const xr_color_transform *color, const xr_pixel_unit *unit, xr_raster *reference);
/* The picture with its colors converted and rounded to 8 bits; NULL: out of memory. */
exray_picture *xr_color_picture(const xr_color_transform *color, const exray_picture *in);
/* The same of the rows that are needed[row]; the others are black. */
exray_picture *xr_color_rows(const xr_color_transform *color, const exray_picture *in, const bool *needed);

#endif
