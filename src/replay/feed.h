/* The bytes and shapes that a model's inputs get in the next run. */
#ifndef XR_FEED_H
#define XR_FEED_H

#include "engines/engine.h"
#include "pipeline/place.h"
#include "replay/items.h"

enum { XR_FEED_MOST = 64 };

/* One input. */
typedef struct xr_feed {
    exray_tensor_info info;           /* the model's, with -1 where it leaves a dimension open */
    int64_t declared[EXRAY_MAX_RANK]; /* of info */
    int64_t shape[EXRAY_MAX_RANK];    /* of the next run */
    uint8_t *bytes;
    size_t size, room;
    uint64_t pad_first, pad_last; /* elements of padding at the beginning and the end of each row, where its
                                     mask is 0 (a text's) */
    xr_seen_part place;           /* of a picture's feed: where it lies in the picture */
} xr_feed;

typedef struct xr_feeds {
    xr_feed of[XR_FEED_MOST];
    uint32_t count;
    uint32_t *noise; /* of a sound's features that go on from frame to frame; NULL: each begins anew */
} xr_feeds;

/* Takes the inputs of a session; names are borrowed from it.  EXRAY_E_UNSUPPORTED: too many. */
exray_status xr_feeds_open(xr_feeds *feeds, const xr_engine *engine, xr_session *session, exray_error *error);
void xr_feeds_close(xr_feeds *feeds);

/* Room for `size` bytes, which become the feed's; NULL: no memory. */
void *xr_feed_room(xr_feed *feed, size_t size);
/* Gives it a shape (open dimensions that are -1 there become 1) and zeros.  False: no memory, or too large.
 */
bool xr_feed_zeros(xr_feed *feed, const int64_t *shape);
/* Takes a recorded tensor: its shape where the model leaves dimensions open; another type or scale is
 * converted by value. */
exray_status xr_feed_record(xr_feed *feed, const xr_item_input *from, exray_error *error);

/* Hands all of them to a session. */
exray_status xr_feeds_set(const xr_feeds *feeds, const xr_engine *engine, xr_session *session,
                          exray_error *error);

#endif
