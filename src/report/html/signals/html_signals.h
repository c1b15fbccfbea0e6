/* Inputs that are no pictures: sound, features, tokens, anything else with values. */
#ifndef XR_HTML_SIGNALS_H
#define XR_HTML_SIGNALS_H

#include "report/html/page.h"

/* Whether input `pair` of a matched frame is features rather than a picture: a table, of what the sensor
 * heard or by its shape. */
bool xr_is_features(xr_page *page, size_t pair, size_t frame);

/* Shows both sides' inputs of a matched frame, `pair` first; `number` makes the ids of its charts; notable:
 * with players. */
void xr_html_signal(xr_page *page, size_t pair, size_t frame, size_t number, bool notable);

#endif
