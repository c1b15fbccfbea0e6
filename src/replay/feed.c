#include "replay/feed.h"

#include "base/error.h"
#include "base/tensor.h"
#include "pipeline/target.h"

#include <stdlib.h>
#include <string.h>

exray_status xr_feeds_open(xr_feeds *feeds, const xr_engine *engine, xr_session *session, exray_error *error)
{
    feeds->count = 0;
    for (uint32_t i = 0; engine->input(session, i); i++) {
        if (i == XR_FEED_MOST)
            return xr_error_set(error, EXRAY_E_UNSUPPORTED, "it has more than %d inputs", XR_FEED_MOST);
        xr_feed *feed = &feeds->of[i];
        feed->info = *engine->input(session, i);
        for (uint32_t k = 0; k < feed->info.rank && k < EXRAY_MAX_RANK; k++)
            feed->declared[k] = feed->info.shape[k];
        feed->info.shape = feed->declared;
        if (exray_dtype_bits(feed->info.dtype) == 0)
            return xr_error_set(error, EXRAY_E_UNSUPPORTED, "its input %.100s has elements of no fixed size",
                                feed->info.name ? feed->info.name : "");
        feeds->count = i + 1;
    }
    return EXRAY_OK;
}

void xr_feeds_close(xr_feeds *feeds)
{
    for (uint32_t i = 0; i < XR_FEED_MOST; i++)
        free(feeds->of[i].bytes);
    *feeds = (xr_feeds){0};
}

void *xr_feed_room(xr_feed *feed, size_t size)
{
    if (size > feed->room || !feed->bytes) {
        uint8_t *grown = realloc(feed->bytes, size + 1);
        if (!grown)
            return NULL;
        feed->bytes = grown;
        feed->room = size;
    }
    feed->size = size;
    return feed->bytes;
}

/* Bytes of the feed's type in its shape; 0: none, or too many. */
static size_t size_of(const xr_feed *feed)
{
    exray_tensor_info now = feed->info;
    now.shape = feed->shape;
    return (size_t)((xr_elements(&now) * exray_dtype_bits(now.dtype) + 7) / 8);
}

bool xr_feed_zeros(xr_feed *feed, const int64_t *shape)
{
    for (uint32_t k = 0; k < feed->info.rank; k++)
        feed->shape[k] = shape[k] < 0 ? 1 : shape[k];
    size_t size = size_of(feed);
    void *room = size ? xr_feed_room(feed, size) : NULL;
    if (room)
        memset(room, 0, size);
    return room != NULL;
}

static bool is_open(const exray_tensor_info *info)
{
    for (uint32_t k = 0; k < info->rank; k++)
        if (info->shape[k] < 0)
            return true;
    return false;
}

/* Whether a record's shape may be the input's: of its rank, and equal where the model fixes it; the first
 * dimension may be another batch. */
static bool takes_shape(const exray_tensor_info *to, const exray_tensor_info *from)
{
    bool fits = from->rank == to->rank && from->shape;
    for (uint32_t k = 0; fits && k < to->rank; k++)
        fits = from->shape[k] > 0 && (k == 0 || to->shape[k] < 0 || to->shape[k] == from->shape[k]);
    return fits;
}

static bool same_scale(const exray_quantization *a, const exray_quantization *b)
{
    return a->count == b->count &&
           (a->count == 0 || (a->scale[0] == b->scale[0] && (a->zero_point ? a->zero_point[0] : 0) ==
                                                                (b->zero_point ? b->zero_point[0] : 0)));
}

/* Whether the recorded bytes are the model's as they are: of one type and one scale, or of integers that were
 * recorded without one. */
static bool is_as_stored(const exray_tensor_info *to, const exray_tensor_info *from)
{
    return to->dtype == from->dtype &&
           (from->quantization.count == 0 || same_scale(&to->quantization, &from->quantization));
}

exray_status xr_feed_record(xr_feed *feed, const xr_item_input *from, exray_error *error)
{
    const exray_tensor_info *to = &feed->info;
    if (!takes_shape(to, &from->info) && is_open(to))
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "the recorded input %.100s has no shape that the model's input %.100s takes",
                            from->name, to->name ? to->name : "");
    memcpy(feed->shape, takes_shape(to, &from->info) ? from->info.shape : to->shape,
           to->rank * sizeof *feed->shape);
    size_t size = size_of(feed);
    if (!size || !xr_feed_room(feed, size))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the model's input");
    if (is_as_stored(to, &from->info) && from->size == size) {
        memcpy(feed->bytes, from->data, size);
        return EXRAY_OK;
    }
    unsigned to_bits = exray_dtype_bits(to->dtype), from_bits = exray_dtype_bits(from->info.dtype);
    uint64_t count = to_bits ? size * 8 / to_bits : 0;
    if (!from_bits || !count || from->size * 8 / from_bits != count)
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "the recorded input has %zu bytes of %s, the model takes %zu of %s", from->size,
                            exray_dtype_name(from->info.dtype), size, exray_dtype_name(to->dtype));
    float *values = malloc(count * sizeof *values);
    if (!values)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    exray_status status = exray_tensor_dequantize(&from->info, from->data, from->size, count, values);
    if (status)
        xr_error_set(error, status, "the recorded input cannot be read as %s",
                     exray_dtype_name(from->info.dtype));
    else
        status = xr_target_store(to, values, count, feed->bytes, size, error);
    free(values);
    return status;
}

exray_status xr_feeds_set(const xr_feeds *feeds, const xr_engine *engine, xr_session *session,
                          exray_error *error)
{
    exray_status status = EXRAY_OK;
    /* All shapes first: a new one may make the engine allocate, and forget, its inputs. */
    for (uint32_t i = 0; i < feeds->count && !status; i++)
        status = engine->set_shape(session, i, feeds->of[i].shape, feeds->of[i].info.rank, error);
    for (uint32_t i = 0; i < feeds->count && !status; i++)
        status = engine->set_input(session, i, feeds->of[i].bytes, feeds->of[i].size, error);
    return status;
}
