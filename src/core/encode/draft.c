#include "core/encode/draft.h"

static void add_crc(xr_draft *draft, const void *data, size_t size)
{
    if (draft->crc_of && size)
        draft->crc = draft->crc_of(draft->context, draft->crc, data, size);
}

static bool copy(xr_draft *draft, const void *data, size_t size)
{
    if (size > draft->room - draft->used)
        return false;
    memcpy(draft->bytes + draft->used, data, size);
    draft->used += size;
    return true;
}

static void draft_write(xr_sink *sink, const void *data, size_t size)
{
    xr_draft *draft = (xr_draft *)sink;
    if (!draft->partial) {
        /* What was thought to be the last piece is not. */
        if (draft->tail && copy(draft, draft->tail, draft->tail_size)) {
            draft->tail = NULL;
            draft->tail_size = 0;
        }
        if (!draft->tail && size >= XR_DRAFT_PIECE) {
            draft->tail = data;
            draft->tail_size = size;
            return;
        }
        if (!draft->tail && copy(draft, data, size))
            return;
        draft->partial = true;
        add_crc(draft, draft->bytes, draft->used);
        add_crc(draft, draft->tail, draft->tail_size);
    }
    add_crc(draft, data, size);
}

void xr_draft_begin(xr_draft *draft)
{
    draft->sink = (xr_sink){draft_write, 0};
    draft->used = draft->tail_size = 0;
    draft->tail = NULL;
    draft->partial = false;
    draft->crc = 0;
}

void xr_draft_put(const xr_draft *draft, xr_sink *to, xr_encode_fn encode, const void *object)
{
    if (draft->partial) {
        encode(to, object);
        return;
    }
    xr_put(to, draft->bytes, draft->used);
    xr_put(to, draft->tail, draft->tail_size);
}
