/* A decoded picture: the struct behind <exray/picture.h>. */
#ifndef XR_PICTURE_H
#define XR_PICTURE_H

#include <exray/picture.h>

enum {
    XR_MAX_PIXELS = 1 << 28, /* of one picture, decoded or made by a step of a pipeline */
    XR_MAX_SIDE = 1 << 20,   /* of a decoded or raw picture */
};

struct exray_picture {
    uint32_t width, height;
    uint32_t channels;    /* 1: gray; 3: RGB */
    uint8_t *pixels;      /* [height][width][channels], packed; malloc'd */
    unsigned orientation; /* EXIF's 1..8; 1 where the file says nothing */
};

/* Allocates picture->pixels for its width, height, channels, after checking them. */
exray_status xr_picture_allocate(exray_picture *picture, const char *what, exray_error *error);

/* Frees the pixels, not the struct. */
void xr_picture_clear(exray_picture *picture);

#endif
