#include "checks/input/search/search.h"

#include "checks/input/color/known_colors.h"
#include "checks/input/search/apply.h"
#include "checks/input/search/find.h"

#include <math.h>
#include <stdlib.h>

enum { SMALLEST = 16 }; /* width and height of an input */
/* Levels rms: with a smaller residual, no place, kernel or color is left to find; the second where even
 * small differences look like a kernel's (xr_input_pair.fine). */
#define FLOOR      0.8
#define FINE_FLOOR 0.2

static double levels_of(const xr_input_pair *pair, double residual)
{
    return xr_levels_of(pair, EXRAY_SIDE_EDGE, residual);
}

/* Whether anything was found: a step, or a property of the inputs that colors are judged with. */
static bool is_something(const xr_input_pair *pair, const xr_transform *transform)
{
    return pair->saturated || pair->clamped || pair->padded || transform->order.misplaced ||
           transform->layout || transform->sign_wrap.set || transform->turn.orientation ||
           transform->resampling.set || transform->crop.set || transform->color.kind ||
           transform->reading.set || transform->value_map.kind;
}

/* Whether the crop is another part of the picture: kernels shift it by less than a pixel, and roundings
 * of sizes by more in some frames only. */
static bool is_another_part(const xr_input_pair *pair, const xr_transform *transform)
{
    size_t far = 0, known = 0;
    for (size_t f = 0; f < transform->frames; f++) {
        const xr_part *m = &transform->crop.part[f];
        if (m->x1 <= m->x0)
            continue;
        double x = fmax(fabs(m->x0), fabs(m->x1 - 1)) * (double)pair->width;
        double y = fmax(fabs(m->y0), fabs(m->y1 - 1)) * (double)pair->height;
        far += fmax(x, y) > 1.2;
        known++;
    }
    return 2 * far > known || transform->layout;
}

/* Whether the value map explains all but a few pixels, which are on the other side of one of its
 * steps. */
static bool value_map_suffices(xr_input_pair *pair, const xr_transform *transform)
{
    double other = 0, all = 0;
    for (size_t f = 0; f < pair->count; f++) {
        xr_applied applied = {.pair = pair, .transform = transform};
        xr_placed p;
        exray_error error;
        if (xr_apply_transform(&applied, pair->frame[f].frame, &p, &error) == EXRAY_OK)
            for (size_t i = 0; i < p.channels * p.width * p.height; i++) {
                double difference = fabs((double)p.plane[0][i] - (double)p.plane[1][i]);
                other += difference > 1.5 * pair->fit->level[0];
                all += isfinite(difference);
            }
        xr_applied_free(&applied);
    }
    return other < 0.02 * all;
}

/* Every how many frames are used: long logs are sampled, with fewer frames where pictures take long to
 * decode. */
static size_t frame_interval(const xr_input_pair *pair, size_t frames)
{
    enum { MOST = 160, MOST_LARGE = 16 };
    size_t most = xr_input_pair_is_large(pair) ? MOST_LARGE : MOST;
    return frames > most ? (frames + most - 1) / most : 1;
}

static void drop_crop(xr_transform *transform)
{
    free(transform->crop.part);
    free(transform->crop.turn);
    transform->crop = (xr_crop){0};
}

/* Takes over a turn by some degrees that explains the edge far better; whether it did. */
static bool try_rotation(xr_input_pair *pair, xr_transform *transform)
{
    double before = transform->residual;
    xr_transform turned = *transform;
    turned.resampling.set = false;
    turned.decode = (xr_decode_variant){.kind = XR_DECODE_AS_RECORDED};
    if (xr_find_rotation(pair, &turned) && turned.residual < 0.3 * before && turned.residual < 0.05) {
        *transform = turned;
        return true;
    }
    drop_crop(&turned);
    return false;
}

/* Takes over a crop that explains the edge far better. */
static void try_crop(xr_input_pair *pair, xr_transform *transform)
{
    double before = transform->residual;
    xr_transform cropped = *transform;
    cropped.turn.runner_up_count = 0;
    if (xr_find_crop(pair, &cropped) && cropped.residual < 0.3 * before && cropped.residual < 0.1 &&
        is_another_part(pair, &cropped))
        *transform = cropped;
    else
        drop_crop(&cropped);
}

/* What is found before any place, kernel or color: values, signs, frames, padding.  False: no frame can be
 * searched. */
static bool prepare(xr_input_pair *pair, xr_transform *transform)
{
    *transform = xr_transform_none(exray_comparison_frame_count(pair->comparison));
    if (!xr_search_frames_load(pair, transform) || pair->width < SMALLEST || pair->height < SMALLEST)
        return false;
    xr_find_value_map(pair, transform);
    if (!transform->value_map.kind)
        xr_find_sign_wrap(pair, transform);
    xr_find_frame_order(pair, transform);
    if ((transform->sign_wrap.set || transform->order.misplaced || transform->value_map.kind ||
         pair->saturated) &&
        !xr_search_frames_load(pair, transform))
        return false;
    if (!transform->value_map.kind)
        xr_find_padding(pair);
    transform->every = frame_interval(pair, transform->frames);
    return true;
}

/* How the buffer is read, which part of the scene is shown and by which kernel; then the colors that are
 * left. */
static void search_place(xr_input_pair *pair, xr_transform *transform)
{
    /* What was misread before a resize is made from the sensor's picture more exactly, where there is one. */
    xr_transform otherwise = *transform;
    bool misread = xr_find_stride(pair, &otherwise);
    bool resized = misread && pair->has_sensor &&
                   (otherwise.reading.kind == XR_READ_EXCHANGED || otherwise.residual > XR_EXACT_READING);
    bool by_sensor = false;
    if (!misread || resized) {
        by_sensor = pair->has_sensor && xr_find_rendering(pair, transform);
        if (transform->unit.measured && (!by_sensor || transform->residual > 0.1) &&
            xr_find_sensor_stride(pair, transform))
            by_sensor = true;
    }
    /* A part that no rendering shows may still be found without the sensor. */
    bool poor = by_sensor && !transform->resampling.set && transform->residual > 0.05;
    if (misread && (!resized || transform->residual > otherwise.residual))
        *transform = otherwise;
    else if ((!by_sensor || poor) && transform->residual > 0.004 && !try_rotation(pair, transform))
        try_crop(pair, transform);
    xr_find_color(pair, transform);
}

/* What is left with any order of channels, levels rms. */
static double remaining_levels(xr_input_pair *pair, const xr_transform *transform)
{
    xr_fit_sums sums = xr_transform_sums(pair, transform);
    return levels_of(pair, xr_unexplained_by_order(&sums, pair->channels, NULL));
}

/* Whether a conversion of the colors after the resize leaves little, *levels.  A gamma may have been before
 * it as well, which the sensor's pictures tell. */
static bool find_late_color(xr_input_pair *pair, const xr_transform *transform, xr_transform *colored,
                            double *levels)
{
    *colored = *transform;
    if (!xr_find_color(pair, colored) || !xr_is_nonlinear(&colored->color))
        return false;
    pair->late_color = colored->color;
    *levels = remaining_levels(pair, colored);
    bool either = colored->color.kind == XR_COLOR_GAMMA && pair->has_sensor;
    return *levels < (either ? FLOOR / 2 : 2 * FLOOR);
}

bool xr_search(xr_input_pair *pair, xr_transform *transform)
{
    xr_transform colored;
    double levels = INFINITY;
    if (!prepare(pair, transform))
        return false;
    if (transform->value_map.kind && value_map_suffices(pair, transform)) {
        transform->value_map.suffices = true;
        return true;
    }
    xr_find_orientation(pair, transform);
    if (levels_of(pair, transform->residual) < (pair->fine ? FINE_FLOOR : FLOOR)) {
        xr_find_color(pair, transform);
        return is_something(pair, transform);
    }
    bool late = find_late_color(pair, transform, &colored, &levels);
    if (!late || (pair->has_sensor && levels > FLOOR / 2))
        search_place(pair, transform);
    else
        *transform = colored;
    if (late && transform->color.kind != colored.color.kind && levels < remaining_levels(pair, transform)) {
        drop_crop(transform);
        *transform = colored;
    }
    return is_something(pair, transform);
}
