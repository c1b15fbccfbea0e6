#include "checks/output/boxes.h"

#include "checks/output/graph_tail.h"
#include "checks/output/interpretation.h"

#include <math.h>
#include <string.h>

enum { CHANGES = 10, SIDES = 4 };

/* Error to signal: boxes in another format always differ by more. */
#define FORMAT 0.05

static const char *const names[CHANGES] = {
    "another unit",
    "x and y exchanged",
    "corners to centre and size",
    "corners to centre and size, x and y exchanged",
    "centre and size to corners",
    "centre and size to corners, x and y exchanged",
    "corners to corner and size",
    "corners to corner and size, x and y exchanged",
    "corner and size to corners",
    "corner and size to corners, x and y exchanged",
};

static void change(int which, const float *b, double *out)
{
    double x = b[0], y = b[1], u = b[2], v = b[3];
    double changed[5][SIDES] = {{x, y, u, v},
                                {(x + u) / 2, (y + v) / 2, u - x, v - y},
                                {x - u / 2, y - v / 2, x + u / 2, y + v / 2},
                                {x, y, u - x, v - y},
                                {x, y, x + u, y + v}};
    for (int i = 0; i < SIDES; i++)
        out[i] = changed[which / 2][which % 2 ? i ^ 1 : i];
}

/* Sums of a change: coordinates 0 and 2, and 1 and 3, have a gain of their own. */
typedef struct box_sums {
    double tt[2], ts[2], ss[2]; /* target, source */
} box_sums;

static void add(box_sums *s, int which, const float *edge, const float *reference)
{
    double changed[SIDES];
    change(which, reference, changed);
    for (int i = 0; i < SIDES; i++) {
        s->tt[i & 1] += (double)edge[i] * edge[i];
        s->ts[i & 1] += edge[i] * changed[i];
        s->ss[i & 1] += changed[i] * changed[i];
    }
}

static double residual_of(const box_sums *s, const double gain[2])
{
    double residual = 0;
    for (int k = 0; k < 2; k++)
        residual += fmax(s->tt[k] - 2 * gain[k] * s->ts[k] + gain[k] * gain[k] * s->ss[k], 0);
    return residual;
}

/* A gain of nearly 1 is taken as 1, since a fitted one would make the residual too small. */
static void fit_gain(const box_sums *s, double gain[2])
{
    for (int k = 0; k < 2; k++) {
        gain[k] = s->ss[k] > 0 ? s->ts[k] / s->ss[k] : 1;
        if (fabs(gain[k] - 1) < 0.02)
            gain[k] = 1;
    }
}

typedef struct box_work {
    box_sums all[CHANGES];
    double sum, square, count, difference;
} box_work;

static void add_boxes(box_work *w, const float *edge, const float *reference, uint64_t count)
{
    for (uint64_t i = 0; i + SIDES <= count; i += SIDES) {
        bool finite = true;
        for (int k = 0; k < SIDES; k++)
            finite = finite && isfinite(edge[i + (uint64_t)k]) && isfinite(reference[i + (uint64_t)k]);
        if (!finite)
            continue;
        for (int c = 0; c < CHANGES; c++)
            add(&w->all[c], c, edge + i, reference + i);
        for (int k = 0; k < SIDES; k++) {
            double d = (double)edge[i + (uint64_t)k] - reference[i + (uint64_t)k];
            w->difference += d * d;
            w->sum += edge[i + (uint64_t)k];
            w->square += (double)edge[i + (uint64_t)k] * edge[i + (uint64_t)k];
            w->count++;
        }
    }
}

/* Adds the boxes of every frame; or, with the best change known (>= 0), counts the frames that
 * support and oppose it. */
static exray_status read_frames(const exray_comparison *comparison, size_t pair, exray_slot *slot[2],
                                int best, box_work *w, xr_box_fit *fit, exray_error *error)
{
    for (size_t f = 0; f < exray_comparison_frame_count(comparison); f++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_status status = EXRAY_OK;
        for (int s = 0; s < 2 && status == EXRAY_OK; s++)
            status = exray_comparison_values(comparison, (exray_side)s, f, EXRAY_KIND_OUTPUT, pair, slot[s],
                                             &view[s], &values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
            continue;
        if (status != EXRAY_OK)
            return status;
        const exray_tensor_info *info = &view[0].info;
        if (view[0].count != view[1].count || info->rank < 2 || info->shape[info->rank - 1] != SIDES)
            continue;
        if (best < 0) {
            add_boxes(w, values[0], values[1], view[0].count);
            fit->frames++;
            continue;
        }
        box_work one = {0};
        add_boxes(&one, values[0], values[1], view[0].count);
        double residual = residual_of(&one.all[best], fit->gain);
        fit->supporting += residual < 0.25 * one.difference;
        fit->opposing += residual > one.difference && residual > 0.01 * one.square;
    }
    return EXRAY_OK;
}

static int judge(const box_work *w, xr_box_fit *fit)
{
    double mean = w->sum / w->count, unit = sqrt(fmax(w->square / w->count - mean * mean, 0));
    int best = -1;
    fit->runner_up = INFINITY;
    for (int c = 0; c < CHANGES && unit > 0; c++) {
        double gain[2];
        fit_gain(&w->all[c], gain);
        double after = sqrt(residual_of(&w->all[c], gain) / w->count) / unit;
        if (best >= 0 && after >= fit->after) {
            fit->runner_up = fmin(fit->runner_up, after);
            continue;
        }
        if (best >= 0)
            fit->runner_up = fit->after;
        best = c;
        fit->after = after;
        fit->gain[0] = gain[0];
        fit->gain[1] = gain[1];
    }
    fit->before = unit > 0 ? sqrt(w->difference / w->count) / unit : 0;
    return best;
}

exray_status xr_box_fit_make(const exray_comparison *comparison, size_t pair, xr_box_fit *out,
                             exray_error *error)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    *out = (xr_box_fit){.gain = {1, 1}};
    /* Behind an op that selects boxes the noise has no bound; another format differs by more than
     * FORMAT. */
    if (!io->comparable || io->error <= fmin(io->noise, FORMAT))
        return EXRAY_OK;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    box_work w = {0};
    exray_status status = EXRAY_E_MEMORY;
    if (slot[0] && slot[1])
        status = read_frames(comparison, pair, slot, -1, &w, out, error);
    else
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing boxes"};
    int best = status == EXRAY_OK && w.count > 0 ? judge(&w, out) : -1;
    if (best >= 0)
        status = read_frames(comparison, pair, slot, best, &w, out, error);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    out->boxes = (size_t)w.count / SIDES;
    out->noise = fmax(isfinite(io->noise) ? io->noise : 0, 1e-4);
    /* A single box, or a few with gains of their own, can be explained by chance. */
    out->explains = best >= 0 && out->boxes >= 4 && out->after <= fmin(out->noise, 0.3) &&
                    out->after < 0.5 * out->before && out->opposing == 0 && out->supporting > 0 &&
                    out->gain[0] > 0 && out->gain[1] > 0;
    if (best >= 0)
        out->change = names[best];
    return status;
}

/* ---- Results ---------------------------------------------------------------------------- */

static bool has_boxes(const exray_tensor_view *view)
{
    const exray_tensor_info *info = &view->info;
    return info->rank >= 2 && info->shape[info->rank - 1] == SIDES && view->count >= SIDES;
}

/* The first output that is rows of four. */
static bool read_rows(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                      exray_tensor_view *view, const float **values)
{
    exray_error error;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_values(comparison, side, frame, EXRAY_KIND_OUTPUT, i, slot, view, values,
                                    &error) == EXRAY_OK &&
            has_boxes(view))
            return true;
    return false;
}

bool xr_boxes_read(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                   exray_result *result)
{
    return xr_frame_result(comparison, side, frame, slot, result) && result->box_count > 0;
}

static void add_result(box_work *w, const exray_result *result, const float *rows, uint64_t count)
{
    for (uint32_t i = 0; i < result->box_count && (uint64_t)(i + 1) * SIDES <= count; i++) {
        const exray_box *b = &result->boxes[i];
        float reported[SIDES] = {b->x_min, b->y_min, b->x_max, b->y_max}, row[SIDES];
        memcpy(row, (const char *)rows + (size_t)i * sizeof row, sizeof row);
        add_boxes(w, reported, row, SIDES);
    }
}

exray_status xr_box_interpretation_make(const exray_comparison *comparison, exray_side side,
                                        xr_box_interpretation *out, exray_error *error)
{
    *out = (xr_box_interpretation){0};
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool room = slot[0] && slot[1];
    box_work w = {0};
    for (size_t f = 0; room && f < exray_comparison_frame_count(comparison); f++) {
        exray_result result;
        exray_tensor_view view;
        const float *rows;
        if (!xr_boxes_read(comparison, side, f, slot[0], &result) ||
            !read_rows(comparison, side, f, slot[1], &view, &rows))
            continue;
        add_result(&w, &result, rows, view.count);
        out->frames++;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!room) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading boxes"};
        return EXRAY_E_MEMORY;
    }
    xr_box_fit fit = {.gain = {1, 1}};
    int best = w.count > 0 ? judge(&w, &fit) : -1;
    out->boxes = (size_t)w.count / SIDES;
    out->residual = fit.after;
    out->change = best > 0 ? names[best] : "as they are";
    /* Applications clip boxes at the border of the picture; squares at the origin fit any order. */
    out->known = best >= 0 && out->boxes >= 4 && fit.after <= FORMAT && fit.after < 0.5 * fit.runner_up;
    return EXRAY_OK;
}

const char *xr_box_convention(const exray_comparison *comparison, exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_node *node = xr_producer(model, xr_output_tensor(comparison, side, i));
        if (node && node->op && strstr(node->op, "Detection_PostProcess"))
            return names[1]; /* y before x */
    }
    return NULL;
}
