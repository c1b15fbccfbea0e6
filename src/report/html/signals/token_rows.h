/* Ids of tokens as words. */
#ifndef XR_TOKEN_ROWS_H
#define XR_TOKEN_ROWS_H

#include "report/html/signals/signal_read.h"

/* Both sides' ids of one input, one below the other, with those that differ marked. */
void xr_put_token_rows(xr_page *page, const char *input, const xr_signal sides[2]);

#endif
