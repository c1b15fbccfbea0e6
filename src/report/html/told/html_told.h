/* What both sides told of a frame, on the page: over the picture, and in words. */
#ifndef XR_HTML_TOLD_H
#define XR_HTML_TOLD_H

#include "report/html/frames/html_pictures.h"

/* All that was told of a matched frame; nothing where nothing was.  `number` makes the ids of its drawings.
 */
void xr_html_told(xr_gallery *gallery, size_t frame, size_t number);

#endif
