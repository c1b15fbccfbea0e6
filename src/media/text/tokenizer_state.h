/* A tokenizer, and what its kinds share. */
#ifndef XR_TOKENIZER_STATE_H
#define XR_TOKENIZER_STATE_H

#include "media/text/pattern.h"
#include "media/text/vocabulary.h"

#include <exray/text.h>

/* Bytes of a text. */
#define XR_MOST_TEXT ((size_t)1 << 20)

struct exray_tokenizer {
    exray_tokenizer_config config; /* pattern and vocabulary are not the caller's any more: NULL */
    exray_special_ids special;
    xr_pattern *pattern; /* WORDS */
    xr_vocabulary vocabulary;
};

/* Ids that grow at their end. */
typedef struct xr_id_list {
    int64_t *id;
    size_t count, room;
} xr_id_list;

/* false: no memory. */
bool xr_id_list_add(xr_id_list *list, int64_t id);

/* Characters that grow at their end. */
typedef struct xr_utf8_text {
    char *text;
    size_t size, room;
} xr_utf8_text;

/* Adds the UTF-8 of a character; false: no memory. */
bool xr_utf8_text_add(xr_utf8_text *text, uint32_t code);

#endif
