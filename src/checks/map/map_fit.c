#include "checks/map/map_fit.h"

#include "checks/model/coarse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_EXTENT = 8,
    MOST_FRAMES = 32,
    MOST_SHIFT = 16,
    MOST_SAMPLES = 1 << 14,
    SEARCH_SAMPLES = 1 << 11,
    MOST_CHANNELS = 4,
    MOST_LINES = 64
};

#define DRAW        3.0
#define LEAST_NOISE 1e-4
#define MOST_NOISE  0.05
/* Correlation of neighboring lines of a picture, at least. */
#define ALIKE 0.4
/* What is left of the difference, at most; and where noise is large. */
#define FAR_BELOW       0.5
#define FAR_BELOW_NOISE 0.25

/* A tensor as outer x height x width x inner. */
typedef struct map_pixels {
    const float *values;
    size_t outer, height, width, inner;
    uint32_t rank;
} map_pixels;

typedef struct map_sums {
    double n, square, r, rr;
} map_sums;

typedef struct map_work {
    const exray_comparison *comparison;
    size_t pair;
    exray_slot *slot[2];
    map_pixels map[2];
    double noise;
} map_work;

/* ---- Reading ------------------------------------------------------------------------------- */

/* The two neighboring dimensions with most pixels. */
static bool view_of(const exray_tensor_view *view, const float *values, map_pixels *out)
{
    const exray_tensor_info *info = &view->info;
    uint64_t total = 1, most = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 1 || total > view->count / (uint64_t)info->shape[i])
            return false;
        total *= (uint64_t)info->shape[i];
    }
    for (uint32_t i = 0; i + 1 < info->rank; i++) {
        const int64_t h = info->shape[i], w = info->shape[i + 1];
        if (h >= LEAST_EXTENT && w >= LEAST_EXTENT && (uint64_t)h * (uint64_t)w > most) {
            most = (uint64_t)h * (uint64_t)w;
            at = i;
        }
    }
    *out = (map_pixels){values, 1, 0, 0, 1, info->rank};
    if (total != view->count || info->rank < 3 || !most)
        return false;
    for (uint32_t i = 0; i < at; i++)
        out->outer *= (size_t)info->shape[i];
    for (uint32_t i = at + 2; i < info->rank; i++)
        out->inner *= (size_t)info->shape[i];
    out->height = (size_t)info->shape[at];
    out->width = (size_t)info->shape[at + 1];
    return true;
}

static exray_status read_frame(map_work *w, size_t frame, bool *there, exray_error *error)
{
    *there = false;
    bool maps = true;
    for (int s = 0; s < 2; s++) {
        exray_tensor_view view;
        const float *values;
        exray_status status = exray_comparison_values(w->comparison, (exray_side)s, frame, EXRAY_KIND_OUTPUT,
                                                      w->pair, w->slot[s], &view, &values, error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            return error->status = EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        maps = maps && values && view_of(&view, values, &w->map[s]);
    }
    *there = maps && w->map[0].outer == w->map[1].outer && w->map[0].inner == w->map[1].inner;
    return EXRAY_OK;
}

/* ---- One way ------------------------------------------------------------------------------- */

static double value_at(const map_pixels *m, size_t channel, size_t y, size_t x)
{
    const size_t outer = channel / m->inner, inner = channel % m->inner;
    return m->values[((outer * m->height + y) * m->width + x) * m->inner + inner];
}

static bool fits(const map_work *w, const xr_map_turn *turn)
{
    const map_pixels *e = &w->map[0], *r = &w->map[1];
    return turn->transposed ? e->height == r->width && e->width == r->height
                            : e->height == r->height && e->width == r->width;
}

/* The edge's pixel for a pixel of the reference; false: shifted out. */
static bool counterpart(const map_work *w, const xr_map_turn *t, size_t *y, size_t *x)
{
    const map_pixels *e = &w->map[0];
    size_t to_y = t->transposed ? *x : *y, to_x = t->transposed ? *y : *x;
    to_y = t->mirrored_y ? e->height - 1 - to_y : to_y;
    to_x = t->mirrored_x ? e->width - 1 - to_x : to_x;
    const ptrdiff_t moved_y = (ptrdiff_t)to_y + t->down, moved_x = (ptrdiff_t)to_x + t->right;
    if (moved_y < 0 || moved_x < 0 || moved_y >= (ptrdiff_t)e->height || moved_x >= (ptrdiff_t)e->width)
        return false;
    *y = (size_t)moved_y;
    *x = (size_t)moved_x;
    return true;
}

/* Every how many pixels one is looked at: no divisor of a row's length, so that all columns are. */
static size_t step_of(const map_pixels *m, size_t samples)
{
    const size_t all = m->outer * m->inner * m->height * m->width;
    size_t step = all > samples ? all / samples : 1;
    while (step > 1 && (m->width % step == 0 || step % m->width == 0))
        step++;
    return step;
}

static void add_way(const map_work *w, const xr_map_turn *turn, size_t samples, map_sums *s)
{
    const map_pixels *r = &w->map[1];
    const size_t pixels = r->height * r->width, all = r->outer * r->inner * pixels;
    for (size_t i = 0, step = step_of(r, samples); i < all; i += step) {
        size_t y = i % pixels / r->width, x = i % r->width;
        const double right = value_at(r, i / pixels, y, x);
        if (!isfinite(right) || !counterpart(w, turn, &y, &x))
            continue;
        const double d = value_at(&w->map[0], i / pixels, y, x) - right;
        s->n++;
        s->square += isfinite(d) ? d * d : INFINITY;
        s->r += right;
        s->rr += right * right;
    }
}

static double deviation(const map_sums *s)
{
    return s->n > 0 ? sqrt(fmax(s->rr / s->n - s->r / s->n * (s->r / s->n), 0)) : 0;
}

static double residual(const map_sums *s)
{
    const double unit = deviation(s);
    return unit > 0 ? sqrt(s->square / s->n) / unit : INFINITY;
}

/* ---- The search ------------------------------------------------------------------------------ */

enum { TURNS = 8 };

static xr_map_turn turn_of(int i)
{
    return (xr_map_turn){.transposed = i & 4, .mirrored_y = i & 2, .mirrored_x = i & 1};
}

/* The correlation of a row (or column) with the next; NAN: one of them is constant. */
static double likeness(const map_pixels *m, size_t channel, size_t line, bool column)
{
    const size_t length = column ? m->height : m->width;
    double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < length; i++) {
        const double a = column ? value_at(m, channel, i, line) : value_at(m, channel, line, i);
        const double b = column ? value_at(m, channel, i, line + 1) : value_at(m, channel, line + 1, i);
        n++;
        x += a;
        y += b;
        xx += a * a;
        yy += b * b;
        xy += a * b;
    }
    return (xy - x * y / n) / sqrt((xx - x * x / n) * (yy - y * y / n));
}

/* Tells a picture, whose neighboring lines are alike both ways, from a table, of which each row is another
 * quantity. */
static bool is_smooth(const map_pixels *m)
{
    const size_t channels = m->outer * m->inner,
                 next = channels > MOST_CHANNELS ? channels / MOST_CHANNELS : 1;
    for (int column = 0; column < 2; column++) {
        const size_t lines = (column ? m->width : m->height) - 1,
                     step = lines > MOST_LINES ? lines / MOST_LINES : 1;
        double sum = 0, n = 0;
        for (size_t c = 0; c < channels; c += next)
            for (size_t line = 0; line < lines; line += step) {
                const double now = likeness(m, c, line, column);
                sum += isfinite(now) ? now : 0;
                n += isfinite(now);
            }
        if (!(n > 0) || sum / n < ALIKE)
            return false;
    }
    return true;
}

/* The shift that leaves least in this frame. */
static xr_map_turn best_shift(const map_work *w)
{
    const map_pixels *r = &w->map[1];
    const int far_y = (int)fmin(MOST_SHIFT, (double)r->height / 4),
              far_x = (int)fmin(MOST_SHIFT, (double)r->width / 4);
    xr_map_turn best = {0};
    double least = INFINITY;
    for (int dy = -far_y; dy <= far_y; dy++)
        for (int dx = -far_x; dx <= far_x; dx++) {
            const xr_map_turn turn = {.down = dy, .right = dx};
            map_sums s = {0};
            if (dy == 0 && dx == 0)
                continue;
            add_way(w, &turn, SEARCH_SAMPLES, &s);
            const double now = residual(&s);
            if (now < least) {
                least = now;
                best = turn;
            }
        }
    return best;
}

typedef struct map_ways {
    xr_map_turn turn[TURNS]; /* [0]: shifted */
    map_sums sums[TURNS], same;
    bool failed[TURNS];
    bool begun;
} map_ways;

static double allowed(const map_work *w)
{
    return w->noise > XR_COARSE_NOISE ? w->noise : DRAW * w->noise;
}

static void add_frame(map_work *w, map_ways *ways, xr_map_turn_fit *out)
{
    const xr_map_turn same = {0};
    if (!ways->begun) {
        ways->begun = true;
        out->smooth = is_smooth(&w->map[1]);
        for (int i = 1; i < TURNS; i++)
            ways->turn[i] = turn_of(i);
        ways->turn[0] = fits(w, &same) ? best_shift(w) : same;
        ways->failed[0] = ways->turn[0].down == 0 && ways->turn[0].right == 0;
    }
    if (fits(w, &same))
        add_way(w, &same, MOST_SAMPLES, &ways->same);
    for (int i = 0; i < TURNS; i++) {
        map_sums one = {0};
        if (ways->failed[i])
            continue;
        if (fits(w, &ways->turn[i]))
            add_way(w, &ways->turn[i], MOST_SAMPLES, &one);
        ways->failed[i] = !(residual(&one) <= allowed(w));
        ways->sums[i].n += one.n;
        ways->sums[i].square += one.square;
        ways->sums[i].r += one.r;
        ways->sums[i].rr += one.rr;
    }
    out->height = w->map[1].height;
    out->width = w->map[1].width;
    out->channels = w->map[1].outer * w->map[1].inner;
    out->frames++;
}

static void judge(const map_work *w, const map_ways *ways, xr_map_turn_fit *out)
{
    const double share = w->noise > XR_COARSE_NOISE ? FAR_BELOW_NOISE : FAR_BELOW;
    out->before = ways->same.n > 0 ? residual(&ways->same) : NAN;
    out->after = out->runner_up = INFINITY;
    for (int i = 0; i < TURNS; i++) {
        const double now = ways->failed[i] ? INFINITY : residual(&ways->sums[i]);
        if (now < out->after) {
            out->runner_up = out->after;
            out->after = now;
            out->turn = ways->turn[i];
        } else
            out->runner_up = fmin(out->runner_up, now);
    }
    out->explains = isfinite(out->after) && (isnan(out->before) || out->after <= share * out->before);
}

static exray_status begin(map_work *w, const exray_comparison *comparison, size_t pair, exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    *w = (map_work){.comparison = comparison,
                    .pair = pair,
                    .slot = {exray_slot_new(), exray_slot_new()},
                    .noise = fmax(io->noise > 0 ? fmin(io->noise, MOST_NOISE) : 0, LEAST_NOISE)};
    if (w->slot[0] && w->slot[1])
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing output maps"};
    return EXRAY_E_MEMORY;
}

static void end(map_work *w)
{
    exray_slot_free(w->slot[0]);
    exray_slot_free(w->slot[1]);
}

exray_status xr_map_fit_make(const exray_comparison *comparison, size_t pair, xr_map_turn_fit *out,
                             exray_error *error)
{
    map_work w;
    map_ways ways = {0};
    *out = (xr_map_turn_fit){0};
    exray_status status = begin(&w, comparison, pair, error);
    const size_t frames = exray_comparison_frame_count(comparison);
    const size_t step = frames > MOST_FRAMES ? frames / MOST_FRAMES : 1;
    for (size_t f = 0; status == EXRAY_OK && f < frames && out->frames < MOST_FRAMES; f += step) {
        bool there;
        status = read_frame(&w, f, &there, error);
        if (status == EXRAY_OK && there) {
            out->rank = w.map[1].rank;
            add_frame(&w, &ways, out);
        }
    }
    if (status == EXRAY_OK && out->frames)
        judge(&w, &ways, out);
    end(&w);
    return status;
}

exray_status xr_map_is_exchanged(const exray_comparison *comparison, size_t pair, bool *exchanged,
                                 exray_error *error)
{
    map_work w;
    bool there = false;
    exray_status status = begin(&w, comparison, pair, error);
    *exchanged = false;
    if (status == EXRAY_OK && exray_comparison_frame_count(comparison))
        status = read_frame(&w, 0, &there, error);
    if (status == EXRAY_OK && there)
        *exchanged = w.map[0].height != w.map[0].width && w.map[0].height == w.map[1].width &&
                     w.map[0].width == w.map[1].height;
    end(&w);
    return status;
}

/* ---- Words ------------------------------------------------------------------------------- */

const char *xr_map_kind(const xr_map_turn *t)
{
    if (t->down || t->right)
        return "shifted";
    if (!t->transposed)
        return t->mirrored_x && t->mirrored_y ? "turned" : "mirrored";
    return t->mirrored_x == t->mirrored_y ? "transposed" : "turned";
}

static size_t shift_words(int by, const char *forward, const char *back, char *text, size_t size)
{
    if (by == 0) {
        *text = 0;
        return 0;
    }
    const int n =
        snprintf(text, size, "%d pixel%s %s", abs(by), abs(by) == 1 ? "" : "s", by > 0 ? forward : back);
    return n > 0 ? (size_t)n : 0;
}

void xr_map_words(const xr_map_turn *t, char *text, size_t size)
{
    char right[40], down[40];
    if (t->down || t->right) {
        const bool both = shift_words(t->right, "to the right", "to the left", right, sizeof right) &&
                          shift_words(t->down, "down", "up", down, sizeof down);
        shift_words(t->down, "down", "up", down, sizeof down);
        snprintf(text, size, "shifted %s%s%s", right, both ? " and " : "", down);
    } else if (!t->transposed)
        snprintf(text, size, "%s",
                 t->mirrored_x && t->mirrored_y ? "turned by 180 degrees"
                 : t->mirrored_x                ? "mirrored from left to right"
                                                : "mirrored, upside down");
    else
        snprintf(text, size, "%s",
                 t->mirrored_x && t->mirrored_y ? "transposed along the other diagonal"
                 : t->mirrored_x                ? "turned by 90 degrees clockwise"
                 : t->mirrored_y                ? "turned by 90 degrees counterclockwise"
                                                : "transposed (x and y exchanged)");
}
