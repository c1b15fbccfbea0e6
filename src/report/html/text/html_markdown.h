/* The markdown of exray's own documentation as HTML. */
#ifndef XR_HTML_MARKDOWN_H
#define XR_HTML_MARKDOWN_H

#include <stdio.h>

/* Writes `size` bytes: paragraphs, lists, tables, indented code; `code`, **bold**, *emphasis*; of links their
 * words.  Pictures are left out.  All text is escaped. */
void xr_put_markdown(FILE *out, const char *text, size_t size);

#endif
