#include "checks/told/stages/pooling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adding up in another order; vectors scaled to length 1 are compared by their direction. */
#define SAME 1e-4

typedef struct row_view {
    const float *value;
    size_t rows, width, row, step; /* element k of row i: i * row + k * step */
} row_view;

static double at(const row_view *v, size_t i, size_t k)
{
    float x;
    memcpy(&x, (const char *)v->value + (i * v->row + k * v->step) * sizeof x, sizeof x);
    return x;
}

/* Whether the vector is along `made`, up to a positive factor. */
static bool is_along(const xr_stage_values *vector, const double *made)
{
    double xx = 0, yy = 0, xy = 0;
    for (size_t k = 0; k < vector->count; k++) {
        xx += made[k] * made[k];
        yy += (double)vector->value[k] * vector->value[k];
        xy += made[k] * vector->value[k];
    }
    return xx > 0 && yy > 0 && 1 - xy / sqrt(xx * yy) <= SAME * SAME;
}

/* The factor matters where a mean and a sum are along each other. */
static bool is_same(const xr_stage_values *vector, const double *made)
{
    double difference = 0, square = 0;
    for (size_t k = 0; k < vector->count; k++) {
        difference += (vector->value[k] - made[k]) * (vector->value[k] - made[k]);
        square += made[k] * made[k];
    }
    return difference <= SAME * SAME * square;
}

static void pool(const row_view *v, xr_pooling pooling, double *made)
{
    for (size_t k = 0; k < v->width; k++) {
        double sum = 0, most = -INFINITY;
        for (size_t i = 0; i < v->rows; i++) {
            sum += at(v, i, k);
            most = fmax(most, at(v, i, k));
        }
        made[k] = pooling == XR_POOL_MEAN      ? sum / (double)v->rows
                  : pooling == XR_POOL_SUM     ? sum
                  : pooling == XR_POOL_FIRST   ? at(v, 0, k)
                  : pooling == XR_POOL_LARGEST ? most
                                               : at(v, v->rows - 1, k);
    }
}

/* How many rows, from one end, have the vector for their mean; 0: none. */
static size_t mean_of(const row_view *v, const xr_stage_values *vector, bool first, double *made)
{
    memset(made, 0, v->width * sizeof *made);
    for (size_t n = 1; n < v->rows; n++) {
        for (size_t k = 0; k < v->width; k++)
            made[k] += at(v, first ? n - 1 : v->rows - n, k);
        if (is_along(vector, made))
            return n;
    }
    return 0;
}

static bool holds(const row_view *v, const xr_stage_values *vector, xr_pooling pooling, double *made,
                  xr_pooling_habit *h)
{
    size_t n = v->rows;
    if (pooling == XR_POOL_MEAN_OF_FIRST || pooling == XR_POOL_MEAN_OF_LAST) {
        /* All of them is a mean of the first, too: a frame without padding. */
        pool(v, XR_POOL_MEAN, made);
        if (!is_along(vector, made) && (n = mean_of(v, vector, pooling == XR_POOL_MEAN_OF_FIRST, made)) == 0)
            return false;
    } else {
        pool(v, pooling, made);
        bool sum = pooling == XR_POOL_SUM;
        if (sum ? !is_same(vector, made) : !is_along(vector, made))
            return false;
        /* The sum is along the mean. */
        if (pooling == XR_POOL_MEAN) {
            pool(v, XR_POOL_SUM, made);
            if (is_same(vector, made) && v->rows > 1)
                return false;
        }
    }
    h->least = n < h->least ? n : h->least;
    h->most = n > h->most ? n : h->most;
    return true;
}

/* The last two dimensions, rows of the vector's width; or columns of it. */
static bool view_rows(const exray_tensor_view *view, const float *values, size_t width, row_view *out)
{
    size_t shape[2] = {0, 0}, dimensions = 0;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] == 1)
            continue;
        if (dimensions == 2 || view->info.shape[i] < 1)
            return false;
        shape[dimensions++] = (size_t)view->info.shape[i];
    }
    if (dimensions != 2 || shape[0] * shape[1] != view->count)
        return false;
    if (shape[1] == width)
        *out = (row_view){values, shape[0], width, width, 1};
    else
        *out = (row_view){values, shape[1], shape[0], 1, shape[1]};
    return out->width == width && out->rows > 1;
}

static bool try_pooling(const exray_comparison *comparison, const xr_stage_series *series, exray_side side,
                        size_t pair, exray_slot *slot, double *made, xr_pooling_habit *h)
{
    size_t tried = 0;
    h->least = SIZE_MAX;
    h->most = 0;
    for (size_t f = 0; f < series->count; f++) {
        exray_tensor_view view;
        const float *values;
        exray_error error;
        row_view rows;
        const xr_stage_values *vector = &series->frame[f].side[side];
        if (exray_comparison_values(comparison, side, series->frame[f].frame, EXRAY_KIND_OUTPUT, pair, slot,
                                    &view, &values, &error) != EXRAY_OK)
            continue;
        if (vector->count != series->frame[0].side[side].count ||
            !view_rows(&view, values, vector->count, &rows) || !holds(&rows, vector, h->pooling, made, h))
            return false;
        h->rows = rows.rows;
        tried++;
    }
    return tried > 0;
}

exray_status xr_pooling_find(const exray_comparison *comparison, const xr_stage_series *series,
                             exray_side side, xr_pooling_habit *out, exray_error *error)
{
    size_t width = series->count ? series->frame[0].side[side].count : 0;
    exray_slot *slot = exray_slot_new();
    double *made = calloc(width + 1, sizeof *made);
    bool ok = slot && made, found = false;
    *out = (xr_pooling_habit){0};
    for (size_t i = 0; ok && width > 1 && !found && i < exray_comparison_output_count(comparison); i++)
        for (int p = XR_POOL_MEAN; p < XR_POOLINGS && !found; p++) {
            *out = (xr_pooling_habit){.pooling = (xr_pooling)p};
            found = try_pooling(comparison, series, side, i, slot, made, out);
        }
    if (!found)
        *out = (xr_pooling_habit){0};
    exray_slot_free(slot);
    free(made);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing vectors with outputs"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

void xr_pooling_words(const xr_pooling_habit *h, char *text, size_t size)
{
    static const char *const words[XR_POOLINGS] = {
        [XR_POOL_UNKNOWN] = "made in another way",
        [XR_POOL_FIRST] = "the first of",
        [XR_POOL_LAST] = "the last of",
        [XR_POOL_MEAN] = "the mean of all",
        [XR_POOL_LARGEST] = "the largest values of all",
        [XR_POOL_SUM] = "the sum of all",
        [XR_POOL_MEAN_OF_FIRST] = "the mean of the first",
        [XR_POOL_MEAN_OF_LAST] = "the mean of the last",
    };
    if (h->pooling == XR_POOL_UNKNOWN)
        snprintf(text, size, "%s", words[h->pooling]);
    else if (h->pooling == XR_POOL_MEAN_OF_FIRST || h->pooling == XR_POOL_MEAN_OF_LAST)
        snprintf(text, size, "%s %zu to %zu of %zu rows", words[h->pooling], h->least, h->most, h->rows);
    else
        snprintf(text, size, "%s %zu rows", words[h->pooling], h->rows);
}
