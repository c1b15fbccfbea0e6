/* Rows find their counterparts by a projection onto one number: sorted by it, equal rows are neighbors.  The
 * rows of both sides are the same set where the sorted projections agree, and which is which is then told by
 * the rows themselves.  A single value is no row: any two vectors of similar values would match. */
#include "checks/port/row_order.h"

#include "checks/findings.h"
#include "checks/port/output_rows.h"
#include "checks/port/port_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 64, NEIGHBORS = 6 };

typedef struct projected {
    double at;
    size_t row;
} projected;

static int by_projection(const void *a, const void *b)
{
    const projected *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->row > y->row) - (x->row < y->row);
}

/* False: a value is not finite. */
static bool project(const float *values, const xr_row_slices *s, projected *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        uint64_t random = 1;
        out[r] = (projected){0, r};
        for (size_t o = 0; o < s->outer; o++)
            for (size_t i = 0; i < s->inner; i++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                out[r].at +=
                    xr_rows_value(values, s, o, r, i) * (0.5 + (double)(random >> 11) / 9007199254740992.0);
            }
        if (!isfinite(out[r].at))
            return false;
    }
    qsort(out, s->rows, sizeof *out, by_projection);
    return true;
}

typedef struct order_work {
    projected *side[2]; /* [rows] */
    bool *used;         /* [rows] of the reference's */
    double tolerance;   /* of one value */
} order_work;

static bool make_room(order_work *w, size_t rows)
{
    for (int side = 0; side < 2; side++) {
        free(w->side[side]);
        w->side[side] = calloc(rows, sizeof *w->side[side]);
    }
    free(w->used);
    w->used = calloc(rows, sizeof *w->used);
    return w->side[0] && w->side[1] && w->used;
}

static void free_room(order_work *w)
{
    free(w->side[0]);
    free(w->side[1]);
    free(w->used);
}

/* Finds the counterpart of each row; false: the rows are not the same. */
static bool order_rows(order_work *w, const float *const values[2], const xr_row_slices *s, size_t *from,
                       double *left)
{
    double each = (double)(s->outer * s->inner);
    double row_tolerance = XR_ROW_DRAW * w->tolerance * sqrt(each);
    if (!project(values[0], s, w->side[0]) || !project(values[1], s, w->side[1]))
        return false;
    for (size_t r = 0; r < s->rows; r++)
        if (fabs(w->side[0][r].at - w->side[1][r].at) > 2 * row_tolerance)
            return false;
    memset(w->used, 0, s->rows * sizeof *w->used);
    *left = 0;
    for (size_t r = 0; r < s->rows; r++) {
        double best = INFINITY;
        size_t found = 0, low = r < NEIGHBORS ? 0 : r - NEIGHBORS;
        for (size_t k = low; k < s->rows && k <= r + NEIGHBORS; k++) {
            double d = xr_rows_square(values[0], w->side[0][r].row, values[1], w->side[1][k].row, s);
            bool closer = d < best || (d == best && w->used[w->side[1][found].row]);
            if (closer) {
                best = d;
                found = k;
            }
        }
        if (sqrt(best) > row_tolerance)
            return false;
        w->used[w->side[1][found].row] = true;
        from[w->side[0][r].row] = w->side[1][found].row;
        *left += best;
    }
    return true;
}

exray_status xr_rows_find_order(const float *const values[2], const xr_row_slices *s, double tolerance,
                                uint64_t *order)
{
    order_work w = {.tolerance = tolerance / XR_ROW_DRAW};
    size_t *from = calloc(s->rows + 1, sizeof *from);
    double left;
    bool ok = from && make_room(&w, s->rows + 1);
    *order = ok && order_rows(&w, values, s, from, &left) ? s->rows : 0;
    for (size_t r = 0; *order && r < s->rows; r++)
        *order = *order * 6364136223846793005u + from[r] + 1;
    free_room(&w);
    free(from);
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

/* ---- All frames ------------------------------------------------------------------------- */

/* Whether a frame is as it should be, or in another order, which goes to from[]. */
static bool judge_frame(order_work *w, const xr_rows_reading *r, const xr_row_slices *s, size_t *from,
                        xr_row_order *out, double sums[2])
{
    double left, before = xr_rows_difference(r);
    for (size_t k = 0; k < s->rows; k++)
        from[k] = k;
    if (sqrt(before / (double)r->view[0].count) <= XR_ROW_DRAW * w->tolerance)
        return true;
    if (!order_rows(w, r->values, s, from, &left) || left > 0.04 * before)
        return false;
    out->frames++;
    sums[0] += before;
    sums[1] += left;
    return true;
}

/* Two or three numbers a place: scores for and against, the colors of a picture, a point.  Four or more are
 * those of boxes, whose formats are told otherwise. */
static bool is_pair_or_triple(const exray_tensor_view *view, uint32_t axis, const xr_row_slices *s)
{
    enum { MOST_COLUMNS = 3, FEWEST_PLACES = 4 };
    return axis > 0 && axis + 1 == view->info.rank && s->rows >= 2 && s->rows <= MOST_COLUMNS &&
           s->outer >= FEWEST_PLACES;
}

static exray_status try_axis(xr_rows_reading *r, uint32_t axis, order_work *w, xr_row_order *out,
                             exray_error *error)
{
    size_t rows = 0, total = 0;
    double sums[2] = {0, 0};
    bool good = true;
    exray_status status = EXRAY_OK;
    out->frames = 0;
    for (size_t f = 0; good && f < out->frame_count; f++) {
        xr_row_slices s;
        if (!xr_rows_read(r, f, &status, error)) {
            if (status != EXRAY_OK)
                return status;
            for (size_t k = 0; k < rows; k++)
                out->from[f * rows + k] = k;
            continue;
        }
        good = xr_rows_along(&r->view[1], axis, &s) &&
               (xr_is_row_axis(&r->view[1], axis, &s) || is_pair_or_triple(&r->view[1], axis, &s)) &&
               (rows == 0 || rows == s.rows);
        if (good && rows == 0) {
            rows = s.rows;
            free(out->from);
            out->from = calloc(out->frame_count * rows, sizeof *out->from);
            if (!make_room(w, rows) || !out->from)
                return EXRAY_E_MEMORY;
        }
        good = good && judge_frame(w, r, &s, &out->from[f * rows], out, sums);
        total += good ? (size_t)r->view[0].count : 0;
    }
    const exray_metrics *m = &exray_comparison_output(r->comparison, r->pair)->metrics;
    out->explains = good && out->frames > 0;
    out->rows = rows;
    out->axis = axis;
    out->before = sqrt(sums[0] / (total ? (double)total : 1)) / m->std[1];
    out->after = sqrt(sums[1] / (total ? (double)total : 1)) / m->std[1];
    return EXRAY_OK;
}

static bool is_fixed(const xr_row_order *o)
{
    const size_t *first = NULL;
    for (size_t f = 0; f < o->frame_count; f++) {
        const size_t *from = &o->from[f * o->rows];
        bool moved = false;
        for (size_t k = 0; k < o->rows; k++)
            moved = moved || from[k] != k;
        if (!moved)
            continue;
        if (first && memcmp(first, from, o->rows * sizeof *from) != 0)
            return false;
        first = first ? first : from;
    }
    return true;
}

exray_status xr_row_order_make(const exray_comparison *comparison, size_t pair, xr_row_order *out,
                               exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    size_t frames = exray_comparison_frame_count(comparison);
    *out = (xr_row_order){.frame_count = frames < MOST_FRAMES ? frames : MOST_FRAMES};
    if (!xr_rows_may_be_moved(io))
        return EXRAY_OK;
    xr_rows_reading r;
    order_work w = {.tolerance = xr_rows_tolerance(io)};
    exray_status status = xr_rows_reading_begin(comparison, pair, &r) ? EXRAY_OK : EXRAY_E_MEMORY;
    for (uint32_t axis = 0; status == EXRAY_OK && axis < EXRAY_MAX_RANK && !out->explains; axis++)
        status = try_axis(&r, axis, &w, out, error);
    out->fixed = out->explains && is_fixed(out);
    free_room(&w);
    xr_rows_reading_end(&r);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of an output"};
    return status;
}

void xr_row_order_free(xr_row_order *order)
{
    free(order->from);
    order->from = NULL;
}

/* Whether the frame's rows along a dimension are the reference's in the given order. */
static bool holds_along(const xr_rows_reading *r, uint32_t axis, double tolerance, size_t rows,
                        const size_t *from)
{
    xr_row_slices s;
    bool holds = xr_rows_along(&r->view[1], axis, &s) && s.rows == rows;
    const double most = tolerance * sqrt((double)(s.outer * s.inner));
    for (size_t k = 0; holds && k < rows; k++)
        holds = sqrt(xr_rows_square(r->values[0], k, r->values[1], from[k], &s)) <= most;
    return holds;
}

exray_status xr_row_order_holds(const exray_comparison *comparison, size_t pair, const xr_row_order *order,
                                bool *holds, exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    xr_rows_reading r;
    exray_status status = xr_rows_reading_begin(comparison, pair, &r) ? EXRAY_OK : EXRAY_E_MEMORY;
    double tolerance = XR_ROW_DRAW * xr_rows_tolerance(io);
    *holds = io->comparable;
    for (size_t f = 0; status == EXRAY_OK && *holds && f < order->frame_count; f++) {
        if (!xr_rows_read(&r, f, &status, error))
            continue;
        *holds = false;
        for (uint32_t axis = 0; axis < r.view[1].info.rank && !*holds; axis++)
            *holds = holds_along(&r, axis, tolerance, order->rows, &order->from[f * order->rows]);
    }
    xr_rows_reading_end(&r);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of an output"};
    return status;
}

/* ---- Words ------------------------------------------------------------------------------- */

/* The first frame's that is not in order. */
static const size_t *example(const xr_row_order *o)
{
    for (size_t f = 0; f < o->frame_count; f++)
        for (size_t k = 0; k < o->rows; k++)
            if (o->from[f * o->rows + k] != k)
                return &o->from[f * o->rows];
    return o->from;
}

void xr_row_order_words(const xr_row_order *o, char *text, size_t size)
{
    const size_t *from = example(o);
    size_t moved = 0, blocks = 1, last = 0, first = o->rows;
    bool reversed = true;
    for (size_t k = 0; k < o->rows; k++) {
        reversed = reversed && from[k] == o->rows - 1 - k;
        blocks += k > 0 && from[k] != from[k - 1] + 1;
        if (from[k] == k)
            continue;
        moved++;
        first = k < first ? k : first;
        last = k;
    }
    if (!o->fixed)
        snprintf(text, size, "sorted otherwise, differently from frame to frame");
    else if (reversed)
        snprintf(text, size, "from the last to the first");
    else if (moved == 2)
        snprintf(text, size, "rows %zu and %zu exchanged", first, last);
    else if (blocks <= 8) {
        size_t used =
            (size_t)snprintf(text, size, "in %zu blocks, which begin at the reference's rows", blocks);
        for (size_t k = 0, told = 0; k < o->rows && used < size; k++)
            if (k == 0 || from[k] != from[k - 1] + 1) {
                const char *between = told == 0 ? "" : told + 1 == blocks ? " and" : ",";
                used += (size_t)snprintf(text + used, size - used, "%s %zu", between, from[k]);
                told++;
            }
    } else
        snprintf(text, size, "%zu of %zu moved, the same in every frame", moved, o->rows);
}

/* ---- For later assertions ------------------------------------------------------------------ */

static char reordered; /* its address: something that is kept */

static void keep(void *state)
{
    (void)state;
}

void xr_mark_reordered(exray_findings *findings, size_t pair)
{
    xr_findings_attach(findings, "reordered", pair, &reordered, keep);
}

bool xr_is_reordered(const exray_findings *findings, size_t pair)
{
    return xr_is_exchanged(findings, EXRAY_KIND_OUTPUT, pair) ||
           xr_findings_attached(findings, "reordered", pair) != NULL;
}
