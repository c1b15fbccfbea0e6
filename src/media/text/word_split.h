/* The ids of words between matches of a pattern. */
#ifndef XR_WORD_SPLIT_H
#define XR_WORD_SPLIT_H

#include "media/text/tokenizer_state.h"

/* Of a text of valid UTF-8, special ids left out. */
exray_status xr_tokenize_words(const exray_tokenizer *t, const char *text, size_t size, xr_id_list *out,
                               exray_error *error);

#endif
