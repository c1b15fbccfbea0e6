/* MediaPipe's detectors of faces, palms and persons: boxes [1, n, 4 + 2 * points] and scores [1, n, 1] before
 * the sigmoid.  Each row is x, y, width, height and points, in pixels of the input, from the middle of its
 * anchor.  Overlapping boxes are averaged, weighted by their scores ("weighted" of MediaPipe's
 * NonMaxSuppressionCalculator). */
#include "tasks/heads/candidates.h"
#include "tasks/heads/raw_heads.h"
#include "tasks/heads/rows.h"
#include "tasks/task_overlap.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_POINTS = 64, LAYERS = 5 };

static const float OVERLAP = 0.3F;

/* Strides of the grids whose cells the anchors are in; two anchors a cell for each of equal strides, one
 * where there is a single grid. */
static const uint32_t known_strides[][LAYERS] = {
    {8, 16, 16, 16},     /* faces nearby, palms */
    {16, 32, 32, 32},    /* faces of the back camera */
    {8, 16, 32, 32, 32}, /* persons */
    {4},                 /* faces far away */
};

typedef struct anchor_grid {
    const uint32_t *strides;
    const float *given; /* of the file of anchors; NULL: of the grid */
    uint64_t count;
    uint32_t width, height;
} anchor_grid;

static uint64_t cells(uint32_t side, uint32_t stride)
{
    return (side + stride - 1) / stride;
}

static uint64_t anchors_of(const uint32_t *strides, uint32_t width, uint32_t height)
{
    uint64_t count = 0;
    for (int i = 0; i < LAYERS && strides[i]; i++)
        count += cells(width, strides[i]) * cells(height, strides[i]) * (strides[1] ? 2 : 1);
    return count;
}

/* False: no anchors of that number are known. */
static bool find_grid(const exray_task_options *options, uint64_t rows, anchor_grid *out)
{
    *out = (anchor_grid){.count = rows, .width = options->input_width, .height = options->input_height};
    if (!out->width || !out->height)
        return false;
    if (options->anchor_count) {
        out->given = options->anchors;
        return options->anchors && options->anchor_count == rows;
    }
    for (size_t i = 0; i < sizeof known_strides / sizeof *known_strides && !out->strides; i++)
        if (anchors_of(known_strides[i], out->width, out->height) == rows)
            out->strides = known_strides[i];
    return out->strides != NULL;
}

/* The middle of an anchor, in shares.  Files have them as ssd does: y, x, height, width. */
static void middle_of(const anchor_grid *grid, uint64_t row, float *x, float *y)
{
    if (grid->given) {
        memcpy(y, grid->given + 4 * row, sizeof *y);
        memcpy(x, grid->given + 4 * row + 1, sizeof *x);
        return;
    }
    const uint32_t *strides = grid->strides;
    for (int i = 0; strides && i < LAYERS && strides[i];) {
        int same = i;
        while (same < LAYERS && strides[same] == strides[i])
            same++;
        const uint64_t each = (strides[1] ? 2U : 1U) * (uint64_t)(same - i);
        const uint64_t wide = cells(grid->width, strides[i]), high = cells(grid->height, strides[i]);
        if (row < wide * high * each) {
            *x = ((float)(row / each % wide) + 0.5F) / (float)wide;
            *y = ((float)(row / each / wide) + 0.5F) / (float)high;
            return;
        }
        row -= wide * high * each;
        i = same;
    }
}

static bool find_parts(const exray_tensor_info *const *outputs, size_t count, size_t *boxes,
                       xr_rows *box_rows, xr_rows *score_rows)
{
    for (*boxes = 0; count == 2 && *boxes < 2; ++*boxes)
        if (xr_rows_of(outputs[*boxes], false, 4, box_rows) && box_rows->columns % 2 == 0 &&
            box_rows->columns <= 4 + 2 * MOST_POINTS &&
            xr_task_elements(outputs[1 - *boxes]) == box_rows->rows) {
            *score_rows = (xr_rows){.rows = box_rows->rows, .columns = 1, .row_step = 1, .column_step = 1};
            return true;
        }
    return false;
}

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    size_t boxes;
    xr_rows box_rows, score_rows;
    anchor_grid grid;
    if (!find_parts(outputs, count, &boxes, &box_rows, &score_rows)) {
        snprintf(
            why, why_size,
            "head palm needs two outputs, boxes [1, n, 4 + 2 * points] and scores [1, n, 1]; no /result is "
            "written");
        return false;
    }
    if (find_grid(options, box_rows.rows, &grid))
        return true;
    if (options->anchor_count)
        snprintf(
            why, why_size,
            "head palm has %llu boxes and the file of anchors %zu: it is of another model; no /result is "
            "written",
            (unsigned long long)box_rows.rows, options->anchor_count);
    else
        snprintf(why, why_size,
                 "head palm knows no %llu anchors on %u x %u; give `anchors: FILE`; no /result is written",
                 (unsigned long long)box_rows.rows, options->input_width, options->input_height);
    return false;
}

/* Everything of a row, in shares: x_min, y_min, x_max, y_max, points. */
static void decode(const anchor_grid *grid, const xr_rows *rows, uint64_t row, float *out)
{
    float x = 0, y = 0;
    middle_of(grid, row, &x, &y);
    const float width = (float)grid->width, height = (float)grid->height;
    const float mid_x = xr_rows_at(rows, row, 0) / width + x, mid_y = xr_rows_at(rows, row, 1) / height + y;
    const float half_x = xr_rows_at(rows, row, 2) / width / 2, half_y = xr_rows_at(rows, row, 3) / height / 2;
    out[0] = mid_x - half_x;
    out[1] = mid_y - half_y;
    out[2] = mid_x + half_x;
    out[3] = mid_y + half_y;
    for (uint64_t k = 4; k < rows->columns; k += 2) {
        out[k] = xr_rows_at(rows, row, k) / width + x;
        out[k + 1] = xr_rows_at(rows, row, k + 1) / height + y;
    }
}

/* The mean of the boxes that overlap the surest, which leave the list. */
static void take_group(xr_candidates *found, double overlap, const anchor_grid *grid, const xr_rows *rows,
                       float *out)
{
    const exray_box chief = found->of[0].box;
    const uint64_t row = found->of[0].row;
    float one[4 + 2 * MOST_POINTS];
    double sum[4 + 2 * MOST_POINTS] = {0}, weight = 0;
    size_t kept = 0;
    for (size_t i = 0; i < found->count; i++) {
        const xr_box_candidate c = found->of[i];
        if (i > 0 && !(xr_task_overlap(&chief, &c.box) > overlap)) {
            found->of[kept++] = c;
            continue;
        }
        decode(grid, rows, c.row, one);
        for (uint64_t k = 0; k < rows->columns; k++)
            sum[k] += (double)one[k] * c.box.score;
        weight += c.box.score;
    }
    found->count = kept;
    if (!(weight > 0)) { /* scores that underflow */
        decode(grid, rows, row, out);
        return;
    }
    for (uint64_t k = 0; k < rows->columns; k++)
        out[k] = (float)(sum[k] / weight);
}

static exray_status tell(xr_candidates *found, const exray_task_options *options, const anchor_grid *grid,
                         const xr_rows *rows, exray_result *out, exray_error *error)
{
    const uint32_t most = xr_candidates_most(options);
    const double overlap = options->nms > 0 ? options->nms : OVERLAP;
    const uint32_t points = (uint32_t)(rows->columns - 4) / 2;
    exray_box *boxes = exray_told_room(found->told, most, sizeof *boxes);
    exray_keypoint *keypoints =
        points ? exray_told_room(found->told, (size_t)most * points, sizeof *keypoints) : NULL;
    if (!boxes || (points && !keypoints) || found->failed)
        return xr_task_no_memory(error, "detection");
    xr_candidates_sort(found);
    uint32_t count = 0;
    while (count < most && found->count > 0) {
        float mean[4 + 2 * MOST_POINTS];
        exray_box *box = &boxes[count];
        const float score = found->of[0].box.score;
        take_group(found, overlap, grid, rows, mean);
        *box = (exray_box){.x_min = mean[0],
                           .y_min = mean[1],
                           .x_max = mean[2],
                           .y_max = mean[3],
                           .id = -options->label_offset,
                           .score = score};
        box->label = xr_task_label(options, box->id);
        for (uint32_t k = 0; k < points; k++)
            keypoints[count * points + k] = (exray_keypoint){
                .x = mean[4 + 2 * k], .y = mean[5 + 2 * k], .score = score, .id = (int64_t)k};
        count++;
    }
    out->boxes = boxes;
    out->box_count = count;
    out->keypoints = keypoints;
    out->keypoint_count = count * points;
    return EXRAY_OK;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    const exray_tensor_info *infos[2];
    size_t boxes;
    xr_rows rows, scores;
    anchor_grid grid;
    for (size_t i = 0; i < count && i < 2; i++)
        infos[i] = outputs[i].info;
    if (!find_parts(infos, count, &boxes, &rows, &scores) || !outputs[0].values || !outputs[1].values ||
        outputs[boxes].count != rows.rows * rows.columns || outputs[1 - boxes].count != rows.rows ||
        !find_grid(options, rows.rows, &grid))
        return EXRAY_E_UNSUPPORTED;
    rows.values = outputs[boxes].values;
    scores.values = outputs[1 - boxes].values;
    xr_candidates found = xr_candidates_begin(options, told);
    for (uint64_t r = 0; r < rows.rows; r++) {
        const float score = xr_logistic(xr_rows_at(&scores, r, 0));
        float at[4 + 2 * MOST_POINTS];
        if (!xr_candidate_counts(&found, score))
            continue;
        decode(&grid, &rows, r, at);
        const exray_box box = {
            .x_min = at[0], .y_min = at[1], .x_max = at[2], .y_max = at[3], .score = score};
        xr_candidate_add(&found, &box, r);
    }
    return tell(&found, options, &grid, &rows, out, error);
}

const xr_raw_head xr_head_palm = {"palm", "detection", fits, decide};
