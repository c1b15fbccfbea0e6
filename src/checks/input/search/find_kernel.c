/* By which kernel, and from which part of the sensor's picture to the pixel, an input was made: renders
 * the candidates with the functions that pipelines use. */
#include "checks/input/search/find.h"

#include <math.h>
#include <string.h>

enum { EXACT_FRAMES = 3, KERNELS = 17, USUAL_KERNELS = 6, FINALISTS = 6, SHIFT_LIMIT = 12 };

/* Levels rms: a rendering with a smaller residual is the one that was used. */
#define EXACT 0.35

/* A smaller one is no other kernel's. */
#define SURE 0.1

/* Residual at which no pixel more or less, and no other kernel, makes the picture the input. */
#define HOPELESS 0.5
/* Residual at which one frame, or the usual kernels, say so for the rest. */
#define NOTHING_LIKE 0.8

static const struct {
    exray_filter filter;
    exray_sampling sampling;
} kernels[KERNELS] = {
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_AREA, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_AREA, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_ALIGN_CORNERS},
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_ASYMMETRIC},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_EXACT},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_ALIGN_CORNERS},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_ALIGN_CORNERS},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_ASYMMETRIC},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_ASYMMETRIC},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_SUMMED},
    {EXRAY_FILTER_LANCZOS, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_HAMMING, EXRAY_SAMPLING_ANTIALIAS},
};

/* A rendering of a searched frame beside the side's input: of the sample's rows alone, where there is one.
 * Adds to the sums; false: it cannot be rendered. */
static bool add_rendering(const xr_input_pair *pair, size_t frame, exray_side side, bool layout,
                          xr_orientation orientation, const xr_rendering *how, const xr_row_sample *sample,
                          xr_fit_sums *sums)
{
    const xr_search_frame *s = &pair->frame[frame];
    const xr_raster *input = side == EXRAY_SIDE_EDGE ? &s->edge[layout] : &s->reference;
    const exray_picture *picture = xr_search_picture(s, side);
    xr_raster rendered;
    bool ok;
    if (sample) {
        input = &sample->input[frame];
        ok = xr_render_rows(picture, how, sample->width, sample->height, pair->channels, sample->row,
                            sample->count, &rendered);
    } else
        ok = xr_render(picture, how, orientation, pair->width, pair->height, pair->channels, &rendered);
    if (ok)
        xr_sums_add(sums, pair->channels, input->v, rendered.v, NULL, input->width * input->height, 1);
    xr_raster_free(&rendered);
    return ok;
}

/* Renderings of several frames at the same time. */
typedef struct rendered_frames {
    const xr_input_pair *pair;
    exray_side side;
    bool layout;
    xr_orientation orientation;
    const xr_rendering *how;
    const xr_row_sample *sample;
    xr_fit_sums sums[XR_SEARCH_FRAMES];
    bool ok[XR_SEARCH_FRAMES];
    size_t first;
} rendered_frames;

static void add_one(void *user, size_t i)
{
    rendered_frames *r = user;
    size_t f = r->first + i;
    r->ok[f] = add_rendering(r->pair, f, r->side, r->layout, r->orientation, r->how, r->sample, &r->sums[f]);
}

/* sample may be NULL. */
static double sampled_residual(xr_input_pair *pair, exray_side side, bool layout, xr_orientation orientation,
                               const xr_rendering *how, const xr_row_sample *sample, xr_fit_sums *out)
{
    xr_fit_sums sums = {0};
    size_t frames = xr_input_pair_is_large(pair) ? 1
                    : pair->count < EXACT_FRAMES ? pair->count
                                                 : EXACT_FRAMES;
    rendered_frames r = {.pair = pair,
                         .side = side,
                         .layout = layout,
                         .orientation = orientation,
                         .how = how,
                         .sample = sample};
    for (size_t f = 0; f < pair->count;) {
        double levels = xr_levels_of(pair, side, xr_unexplained_by_color(&sums, pair->channels));
        /* What is nothing like the first frame is no rendering of the others. */
        if (f > 0 && xr_unexplained_by_color(&sums, pair->channels) > NOTHING_LIKE)
            break;
        /* What is exact on a few frames is verified on all: their sizes are rounded in other ways. */
        if (f >= frames && levels > EXACT)
            break;
        size_t end = f == 0 ? 1 : f < frames ? frames : f + 1;
        r.first = f;
        exray_comparison_share(pair->comparison, end - f, add_one, &r);
        for (; f < end; f++) {
            if (!r.ok[f])
                return 1;
            xr_sums_join(&sums, &r.sums[f]);
        }
    }
    if (out)
        *out = sums;
    return xr_unexplained_by_color(&sums, pair->channels);
}

double xr_rendering_residual(xr_input_pair *pair, exray_side side, bool layout, xr_orientation orientation,
                             const xr_rendering *how, xr_fit_sums *out)
{
    return sampled_residual(pair, side, layout, orientation, how, NULL, out);
}

typedef struct rendering_trial {
    xr_input_pair *pair;
    exray_side side;
    bool layout;
    xr_orientation orientation;
    const xr_rendering *prior;   /* the other side's rendering, or NULL */
    const xr_row_sample *sample; /* the rows that are looked at; NULL: all */
} rendering_trial;

static double residual_by(const rendering_trial *a, const xr_rendering *how)
{
    const xr_row_sample *sample = how->turned_first ? NULL : a->sample;
    return sampled_residual(a->pair, a->side, a->layout, a->orientation, how, sample, NULL);
}

static bool is_exact(const rendering_trial *a, double residual)
{
    return xr_levels_of(a->pair, a->side, residual) < EXACT;
}

/* Notes a rendering that was tried: the best one, and the best by another kernel, are kept. */
static void note(xr_rendering_fit *found, const xr_rendering *tried, double residual)
{
    bool same = xr_same_kernel(tried, &found->rendering);
    if (residual < found->residual) {
        if (!same) {
            found->runner_up = found->rendering;
            found->runner_up_residual = found->residual;
        }
        found->rendering = *tried;
        found->residual = residual;
    } else if (!same && residual < found->runner_up_residual) {
        found->runner_up = *tried;
        found->runner_up_residual = residual;
    }
}

/* ---- Fractions --------------------------------------------------------------------------------- */

/* Tries a fraction, and keeps it if it is better. */
static void try_fraction(const rendering_trial *a, xr_rendering *best, double *residual, double fx, double fy)
{
    xr_rendering next = *best;
    next.geometry.fx = fmin(fmax(fx, 0.01), 1);
    next.geometry.fy = fmin(fmax(fy, 0.01), 1);
    if (next.geometry.fx == best->geometry.fx && next.geometry.fy == best->geometry.fy)
        return;
    double now = residual_by(a, &next);
    if (now < *residual) {
        *residual = now;
        *best = next;
    }
}

/* Tries fractions nearby that people write: round ones, and those of round sizes in pixels. */
static void exact_fractions(const rendering_trial *a, xr_rendering *best, double *residual)
{
    double fx = best->geometry.fx, fy = best->geometry.fy;
    if (best->geometry.kind == XR_LETTERBOX)
        return;
    bool same = best->geometry.kind == XR_SQUARE || fabs(fx - fy) < 0.004;
    double nearest = floor(fx * 40 + 0.5) / 40;
    if (fabs(nearest - fx) < 0.008)
        try_fraction(a, best, residual, nearest, same ? nearest : floor(fy * 40 + 0.5) / 40);
    double side = (double)a->pair->width, resized = floor(side / fx / 16 + 0.5) * 16;
    if (resized >= side && fabs(side / resized - fx) < 0.008)
        try_fraction(a, best, residual, side / resized, same ? side / resized : fy);
    if (is_exact(a, *residual))
        return;
    for (int k = -2; k <= 2; k++) {
        double round = (floor(fx * 200 + 0.5) + k) / 200;
        try_fraction(a, best, residual, round, same ? round : fy);
    }
    double around = best->geometry.fx;
    for (int k = -1; k <= 1; k += 2) {
        double next = around + k * 0.0017;
        try_fraction(a, best, residual, next, same ? next : fy);
    }
}

/* The roundest fraction nearby. */
static double round_fraction(double f)
{
    double coarse_round = floor(f * 40 + 0.5) / 40;
    return fmin(fabs(coarse_round - f) < 0.006 ? coarse_round : floor(f * 200 + 0.5) / 200, 1);
}

/* Renderings that are tried at the same time. */
typedef struct rendering_list {
    const rendering_trial *trial;
    xr_rendering how[KERNELS];
    double residual[KERNELS];
    size_t count;
} rendering_list;

static void try_one(void *user, size_t i)
{
    rendering_list *list = user;
    list->residual[i] = residual_by(list->trial, &list->how[i]);
}

static void try_list(rendering_list *list)
{
    exray_comparison_share(list->trial->pair->comparison, list->count, try_one, list);
}

/* ---- Whole pixels ------------------------------------------------------------------------------ */

/* Shifts the part by whole pixels as long as that is better. */
static void exact_shifts(const rendering_trial *a, const xr_rendering *start, xr_rendering_fit *found)
{
    xr_rendering best = *start;
    double least = residual_by(a, start);
    for (int rounds = 0; rounds < SHIFT_LIMIT && !is_exact(a, least); rounds++) {
        rendering_list list = {.trial = a, .count = 4};
        double before = least;
        for (int p = 0; p < 4; p++) {
            list.how[p] = best;
            list.how[p].geometry.dx += p == 0 ? 1 : p == 1 ? -1 : 0;
            list.how[p].geometry.dy += p == 2 ? 1 : p == 3 ? -1 : 0;
        }
        try_list(&list);
        for (int p = 0; p < 4; p++)
            if (list.residual[p] < least) {
                least = list.residual[p];
                best = list.how[p];
            }
        if (least >= before * 0.999)
            break;
    }
    note(found, &best, least);
}

/* The size that all pictures have; false: they have several. */
static bool common_size(const rendering_trial *a, double *width, double *height)
{
    for (size_t f = 0; f < a->pair->count; f++) {
        const exray_picture *p = xr_search_picture(&a->pair->frame[f], a->side);
        double w = exray_picture_width(p), h = exray_picture_height(p);
        if (f && (w != *width || h != *height))
            return false;
        *width = w, *height = h;
    }
    return a->pair->count > 0;
}

/* A part in whole pixels of a picture, its place told by the middle. */
static xr_geometry part_in_pixels(double width, double height, const double border[4])
{
    const double w = border[1] - border[0], h = border[3] - border[2];
    return (xr_geometry){.kind = XR_RECTANGLE,
                         .fx = w / width,
                         .fy = h / height,
                         .ax = 0.5,
                         .ay = 0.5,
                         .dx = border[0] - floor((width - w) / 2),
                         .dy = border[2] - floor((height - h) / 2)};
}

/* Cut out by numbers of pixels, which are no round share of the picture's: the borders (left, right, top,
 * bottom) are moved by whole ones as long as that is better. */
static void exact_borders(const rendering_trial *a, const xr_rendering *start, xr_rendering_fit *found)
{
    enum { MOVES = 8 };
    xr_rendering best = *start;
    double width, height, border[4];
    if (best.geometry.kind != XR_RECTANGLE || !common_size(a, &width, &height))
        return;
    const xr_part part =
        xr_geometry_part(&best.geometry, width, height, (double)a->pair->width, (double)a->pair->height);
    const double at[4] = {part.x0 * width, part.x1 * width, part.y0 * height, part.y1 * height};
    for (int i = 0; i < 4; i++)
        border[i] = floor(at[i] + 0.5);
    best.resize_first = XR_CROP_FIRST;
    best.geometry = part_in_pixels(width, height, border);
    double least = residual_by(a, &best);
    for (int rounds = 0; rounds < 2 * SHIFT_LIMIT && !is_exact(a, least); rounds++) {
        rendering_list list = {.trial = a, .count = MOVES};
        int chosen = -1;
        for (int m = 0; m < MOVES; m++) {
            double moved[4];
            memcpy(moved, border, sizeof moved);
            moved[m / 2] += m & 1 ? -1 : 1;
            list.how[m] = best;
            if (moved[m / 2] >= 0 && moved[m / 2] <= (m < 4 ? width : height) && moved[1] > moved[0] &&
                moved[3] > moved[2])
                list.how[m].geometry = part_in_pixels(width, height, moved);
        }
        try_list(&list);
        for (int m = 0; m < MOVES; m++)
            if (list.residual[m] < least * 0.999) {
                least = list.residual[m];
                chosen = m;
            }
        if (chosen < 0)
            break;
        border[chosen / 2] += chosen & 1 ? -1 : 1;
        best = list.how[chosen];
    }
    note(found, &best, least);
}

/* The rendering that was found, with the kernel of the other side. */
static xr_rendering with_prior_kernel(const rendering_trial *a, const xr_rendering_fit *found)
{
    xr_rendering r = found->rendering;
    r.filter = a->prior->filter;
    r.sampling = a->prior->sampling;
    return r;
}

/* Tries all kernels with one geometry. */
static void exact_kernels(const rendering_trial *a, const xr_geometry *geometry, unsigned char resize_first,
                          xr_rendering_fit *found, double residual[KERNELS])
{
    for (size_t k = 0; k < KERNELS; k++)
        residual[k] = 2;
    for (size_t from = 0; from < KERNELS && !(from > 0 && found->residual > NOTHING_LIKE);) {
        rendering_list list = {.trial = a};
        size_t end = from == 0 ? USUAL_KERNELS : KERNELS;
        for (size_t k = from; k < end; k++)
            list.how[list.count++] = (xr_rendering){.geometry = *geometry,
                                                    .filter = kernels[k].filter,
                                                    .sampling = kernels[k].sampling,
                                                    .resize_first = resize_first,
                                                    .pad = NAN};
        try_list(&list);
        for (size_t i = 0; i < list.count; i++) {
            residual[from + i] = list.residual[i];
            note(found, &list.how[i], list.residual[i]);
        }
        from = end;
    }
}

/* Resizes the whole picture, then cuts the part out, with all roundings of size and middle. */
static void exact_resize_first(const rendering_trial *a, xr_rendering_fit *found)
{
    enum { ORDERS = 4 };
    static const unsigned char orders[ORDERS] = {XR_RESIZE_FIRST, XR_RESIZE_FIRST | XR_RESIZE_ROUNDED,
                                                 XR_RESIZE_FIRST | XR_RESIZE_FLOORED,
                                                 XR_RESIZE_FIRST | XR_RESIZE_ROUNDED | XR_RESIZE_FLOORED};
    static const signed char shift_x[] = {0, -1, 1, 0, 0, -1, 1, -1, 1},
                             shift_y[] = {0, 0, 0, -1, 1, -1, -1, 1, 1};
    double residual[KERNELS];
    xr_geometry part = found->rendering.geometry;
    if (part.kind == XR_LETTERBOX || part.fx >= 0.995)
        return;
    if (!part.in_target) { /* from pixels of the picture to pixels of the resized one */
        const exray_picture *p = xr_search_picture(&a->pair->frame[0], a->side);
        double shorter = fmin(exray_picture_width(p), exray_picture_height(p));
        double scale = (double)a->pair->width / (part.fx * shorter);
        part.dx = floor(part.dx * scale + 0.5);
        part.dy = floor(part.dy * scale + 0.5);
        part.in_target = true;
    }
    xr_rendering best = found->rendering;
    double least = 2;
    /* At a wrong place another kernel may be the nearest: the second one is tried, too. */
    const xr_rendering tried[] = {found->rendering, found->runner_up,
                                  a->prior ? with_prior_kernel(a, found) : found->rendering};
    const bool is_new[] = {true, found->runner_up_residual < 1, a->prior != NULL};
    for (int kernel = 0; kernel < 3; kernel++)
        for (int order = 0; order < ORDERS && is_new[kernel]; order++)
            for (int shift = 0; shift < (order & 2 ? 9 : 1) && !is_exact(a, least); shift++) {
                xr_rendering next = tried[kernel];
                next.geometry = part;
                next.geometry.dx += shift_x[shift];
                next.geometry.dy += shift_y[shift];
                next.resize_first = orders[order];
                double now = residual_by(a, &next);
                if (now < least) {
                    least = now;
                    best = next;
                }
            }
    note(found, &best, least);
    if (!is_exact(a, found->residual))
        exact_kernels(a, &best.geometry, best.resize_first, found, residual);
}

/* ---- All of it --------------------------------------------------------------------------------- */

/* Tries a part whose size is rounded down. */
static void exact_floored(const rendering_trial *a, xr_rendering_fit *found)
{
    for (int kernel = 0; kernel < (a->prior ? 2 : 1) && !is_exact(a, found->residual); kernel++) {
        xr_rendering next = kernel ? with_prior_kernel(a, found) : found->rendering;
        next.geometry.floored = true;
        exact_shifts(a, &next, found);
    }
}

/* Tries a picture that is turned before the part is cut out. */
static bool exact_turned_first(const rendering_trial *a, xr_rendering_fit *found)
{
    for (int kernel = 0; a->orientation && kernel < (a->prior ? 2 : 1); kernel++) {
        xr_rendering next = kernel ? with_prior_kernel(a, found) : found->rendering;
        next.turned_first = true;
        note(found, &next, residual_by(a, &next));
    }
    return is_exact(a, found->residual);
}

/* Finds the rendering from a coarse place on: the usual variants first, until one is exact. */
static void find_exact_from(const rendering_trial *trial, const xr_place *g, xr_rendering_fit *found)
{
    rendering_trial a = *trial;
    const xr_rendering *prior = a.prior;
    xr_geometry start = g->geometry;
    double residual[KERNELS];
    if (start.kind != XR_LETTERBOX) {
        bool same = start.kind == XR_SQUARE || fabs(start.fx - start.fy) < 0.004;
        start.fx = round_fraction(start.fx);
        start.fy = same ? start.fx : round_fraction(start.fy);
    }
    *found = (xr_rendering_fit){.rendering = {.geometry = start, .pad = NAN},
                                .orientation = g->orientation,
                                .layout = g->layout != 0,
                                .residual = 2,
                                .runner_up_residual = 2};
    exact_kernels(&a, &start, XR_CROP_FIRST, found, residual);
    if (start.kind == XR_LETTERBOX || is_exact(&a, found->residual) || found->residual > HOPELESS)
        return;
    /* The other side's rendering of the turned picture: where the room beside the part is odd, its middle is
     * rounded to the other side then, which is a pixel in some frames. */
    if (prior && a.orientation) {
        xr_rendering turned = *prior;
        turned.turned_first = true;
        turned.pad = NAN;
        note(found, &turned, residual_by(&a, &turned));
        if (is_exact(&a, found->residual))
            return;
    }
    /* The other side's rendering, shifted. */
    if (prior && prior->geometry.kind == start.kind && !prior->resize_first) {
        xr_rendering moved = *prior;
        moved.geometry.dx = start.in_target ? 0 : start.dx;
        moved.geometry.dy = start.in_target ? 0 : start.dy;
        moved.pad = NAN;
        exact_shifts(&a, &moved, found);
        if (is_exact(&a, found->residual))
            return;
    }
    /* Fraction and kernel depend on each other, so each of the better kernels gets its own fraction. */
    for (int i = 0; i < FINALISTS; i++) {
        size_t k = 0;
        for (size_t j = 1; j < KERNELS; j++)
            k = residual[j] < residual[k] ? j : k;
        xr_rendering best = {
            .geometry = start, .filter = kernels[k].filter, .sampling = kernels[k].sampling, .pad = NAN};
        double now = residual[k];
        residual[k] = 2;
        exact_fractions(&a, &best, &now);
        note(found, &best, now);
        /* A kernel that is like another is nearly exact at a fraction beside its own. */
        if (xr_levels_of(a.pair, a.side, found->residual) < SURE)
            return;
    }
    if (is_exact(&a, found->residual) || exact_turned_first(&a, found))
        return;
    xr_rendering from = found->rendering;
    exact_shifts(&a, &from, found);
    if (prior && !is_exact(&a, found->residual)) {
        from = with_prior_kernel(&a, found);
        exact_shifts(&a, &from, found);
    }
    if (is_exact(&a, found->residual))
        return;
    from = prior ? with_prior_kernel(&a, found) : found->rendering;
    exact_borders(&a, &from, found);
    if (is_exact(&a, found->residual))
        return;
    exact_floored(&a, found);
    if (is_exact(&a, found->residual))
        return;
    xr_geometry part = found->rendering.geometry;
    exact_kernels(&a, &part, XR_CROP_FIRST, found, residual);
    if (!is_exact(&a, found->residual))
        exact_resize_first(&a, found);
}

static double snap(double a)
{
    static const double usual[] = {0.5, 0, 1};
    for (size_t i = 0; i < 3; i++)
        if (fabs(a - usual[i]) < 0.12)
            return usual[i];
    return a;
}

/* Snaps a place to the middle or a border that it is near: another kernel looks like a shift of a
 * pixel. */
static xr_place snap_place(const xr_place *g)
{
    enum { NEAR = 2 };
    xr_place snapped = *g;
    snapped.geometry.ax = snap(g->geometry.ax);
    snapped.geometry.ay = snap(g->geometry.ay);
    if (fabs(g->geometry.dx) <= NEAR && fabs(g->geometry.dy) <= NEAR)
        snapped.geometry.dx = snapped.geometry.dy = 0;
    return snapped;
}

/* A kernel that moves the picture by a part of a pixel (nearest) looks like another part, or like a
 * letterbox: every kernel is tried with the other side's part, or with the whole picture, and must be exact.
 */
static void find_exact_kernel(const rendering_trial *a, const xr_place *g, xr_rendering_fit *found)
{
    static const xr_geometry whole = {.kind = XR_RECTANGLE, .fx = 1, .fy = 1, .ax = 0.5, .ay = 0.5};
    const xr_geometry *geometry = a->prior ? &a->prior->geometry : &whole;
    double residual[KERNELS];
    xr_rendering_fit other = {.rendering = {.geometry = *geometry, .pad = NAN},
                              .orientation = g->orientation,
                              .layout = g->layout != 0,
                              .residual = 2,
                              .runner_up_residual = 2};
    exact_kernels(a, geometry, a->prior ? a->prior->resize_first : XR_CROP_FIRST, &other, residual);
    if (is_exact(a, other.residual))
        *found = other;
}

/* Snapped first; from the place as it is where that is not exact. */
static void find_exact(const rendering_trial *a, const xr_place *g, xr_rendering_fit *found)
{
    xr_place snapped = snap_place(g);
    xr_rendering_fit other;
    find_exact_from(a, &snapped, found);
    if (!is_exact(a, found->residual) && !xr_geometry_equal(&snapped.geometry, &g->geometry)) {
        find_exact_from(a, g, &other);
        if (other.residual < 0.7 * found->residual)
            *found = other;
    }
    if (!is_exact(a, found->residual) && found->residual < NOTHING_LIKE)
        find_exact_kernel(a, g, found);
}

/* Measures what a sample has found on all rows. */
static void measure_found(const rendering_trial *whole, xr_rendering_fit *found)
{
    bool both = found->runner_up_residual < 2;
    rendering_list list = {
        .trial = whole, .how = {found->rendering, found->runner_up}, .count = both ? 2 : 1};
    try_list(&list);
    found->residual = list.residual[0];
    if (!both)
        return;
    found->runner_up_residual = list.residual[1];
    if (found->runner_up_residual < found->residual) {
        xr_rendering_fit was = *found;
        found->rendering = was.runner_up;
        found->residual = was.runner_up_residual;
        found->runner_up = was.rendering;
        found->runner_up_residual = was.residual;
    }
}

/* By a sample of the rows first; what that calls exact must be so on all. */
static void find_by_sample(const rendering_trial *whole, const xr_place *g, xr_rendering_fit *found)
{
    xr_row_sample sample;
    rendering_trial a = *whole;
    bool sampled = xr_search_rows(a.pair, a.side, a.layout, a.orientation, &sample), exact = false;
    if (sampled) {
        a.sample = &sample;
        find_exact(&a, g, found);
        exact = is_exact(&a, found->residual);
        measure_found(whole, found);
        xr_row_sample_free(&sample);
    }
    if (!sampled || (exact && !is_exact(whole, found->residual)))
        find_exact(whole, g, found);
}

bool xr_find_kernel(xr_input_pair *pair, exray_side side, const xr_rendering *prior, xr_rendering_fit *found)
{
    xr_place place;
    double by_orientation[XR_ORIENTATIONS];
    if (!xr_find_place(pair, side, prior, &place, by_orientation))
        return false;
    const rendering_trial whole = {.pair = pair,
                                   .side = side,
                                   .layout = place.layout != 0,
                                   .orientation = place.orientation,
                                   .prior = prior};
    find_by_sample(&whole, &place, found);
    memcpy(found->by_orientation, by_orientation, sizeof by_orientation);
    return true;
}
