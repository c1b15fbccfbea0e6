#include "checks/output/vector_shift.h"

#include "checks/ascending.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FURTHEST = 8, PLACES = 2 * FURTHEST + 1 };

typedef struct shift_sums {
    double residual[PLACES], count[PLACES]; /* squares */
    double sorted, sorted_count;
    double b, bb, n; /* of the reference */
    size_t supporting[PLACES], opposing[PLACES];
    size_t sorted_supporting, sorted_opposing;
} shift_sums;

/* The difference of the sorted values.  *distinct: the number of distinct values; with only a few,
 * as in a one-hot vector, any two frames have the same. */
static double sorted_difference(const float *edge, const float *reference, size_t n, size_t *distinct)
{
    float *copy = malloc(2 * n * sizeof *copy);
    double residual = 0;
    *distinct = 0;
    if (!copy)
        return INFINITY;
    memcpy(copy, edge, n * sizeof *copy);
    memcpy(copy + n, reference, n * sizeof *copy);
    qsort(copy, n, sizeof *copy, xr_ascending_floats);
    qsort(copy + n, n, sizeof *copy, xr_ascending_floats);
    for (size_t i = 0; i < n; i++) {
        residual += ((double)copy[i] - copy[n + i]) * ((double)copy[i] - copy[n + i]);
        *distinct += i == 0 || copy[n + i] > copy[n + i - 1];
    }
    free(copy);
    return residual;
}

static void add_frame(shift_sums *s, const float *edge, size_t n_edge, const float *reference, size_t n)
{
    double residual[PLACES] = {0}, mean = 0, square = 0;
    for (size_t i = 0; i < n; i++) {
        mean += reference[i];
        square += (double)reference[i] * reference[i];
    }
    s->b += mean;
    s->bb += square;
    s->n += (double)n;
    double variance = square - mean * mean / (double)n;
    for (int p = 0; p < PLACES; p++) {
        double count = 0;
        for (size_t i = 0; i < n; i++) {
            int64_t at = (int64_t)i + p - FURTHEST;
            if (at < 0 || at >= (int64_t)n_edge)
                continue;
            double d = (double)edge[at] - reference[i];
            residual[p] += d * d;
            count++;
        }
        s->residual[p] += residual[p];
        s->count[p] += count;
    }
    for (int p = 0; p < PLACES; p++) {
        s->supporting[p] += residual[p] < 0.25 * residual[FURTHEST];
        s->opposing[p] += residual[p] > residual[FURTHEST] && residual[p] > 0.01 * variance;
    }
    if (n_edge == n) {
        size_t distinct;
        double sorted = sorted_difference(edge, reference, n, &distinct);
        if (distinct < 8)
            return;
        s->sorted_supporting += sorted < 0.25 * residual[FURTHEST];
        s->sorted += sorted;
        s->sorted_count += (double)n;
        s->sorted_opposing += !(sorted < 0.25 * residual[FURTHEST]) && residual[FURTHEST] > 0.01 * variance;
    }
}

static bool is_vector(const exray_tensor_view *view)
{
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < view->info.rank; i++)
        dimensions += view->info.shape[i] != 1;
    return dimensions == 1 && view->count >= 8;
}

static exray_status read_frames(const exray_comparison *comparison, exray_slot *slot[2], shift_sums *s,
                                xr_shift *out, exray_error *error)
{
    for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_status status = EXRAY_OK;
        bool usable = true;
        for (int side = 0; side < 2 && status == EXRAY_OK; side++)
            status = exray_comparison_values(comparison, (exray_side)side, f, EXRAY_KIND_OUTPUT, 0,
                                             slot[side], &view[side], &values[side], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            continue;
        if (status != EXRAY_OK)
            return status;
        for (int side = 0; side < 2; side++) {
            usable = usable && is_vector(&view[side]);
            for (size_t i = 0; usable && i < view[side].count; i++)
                usable = isfinite(values[side][i]);
            out->elements[side] = (size_t)view[side].count;
        }
        if (!usable || llabs((long long)view[0].count - (long long)view[1].count) > FURTHEST)
            continue;
        add_frame(s, values[0], (size_t)view[0].count, values[1], (size_t)view[1].count);
        out->frames++;
    }
    return EXRAY_OK;
}

/* The output's noise, at least that of float arithmetic. */
static double healthy_error(const exray_comparison *comparison)
{
    const exray_io_pair *output = exray_comparison_output(comparison, 0);
    return fmax(isfinite(output->noise) ? output->noise : 0, 1e-5);
}

static void judge(const shift_sums *s, const exray_comparison *comparison, xr_shift *out)
{
    double unit = sqrt(fmax(s->bb / s->n - (s->b / s->n) * (s->b / s->n), 0));
    if (!(unit > 0))
        return;
    double e[PLACES];
    int best = FURTHEST, next = -1;
    for (int p = 0; p < PLACES; p++)
        e[p] = s->count[p] > 0.5 * s->n ? sqrt(s->residual[p] / s->count[p]) / unit : INFINITY;
    for (int p = 0; p < PLACES; p++)
        if (e[p] < e[best])
            best = p;
    for (int p = 0; p < PLACES; p++)
        if (p != best && (next < 0 || e[p] < e[next]))
            next = p;
    out->noise = healthy_error(comparison);
    out->before = e[FURTHEST];
    out->after = e[best];
    out->runner_up = e[next];
    out->places = best - FURTHEST;
    out->supporting = s->supporting[best];
    bool differ = e[FURTHEST] > out->noise || out->elements[0] != out->elements[1];
    out->shifted = differ && best != FURTHEST && e[best] <= out->noise && e[best] < 0.5 * e[FURTHEST] &&
                   e[best] < 0.5 * e[next] && s->opposing[best] == 0 && out->supporting > 0;
    if (out->shifted || !differ || !(s->sorted_count > 0))
        return;
    double sorted = sqrt(s->sorted / s->sorted_count) / unit;
    /* Sorted vectors are always similar, so the residual must be far below noise. */
    out->permuted =
        sorted <= 1e-4 && sorted < 0.01 * e[FURTHEST] && s->sorted_opposing == 0 && s->sorted_supporting > 0;
    if (out->permuted) {
        out->after = sorted;
        out->supporting = s->sorted_supporting;
    }
}

exray_status xr_shift_make(const exray_comparison *comparison, xr_shift *out, exray_error *error)
{
    *out = (xr_shift){0};
    if (exray_comparison_output_count(comparison) != 1)
        return EXRAY_OK;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    shift_sums *s = calloc(1, sizeof *s);
    exray_status status = EXRAY_E_MEMORY;
    if (slot[0] && slot[1] && s)
        status = read_frames(comparison, slot, s, out, error);
    else
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing outputs"};
    if (status == EXRAY_OK && out->frames)
        judge(s, comparison, out);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    free(s);
    return status;
}
