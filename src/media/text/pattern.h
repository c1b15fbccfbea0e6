/* Regular expressions that split a text into words, as Python's re.split does: no backtracking, so that no
 * pattern takes exponential time.
 *
 * Characters, `.`, classes in brackets, \w \d \s and their opposites (of Unicode, as Python's), groups
 * (?:...), `|`, and the repetitions * + ? {m} {m,} {m,n}, each also with ? behind it (as few as possible). */
#ifndef XR_PATTERN_H
#define XR_PATTERN_H

#include <exray/types.h>

typedef struct xr_pattern xr_pattern;

/* NULL on failure, with `error` filled: what is wrong, and where in the pattern.  Free it. */
xr_pattern *xr_pattern_new(const char *text, exray_error *error);
void xr_pattern_free(xr_pattern *pattern);

/* A search through one text; zero it before the first use, and free it behind the last. */
typedef struct xr_pattern_search {
    struct xr_pattern_thread *list[2];
    uint32_t *seen;
    uint32_t mark;
    uint64_t steps;
} xr_pattern_search;

/* The first match in `text` from byte `from` on: bytes *begin .. *end - 1; *begin is `size` where there is
 * none. The text is valid UTF-8.  EXRAY_E_LIMIT: the pattern takes too many steps for it; EXRAY_E_MEMORY. */
exray_status xr_pattern_find(const xr_pattern *pattern, xr_pattern_search *search, const char *text,
                             size_t size, size_t from, size_t *begin, size_t *end, exray_error *error);
void xr_pattern_search_free(xr_pattern_search *search);

#endif
