#include "checks/output/boxes.h"

#include "checks/output/graph_tail.h"
#include "checks/output/interpretation.h"

#include <math.h>
#include <string.h>

enum { SIDES = 4 };

/* Error to signal: boxes in another format always differ by more. */
#define FORMAT 0.05

/* Adds the boxes of every frame; or, with the best change known (>= 0), counts the frames that
 * support and oppose it. */
static exray_status read_frames(const exray_comparison *comparison, size_t pair, exray_slot *slot[2],
                                int best, xr_box_sums *w, xr_box_fit *fit, exray_error *error)
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
            xr_box_sums_add(w, values[0], values[1], view[0].count);
            fit->frames++;
            continue;
        }
        xr_box_sums one = {0};
        xr_box_sums_add(&one, values[0], values[1], view[0].count);
        double residual = xr_box_sums_residual(&one, best, fit->gain);
        fit->supporting += residual < 0.25 * one.difference;
        fit->opposing += residual > one.difference && residual > 0.01 * one.square;
    }
    return EXRAY_OK;
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
    xr_box_sums w = {0};
    exray_status status = EXRAY_E_MEMORY;
    if (slot[0] && slot[1])
        status = read_frames(comparison, pair, slot, -1, &w, out, error);
    else
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing boxes"};
    int best = status == EXRAY_OK && w.count > 0 ? xr_box_sums_judge(&w, out) : -1;
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
        out->change = xr_box_change_name(best);
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

static void add_result(xr_box_sums *w, const exray_result *result, const float *rows, uint64_t count)
{
    for (uint32_t i = 0; i < result->box_count && (uint64_t)(i + 1) * SIDES <= count; i++) {
        const exray_box *b = &result->boxes[i];
        float reported[SIDES] = {b->x_min, b->y_min, b->x_max, b->y_max}, row[SIDES];
        memcpy(row, (const char *)rows + (size_t)i * sizeof row, sizeof row);
        xr_box_sums_add(w, reported, row, SIDES);
    }
}

exray_status xr_box_interpretation_make(const exray_comparison *comparison, exray_side side,
                                        xr_box_interpretation *out, exray_error *error)
{
    *out = (xr_box_interpretation){0};
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool room = slot[0] && slot[1];
    xr_box_sums w = {0};
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
    int best = w.count > 0 ? xr_box_sums_judge(&w, &fit) : -1;
    out->boxes = (size_t)w.count / SIDES;
    out->residual = fit.after;
    out->change = best > 0 ? xr_box_change_name(best) : "as they are";
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
            return xr_box_change_name(1); /* y before x */
    }
    return NULL;
}
