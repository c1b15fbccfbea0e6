/* The key `audio` of a pipeline file. */
#ifndef XR_PARSE_AUDIO_H
#define XR_PARSE_AUDIO_H

#include "pipeline/parse_words.h"

/* False where p->error says why not, with the line. */
bool xr_parse_audio(xr_parser *p, const xr_yaml *node);

/* Its defaults: also those of a file that has none. */
void xr_parse_default_audio(xr_pipeline *pipeline);

/* "features: mel {...}" is short for "features: {mel: {...}}", which is YAML: a copy of the text with that
 * written out, on the same lines.  NULL: no memory.  Free it. */
char *xr_parse_audio_shorthand(const char *text, size_t size, size_t *written);

#endif
