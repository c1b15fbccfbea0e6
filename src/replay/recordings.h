/* Where a recording begins among the items of a run: there a model's state is reset. */
#ifndef XR_RECORDINGS_H
#define XR_RECORDINGS_H

#include "replay/items.h"

typedef struct xr_recordings {
    char file[512];  /* of the item before, where its source is FILE@SAMPLE; else "" */
    uint64_t sample; /* and its sample */
    bool pending;    /* an item that could not be used was to begin one */
    bool any;        /* there was an item before */
} xr_recordings;

/* Whether the item, the one behind those of earlier calls, begins a recording: its source is FILE@SAMPLE (a
 * window of a sound) and names another file than the item before, or an earlier sample of it; or the
 * application has reset the model before it (/event, kind reset).  Sources without a sample say nothing: each
 * frame of a camera may have another.  Never the first item: what begins there needs no reset. */
bool xr_recordings_begins(xr_recordings *recordings, const xr_item *item);

/* How the item lies to the one before, asked before xr_recordings_begins: windows of one sound, this one
 * later in it; or the same one again. */
bool xr_recordings_goes_on(const xr_recordings *recordings, const xr_item *item);
bool xr_recordings_repeats(const xr_recordings *recordings, const xr_item *item);

/* The item that xr_recordings_begins was called with left no frame. */
void xr_recordings_unused(xr_recordings *recordings, bool began);

/* The file (or as much of its end as there is room for) and the sample of FILE@SAMPLE; false: the source is
 * none.
 */
bool xr_recordings_place(const char *source, char file[512], uint64_t *sample);

#endif
