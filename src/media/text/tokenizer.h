/* exray/text.h, with rows of another length than the tokenizer's own. */
#ifndef XR_TOKENIZER_H
#define XR_TOKENIZER_H

#include <exray/text.h>

/* exray_tokenizer_run with rows of `length` ids; 0: as many as the text has. */
exray_status xr_tokenizer_run_row(const exray_tokenizer *tokenizer, uint64_t length, const char *text,
                                  size_t size, int64_t *ids, uint64_t room, exray_token_row *row,
                                  exray_error *error);

#endif
