/* The key `image` of a pipeline file: the steps from a picture to the model's input. */
#ifndef XR_PARSE_IMAGE_H
#define XR_PARSE_IMAGE_H

#include "pipeline/parse_words.h"

/* The plain form: every step once, in the fixed order, with its default. */
void xr_parse_default_steps(xr_pipeline *pipeline);
/* False where p->error says why not, with the line. */
bool xr_parse_image(xr_parser *p, const xr_yaml *node);

#endif
