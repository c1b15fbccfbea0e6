/* Pictures of a frame: the sensor's, both sides' input, their difference, and what is left of it once the
 * named fault is undone. */
#ifndef XR_HTML_PICTURES_H
#define XR_HTML_PICTURES_H

#include "checks/input/search/corrected.h"
#include "report/html/drawing/html_image.h"
#include "report/html/page.h"

/* What the frames of one page share. */
typedef struct xr_gallery {
    xr_page *page;
    size_t pair; /* of the inputs; EXRAY_NO_INDEX: none */
    const exray_io_pair *io;
    xr_shades shades;
    xr_corrected_input *corrected; /* NULL: nothing explains the difference */
    exray_slot *sensor;
    uint32_t most; /* pixels of a picture's longer side */
    int quality;
} xr_gallery;

/* False: out of memory.  End it in any case. */
bool xr_gallery_begin(xr_gallery *gallery, xr_page *page, size_t pair);
void xr_gallery_end(xr_gallery *gallery);

/* Whether an input of that frame is a picture: rows and columns of a few channels. */
bool xr_gallery_is_picture(xr_gallery *gallery, size_t frame);

/* How to read the pictures. */
void xr_put_gallery_legend(const xr_gallery *gallery);

/* One row of pictures.  brief: a second picture that equals the first is left out. */
void xr_put_gallery_frame(xr_gallery *gallery, size_t frame, bool brief);

/* The picture that told things lie on: the sensor's, else the reference's input, else the edge's.  NULL:
 * there is none. */
exray_picture *xr_gallery_ground(xr_gallery *gallery, size_t frame);

/* One figure.  Takes the picture over; NULL is "cannot be shown". */
void xr_put_picture(xr_gallery *gallery, exray_picture *picture, const char *caption, const char *remark,
                    const char *alt, const char *css);

#endif
