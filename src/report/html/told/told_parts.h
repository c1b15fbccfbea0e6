/* The parts of what was told: each is of one kind of result, and writes nothing where neither side has it. */
#ifndef XR_TOLD_PARTS_H
#define XR_TOLD_PARTS_H

#include "report/html/frames/html_pictures.h"
#include "report/html/told/told_read.h"

/* ground: what they lie on; NULL: no picture was recorded. */
void xr_put_told_boxes(xr_gallery *gallery, const exray_picture *ground, const xr_told_frame *told,
                       size_t number);
void xr_put_told_points(xr_gallery *gallery, const exray_picture *ground, const xr_told_frame *told,
                        size_t number);
void xr_put_told_masks(xr_gallery *gallery, const exray_picture *ground, const xr_told_frame *told);
void xr_put_told_classes(xr_page *page, const xr_told_frame *told);
void xr_put_told_text(xr_page *page, const xr_told_frame *told);
void xr_put_told_vectors(xr_page *page, const xr_told_frame *told);

#endif
