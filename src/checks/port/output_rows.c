#include "checks/port/output_rows.h"

#include <math.h>
#include <string.h>

enum { MOST_ROWS = 1 << 16 };

bool xr_rows_along(const exray_tensor_view *view, uint32_t axis, xr_row_slices *out)
{
    *out = (xr_row_slices){1, 0, 1};
    uint64_t total = 1;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] < 1)
            return false;
        size_t n = (size_t)view->info.shape[i];
        total *= n;
        if (i < axis)
            out->outer *= n;
        else if (i == axis)
            out->rows = n;
        else
            out->inner *= n;
    }
    return axis < view->info.rank && total == view->count;
}

bool xr_is_row_axis(const exray_tensor_view *view, uint32_t axis, const xr_row_slices *rows)
{
    enum { FEW_COLUMNS = 8 };
    bool last = true;
    for (uint32_t i = axis + 1; i < view->info.rank; i++)
        last = last && view->info.shape[i] == 1;
    return rows->rows >= 2 && rows->rows <= MOST_ROWS && rows->outer * rows->inner >= 2 &&
           !(last && rows->rows <= FEW_COLUMNS);
}

float xr_rows_value(const float *values, const xr_row_slices *rows, size_t outer, size_t row, size_t inner)
{
    float v;
    size_t at = (outer * rows->rows + row) * rows->inner + inner;
    memcpy(&v, (const char *)values + at * sizeof v, sizeof v);
    return v;
}

double xr_rows_square(const float *a, size_t row, const float *b, size_t other, const xr_row_slices *rows)
{
    double square = 0;
    for (size_t o = 0; o < rows->outer; o++)
        for (size_t i = 0; i < rows->inner; i++) {
            double d = (double)xr_rows_value(a, rows, o, row, i) - xr_rows_value(b, rows, o, other, i);
            square += d * d;
        }
    return square;
}

bool xr_rows_reading_begin(const exray_comparison *comparison, size_t pair, xr_rows_reading *out)
{
    *out = (xr_rows_reading){
        .comparison = comparison, .pair = pair, .slot = {exray_slot_new(), exray_slot_new()}};
    return out->slot[0] && out->slot[1];
}

void xr_rows_reading_end(xr_rows_reading *reading)
{
    exray_slot_free(reading->slot[0]);
    exray_slot_free(reading->slot[1]);
}

bool xr_rows_read(xr_rows_reading *r, size_t frame, exray_status *status, exray_error *error)
{
    *status = EXRAY_OK;
    for (int s = 0; s < 2 && *status == EXRAY_OK; s++)
        *status = exray_comparison_values(r->comparison, (exray_side)s, frame, EXRAY_KIND_OUTPUT, r->pair,
                                          r->slot[s], &r->view[s], &r->values[s], error);
    if (*status == EXRAY_E_STATE || *status == EXRAY_E_UNSUPPORTED) {
        *status = error->status = EXRAY_OK;
        return false;
    }
    return *status == EXRAY_OK && r->view[0].count == r->view[1].count && r->view[0].count > 0;
}

double xr_rows_difference(const xr_rows_reading *reading)
{
    const xr_row_slices flat = {1, 1, (size_t)reading->view[0].count};
    return xr_rows_square(reading->values[0], 0, reading->values[1], 0, &flat);
}

double xr_rows_tolerance(const exray_io_pair *io)
{
    double noise = isfinite(io->noise) ? fmin(io->noise, 0.1) : 0;
    return fmax(noise * io->metrics.std[1], 1e-6 * fmax(fabs(io->metrics.min[1]), fabs(io->metrics.max[1])));
}

bool xr_rows_may_be_moved(const exray_io_pair *io)
{
    return io->comparable && !(io->error <= io->noise) && io->metrics.std[1] > 0 &&
           !io->metrics.nan_count[0] && !io->metrics.nan_count[1];
}
