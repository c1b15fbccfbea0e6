/* Frames from files of texts. */
#ifndef XR_ITEMS_TEXTS_H
#define XR_ITEMS_TEXTS_H

#include "replay/items.h"

/* The lines of a .txt file that are not empty, one text each; the rows of a .tsv file, whose first line names
 * the columns (`text`; `label`, a class; `source`); any other file is one text, and so is each file of a
 * folder.  A frame's source is its row's, else FILE:LINE, or the file's name in the folder.  `labels` is NULL
 * or what is true of them (xr_truth_load).  NULL on failure. */
xr_items *xr_items_from_texts(const char *data, const char *labels, exray_error *error);

#endif
