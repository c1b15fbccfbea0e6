#include "checks/input/columns/column_table.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdlib.h>

enum { FRAMES = 256, SAMPLES = 4096, VALUES = 1 << 20 };

/* A tensor as [outer][columns][inner]. */
typedef struct folded {
    size_t outer, columns, inner;
} folded;

static bool fold(const exray_tensor_view *view, uint32_t axis, folded *out)
{
    *out = (folded){1, 0, 1};
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] < 1)
            return false;
        size_t *part = i < axis ? &out->outer : i == axis ? &out->columns : &out->inner;
        *part = i == axis ? (size_t)view->info.shape[i] : *part * (size_t)view->info.shape[i];
    }
    return out->columns > 1 && out->columns <= XR_COLUMNS_MOST &&
           out->outer * out->columns * out->inner == view->count;
}

/* Adds the values of one place; left out where one is no number. */
static void add_place(const folded *f, const float *const value[2], size_t place, xr_column_table *t)
{
    const size_t base = place / f->inner * f->columns * f->inner + place % f->inner;
    bool finite = true;
    for (size_t c = 0; c < f->columns; c++)
        for (int s = 0; s < 2; s++) {
            const float v = (float)xr_value_at(value[s], base + c * f->inner);
            finite = finite && isfinite(v);
            t->value[s][c * t->room + t->samples] = v;
        }
    t->samples += finite;
}

static bool add_frame(const exray_comparison *c, size_t pair, size_t frame, exray_slot *const slot[2],
                      size_t most, xr_column_table *t)
{
    exray_tensor_view view[2];
    const float *value[2];
    folded f;
    if (!xr_both_of_one_shape(c, EXRAY_KIND_INPUT, pair, frame, slot, view, value))
        return true; /* not recorded */
    if (!fold(&view[0], t->axis, &f) || f.columns != t->columns)
        return false;
    const size_t places = f.outer * f.inner, step = places / most + 1;
    t->begin[t->frames++] = t->samples;
    for (size_t p = 0; p < places && t->samples < t->room; p += step)
        add_place(&f, value, p, t);
    t->begin[t->frames] = t->samples;
    return true;
}

/* The number of columns, by the first frame that has both sides. */
static bool find_columns(const exray_comparison *c, size_t pair, exray_slot *const slot[2],
                         xr_column_table *t)
{
    exray_tensor_view view[2];
    const float *value[2];
    folded f;
    for (size_t i = 0; i < exray_comparison_frame_count(c); i++)
        if (xr_both_of_one_shape(c, EXRAY_KIND_INPUT, pair, i, slot, view, value)) {
            const bool fits = t->axis < view[0].info.rank && fold(&view[0], t->axis, &f);
            t->columns = fits ? f.columns : 0;
            return fits;
        }
    return false;
}

bool xr_column_table_read(const exray_comparison *comparison, size_t pair, uint32_t axis,
                          xr_column_table *out)
{
    const size_t all = exray_comparison_frame_count(comparison), step = all / FRAMES + 1,
                 frames = all / step + 1;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    *out = (xr_column_table){.axis = axis};
    bool read = slot[0] && slot[1] && find_columns(comparison, pair, slot, out);
    if (read) {
        out->room = VALUES / out->columns < SAMPLES ? VALUES / out->columns : SAMPLES;
        for (int s = 0; s < 2; s++)
            out->value[s] = calloc(out->columns * (out->room + 1), sizeof *out->value[s]);
        out->begin = calloc(frames + 2, sizeof *out->begin);
        read = out->value[0] && out->value[1] && out->begin;
    }
    for (size_t f = 0; read && f < all && out->samples < out->room; f += step)
        read = add_frame(comparison, pair, f, slot, out->room / frames + 1, out);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!read)
        xr_column_table_free(out);
    return read;
}

void xr_column_table_free(xr_column_table *table)
{
    free(table->value[0]);
    free(table->value[1]);
    free(table->begin);
    *table = (xr_column_table){0};
}
