/* Lists of names in the ways that exporters write them. */
#ifndef XR_NOTE_NAMES_H
#define XR_NOTE_NAMES_H

#include "models/notes/model_notes.h"

/* A name a line; false: out of memory, or too many. */
bool xr_note_names_lines(xr_note_names *out, const char *text, size_t size);
/* {0: 'cat', 1: "dog"}, {"0": "cat"}, ["cat", "dog"], or lines, or commas between them. */
bool xr_note_names_any(xr_note_names *out, const char *text, size_t size);
void xr_note_names_free(xr_note_names *names);

#endif
