/* Text and numbers on the HTML page.  Text from logs is hostile: it reaches the page through xr_put's
 * %s, xr_put_prose or xr_put_json_text, and no other way. */
#ifndef XR_HTML_TEXT_H
#define XR_HTML_TEXT_H

#include "compare/compare.h"

#include <stdio.h>

enum { XR_TEXT_MOST = 600 }; /* bytes of one text that are shown */

#if defined(__GNUC__)
#define XR_PUT __attribute__((format(printf, 2, 3)))
#else
#define XR_PUT
#endif
/* Like fprintf, but every %s is escaped: it can be content, or a value between double
 * quotes, and never markup.  Only %s, %c, %d, %u, %zu, %lld, %llu, %f, %g (with width, flags, precision
 * as numbers).  Longer texts are cut; invalid UTF-8 and invisible characters (controls, marks that change the
 * direction of writing) are replaced. */
void xr_put(FILE *out, const char *format, ...) XR_PUT;
/* Sentences: escaped like %s, `words` between backticks as code. */
void xr_put_prose(FILE *out, const char *text);
/* The same as xr_put's %s as a JSON string with its quotes, which no HTML parser can take for markup. */
void xr_put_json_text(FILE *out, const char *text);
/* A JSON number of so many digits, or null. */
void xr_put_json_number(FILE *out, double value, int digits);
void xr_put_base64(FILE *out, const uint8_t *data, size_t size);

/* "0.178", "1.2e-05", "–" where it is none; `buffer` is returned. */
typedef char xr_number_text[32];
const char *xr_number(xr_number_text buffer, double value);
/* "12.3 ms"; "–". */
const char *xr_milliseconds(xr_number_text buffer, double nanoseconds);
/* A fused layer's name has the names of all its parts; this is the first. */
typedef char xr_name_text[256];
const char *xr_short_name(xr_name_text buffer, const char *name);
/* "edge", "reference". */
const char *xr_side_name(exray_side side);
/* The class a role has in the page's style sheet: "clean", "origin", "passes", "unjudged". */
const char *xr_role_class(exray_layer_role role);
const char *xr_role_words(exray_layer_role role);

#endif
