/* Files of anchors: four numbers for each, in shares of the picture. */
#ifndef XR_ANCHORS_H
#define XR_ANCHORS_H

#include <exray/types.h>

typedef struct xr_anchors {
    float *at; /* [count][4] */
    size_t count;
} xr_anchors;

/* Text: an anchor a line, or four lines of a number for each anchor (as box_priors.txt of the TensorFlow
 * examples has them); numbers are separated by blanks or commas, lines that begin with # are skipped.  The
 * error names the line. */
exray_status xr_anchors_load(const char *path, xr_anchors *out, exray_error *error);
/* The same of bytes; `name` stands in messages. */
exray_status xr_anchors_parse(const char *text, const char *name, xr_anchors *out, exray_error *error);
void xr_anchors_free(xr_anchors *anchors);

#endif
