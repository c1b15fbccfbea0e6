/* SSD without its post-processing: boxes [1, n, 4] and scores [1, n, classes], each box coded as its distance
 * from an anchor: middle = code / 10 * size + middle of the anchor, size = exp(code / 5) * size of the anchor
 * (Liu et al. 2016, with the variances 0.1 and 0.2). */
#include "tasks/heads/box_order.h"
#include "tasks/heads/candidates.h"
#include "tasks/heads/raw_heads.h"
#include "tasks/heads/rows.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Which output is the boxes (the other: the scores); false: these are no such two. */
static bool find_parts(const exray_tensor_info *const *outputs, size_t count, size_t *boxes,
                       xr_rows *box_rows, xr_rows *score_rows)
{
    if (count != 2)
        return false;
    for (size_t b = 0; b < 2; b++) {
        /* Boxes of some exports are [1, n, 1, 4]. */
        exray_tensor_info flat = *outputs[b];
        int64_t shape[2] = {(int64_t)(xr_task_elements(&flat) / 4), 4};
        if (flat.rank < 2 || flat.rank > EXRAY_MAX_RANK || flat.shape[flat.rank - 1] != 4)
            continue;
        flat.rank = 2;
        flat.shape = shape;
        *boxes = b;
        if (xr_rows_of(&flat, false, 4, box_rows) && xr_rows_of(outputs[1 - b], false, 1, score_rows) &&
            box_rows->rows == score_rows->rows)
            return true;
    }
    return false;
}

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    size_t boxes;
    xr_rows box_rows, score_rows;
    xr_box_order order;
    if (!find_parts(outputs, count, &boxes, &box_rows, &score_rows)) {
        snprintf(
            why, why_size,
            "head ssd needs two outputs, boxes [1, n, 4] and scores [1, n, classes]; no /result is written");
        return false;
    }
    if (options->anchor_count && options->anchor_count != box_rows.rows) {
        snprintf(why, why_size,
                 "head ssd has %llu boxes and the file of anchors %zu: it is of another model; no /result is "
                 "written",
                 (unsigned long long)box_rows.rows, options->anchor_count);
        return false;
    }
    if (!xr_box_order_read(options->boxes, (xr_box_order){0}, &order) ||
        (options->anchor_count && options->boxes && !order.centered)) {
        snprintf(why, why_size,
                 "boxes: '%.60s' is no order of an anchor's numbers: cycxhw or cxcywh; no /result is written",
                 options->boxes);
        return false;
    }
    return true;
}

/* The box that a code stands for, in the order of the anchor's numbers. */
static void decode(const float code[4], const float *anchor, float out[4])
{
    float a[4];
    memcpy(a, anchor, sizeof a);
    for (int k = 0; k < 2; k++) {
        out[k] = code[k] / 10 * a[k + 2] + a[k];
        out[k + 2] = expf(code[k + 2] / 5) * a[k + 2];
    }
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    static const xr_box_order corners = {true, false, false, XR_BOX_SHARES},
                              coded = {true, true, true, XR_BOX_SHARES};
    const exray_tensor_info *infos[2];
    size_t boxes;
    xr_rows box_rows, score_rows;
    xr_box_order order;
    for (size_t i = 0; i < count && i < 2; i++)
        infos[i] = outputs[i].info;
    if (!find_parts(infos, count, &boxes, &box_rows, &score_rows) || !outputs[0].values ||
        !outputs[1].values || outputs[boxes].count != box_rows.rows * 4 ||
        outputs[1 - boxes].count != score_rows.rows * score_rows.columns ||
        (options->anchor_count && options->anchor_count != box_rows.rows) ||
        !xr_box_order_read(options->boxes, options->anchor_count ? coded : corners, &order))
        return EXRAY_E_UNSUPPORTED;
    box_rows.values = outputs[boxes].values;
    score_rows.values = outputs[1 - boxes].values;
    xr_candidates found = xr_candidates_begin(options, told);
    for (uint64_t r = 0; r < box_rows.rows; r++)
        for (uint64_t c = 0; c < score_rows.columns; c++) {
            float score = xr_rows_at(&score_rows, r, c), at[4], code[4];
            if (options->sigmoid)
                score = xr_logistic(score);
            /* What is before the first class is the background. */
            if ((int64_t)c < options->label_offset || !xr_candidate_counts(&found, score))
                continue;
            for (uint64_t k = 0; k < 4; k++)
                at[k] = code[k] = xr_rows_at(&box_rows, r, k);
            if (options->anchor_count)
                decode(code, options->anchors + 4 * r, at);
            exray_box box = xr_box_of(&order, at, (float)options->input_width, (float)options->input_height);
            box.id = (int64_t)c - options->label_offset;
            box.score = score;
            xr_candidate_add(&found, &box, r);
        }
    return xr_candidates_tell(&found, options, out, error);
}

const xr_raw_head xr_head_ssd = {"ssd", "detection", fits, decide};
