/* Rows of ids that are as long as their texts: the model's input is open, and two tokenizers give it rows of
 * other lengths. */
#ifndef XR_TOKEN_OPEN_H
#define XR_TOKEN_OPEN_H

#include <exray/assertion.h>

#include <stddef.h>

/* The places that hold every row of an input of both sides, and one more; 0: it has one shape in each frame,
 * or a side's rows are all of one length, as a buffer's are. */
size_t xr_token_open_places(const exray_comparison *comparison, size_t pair);

#endif
