/* Detection: boxes with classes and scores. */
#include "tasks/average_precision.h"
#include "tasks/builtin_tasks.h"
#include "tasks/heads/box_order.h"
#include "tasks/heads/find_head.h"
#include "tasks/task_overlap.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 4, CLASSES = 100, MOST_BOXES = 4096 };

/* The four outputs of TFLite_Detection_PostProcess: boxes [1, n, 4], classes [1, n], scores [1, n],
 * count [1]. */
static bool is_post_processed(const exray_tensor_info *const *info, size_t count)
{
    if (count != PARTS)
        return false;
    const uint64_t n = xr_task_elements(info[1]);
    return n > 0 && info[0]->rank >= 2 && info[0]->shape[info[0]->rank - 1] == 4 &&
           xr_task_elements(info[0]) == 4 * n && xr_task_elements(info[2]) == n &&
           xr_task_elements(info[3]) == 1;
}

/* Of TFLite_Detection_PostProcess. */
static const xr_box_order standard_order = {true, false, false, XR_BOX_SHARES};

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    xr_box_order order;
    *why = 0;
    const xr_raw_head *head = xr_head_of(options, "detection", why, why_size);
    if (head)
        return head->fits(options, outputs, count, why, why_size);
    if (*why) /* no such head */
        return false;
    if (!is_post_processed(outputs, count)) {
        snprintf(why, why_size,
                 "task detection needs the outputs boxes, classes, scores, count, or to know how others are "
                 "read, `output: {head: ...}`; no /result is written");
        return false;
    }
    if (xr_box_order_read(options->boxes, standard_order, &order))
        return true;
    snprintf(why, why_size, "boxes: '%.60s' is no order of a box's numbers; no /result is written",
             options->boxes);
    return false;
}

static int64_t whole(float value)
{
    return value > -1e9F && value < 1e9F ? (int64_t)value : -1;
}

/* Boxes that the model itself has chosen. */
static exray_status tell_chosen(const exray_task_options *options, const exray_task_output *outputs,
                                size_t count, exray_told *told, exray_result *out, exray_error *error)
{
    xr_box_order order;
    if (count != PARTS || !xr_box_order_read(options->boxes, standard_order, &order))
        return EXRAY_E_UNSUPPORTED;
    for (int i = 0; i < PARTS; i++)
        if (!outputs[i].values)
            return EXRAY_E_UNSUPPORTED;
    uint64_t n = outputs[1].count;
    /* Shapes known at run time only may differ from those that the task was judged by. */
    if (outputs[0].count != 4 * n || outputs[2].count != n) {
        if (error) {
            error->status = EXRAY_E_FORMAT;
            snprintf(error->message, sizeof error->message,
                     "the outputs boxes, classes and scores differ in number");
        }
        return EXRAY_E_FORMAT;
    }
    if (outputs[3].count == 1 && xr_task_value(outputs[3].values, 0) >= 0 &&
        xr_task_value(outputs[3].values, 0) < (float)n)
        n = (uint64_t)xr_task_value(outputs[3].values, 0);
    exray_box *boxes = exray_told_room(told, n ? n : 1, sizeof *boxes);
    if (!boxes)
        return xr_task_no_memory(error, "detection");
    uint32_t kept = 0;
    for (uint64_t i = 0; i < n; i++) {
        const float box[4] = {
            xr_task_value(outputs[0].values, 4 * i), xr_task_value(outputs[0].values, 4 * i + 1),
            xr_task_value(outputs[0].values, 4 * i + 2), xr_task_value(outputs[0].values, 4 * i + 3)};
        const float score = xr_task_value(outputs[2].values, i);
        if (options->threshold > 0 && !(score >= options->threshold))
            continue;
        boxes[kept] = xr_box_of(&order, box, (float)options->input_width, (float)options->input_height);
        boxes[kept].id = whole(xr_task_value(outputs[1].values, i)) - options->label_offset;
        boxes[kept].score = score;
        boxes[kept].label = xr_task_label(options, boxes[kept].id);
        kept++;
    }
    out->boxes = boxes;
    out->box_count = kept;
    return EXRAY_OK;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    char why[200] = "";
    const xr_raw_head *head = xr_head_of(options, "detection", why, sizeof why);
    *out = (exray_result){.text = ""};
    if (head)
        return head->decide(options, outputs, count, told, out, error);
    return *why ? EXRAY_E_UNSUPPORTED : tell_chosen(options, outputs, count, told, out, error);
}

static bool has(const exray_result *result)
{
    return result->box_count > 0;
}

/* ---- Measures ----
 * Boxes are partners where their class is the same and they overlap by half (IoU); each box of one side, the
 * surest first, takes the one of the other that it overlaps most.  A pair counts as its lesser score, a box
 * as its own: 2 * sum(min(a, b)) / (sum(a) + sum(b)), so that boxes nobody would show count little. */

typedef struct partner_sums {
    xr_task_mean all, of_class[CLASSES];
    char label[CLASSES][40];
    bool is_partner[MOST_BOXES];
    uint32_t order[MOST_BOXES];
    xr_precision precision;
} partner_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(partner_sums));
}

/* Boxes without any score, such as a truth's, count 1. */
static bool has_scores(const exray_result *result)
{
    for (uint32_t i = 0; i < result->box_count; i++)
        if (result->boxes[i].score != 0)
            return true;
    return false;
}

static double weight_of(const exray_box *box, bool scored)
{
    return !scored ? 1 : isfinite(box->score) && box->score > 0 ? box->score : 0;
}

static void sort_by_score(const exray_result *result, uint32_t n, uint32_t *order)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        for (; k > 0 && result->boxes[order[k - 1]].score < result->boxes[i].score; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

static uint32_t partner_of(const partner_sums *sums, const exray_box *box, const exray_result *other,
                           uint32_t n)
{
    uint32_t found = n;
    double best = 0.5;
    for (uint32_t i = 0; i < n; i++) {
        const double shared =
            sums->is_partner[i] || other->boxes[i].id != box->id ? 0 : xr_task_overlap(box, &other->boxes[i]);
        if (shared >= best && (found == n || shared > best)) {
            best = shared;
            found = i;
        }
    }
    return found;
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    partner_sums *sums = state;
    const uint32_t n[2] = {told->box_count < MOST_BOXES ? told->box_count : MOST_BOXES,
                           other->box_count < MOST_BOXES ? other->box_count : MOST_BOXES};
    const bool scored[2] = {has_scores(told), has_scores(other)};
    double weight[CLASSES] = {0}, common[CLASSES] = {0}, all = 0, shared = 0;
    memset(sums->is_partner, 0, sizeof sums->is_partner);
    sort_by_score(told, n[0], sums->order);
    const exray_result *side[2] = {told, other};
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < n[s]; i++) {
            const exray_box *box = &side[s]->boxes[i];
            const double w = weight_of(box, scored[s]);
            all += w;
            if (box->id < 0 || box->id >= CLASSES)
                continue;
            weight[box->id] += w;
            if (box->label && *box->label)
                snprintf(sums->label[box->id], sizeof sums->label[0], "%s", box->label);
        }
    for (uint32_t i = 0; i < n[0]; i++) {
        const exray_box *box = &told->boxes[sums->order[i]];
        const uint32_t k = partner_of(sums, box, other, n[1]);
        if (k == n[1])
            continue;
        sums->is_partner[k] = true;
        const double both = 2 * fmin(weight_of(box, scored[0]), weight_of(&other->boxes[k], scored[1]));
        shared += both;
        if (box->id >= 0 && box->id < CLASSES)
            common[box->id] += both;
    }
    xr_task_add(&sums->all, shared, all);
    for (int c = 0; c < CLASSES; c++)
        xr_task_add(&sums->of_class[c], common[c], weight[c]);
    xr_precision_add(&sums->precision, told, other);
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const partner_sums *sums = state;
    if (most < 3)
        return 0;
    size_t count = 3;
    const uint64_t frames = sums->precision.frames;
    out[0] = xr_task_measure_of(&sums->all, "boxes", "share", true);
    out[1] = (exray_task_measure){.name = "map50", .unit = "share", .higher = true, .frames = frames};
    out[2] = (exray_task_measure){.name = "map", .unit = "share", .higher = true, .frames = frames};
    xr_precision_mean(&sums->precision, &out[1].value, &out[2].value);
    for (int c = 0; c < CLASSES && count < most; c++) {
        if (sums->of_class[c].frames == 0)
            continue;
        out[count] = xr_task_measure_of(&sums->of_class[c], "boxes", "share", true);
        xr_task_of_class(&out[count++], sums->label[c], c);
    }
    return count;
}

static void end(void *state)
{
    partner_sums *sums = state;
    if (sums)
        xr_precision_clear(&sums->precision);
    free(sums);
}

const exray_task xr_task_detection = {
    sizeof(exray_task), "detection", fits, decide, has, begin, compare, measure, end};
