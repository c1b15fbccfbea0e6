/* Letters that a mark makes of others, as scripts/make_unicode.py writes them. */
#ifndef XR_COMPOSED_TABLE_H
#define XR_COMPOSED_TABLE_H

#include <stddef.h>
#include <stdint.h>

typedef struct xr_composed_letter {
    uint16_t letter, mark, whole;
} xr_composed_letter;

extern const xr_composed_letter xr_composed_letters[];
extern const size_t xr_composed_count;

#endif
