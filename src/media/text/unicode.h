/* What the tokenizers need of Unicode. */
#ifndef XR_UNICODE_H
#define XR_UNICODE_H

#include "media/text/unicode_tables.h"

#include <stdbool.h>

bool xr_unicode_is(const xr_unicode_class *of, uint32_t code);

/* What a character becomes: `to`, and how many; itself where the map does not have it. */
size_t xr_unicode_apply(const xr_unicode_map *map, uint32_t code, uint32_t to[XR_UNICODE_MOST]);

/* Its canonical decomposition without nonspacing marks; 0: it is one. */
size_t xr_unicode_strip(uint32_t code, uint32_t to[XR_UNICODE_MOST]);

#endif
