/* Tables of characters, as scripts/make_unicode.py writes them. */
#ifndef XR_UNICODE_TABLES_H
#define XR_UNICODE_TABLES_H

#include <stddef.h>
#include <stdint.h>

typedef struct xr_unicode_range {
    uint32_t first, last;
} xr_unicode_range;

/* Characters, as ascending ranges. */
typedef struct xr_unicode_class {
    const xr_unicode_range *range;
    size_t count;
} xr_unicode_class;

extern const xr_unicode_class xr_unicode_words, xr_unicode_spaces, xr_unicode_digits, xr_unicode_marks,
    xr_unicode_letters, xr_unicode_punctuation, xr_unicode_controls;

typedef struct xr_unicode_pair {
    uint32_t from, to;
} xr_unicode_pair;

enum { XR_UNICODE_MOST = 4 }; /* characters that one becomes */

typedef struct xr_unicode_several {
    uint32_t from, count, to[XR_UNICODE_MOST];
} xr_unicode_several;

/* Characters that become others, ascending. */
typedef struct xr_unicode_map {
    const xr_unicode_pair *pair;
    size_t count;
    const xr_unicode_several *several;
    size_t several_count;
} xr_unicode_map;

extern const xr_unicode_map xr_unicode_lower, xr_unicode_bare;

#endif
