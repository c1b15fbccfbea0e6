/* Frames from a log: the captured sensor data, or the recorded model inputs. */
#include "file.h"
#include "items.h"

#include <stdlib.h>
#include <string.h>

typedef struct log_items {
    xr_items base;
    const exray_log *log;
    exray_slot *slot;
    bool from_input;
    const char *sensor;
    size_t at;
} log_items;

static const char *what_is_wanted(const log_items *items)
{
    return items->from_input ? "model input with data" : "sensor record with data";
}

/* The record of a frame that is replayed, or NULL. */
static const exray_record *pick_record(const log_items *items, size_t frame)
{
    const exray_record *records = exray_log_records(items->log, frame);
    exray_kind kind = items->from_input ? EXRAY_INPUT : EXRAY_SENSOR;
    for (size_t i = 0; i < exray_log_frame(items->log, frame)->record_count; i++) {
        const exray_record *r = &records[i];
        if (r->message != EXRAY_MESSAGE_TENSOR || r->kind != kind || !r->has_data)
            continue;
        if (!items->sensor || strcmp(r->name, items->sensor) == 0)
            return r;
    }
    return NULL;
}

static xr_next next_record(xr_items *base, xr_item *item, exray_error *error)
{
    log_items *items = (log_items *)base;
    if (items->at == base->count)
        return XR_NEXT_END;
    size_t at = items->at++;
    const exray_frame *frame = exray_log_frame(items->log, at);
    *item = (xr_item){.source = frame->source,
                      .has_index = true,
                      .index = frame->index,
                      .has_label = frame->has_label,
                      .label = frame->label,
                      .from_input = items->from_input};
    const exray_record *record = pick_record(items, at);
    if (!record) {
        xr_error_set(error, EXRAY_E_STATE, "frame %llu has no %s%s%s", (unsigned long long)frame->index,
                     what_is_wanted(items), items->sensor ? " named " : "",
                     items->sensor ? items->sensor : "");
        return XR_NEXT_BROKEN;
    }
    exray_tensor_view view;
    if (exray_log_read_tensor(items->log, record, items->slot, &view, error))
        return XR_NEXT_BROKEN;
    item->sensor = record->name;
    item->data = view.data;
    item->size = view.size;
    item->info = view.info;
    if (view.has_media)
        item->media = view.media;
    return XR_NEXT_ITEM;
}

static void free_log_items(xr_items *base)
{
    log_items *items = (log_items *)base;
    exray_slot_free(items->slot);
    free(items);
}

xr_items *xr_items_from_log(const exray_log *log, bool from_input, const char *sensor, exray_error *error)
{
    log_items *items = calloc(1, sizeof *items);
    if (!items || !(items->slot = exray_slot_new())) {
        free(items);
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
        return NULL;
    }
    *items = (log_items){
        .base = {.next = next_record, .free = free_log_items, .count = exray_log_frame_count(log)},
        .log = log,
        .slot = items->slot,
        .from_input = from_input,
        .sensor = sensor};
    for (size_t i = 0; i < items->base.count; i++)
        if (pick_record(items, i))
            return &items->base;
    xr_error_set(error, EXRAY_E_STATE, "%s has no %s to replay; record it with capture io or more%s",
                 exray_log_path(log), what_is_wanted(items),
                 from_input ? "" : " and log the sensor's data, or replay --from input");
    free_log_items(&items->base);
    return NULL;
}
