#include "tasks/heads/yolo.h"

#include "tasks/heads/box_order.h"
#include "tasks/heads/candidates.h"
#include "tasks/heads/rows.h"

#include <math.h>
#include <stdio.h>

/* The first output that is such a table; false: none. */
static bool find_rows(const exray_task_options *options, const exray_tensor_info *const *outputs,
                      size_t count, bool objectness, size_t *which, xr_rows *rows)
{
    const uint64_t first = objectness ? 5 : 4;
    for (*which = 0; *which < count; ++*which)
        if (xr_rows_of(outputs[*which], true, first + (options->classes ? options->classes : 1), rows))
            return true;
    return false;
}

static bool sees_pixels(const exray_task_options *options)
{
    return options->input_width > 0 && options->input_height > 0;
}

bool xr_yolo_fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                  bool objectness, char *why, size_t why_size)
{
    size_t which;
    xr_rows rows;
    xr_box_order order;
    char shape[128];
    const char *head = objectness ? "yolo5" : "yolo8", *first = objectness ? "5" : "4";
    if (!xr_box_order_read(options->boxes, (xr_box_order){0}, &order)) {
        snprintf(why, why_size, "boxes: '%.60s' is no order of a box's numbers; no /result is written",
                 options->boxes);
        return false;
    }
    if (!find_rows(options, outputs, count, objectness, &which, &rows)) {
        char more[48] = "classes";
        if (options->classes)
            snprintf(more, sizeof more, "%u classes", options->classes);
        snprintf(
            why, why_size,
            "head %s needs an output [1, boxes, %s + %s] or [1, %s + %s, boxes]; the first one is %s; no "
            "/result is written",
            head, first, more, first, more,
            count ? xr_shape_text(outputs[0], shape, sizeof shape) : "missing");
        return false;
    }
    const uint64_t classes = options->classes ? options->classes : rows.columns - (objectness ? 5 : 4);
    if (options->label_count && options->label_count != classes)
        snprintf(why, why_size,
                 "head %s has %llu classes and the label file %zu names; where rows hold more than classes, "
                 "say `classes: %zu`",
                 head, (unsigned long long)classes, options->label_count, options->label_count);
    return true;
}

/* Rows cover the picture: in pixels the middles of some lie beyond the first two. */
static bool are_shares(const xr_rows *rows)
{
    float most = 0;
    for (uint64_t r = 0; r < rows->rows; r++)
        for (int k = 0; k < 4; k++) {
            const float v = fabsf(xr_rows_at(rows, r, (uint64_t)k));
            most = v > most ? v : most; /* no NaN is */
        }
    return most <= 2;
}

/* The surest class of a row. */
static float best_class(const xr_rows *rows, uint64_t row, uint64_t first, uint64_t classes, uint64_t *which)
{
    float best = -INFINITY;
    for (uint64_t c = 0; c < classes; c++) {
        const float score = xr_rows_at(rows, row, first + c);
        if (score > best) {
            best = score;
            *which = c;
        }
    }
    return best;
}

exray_status xr_yolo_decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                            bool objectness, exray_told *told, exray_result *out, exray_error *error)
{
    enum { MOST_OUTPUTS = 64 };
    static const xr_box_order standard = {false, true, true, XR_BOX_UNSAID};
    const exray_tensor_info *infos[MOST_OUTPUTS];
    const uint64_t first = objectness ? 5 : 4;
    size_t which;
    xr_rows rows;
    xr_box_order order;
    for (size_t i = 0; i < count && i < MOST_OUTPUTS; i++)
        infos[i] = outputs[i].info;
    if (count > MOST_OUTPUTS || !find_rows(options, infos, count, objectness, &which, &rows) ||
        outputs[which].count != rows.rows * rows.columns || !outputs[which].values ||
        !xr_box_order_read(options->boxes, standard, &order))
        return EXRAY_E_UNSUPPORTED;
    rows.values = outputs[which].values;
    if (order.unit == XR_BOX_UNSAID)
        order.unit = are_shares(&rows) || !sees_pixels(options) ? XR_BOX_SHARES : XR_BOX_PIXELS;
    const uint64_t classes = options->classes ? options->classes : rows.columns - first;
    xr_candidates found = xr_candidates_begin(options, told);
    for (uint64_t r = 0; r < rows.rows; r++) {
        uint64_t best = 0;
        float score = best_class(&rows, r, first, classes, &best);
        const float sure = objectness ? xr_rows_at(&rows, r, 4) : 1;
        if (options->sigmoid)
            score = xr_logistic(score) * (objectness ? xr_logistic(sure) : 1);
        else
            score *= sure;
        if (!xr_candidate_counts(&found, score))
            continue;
        float at[4];
        for (uint64_t k = 0; k < 4; k++)
            at[k] = xr_rows_at(&rows, r, k);
        exray_box box = xr_box_of(&order, at, (float)options->input_width, (float)options->input_height);
        box.id = (int64_t)best - options->label_offset;
        box.score = score;
        xr_candidate_add(&found, &box, r);
    }
    return xr_candidates_tell(&found, options, out, error);
}
