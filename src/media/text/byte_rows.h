/* Rows of bytes. */
#ifndef XR_BYTE_ROWS_H
#define XR_BYTE_ROWS_H

#include "media/text/tokenizer_state.h"

/* Fills `length` ids of a row. */
void xr_row_of_bytes(const exray_tokenizer *t, const uint8_t *bytes, size_t size, int64_t *ids,
                     uint64_t length, exray_token_row *row);

#endif
