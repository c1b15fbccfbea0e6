#include "replay/ahead.h"

#include "base/error.h"
#include "base/workers.h"
#include "core/port/port.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 4, MOST_JOBS = 64 }; /* items for each thread */

/* An item with its data, which outlive the next call of `next`. */
typedef struct kept_item {
    xr_item item;
    char *text[4]; /* source, sensor, format, matrix */
    void *data;
    double region[5];
    xr_sound_around around;
    void *beside; /* what it has */
    xr_next next;
    xr_prepared prepared;
} kept_item;

struct xr_ahead {
    xr_items *items;
    const xr_pipeline *pipeline;
    const xr_fills *plan;
    unsigned jobs;
    size_t size, count, at; /* slots; items in them; the next one that is handed out */
    kept_item *kept;        /* [size] */
};

/* ---- Keeping ------------------------------------------------------------------------------------ */

static void forget(kept_item *k)
{
    for (size_t i = 0; i < sizeof k->text / sizeof *k->text; i++) {
        free(k->text[i]);
        k->text[i] = NULL;
    }
    free(k->data);
    free(k->beside);
    k->data = k->beside = NULL;
}

static bool keep_text(kept_item *k, size_t i, const char **text)
{
    if (!*text)
        return true;
    size_t size = strlen(*text) + 1;
    k->text[i] = malloc(size);
    if (k->text[i])
        memcpy(k->text[i], *text, size);
    *text = k->text[i];
    return k->text[i] != NULL;
}

static bool keep_around(kept_item *k)
{
    const xr_sound_around *from = k->item.around;
    uint8_t *bytes = malloc(from->before_size + from->behind_size + 1);
    if (!bytes)
        return false;
    if (from->before_size)
        memcpy(bytes, from->before, from->before_size);
    if (from->behind_size)
        memcpy(bytes + from->before_size, from->behind, from->behind_size);
    k->around = *from;
    k->around.before = k->beside = bytes;
    k->around.behind = bytes + from->before_size;
    k->item.around = &k->around;
    return true;
}

/* Makes what the item borrows the slot's own; false: out of memory. */
static bool keep(kept_item *k)
{
    xr_item *item = &k->item;
    bool ok = keep_text(k, 0, &item->source) && keep_text(k, 1, &item->sensor) &&
              keep_text(k, 2, &item->media.format) && keep_text(k, 3, &item->media.matrix);
    if (ok && item->data) {
        k->data = malloc(item->size + 1);
        if (k->data)
            memcpy(k->data, item->data, item->size);
        ok = k->data != NULL;
        item->data = k->data;
    }
    ok = ok && (!item->around || keep_around(k));
    if (item->region) {
        memcpy(k->region, item->region, sizeof k->region);
        item->region = k->region;
    }
    return ok;
}

/* ---- Preparing ---------------------------------------------------------------------------------- */

static void prepare_share(void *user, unsigned job)
{
    xr_ahead *a = user;
    for (size_t i = job; i < a->count; i += a->jobs) {
        kept_item *k = &a->kept[i];
        if (k->next != XR_NEXT_ITEM || k->prepared.status != EXRAY_OK)
            continue;
        uint64_t begin = xr_port_now();
        k->prepared.status =
            xr_fill_run(a->plan, a->pipeline, &k->item, &k->prepared.feeds, &k->prepared.error);
        k->prepared.took = xr_port_now() - begin;
    }
}

/* Takes the next batch of items, and prepares them. */
static void fill_batch(xr_ahead *a)
{
    a->count = a->at = 0;
    while (a->count < a->size) {
        kept_item *k = &a->kept[a->count];
        forget(k);
        k->item = (xr_item){0};
        k->prepared.status = EXRAY_OK;
        k->next = a->items->next(a->items, &k->item, &k->prepared.error);
        if (k->next == XR_NEXT_END)
            break;
        a->count++;
        if (!keep(k))
            k->prepared.status =
                xr_error_set(&k->prepared.error, EXRAY_E_MEMORY, "out of memory for a frame");
    }
    xr_workers_run(a->jobs, prepare_share, a);
}

xr_ahead *xr_ahead_open(unsigned jobs, xr_items *items, const xr_pipeline *pipeline, const xr_fills *plan,
                        const xr_engine *engine, xr_session *session, exray_error *error)
{
    xr_ahead *a = calloc(1, sizeof *a);
    jobs = jobs < MOST_JOBS ? jobs : MOST_JOBS;
    size_t size = (size_t)jobs * BATCH;
    if (a)
        *a = (xr_ahead){.items = items,
                        .pipeline = pipeline,
                        .plan = plan,
                        .jobs = jobs,
                        .size = size,
                        .kept = calloc(size, sizeof *a->kept)};
    if (!a || !a->kept) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for %zu frames ahead", size);
        free(a);
        return NULL;
    }
    for (size_t i = 0; i < size; i++)
        if (xr_feeds_open(&a->kept[i].prepared.feeds, engine, session, error) != EXRAY_OK) {
            xr_ahead_close(a);
            return NULL;
        }
    return a;
}

void xr_ahead_close(xr_ahead *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->size; i++) {
        forget(&a->kept[i]);
        xr_feeds_close(&a->kept[i].prepared.feeds);
    }
    free(a->kept);
    free(a);
}

/* ---- Using -------------------------------------------------------------------------------------- */

xr_next xr_ahead_next(xr_ahead *a, xr_item *item, const xr_prepared **prepared, exray_error *error)
{
    *prepared = NULL;
    if (a->at == a->count)
        fill_batch(a);
    if (a->at == a->count)
        return XR_NEXT_END;
    const kept_item *k = &a->kept[a->at++];
    *item = k->item;
    if (k->next == XR_NEXT_ITEM)
        *prepared = &k->prepared;
    else
        *error = k->prepared.error;
    return k->next;
}

exray_status xr_ahead_take(const xr_prepared *prepared, const xr_fills *fills, xr_feeds *feeds,
                           exray_error *error)
{
    if (prepared->status != EXRAY_OK) {
        *error = prepared->error;
        return prepared->status;
    }
    for (uint32_t i = 0; i < feeds->count; i++) {
        const xr_feed *from = &prepared->feeds.of[i];
        xr_feed *to = &feeds->of[i];
        if (i < fills->count && fills->of[i].kind == XR_FILL_STATE)
            continue;
        if (!xr_feed_room(to, from->size))
            return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for an input");
        if (from->size)
            memcpy(to->bytes, from->bytes, from->size);
        memcpy(to->shape, from->shape, sizeof to->shape);
        to->pad_first = from->pad_first;
        to->pad_last = from->pad_last;
        to->place = from->place;
    }
    return EXRAY_OK;
}
