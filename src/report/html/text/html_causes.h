/* Links from a cause to what it means. */
#ifndef XR_HTML_CAUSES_H
#define XR_HTML_CAUSES_H

#include "report/html/page.h"

/* Whether the page can explain a cause, and the id of the element that does (xr_html_causes writes it for
 * those that were found, and for their alternatives). */
typedef char xr_cause_id[64];
bool xr_cause_is_explained(const char *cause, xr_cause_id id);

/* Its name, with a link to what it means where that is known. */
void xr_put_cause(FILE *out, const char *cause);

#endif
