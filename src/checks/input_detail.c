/* What kind of difference is left: one that lives where the picture has detail is a
 * matter of kernels, one that is everywhere is noise. */
#include "input_search.h"

#include <math.h>
#include <stdlib.h>

enum { BLOCK = 8 };

/* The sum of a raster's channels: the same for every order of them. */
static bool summed(const xr_placed *p, int side, double *out)
{
    size_t pixels = p->width * p->height;
    bool finite = true;
    for (size_t i = 0; i < pixels; i++) {
        out[i] = 0;
        for (size_t c = 0; c < p->channels; c++)
            out[i] += (double)p->plane[side][c * pixels + i];
        finite = finite && isfinite(out[i]);
    }
    return finite;
}

/* edge - the line through it: *gain of the scene, in place of edge. */
static double subtract_line(double *edge, const double *scene, size_t n)
{
    double e = 0, s = 0, ss = 0, es = 0;
    for (size_t i = 0; i < n; i++)
        e += edge[i], s += scene[i], ss += scene[i] * scene[i], es += edge[i] * scene[i];
    double count = (double)n, variance = ss - s * s / count,
           gain = variance > 0 ? (es - e * s / count) / variance : 1;
    double offset = (e - gain * s) / count;
    for (size_t i = 0; i < n; i++)
        edge[i] -= gain * scene[i] + offset;
    return gain;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double gradient(const double *v, size_t width, size_t i)
{
    double x = v[i + 1] - v[i - 1], y = v[i + width] - v[i - width];
    return x * x + y * y;
}

typedef struct detail_sums {
    double high, low, total, blocks, count, block_count, edge, scene;
} detail_sums;

static void add_blocks(const double *left, size_t width, size_t height, detail_sums *s)
{
    for (size_t y = 0; y + BLOCK <= height; y += BLOCK)
        for (size_t x = 0; x + BLOCK <= width; x += BLOCK) {
            double sum = 0;
            for (size_t j = 0; j < BLOCK; j++)
                for (size_t i = 0; i < BLOCK; i++)
                    sum += left[(y + j) * width + x + i];
            sum /= BLOCK * BLOCK;
            s->blocks += sum * sum;
            s->block_count += 1;
        }
}

static bool add_frame(const xr_placed *p, detail_sums *s)
{
    size_t n = p->width * p->height, inner = 0;
    double *work = calloc(n * 4, sizeof *work);
    bool ok = work != NULL;
    double *edge = work, *scene = work + n, *left = work + 2 * n, *sorted = work + 3 * n;
    ok = ok && summed(p, 0, edge) && summed(p, 1, scene);
    if (ok) {
        for (size_t i = 0; i < n; i++)
            left[i] = edge[i];
        double gain = subtract_line(left, scene, n);
        for (size_t y = 1; y + 1 < p->height; y++)
            for (size_t x = 1; x + 1 < p->width; x++)
                sorted[inner++] = gradient(scene, p->width, y * p->width + x);
        qsort(sorted, inner, sizeof *sorted, ascending);
        double plain = sorted[inner / 2], busy = sorted[inner - inner / 4 - 1];
        double high = 0, low = 0, highs = 0, lows = 0;
        for (size_t y = 1; y + 1 < p->height; y++)
            for (size_t x = 1; x + 1 < p->width; x++) {
                size_t i = y * p->width + x;
                double g = gradient(scene, p->width, i), square = left[i] * left[i];
                s->scene += gain * gain * g;
                s->edge += gradient(edge, p->width, i);
                s->total += square;
                s->count += 1;
                if (g >= busy)
                    high += square, highs += 1;
                else if (g <= plain)
                    low += square, lows += 1;
            }
        s->high += highs > 0 ? high / highs : 0;
        s->low += lows > 0 ? low / lows : 0;
        add_blocks(left, p->width, p->height, s);
    }
    free(work);
    return ok;
}

bool xr_look_at_detail(xr_scene *scene, const xr_chain *chain, xr_detail *out)
{
    detail_sums s = {0};
    bool any = false;
    for (size_t f = 0; f < scene->count; f++) {
        xr_applied applied = {.scene = scene, .chain = chain};
        xr_placed placed;
        exray_error error;
        if (xr_apply_chain(&applied, scene->frame[f].frame, &placed, &error) == EXRAY_OK &&
            placed.width > 2 * BLOCK && placed.height > 2 * BLOCK)
            any = add_frame(&placed, &s) || any;
        xr_applied_free(&applied);
    }
    if (!any || !(s.total > 0))
        return false;
    *out = (xr_detail){.at_edges = s.low > 0 ? s.high / s.low : 1e6,
                       .blocks = sqrt((s.blocks / fmax(s.block_count, 1)) / (s.total / s.count)),
                       .sharpness = s.scene > 0 ? sqrt(s.edge / s.scene) : 1};
    return true;
}
