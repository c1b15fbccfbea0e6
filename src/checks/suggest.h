/* What was probably meant by a mistyped name. */
#ifndef XR_SUGGEST_H
#define XR_SUGGEST_H

#include <exray/assertion.h>
#include <stdbool.h>
#include <stddef.h>

/* Names, one after the other; NULL at the end. */
typedef const char *xr_candidates(void *user);

/* The candidate nearest to `word`, copied into `out`: at most a third of its letters differ
 * (two neighbours exchanged count once).  False: nothing is near; `out` is "". */
bool xr_suggest(const char *word, xr_candidates *next, void *user, char *out, size_t size);

/* " (did you mean 'input.search'?)" of the assertions in two NULL-terminated tables (either
 * may be NULL), or "", for a name that is none of them. */
enum { XR_SUGGESTION = 100 };
const char *xr_suggest_assertion(const exray_assertion *const *table, const exray_assertion *const *extra,
                                 const char *name, size_t length, char out[XR_SUGGESTION]);

#endif
