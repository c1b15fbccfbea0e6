/* The key `text` of a pipeline file: how a text becomes ids. */
#ifndef XR_PARSE_TEXT_H
#define XR_PARSE_TEXT_H

#include "pipeline/parse_words.h"

/* False where p->error says why not, with the line. */
bool xr_parse_text(xr_parser *p, const xr_yaml *node);

/* Reads the vocabulary and makes the tokenizer, where the file has the key. */
exray_status xr_text_open(xr_pipeline *pipeline, exray_error *error);

#endif
