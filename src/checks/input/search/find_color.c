/* Colors that no order of channels and no map explains: other matrices, exchanged chroma, gray, gamma.
 * Each is tried as a function of a pixel, clipping included. */
#include "checks/input/search/find.h"

#include "checks/input/color/color_mixture.h"
#include "checks/input/color/known_colors.h"
#include "checks/input/search/apply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Trying them ------------------------------------------------------------------------------- */

/* Frames with the transform applied; conversions are tried on copies of them. */
typedef struct placed_frames {
    xr_raster edge[XR_SEARCH_FRAMES], reference[XR_SEARCH_FRAMES];
    size_t count;
} placed_frames;

/* Frames to which it is applied at the same time. */
typedef struct placing {
    const xr_input_pair *pair;
    const xr_transform *transform;
    size_t first;
    xr_applied applied[XR_SEARCH_FRAMES];
    bool ok[XR_SEARCH_FRAMES];
} placing;

static void place_one(void *user, size_t i)
{
    placing *w = user;
    size_t f = w->first + i;
    xr_input_pair lent;
    xr_placed p;
    exray_error error;
    w->applied[f] = (xr_applied){.pair = &lent, .transform = w->transform};
    w->ok[f] = xr_input_pair_lend(w->pair, &lent) &&
               xr_apply_transform(&w->applied[f], w->pair->frame[f].frame, &p, &error) == EXRAY_OK;
    xr_input_pair_return(&lent);
}

static void place_frames(xr_input_pair *pair, const xr_transform *transform, placed_frames *out)
{
    enum { MOST = 4 };
    placing w = {.pair = pair, .transform = transform};
    *out = (placed_frames){0};
    while (w.first < pair->count && out->count < MOST) {
        size_t left = pair->count - w.first, count = left < MOST - out->count ? left : MOST - out->count;
        exray_comparison_share(pair->comparison, count, place_one, &w);
        for (size_t end = w.first + count; w.first < end; w.first++) {
            if (!w.ok[w.first]) {
                xr_applied_free(&w.applied[w.first]);
                continue;
            }
            out->edge[out->count] = w.applied[w.first].edge;
            out->reference[out->count++] = w.applied[w.first].reference;
        }
    }
}

/* What is left free while a conversion is tried. */
typedef enum free_colors {
    ORDER_AND_MAP, /* the order of channels, with a gain and an offset each */
    ORDER_ALONE,
    NOTHING_FREE,
} free_colors;

/* The residual with transform->color. */
static double try_color(const xr_input_pair *pair, const xr_transform *transform, const placed_frames *frames,
                        free_colors freedom)
{
    xr_fit_sums sums = {0};
    enum { LEAST_STEP = 7, MOST_SAMPLES = 4000 };
    for (size_t f = 0; f < frames->count; f++) {
        const xr_raster *e = &frames->edge[f], *r = &frames->reference[f];
        size_t pixels = r->width * r->height, step = (pixels / MOST_SAMPLES) | 1;
        step = step < LEAST_STEP ? LEAST_STEP : step;
        size_t few = pixels / step;
        xr_raster edge, sample;
        bool ok = xr_raster_make(&edge, few, 1, r->channels);
        ok = xr_raster_make(&sample, few, 1, r->channels) && ok;
        for (size_t c = 0; ok && c < r->channels; c++)
            for (size_t i = 0; i < few; i++) {
                edge.v[c * few + i] = e->v[c * pixels + i * step];
                sample.v[c * few + i] = r->v[c * pixels + i * step];
            }
        if (ok) {
            xr_apply_color(&transform->color, &transform->unit, &sample);
            xr_sums_add(&sums, pair->channels, edge.v, sample.v, NULL, few, 1);
        }
        xr_raster_free(&edge);
        xr_raster_free(&sample);
    }
    return freedom == ORDER_AND_MAP ? xr_unexplained_by_order(&sums, pair->channels, NULL)
           : freedom == ORDER_ALONE ? xr_unexplained_plainly(&sums, pair->channels)
                                    : xr_unexplained_as_is(&sums, pair->channels);
}

/* Improves the gamma by steps that are halved. */
static double refine_gamma(const xr_input_pair *pair, xr_transform *transform, const placed_frames *frames,
                           free_colors freedom)
{
    double least = try_color(pair, transform, frames, freedom);
    double step = 0.1;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            xr_transform other = *transform;
            other.color.gamma *= 1 + sign * step;
            double residual = try_color(pair, &other, frames, freedom);
            if (residual < least) {
                least = residual;
                *transform = other;
            }
        }
    return least;
}

/* Edge channels that are one color in all frames (an alpha of 255), where the others are channels of the
 * reference. */
static bool find_channels(const xr_input_pair *pair, const xr_fit_sums *s, const xr_pixel_unit *unit,
                          xr_color_transform *out)
{
    double level = pair->fit->level[EXRAY_SIDE_EDGE];
    size_t constants = 0;
    *out = (xr_color_transform){.kind = XR_COLOR_CHANNELS};
    for (size_t c = 0; c < 3 && s->n > 0; c++) {
        double mean = s->edge[c] / s->n, variance = s->ee[c][c] / s->n - mean * mean;
        double own = s->rr[c][c] / s->n - (s->reference[c] / s->n) * (s->reference[c] / s->n);
        double least = INFINITY;
        size_t from = c;
        for (size_t k = 0; k < 3; k++) {
            /* The reference's channel in the unit of this place: the same pixels, normalized here. */
            double gain = unit->gain[c] / unit->gain[k], offset = unit->offset[c] - gain * unit->offset[k];
            double rest = s->ee[c][c] - 2 * gain * s->er[c][k] - 2 * offset * s->edge[c] +
                          gain * gain * s->rr[k][k] + 2 * gain * offset * s->reference[k] +
                          offset * offset * s->n;
            if (rest < least) {
                least = rest;
                from = k;
            }
        }
        if (variance < level * level / 4 && own > 16 * level * level) {
            double pixel = (mean - unit->offset[c]) / unit->gain[c];
            if (constants && fabs(pixel - out->constant) > 1)
                return false;
            out->constant = pixel;
            out->channel[unit->from[c]] = 3;
            constants++;
        } else if (least / s->n < 4 * level * level)
            out->channel[unit->from[c]] = unit->from[from];
        else
            return false;
    }
    return constants > 0 && constants < 3;
}

/* Conversions that are tried at the same time. */
typedef struct color_list {
    const xr_input_pair *pair;
    const xr_transform *transform;
    const placed_frames *frames;
    xr_color_transform color[XR_KNOWN_COLORS];
    double residual[XR_KNOWN_COLORS];
} color_list;

static void try_one(void *user, size_t i)
{
    color_list *list = user;
    xr_transform next = *list->transform;
    next.color = list->color[i];
    list->residual[i] = try_color(list->pair, &next, list->frames, ORDER_AND_MAP);
}

/* The best of the known conversions; returns what it leaves.  Of those that leave as little with a gain and
 * an offset, the one that needs neither, nor another order. */
static double best_conversion(const xr_input_pair *pair, xr_transform *next, const placed_frames *frames)
{
    color_list list = {.pair = pair, .transform = next, .frames = frames};
    xr_color_transform best = {0};
    double least = 2, spread = pair->spread[EXRAY_SIDE_EDGE], plainest = 2;
    size_t count = xr_known_colors(list.color);
    exray_comparison_share(pair->comparison, count, try_one, &list);
    for (size_t i = 0; i < count; i++) {
        double residual = list.residual[i];
        next->color = list.color[i];
        bool better = residual < least * 0.95;
        if (!better && residual > xr_no_worse(least, spread))
            continue;
        double plain = try_color(pair, next, frames, NOTHING_FREE);
        if (better && best.kind && least < xr_no_worse(residual, spread) && plain > plainest)
            continue;
        if (better || plain < 0.5 * plainest) {
            least = residual;
            plainest = plain;
            best = list.color[i];
        }
    }
    next->color = best;
    return least;
}

/* A mixture of the colors that no known conversion is: it has to leave little, as some of what other things
 * do to a picture is a mixture, too (of what decoders and kernels do, not a tenth). */
static double try_mixture(const xr_input_pair *pair, const xr_fit_sums *placed, double before, double least,
                          xr_transform *next, const placed_frames *frames)
{
    const double spread = pair->spread[EXRAY_SIDE_EDGE];
    xr_transform mixed = *next;
    if (xr_unexplained_by_color(placed, pair->channels) > 0.5 * fmin(before, least) ||
        !xr_fit_mixture(placed, &mixed.unit, &mixed.color))
        return least;
    double residual = try_color(pair, &mixed, frames, ORDER_AND_MAP);
    if (!xr_mixture_suffices(residual, before, spread) || least < xr_no_worse(residual, spread))
        return least;
    *next = mixed;
    return residual;
}

/* The sums of the pixels that are within the range of 8 bits on the edge; *beyond: the share at its ends.
 */
static xr_fit_sums sums_within(const xr_transform *transform, const placed_frames *frames, double *beyond)
{
    const double margin = 40; /* levels: a resize mixes what is clipped with its neighbors */
    const xr_pixel_unit *u = &transform->unit;
    xr_fit_sums sums = {0};
    double all = 0, clipped = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_raster *e = &frames->edge[f], *r = &frames->reference[f];
        const size_t pixels = e->width * e->height;
        for (size_t i = 0; i < pixels; i += 5) {
            double edge[XR_FIT_CHANNELS], reference[XR_FIT_CHANNELS], sum = 0;
            bool within = true, at_end = false;
            for (size_t c = 0; c < 3; c++) {
                edge[c] = e->v[c * pixels + i], reference[c] = r->v[c * pixels + i];
                const double pixel = (edge[c] - u->offset[c]) / u->gain[c];
                at_end = at_end || pixel < 0.5 || pixel > 254.5;
                within = within && pixel > margin && pixel < 255 - margin;
                sum += edge[c] + reference[c];
            }
            if (!isfinite(sum))
                continue;
            all++;
            clipped += at_end;
            if (within)
                xr_sums_add_pixel(&sums, 3, edge, reference, 1);
        }
    }
    *beyond = all > 0 ? clipped / all : 0;
    return sums;
}

/* A mixture that is clipped where it leaves the range of pixels. */
static double try_clipped_mixture(xr_input_pair *pair, double before, double least, xr_transform *next,
                                  const placed_frames *frames)
{
    static const double exact = 0.02, fewest = 0.005, most = 0.6;
    const double spread = pair->spread[EXRAY_SIDE_EDGE];
    double beyond;
    xr_transform mixed = *next;
    const xr_fit_sums within = sums_within(next, frames, &beyond);
    if (beyond < fewest || beyond > most || xr_unexplained_by_color(&within, 3) > exact ||
        !xr_fit_mixture(&within, &mixed.unit, &mixed.color))
        return least;
    mixed.color.clipped = true;
    const double residual = try_color(pair, &mixed, frames, NOTHING_FREE);
    /* Before a resize it leaves more after it. */
    if (residual < 0.6 * fmin(least, before))
        pair->late_color = mixed.color;
    if (residual > 0.25 * before || least < xr_no_worse(residual, spread))
        return least;
    *next = mixed;
    return residual;
}

/* The shares of the difference of pixels that is one of their largest and smallest channels, which a turn of
 * the hue leaves as they are. */
static double share_of_extremes(const xr_transform *transform, const placed_frames *frames)
{
    const xr_pixel_unit *u = &transform->unit;
    double extremes = 0, all = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_raster *side[2] = {&frames->edge[f], &frames->reference[f]};
        const size_t pixels = side[0]->width * side[0]->height;
        for (size_t i = 0; i < pixels; i += 5) {
            double most[2] = {-INFINITY, -INFINITY}, least[2] = {INFINITY, INFINITY}, pixel[2][3], sum = 0;
            for (int s = 0; s < 2; s++)
                for (size_t c = 0; c < 3; c++) {
                    pixel[s][c] = ((double)side[s]->v[c * pixels + i] - u->offset[c]) / u->gain[c];
                    most[s] = fmax(most[s], pixel[s][c]);
                    least[s] = fmin(least[s], pixel[s][c]);
                    sum += pixel[s][c];
                }
            if (!isfinite(sum))
                continue;
            extremes +=
                (most[0] - most[1]) * (most[0] - most[1]) + (least[0] - least[1]) * (least[0] - least[1]);
            for (size_t c = 0; c < 3; c++)
                all += (pixel[0][c] - pixel[1][c]) * (pixel[0][c] - pixel[1][c]);
        }
    }
    return all > 0 ? extremes / all : 1;
}

/* A turn of the hue, to a fraction of a degree. */
static double try_hue(const xr_input_pair *pair, double least, xr_transform *next,
                      const placed_frames *frames)
{
    enum { TURNS = 24, HALVINGS = 6 };
    const double spread = pair->spread[EXRAY_SIDE_EDGE];
    xr_transform turned = *next;
    double best = 2, step = 0.5 / TURNS;
    /* What rounding to 8 bits leaves of it is small beside what a hue moves. */
    if (share_of_extremes(next, frames) > 0.1)
        return least;
    turned.color = (xr_color_transform){.kind = XR_COLOR_HUE};
    xr_color_transform found = turned.color;
    for (int i = 1; i < TURNS; i++) {
        turned.color.turn = (double)i / TURNS;
        double residual = try_color(pair, &turned, frames, NOTHING_FREE);
        if (residual < best)
            best = residual, found = turned.color;
    }
    for (int k = 0; k < HALVINGS; k++, step /= 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            turned.color = found;
            turned.color.turn = fmod(found.turn + sign * step + 1, 1);
            double residual = try_color(pair, &turned, frames, NOTHING_FREE);
            if (residual < best)
                best = residual, found = turned.color;
        }
    if (best > 0.5 * least || least < xr_no_worse(best, spread))
        return least;
    next->color = found;
    return best;
}

bool xr_find_color(xr_input_pair *pair, xr_transform *transform)
{
    placed_frames frames;
    if (pair->channels != 3 || transform->color.kind || !xr_find_pixel_unit(pair, &transform->unit))
        return false;
    xr_transform next = *transform;
    xr_fit_sums placed = xr_transform_sums(pair, transform);
    double before = xr_unexplained_by_order(&placed, pair->channels, NULL);
    double spread = pair->spread[EXRAY_SIDE_EDGE];
    if (find_channels(pair, &placed, &transform->unit, &next.color)) {
        transform->color = next.color;
        transform->color.residual_without = 1;
        return true;
    }
    place_frames(pair, transform, &frames);
    double least = best_conversion(pair, &next, &frames);
    if (next.color.kind == XR_COLOR_GAMMA) {
        xr_transform plain = next;
        least = refine_gamma(pair, &next, &frames, ORDER_AND_MAP);
        /* A gain and an offset make the gamma uncertain: it is fitted without them if that is as good. */
        if (refine_gamma(pair, &plain, &frames, ORDER_ALONE) < xr_no_worse(least, spread)) {
            next = plain;
            least = try_color(pair, &plain, &frames, ORDER_AND_MAP);
        }
    }
    least = try_mixture(pair, &placed, before, least, &next, &frames);
    least = try_hue(pair, fmin(least, before), &next, &frames);
    least = try_clipped_mixture(pair, before, fmin(least, before), &next, &frames);
    for (size_t f = 0; f < frames.count; f++) {
        xr_raster_free(&frames.edge[f]);
        xr_raster_free(&frames.reference[f]);
    }
    double a = sqrt(least) * spread, b = sqrt(before) * spread; /* levels */
    if (frames.count == 0 || b < 1.8 * a + 0.4)
        return false;
    /* A gray picture has no color at all; with a larger residual it is something else. */
    if (next.color.kind == XR_COLOR_GRAY && a > fmax(0.25 * b, 2))
        return false;
    transform->color = next.color;
    transform->color.residual_without = before;
    return true;
}

/* ---- Gray inputs of a color sensor: which part of each color the sides' gray is --------------------- */

/* Shares of the variance that an exact rendering may leave; weights that differ by less are one. */
#define EXACT_GRAY 0.01
#define APART      0.05

enum { GRAY_WAYS = XR_GRAY_EXTREMES + 1 };

/* The sums of a side's gray and what it may be made of: the three colors; or one number of them. */
typedef struct gray_sums {
    xr_fit_sums of[GRAY_WAYS];
} gray_sums;

static bool is_gray(const xr_raster *r)
{
    const size_t pixels = r->width * r->height;
    for (size_t i = 0; r->channels == 3 && i < pixels; i++)
        if (r->v[i] != r->v[pixels + i] || r->v[i] != r->v[2 * pixels + i])
            return false;
    return r->channels == 1 || r->channels == 3;
}

/* Adds a side's gray pixels and the rendered colors. */
static void add_pixels(const xr_raster *gray, const xr_raster *colors, size_t step, gray_sums *sums)
{
    const size_t pixels = gray->width * gray->height;
    for (size_t i = 0; i < pixels; i += step) {
        const double g = gray->v[i];
        const double from[XR_FIT_CHANNELS] = {colors->v[i], colors->v[pixels + i], colors->v[2 * pixels + i]};
        const double to[XR_FIT_CHANNELS] = {g, g, g};
        if (!isfinite(g + from[0] + from[1] + from[2]))
            continue;
        const double most = fmax(fmax(from[0], from[1]), from[2]),
                     least = fmin(fmin(from[0], from[1]), from[2]), middle = (most + least) / 2;
        xr_sums_add_pixel(&sums->of[XR_GRAY_WEIGHTS], 3, to, from, 1);
        xr_sums_add_pixel(&sums->of[XR_GRAY_LARGEST], 1, to, &most, 1);
        xr_sums_add_pixel(&sums->of[XR_GRAY_SMALLEST], 1, to, &least, 1);
        xr_sums_add_pixel(&sums->of[XR_GRAY_EXTREMES], 1, to, &middle, 1);
    }
}

/* What the side's gray is made of, and what each way leaves of it; false: of nothing that is known.  Weights
 * first: they are the usual way. */
static bool gray_of(const gray_sums *sums, double left[GRAY_WAYS], xr_gray *out)
{
    double m[XR_FIT_CHANNELS][XR_FIT_CHANNELS], least = EXACT_GRAY;
    bool found = false;
    for (int way = 0; way < GRAY_WAYS; way++) {
        const xr_fit_sums *s = &sums->of[way];
        left[way] = !(s->n > 0)              ? 1
                    : way == XR_GRAY_WEIGHTS ? xr_unexplained_by_color(s, 3)
                                             : xr_unexplained_by_order(s, 1, NULL);
        if (!(left[way] <= least))
            continue;
        least = left[way] / 2;
        out->way = (xr_gray_way)way;
        found = true;
    }
    if (!found || out->way != XR_GRAY_WEIGHTS)
        return found;
    if (!xr_solve_color(&sums->of[XR_GRAY_WEIGHTS], 3, m))
        return false;
    const double sum = m[0][0] + m[0][1] + m[0][2];
    for (int k = 0; k < 3; k++)
        out->weight[k] = m[0][k] / sum;
    return isfinite(out->weight[0] + out->weight[1] + out->weight[2]);
}

/* Of two ways each side's must leave less of it than the other's does: of gray pictures all leave the same.
 */
static bool are_apart(const xr_gray gray[2], double left[2][GRAY_WAYS])
{
    double apart = 0;
    if (gray[0].way != gray[1].way)
        return left[0][gray[0].way] < left[0][gray[1].way] / 2 &&
               left[1][gray[1].way] < left[1][gray[0].way] / 2;
    for (int k = 0; k < 3; k++)
        apart = fmax(apart, fabs(gray[0].weight[k] - gray[1].weight[k]));
    return gray[0].way == XR_GRAY_WEIGHTS && apart > APART;
}

bool xr_find_gray_weights(xr_input_pair *pair, const xr_transform *transform, xr_gray gray[2])
{
    if (!pair->has_sensor)
        return false;
    for (size_t f = 0; f < pair->count; f++)
        if (!is_gray(&pair->frame[f].edge[0]) || !is_gray(&pair->frame[f].reference))
            return false;
    gray_sums *sums = calloc(2, sizeof *sums);
    for (size_t f = 0; sums && f < pair->count; f++) {
        const xr_search_frame *s = &pair->frame[f];
        xr_raster colors = {0};
        if (exray_picture_channels(s->picture) == 3 && xr_render(s->picture, &transform->resampling.reference,
                                                                 0, pair->width, pair->height, 3, &colors)) {
            add_pixels(&s->edge[0], &colors, xr_search_step(pair, 3), &sums[EXRAY_SIDE_EDGE]);
            add_pixels(&s->reference, &colors, xr_search_step(pair, 3), &sums[EXRAY_SIDE_REFERENCE]);
        }
        xr_raster_free(&colors);
    }
    memset(gray, 0, 2 * sizeof *gray);
    double left[2][GRAY_WAYS];
    const bool found = sums && gray_of(&sums[0], left[0], &gray[0]) && gray_of(&sums[1], left[1], &gray[1]) &&
                       are_apart(gray, left);
    free(sums);
    return found;
}
