/* Other ways to decode the sensor's bytes: as another format, a JPEG at a part of its size, with alpha, with
 * its colors converted.
 * Each is applied to the recorded bytes, and the result rendered. */
#include "checks/input/search/find.h"

#include "checks/input/color/known_colors.h"
#include "checks/input/picture/sampled_rendering.h"
#include "checks/input/picture/sensor_picture.h"
#include "checks/input/picture/turned_sums.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VARIANTS = 48, FRAMES = 2, STEP = 3 };

/* Levels rms that rounding leaves. */
#define EXACT 0.5
/* Residual that the right variant may have before the place is known to the pixel. */
#define CONVINCING 0.2
/* Residual of the first frame that no right variant has. */
#define HOPELESS 0.6

bool xr_is_proven(const xr_input_pair *pair, const xr_transform *transform, double now, double without)
{
    double reference = xr_levels_of(pair, EXRAY_SIDE_REFERENCE, transform->resampling.reference_residual);
    return now < fmax(EXACT, 1.6 * reference + 0.3) || (now < XR_DECODERS_DIFFER && without > 4 * now);
}

/* ---- Candidates -------------------------------------------------------------------------------- */

static bool is_one_of(const char *word, const char *const list[])
{
    for (size_t i = 0; list[i]; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

static void put_variant(xr_decode_variant *list, size_t *count, xr_decode_kind kind, const char *format,
                        const char *way)
{
    if (*count == VARIANTS)
        return;
    xr_decode_variant *v = &list[(*count)++];
    *v = (xr_decode_variant){.kind = kind};
    snprintf(v->format, sizeof v->format, "%s%s%s", format, way ? "/" : "", way ? way : "");
}

/* Other ways to decode what was recorded as `format`. */
static size_t list_variants(const char *format, xr_decode_variant list[VARIANTS])
{
    static const char *const yuv[] = {"nv12", "nv21", "i420", "yv12", "yuyv", "uyvy", NULL};
    static const char *const lost[] = {"u0", "v0", "uv0", NULL};
    static const char *const reduced[] = {"jpeg/2", "jpeg/4", "jpeg/8", NULL};
    static const char *const jpeg[] = {"jpeg", "", NULL};
    static const char *const blended[] = {"black", "white", NULL};
    static const char *const steps[] = {"step1", "step1p", NULL};
    static const char *const inks[] = {"cmy", "plain", NULL};
    static const char *const png[] = {"png", "", NULL};
    static const char *const alpha[] = {"png", "", "rgba8", "bgra8", "argb8", NULL};
    static const char *const filters[] = {"rggb", "grbg", "gbrg", "bggr", NULL};
    bool is_yuv = is_one_of(format, yuv), is_p010 = strcmp(format, "p010") == 0,
         is_bayer = strncmp(format, "bayer_", 6) == 0 && strlen(format) > 10;
    size_t count = 0;
    for (size_t i = 0; is_bayer && filters[i]; i++)
        if (strncmp(format + 6, filters[i], 4) != 0) {
            char other[24];
            snprintf(other, sizeof other, "bayer_%s%.2s", filters[i], format + 10);
            put_variant(list, &count, XR_DECODE_FORMAT, other, NULL);
        }
    if (is_bayer && strcmp(format + 10, "8") == 0)
        put_variant(list, &count, XR_DECODE_FORMAT, "gray8", NULL);
    for (size_t i = 0; is_yuv && yuv[i]; i++)
        if (strcmp(yuv[i], format) != 0)
            put_variant(list, &count, XR_DECODE_FORMAT, yuv[i], NULL);
    for (size_t i = 0; (is_yuv || is_p010) && lost[i]; i++)
        put_variant(list, &count, XR_DECODE_FORMAT, format, lost[i]);
    for (size_t i = 0; strncmp(format, "nv", 2) == 0 && steps[i]; i++)
        put_variant(list, &count, XR_DECODE_FORMAT, format, steps[i]);
    for (size_t i = 0; is_one_of(format, jpeg) && inks[i]; i++)
        put_variant(list, &count, XR_DECODE_FORMAT, "jpeg", inks[i]);
    if (is_one_of(format, png))
        put_variant(list, &count, XR_DECODE_FORMAT, "png", "ids");
    for (size_t i = 0; is_one_of(format, jpeg) && reduced[i]; i++)
        put_variant(list, &count, XR_DECODE_REDUCED, reduced[i], NULL);
    for (size_t i = 0; is_one_of(format, alpha) && blended[i]; i++)
        put_variant(list, &count, XR_DECODE_ALPHA, *format ? format : "png", blended[i]);
    xr_color_transform colors[XR_KNOWN_COLORS];
    size_t known = xr_known_colors(colors);
    for (size_t i = 0; i < known && count < VARIANTS; i++)
        if (xr_is_nonlinear(&colors[i]) && colors[i].kind != XR_COLOR_GAMMA &&
            (!(is_yuv || is_p010) || colors[i].kind != XR_COLOR_NO_CHROMA))
            list[count++] = (xr_decode_variant){.kind = XR_DECODE_COLOR, .color = colors[i]};
    return count;
}

/* ---- Trying them ------------------------------------------------------------------------------- */

/* Brings pixels into the reference's unit. */
static void to_reference_unit(const xr_pixel_unit *unit, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    float pixel[XR_FIT_CHANNELS];
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < r->channels; c++)
            pixel[c] = r->v[c * pixels + i];
        for (size_t c = 0; c < r->channels; c++)
            r->v[c * pixels + i] = (float)(unit->gain[c] * (double)pixel[unit->from[c]] + unit->offset[c]);
    }
}

/* The edge's rows that renderings are compared with, by layout and orientation. */
typedef struct row_samples {
    bool made; /* else inputs are small: whole renderings are compared */
    xr_row_sample of[2][XR_ORIENTATIONS];
} row_samples;

static void free_samples(row_samples *samples)
{
    for (size_t l = 0; l < 2; l++)
        for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++)
            xr_row_sample_free(&samples->of[l][o]);
}

static void make_samples(const xr_input_pair *pair, row_samples *samples)
{
    memset(samples, 0, sizeof *samples);
    samples->made = true;
    for (size_t l = 0; l < xr_layout_count(pair) && samples->made; l++)
        for (xr_orientation o = 0; o < xr_orientation_count(pair) && samples->made; o++)
            samples->made = xr_search_rows(pair, EXRAY_SIDE_EDGE, l == 1, o, &samples->of[l][o]);
}

enum { RENDERINGS = 2 };

/* The pictures of the first frames, decoded as the transform says; each when it is first needed. */
typedef struct decoded_pictures {
    exray_picture *of[FRAMES];
    const row_samples *samples;
    const xr_rendering *how[RENDERINGS]; /* what is made of them; NULL: no more */
} decoded_pictures;

/* The rows of a picture that the sample's rows of a rendering are made from, and more. */
static void mark_rows(const exray_picture *picture, const xr_rendering *how, const xr_row_sample *sample,
                      bool *needed)
{
    double height = exray_picture_height(picture), rows = (double)sample->height;
    xr_part part =
        xr_geometry_part(&how->geometry, exray_picture_width(picture), height, (double)sample->width, rows);
    double scale = (part.y1 - part.y0) * height / rows;
    /* A bicubic kernel reaches over twice the scale; sizes and places are rounded. */
    double reach = 3 * fmax(scale, 1) + 4;
    for (size_t i = 0; i < sample->count; i++) {
        double middle = part.y0 * height + scale * ((double)sample->row[i] + 0.5);
        size_t from = (size_t)fmin(fmax(middle - reach, 0), height),
               end = (size_t)fmin(fmax(middle + reach + 1, 0), height);
        for (size_t y = from; y < end; y++)
            needed[y] = true;
    }
}

/* The sensor's picture of a searched frame with its colors converted: the rows that are needed. */
static exray_picture *converted_rows(const decoded_pictures *pictures, const xr_color_transform *color,
                                     const exray_picture *picture)
{
    bool some = pictures->samples->made;
    for (size_t i = 0; i < RENDERINGS && pictures->how[i]; i++)
        some = some && !pictures->how[i]->turned_first;
    bool *needed = some ? calloc(exray_picture_height(picture), sizeof *needed) : NULL;
    for (size_t i = 0; needed && i < RENDERINGS && pictures->how[i]; i++)
        mark_rows(picture, pictures->how[i], &pictures->samples->of[0][0], needed);
    exray_picture *made = xr_color_rows(color, picture, needed);
    free(needed);
    return made;
}

/* The sensor's picture of a searched frame, decoded as the transform says. */
static exray_picture *decoded_again(xr_input_pair *pair, const xr_transform *transform,
                                    const decoded_pictures *pictures, const xr_search_frame *frame)
{
    if (transform->decode.kind == XR_DECODE_COLOR && frame->picture)
        return converted_rows(pictures, &transform->decode.color, frame->picture);
    return xr_decoded_sensor(pair, transform, frame->source);
}

static void free_decoded(decoded_pictures *pictures)
{
    for (size_t f = 0; f < FRAMES; f++)
        exray_picture_free(pictures->of[f]);
}

/* The part of the edge that pixels leave unexplained: by any mixture of the channels
 * (xr_unexplained_by_color), or in the reference's unit, by an order of them, or as they are. */
typedef double unexplained(const xr_fit_sums *sums, size_t channels);

/* The residual of the edge by a rendering of the decoded pictures, in the best orientation and layout; or
 * (only not NULL) in those of a rendering. */
static double pictures_residual(xr_input_pair *pair, const xr_transform *transform,
                                decoded_pictures *pictures, const xr_rendering *how,
                                const xr_rendering_fit *only, unexplained *measure)
{
    xr_fit_sums sums[2][XR_ORIENTATIONS];
    size_t turns = xr_orientation_count(pair), layouts = xr_layout_count(pair), done = 0;
    size_t step = xr_search_step(pair, STEP);
    double least = 1;
    bool plain = measure != xr_unexplained_by_color;
    memset(sums, 0, sizeof sums);
    const row_samples *samples = pictures->samples->made && !how->turned_first ? pictures->samples : NULL;
    const xr_row_sample *rows = samples ? &samples->of[0][0] : NULL;
    for (size_t f = 0; f < FRAMES && f < pair->count; f++) {
        exray_picture *picture = pictures->of[f];
        if (!picture)
            picture = pictures->of[f] = decoded_again(pair, transform, pictures, &pair->frame[f]);
        xr_raster rendered = {0};
        if (picture && rows)
            done += xr_render_rows(picture, how, rows->width, rows->height, pair->channels, rows->row,
                                   rows->count, &rendered);
        else if (picture)
            done += xr_render(picture, how, only ? only->orientation : 0, pair->width, pair->height,
                              pair->channels, &rendered);
        if (rendered.v && plain)
            to_reference_unit(&transform->unit, &rendered);
        for (xr_orientation o = 0; rendered.v && o < turns; o++)
            for (size_t l = 0; l < layouts; l++)
                if (only && (only->orientation != o || only->layout != (l == 1)))
                    continue;
                else if (rows)
                    xr_sums_add(&sums[l][o], pair->channels, samples->of[l][o].input[f].v, rendered.v, NULL,
                                rendered.width * rendered.height, 1);
                else
                    xr_sums_add_turned(&sums[l][o], &pair->frame[f].edge[l], &rendered, only ? 0 : o, step);
        xr_raster_free(&rendered);
        least = 1;
        for (size_t l = 0; done && l < layouts; l++)
            for (xr_orientation o = 0; o < turns; o++)
                if (sums[l][o].n > 0)
                    least = fmin(least, measure(&sums[l][o], pair->channels));
        if (!plain && least > HOPELESS)
            break;
    }
    return least;
}

static double decoded_residual(xr_input_pair *pair, const xr_transform *transform, const row_samples *samples,
                               const xr_rendering *how, const xr_rendering_fit *only, unexplained *measure)
{
    decoded_pictures pictures = {.samples = samples, .how = {how}};
    double residual = pictures_residual(pair, transform, &pictures, how, only, measure);
    free_decoded(&pictures);
    return residual;
}

/* By the edge's rendering or the reference's: decoding takes most of the time, and is done once for both. */
static double variant_residual(xr_input_pair *pair, xr_transform *transform, const row_samples *samples,
                               const xr_decode_variant *variant, const xr_rendering_fit *edge)
{
    decoded_pictures pictures = {.samples = samples,
                                 .how = {&edge->rendering, &transform->resampling.reference}};
    transform->decode = *variant;
    double residual =
        pictures_residual(pair, transform, &pictures, &edge->rendering, edge, xr_unexplained_by_color);
    residual = fmin(residual, pictures_residual(pair, transform, &pictures, &transform->resampling.reference,
                                                NULL, xr_unexplained_by_color));
    free_decoded(&pictures);
    return residual;
}

/* A pixel of the sensor's picture with its color converted; change NULL: as it is. */
static void converted_pixel(const void *change, const exray_picture *picture, size_t x, size_t y,
                            double pixel[XR_FIT_CHANNELS])
{
    size_t channels = exray_picture_channels(picture);
    const uint8_t *from = exray_picture_pixels(picture) + (y * exray_picture_width(picture) + x) * channels;
    double in[XR_FIT_CHANNELS] = {0};
    for (size_t c = 0; c < channels; c++)
        in[c] = pixel[c] = from[c];
    if (change && channels == 3)
        xr_convert_pixel(change, in, pixel);
}

/* Whether a conversion of the sensor's colors may be what the edge has under a geometry, by a sample: it
 * leaves of the reference what it leaves of every right conversion, `noise`, and less than no conversion
 * does. */
static bool explains_sample(const xr_search_frame *f, const xr_color_transform *color,
                            const xr_rendering_fit *edge, const xr_geometry *geometry, double noise)
{
    /* Of the share that the edge's rendering leaves, a conversion that is taken in the end explains
     * two fifths. */
    enum { FIFTH = 5 };
    const xr_raster *input = &f->edge[edge->layout];
    xr_orientation o = edge->orientation;
    double left = xr_sampled_residual(input, f->picture, geometry, o, converted_pixel, color);
    if (!(left < CONVINCING + 0.05 + 2 * noise))
        return false;
    return left + edge->residual / FIFTH <
           xr_sampled_residual(input, f->picture, geometry, o, converted_pixel, NULL) + noise;
}

static bool may_be_converted(const xr_input_pair *pair, const xr_transform *transform,
                             const xr_color_transform *color, const xr_rendering_fit *edge)
{
    const xr_search_frame *f = &pair->frame[0];
    const xr_geometry *own = &edge->rendering.geometry, *other = &transform->resampling.reference.geometry;
    if (color->kind ==
        XR_COLOR_SWAPPED) /* a few pixels say little of a mean: neighbors differ as much as any */
        return true;
    double noise = xr_sampled_residual(&f->reference, f->picture, other, 0, converted_pixel, NULL);
    return explains_sample(f, color, edge, own, noise) || explains_sample(f, color, edge, other, noise);
}

/* Whether a gamma may be what the edge has: after the resize it is much cheaper, and nearly as right, so it
 * must be better there than none. */
static bool is_likely(xr_input_pair *pair, const xr_color_transform *color, const xr_raster *rendered,
                      const xr_rendering_fit *edge)
{
    static const xr_pixel_unit plain = {.from = {0, 1, 2}, .gain = {1, 1, 1}};
    xr_fit_sums sums = {0};
    xr_raster input, changed;
    if (!rendered->v)
        return true;
    size_t pixels = pair->width * pair->height, step = xr_search_step(pair, 2 * STEP + 1),
           few = (pixels + step - 1) / step;
    bool ok = xr_raster_make(&input, few, 1, pair->channels);
    ok = xr_raster_make(&changed, few, 1, pair->channels) && ok;
    for (size_t c = 0; ok && c < pair->channels; c++)
        for (size_t i = 0; i < few; i++) {
            input.v[c * few + i] = pair->frame[0].edge[edge->layout].v[c * pixels + i * step];
            changed.v[c * few + i] = rendered->v[c * pixels + i * step];
        }
    if (ok) {
        xr_apply_color(color, &plain, &changed);
        xr_sums_add(&sums, pair->channels, input.v, changed.v, NULL, few, 1);
    }
    xr_raster_free(&input);
    xr_raster_free(&changed);
    return ok && xr_unexplained_by_color(&sums, pair->channels) < edge->residual;
}

/* Whether any gamma may be. */
static bool is_gamma_likely(xr_input_pair *pair, const xr_rendering_fit *edge)
{
    static const double usual[] = {0.4545, 0.6, 0.8, 1.25, 1.67, 2.2};
    bool likely = false;
    xr_raster rendered = {0};
    if (!xr_render(pair->frame[0].picture, &edge->rendering, edge->orientation, pair->width, pair->height,
                   pair->channels, &rendered))
        rendered.v = NULL;
    for (size_t i = 0; i < sizeof usual / sizeof *usual && !likely; i++) {
        const xr_color_transform gamma = {.kind = XR_COLOR_GAMMA, .gamma = usual[i]};
        likely = is_likely(pair, &gamma, &rendered, edge);
    }
    xr_raster_free(&rendered);
    return likely;
}

static xr_decode_variant gamma_variant(double gamma)
{
    return (xr_decode_variant){.kind = XR_DECODE_COLOR, .color = {.kind = XR_COLOR_GAMMA, .gamma = gamma}};
}

static double gamma_residual(xr_input_pair *pair, xr_transform *transform, const row_samples *samples,
                             double gamma, const xr_rendering_fit *edge, bool plain)
{
    transform->decode = gamma_variant(gamma);
    return decoded_residual(pair, transform, samples, &edge->rendering, edge,
                            plain ? xr_unexplained_plainly : xr_unexplained_by_color);
}

/* Improves a gamma by steps that are halved. */
static double refine_gamma(xr_input_pair *pair, xr_transform *transform, const row_samples *samples,
                           const xr_rendering_fit *edge, bool plain, double *gamma)
{
    double least = gamma_residual(pair, transform, samples, *gamma, edge, plain);
    double step = 0.12;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            double now = *gamma * (1 + sign * step),
                   residual = gamma_residual(pair, transform, samples, now, edge, plain);
            if (residual < least) {
                least = residual;
                *gamma = now;
            }
        }
    return least;
}

static double find_gamma(xr_input_pair *pair, xr_transform *transform, const row_samples *samples,
                         const xr_rendering_fit *edge, xr_decode_variant *best)
{
    static const double usual[] = {0.4545, 0.6, 0.8, 1.25, 1.67, 2.2};
    double least = 1, gamma = 1;
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        double residual = gamma_residual(pair, transform, samples, usual[i], edge, false);
        if (residual < least) {
            least = residual;
            gamma = usual[i];
        }
    }
    double plain = gamma;
    least = refine_gamma(pair, transform, samples, edge, false, &gamma);
    /* A gain and an offset make the gamma uncertain: it is fitted without them if that is as good. */
    if (refine_gamma(pair, transform, samples, edge, true, &plain) <
        xr_no_worse(least, pair->spread[EXRAY_SIDE_EDGE])) {
        gamma = plain;
        least = gamma_residual(pair, transform, samples, gamma, edge, false);
    }
    *best = gamma_variant(gamma);
    return least;
}

/* Whether the edge decodes the JPEG at a part of its size; its rendering, then.  Less detail is what any blur
 * and any softer kernel leave as well, so that the right rendering must be exact: a better one proves
 * nothing.  Before it is fitted to the pixel it may be no better than the imitation that was. */
static bool take_reduced(xr_input_pair *pair, xr_transform *transform, const xr_decode_variant *reduced,
                         double coarse, xr_rendering_fit *edge)
{
    xr_rendering_fit found;
    double was = xr_levels_of(pair, EXRAY_SIDE_EDGE, edge->residual);
    if (xr_levels_of(pair, EXRAY_SIDE_EDGE, coarse) > 1.3 * was + 1)
        return false;
    transform->decode = *reduced;
    if (!xr_search_frames_decode(pair, transform) ||
        !xr_find_kernel(pair, EXRAY_SIDE_EDGE, &transform->resampling.reference, &found))
        return false;
    double now = xr_levels_of(pair, EXRAY_SIDE_EDGE, found.residual);
    if (!(was > 1.6 * now + 0.25) || !xr_is_proven(pair, transform, now, was))
        return false;
    *edge = found;
    return true;
}

/* Ways that are tried at the same time. */
typedef struct variant_list {
    const xr_input_pair *pair;
    const xr_transform *transform;
    const row_samples *samples;
    const xr_rendering_fit *edge;
    xr_decode_variant variant[VARIANTS];
    double residual[VARIANTS]; /* NAN: it cannot be that one */
    size_t count;
} variant_list;

static void try_variant(void *user, size_t i)
{
    variant_list *list = user;
    const xr_decode_variant *v = &list->variant[i];
    xr_transform transform = *list->transform;
    xr_input_pair lent;
    list->residual[i] = NAN;
    if (xr_input_pair_lend(list->pair, &lent) &&
        (v->kind != XR_DECODE_COLOR || may_be_converted(&lent, &transform, &v->color, list->edge)))
        list->residual[i] = variant_residual(&lent, &transform, list->samples, v, list->edge);
    xr_input_pair_return(&lent);
}

bool xr_find_decoding(xr_input_pair *pair, xr_transform *transform, xr_rendering_fit *edge)
{
    exray_media media = {0};
    xr_decode_variant best = {0}, before = transform->decode;
    double least = 1;
    const uint8_t *data;
    size_t size;
    xr_sensor_bytes(pair->comparison, pair->frame[0].source, pair->sensor_slot, &media, &data, &size);
    xr_decode_variant reduced = {0};
    double least_reduced = CONVINCING;
    double plainest = 2, spread = pair->spread[EXRAY_SIDE_EDGE];
    row_samples samples;
    make_samples(pair, &samples);
    variant_list list = {.pair = pair, .transform = transform, .samples = &samples, .edge = edge};
    list.count = list_variants(media.format ? media.format : "", list.variant);
    /* What is fitted after the resize is tried before it. */
    if ((pair->late_color.kind == XR_COLOR_HUE || pair->late_color.clipped) && list.count < VARIANTS)
        list.variant[list.count++] = (xr_decode_variant){.kind = XR_DECODE_COLOR, .color = pair->late_color};
    exray_comparison_share(pair->comparison, list.count, try_variant, &list);
    for (size_t i = 0; i < list.count; i++) {
        const xr_decode_variant *variant = &list.variant[i];
        double residual = list.residual[i];
        if (isnan(residual))
            continue;
        if (variant->kind == XR_DECODE_REDUCED) {
            if (residual < least_reduced) {
                least_reduced = residual;
                reduced = *variant;
            }
            continue;
        }
        bool better = residual < least * 0.95;
        if (!better && residual > xr_no_worse(least, spread))
            continue;
        /* Color spaces that differ in the scale of a channel alone: the one that needs no other scale; orders
         * of filters that differ in red and blue alone: the one that needs no exchange.  Not for what is too
         * poor to be taken in the end. */
        bool filters = strncmp(variant->format, "bayer_", 6) == 0;
        transform->decode = *variant;
        double plain = (variant->kind == XR_DECODE_COLOR || filters) && transform->unit.measured &&
                               residual < CONVINCING / 0.9
                           ? decoded_residual(pair, transform, &samples, &edge->rendering, edge,
                                              filters ? xr_unexplained_as_is : xr_unexplained_plainly)
                           : 2;
        if (better || plain < 0.5 * plainest) {
            least = residual;
            plainest = plain;
            best = *variant;
        }
    }
    if (edge->residual < CONVINCING && is_gamma_likely(pair, edge)) {
        xr_decode_variant gamma = {0};
        double residual = find_gamma(pair, transform, &samples, edge, &gamma);
        if (residual < least * 0.95) {
            least = residual;
            best = gamma;
        }
    }
    free_samples(&samples);
    if (reduced.kind && take_reduced(pair, transform, &reduced, least_reduced, edge))
        return true;
    transform->decode = best;
    xr_rendering_fit found;
    double now = xr_levels_of(pair, EXRAY_SIDE_EDGE, least),
           was = xr_levels_of(pair, EXRAY_SIDE_EDGE, edge->residual);
    if (best.kind && least < CONVINCING && was > 1.3 * now + 0.25 &&
        xr_search_frames_decode(pair, transform) &&
        xr_find_kernel(pair, EXRAY_SIDE_EDGE, &transform->resampling.reference, &found) &&
        was > 1.6 * xr_levels_of(pair, EXRAY_SIDE_EDGE, found.residual) + 0.25) {
        *edge = found;
        return true;
    }
    transform->decode = before;
    xr_search_frames_decode(pair, transform);
    return false;
}
