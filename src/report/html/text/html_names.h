/* The names of classes, as each side has them. */
#ifndef XR_HTML_NAMES_H
#define XR_HTML_NAMES_H

#include "report/html/page.h"

/* The name of a class on a side: as it told it with results, else as the label file in its log has it; where
 * it has no names at all, the other side's, unless a finding is about labels.  NULL: none.  Valid until
 * xr_html_names_free. */
const char *xr_class_name_of(xr_page *page, exray_side side, int64_t id);

/* "tench <small>class 0</small>", or "class 0"; `told` is the name that stands in the result itself, or NULL.
 */
void xr_put_class(xr_page *page, exray_side side, int64_t id, const char *told);

/* "tench (class 0)", or "class 0": plain words in `buffer`, which is returned. */
typedef char xr_class_words[128];
const char *xr_class_in_words(xr_page *page, exray_side side, int64_t id, xr_class_words buffer);

void xr_html_names_free(xr_page *page);

#endif
