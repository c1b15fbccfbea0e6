/* Frames from a log: the captured sensor data, or the recorded model inputs. */
#include "base/error.h"
#include "replay/items.h"
#include "replay/recordings.h"
#include "replay/sound_joined.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_INPUTS = 64 };

typedef struct log_items {
    xr_items base;
    const exray_log *log;
    exray_slot *slot, *reading_slot;
    double region[5]; /* of the last frame */
    bool from_input;
    const char *sensor;
    size_t at;
    xr_item_input input[MOST_INPUTS];    /* of the last frame */
    exray_slot *input_slot[MOST_INPUTS]; /* made as they are needed */
    xr_sound_joined joined;              /* the sound of windows that follow one another */
    exray_slot *ahead_slot;
    size_t joined_to; /* the frame behind the last of them */
    xr_sound_around around;
} log_items;

static const char *what_is_wanted(const log_items *items)
{
    return items->from_input ? "model input with data" : "sensor record with data";
}

static bool is_wanted(const log_items *items, const exray_record *r)
{
    exray_kind kind = items->from_input ? EXRAY_KIND_INPUT : EXRAY_KIND_SENSOR;
    return r->message == EXRAY_MESSAGE_TENSOR && r->kind == kind && r->has_data && r->occurrence == 0 &&
           (!items->sensor || strcmp(r->name, items->sensor) == 0);
}

/* The first record of a frame that is replayed, or NULL. */
static const exray_record *pick_record(const log_items *items, size_t frame)
{
    const exray_record *records = exray_log_records(items->log, frame);
    for (size_t i = 0; i < exray_log_frame(items->log, frame)->record_count; i++)
        if (is_wanted(items, &records[i]))
            return &records[i];
    return NULL;
}

/* All inputs that a frame has recorded. */
static exray_status read_inputs(log_items *items, size_t frame, xr_item *item, exray_error *error)
{
    const exray_record *records = exray_log_records(items->log, frame);
    item->inputs = items->input;
    for (size_t i = 0;
         i < exray_log_frame(items->log, frame)->record_count && item->input_count < MOST_INPUTS; i++) {
        if (!is_wanted(items, &records[i]))
            continue;
        exray_slot **slot = &items->input_slot[item->input_count];
        exray_tensor_view view;
        if (!*slot && !(*slot = exray_slot_new()))
            return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
        exray_status status = exray_log_read_tensor(items->log, &records[i], *slot, &view, error);
        if (status)
            return status;
        items->input[item->input_count++] = (xr_item_input){records[i].name, view.info, view.data, view.size};
    }
    return EXRAY_OK;
}

/* The region that the application cut out, where it recorded one: /reading/region. */
static void take_region(log_items *items, size_t frame, xr_item *item)
{
    const exray_record *records = exray_log_records(items->log, frame);
    for (size_t i = 0; i < exray_log_frame(items->log, frame)->record_count; i++) {
        exray_reading reading;
        exray_error error;
        if (!items->reading_slot || records[i].message != EXRAY_MESSAGE_READING ||
            strcmp(records[i].topic, "/reading/region") != 0 ||
            exray_log_read_reading(items->log, &records[i], items->reading_slot, &reading, &error) !=
                EXRAY_OK ||
            reading.count < 4)
            continue;
        for (size_t k = 0; k < 5; k++)
            items->region[k] = k < reading.count ? reading.value[k] : 0;
        item->region = items->region;
        item->region_in_pixels = strncmp(reading.unit, "pixel", 5) == 0;
        return;
    }
}

/* Whether the application reset the model before the frame, and behind the one before: a frame that is not in
 * the log may have begun anew. */
static bool is_reset(const log_items *items, size_t at)
{
    const uint64_t index = exray_log_frame(items->log, at)->index;
    const uint64_t before = at ? exray_log_frame(items->log, at - 1)->index : 0;
    for (size_t i = 0; i < exray_log_event_count(items->log); i++) {
        const exray_event *event = exray_log_event(items->log, i);
        if (event->kind == EXRAY_EVENT_RESET && event->has_frame && event->frame <= index &&
            (at == 0 || event->frame > before))
            return true;
    }
    return false;
}

/* Whether a sensor's record is of the kind that the pipeline takes. */
static bool is_of_kind(const log_items *items, const exray_tensor_view *view)
{
    const char *format = view->has_media && view->media.format ? view->media.format : "";
    bool sound = strcmp(format, "wav") == 0 || strcmp(format, "s16") == 0 || strcmp(format, "f32") == 0;
    bool text = strcmp(format, "utf8") == 0;
    return sound == (items->base.audio != NULL) && text == items->base.texts;
}

/* Reads the record, or, where no sensor was named, another one of the frame that is of the pipeline's kind.
 */
static exray_status read_sensor(log_items *items, size_t frame, exray_slot *slot, const exray_record **record,
                                exray_tensor_view *view, exray_error *error)
{
    const exray_record *first = *record, *end = exray_log_records(items->log, frame) +
                                                exray_log_frame(items->log, frame)->record_count;
    exray_status status = exray_log_read_tensor(items->log, first, slot, view, error);
    if (status || items->sensor || is_of_kind(items, view))
        return status;
    for (const exray_record *other = first + 1; other < end; other++)
        if (is_wanted(items, other) &&
            exray_log_read_tensor(items->log, other, slot, view, error) == EXRAY_OK &&
            is_of_kind(items, view)) {
            *record = other;
            return EXRAY_OK;
        }
    return exray_log_read_tensor(items->log, first, slot, view, error);
}

/* The sound of a frame; false: it has none that the pipeline takes. */
static bool read_window(log_items *items, size_t at, xr_sound_window *window)
{
    const exray_record *record = pick_record(items, at);
    exray_tensor_view view;
    exray_error ignored;
    if (!record || read_sensor(items, at, items->ahead_slot, &record, &view, &ignored) != EXRAY_OK ||
        !view.has_media || !is_of_kind(items, &view))
        return false;
    *window = (xr_sound_window){.source = exray_log_frame(items->log, at)->source,
                                .resets = is_reset(items, at),
                                .media = view.media,
                                .data = view.data,
                                .size = view.size};
    return true;
}

/* Takes the frames behind the joined ones, until the sound reaches this sample or does not go on. */
static void read_on(log_items *items, uint64_t until)
{
    xr_sound_joined *j = &items->joined;
    xr_sound_window window;
    while (items->joined_to < items->base.count && xr_sound_joined_end(j) < until &&
           read_window(items, items->joined_to, &window) && xr_sound_joined_add(j, &window))
        items->joined_to++;
}

/* How many samples of the recording the frame is to have.  An application that feeds sound of a higher rate
 * as it is takes as many samples as the model's window has, which are of a shorter time: the others lie
 * behind. */
static uint64_t wanted_length(const log_items *items, const xr_item *item, uint64_t has)
{
    const xr_audio *audio = items->base.audio;
    const uint64_t wanted = xr_audio_window_length(audio, item->media.sample_rate, has);
    return has >= audio->window && wanted > has ? wanted : has;
}

/* The frame's sound is shorter than the model's window: why it cannot be made longer. */
static exray_status say_too_short(const xr_item *item, uint64_t has, uint64_t wanted, uint64_t there,
                                  exray_error *error)
{
    const double rate = item->media.sample_rate;
    if (there == 0)
        return xr_error_set(
            error, EXRAY_E_STATE,
            "the sound of frame %llu lasts %.3f s (%llu samples at %.0f Hz), the pipeline's window %.3f s; "
            "it "
            "is joined with the sounds of the frames behind it only where the frames' sources say where in a "
            "recording they begin: record them as FILE@SAMPLE, or log the sound of the whole window",
            (unsigned long long)item->index, (double)has / rate, (unsigned long long)has, rate,
            (double)wanted / rate);
    return xr_error_set(
        error, EXRAY_E_STATE,
        "the sound of frame %llu lasts %.3f s (%llu samples at %.0f Hz), the pipeline's window %.3f s; with "
        "what follows it in the log without a gap it is %.3f s: log the sound of the whole window, or of "
        "frames that follow one another",
        (unsigned long long)item->index, (double)has / rate, (unsigned long long)has, rate,
        (double)wanted / rate, (double)there / rate);
}

/* What the log has of the recording around a window that is resampled: the frames before it, as far as the
 * filters reach, and those behind it, which are read ahead.  Where the window is too short for the model, it
 * goes on into those behind it. */
static exray_status find_around(log_items *items, size_t at, xr_item *item, exray_error *error)
{
    xr_sound_joined *j = &items->joined;
    const xr_sound_window window = {item->source, item->resets, item->media, item->data, item->size};
    const uint64_t reach = items->base.audio ? xr_audio_reach(items->base.audio, item->media.sample_rate) : 0;
    const size_t each = xr_sound_sample_size(&item->media);
    uint64_t begin;
    char file[512];
    if (!reach || !each || item->size % each)
        return EXRAY_OK;
    if (!items->ahead_slot && !(items->ahead_slot = exray_slot_new()))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    const uint64_t has = item->size / each, wanted = wanted_length(items, item, has);
    bool known = true;
    if (at >= items->joined_to || at == 0) { /* the frame before did not lead here */
        items->joined_to = at + 1;
        known = xr_sound_joined_begin(j, &window);
    }
    if (!known || !xr_recordings_place(item->source, file, &begin) || begin < j->begin)
        return wanted > has ? say_too_short(item, has, wanted, 0, error) : EXRAY_OK;
    read_on(items, begin + wanted + reach);
    xr_sound_joined_cut(j, begin > reach ? begin - reach : 0);
    const size_t before = (size_t)(begin - j->begin) * each;
    const uint64_t there = (j->size - before) / each;
    if (there < wanted)
        return say_too_short(item, has, wanted, there, error);
    const size_t size = (size_t)wanted * each, left = j->size - before - size, most = (size_t)reach * each;
    if (wanted > has) {
        item->data = j->bytes + before;
        item->size = size;
    }
    items->around = (xr_sound_around){.begin = begin,
                                      .before = j->bytes,
                                      .before_size = before,
                                      .behind = j->bytes + before + size,
                                      .behind_size = left < most ? left : most};
    item->around = &items->around;
    return EXRAY_OK;
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
                      .resets = is_reset(items, at),
                      .from_input = items->from_input};
    if (base->truth && xr_truth_label(base->truth, frame->source, &item->label))
        item->has_label = true;
    const exray_record *record = pick_record(items, at);
    if (!record) {
        xr_error_set(error, EXRAY_E_STATE, "frame %llu has no %s%s%s", (unsigned long long)frame->index,
                     what_is_wanted(items), items->sensor ? " named " : "",
                     items->sensor ? items->sensor : "");
        return XR_NEXT_BROKEN;
    }
    item->sensor = record->name;
    if (items->from_input)
        return read_inputs(items, at, item, error) ? XR_NEXT_BROKEN : XR_NEXT_ITEM;
    exray_tensor_view view;
    if (read_sensor(items, at, items->slot, &record, &view, error))
        return XR_NEXT_BROKEN;
    item->sensor = record->name;
    item->data = view.data;
    item->size = view.size;
    if (view.has_media)
        item->media = view.media;
    take_region(items, at, item);
    return find_around(items, at, item, error) ? XR_NEXT_BROKEN : XR_NEXT_ITEM;
}

static void free_log_items(xr_items *base)
{
    log_items *items = (log_items *)base;
    exray_slot_free(items->slot);
    exray_slot_free(items->reading_slot);
    exray_slot_free(items->ahead_slot);
    xr_sound_joined_free(&items->joined);
    for (int i = 0; i < MOST_INPUTS; i++)
        exray_slot_free(items->input_slot[i]);
    xr_truth_free(base->truth);
    free(items);
}

/* A label file without an entry for any frame is a mistake. */
static bool add_labels(log_items *items, const char *path, exray_error *error)
{
    char what[64];
    if (!(items->base.truth = xr_truth_load(path, error)))
        return false;
    for (size_t i = 0; i < items->base.count; i++)
        if (xr_truth_has(items->base.truth, exray_log_frame(items->log, i)->source))
            return true;
    xr_truth_describe(items->base.truth, what, sizeof what);
    xr_error_set(error, EXRAY_E_FORMAT, "%s: none of its %s is the source of a frame of %s", path, what,
                 exray_log_path(items->log));
    return false;
}

static const exray_record *any_record(const log_items *items)
{
    const exray_record *found = NULL;
    for (size_t i = 0; i < items->base.count && !found; i++)
        found = pick_record(items, i);
    return found;
}

/* Why no frame can be replayed. */
static void say_nothing_to_replay(log_items *items, exray_error *error)
{
    const char *path = exray_log_path(items->log), *wanted = items->sensor;
    items->sensor = NULL;
    const exray_record *other = wanted ? any_record(items) : NULL;
    if (other)
        xr_error_set(error, EXRAY_E_STATE, "%s has no %s named '%s'; it has '%s' (--sensor)", path,
                     what_is_wanted(items), wanted, other->name);
    else
        xr_error_set(error, EXRAY_E_STATE, "%s has no %s to replay; record it with capture io or more%s",
                     path, what_is_wanted(items),
                     items->from_input ? "" : " and log the sensor's data, or replay --from input");
}

xr_items *xr_items_from_log(const exray_log *log, bool from_input, const char *sensor, const char *labels,
                            exray_error *error)
{
    exray_slot *slot = exray_slot_new();
    log_items *items = calloc(1, sizeof *items);
    if (!items || !slot) {
        free(items);
        exray_slot_free(slot);
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
        return NULL;
    }
    *items = (log_items){.base = {.next = next_record,
                                  .free = free_log_items,
                                  .from_input = from_input,
                                  .count = exray_log_frame_count(log)},
                         .log = log,
                         .slot = slot,
                         .reading_slot = exray_slot_new(),
                         .from_input = from_input,
                         .sensor = sensor};
    if (!any_record(items))
        say_nothing_to_replay(items, error);
    else if (!labels || add_labels(items, labels, error))
        return &items->base;
    free_log_items(&items->base);
    return NULL;
}
