/* Text of a log in JSON. */
#ifndef XR_CLEAN_TEXT_H
#define XR_CLEAN_TEXT_H

/* A copy in which bytes that are no UTF-8 (names are the engine's) are '?'; freed by the caller.
 * NULL: out of memory. */
char *xr_clean_text(const char *text);

#endif
