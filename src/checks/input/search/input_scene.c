/* Reading the pair: rasters of single frames, and the few frames that are searched on. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_AT = 64,          /* frames that are looked at for informative ones */
    MOST_SCENE_SIDE = 640, /* the sensor's picture, for coarse comparison */
};

static void unbend(const xr_bend *bend, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++)
            r->v[i] += r->v[i] < bend->middle[c] ? bend->up : -bend->down[c];
}

void xr_censor(const xr_scene *scene, xr_raster *edge)
{
    size_t count = edge->width * edge->height * edge->channels;
    double margin = (scene->high - scene->low) / 255 / 4;
    for (size_t i = 0; scene->censored && i < count; i++)
        if ((double)edge->v[i] < scene->low + margin || (double)edge->v[i] > scene->high - margin)
            edge->v[i] = NAN;
}

void xr_clamp(const xr_scene *scene, xr_raster *reference)
{
    size_t count = reference->width * reference->height * reference->channels;
    for (size_t i = 0; i < count; i++) {
        float v = reference->v[i];
        reference->v[i] = v < (float)scene->low    ? (float)scene->low
                          : v > (float)scene->high ? (float)scene->high
                                                   : v;
    }
}

bool xr_scene_raster(xr_scene *scene, exray_side side, size_t frame, bool other_layout, const xr_bend *bend,
                     xr_raster *out)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    *out = (xr_raster){0};
    if (exray_comparison_values(scene->comparison, side, frame, EXRAY_KIND_INPUT, scene->pair, scene->slot,
                                &view, &values, &error) != EXRAY_OK)
        return false;
    if (!xr_raster_load(out, &view.info, view.count, values, other_layout))
        return false;
    if (bend && bend->set)
        unbend(bend, out);
    return true;
}

/* Averages of whole pixels, so that the tables of a large photograph stay small. */
static bool reduced(const exray_picture *picture, size_t channels, xr_raster *out)
{
    uint32_t width = exray_picture_width(picture), height = exray_picture_height(picture);
    uint32_t longer = width > height ? width : height;
    exray_error error;
    if (longer <= MOST_SCENE_SIDE)
        return xr_raster_of_picture(out, picture, channels);
    double scale = (double)MOST_SCENE_SIDE / longer;
    uint32_t w = (uint32_t)fmax(1, width * scale), h = (uint32_t)fmax(1, height * scale);
    exray_picture *small =
        exray_picture_resize(picture, NULL, EXRAY_FILTER_AREA, EXRAY_SAMPLING_HALF_PIXEL, w, h, &error);
    bool ok = small && xr_raster_of_picture(out, small, channels);
    exray_picture_free(small);
    return ok;
}

bool xr_area_of_picture(xr_area *area, const exray_picture *picture, size_t channels)
{
    xr_raster small = {0};
    bool ok = reduced(picture, channels, &small) && xr_area_make(area, &small);
    xr_raster_free(&small);
    return ok;
}

static double contrast_of(const xr_raster *r)
{
    xr_fit_sums sums = {0};
    xr_sums_add(&sums, r->channels, r->v, r->v, NULL, r->width * r->height, 7);
    return xr_sums_spread(&sums, r->channels);
}

/* How much a frame can tell: little, where both sides are alike. */
static double telling(xr_scene *scene, size_t frame, const xr_raster *reference)
{
    xr_raster edge;
    double sum = 0, count = 0, known = 1;
    if (!xr_scene_raster(scene, EXRAY_SIDE_EDGE, frame, false, NULL, &edge))
        return known;
    size_t values = edge.width * edge.height * edge.channels;
    for (size_t i = 0; i < values && values == reference->width * reference->height * reference->channels;
         i += 7) {
        double apart = fabs((double)edge.v[i] - (double)reference->v[i]);
        sum += isfinite(apart) ? apart : 0;
        count += 1;
    }
    if (count > 0)
        known = fmin(1, 0.02 + sum / count / (2 * scene->fit->level[EXRAY_SIDE_EDGE]));
    xr_raster_free(&edge);
    return known;
}

/* The most contrasted of the first frames in which both sides differ, evenly taken. */
static size_t pick_frames(xr_scene *scene, const xr_chain *chain, size_t picked[XR_SEARCH_FRAMES])
{
    size_t frames = exray_comparison_frame_count(scene->comparison);
    size_t step = frames > LOOK_AT ? frames / LOOK_AT : 1, count = 0;
    double contrast[XR_SEARCH_FRAMES];
    for (size_t f = 0; f < frames; f += step) {
        xr_raster r;
        if (chain->shows && chain->shows[f] >= frames)
            continue;
        if (!xr_scene_raster(scene, EXRAY_SIDE_REFERENCE, chain->shows ? chain->shows[f] : f, false, NULL,
                             &r))
            continue;
        double c = contrast_of(&r) * telling(scene, f, &r);
        xr_raster_free(&r);
        if (scene->wanted > 0 && f == scene->wanted - 1)
            c = INFINITY;
        if (!(c > 0))
            continue;
        size_t at = count < XR_SEARCH_FRAMES ? count++ : XR_SEARCH_FRAMES;
        while (at > 0 && contrast[at - 1] < c) {
            if (at < XR_SEARCH_FRAMES) {
                contrast[at] = contrast[at - 1];
                picked[at] = picked[at - 1];
            }
            at--;
        }
        if (at < XR_SEARCH_FRAMES) {
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
    xr_area_free(&s->scene_area);
    xr_area_free(&s->read_area);
    exray_picture_free(s->picture);
    exray_picture_free(s->read);
    *s = (xr_search_frame){0};
}

static bool load_frame(xr_scene *scene, const xr_chain *chain, size_t frame, xr_search_frame *s)
{
    *s = (xr_search_frame){.frame = frame, .shows = chain->shows ? chain->shows[frame] : frame};
    bool ok = xr_scene_raster(scene, EXRAY_SIDE_REFERENCE, s->shows, false, NULL, &s->reference) &&
              (xr_remap_apply(chain, &s->reference), xr_area_make(&s->reference_area, &s->reference));
    for (int l = 0; ok && l < 2; l++)
        ok = xr_scene_raster(scene, EXRAY_SIDE_EDGE, frame, l == 1, &chain->bend, &s->edge[l]) &&
             xr_area_make(&s->edge_area[l], &s->edge[l]);
    ok = ok && s->edge[0].channels == s->reference.channels && s->edge[0].width == s->reference.width &&
         s->edge[0].height == s->reference.height;
    if (ok && scene->channels == 0) {
        scene->channels = s->edge[0].channels;
        scene->width = s->edge[0].width;
        scene->height = s->edge[0].height;
    }
    ok = ok && s->edge[0].channels == scene->channels && s->edge[0].width == scene->width &&
         s->edge[0].height == scene->height;
    s->picture = ok && (scene->channels == 3 || scene->channels == 1)
                     ? xr_sensor_picture(scene->comparison, s->shows, NULL, scene->sensor_slot, NULL)
                     : NULL;
    if (s->picture && !xr_area_of_picture(&s->scene_area, s->picture, scene->channels))
        ok = false;
    if (!ok)
        free_frame(s);
    return ok;
}

/* Roundings tell sizes apart: those frames come first whose picture no earlier one has the size
 * of. */
static void put_sizes_first(xr_scene *scene)
{
    size_t first = 0;
    for (size_t f = 0; f < scene->count; f++) {
        const exray_picture *p = scene->frame[f].picture;
        bool known = !p;
        for (size_t k = 0; k < first && !known; k++)
            known = exray_picture_width(scene->frame[k].picture) == exray_picture_width(p) &&
                    exray_picture_height(scene->frame[k].picture) == exray_picture_height(p);
        if (known)
            continue;
        xr_search_frame moved = scene->frame[f];
        memmove(&scene->frame[first + 1], &scene->frame[first], (f - first) * sizeof moved);
        scene->frame[first++] = moved;
    }
}

static void measure_spread(xr_scene *scene)
{
    xr_fit_sums sums[2] = {{0}};
    for (size_t f = 0; f < scene->count; f++) {
        const xr_search_frame *s = &scene->frame[f];
        size_t pixels = scene->width * scene->height;
        xr_sums_add(&sums[0], scene->channels, s->edge[0].v, s->edge[0].v, NULL, pixels, 5);
        xr_sums_add(&sums[1], scene->channels, s->reference.v, s->reference.v, NULL, pixels, 5);
    }
    for (int side = 0; side < 2; side++)
        scene->spread[side] = xr_sums_spread(&sums[side], scene->channels) / scene->fit->level[side];
}

double xr_levels_of(const xr_scene *scene, exray_side side, double left)
{
    return sqrt(fmax(left, 0)) * scene->spread[side];
}

const exray_picture *xr_frame_picture(const xr_search_frame *frame, exray_side side)
{
    return side == EXRAY_SIDE_EDGE && frame->read ? frame->read : frame->picture;
}

const xr_area *xr_frame_area(const xr_search_frame *frame, exray_side side)
{
    return side == EXRAY_SIDE_EDGE && frame->read ? &frame->read_area : &frame->scene_area;
}

bool xr_scene_load(xr_scene *scene, const xr_chain *chain)
{
    size_t picked[XR_SEARCH_FRAMES];
    for (size_t i = 0; i < scene->count; i++)
        free_frame(&scene->frame[i]);
    scene->count = 0;
    size_t count = pick_frames(scene, chain, picked);
    for (size_t i = 0; i < count; i++)
        scene->count += load_frame(scene, chain, picked[i], &scene->frame[scene->count]);
    put_sizes_first(scene);
    /* The averages of the areas need every value; lines do not. */
    for (size_t i = 0; i < scene->count; i++)
        for (int l = 0; l < 2; l++)
            xr_censor(scene, &scene->frame[i].edge[l]);
    measure_spread(scene);
    scene->has_sensor = scene->count > 0;
    for (size_t i = 0; i < scene->count; i++)
        scene->has_sensor = scene->has_sensor && scene->frame[i].picture;
    return scene->count > 0;
}

/* ---- The sign ------------------------------------------------------------------------ */

/* How much neighbours differ. */
static double roughness(const xr_raster *r, const xr_bend *bend)
{
    double sum = 0;
    size_t pixels = r->width * r->height;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels + 1; i < (c + 1) * pixels; i++) {
            float a = r->v[i - 1], b = r->v[i];
            if (bend) {
                a += a < bend->middle[c] ? bend->up : -bend->down[c];
                b += b < bend->middle[c] ? bend->up : -bend->down[c];
            }
            sum += isfinite(a) && isfinite(b) ? fabs((double)a - (double)b) : 0;
        }
    return sum;
}

/* In either layout: in the wrong one, neighbours are no neighbours. */
static bool smoother(const xr_scene *scene, const xr_bend *bend)
{
    double before[2] = {0, 0}, after[2] = {0, 0}, reference = 0;
    for (size_t f = 0; f < scene->count; f++) {
        reference += roughness(&scene->frame[f].reference, NULL);
        for (int l = 0; l < 2; l++) {
            before[l] += roughness(&scene->frame[f].edge[l], NULL);
            after[l] += roughness(&scene->frame[f].edge[l], bend);
        }
    }
    for (int l = 0; l < 2; l++)
        if (after[l] < 0.6 * before[l] && before[l] > reference)
            return true;
    return false;
}

bool xr_scene_storage(xr_scene *scene, xr_storage *out)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    if (exray_comparison_values(scene->comparison, EXRAY_SIDE_EDGE, scene->frame[0].frame, EXRAY_KIND_INPUT,
                                scene->pair, scene->slot, &view, &values, &error) != EXRAY_OK ||
        (view.info.dtype != EXRAY_DTYPE_INT8 && view.info.dtype != EXRAY_DTYPE_UINT8))
        return false;
    const exray_quantization *q = &view.info.quantization;
    bool quantized = q->count == 1;
    *out = (xr_storage){.quantized = quantized,
                        .scale = quantized ? (double)q->scale[0] : 1,
                        .zero = quantized && q->zero_point ? (double)q->zero_point[0] : 0,
                        .least = view.info.dtype == EXRAY_DTYPE_INT8 ? -128 : 0};
    return true;
}

/* The stored bytes with the sign bit exchanged: half of the range is added, and wraps. */
static bool stored_bend(xr_scene *scene, xr_bend *bend)
{
    xr_storage stored;
    if (!xr_scene_storage(scene, &stored))
        return false;
    double scale = stored.scale, zero = stored.zero, least = stored.least;
    *bend = (xr_bend){.set = true, .stored = true, .up = (float)(scale * 128)};
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++) {
        bend->middle[c] = (float)(scale * (least + 127.5 - zero));
        bend->down[c] = bend->up;
    }
    return true;
}

/* Pixels of 128 and more, taken for p - 256 before they were normalized: with the usual
 * constants, or those that the edge's spacing shows. */
static bool pixel_bend(const xr_scene *scene, const double *mean, double std, xr_bend *bend)
{
    *bend = (xr_bend){.set = true, .up = (float)(256 / std)};
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
        bend->middle[c] = (float)((-0.5 - mean[c % 3]) / std);
    return smoother(scene, bend);
}

void xr_find_bend(xr_scene *scene, xr_chain *chain)
{
    static const double means[][4] = {{0, 0, 0, 1},
                                      {0, 0, 0, 255},
                                      {127.5, 127.5, 127.5, 127.5},
                                      {127, 127, 127, 128},
                                      {128, 128, 128, 128}};
    xr_bend bend;
    if (stored_bend(scene, &bend)) {
        if (smoother(scene, &bend))
            chain->bend = bend;
        return;
    }
    for (size_t i = 0; i < sizeof means / sizeof *means && !chain->bend.set; i++)
        if (fabs(scene->fit->level[1] * means[i][3] - 1) < 0.3 &&
            pixel_bend(scene, means[i], means[i][3], &bend))
            chain->bend = bend;
}

/* ---- All of it ------------------------------------------------------------------------- */

xr_scene *xr_scene_open(const exray_comparison *comparison, size_t pair, const xr_input_fit *fit)
{
    xr_scene *scene = calloc(1, sizeof *scene);
    if (!scene)
        return NULL;
    *scene = (xr_scene){.comparison = comparison,
                        .pair = pair,
                        .fit = fit,
                        .slot = exray_slot_new(),
                        .sensor_slot = exray_slot_new()};
    if (!scene->slot || !scene->sensor_slot) {
        xr_scene_close(scene);
        return NULL;
    }
    return scene;
}

void xr_scene_forget(xr_scene *scene)
{
    for (size_t i = 0; i < scene->count; i++)
        free_frame(&scene->frame[i]);
    scene->count = 0;
}

void xr_scene_close(xr_scene *scene)
{
    if (!scene)
        return;
    xr_scene_forget(scene);
    exray_slot_free(scene->slot);
    exray_slot_free(scene->sensor_slot);
    free(scene);
}

bool xr_scene_has_sensor(const xr_scene *scene)
{
    return scene->has_sensor;
}

bool xr_scene_is_large(const xr_scene *scene)
{
    double pixels = 0;
    for (size_t i = 0; i < scene->count && scene->has_sensor; i++)
        pixels += (double)exray_picture_width(scene->frame[i].picture) *
                  exray_picture_height(scene->frame[i].picture) / (double)scene->count;
    return pixels > 2e6;
}
