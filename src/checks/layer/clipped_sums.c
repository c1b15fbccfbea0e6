#include "checks/layer/clipped_sums.h"

#include "checks/layer/integer_layer.h"
#include "checks/layer/value_evidence.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_FRAMES = 3,
    MOST_ROWS = 64,
    FEWEST_TELLING = 4, /* values that clipping changes */
    FEWEST_EXACT = 64,  /* values that are the same sums by no chance */
};
#define MOST_PRODUCTS ((uint64_t)1 << 23) /* of a frame, in one order */
/* The shares of values that the right explanation accounts for at least, and of the telling ones that the
 * wrong one accounts for at most. */
#define EXPLAINED   0.97
#define UNEXPLAINED 0.1
/* The share of values that must be exact sums; requantization may round some beyond a step. */
#define ALL 0.999

typedef struct clipping {
    xr_clipped_sums telling;
    uint64_t right; /* of all values, as clipping has them */
    uint64_t exact; /* of all values, as exact sums have them */
} clipping;

static int64_t saturate(int64_t pair)
{
    return pair > INT16_MAX ? INT16_MAX : pair < INT16_MIN ? INT16_MIN : pair;
}

/* What sums of raw products have to be moved by, and the two sums. */
static void add_up(const xr_integer_layer *l, const uint8_t *a, const int8_t *w, double *exact,
                   double *clipped)
{
    int64_t all = 0, pairs = 0, sum_a = 0, sum_w = 0;
    for (uint64_t k = 0; k < l->depth; k += 2) {
        int64_t pair = a[k] * w[k];
        sum_a += a[k];
        sum_w += w[k];
        if (k + 1 < l->depth) {
            pair += a[k + 1] * w[k + 1];
            sum_a += a[k + 1];
            sum_w += w[k + 1];
        }
        all += pair;
        pairs += saturate(pair);
    }
    int64_t zeros = (int64_t)l->depth * l->zero * l->weight_zero - l->zero * sum_w - l->weight_zero * sum_a;
    *exact = (double)(all + zeros);
    *clipped = (double)(pairs + zeros);
}

static double as_output(const xr_integer_layer *l, uint64_t column, double sum)
{
    return fmin(fmax(sum * l->factor[column] + l->bias[column], l->low), l->high);
}

/* How far a value may be from a right one: a step where it was rounded, else float's own rounding. */
static double tolerance(const xr_integer_layer *l, uint64_t column, double sum)
{
    if (l->step > 0)
        return 1.01 * l->step;
    return l->whole
               ? fmax(0.5, 1e-7 * fabs(sum))
               : 1e-5 * (fabs(sum * l->factor[column]) + fabs(l->bias[column])) + 0.5 * l->factor[column];
}

static void judge_value(const xr_integer_layer *l, uint64_t row, uint64_t column, double exact,
                        double clipped, clipping *s)
{
    double is = xr_integer_layer_output(l, row, column), near = tolerance(l, column, exact);
    double a = as_output(l, column, exact), b = as_output(l, column, clipped);
    bool right = fabs(is - b) <= near;
    s->telling.values++;
    s->right += right;
    s->exact += fabs(is - a) <= near;
    if (!(fabs(a - b) > 2 * near))
        return;
    s->telling.telling++;
    s->telling.clipped += right;
    s->telling.exact += fabs(is - a) <= near;
}

/* A few rows of one frame, spread evenly. */
static void add_frame(const xr_integer_layer *l, xr_sum_order order, uint8_t *a, int8_t *w, clipping *s)
{
    uint64_t row_products = l->depth * l->columns;
    uint64_t rows = row_products > 0 ? MOST_PRODUCTS / row_products : 0;
    rows = rows < 1 ? 1 : rows > MOST_ROWS ? MOST_ROWS : rows;
    rows = rows > l->rows ? l->rows : rows;
    for (uint64_t i = 0; i < rows; i++)
        for (uint64_t n = 0; n < l->columns; n++) {
            double exact, clipped;
            uint64_t row = i * l->rows / rows;
            xr_integer_layer_gather(l, row, n, order, a, w);
            add_up(l, a, w, &exact, &clipped);
            judge_value(l, row, n, exact, clipped, s);
        }
}

static bool is_explained(const clipping *s)
{
    const xr_clipped_sums *t = &s->telling;
    return t->telling >= FEWEST_TELLING && (double)t->clipped >= EXPLAINED * (double)t->telling &&
           (double)t->exact <= UNEXPLAINED * (double)t->telling &&
           (double)s->right >= EXPLAINED * (double)t->values;
}

/* Computes a layer of a side again, in the first `orders` orders in which its products may be added up. */
static void add_frames(const exray_comparison *comparison, size_t layer, exray_side side, int orders,
                       clipping by[])
{
    size_t frames = exray_comparison_frame_count(comparison);
    for (size_t f = 0; f < frames && f < MOST_FRAMES; f++) {
        xr_integer_layer l;
        if (!xr_integer_layer_open(comparison, layer, side, f, &l))
            continue;
        uint8_t *a = malloc(l.depth);
        int8_t *w = malloc(l.depth);
        for (int order = 0; a && w && order < (l.window ? orders : 1); order++)
            add_frame(&l, (xr_sum_order)order, a, w, &by[order]);
        free(a);
        free(w);
        xr_integer_layer_close(&l);
    }
}

bool xr_loses_by_rounding(const exray_comparison *comparison, size_t layer)
{
    clipping sums = {0};
    if (xr_is_same_file(comparison))
        return false;
    add_frames(comparison, layer, EXRAY_SIDE_EDGE, 1, &sums); /* exact sums are the same in any order */
    return sums.telling.values >= FEWEST_EXACT && (double)sums.exact >= ALL * (double)sums.telling.values;
}

bool xr_sums_are_clipped(const exray_comparison *comparison, size_t layer, exray_side side,
                         xr_clipped_sums *out)
{
    clipping by[XR_SUM_ORDERS] = {0};
    add_frames(comparison, layer, side, XR_SUM_ORDERS, by);
    for (int order = 0; order < XR_SUM_ORDERS; order++)
        if (is_explained(&by[order])) {
            *out = by[order].telling;
            return true;
        }
    return false;
}
