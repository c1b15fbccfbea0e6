/* What the edge makes of the sensor's bytes before all else: another format, a JPEG decoded
 * at a part of its size, a gamma.  Each is done to the recorded bytes and rendered. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16, FRAMES = 2, STEP = 3 };

/* Share of the variance that a right reading may leave before places are known to the pixel. */
#define CONVINCING 0.2

/* ---- Reading ------------------------------------------------------------------------------ */

/* The same picture through a table. */
static exray_picture *mapped(const exray_picture *in, double gamma)
{
    uint32_t width = exray_picture_width(in), height = exray_picture_height(in);
    size_t count = (size_t)width * height * exray_picture_channels(in);
    const uint8_t *from = exray_picture_pixels(in);
    uint8_t table[256], *bytes = malloc(count);
    exray_error error;
    if (!bytes)
        return NULL;
    for (int i = 0; i < 256; i++)
        table[i] = (uint8_t)floor(255 * pow(i / 255.0, gamma) + 0.5);
    for (size_t i = 0; i < count; i++)
        bytes[i] = table[from[i]];
    exray_picture *out = exray_picture_new(width, height, exray_picture_channels(in), bytes, &error);
    free(bytes);
    return out;
}

static exray_picture *replaced(exray_picture *old, exray_picture *with)
{
    exray_picture_free(old);
    return with;
}

exray_picture *xr_read_sensor(xr_scene *scene, const xr_chain *chain, size_t shows)
{
    const xr_reading *r = &chain->reading;
    bool unpadded = chain->shear.set && chain->shear.kind == XR_SHEAR_IGNORED;
    xr_decode_as as = {.format = r->format, .full_range = -1, .row_stride = unpadded ? 0 : -1};
    exray_picture *picture = xr_sensor_picture(scene->comparison, shows, &as, scene->sensor_slot, NULL);
    if (picture && r->kind == XR_READ_GAMMA)
        picture = replaced(picture, mapped(picture, r->gamma));
    if (picture && chain->shear.set && chain->shear.on_sensor && !unpadded)
        picture = replaced(picture, xr_shear_picture(&chain->shear, picture));
    return picture;
}

/* ---- Candidates ------------------------------------------------------------------------------ */

static bool is_one_of(const char *word, const char *const list[])
{
    for (size_t i = 0; list[i]; i++)
        if (strcmp(word, list[i]) == 0)
            return true;
    return false;
}

/* Other readings of what was recorded in `format`. */
static size_t list_readings(const char *format, xr_reading list[MOST])
{
    static const char *const yuv[] = {"nv12", "nv21", "i420", "yv12", "yuyv", "uyvy", NULL};
    static const char *const reduced[] = {"jpeg/2", "jpeg/4", "jpeg/8", NULL};
    static const char *const jpeg[] = {"jpeg", "", NULL};
    bool is_yuv = is_one_of(format, yuv);
    size_t count = 0;
    for (size_t i = 0; is_yuv && yuv[i]; i++)
        if (strcmp(yuv[i], format) != 0)
            list[count++] = (xr_reading){.kind = XR_READ_FORMAT, .format = yuv[i]};
    for (size_t i = 0; is_one_of(format, jpeg) && reduced[i]; i++)
        list[count++] = (xr_reading){.kind = XR_READ_REDUCED, .format = reduced[i]};
    return count;
}

/* ---- Trying them ------------------------------------------------------------------------------- */

/* Into the reference's unit. */
static void scale(const xr_chain *chain, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    float pixel[XR_FIT_CHANNELS];
    for (size_t i = 0; i < pixels; i++) {
        for (size_t c = 0; c < r->channels; c++)
            pixel[c] = r->v[c * pixels + i];
        for (size_t c = 0; c < r->channels; c++)
            r->v[c * pixels + i] = (float)(chain->gain[c] * (double)pixel[chain->from[c]] + chain->offset[c]);
    }
}

/* What a rendering of a reading leaves of the edge's input, whichever way up and in whichever
 * layout; or, `only` not NULL, as that one lies.  plain: with no gain and no offset beside it. */
static double rendering_left(xr_scene *scene, const xr_chain *chain, const xr_rendering *how,
                             const xr_found *only, bool plain)
{
    xr_fit_sums sums[2][XR_ORIENTATIONS];
    size_t turns = scene->width == scene->height ? 8 : 4, layouts = scene->channels > 1 ? 2 : 1, done = 0;
    double least = 1;
    memset(sums, 0, sizeof sums);
    for (size_t f = 0; f < FRAMES && f < scene->count; f++) {
        exray_picture *picture = xr_read_sensor(scene, chain, scene->frame[f].shows);
        xr_raster rendered = {0}, turned;
        if (picture && xr_render(picture, how, only ? only->orientation : 0, scene->width, scene->height,
                                 scene->channels, &rendered))
            done++;
        for (xr_orientation o = 0; rendered.v && o < turns; o++) {
            if ((only && o != only->orientation) || !xr_raster_orient(&rendered, only ? 0 : o, &turned))
                continue;
            if (plain)
                scale(chain, &turned);
            for (size_t l = 0; l < layouts; l++)
                if (turned.width == scene->width && (!only || only->layout == (l == 1)))
                    xr_sums_add(&sums[l][o], scene->channels, scene->frame[f].edge[l].v, turned.v, NULL,
                                scene->width * scene->height, STEP);
            xr_raster_free(&turned);
        }
        xr_raster_free(&rendered);
        exray_picture_free(picture);
    }
    for (size_t l = 0; done && l < layouts; l++)
        for (xr_orientation o = 0; o < turns; o++)
            if (sums[l][o].n > 0)
                least = fmin(least, plain ? xr_unexplained_plainly(&sums[l][o], scene->channels)
                                          : xr_unexplained_by_colour(&sums[l][o], scene->channels));
    return least;
}

static double reading_left(xr_scene *scene, xr_chain *chain, const xr_reading *reading, const xr_found *edge)
{
    chain->reading = *reading;
    return fmin(rendering_left(scene, chain, &edge->rendering, edge, false),
                rendering_left(scene, chain, &chain->base, NULL, false));
}

static double gamma_left(xr_scene *scene, xr_chain *chain, double gamma, const xr_found *edge, bool plain)
{
    chain->reading = (xr_reading){.kind = XR_READ_GAMMA, .gamma = gamma};
    return rendering_left(scene, chain, &edge->rendering, edge, plain);
}

/* The gamma that fits best, by halving steps. */
static double refine_gamma(xr_scene *scene, xr_chain *chain, const xr_found *edge, bool plain, double *gamma)
{
    double least = gamma_left(scene, chain, *gamma, edge, plain);
    double step = 0.12;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            double now = *gamma * (1 + sign * step), left = gamma_left(scene, chain, now, edge, plain);
            if (left < least) {
                least = left;
                *gamma = now;
            }
        }
    return least;
}

static double find_gamma(xr_scene *scene, xr_chain *chain, const xr_found *edge, xr_reading *best)
{
    static const double row[] = {0.4545, 0.6, 0.8, 1.25, 1.67, 2.2};
    double least = 1, gamma = 1;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        double left = gamma_left(scene, chain, row[i], edge, false);
        if (left < least) {
            least = left;
            gamma = row[i];
        }
    }
    double plain = gamma;
    least = refine_gamma(scene, chain, edge, false, &gamma);
    /* A line beside it hides what the gamma is: without one, if it does as well. */
    if (refine_gamma(scene, chain, edge, true, &plain) < xr_no_worse(least, scene->spread[EXRAY_SIDE_EDGE])) {
        gamma = plain;
        least = gamma_left(scene, chain, gamma, edge, false);
    }
    *best = (xr_reading){.kind = XR_READ_GAMMA, .gamma = gamma};
    return least;
}

static bool load_read_pictures(xr_scene *scene, const xr_chain *chain)
{
    bool ok = true;
    for (size_t f = 0; f < scene->count; f++) {
        xr_search_frame *s = &scene->frame[f];
        exray_picture_free(s->read);
        xr_area_free(&s->read_area);
        s->read = chain->reading.kind ? xr_read_sensor(scene, chain, s->shows) : NULL;
        if (s->read)
            ok = xr_area_of_picture(&s->read_area, s->read, scene->channels) && ok;
        else
            ok = ok && !chain->reading.kind;
    }
    return ok;
}

bool xr_find_reading(xr_scene *scene, xr_chain *chain, xr_found *edge)
{
    exray_media media = {0};
    xr_reading list[MOST], best = {0}, before = chain->reading;
    double least = 1;
    exray_picture_free(
        xr_sensor_picture(scene->comparison, scene->frame[0].shows, NULL, scene->sensor_slot, &media));
    size_t count = list_readings(media.format ? media.format : "", list);
    for (size_t i = 0; i < count; i++) {
        double left = reading_left(scene, chain, &list[i], edge);
        if (left < least * 0.95) {
            least = left;
            best = list[i];
        }
    }
    if (edge->left < CONVINCING) {
        xr_reading gamma = {0};
        double left = find_gamma(scene, chain, edge, &gamma);
        if (left < least * 0.95) {
            least = left;
            best = gamma;
        }
    }
    chain->reading = best;
    xr_found found;
    double now = xr_levels_of(scene, EXRAY_SIDE_EDGE, least),
           was = xr_levels_of(scene, EXRAY_SIDE_EDGE, edge->left);
    if (best.kind && least < CONVINCING && was > 1.3 * now + 0.25 && load_read_pictures(scene, chain) &&
        xr_find_rendering(scene, EXRAY_SIDE_EDGE, &chain->base, &found) &&
        was > 1.6 * xr_levels_of(scene, EXRAY_SIDE_EDGE, found.left) + 0.25) {
        *edge = found;
        return true;
    }
    chain->reading = before;
    load_read_pictures(scene, chain);
    return false;
}
