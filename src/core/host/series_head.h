/* What each file of a series begins with: the metadata, the model, constants, attachments.  The writer keeps
 * these records as it writes them, in a file without a name that ends with the process. */
#ifndef XR_SERIES_HEAD_H
#define XR_SERIES_HEAD_H

#include "core/mcap.h"

typedef struct xr_series_head {
    int handle; /* -1: there is none */
    uint64_t size;
    bool incomplete; /* some of it could not be kept */
} xr_series_head;

/* Keeps a record; `kind` says of what type it is. */
void xr_series_head_keep(xr_series_head *head, xr_head_kind kind, const void *record);
/* Writes all of it again. */
void xr_series_head_write(xr_series_head *head, xr_mcap *mcap);

#endif
