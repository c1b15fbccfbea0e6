/* The parts of camera_app: an application of the kind that exray is for, with a
 * switch for each bug that such applications have.  Its arithmetic is its own:
 * nothing here is shared with the reference pipeline that it is held against. */
#ifndef CAMERA_H
#define CAMERA_H

#include "engines/engine.h"

#include <stdbool.h>
#include <stdint.h>

enum { CAMERA_TEXT = 512 };

/* Interleaved RGB. */
typedef struct picture {
    int width, height;
    uint8_t *rgb; /* [height][width][3], malloc'd */
} picture;

/* One buffer as the camera delivers it, and what the camera says of it. */
typedef struct frame {
    char source[CAMERA_TEXT]; /* a name, unique in the list */
    char format[16];          /* jpeg png rgb8 bgr8 gray8 nv12 yuyv ... */
    char matrix[16];          /* "-": none */
    int width, height, stride;
    bool full_range;
    int rotation; /* degrees counter-clockwise that make it upright */
    long label;   /* -1: none */
    uint8_t *data;
    size_t size;
} frame;

typedef enum crop_kind { CROP_NONE, CROP_CENTER, CROP_LETTERBOX } crop_kind;
typedef enum filter { FILTER_NEAREST, FILTER_BILINEAR, FILTER_BICUBIC, FILTER_AREA, FILTER_LANCZOS } filter;
typedef enum grid { GRID_HALF_PIXEL, GRID_ALIGN_CORNERS, GRID_ASYMMETRIC } grid;
typedef enum frame_order { ORDER_RIGHT, ORDER_LATE, ORDER_REPEAT, ORDER_DROP } frame_order;
typedef enum quantizing { QUANTIZE_RIGHT, QUANTIZE_TWICE, QUANTIZE_NOT } quantizing;

/* What the application does with a buffer.  The right values depend on the model;
 * every other one is a bug. */
typedef struct settings {
    /* From the buffer to RGB. */
    const char *read_as; /* a format, whatever the buffer's is; NULL: the buffer's */
    const char *matrix;  /* NULL: the buffer's */
    int full_range;      /* -1: the buffer's */
    int stride;          /* -1: the buffer's; 0: the width */
    double gamma;
    bool gray;
    bool linear_chroma;    /* chroma is interpolated, not repeated: as right as the other */
    const char *dct;       /* JPEG: islow, ifast, float */
    bool plain_upsampling; /* JPEG */
    int jpeg_shrink;       /* JPEG: decodes at 1/N of the size; 1 */
    int recompress;        /* 0: no; else through a JPEG of that quality */
    bool ignore_rotation;  /* stays as it was captured */
    /* Geometry. */
    crop_kind crop;
    double crop_fraction;
    int pad;                /* letterbox */
    int offset_x, offset_y; /* of the crop, in pixels of the picture */
    bool resize_first;      /* the whole picture, then the crop */
    filter filter;
    grid grid;
    bool antialias;
    int rotate; /* 0, 90, 180, 270 counter-clockwise */
    char flip;  /* 0, 'h', 'v' */
    /* Values. */
    char channels[4]; /* "rgb" */
    double mean[3], std[3];
    bool normalize_before_channels;
    bool normalize_twice;
    bool signed_bytes; /* pixels go through a signed char */
    bool nchw;         /* writes the planes one after another */
    int noise;         /* adds -noise .. noise levels */
    double blur;       /* sigma of a dirty lens, in pixels of the model's input */
    quantizing quantizing;
    bool flip_sign_bit; /* int8 bytes into a uint8 tensor, or the other way round */
    double scale;       /* 0: the model's */
    long zero_point;    /* LONG_MIN: the model's */
    /* Which buffer a frame is made of. */
    frame_order order;
    int order_every; /* repeats or drops every Nth */
} settings;

/* Ends the program with one line. */
_Noreturn void camera_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

void *camera_allocate(size_t size);
void *camera_read_file(const char *path, size_t *size);

/* camera_sensor.c: a buffer becomes RGB, upright. */
picture camera_decode(const frame *f, const settings *s);

/* camera_shape.c: RGB becomes width x height pixels; frees `in`. */
picture camera_shape(picture in, const settings *s, int width, int height);
/* Turns counter-clockwise; frees `in`. */
picture camera_turn(picture in, int degrees);

/* camera_values.c: pixels become the bytes of a tensor that `info` describes. */
void camera_fill(const picture *p, const settings *s, const exray_tensor_info *info, void *out);

/* camera_answer.c: what the application makes of an output. */
typedef struct answers {
    long label_offset;  /* class = index - label_offset */
    long permute;       /* 0: none; else classes are renamed: a label file of another order */
    bool softmax_again; /* over what the model returns */
    const char *scores; /* NULL: dequantized; "raw", "signed", "no-zero-point", "scale:X" */
    bool boxes_as_xyxy; /* takes the corners in another order */
    int top_k;
} answers;
/* Scores of every class as the application computes them; free() them. */
double *camera_scores(const answers *a, const exray_tensor_info *info, const void *data, size_t *count);
/* Writes /result. */
void camera_answer(const answers *a, const xr_engine *engine, xr_session *session, exray_recorder *recorder);

#endif
