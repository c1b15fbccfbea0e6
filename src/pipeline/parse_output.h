/* The key `output` of a pipeline file: how the model's outputs are read. */
#ifndef XR_PARSE_OUTPUT_H
#define XR_PARSE_OUTPUT_H

#include "pipeline/parse_words.h"

/* False where p->error says why not, with the line. */
bool xr_parse_output(xr_parser *p, const xr_yaml *node);

#endif
