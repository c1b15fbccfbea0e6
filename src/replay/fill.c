#include "replay/fill.h"

#include "base/error.h"
#include "media/decode.h"
#include "pipeline/audio.h"
#include "pipeline/pipeline.h"
#include "pipeline/target.h"
#include "pipeline/text/text_input.h"

#include <stdio.h>
#include <string.h>

/* ---- The plan ----------------------------------------------------------------------------------- */

static bool is_named(const exray_tensor_info *info, const char *name)
{
    return info && info->name && strcmp(info->name, name) == 0;
}

static uint32_t find_input(const xr_feeds *feeds, const char *name)
{
    for (uint32_t i = 0; i < feeds->count; i++)
        if (is_named(&feeds->of[i].info, name))
            return i;
    return EXRAY_NO_INDEX;
}

static uint32_t find_output(const xr_engine *engine, xr_session *session, const char *name)
{
    for (uint32_t i = 0; engine->output(session, i); i++)
        if (is_named(engine->output(session, i), name))
            return i;
    return EXRAY_NO_INDEX;
}

static void add_name(const exray_tensor_info *info, char *text, size_t size)
{
    size_t used = strlen(text);
    if (used < size)
        snprintf(text + used, size - used, "%s%.60s", used ? ", " : "", info->name ? info->name : "");
}

/* "p.yaml:7: inputs: the model has no input 'x'; it has a, b" */
static exray_status unknown(const xr_pipeline *pipeline, unsigned line, const char *key, const char *what,
                            const char *name, const char *known, exray_error *error)
{
    return xr_error_set(error, EXRAY_E_FORMAT, "%s:%u: %s: the model has no %s '%.60s'; it has %.200s",
                        pipeline->name, line, key, what, name, known);
}

static void list_inputs(const xr_feeds *feeds, char *text, size_t size)
{
    *text = 0;
    for (uint32_t i = 0; i < feeds->count; i++)
        add_name(&feeds->of[i].info, text, size);
}

/* A mask has the sizes of an input that is no mask. */
static exray_status check_masks(const xr_fills *fills, const xr_pipeline *pipeline, const xr_feeds *feeds,
                                exray_error *error)
{
    for (unsigned k = 0; k < pipeline->input_count; k++) {
        const xr_input_source *from = &pipeline->inputs[k];
        if (from->mask_of && fills->of[find_input(feeds, from->mask_of)].kind == XR_FILL_MASK)
            return xr_error_set(
                error, EXRAY_E_FORMAT,
                "%s:%u: inputs: '%.60s' is a mask itself; name the input that it is the mask of",
                pipeline->name, from->line, from->mask_of);
    }
    return EXRAY_OK;
}

static xr_fill_kind fill_kind(xr_input_kind kind)
{
    switch (kind) {
    case XR_INPUT_AUDIO:
        return XR_FILL_AUDIO;
    case XR_INPUT_TEXT:
        return XR_FILL_TEXT;
    case XR_INPUT_CONSTANT:
        return XR_FILL_CONSTANT;
    case XR_INPUT_MASK:
        return XR_FILL_MASK;
    default:
        return XR_FILL_IMAGE;
    }
}

static exray_status plan_inputs(xr_fills *fills, bool planned[], const xr_pipeline *pipeline,
                                const xr_feeds *feeds, exray_error *error)
{
    char known[256];
    list_inputs(feeds, known, sizeof known);
    for (unsigned k = 0; k < pipeline->input_count; k++) {
        const xr_input_source *from = &pipeline->inputs[k];
        uint32_t i = find_input(feeds, from->name);
        if (i == EXRAY_NO_INDEX)
            return unknown(pipeline, from->line, "inputs", "input", from->name, known, error);
        uint32_t of = from->mask_of ? find_input(feeds, from->mask_of) : 0;
        if (of == EXRAY_NO_INDEX)
            return unknown(pipeline, from->line, "inputs", "input", from->mask_of, known, error);
        fills->of[i] = (xr_fill){.kind = fill_kind(from->kind), .value = from->value, .of = of};
        planned[i] = true;
    }
    return check_masks(fills, pipeline, feeds, error);
}

/* "float32 [2,1,128]", open dimensions as "?". */
static void show_type(const exray_tensor_info *info, char *text, size_t size)
{
    int used = snprintf(text, size, "%s [", exray_dtype_name(info->dtype));
    for (uint32_t k = 0; k < info->rank && used > 0 && (size_t)used < size; k++) {
        const char *comma = k ? "," : "";
        used += info->shape[k] < 0
                    ? snprintf(text + used, size - (size_t)used, "%s?", comma)
                    : snprintf(text + used, size - (size_t)used, "%s%lld", comma, (long long)info->shape[k]);
    }
    if (used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, "]");
}

/* Whether an output may become the input of the next run.  Before the first one its sizes are not known: what
 * exporters write of them is not always so (silero-vad). */
static bool is_state_type(const exray_tensor_info *in, const exray_tensor_info *out, bool has_run)
{
    bool fits = in->dtype == out->dtype && in->rank == out->rank;
    for (uint32_t k = 0; fits && has_run && k < in->rank; k++)
        fits = in->shape[k] < 0 || in->shape[k] == out->shape[k];
    return fits;
}

static exray_status check_state(const xr_pipeline *pipeline, const xr_state_source *state,
                                const exray_tensor_info *in, const exray_tensor_info *out, exray_error *error)
{
    char types[2][160];
    for (unsigned k = 0; k < pipeline->input_count; k++)
        if (strcmp(pipeline->inputs[k].name, state->input) == 0)
            return xr_error_set(
                error, EXRAY_E_FORMAT,
                "%s:%u: state: the input '%.60s' is under inputs, too; give it one of the two",
                pipeline->name, state->line, state->input);
    if (is_state_type(in, out, false))
        return EXRAY_OK;
    show_type(in, types[0], sizeof types[0]);
    show_type(out, types[1], sizeof types[1]);
    return xr_error_set(
        error, EXRAY_E_FORMAT,
        "%s:%u: state: the input '%.60s' is %.120s, but the output '%.60s' is %.120s; a state is "
        "an output of its input's type and shape",
        pipeline->name, state->line, state->input, types[0], state->output, types[1]);
}

static exray_status plan_states(xr_fills *fills, bool planned[], const xr_pipeline *pipeline,
                                const xr_engine *engine, xr_session *session, const xr_feeds *feeds,
                                exray_error *error)
{
    char known[256];
    for (unsigned k = 0; k < pipeline->state_count; k++) {
        const xr_state_source *state = &pipeline->states[k];
        uint32_t i = find_input(feeds, state->input), of = find_output(engine, session, state->output);
        list_inputs(feeds, known, sizeof known);
        if (i == EXRAY_NO_INDEX)
            return unknown(pipeline, state->line, "state", "input", state->input, known, error);
        *known = 0;
        for (uint32_t o = 0; of == EXRAY_NO_INDEX && engine->output(session, o); o++)
            add_name(engine->output(session, o), known, sizeof known);
        if (of == EXRAY_NO_INDEX)
            return unknown(pipeline, state->line, "state", "output", state->output, known, error);
        if (check_state(pipeline, state, &feeds->of[i].info, engine->output(session, of), error) != EXRAY_OK)
            return error->status;
        fills->of[i] = (xr_fill){.kind = XR_FILL_STATE, .of = of};
        planned[i] = true;
    }
    return EXRAY_OK;
}

/* What the only input gets, where the file does not say. */
static xr_fill_kind kind_of_only(const xr_pipeline *pipeline)
{
    if (pipeline && pipeline->audio.given)
        return XR_FILL_AUDIO;
    return pipeline && pipeline->text.line ? XR_FILL_TEXT : XR_FILL_IMAGE;
}

/* What the file says nothing of: the picture or the sound, where it is one input alone. */
static exray_status plan_rest(xr_fills *fills, const bool planned[], const xr_pipeline *pipeline,
                              const xr_feeds *feeds, exray_error *error)
{
    uint32_t open = EXRAY_NO_INDEX, count = 0;
    for (uint32_t i = 0; i < feeds->count; i++)
        if (!planned[i]) {
            open = i;
            count++;
        }
    if (count == 0)
        return EXRAY_OK;
    if (count == 1 && (!pipeline || pipeline->input_count == 0)) {
        fills->of[open] = (xr_fill){.kind = kind_of_only(pipeline)};
        return EXRAY_OK;
    }
    char known[256];
    list_inputs(feeds, known, sizeof known);
    return xr_error_set(
        error, EXRAY_E_FORMAT,
        "%s: the model has the inputs %.160s; say in the pipeline what '%.60s' gets, such as inputs: "
        "{%.60s: image} or {%.60s: {constant: 1}}, or which output it gets back, under state",
        pipeline ? pipeline->name : "the pipeline", known,
        feeds->of[open].info.name ? feeds->of[open].info.name : "",
        feeds->of[open].info.name ? feeds->of[open].info.name : "",
        feeds->of[open].info.name ? feeds->of[open].info.name : "");
}

exray_status xr_fill_plan(xr_fills *fills, const xr_pipeline *pipeline, bool from_input,
                          const xr_engine *engine, xr_session *session, xr_feeds *feeds, exray_error *error)
{
    bool planned[XR_FEED_MOST] = {false};
    *fills = (xr_fills){.count = feeds->count};
    exray_status status = pipeline ? plan_inputs(fills, planned, pipeline, feeds, error) : EXRAY_OK;
    for (uint32_t i = 0; from_input && i < feeds->count; i++) { /* recorded, whatever the file would make */
        fills->of[i] = (xr_fill){.kind = XR_FILL_RECORD};
        planned[i] = true;
    }
    if (!status && pipeline)
        status = plan_states(fills, planned, pipeline, engine, session, feeds, error);
    if (!status)
        status = plan_rest(fills, planned, pipeline, feeds, error);
    return status ? status : xr_fill_reset_states(fills, feeds, error);
}

/* ---- Filling -------------------------------------------------------------------------------------- */

static void *room_of(void *user, size_t size)
{
    return xr_feed_room(user, size);
}

static exray_status fill_image(const xr_pipeline *pipeline, const xr_item *item, xr_feed *feed,
                               exray_error *error)
{
    exray_picture image = {0};
    const double none[5] = {0}, *place = item->region ? item->region : none;
    const xr_region region = {place[0], place[1], place[2], place[3], place[4], item->region_in_pixels};
    if (!pipeline)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "a sensor record needs a pipeline; give --pipeline");
    exray_status status = xr_picture_decode(&item->media, item->data, item->size, &image, error);
    if (status == EXRAY_E_UNSUPPORTED)
        status = EXRAY_E_FORMAT; /* this picture, not the run */
    if (!status)
        status = xr_pipeline_make_image(pipeline, &image, item->region ? &region : NULL, &feed->info,
                                        feed->shape, room_of, feed, &feed->place, error);
    xr_picture_clear(&image);
    return status;
}

static exray_status fill_audio(const xr_pipeline *pipeline, const xr_item *item, uint32_t *noise,
                               xr_feed *feed, exray_error *error)
{
    if (!pipeline)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "a sensor record needs a pipeline; give --pipeline");
    return xr_pipeline_make_audio(pipeline, &item->media, item->data, item->size, item->around, noise,
                                  &feed->info, feed->shape, room_of, feed, error);
}

static bool is_text(const exray_media *media)
{
    return !media->format || !*media->format || strcmp(media->format, "utf8") == 0;
}

static exray_status fill_text(const xr_pipeline *pipeline, const xr_item *item, xr_feed *feed,
                              exray_error *error)
{
    xr_text_padding padding = {0, 0};
    if (!pipeline)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "a sensor record needs a pipeline; give --pipeline");
    if (!is_text(&item->media))
        return xr_error_set(error, EXRAY_E_FORMAT, "the record %.100s is %.20s, no text", item->sensor,
                            item->media.format);
    exray_status status = xr_pipeline_make_text(pipeline, item->data, item->size, &feed->info, feed->shape,
                                                &padding, room_of, feed, error);
    feed->pad_first = padding.first;
    feed->pad_last = padding.last;
    return status;
}

/* One number everywhere: stored as it is, or quantized. */
static exray_status fill_number(xr_feed *feed, const int64_t *shape, double number, exray_error *error)
{
    if (!xr_feed_zeros(feed, shape))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the input %.100s",
                            feed->info.name ? feed->info.name : "");
    if (feed->info.dtype == EXRAY_DTYPE_BOOL) {
        memset(feed->bytes, number != 0, feed->size);
        return EXRAY_OK;
    }
    const float value = (float)number;
    size_t element = exray_dtype_bits(feed->info.dtype) / 8;
    uint8_t bytes[8];
    if (element == 0 || element > sizeof bytes)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED,
                            "the input %.100s is of %s: no number can be stored there",
                            feed->info.name ? feed->info.name : "", exray_dtype_name(feed->info.dtype));
    exray_status status = xr_target_store(&feed->info, &value, 1, bytes, element, error);
    for (size_t at = 0; !status && at + element <= feed->size; at += element)
        memcpy(feed->bytes + at, bytes, element);
    return status;
}

bool xr_fill_has_states(const xr_fills *fills)
{
    for (uint32_t i = 0; i < fills->count; i++)
        if (fills->of[i].kind == XR_FILL_STATE)
            return true;
    return false;
}

exray_status xr_fill_reset_states(const xr_fills *fills, xr_feeds *feeds, exray_error *error)
{
    exray_status status = EXRAY_OK;
    for (uint32_t i = 0; i < fills->count && !status; i++)
        if (fills->of[i].kind == XR_FILL_STATE)
            status = fill_number(&feeds->of[i], feeds->of[i].declared, 0, error);
    return status;
}

/* Zeros where rows begin or end with padding. */
static void clear_padding(xr_feed *mask, uint64_t length, uint64_t first, uint64_t last)
{
    const size_t element = exray_dtype_bits(mask->info.dtype) / 8;
    const uint64_t rows = length && element ? mask->size / element / length : 0;
    first = first < length ? first : length;
    last = last < length - first ? last : length - first;
    for (uint64_t row = 0; row < rows; row++) {
        uint8_t *begin = mask->bytes + row * length * element;
        memset(begin, 0, first * element);
        memset(begin + (length - last) * element, 0, last * element);
    }
}

/* The mask of an input: ones, and zeros where that is padding.  Its open dimensions are those that come last
 * in the input. */
static exray_status fill_mask(xr_feed *mask, const xr_feed *of, exray_error *error)
{
    int64_t shape[EXRAY_MAX_RANK];
    for (uint32_t k = 0; k < mask->info.rank; k++) {
        bool same_rank = mask->info.rank == of->info.rank;
        uint32_t from = same_rank || k == 0                ? k
                        : of->info.rank >= mask->info.rank ? k + of->info.rank - mask->info.rank
                                                           : k;
        shape[k] = mask->declared[k] >= 0 ? mask->declared[k] : from < of->info.rank ? of->shape[from] : 1;
    }
    exray_status status = fill_number(mask, shape, 1, error);
    if (!status && mask->info.rank > 0)
        clear_padding(mask, (uint64_t)mask->shape[mask->info.rank - 1], of->pad_first, of->pad_last);
    return status;
}

/* The record that an input gets: that of its name, or the only one of the only input. */
static exray_status fill_record(const xr_item *item, uint32_t count, xr_feed *feed, exray_error *error)
{
    const char *name = feed->info.name ? feed->info.name : "";
    for (size_t i = 0; i < item->input_count; i++)
        if (strcmp(item->inputs[i].name, name) == 0)
            return xr_feed_record(feed, &item->inputs[i], error);
    if (count == 1 && item->input_count > 0)
        return xr_feed_record(feed, &item->inputs[0], error);
    return xr_error_set(error, EXRAY_E_STATE,
                        "the frame has no recorded input '%.100s' with data; it has %zu, the first '%.100s'",
                        name, item->input_count, item->input_count ? item->inputs[0].name : "");
}

/* A number: its open dimensions are those of a text of the same rank beside it (types of tokens), else 1. */
static exray_status fill_constant(const xr_fills *fills, uint32_t i, xr_feeds *feeds, exray_error *error)
{
    xr_feed *feed = &feeds->of[i];
    int64_t shape[EXRAY_MAX_RANK];
    memcpy(shape, feed->declared, sizeof shape);
    for (uint32_t k = 0; k < fills->count; k++)
        for (uint32_t d = 0; fills->of[k].kind == XR_FILL_TEXT && feeds->of[k].info.rank == feed->info.rank &&
                             d < feed->info.rank;
             d++)
            shape[d] = shape[d] < 0 ? feeds->of[k].shape[d] : shape[d];
    return fill_number(feed, shape, fills->of[i].value, error);
}

static exray_status fill_one(const xr_fills *fills, uint32_t i, const xr_pipeline *pipeline,
                             const xr_item *item, xr_feeds *feeds, exray_error *error)
{
    const xr_fill *fill = &fills->of[i];
    xr_feed *feed = &feeds->of[i];
    switch (fill->kind) {
    case XR_FILL_IMAGE:
        return fill_image(pipeline, item, feed, error);
    case XR_FILL_RECORD:
        return fill_record(item, fills->count, feed, error);
    case XR_FILL_AUDIO:
        return fill_audio(pipeline, item, feeds->noise, feed, error);
    case XR_FILL_TEXT:
        return fill_text(pipeline, item, feed, error);
    default: /* states are what the run before left, constants and masks come last */
        return EXRAY_OK;
    }
}

exray_status xr_fill_run(const xr_fills *fills, const xr_pipeline *pipeline, const xr_item *item,
                         xr_feeds *feeds, exray_error *error)
{
    exray_status status = EXRAY_OK;
    for (uint32_t i = 0; i < fills->count && !status; i++)
        status = fill_one(fills, i, pipeline, item, feeds, error);
    for (uint32_t i = 0; i < fills->count && !status; i++)
        if (fills->of[i].kind == XR_FILL_CONSTANT)
            status = fill_constant(fills, i, feeds, error);
    for (uint32_t i = 0; i < fills->count && !status; i++) /* behind the inputs that they are of */
        if (fills->of[i].kind == XR_FILL_MASK)
            status = fill_mask(&feeds->of[i], &feeds->of[fills->of[i].of], error);
    return status;
}

exray_status xr_fill_keep_states(const xr_fills *fills, const xr_engine *engine, xr_session *session,
                                 xr_feeds *feeds, exray_error *error)
{
    for (uint32_t i = 0; i < fills->count; i++) {
        const xr_fill *fill = &fills->of[i];
        if (fill->kind != XR_FILL_STATE)
            continue;
        size_t size = 0;
        const void *data = engine->output_data(session, fill->of, &size);
        const exray_tensor_info *info = engine->output(session, fill->of);
        xr_feed *feed = &feeds->of[i];
        if (!data || !info || !is_state_type(&feed->info, info, true)) {
            char types[2][160] = {"", "not there"};
            show_type(&feed->info, types[0], sizeof types[0]);
            if (data && info)
                show_type(info, types[1], sizeof types[1]);
            return xr_error_set(
                error, EXRAY_E_FORMAT,
                "state: the input '%.60s' is %.120s, but its output '%.60s' is %.120s after a run",
                feed->info.name ? feed->info.name : "", types[0], info && info->name ? info->name : "",
                types[1]);
        }
        if (!xr_feed_room(feed, size))
            return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a state");
        memcpy(feed->bytes, data, size);
        memcpy(feed->shape, info->shape, info->rank * sizeof *feed->shape);
    }
    return EXRAY_OK;
}
