#include "checks/head/head_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDES = 4, MOST_FRAMES = 32, HEALTHY_FRAMES = 4, FEWEST_VALUES = 8, FURTHEST_SHIFT = 8, SHIFTS = 3 };

/* A residual is healthy up to this many times the noise. */
#define DRAW        3.0
#define LEAST_NOISE 1e-4
/* However large the noise is, another format differs by more. */
#define MOST_NOISE 0.05
/* What explains a row leaves at most this share of its difference. */
#define FAR_BELOW 0.5
/* Of the largest value of the output: what is less is rounding of sums that cancel. */
#define FLOOR 1e-6
/* A factor that is no error of quantization. */
#define SCALED 1.5

typedef struct row_sums {
    double n, r, rr, e, ee, er, dd; /* of the row's own two sides */
    double r4;                      /* fourth powers */
    double added, missing;          /* squares that a sigmoid leaves */
    double soft_added, soft_missing, softs;
    double moved[SHIFTS]; /* squares between the reference's row and the edge's row + shift */
} row_sums;

typedef struct head_work {
    const exray_comparison *comparison;
    const exray_io_pair *io;
    size_t pair, most_frames;
    xr_head_frame frame;
    xr_head *head;
    row_sums *sums; /* [reference's rows] */
    int shift[SHIFTS];
    size_t shifts;
    double largest;   /* of the reference's values */
    xr_box_sums *box; /* [reference's rows]: of the four rows that begin here */
    size_t soft_first, soft_last;
    double *soft; /* [rows] */
} head_work;

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double deviation(double n, double sum, double square)
{
    return n > 0 ? sqrt(fmax(square / n - sum / n * (sum / n), 0)) : 0;
}

/* ---- Reading ------------------------------------------------------------------------------- */

typedef void add_table(head_work *w, const xr_head_table table[2], size_t stride);

static exray_status each_frame(head_work *w, add_table *add, exray_error *error)
{
    const size_t frames = exray_comparison_frame_count(w->comparison);
    const size_t step = frames > w->most_frames ? frames / w->most_frames : 1;
    w->head->frames = 0;
    for (size_t f = 0; f < frames && w->head->frames < w->most_frames; f += step) {
        xr_head_table table[2];
        bool there;
        exray_status status = xr_head_frame_read(&w->frame, w->comparison, f, w->pair, &there, error);
        if (status != EXRAY_OK)
            return status;
        if (!there || !xr_head_tables(&w->frame, &w->head->axes, table))
            continue;
        /* Things that were found, another number in each frame, are no classes. */
        if (table[0].rows != w->head->rows[0] || table[1].rows != w->head->rows[1]) {
            w->head->frames = 0;
            return EXRAY_OK;
        }
        add(w, table, xr_head_stride(&table[1]));
        w->head->columns = table[1].outer * table[1].inner;
        w->head->frames++;
    }
    return EXRAY_OK;
}

static void add_own(row_sums *s, double e, double r)
{
    s->n++;
    s->r += r;
    s->rr += r * r;
    s->r4 += r * r * r * r;
    s->e += e;
    s->ee += e * e;
    s->er += e * r;
    s->dd += (e - r) * (e - r);
    const double added = e - sigmoid(r), missing = r - sigmoid(e);
    s->added += added * added;
    s->missing += missing * missing;
}

static void add_rows(head_work *w, const xr_head_table table[2], size_t stride)
{
    for (size_t j = 0; j < table[1].rows; j++)
        for (size_t c = 0; c < table[1].outer * table[1].inner; c += stride) {
            const double r = xr_head_value(&table[1], j, c);
            const double e = j < table[0].rows ? xr_head_value(&table[0], j, c) : 0;
            if (!isfinite(r) || !isfinite(e))
                continue;
            w->largest = fmax(w->largest, fabs(r));
            add_own(&w->sums[j], e, r);
            for (size_t k = 0; k < w->shifts; k++) {
                const ptrdiff_t at = (ptrdiff_t)j + w->shift[k];
                if (at < 0 || (size_t)at >= table[0].rows)
                    continue;
                const double moved = xr_head_value(&table[0], (size_t)at, c) - r;
                w->sums[j].moved[k] += isfinite(moved) ? moved * moved : INFINITY;
            }
        }
}

/* ---- Rows by themselves --------------------------------------------------------------------- */

/* What a row of the reference may be off, in its unit. */
static double tolerance(const head_work *w, const row_sums *s)
{
    const double step = w->io->step[1] > 0 ? w->io->step[1] : 0;
    return DRAW * w->head->noise * deviation(s->n, s->r, s->rr) + FLOOR * w->largest + step;
}

static double rms(double square, double n)
{
    return n > 0 ? sqrt(square / n) : INFINITY;
}

/* Whether a function explains a row, whose target has that deviation, by what it leaves. */
static bool explains(const head_work *w, const row_sums *s, double left, double unit, xr_head_row *row)
{
    const double step =
        fmax(w->io->step[0] > 0 ? w->io->step[0] : 0, w->io->step[1] > 0 ? w->io->step[1] : 0);
    const double after = rms(left, s->n), before = rms(s->dd, s->n);
    const bool good = s->n >= FEWEST_VALUES && unit > 2 * step && after <= FAR_BELOW * before &&
                      after <= DRAW * w->head->noise * unit + step; /* false of what is not finite */
    if (!good)
        return false;
    row->after = after / unit;
    row->before = before / unit;
    return true;
}

/* Whether a factor is tested by more values than the one or two that it would fit in any case: of a row that
 * is nearly all zeros these are few. */
static bool tells_factor(const row_sums *s)
{
    enum { FEWEST = 4 };
    return s->rr * s->rr >= FEWEST * s->r4;
}

static void judge_row(const head_work *w, const row_sums *s, xr_head_row *row)
{
    const double unit[2] = {deviation(s->n, s->e, s->ee), deviation(s->n, s->r, s->rr)};
    const double off = rms(s->dd, s->n);
    *row = (xr_head_row){.error = off / fmax(unit[1], FLOOR * w->largest),
                         .gain = s->rr > 0 ? s->er / s->rr : 0};
    if (s->n == 0 || off <= tolerance(w, s))
        row->relation = XR_HEAD_EQUAL;
    else if (explains(w, s, s->missing, unit[1], row))
        row->relation = XR_HEAD_SIGMOID_MISSING;
    else if (explains(w, s, s->added, unit[0], row))
        row->relation = XR_HEAD_SIGMOID_ADDED;
    else if (row->gain > 0 && (row->gain > SCALED || row->gain < 1 / SCALED) && tells_factor(s) &&
             explains(w, s, fmax(s->ee - row->gain * s->er, 0), unit[0], row))
        row->relation = XR_HEAD_SCALE;
    else
        row->relation = XR_HEAD_OTHER;
}

/* ---- Boxes and softmax ------------------------------------------------------------------------ */

static bool is_open(const xr_head_row *row)
{
    return row->relation == XR_HEAD_OTHER || row->relation == XR_HEAD_SCALE;
}

/* Rows that boxes may be part of: four, of which two or more are off.  Of a table with four columns these are
 * the sides of boxes, and rows that change places are no other format. */
static bool may_be_box(const xr_head *h, size_t first)
{
    size_t open = 0;
    for (size_t k = 0; h->columns != SIDES && k < SIDES && first + SIDES <= h->rows[1]; k++)
        open += is_open(&h->row[first + k]);
    return open >= 2;
}

static void softmax(const xr_head_table *t, size_t column, const head_work *w, double *out)
{
    double top = -INFINITY, sum = 0;
    for (size_t j = w->soft_first; j <= w->soft_last; j++)
        top = fmax(top, xr_head_value(t, j, column));
    for (size_t j = w->soft_first; j <= w->soft_last; j++)
        sum += out[j] = exp(xr_head_value(t, j, column) - top);
    for (size_t j = w->soft_first; j <= w->soft_last; j++)
        out[j] /= sum;
}

static void add_softmax(head_work *w, const xr_head_table table[2], size_t column)
{
    for (int side = 0; side < 2; side++) {
        softmax(&table[side], column, w, w->soft);
        for (size_t j = w->soft_first; j <= w->soft_last; j++) {
            const double left = xr_head_value(&table[!side], j, column) - w->soft[j];
            *(side ? &w->sums[j].soft_added : &w->sums[j].soft_missing) += left * left;
        }
    }
}

static void add_groups(head_work *w, const xr_head_table table[2], size_t stride)
{
    for (size_t c = 0; c < table[1].outer * table[1].inner; c += stride) {
        for (size_t j = 0; j + SIDES <= table[1].rows; j++) {
            float box[2][SIDES];
            if (!may_be_box(w->head, j))
                continue;
            for (int side = 0; side < 2; side++)
                for (size_t k = 0; k < SIDES; k++)
                    box[side][k] = xr_head_value(&table[side], j + k, c);
            xr_box_sums_add(&w->box[j], box[0], box[1], SIDES);
        }
        if (w->soft_last > w->soft_first)
            add_softmax(w, table, c);
    }
}

static bool same_change(const xr_box_fit *a, const xr_box_fit *b)
{
    return a->change == b->change && fabs(a->gain[0] - b->gain[0]) <= 0.01 * a->gain[0] &&
           fabs(a->gain[1] - b->gain[1]) <= 0.01 * a->gain[1];
}

/* Whether the row beside four that one factor explains has the same factor: then they are no boxes. */
static bool goes_on(const xr_head *h, size_t first, double gain)
{
    for (int end = 0; end < 2; end++) {
        const size_t beside = end ? first + SIDES : first - 1;
        const xr_head_row *row = beside < h->rows[1] ? &h->row[beside] : NULL;
        if (row && row->relation == XR_HEAD_SCALE && fabs(row->gain - gain) <= 0.01 * gain)
            return true;
    }
    return false;
}

/* Quantization scales a little, too. */
static bool is_unit(double gain)
{
    return gain > SCALED || gain < 1 / SCALED;
}

static void judge_boxes(head_work *w)
{
    xr_head *h = w->head;
    for (size_t j = 0; j + SIDES <= h->rows[1]; j++) {
        xr_box_fit fit = {.gain = {1, 1}};
        const xr_box_sums *s = &w->box[j];
        if (s->count < 4 * SIDES || !may_be_box(h, j))
            continue;
        const int best = xr_box_sums_judge(s, &fit);
        fit.noise = h->noise;
        fit.boxes = (size_t)s->count / SIDES;
        fit.change = best >= 0 ? xr_box_change_name(best) : NULL;
        /* "Another unit" of no unit at all is what equal rows have. */
        const bool same = best <= 0 && fit.gain[0] == 1 && fit.gain[1] == 1;
        if (best < 0 || same || !(fit.after <= DRAW * h->noise) || !(fit.after <= FAR_BELOW * fit.before) ||
            !(fit.gain[0] > 0) || !(fit.gain[1] > 0) || (best == 0 && goes_on(h, j, fit.gain[0])) ||
            (best == 0 && !is_unit(fit.gain[0]) && !is_unit(fit.gain[1])) ||
            (h->boxes && !same_change(&fit, &h->box)))
            continue;
        if (h->boxes++ == 0) {
            h->box = fit;
            h->box_row = j;
        }
        for (size_t k = 0; k < SIDES; k++)
            h->row[j + k].relation = XR_HEAD_BOX;
        j += SIDES - 1;
    }
}

static void judge_softmax(head_work *w)
{
    xr_head *h = w->head;
    double left[2] = {0, 0}, n = 0, difference = 0;
    double sums[2][2] = {{0, 0}, {0, 0}};
    if (w->soft_last <= w->soft_first)
        return;
    for (size_t j = w->soft_first; j <= w->soft_last; j++) {
        const row_sums *s = &w->sums[j];
        if (h->row[j].relation == XR_HEAD_BOX)
            return;
        left[0] += s->soft_added;
        left[1] += s->soft_missing;
        n += s->n;
        difference += s->dd;
        sums[0][0] += s->e;
        sums[0][1] += s->ee;
        sums[1][0] += s->r;
        sums[1][1] += s->rr;
    }
    for (int missing = 0; missing < 2; missing++) {
        const row_sums all = {.n = n, .dd = difference};
        xr_head_row fit;
        if (!explains(w, &all, left[missing], deviation(n, sums[missing][0], sums[missing][1]), &fit))
            continue;
        for (size_t j = w->soft_first; j <= w->soft_last; j++) {
            h->row[j].relation = missing ? XR_HEAD_SOFTMAX_MISSING : XR_HEAD_SOFTMAX_ADDED;
            h->row[j].after = fit.after;
            h->row[j].before = fit.before;
        }
        return;
    }
}

/* The longest run of rows that nothing explains yet. */
static void find_soft_rows(head_work *w)
{
    const xr_head *h = w->head;
    size_t longest = 0;
    w->soft_first = w->soft_last = 0;
    for (size_t j = 0; j < h->rows[1]; j++) {
        size_t n = 0;
        while (j + n < h->rows[1] && is_open(&h->row[j + n]))
            n++;
        if (n > longest && n >= 2) {
            longest = n;
            w->soft_first = j;
            w->soft_last = j + n - 1;
        }
        j += n;
    }
}

/* Rows in another unit have one factor; factors of their own explain nothing. */
static void settle_scales(xr_head *h)
{
    double least = INFINITY, most = 0;
    for (size_t j = 0; j < h->rows[1]; j++)
        if (h->row[j].relation == XR_HEAD_SCALE) {
            least = fmin(least, h->row[j].gain);
            most = fmax(most, h->row[j].gain);
        }
    for (size_t j = 0; j < h->rows[1] && most > 1.02 * least; j++)
        if (h->row[j].relation == XR_HEAD_SCALE)
            h->row[j].relation = XR_HEAD_OTHER;
}

static void count_rows(xr_head *h)
{
    h->differing = h->other = 0;
    for (size_t j = 0; j < h->rows[1]; j++) {
        h->differing += h->row[j].relation != XR_HEAD_EQUAL;
        h->other += h->row[j].relation == XR_HEAD_OTHER;
    }
}

static exray_status judge_groups(head_work *w, exray_error *error)
{
    find_soft_rows(w);
    w->box = calloc(w->head->rows[1], sizeof *w->box);
    w->soft = calloc(w->head->rows[1], sizeof *w->soft);
    if (!w->box || !w->soft)
        return EXRAY_E_MEMORY;
    exray_status status = each_frame(w, add_groups, error);
    if (status != EXRAY_OK)
        return status;
    judge_boxes(w);
    if (w->head->boxes) { /* of the rows behind the boxes */
        for (size_t j = w->soft_first; j <= w->soft_last; j++)
            w->sums[j].soft_added = w->sums[j].soft_missing = 0;
        find_soft_rows(w);
        memset(w->box, 0, w->head->rows[1] * sizeof *w->box);
        if (w->soft_last > w->soft_first)
            status = each_frame(w, add_groups, error);
    }
    judge_softmax(w);
    return status;
}

/* ---- Rows of another place ---------------------------------------------------------------------- */

static void judge_shift(head_work *w, size_t k)
{
    xr_head *h = w->head;
    const int shift = w->shift[k];
    const size_t common = h->rows[0] < h->rows[1] ? h->rows[0] : h->rows[1];
    size_t from = 0, equal = 0, before = 0;
    double most = 0;
    while (from < common && rms(w->sums[from].dd, w->sums[from].n) <= tolerance(w, &w->sums[from]))
        from++;
    const size_t begin = shift < 0 ? from + (size_t)-shift : from;
    /* All rows of a table one later are no classes behind others. */
    if (from == common || (h->rows[0] == h->rows[1] && from == 0))
        return;
    for (size_t j = begin; j < h->rows[1] && (ptrdiff_t)j + shift < (ptrdiff_t)h->rows[0]; j++) {
        const row_sums *s = &w->sums[j];
        const double unit = deviation(s->n, s->r, s->rr);
        if (rms(s->moved[k], s->n) > tolerance(w, s))
            return;
        if (!(unit > 10 * FLOOR * w->largest))
            continue; /* a constant row is like any other */
        equal++;
        before += j >= h->rows[0] || rms(s->dd, s->n) > 2 * tolerance(w, s);
        most = fmax(most, rms(s->moved[k], s->n) / unit);
    }
    if (equal < 2 || 2 * before < equal)
        return;
    h->shifted = true;
    h->shift = shift;
    h->shift_from = from;
    h->shift_equal = equal;
    h->shift_residual = most;
}

static void choose_shifts(head_work *w)
{
    const int more = (int)w->head->rows[0] - (int)w->head->rows[1];
    w->shifts = 0;
    if (more)
        w->shift[w->shifts++] = more;
    else {
        w->shift[w->shifts++] = 1;
        w->shift[w->shifts++] = -1;
    }
}

/* ---- All dimensions ------------------------------------------------------------------------------ */

static void clear(head_work *w)
{
    free(w->sums);
    free(w->box);
    free(w->soft);
    w->sums = NULL;
    w->box = NULL;
    w->soft = NULL;
    w->largest = 0;
    w->soft_first = w->soft_last = 0;
}

static exray_status judge_axes(head_work *w, exray_error *error)
{
    xr_head *h = w->head;
    clear(w);
    choose_shifts(w);
    w->sums = calloc(h->rows[1], sizeof *w->sums);
    h->row = calloc(h->rows[1], sizeof *h->row);
    if (!w->sums || !h->row)
        return EXRAY_E_MEMORY;
    exray_status status = each_frame(w, add_rows, error);
    if (status != EXRAY_OK || h->frames == 0)
        return status;
    for (size_t k = 0; k < w->shifts && !h->shifted; k++)
        judge_shift(w, k);
    if (h->rows[0] != h->rows[1])
        return EXRAY_OK;
    for (size_t j = 0; j < h->rows[1]; j++)
        judge_row(w, &w->sums[j], &h->row[j]);
    count_rows(h);
    if (h->differing)
        status = judge_groups(w, error);
    settle_scales(h);
    count_rows(h);
    return status;
}

/* The more rows are explained or equal, the better is a choice of dimensions. */
static double worth(const xr_head *h)
{
    if (!h->frames)
        return -1;
    if (h->shifted)
        return 2;
    if (h->rows[0] != h->rows[1] || !h->differing)
        return 0;
    return 1 - (double)h->other / (double)h->rows[1] + (h->other < h->differing ? 0.5 : 0);
}

static exray_status try_axes(head_work *w, const xr_head_axes *axes, xr_head *best, exray_error *error)
{
    xr_head_table table[2];
    xr_head head = {.axes = *axes, .noise = best->noise};
    if (!xr_head_tables(&w->frame, axes, table))
        return EXRAY_OK;
    const ptrdiff_t more = (ptrdiff_t)table[0].rows - (ptrdiff_t)table[1].rows;
    if (more > FURTHEST_SHIFT || more < -FURTHEST_SHIFT)
        return EXRAY_OK;
    head.rows[0] = table[0].rows;
    head.rows[1] = table[1].rows;
    w->head = &head;
    exray_status status = judge_axes(w, error);
    w->head = NULL;
    const bool better = status == EXRAY_OK && worth(&head) > worth(best);
    if (better) {
        xr_head_free(best);
        *best = head;
    } else
        xr_head_free(&head);
    return status;
}

static exray_status try_all(head_work *w, xr_head *best, exray_error *error)
{
    exray_status status = EXRAY_OK;
    bool there = false;
    for (size_t f = 0; status == EXRAY_OK && !there && f < exray_comparison_frame_count(w->comparison); f++)
        status = xr_head_frame_read(&w->frame, w->comparison, f, w->pair, &there, error);
    if (status != EXRAY_OK || !there)
        return status;
    for (uint32_t e = 0; e < EXRAY_MAX_RANK; e++)
        for (uint32_t r = 0; r < EXRAY_MAX_RANK && status == EXRAY_OK; r++) {
            const xr_head_axes axes = {{e, r}};
            status = try_axes(w, &axes, best, error); /* needs the shapes alone of what was read */
        }
    return status;
}

exray_status xr_head_make(const exray_comparison *comparison, size_t pair, xr_head *out, exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    const bool healthy = io->comparable && io->error <= io->noise;
    head_work w = {.comparison = comparison,
                   .io = io,
                   .pair = pair,
                   .most_frames = healthy ? HEALTHY_FRAMES : MOST_FRAMES};
    *out = (xr_head){.noise = fmax(io->noise > 0 ? fmin(io->noise, MOST_NOISE) : 0, LEAST_NOISE)};
    exray_status status = xr_head_frame_begin(&w.frame) ? EXRAY_OK : EXRAY_E_MEMORY;
    if (status == EXRAY_OK)
        status = try_all(&w, out, error);
    clear(&w);
    xr_head_frame_end(&w.frame);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the rows of an output"};
    return status;
}

void xr_head_free(xr_head *head)
{
    free(head->row);
    head->row = NULL;
}
