/* What kind of difference is left.  Kernels of a resize are separable: what another one
 * changes is, in each column, the same mixture of the picture's slopes and curvatures along
 * the rows, and in each row of those along the columns.  How much of a difference such
 * mixtures explain tells kernels, and shifts of less than a pixel, from noise, decoders and
 * compression, which know no columns.  The mixtures are fitted by alternating least squares. */
#include "input_search.h"

#include <math.h>
#include <stdlib.h>

enum { ROUNDS = 3, FRAMES = 4 };

/* One frame: fields over its inner pixels, NAN where a value is not known. */
typedef struct field {
    size_t width, height;
    double *scene, *edge, *left;
} field;

static bool field_make(field *f, const xr_placed *p)
{
    size_t n = p->width * p->height;
    *f = (field){p->width, p->height, calloc(n, sizeof(double)), calloc(n, sizeof(double)),
                 calloc(n, sizeof(double))};
    if (!f->scene || !f->edge || !f->left)
        return false;
    /* The sum of the channels: the same for every order of them. */
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < p->channels; c++) {
            f->edge[i] += (double)p->plane[0][c * n + i];
            f->scene[i] += (double)p->plane[1][c * n + i];
        }
    return true;
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
    double shift[2], shift_weight[2]; /* sums of left * slope, slope * slope, along x and y */
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
            s.shift[0] += f->left[i] * g[0], s.shift_weight[0] += g[0] * g[0];
            s.shift[1] += f->left[i] * h[0], s.shift_weight[1] += h[0] * h[0];
        }
    return s;
}

/* Takes one shift of the whole picture out of `left`. */
static void subtract_shift(field *f, const double by[2])
{
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double g[2], h[2];
            size_t i = y * f->width + x;
            shape_at(f, i, 1, g);
            shape_at(f, i, f->width, h);
            f->left[i] -= by[0] * g[0] + by[1] * h[0];
        }
}

typedef struct totals {
    double before, shifted, after, n, parameters, scene, edge, shift;
} totals;

static void add_frame(field *f, totals *t)
{
    energy start = measure(f);
    double by[2] = {0, 0};
    if (start.n < 64)
        return;
    for (int axis = 0; axis < 2; axis++)
        by[axis] = start.shift_weight[axis] > 0 ? start.shift[axis] / start.shift_weight[axis] : 0;
    subtract_shift(f, by);
    energy shifted = measure(f);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t x = 1; x + 1 < f->width; x++)
            fit_line(f, true, x);
        for (size_t y = 1; y + 1 < f->height; y++)
            fit_line(f, false, y);
    }
    energy end = measure(f);
    t->before += start.left, t->shifted += shifted.left, t->after += end.left;
    t->n += start.n, t->parameters += 2.0 * (double)(f->width + f->height);
    t->scene += start.slope_scene, t->edge += start.slope_edge;
    t->shift = fmax(t->shift, hypot(by[0], by[1]));
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
            placed.width > 16 && placed.height > 16 && field_make(&now, &placed) && align_values(&now))
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
                       .shifted = 1 - t.shifted / t.before,
                       .shift = t.shift,
                       .left = sqrt(t.before / t.n) / (double)scene->channels / scene->fit->level[0],
                       .sharpness = t.scene > 0 ? sqrt(t.edge / t.scene) : 1};
    return true;
}
