/* What kind of difference is left.  Kernels of a resize are separable: what another one
 * changes is, in each column, the same mixture of the picture's slopes and curvatures along
 * the rows, and in each row of those along the columns.  How much of a difference such
 * mixtures explain tells kernels, and shifts of less than a pixel, from noise, decoders and
 * compression, which know no columns.  The mixtures are fitted by alternating least squares. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3, FRAMES = 4 };

/* One frame: fields over its inner pixels, NAN where a value is not known. */
typedef struct field {
    size_t width, height;
    double *scene, *edge, *left;
} field;

/* Luma, of which healthy ways to enlarge the chroma leave all as it is: by BT.601 and BT.709, of
 * RGB and of BGR. */
enum { LUMAS = 4 };
static const double luma[LUMAS][3] = {
    {0.299, 0.587, 0.114}, {0.114, 0.587, 0.299}, {0.2126, 0.7152, 0.0722}, {0.0722, 0.7152, 0.2126}};

static bool field_make(field *f, const xr_placed *p)
{
    size_t n = p->width * p->height;
    *f = (field){p->width, p->height, calloc(n, sizeof(double)), calloc(n, sizeof(double)),
                 calloc(n, sizeof(double))};
    return f->scene && f->edge && f->left;
}

static void take_luma(field *f, const xr_placed *p, const double weight[3])
{
    size_t n = p->width * p->height;
    for (size_t i = 0; i < n; i++) {
        f->edge[i] = f->scene[i] = 0;
        for (size_t c = 0; c < p->channels; c++) {
            double w = p->channels == 3 ? weight[c] : 1.0 / (double)p->channels;
            f->edge[i] += w * (double)p->plane[0][c * n + i];
            f->scene[i] += w * (double)p->plane[1][c * n + i];
        }
    }
}

static void field_free(field *f)
{
    free(f->scene);
    free(f->edge);
    free(f->left);
}

/* edge = gain * scene + offset, by least squares; `scene` is brought into the edge's unit. */
static bool align_values(field *f)
{
    double n = 0, e = 0, s = 0, ss = 0, es = 0;
    for (size_t i = 0; i < f->width * f->height; i++) {
        double a = f->edge[i], b = f->scene[i];
        if (!isfinite(a + b))
            continue;
        n++, e += a, s += b, ss += b * b, es += a * b;
    }
    double variance = n > 0 ? ss - s * s / n : 0;
    if (!(variance > 0))
        return false;
    double gain = (es - e * s / n) / variance, offset = (e - gain * s) / n;
    for (size_t i = 0; i < f->width * f->height; i++) {
        f->scene[i] = gain * f->scene[i] + offset;
        f->left[i] = f->edge[i] - f->scene[i];
    }
    return true;
}

/* Slope and curvature of the scene at a pixel, along x (step 1) or y (step width). */
static void shape_at(const field *f, size_t i, size_t step, double out[2])
{
    double before = f->scene[i - step], here = f->scene[i], after = f->scene[i + step];
    out[0] = (after - before) / 2;
    out[1] = after - 2 * here + before;
}

/* The luma that differs least. */
static bool take_best_luma(field *f, const xr_placed *p)
{
    double least = INFINITY;
    size_t best = 0;
    for (size_t w = 0; w < (p->channels == 3 ? LUMAS : 1); w++) {
        double left = 0;
        take_luma(f, p, luma[w]);
        if (!align_values(f))
            continue;
        for (size_t i = 0; i < f->width * f->height; i++)
            left += isfinite(f->left[i]) ? f->left[i] * f->left[i] : 0;
        if (left < least) {
            least = left;
            best = w;
        }
    }
    take_luma(f, p, luma[best]);
    return align_values(f);
}

typedef struct line_sums {
    double aa, ab, bb, ra, rb;
} line_sums;

/* Fits one line's mixture and takes it out of `left`. */
static void fit_line(field *f, bool column, size_t at)
{
    size_t along = column ? f->width : 1, across = column ? 1 : f->width,
           length = column ? f->height : f->width;
    size_t start = column ? at : at * f->width;
    line_sums s = {0};
    for (size_t k = 1; k + 1 < length; k++) {
        double g[2], r = f->left[start + k * along];
        shape_at(f, start + k * along, across, g);
        if (!isfinite(g[0] + g[1] + r))
            continue;
        s.aa += g[0] * g[0], s.ab += g[0] * g[1], s.bb += g[1] * g[1];
        s.ra += r * g[0], s.rb += r * g[1];
    }
    double det = s.aa * s.bb - s.ab * s.ab;
    if (!(det > 1e-6 * s.aa * s.bb))
        return;
    double a = (s.ra * s.bb - s.rb * s.ab) / det, b = (s.rb * s.aa - s.ra * s.ab) / det;
    for (size_t k = 1; k + 1 < length; k++) {
        double g[2];
        shape_at(f, start + k * along, across, g);
        f->left[start + k * along] -= a * g[0] + b * g[1];
    }
}

typedef struct energy {
    double left, n, slope_scene, slope_edge;
} energy;

static energy measure(const field *f)
{
    energy s = {0};
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            size_t i = y * f->width + x;
            double g[2], h[2], dx = (f->edge[i + 1] - f->edge[i - 1]) / 2,
                               dy = (f->edge[i + f->width] - f->edge[i - f->width]) / 2;
            shape_at(f, i, 1, g);
            shape_at(f, i, f->width, h);
            if (!isfinite(f->left[i] + g[0] + h[0] + g[1] + h[1] + dx + dy))
                continue;
            s.left += f->left[i] * f->left[i];
            s.n += 1;
            s.slope_scene += g[0] * g[0] + h[0] * h[0];
            s.slope_edge += dx * dx + dy * dy;
        }
    return s;
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double slope_squared(const field *f, size_t x, size_t y)
{
    double g[2], h[2];
    shape_at(f, y * f->width + x, 1, g);
    shape_at(f, y * f->width + x, f->width, h);
    return g[0] * g[0] + h[0] * h[0];
}

/* The difference's energy at the quarter of the pixels with the steepest slopes, over that at the
 * flatter half. */
static double energy_at_edges(const field *f)
{
    double *slope = calloc(f->width * f->height + 1, sizeof *slope);
    size_t count = 0;
    for (size_t y = 1; slope && y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double s = slope_squared(f, x, y);
            if (isfinite(s))
                slope[count++] = s;
        }
    if (count < 64) {
        free(slope);
        return 1;
    }
    qsort(slope, count, sizeof *slope, by_size);
    double flat = slope[count / 2], steep = slope[count - count / 4], sum[2] = {0, 0}, n[2] = {0, 0};
    free(slope);
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double s = slope_squared(f, x, y), left = f->left[y * f->width + x];
            int where = s >= steep ? 1 : s <= flat ? 0 : -1;
            if (where < 0 || !isfinite(s + left))
                continue;
            sum[where] += left * left;
            n[where] += 1;
        }
    return sum[0] > 0 && n[1] > 0 ? sum[1] / n[1] / (sum[0] / n[0]) : 1e6;
}

/* The picture moved and enlarged by a little: `left` against slope * (1, place) of one axis. */
typedef struct motion {
    double aa, ab, bb, ra, rb; /* sums, then */
    double shift, growth;
} motion;

static double place_in(size_t at, size_t size)
{
    return (double)at / (double)size - 0.5;
}

static void fit_motion(const field *f, bool vertical, motion *m)
{
    *m = (motion){0};
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double g[2], r = f->left[y * f->width + x];
            shape_at(f, y * f->width + x, vertical ? f->width : 1, g);
            if (!isfinite(g[0] + r))
                continue;
            double at = vertical ? place_in(y, f->height) : place_in(x, f->width);
            m->aa += g[0] * g[0], m->ab += g[0] * g[0] * at, m->bb += g[0] * g[0] * at * at;
            m->ra += r * g[0], m->rb += r * g[0] * at;
        }
    double det = m->aa * m->bb - m->ab * m->ab;
    if (!(det > 1e-9 * m->aa * m->bb))
        return;
    m->shift = (m->ra * m->bb - m->rb * m->ab) / det;
    m->growth = (m->rb * m->aa - m->ra * m->ab) / det;
}

static void subtract_motion(field *f, bool vertical, const motion *m)
{
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double g[2];
            size_t i = y * f->width + x;
            shape_at(f, i, vertical ? f->width : 1, g);
            f->left[i] -=
                g[0] * (m->shift + m->growth * (vertical ? place_in(y, f->height) : place_in(x, f->width)));
        }
}

typedef struct totals {
    double before, moved, after, n, parameters, scene, edge, shift, at_edges, frames;
} totals;

static void add_frame(field *f, totals *t)
{
    energy start = measure(f);
    motion across, down;
    if (start.n < 64)
        return;
    t->at_edges += energy_at_edges(f);
    t->frames += 1;
    for (int round = 0; round < ROUNDS; round++) {
        fit_motion(f, false, &across);
        subtract_motion(f, false, &across);
        fit_motion(f, true, &down);
        subtract_motion(f, true, &down);
        if (round == 0)
            t->shift = fmax(t->shift, fmax(fabs(across.shift) + fabs(across.growth) / 2,
                                           fabs(down.shift) + fabs(down.growth) / 2));
    }
    energy moved = measure(f);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t x = 1; x + 1 < f->width; x++)
            fit_line(f, true, x);
        for (size_t y = 1; y + 1 < f->height; y++)
            fit_line(f, false, y);
    }
    energy end = measure(f);
    t->before += start.left, t->moved += moved.left, t->after += end.left;
    t->n += start.n, t->parameters += 2.0 * (double)(f->width + f->height);
    t->scene += start.slope_scene, t->edge += start.slope_edge;
}

bool xr_look_at_detail(xr_scene *scene, const xr_chain *chain, xr_detail *out)
{
    totals t = {0};
    for (size_t f = 0; f < scene->count && f < FRAMES; f++) {
        xr_applied applied = {.scene = scene, .chain = chain};
        xr_placed placed;
        exray_error error;
        field now = {0};
        if (xr_apply_chain(&applied, scene->frame[f].frame, &placed, &error) == EXRAY_OK &&
            placed.width > 16 && placed.height > 16 && field_make(&now, &placed) &&
            take_best_luma(&now, &placed))
            add_frame(&now, &t);
        field_free(&now);
        xr_applied_free(&applied);
    }
    if (!(t.before > 0))
        return false;
    /* Of mere noise, each parameter takes one value's share. */
    double by_chance = fmin(t.parameters / t.n, 0.5);
    double explained = 1 - t.after / t.before;
    *out = (xr_detail){.separable = fmax(0, (explained - by_chance) / (1 - by_chance)),
                       .moved = 1 - t.moved / t.before,
                       .shift = t.shift,
                       .at_edges = t.at_edges / t.frames,
                       .left = sqrt(t.before / t.n) / scene->fit->level[0],
                       .sharpness = t.scene > 0 ? sqrt(t.edge / t.scene) : 1};
    return true;
}

/* ---- Luma and chroma --------------------------------------------------------------------------- */

static int by_value(const void *left, const void *right)
{
    float a, b;
    memcpy(&a, left, sizeof a);
    memcpy(&b, right, sizeof b);
    return (a > b) - (a < b);
}

enum { ROOM = 6000 };

/* One frame, sorted: each luma's differences, and last the rms of all channels'. */
static size_t measure_luma(const xr_scene *scene, const xr_placed *p, float *sample[LUMAS + 1])
{
    size_t pixels = p->width * p->height, step = pixels / ROOM + 1, count = 0;
    for (size_t i = 0; i < pixels && count < ROOM; i += step) {
        double d[3];
        for (size_t c = 0; c < 3; c++)
            d[c] = ((double)p->plane[0][c * pixels + i] - (double)p->plane[1][c * pixels + i]) /
                   scene->fit->level[EXRAY_SIDE_EDGE];
        if (!isfinite(d[0] + d[1] + d[2]))
            continue;
        sample[LUMAS][count] = (float)sqrt((d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) / 3);
        for (int w = 0; w < LUMAS; w++)
            sample[w][count] = (float)fabs(luma[w][0] * d[0] + luma[w][1] * d[1] + luma[w][2] * d[2]);
        count++;
    }
    for (int w = 0; w <= LUMAS && count; w++)
        qsort(sample[w], count, sizeof *sample[w], by_value);
    return count;
}

bool xr_look_at_luma(xr_scene *scene, const xr_chain *chain, double *luma_median, double *all_median)
{
    float *sample[LUMAS + 1] = {NULL};
    double worst[LUMAS] = {0}, sum = 0;
    size_t frames = 0;
    bool ok = scene->channels == 3;
    for (int w = 0; w <= LUMAS; w++)
        ok = (sample[w] = malloc(ROOM * sizeof *sample[w])) && ok;
    for (size_t f = 0; ok && f < scene->count; f++) {
        xr_applied applied = {.scene = scene, .chain = chain};
        xr_placed p;
        exray_error error;
        size_t count = xr_apply_chain(&applied, scene->frame[f].frame, &p, &error) == EXRAY_OK
                           ? measure_luma(scene, &p, sample)
                           : 0;
        for (int w = 0; w < LUMAS && count; w++)
            worst[w] = fmax(worst[w], (double)sample[w][count / 2]);
        sum += count ? (double)sample[LUMAS][count / 2] : 0;
        frames += count > 0;
        xr_applied_free(&applied);
    }
    *luma_median = INFINITY;
    for (int w = 0; w <= LUMAS; w++) {
        if (w < LUMAS)
            *luma_median = fmin(*luma_median, worst[w]);
        free(sample[w]);
    }
    *all_median = frames ? sum / (double)frames : 0;
    return ok && frames > 0;
}
