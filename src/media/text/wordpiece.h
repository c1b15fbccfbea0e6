/* The ids of BERT's word pieces. */
#ifndef XR_WORDPIECE_H
#define XR_WORDPIECE_H

#include "media/text/tokenizer_state.h"

/* Of a text of valid UTF-8, special ids left out. */
exray_status xr_tokenize_wordpiece(const exray_tokenizer *t, const char *text, size_t size, xr_id_list *out,
                                   exray_error *error);

#endif
