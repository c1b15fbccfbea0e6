/* Rows of ids that are as long as their texts: the model's input is open, and two tokenizers give it rows of
 * other lengths. */
#ifndef XR_TOKEN_OPEN_H
#define XR_TOKEN_OPEN_H

#include "checks/input/tokens/token_texts.h"

/* What stands behind the end of such a row, so that all are as long; the id of no token. */
#define XR_TOKEN_ABSENT INT64_MIN

/* The places that hold every row of an input of both sides, and one more; 0: it has one shape in each frame,
 * or a side's rows are all of one length, as a buffer's are. */
size_t xr_token_open_places(const exray_comparison *comparison, size_t pair);

/* Whether all that differs is padding: the longer row is the shorter one and one more id, as often as it
 * takes. */
bool xr_token_is_padded_alone(const xr_token_texts *texts);

#endif
