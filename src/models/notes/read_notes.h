/* Reading what a model's file says of itself, whatever its format. */
#ifndef XR_READ_NOTES_H
#define XR_READ_NOTES_H

#include "models/notes/model_notes.h"

/* Reads what is there; what is damaged is not, nor, where `inflate` is NULL, what is compressed.  Free it.
 * False: out of memory. */
bool xr_model_notes_read(const void *data, size_t size, xr_inflate_fn *inflate, xr_model_notes *out);
void xr_model_notes_free(xr_model_notes *notes);

#endif
