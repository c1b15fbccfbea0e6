#include "checks/input/exact/find_exact.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Differences of this many levels are none; a picture of a smaller range is but a dither. */
#define SAME    1e-3
#define SEEN    0.02
#define CONTENT 1.5
/* What a change may leave of the squared difference, where it is not exact; of one row alone. */
#define LEFT        (1.0 / 16)
#define LEFT_OF_ROW (1.0 / 4)
/* Of a mixture of colors: what rounding leaves of a value, in how many of them it may leave more (of a
 * decoder), and what must differ by more than rounding on both sides makes. */
#define ROUNDED 1.05
#define ODD     1e-3
#define BEYOND  2.05
/* Values that must differ in a frame: by chance noise of a level makes one of them in every second case. */
enum { LEAST_DIFFERING = 64, FARTHEST = 8, NEARBY = 8, FITTED = 8 };

typedef struct two_rasters {
    xr_raster edge, reference;
    size_t pixels;
    double level, reference_level; /* the coarser side's; the reference's */
} two_rasters;

static void free_both(two_rasters *b)
{
    xr_raster_free(&b->edge);
    xr_raster_free(&b->reference);
}

static bool read_both(xr_input_pair *pair, size_t frame, two_rasters *b)
{
    *b = (two_rasters){.level = fmax(pair->fit->level[0], pair->fit->level[1]),
                       .reference_level = pair->fit->level[EXRAY_SIDE_REFERENCE]};
    const bool ok = xr_input_raster(pair, EXRAY_SIDE_EDGE, frame, false, NULL, &b->edge) &&
                    xr_input_raster(pair, EXRAY_SIDE_REFERENCE, frame, false, NULL, &b->reference) &&
                    b->edge.width == b->reference.width && b->edge.height == b->reference.height &&
                    b->edge.channels == b->reference.channels && b->edge.channels <= XR_FIT_CHANNELS;
    b->pixels = ok ? b->edge.width * b->edge.height : 0;
    if (!ok)
        free_both(b);
    return ok;
}

/* ---- One change, on one frame ------------------------------------------------------------------ */

/* Sums of squared differences in levels, over values that are known on both sides under a change. */
typedef struct exact_sums {
    double own, with;           /* as it is; under the change */
    double farthest;            /* under the change */
    size_t differing;           /* values, as it is */
    size_t values, beyond, odd; /* all; more than BEYOND away as it is, than ROUNDED under the change */
} exact_sums;

/* What the change makes of the reference at a place; NAN where that is not known. */
static double changed_value(const two_rasters *b, const xr_exact_change *k, size_t c, size_t x, size_t y)
{
    const xr_raster *r = &b->reference;
    const size_t width = r->width;
    if (k->kind == XR_EXACT_TURNED) {
        const double v =
            (double)r->v[c * b->pixels + xr_orientation_source(x, y, width, r->height, k->orientation)];
        return k->mapped ? k->gain[c] * v + k->offset[c] : v;
    }
    if (k->kind == XR_EXACT_CHANNEL)
        return k->gain[c] * (double)r->v[k->channel * b->pixels + y * width + x] + k->offset[c];
    if (k->kind == XR_EXACT_MIXTURE) {
        double sum = k->offset[c];
        for (size_t j = 0; j < r->channels; j++)
            sum += k->mixture[c][j] * (double)r->v[j * b->pixels + y * width + x];
        return sum;
    }
    long from_x = (long)x + k->dx, from_y = (long)y + k->dy;
    if (k->wrapped && (from_x < 0 || from_x >= (long)width)) {
        from_y += from_x < 0 ? -1 : 1;
        from_x += from_x < 0 ? (long)width : -(long)width;
    }
    if (from_x < 0 || from_y < 0 || from_x >= (long)width || from_y >= (long)r->height)
        return NAN;
    return (double)r->v[c * b->pixels + (size_t)from_y * width + (size_t)from_x];
}

/* Adds a row; false, as soon as it shows that a change that must be exact is not so. */
static bool add_row(const two_rasters *b, const xr_exact_change *k, size_t y, exact_sums *s)
{
    const bool exact = (k->kind != XR_EXACT_TURNED || k->mapped) && k->kind != XR_EXACT_MIXTURE;
    for (size_t c = 0; c < b->edge.channels; c++)
        for (size_t x = 0; x < b->edge.width; x++) {
            const size_t i = c * b->pixels + y * b->edge.width + x;
            const double e = (double)b->edge.v[i];
            const double own = fabs(e - (double)b->reference.v[i]) / b->level;
            const double with = fabs(e - changed_value(b, k, c, x, y)) / b->level;
            if (!isfinite(own) || !isfinite(with))
                continue;
            if (exact && with > SAME)
                return false;
            s->own += own * own;
            s->with += with * with;
            s->farthest = fmax(s->farthest, with);
            s->differing += own > SEEN;
            s->values++;
            s->beyond += own > BEYOND;
            s->odd += with > ROUNDED;
        }
    return true;
}

static bool add_frame(const two_rasters *b, const xr_exact_change *k, exact_sums *s)
{
    *s = (exact_sums){0};
    for (size_t y = 0; y < b->edge.height; y++)
        if (!add_row(b, k, y, s))
            return false;
    return true;
}

static bool makes_frame(const two_rasters *b, const xr_exact_change *k, exact_sums *s)
{
    return add_frame(b, k, s) && s->differing >= LEAST_DIFFERING && s->with <= LEFT * s->own;
}

/* ---- The frame that differs most --------------------------------------------------------------- */

/* The row that differs most; false: hardly anything differs, or the picture holds nothing. */
static bool telling_row(const two_rasters *b, size_t *row)
{
    double most = 0, low = INFINITY, high = -INFINITY;
    size_t differing = 0;
    for (size_t y = 0; y < b->edge.height; y++) {
        double sum = 0;
        for (size_t c = 0; c < b->edge.channels; c++)
            for (size_t x = 0; x < b->edge.width; x++) {
                const size_t i = c * b->pixels + y * b->edge.width + x;
                const double r = (double)b->reference.v[i], d = fabs((double)b->edge.v[i] - r) / b->level;
                if (!isfinite(d))
                    continue;
                sum += d * d;
                differing += d > SEEN;
                if (c == 0) {
                    low = fmin(low, r);
                    high = fmax(high, r);
                }
            }
        if (sum > most) {
            most = sum;
            *row = y;
        }
    }
    return differing >= LEAST_DIFFERING && high - low > CONTENT * b->reference_level;
}

/* Whether a change makes the row that differs most; then whether it makes the frame.  *s: of the frame. */
static bool is_change(const two_rasters *b, const xr_exact_change *k, size_t row, exact_sums *s)
{
    *s = (exact_sums){0};
    return add_row(b, k, row, s) && s->with <= LEFT_OF_ROW * s->own && makes_frame(b, k, s);
}

/* Fits each channel of the edge to its own of the turned reference; false: that is one value throughout. */
static bool fit_turned(const two_rasters *b, xr_exact_change *k)
{
    const size_t width = b->edge.width, height = b->edge.height;
    const double n = (double)b->pixels;
    for (size_t c = 0; c < b->edge.channels; c++) {
        const float *edge = b->edge.v + c * b->pixels, *reference = b->reference.v + c * b->pixels;
        double e = 0, r = 0, rr = 0, er = 0;
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                const double v = (double)
                    reference[xr_orientation_source(x, y, width, b->reference.height, k->orientation)];
                const double w = (double)edge[y * width + x];
                e += w, r += v, rr += v * v, er += w * v;
            }
        const double variance = rr / n - r / n * (r / n);
        k->gain[c] = (er / n - e / n * (r / n)) / variance;
        k->offset[c] = e / n - k->gain[c] * r / n;
        if (!(k->gain[c] > 0) || !isfinite(k->offset[c]))
            return false;
    }
    return true;
}

/* mapped: of pictures that are also normalized otherwise. */
static bool find_turn(const two_rasters *b, size_t row, bool mapped, xr_exact_change *out)
{
    const unsigned turns = b->edge.width == b->edge.height ? XR_ORIENTATIONS : XR_ORIENTATIONS / 2;
    double least = INFINITY;
    for (xr_orientation o = mapped ? 0 : 1; o < turns; o++) {
        xr_exact_change k = {.kind = XR_EXACT_TURNED, .orientation = o, .mapped = mapped};
        exact_sums s;
        if ((mapped && !fit_turned(b, &k)) || !is_change(b, &k, row, &s))
            continue;
        if (o == 0) { /* normalized otherwise, and no more */
            *out = k;
            return true;
        }
        if (out->kind && s.with >= least) {
            out->as_well[out->as_well_count++] = o;
            continue;
        }
        if (out->kind) {
            memcpy(k.as_well, out->as_well, sizeof k.as_well);
            k.as_well_count = out->as_well_count;
            k.as_well[k.as_well_count++] = out->orientation;
        }
        *out = k;
        least = s.with;
    }
    return out->kind == XR_EXACT_TURNED;
}

/* Whether its rows go on in the next, as those of a buffer do that is read from another place on: the border
 * would say otherwise, if it says anything. */
static bool goes_on(const two_rasters *b, xr_exact_change k, size_t row)
{
    exact_sums s;
    k.wrapped = true;
    return k.dy == 0 && is_change(b, &k, row, &s);
}

/* The shortest one. */
static bool find_shift(const two_rasters *b, size_t row, xr_exact_change *out)
{
    for (long far = 1; far <= FARTHEST; far++)
        for (long dy = -far; dy <= far; dy++)
            for (long dx = -far; dx <= far; dx++) {
                const bool next = labs(dx) == far || labs(dy) == far;
                const xr_exact_change k = {.kind = XR_EXACT_SHIFTED, .dx = dx, .dy = dy};
                exact_sums s;
                if (next && is_change(b, &k, row, &s)) {
                    *out = k;
                    out->wrapped = goes_on(b, k, row);
                    return true;
                }
            }
    return false;
}

/* Fits every channel of the edge to one of the reference's; false: that is one value throughout. */
static bool fit_channel(const two_rasters *b, const xr_fit_sums *s, xr_exact_change *k)
{
    const double mean = s->reference[k->channel] / s->n,
                 variance = s->rr[k->channel][k->channel] / s->n - mean * mean;
    for (size_t c = 0; c < b->edge.channels; c++) {
        const double covariance = s->er[c][k->channel] / s->n - s->edge[c] / s->n * mean;
        k->gain[c] = c == k->channel ? 1 : covariance / variance;
        k->offset[c] = c == k->channel ? 0 : s->edge[c] / s->n - k->gain[c] * mean;
        if (!(k->gain[c] > 0))
            return false;
    }
    return variance > SEEN * b->level * b->level;
}

/* Whether rounding explains all that a mixture leaves of a frame. */
static bool is_rounded(const exact_sums *s)
{
    return (double)s->odd <= ODD * (double)s->values;
}

/* The sums of frames that differ by more than rounding, of a few; *most: the one in which most values do.
 * False: none. */
static bool sum_frames(xr_input_pair *pair, xr_fit_sums *sums, size_t *most)
{
    static const xr_exact_change none = {.kind = XR_EXACT_MIXTURE, .mixture = {{1}, {0, 1}, {0, 0, 1}}};
    const size_t frames = exray_comparison_frame_count(pair->comparison), step = frames / FITTED + 1;
    size_t beyond = 0;
    *sums = (xr_fit_sums){0};
    for (size_t f = pair->fit->raw.worst_frame % step; f < frames; f += step) {
        two_rasters b;
        exact_sums s;
        if (!read_both(pair, f, &b))
            continue;
        if (add_frame(&b, &none, &s) && s.beyond >= LEAST_DIFFERING) {
            xr_sums_add(sums, b.edge.channels, b.edge.v, b.reference.v, NULL, b.pixels, 1);
            *most = s.beyond > beyond ? f : *most;
            beyond = s.beyond > beyond ? s.beyond : beyond;
        }
        free_both(&b);
    }
    return beyond > 0;
}

/* Fits the mixture; alone: of each channel its own alone, as a normalization is. */
static bool fit_mixture(const xr_fit_sums *s, bool alone, xr_exact_change *k)
{
    if (!(s->n > 0) || !xr_solve_color(s, 3, k->mixture))
        return false;
    for (size_t c = 0; c < 3; c++) {
        const double mean = s->reference[c] / s->n, variance = s->rr[c][c] / s->n - mean * mean;
        const double covariance = s->er[c][c] / s->n - s->edge[c] / s->n * mean;
        const bool varies = variance > 1e-9 * s->rr[c][c] / s->n; /* else nothing follows it */
        for (size_t j = 0; alone && j < 3; j++)
            k->mixture[c][j] = j == c && varies ? covariance / variance : 0;
        k->offset[c] = s->edge[c] / s->n;
        for (size_t j = 0; j < 3; j++)
            k->offset[c] -= k->mixture[c][j] * s->reference[j] / s->n;
        if (!isfinite(k->offset[c]))
            return false;
    }
    return true;
}

/* Each channel a mixture of the reference's three, such as gray: where but rounding is left of what is more
 * than rounding, and more than that where each follows its own channel alone. */
static bool find_mixture(xr_input_pair *pair, xr_exact_change *out)
{
    xr_exact_change k = {.kind = XR_EXACT_MIXTURE}, alone;
    exact_sums with, without;
    two_rasters b;
    size_t frame = 0;
    const double level = fmax(pair->fit->level[0], pair->fit->level[1]);
    if (pair->fit->values.channels != 3 || !(pair->fit->io->metrics.max_abs > BEYOND * level) ||
        !sum_frames(pair, &k.sums, &frame) || !fit_mixture(&k.sums, false, &k) || !read_both(pair, frame, &b))
        return false;
    alone = k;
    const bool found = add_frame(&b, &k, &with) && is_rounded(&with) && fit_mixture(&k.sums, true, &alone) &&
                       add_frame(&b, &alone, &without) && !is_rounded(&without);
    free_both(&b);
    if (found)
        *out = k;
    return found;
}

/* Gray of one channel.  Where two channels do, the picture is nearly gray, and may well be told so. */
static bool find_channel(const two_rasters *b, size_t row, xr_exact_change *out)
{
    xr_fit_sums sums = {0};
    size_t found = 0;
    if (b->edge.channels != 3)
        return false;
    xr_sums_add(&sums, b->edge.channels, b->edge.v, b->reference.v, NULL, b->pixels, 1);
    for (size_t from = 0; from < b->edge.channels; from++) {
        xr_exact_change k = {.kind = XR_EXACT_CHANNEL, .channel = from};
        exact_sums s;
        if (fit_channel(b, &sums, &k) && is_change(b, &k, row, &s)) {
            found++;
            *out = k;
        }
    }
    if (found != 1)
        *out = (xr_exact_change){0};
    return found == 1;
}

/* ---- All frames -------------------------------------------------------------------------------- */

/* Every frame shows the change, or is equal as it is; false: one differs otherwise. */
static bool judge_frame(xr_input_pair *pair, size_t frame, xr_exact_change *k, exact_sums *sum,
                        double *values)
{
    xr_exact_change none = {.kind = XR_EXACT_SHIFTED};
    two_rasters b;
    exact_sums s;
    bool ok = true;
    if (!read_both(pair, frame, &b))
        return true;
    if (k->mapped) {
        none = *k;
        none.orientation = 0;
        none.kind = k->orientation ? none.kind : XR_EXACT_SHIFTED;
        none.mapped = k->orientation != 0;
        b.level = pair->fit->level[EXRAY_SIDE_EDGE];
    }
    if (add_frame(&b, &none, &s)) {
        if (add_frame(&b, k, &s) && s.farthest <= SAME)
            k->silent++;
        else
            k->unchanged++;
    } else if (k->kind == XR_EXACT_MIXTURE && add_frame(&b, k, &s) && s.beyond < LEAST_DIFFERING &&
               is_rounded(&s)) {
        k->silent++;
    } else if (add_frame(&b, k, &s) &&
               (k->kind == XR_EXACT_MIXTURE ? is_rounded(&s) : s.with <= LEFT * s.own)) {
        k->changed[frame] = true;
        k->frames++;
        sum->own += s.own;
        sum->with += s.with;
        *values += (double)(b.pixels * b.edge.channels);
    } else
        ok = false;
    free_both(&b);
    return ok;
}

static bool judge_frames(xr_input_pair *pair, xr_exact_change *k)
{
    const size_t frames = exray_comparison_frame_count(pair->comparison);
    exact_sums sum = {0};
    double values = 0;
    k->changed = calloc(frames + 1, sizeof *k->changed);
    for (size_t f = 0; k->changed && f < frames; f++)
        if (!judge_frame(pair, f, k, &sum, &values))
            return false;
    if (!(values > 0))
        return false;
    k->before = sqrt(sum.own / values);
    k->after = sqrt(sum.with / values);
    return true;
}

bool xr_find_exact(xr_input_pair *pair, xr_exact_change *out)
{
    two_rasters b;
    size_t row = 0;
    *out = (xr_exact_change){0};
    if (!read_both(pair, pair->fit->raw.worst_frame, &b))
        return false;
    const bool telling = telling_row(&b, &row);
    bool found =
        telling && (find_turn(&b, row, false, out) || find_shift(&b, row, out) || find_channel(&b, row, out));
    b.level = pair->fit->level[EXRAY_SIDE_EDGE];
    found = found || (telling && find_turn(&b, row, true, out));
    free_both(&b);
    return (found || find_mixture(pair, out)) && judge_frames(pair, out);
}

/* ---- Another frame's --------------------------------------------------------------------------- */

static const float *values_of(xr_input_pair *pair, exray_side side, size_t frame, uint64_t *count)
{
    exray_tensor_view view;
    const float *v;
    exray_error ignored;
    exray_slot *slot = side == EXRAY_SIDE_EDGE ? pair->slot : pair->sensor_slot;
    if (exray_comparison_values(pair->comparison, side, frame, EXRAY_KIND_INPUT, pair->index, slot, &view, &v,
                                &ignored) != EXRAY_OK)
        return NULL;
    *count = view.count;
    return v;
}

/* Whether a is no constant, and not b. */
static bool differ_enough(const float *a, const float *b, uint64_t count)
{
    size_t differing = 0, others = 0;
    for (uint64_t i = 0; i < count && (differing < LEAST_DIFFERING || others < LEAST_DIFFERING); i++) {
        differing += xr_value_at(a, i) != xr_value_at(b, i);
        others += xr_value_at(a, i) != xr_value_at(a, 0);
    }
    return differing >= LEAST_DIFFERING && others >= LEAST_DIFFERING;
}

bool xr_is_another_frame(xr_input_pair *pair)
{
    const size_t frame = pair->fit->raw.worst_frame, frames = exray_comparison_frame_count(pair->comparison);
    uint64_t count = 0, other = 0;
    const float *edge = values_of(pair, EXRAY_SIDE_EDGE, frame, &count);
    const float *own = edge ? values_of(pair, EXRAY_SIDE_REFERENCE, frame, &other) : NULL;
    if (!own || other != count || !differ_enough(edge, own, count))
        return false;
    const size_t first = frame > NEARBY ? frame - NEARBY : 0;
    for (size_t g = first; g < frames && g <= frame + NEARBY; g++) {
        const float *near = g != frame ? values_of(pair, EXRAY_SIDE_REFERENCE, g, &other) : NULL;
        if (near && other == count && memcmp(edge, near, count * sizeof *edge) == 0)
            return true;
    }
    return false;
}
