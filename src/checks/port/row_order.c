/* Rows find their counterparts by a projection onto one number: sorted by it, equal rows are neighbors.  The
 * rows of both sides are the same set where the sorted projections agree, and which is which is then told by
 * the rows themselves.  A single value is no row: any two vectors of similar values would match. */
#include "checks/port/row_order.h"

#include "checks/findings.h"
#include "checks/port/port_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 64, MOST_ROWS = 1 << 16, NEIGHBORS = 6 };
/* The difference of a row from its counterpart, in units of the output's noise. */
#define DRAW 3.0

typedef struct projected {
    double at;
    size_t row;
} projected;

static int by_projection(const void *a, const void *b)
{
    const projected *x = a, *y = b;
    return x->at != y->at ? (x->at > y->at) - (x->at < y->at) : (x->row > y->row) - (x->row < y->row);
}

/* A tensor as outer x rows x inner. */
typedef struct slices {
    size_t outer, rows, inner;
} slices;

static float value_at(const float *values, const slices *s, size_t outer, size_t row, size_t inner)
{
    float v;
    size_t at = (outer * s->rows + row) * s->inner + inner;
    memcpy(&v, (const char *)values + at * sizeof v, sizeof v);
    return v;
}

/* False: a value is not finite. */
static bool project(const float *values, const slices *s, projected *out)
{
    for (size_t r = 0; r < s->rows; r++) {
        uint64_t random = 1;
        out[r] = (projected){0, r};
        for (size_t o = 0; o < s->outer; o++)
            for (size_t i = 0; i < s->inner; i++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                out[r].at +=
                    value_at(values, s, o, r, i) * (0.5 + (double)(random >> 11) / 9007199254740992.0);
            }
        if (!isfinite(out[r].at))
            return false;
    }
    qsort(out, s->rows, sizeof *out, by_projection);
    return true;
}

static double square_between(const float *a, size_t row, const float *b, size_t other, const slices *s)
{
    double square = 0;
    for (size_t o = 0; o < s->outer; o++)
        for (size_t i = 0; i < s->inner; i++) {
            double d = (double)value_at(a, s, o, row, i) - value_at(b, s, o, other, i);
            square += d * d;
        }
    return square;
}

typedef struct order_work {
    projected *side[2]; /* [rows] */
    bool *used;         /* [rows] of the reference's */
    double tolerance;   /* of one value */
} order_work;

/* Finds the counterpart of each row; false: the rows are not the same. */
static bool order_rows(order_work *w, const float *const values[2], const slices *s, size_t *from,
                       double *left)
{
    double each = (double)(s->outer * s->inner);
    double row_tolerance = DRAW * w->tolerance * sqrt(each);
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
            double d = square_between(values[0], w->side[0][r].row, values[1], w->side[1][k].row, s);
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

/* ---- All frames ------------------------------------------------------------------------- */

typedef struct reading {
    const exray_comparison *comparison;
    size_t pair;
    exray_slot *slot[2];
    exray_tensor_view view[2];
    const float *values[2];
} reading;

/* False: the frame has no data on both sides, or of other shapes; *status says whether it is an error. */
static bool read_frame(reading *r, size_t frame, exray_status *status, exray_error *error)
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

static bool slices_along(const exray_tensor_view *view, uint32_t axis, slices *s)
{
    *s = (slices){1, 0, 1};
    uint64_t total = 1;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] < 1)
            return false;
        size_t n = (size_t)view->info.shape[i];
        total *= n;
        if (i < axis)
            s->outer *= n;
        else if (i == axis)
            s->rows = n;
        else
            s->inner *= n;
    }
    return axis < view->info.rank && total == view->count;
}

/* Dimensions whose slices are rows; the last one with few entries has columns of a table. */
static bool is_row_axis(const exray_tensor_view *view, uint32_t axis, const slices *s)
{
    enum { FEW_COLUMNS = 8 };
    bool last = true;
    for (uint32_t i = axis + 1; i < view->info.rank; i++)
        last = last && view->info.shape[i] == 1;
    return s->rows >= 2 && s->rows <= MOST_ROWS && s->outer * s->inner >= 2 &&
           !(last && s->rows <= FEW_COLUMNS);
}

static double difference_square(const float *const values[2], uint64_t count)
{
    const slices flat = {1, 1, (size_t)count};
    return square_between(values[0], 0, values[1], 0, &flat);
}

/* Whether a frame is as it should be, or in another order, which goes to from[]. */
static bool judge_frame(order_work *w, const reading *r, const slices *s, size_t *from, xr_row_order *out,
                        double sums[2])
{
    double left, before = difference_square(r->values, r->view[0].count);
    for (size_t k = 0; k < s->rows; k++)
        from[k] = k;
    if (sqrt(before / (double)r->view[0].count) <= DRAW * w->tolerance)
        return true;
    if (!order_rows(w, r->values, s, from, &left) || left > 0.04 * before)
        return false;
    out->frames++;
    sums[0] += before;
    sums[1] += left;
    return true;
}

static exray_status try_axis(reading *r, uint32_t axis, order_work *w, xr_row_order *out, exray_error *error)
{
    size_t rows = 0, total = 0;
    double sums[2] = {0, 0};
    bool good = true;
    exray_status status = EXRAY_OK;
    out->frames = 0;
    for (size_t f = 0; good && f < out->frame_count; f++) {
        slices s;
        if (!read_frame(r, f, &status, error)) {
            if (status != EXRAY_OK)
                return status;
            for (size_t k = 0; k < rows; k++)
                out->from[f * rows + k] = k;
            continue;
        }
        good = slices_along(&r->view[1], axis, &s) && is_row_axis(&r->view[1], axis, &s) &&
               (rows == 0 || rows == s.rows);
        if (good && rows == 0) {
            rows = s.rows;
            for (int side = 0; side < 2; side++) {
                free(w->side[side]);
                w->side[side] = calloc(rows, sizeof *w->side[side]);
            }
            free(w->used);
            w->used = calloc(rows, sizeof *w->used);
            free(out->from);
            out->from = calloc(out->frame_count * rows, sizeof *out->from);
            if (!w->side[0] || !w->side[1] || !w->used || !out->from)
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

static bool reading_begin(reading *r)
{
    r->slot[0] = exray_slot_new();
    r->slot[1] = exray_slot_new();
    return r->slot[0] && r->slot[1];
}

static void reading_end(reading *r)
{
    exray_slot_free(r->slot[0]);
    exray_slot_free(r->slot[1]);
}

/* What a value may be off, in the output's unit. */
static double tolerance_of(const exray_io_pair *io)
{
    double noise = isfinite(io->noise) ? fmin(io->noise, 0.1) : 0;
    return fmax(noise * io->metrics.std[1], 1e-6 * fmax(fabs(io->metrics.min[1]), fabs(io->metrics.max[1])));
}

exray_status xr_row_order_make(const exray_comparison *comparison, size_t pair, xr_row_order *out,
                               exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    size_t frames = exray_comparison_frame_count(comparison);
    *out = (xr_row_order){.frame_count = frames < MOST_FRAMES ? frames : MOST_FRAMES};
    bool differs = io->comparable && !(io->error <= io->noise) && io->metrics.std[1] > 0;
    if (!differs || io->metrics.nan_count[0] || io->metrics.nan_count[1])
        return EXRAY_OK;
    reading r = {.comparison = comparison, .pair = pair};
    order_work w = {.tolerance = tolerance_of(io)};
    exray_status status = reading_begin(&r) ? EXRAY_OK : EXRAY_E_MEMORY;
    for (uint32_t axis = 0; status == EXRAY_OK && axis < EXRAY_MAX_RANK && !out->explains; axis++)
        status = try_axis(&r, axis, &w, out, error);
    out->fixed = out->explains && is_fixed(out);
    free(w.side[0]);
    free(w.side[1]);
    free(w.used);
    reading_end(&r);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of an output"};
    return status;
}

void xr_row_order_free(xr_row_order *order)
{
    free(order->from);
    order->from = NULL;
}

exray_status xr_row_order_holds(const exray_comparison *comparison, size_t pair, const xr_row_order *order,
                                bool *holds, exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    reading r = {.comparison = comparison, .pair = pair};
    exray_status status = reading_begin(&r) ? EXRAY_OK : EXRAY_E_MEMORY;
    double tolerance = DRAW * tolerance_of(io);
    *holds = io->comparable;
    for (size_t f = 0; status == EXRAY_OK && *holds && f < order->frame_count; f++) {
        if (!read_frame(&r, f, &status, error))
            continue;
        const slices flat = {1, (size_t)r.view[0].count, 1};
        *holds = flat.rows == order->rows;
        for (size_t k = 0; *holds && k < order->rows; k++)
            *holds = fabs((double)value_at(r.values[0], &flat, 0, k, 0) -
                          value_at(r.values[1], &flat, 0, order->from[f * order->rows + k], 0)) <= tolerance;
    }
    reading_end(&r);
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
