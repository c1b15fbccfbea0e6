#include "checks/input/search/input_pair.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/input/picture/bars.h"
#include "checks/input/picture/sensor_picture.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CANDIDATES = 64,    /* frames from which those that are searched are picked */
    LARGE = 300 * 1000, /* pixels of an input of which fewer frames tell enough */
    FRAMES_OF_LARGE = 4,
};

/* ---- Reading ----------------------------------------------------------------------------------- */

bool xr_input_raster(xr_input_pair *pair, exray_side side, size_t frame, bool other_layout,
                     const xr_sign_wrap *wrap, xr_raster *out)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    *out = (xr_raster){0};
    if (exray_comparison_values(pair->comparison, side, frame, EXRAY_KIND_INPUT, pair->index, pair->slot,
                                &view, &values, &error) != EXRAY_OK)
        return false;
    if (!xr_raster_load(out, &view.info, view.count, values, other_layout, pair->picture))
        return false;
    xr_pixel_view memory = xr_pixel_view_of(&view.info, view.count);
    pair->items[side] =
        memory.channels > 1 && memory.channel_stride > 1 ? XR_ITEMS_PLANAR : XR_ITEMS_INTERLEAVED;
    if (wrap && wrap->set)
        xr_undo_sign_wrap(wrap, out);
    return true;
}

bool xr_edge_storage(xr_input_pair *pair, xr_storage *out)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    if (exray_comparison_values(pair->comparison, EXRAY_SIDE_EDGE, pair->frame[0].frame, EXRAY_KIND_INPUT,
                                pair->index, pair->slot, &view, &values, &error) != EXRAY_OK ||
        !xr_is_byte(view.info.dtype))
        return false;
    const exray_quantization *q = &view.info.quantization;
    bool quantized = q->count == 1;
    *out = (xr_storage){.quantized = quantized,
                        .scale = quantized ? (double)q->scale[0] : 1,
                        .zero = quantized && q->zero_point ? (double)q->zero_point[0] : 0,
                        .least = view.info.dtype == EXRAY_DTYPE_INT8 ? -128 : 0};
    return true;
}

static exray_picture *replaced(exray_picture *old, exray_picture *with)
{
    exray_picture_free(old);
    return with;
}

exray_picture *xr_decoded_sensor(xr_input_pair *pair, const xr_transform *transform, size_t source)
{
    const xr_decode_variant *r = &transform->decode;
    bool unpadded = transform->reading.set && transform->reading.kind == XR_READ_UNPADDED;
    xr_decode_override as = {
        .format = *r->format ? r->format : NULL, .full_range = -1, .row_stride = unpadded ? 0 : -1};
    exray_picture *picture = xr_sensor_picture(pair->comparison, source, &as, pair->sensor_slot, NULL);
    if (picture && r->kind == XR_DECODE_COLOR)
        picture = replaced(picture, xr_color_picture(&r->color, picture));
    if (picture && transform->reading.set && transform->reading.on_sensor &&
        xr_reading_moves_pixels(&transform->reading))
        picture = replaced(picture, xr_reading_picture(&transform->reading, picture));
    return picture;
}

bool xr_camera_bytes(xr_input_pair *pair, size_t source, xr_camera_memory *out)
{
    exray_media media;
    *out = (xr_camera_memory){0};
    exray_picture *picture = xr_sensor_picture(pair->comparison, source, NULL, pair->sensor_slot, NULL);
    if (!picture)
        return false;
    bool found = xr_sensor_bytes(pair->comparison, source, pair->sensor_slot, &media, &out->data, &out->size);
    bool encoded = !media.format || !*media.format || strcmp(media.format, "jpeg") == 0 ||
                   strcmp(media.format, "png") == 0;
    size_t width = exray_picture_width(picture), channels = exray_picture_channels(picture);
    out->row = width * channels;
    if (found && encoded) {
        out->decoded = picture;
        out->data = exray_picture_pixels(picture);
        out->size = out->row * exray_picture_height(picture);
        return true;
    }
    if (found && media.row_stride)
        out->row = media.row_stride;
    else if (found && exray_picture_height(picture))
        out->row = out->size / exray_picture_height(picture); /* of a planar format: hardly a row */
    exray_picture_free(picture);
    return found;
}

void xr_camera_bytes_free(xr_camera_memory *memory)
{
    exray_picture_free(memory->decoded);
    *memory = (xr_camera_memory){0};
}

bool xr_unresized_raster(xr_input_pair *pair, const xr_reading *reading, size_t source, xr_raster *out)
{
    xr_camera_memory memory;
    size_t channels = pair->channels, length = pair->width * channels, pixels = pair->width * pair->height;
    bool ok =
        xr_camera_bytes(pair, source, &memory) && xr_raster_make(out, pair->width, pair->height, channels);
    for (size_t i = 0; ok && i < pixels * channels; i++) {
        size_t at = (size_t)reading->offset + i / length * (size_t)reading->step + i % length;
        out->v[xr_planar_place(XR_ITEMS_INTERLEAVED, channels, pixels, i)] =
            at < memory.size ? (float)memory.data[at] : NAN;
    }
    xr_camera_bytes_free(&memory);
    return ok;
}

/* ---- The edge's range and padding -------------------------------------------------------------- */

void xr_mask_saturated(const xr_input_pair *pair, xr_raster *edge)
{
    size_t count = edge->width * edge->height * edge->channels;
    double margin = (pair->high - pair->low) / 255 / 4;
    for (size_t i = 0; pair->saturated && i < count; i++)
        if ((double)edge->v[i] < pair->low + margin || (double)edge->v[i] > pair->high - margin)
            edge->v[i] = NAN;
}

void xr_clamp_to_range(const xr_input_pair *pair, xr_raster *reference)
{
    size_t count = reference->width * reference->height * reference->channels;
    for (size_t i = 0; i < count; i++) {
        float v = reference->v[i];
        reference->v[i] = v < (float)pair->low    ? (float)pair->low
                          : v > (float)pair->high ? (float)pair->high
                                                  : v;
    }
}

void xr_mask_padding(const xr_input_pair *pair, xr_raster *reference)
{
    xr_bars bars;
    if (pair->padded && xr_find_bars(reference, pair->fit->level[EXRAY_SIDE_REFERENCE], &bars))
        xr_mask_bars(&bars, reference);
}

/* ---- Frames that are searched ------------------------------------------------------------------ */

static double contrast_of(const xr_raster *r)
{
    xr_fit_sums sums = {0};
    xr_sums_add(&sums, r->channels, r->v, r->v, NULL, r->width * r->height, 7);
    return xr_sums_spread(&sums, r->channels);
}

/* How useful a frame is: hardly, where both sides are alike. */
static double usefulness(xr_input_pair *pair, size_t frame, const xr_raster *reference)
{
    xr_raster edge;
    double sum = 0, count = 0, useful = 1;
    if (!xr_input_raster(pair, EXRAY_SIDE_EDGE, frame, false, NULL, &edge))
        return useful;
    size_t values = edge.width * edge.height * edge.channels;
    for (size_t i = 0; i < values && values == reference->width * reference->height * reference->channels;
         i += 7) {
        double difference = fabs((double)edge.v[i] - (double)reference->v[i]);
        sum += isfinite(difference) ? difference : 0;
        count += 1;
    }
    if (count > 0)
        useful = fmin(1, 0.02 + sum / count / (2 * pair->fit->level[EXRAY_SIDE_EDGE]));
    xr_raster_free(&edge);
    return useful;
}

/* Picks the frames with the most contrast in which both sides differ, from evenly spaced candidates. */
static size_t pick_frames(xr_input_pair *pair, const xr_transform *transform, size_t picked[XR_SEARCH_FRAMES])
{
    size_t frames = exray_comparison_frame_count(pair->comparison);
    size_t step = frames > CANDIDATES && !pair->only ? frames / CANDIDATES : 1, count = 0, tried = 0;
    double contrast[XR_SEARCH_FRAMES];
    size_t most = XR_SEARCH_FRAMES;
    for (size_t f = 0; f < frames && tried < 2 * CANDIDATES; f += step) {
        xr_raster r;
        size_t source = xr_source_frame(transform, f);
        if (source >= frames || (pair->only && !pair->only[f]) ||
            !xr_input_raster(pair, EXRAY_SIDE_REFERENCE, source, false, NULL, &r))
            continue;
        tried++;
        double c = contrast_of(&r) * usefulness(pair, f, &r);
        most = r.width * r.height > LARGE ? FRAMES_OF_LARGE : XR_SEARCH_FRAMES;
        xr_raster_free(&r);
        if (pair->required_frame > 0 && f == pair->required_frame - 1)
            c = INFINITY;
        if (!(c > 0))
            continue;
        size_t at = count < most ? count++ : most;
        while (at > 0 && contrast[at - 1] < c) {
            if (at < most) {
                contrast[at] = contrast[at - 1];
                picked[at] = picked[at - 1];
            }
            at--;
        }
        if (at < most) {
            contrast[at] = c;
            picked[at] = f;
        }
    }
    return count;
}

static void free_frame(xr_search_frame *s)
{
    for (int l = 0; l < 2; l++) {
        xr_raster_free(&s->edge[l]);
        xr_area_free(&s->edge_area[l]);
    }
    xr_raster_free(&s->reference);
    xr_area_free(&s->reference_area);
    xr_area_free(&s->picture_area);
    xr_area_free(&s->edge_picture_area);
    exray_picture_free(s->picture);
    exray_picture_free(s->edge_picture);
    *s = (xr_search_frame){0};
}

void xr_search_frames_free(xr_input_pair *pair)
{
    for (size_t i = 0; i < pair->count; i++)
        free_frame(&pair->frame[i]);
    pair->count = 0;
}

/* Reads both sides and the sensor's picture of a frame. */
static bool read_frame(xr_input_pair *pair, const xr_transform *transform, size_t frame, xr_search_frame *s)
{
    *s = (xr_search_frame){.frame = frame, .source = xr_source_frame(transform, frame)};
    bool ok = xr_input_raster(pair, EXRAY_SIDE_REFERENCE, s->source, false, NULL, &s->reference) &&
              (xr_apply_value_map(&transform->value_map, &transform->unit, &s->reference),
               xr_area_make(&s->reference_area, &s->reference));
    for (int l = 0; ok && l < 2; l++)
        ok = xr_input_raster(pair, EXRAY_SIDE_EDGE, frame, l == 1, &transform->sign_wrap, &s->edge[l]) &&
             xr_area_make(&s->edge_area[l], &s->edge[l]);
    ok = ok && s->edge[0].channels == s->reference.channels && s->edge[0].width == s->reference.width &&
         s->edge[0].height == s->reference.height;
    const size_t channels = s->edge[0].channels;
    /* Which picture of a clip is the sensor's, nobody says. */
    s->picture = ok && pair->pictures == 1 && (channels == 3 || channels == 1)
                     ? xr_sensor_picture(pair->comparison, s->source, NULL, pair->sensor_slot, NULL)
                     : NULL;
    if (s->picture && !xr_area_of_picture(&s->picture_area, s->picture, channels))
        ok = false;
    if (!ok)
        free_frame(s);
    return ok;
}

/* Frames that are read at the same time. */
typedef struct frame_reading {
    xr_input_pair *pair;
    const xr_transform *transform;
    size_t frame[XR_SEARCH_FRAMES];
    xr_search_frame read[XR_SEARCH_FRAMES];
    xr_reading_items items[XR_SEARCH_FRAMES][2];
    bool ok[XR_SEARCH_FRAMES];
} frame_reading;

static void read_one(void *user, size_t i)
{
    frame_reading *r = user;
    xr_input_pair lent;
    r->ok[i] =
        xr_input_pair_lend(r->pair, &lent) && read_frame(&lent, r->transform, r->frame[i], &r->read[i]);
    memcpy(r->items[i], lent.items, sizeof lent.items);
    xr_input_pair_return(&lent);
}

/* Takes over a frame that was read; the first one says of which shape they are. */
static void take_frame(xr_input_pair *pair, xr_search_frame *s, const xr_reading_items items[2])
{
    const xr_raster *edge = &s->edge[0];
    memcpy(pair->items, items, sizeof pair->items);
    if (pair->channels == 0) {
        pair->channels = edge->channels;
        pair->width = edge->width;
        pair->height = edge->height;
    }
    if (edge->channels == pair->channels && edge->width == pair->width && edge->height == pair->height)
        pair->frame[pair->count++] = *s;
    else
        free_frame(s);
}

static void load_frames(xr_input_pair *pair, const xr_transform *transform, const size_t *picked,
                        size_t count)
{
    frame_reading *r = calloc(1, sizeof *r);
    if (!r)
        return;
    r->pair = pair;
    r->transform = transform;
    memcpy(r->frame, picked, count * sizeof *picked);
    exray_comparison_share(pair->comparison, count, read_one, r);
    for (size_t i = 0; i < count; i++)
        if (r->ok[i])
            take_frame(pair, &r->read[i], r->items[i]);
    free(r);
}

/* Pictures of different sizes tell more, as their crops are rounded differently: one of each size
 * comes first. */
static void put_sizes_first(xr_input_pair *pair)
{
    size_t first = 0;
    for (size_t f = 0; f < pair->count; f++) {
        const exray_picture *p = pair->frame[f].picture;
        bool seen = !p;
        for (size_t k = 0; k < first && !seen; k++)
            seen = exray_picture_width(pair->frame[k].picture) == exray_picture_width(p) &&
                   exray_picture_height(pair->frame[k].picture) == exray_picture_height(p);
        if (seen)
            continue;
        xr_search_frame first_of_size = pair->frame[f];
        memmove(&pair->frame[first + 1], &pair->frame[first], (f - first) * sizeof first_of_size);
        pair->frame[first++] = first_of_size;
    }
}

static void measure_spread(xr_input_pair *pair)
{
    xr_fit_sums sums[2] = {{0}};
    for (size_t f = 0; f < pair->count; f++) {
        const xr_search_frame *s = &pair->frame[f];
        size_t pixels = pair->width * pair->height;
        xr_sums_add(&sums[0], pair->channels, s->edge[0].v, s->edge[0].v, NULL, pixels, 5);
        xr_sums_add(&sums[1], pair->channels, s->reference.v, s->reference.v, NULL, pixels, 5);
    }
    for (int side = 0; side < 2; side++)
        pair->spread[side] = xr_sums_spread(&sums[side], pair->channels) / pair->fit->level[side];
}

bool xr_search_frames_load(xr_input_pair *pair, const xr_transform *transform)
{
    size_t picked[XR_SEARCH_FRAMES];
    xr_search_frames_free(pair);
    size_t count = pick_frames(pair, transform, picked);
    load_frames(pair, transform, picked, count);
    put_sizes_first(pair);
    /* After the areas are made, as averages need every value. */
    for (size_t i = 0; i < pair->count; i++)
        for (int l = 0; l < 2; l++)
            xr_mask_saturated(pair, &pair->frame[i].edge[l]);
    measure_spread(pair);
    pair->has_sensor = pair->count > 0;
    for (size_t i = 0; i < pair->count; i++)
        pair->has_sensor = pair->has_sensor && pair->frame[i].picture;
    return pair->count > 0;
}

typedef struct frame_decoding {
    xr_input_pair *pair;
    const xr_transform *transform;
    bool ok[XR_SEARCH_FRAMES];
} frame_decoding;

static void decode_one(void *user, size_t i)
{
    frame_decoding *d = user;
    xr_search_frame *s = &d->pair->frame[i];
    xr_input_pair lent;
    exray_picture_free(s->edge_picture);
    xr_area_free(&s->edge_picture_area);
    s->edge_picture = NULL;
    if (d->transform->decode.kind) {
        if (xr_input_pair_lend(d->pair, &lent))
            s->edge_picture = xr_decoded_sensor(&lent, d->transform, s->source);
        xr_input_pair_return(&lent);
    }
    d->ok[i] = s->edge_picture ? xr_area_of_picture(&s->edge_picture_area, s->edge_picture, d->pair->channels)
                               : !d->transform->decode.kind;
}

bool xr_search_frames_decode(xr_input_pair *pair, const xr_transform *transform)
{
    frame_decoding d = {.pair = pair, .transform = transform};
    bool ok = true;
    exray_comparison_share(pair->comparison, pair->count, decode_one, &d);
    for (size_t f = 0; f < pair->count; f++)
        ok = ok && d.ok[f];
    return ok;
}

double xr_levels_of(const xr_input_pair *pair, exray_side side, double residual)
{
    return sqrt(fmax(residual, 0)) * pair->spread[side];
}

const exray_picture *xr_search_picture(const xr_search_frame *frame, exray_side side)
{
    return side == EXRAY_SIDE_EDGE && frame->edge_picture ? frame->edge_picture : frame->picture;
}

const xr_area *xr_search_area(const xr_search_frame *frame, exray_side side)
{
    return side == EXRAY_SIDE_EDGE && frame->edge_picture ? &frame->edge_picture_area : &frame->picture_area;
}

bool xr_input_pair_is_large(const xr_input_pair *pair)
{
    double pixels = 0;
    for (size_t i = 0; i < pair->count && pair->has_sensor; i++)
        pixels += (double)exray_picture_width(pair->frame[i].picture) *
                  exray_picture_height(pair->frame[i].picture) / (double)pair->count;
    return pixels > 2e6;
}

size_t xr_search_step(const xr_input_pair *pair, size_t least)
{
    enum { ENOUGH = 1 << 14 }; /* pixels */
    size_t step = pair->width * pair->height / ENOUGH;
    if (step <= least)
        return least;
    step |= 1;
    return step % 3 ? step : step + 2;
}

bool xr_search_rows(const xr_input_pair *pair, exray_side side, bool layout, xr_orientation orientation,
                    xr_row_sample *sample)
{
    const xr_raster *input[XR_SEARCH_FRAMES];
    for (size_t f = 0; f < pair->count; f++)
        input[f] = side == EXRAY_SIDE_EDGE ? &pair->frame[f].edge[layout] : &pair->frame[f].reference;
    return xr_row_sample_make(sample, input, pair->count, orientation);
}

/* ---- The pair ---------------------------------------------------------------------------------- */

/* Adds the differences of each picture of a frame's clip; more pictures than that are those of one. */
enum { MOST_PICTURES = 64 };
static void add_differences(const xr_pixel_view v[2], const float *const value[2], double sum[MOST_PICTURES])
{
    enum { SAMPLES = 500 };
    const size_t pixels = v->picture_rows * v->columns, step = pixels / SAMPLES + 1;
    for (size_t k = 0; k < v->pictures; k++)
        for (size_t p = 0; p < pixels; p += step)
            for (size_t c = 0; c < v->channels; c++) {
                double d = xr_value_at(value[0], xr_pixel_place(&v[0], k * pixels + p, c)) -
                           xr_value_at(value[1], xr_pixel_place(&v[1], k * pixels + p, c));
                sum[k] += isfinite(d) ? fabs(d) : 0;
            }
}

/* How many pictures a clip has, and which of them is searched. */
static void choose_picture(xr_input_pair *pair)
{
    enum { FRAMES = 4 };
    const size_t frames = exray_comparison_frame_count(pair->comparison);
    exray_slot *const slot[2] = {pair->slot, pair->sensor_slot};
    double sum[MOST_PICTURES] = {0};
    pair->pictures = 1;
    for (size_t f = 0, read = 0; f < frames && read < FRAMES; f++) {
        exray_tensor_view tensor[2];
        xr_pixel_view v[2];
        const float *value[2];
        if (!xr_pixel_sides_read(pair->comparison, pair->index, f, slot, tensor, v, value))
            continue;
        if (v->pictures > MOST_PICTURES)
            pair->picture = XR_ALL_PICTURES;
        if (v->pictures == 1 || v->pictures > MOST_PICTURES || (read && v->pictures != pair->pictures))
            return;
        if (v[1].pictures != v->pictures || !xr_is_same_size(&v[0], &v[1]))
            continue;
        pair->pictures = v->pictures;
        add_differences(v, value, sum);
        read++;
    }
    for (size_t k = 1; k < pair->pictures; k++)
        if (sum[k] > sum[pair->picture])
            pair->picture = k;
}

xr_input_pair *xr_input_pair_open(const exray_comparison *comparison, size_t index, const xr_input_fit *fit)
{
    xr_input_pair *pair = calloc(1, sizeof *pair);
    if (!pair)
        return NULL;
    *pair = (xr_input_pair){.comparison = comparison,
                            .index = index,
                            .fit = fit,
                            .slot = exray_slot_new(),
                            .sensor_slot = exray_slot_new()};
    if (!pair->slot || !pair->sensor_slot) {
        xr_input_pair_close(pair);
        return NULL;
    }
    choose_picture(pair);
    return pair;
}

bool xr_input_pair_lend(const xr_input_pair *pair, xr_input_pair *lent)
{
    *lent = *pair;
    lent->slot = exray_slot_new();
    lent->sensor_slot = exray_slot_new();
    return lent->slot && lent->sensor_slot;
}

void xr_input_pair_return(xr_input_pair *lent)
{
    exray_slot_free(lent->slot);
    exray_slot_free(lent->sensor_slot);
    lent->slot = lent->sensor_slot = NULL;
}

void xr_input_pair_close(xr_input_pair *pair)
{
    if (!pair)
        return;
    xr_search_frames_free(pair);
    exray_slot_free(pair->slot);
    exray_slot_free(pair->sensor_slot);
    free(pair->only);
    free(pair);
}
