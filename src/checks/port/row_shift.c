/* Each shift is tried on each frame that differs, until a row contradicts it: the one that none contradicts,
 * where it is the only one and the rows do differ as they stand. */
#include "checks/port/row_shift.h"

#include "checks/port/output_rows.h"

#include <math.h>

enum { MOST_FRAMES = 64, FURTHEST = 64, PLACES = 2 * FURTHEST + 1, FEWEST_ROWS = 4 };
/* Shifted, the rows that both sides have differ by less than this share of the square of their difference. */
#define LEFT 0.04

typedef struct row_shift_sums {
    double before, after, values;
} row_shift_sums;

typedef struct row_shift_work {
    bool possible[PLACES]; /* by + FURTHEST */
    row_shift_sums sums[PLACES];
    bool empty[PLACES];
    double tolerance; /* of one value */
} row_shift_work;

/* The rows that the edge has and the reference, shifted, has not. */
static bool is_empty(const float *edge, const xr_row_slices *rows, int by)
{
    const size_t count = (size_t)(by > 0 ? by : -by), first = by > 0 ? 0 : rows->rows - count;
    for (size_t k = first; k < first + count; k++)
        for (size_t o = 0; o < rows->outer; o++)
            for (size_t i = 0; i < rows->inner; i++)
                if (xr_rows_value(edge, rows, o, k, i) != 0)
                    return false;
    return true;
}

/* False: a row of the frame contradicts the shift. */
static bool fits(const row_shift_work *w, const float *const values[2], const xr_row_slices *rows, int by,
                 row_shift_sums *out)
{
    const double each = (double)(rows->outer * rows->inner);
    const double most = XR_ROW_DRAW * XR_ROW_DRAW * w->tolerance * w->tolerance * each;
    const size_t first = by > 0 ? (size_t)by : 0, end = by > 0 ? rows->rows : rows->rows - (size_t)-by;
    *out = (row_shift_sums){0, 0, 0};
    for (size_t k = first; k < end; k++) {
        double square = xr_rows_square(values[0], k, values[1], (size_t)((int64_t)k - by), rows);
        if (!(square <= most))
            return false;
        out->after += square;
    }
    for (size_t k = first; k < end; k++)
        out->before += xr_rows_square(values[0], k, values[1], k, rows);
    out->values = each * (double)(end - first);
    return out->after <= LEFT * out->before;
}

/* Returns how many shifts are still possible. */
static size_t judge_frame(row_shift_work *w, const float *const values[2], const xr_row_slices *rows)
{
    size_t possible = 0;
    for (int p = 0; p < PLACES; p++) {
        const int by = p - FURTHEST;
        row_shift_sums sums;
        w->possible[p] = w->possible[p] && by != 0 && (size_t)(by > 0 ? by : -by) <= rows->rows / 2 &&
                         fits(w, values, rows, by, &sums);
        if (!w->possible[p])
            continue;
        possible++;
        w->sums[p].before += sums.before;
        w->sums[p].after += sums.after;
        w->sums[p].values += sums.values;
        w->empty[p] = w->empty[p] && is_empty(values[0], rows, by);
    }
    return possible;
}

static exray_status try_axis(xr_rows_reading *r, uint32_t axis, row_shift_work *w, xr_row_shift *out,
                             exray_error *error)
{
    size_t count = exray_comparison_frame_count(r->comparison), rows = 0, frames = 0, possible = PLACES;
    bool good = true;
    for (int p = 0; p < PLACES; p++) {
        w->possible[p] = w->empty[p] = true;
        w->sums[p] = (row_shift_sums){0, 0, 0};
    }
    for (size_t f = 0; good && possible > 0 && f < count && f < MOST_FRAMES; f++) {
        exray_status status;
        xr_row_slices s;
        if (!xr_rows_read(r, f, &status, error)) {
            if (status != EXRAY_OK)
                return status;
            continue;
        }
        good = xr_rows_along(&r->view[1], axis, &s) && xr_is_row_axis(&r->view[1], axis, &s) &&
               s.rows >= FEWEST_ROWS;
        rows = good ? s.rows : rows;
        if (!good || sqrt(xr_rows_difference(r) / (double)r->view[0].count) <= XR_ROW_DRAW * w->tolerance)
            continue;
        possible = judge_frame(w, r->values, &s);
        frames++;
    }
    if (!good || frames == 0 || possible != 1)
        return EXRAY_OK;
    size_t found = 0;
    while (!w->possible[found])
        found++;
    const double deviation = exray_comparison_output(r->comparison, r->pair)->metrics.std[1];
    *out = (xr_row_shift){.explains = true,
                          .by = (int)found - FURTHEST,
                          .rows = rows,
                          .axis = axis,
                          .frames = frames,
                          .before = sqrt(w->sums[found].before / w->sums[found].values) / deviation,
                          .after = sqrt(w->sums[found].after / w->sums[found].values) / deviation,
                          .empty = w->empty[found]};
    return EXRAY_OK;
}

exray_status xr_row_shift_make(const exray_comparison *comparison, size_t pair, xr_row_shift *out,
                               exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    *out = (xr_row_shift){.explains = false};
    if (!xr_rows_may_be_moved(io))
        return EXRAY_OK;
    xr_rows_reading r;
    row_shift_work w = {.tolerance = xr_rows_tolerance(io)};
    exray_status status = EXRAY_OK;
    if (!xr_rows_reading_begin(comparison, pair, &r)) {
        status = EXRAY_E_MEMORY;
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of an output"};
    }
    for (uint32_t axis = 0; status == EXRAY_OK && axis < EXRAY_MAX_RANK && !out->explains; axis++)
        status = try_axis(&r, axis, &w, out, error);
    xr_rows_reading_end(&r);
    return status;
}
