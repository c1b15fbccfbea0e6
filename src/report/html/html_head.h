/* How every page begins. */
#ifndef XR_HTML_HEAD_H
#define XR_HTML_HEAD_H

#include <stddef.h>
#include <stdio.h>

/* The document's begin and its policy, which allows the page's own style, this script (NULL: none) and
 * nothing else, so that even a mistake in the escaping would let no text of a log run.  The title follows. */
void xr_html_policy(FILE *out, const unsigned char *script, size_t script_size);

/* The style sheet, within the head. */
void xr_html_style(FILE *out);

#endif
