/* Inputs that are no pictures: sound, tokens, anything else with values. */
#ifndef XR_HTML_SIGNALS_H
#define XR_HTML_SIGNALS_H

#include "report/html/page.h"

/* Shows both sides' input of a matched frame; `number` makes the ids of its charts. */
void xr_html_signal(xr_page *page, size_t pair, size_t frame, size_t number);

#endif
