#include "tasks/average_precision.h"

#include "base/buffer.h"
#include "tasks/task_overlap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOLD = 100, THRESHOLDS = 10, RECALLS = 101 };

/* A box of a frame, and where it stands in its result. */
typedef struct frame_box {
    const exray_box *box;
    uint32_t at;
} frame_box;

/* The truth's boxes of a class while those that were told are given to them. */
typedef struct frame_truth {
    const frame_box *box; /* [count], those of no crowd first */
    size_t count;
    uint16_t *taken; /* [count], a bit for each threshold */
    uint32_t
        *near; /* [near_count] which of them overlap the box in hand by a half or more, and by how much */
    double *overlap;
    size_t near_count;
} frame_truth;

/* ---- A frame ---- */

/* A box without a score is the least sure. */
static float score_of(const exray_box *box)
{
    return isnan(box->score) ? -INFINITY : box->score;
}

static int order_of(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_class_and_score(const void *x, const void *y)
{
    const frame_box *a = x, *b = y;
    if (a->box->id != b->box->id)
        return a->box->id < b->box->id ? -1 : 1;
    const float first = score_of(a->box), second = score_of(b->box);
    return first > second ? -1 : first < second ? 1 : order_of(a->at, b->at);
}

static int by_class_and_crowd(const void *x, const void *y)
{
    const frame_box *a = x, *b = y;
    if (a->box->id != b->box->id)
        return a->box->id < b->box->id ? -1 : 1;
    return a->box->crowd != b->box->crowd ? a->box->crowd - b->box->crowd : order_of(a->at, b->at);
}

/* Only where boxes have scores one of them says which are meant. */
static bool is_scored(const exray_result *result)
{
    for (uint32_t i = 0; i < result->box_count; i++)
        if (result->boxes[i].score != 0)
            return true;
    return false;
}

static frame_box *boxes_of(const exray_result *result, bool likely, size_t *count)
{
    frame_box *made = malloc((result->box_count + (size_t)1) * sizeof *made);
    *count = 0;
    for (uint32_t i = 0; made && i < result->box_count; i++)
        if (!likely || result->boxes[i].score >= 0.5F)
            made[(*count)++] = (frame_box){&result->boxes[i], i};
    return made;
}

static size_t end_of_class(const frame_box *boxes, size_t begin, size_t count)
{
    size_t end = begin;
    while (end < count && boxes[end].box->id == boxes[begin].box->id)
        end++;
    return end;
}

static int by_id(const void *x, const void *y)
{
    const xr_precision_class *a = x, *b = y;
    return (a->id > b->id) - (a->id < b->id);
}

/* An entry for each frame that has the class. */
static bool add_class(xr_precision *p, int64_t id, uint64_t boxes)
{
    xr_precision_class *grown = xr_array_grow(p->class, p->classes, &p->class_room, sizeof *grown);
    if (!grown)
        return false;
    p->class = grown;
    p->class[p->classes++] = (xr_precision_class){id, boxes};
    return true;
}

/* Of the sorted entries one for each class; returns how many there are. */
static size_t join_classes(xr_precision_class *class, size_t count)
{
    size_t joined = 0;
    for (size_t i = 0; i < count; i++)
        if (joined && class[joined - 1].id == class[i].id)
            class[joined - 1].boxes += class[i].boxes;
        else
            class[joined++] = class[i];
    return joined;
}

static xr_precision_box *new_box(xr_precision *p)
{
    xr_precision_box *grown = xr_array_grow(p->box, p->count, &p->room, sizeof *grown);
    if (!grown)
        return NULL;
    p->box = grown;
    return &p->box[p->count++];
}

/* The truth's box that a told one finds at a threshold: of those still free the one that it overlaps most,
 * the last of equals; a crowd, which many may find, only where there is no other.  count: none. */
static size_t found_at(const frame_truth *truth, int threshold)
{
    double best = fmin(0.5 + threshold * ((0.95 - 0.5) / (THRESHOLDS - 1)), 1 - 1e-10);
    size_t found = truth->count;
    for (size_t k = 0; k < truth->near_count; k++) {
        const uint32_t i = truth->near[k];
        const bool crowd = truth->box[i].box->crowd;
        if (crowd && found < truth->count && !truth->box[found].box->crowd)
            break;
        if ((!crowd && truth->taken[i] >> threshold & 1) || !(truth->overlap[k] >= best))
            continue;
        best = truth->overlap[k];
        found = i;
    }
    return found;
}

static bool add_told(xr_precision *p, const frame_box *told, frame_truth *truth)
{
    xr_precision_box *made = new_box(p);
    if (!made)
        return false;
    *made = (xr_precision_box){.id = told->box->id, .score = score_of(told->box), .order = p->count};
    truth->near_count = 0;
    for (size_t i = 0; i < truth->count; i++) {
        const double overlap = xr_task_overlap(told->box, truth->box[i].box);
        if (overlap < 0.5)
            continue;
        truth->near[truth->near_count] = (uint32_t)i;
        truth->overlap[truth->near_count++] = overlap;
    }
    for (int t = 0; t < THRESHOLDS; t++) {
        const size_t i = found_at(truth, t);
        if (i == truth->count)
            continue;
        const uint16_t bit = (uint16_t)(1U << t);
        made->found |= bit;
        made->ignored |= truth->box[i].box->crowd ? bit : 0;
        truth->taken[i] |= bit;
    }
    return true;
}

static bool add_truth(xr_precision *p, const frame_box *truth, size_t count)
{
    for (size_t i = 0, end; i < count; i = end) {
        uint64_t boxes = 0;
        end = end_of_class(truth, i, count);
        for (size_t k = i; k < end; k++)
            boxes += !truth[k].box->crowd;
        if (boxes && !add_class(p, truth[i].box->id, boxes))
            return false;
    }
    return true;
}

/* Both are sorted by class. */
static bool add_classes(xr_precision *p, const frame_box *told, size_t count, frame_truth *room,
                        const frame_box *truths, size_t truth_count)
{
    size_t at = 0;
    for (size_t i = 0, end; i < count; i = end) {
        end = end_of_class(told, i, count);
        while (at < truth_count && truths[at].box->id < told[i].box->id)
            at++;
        frame_truth truth = *room;
        truth.box = truths + at;
        if (at < truth_count && truths[at].box->id == told[i].box->id)
            truth.count = end_of_class(truths, at, truth_count) - at;
        for (size_t k = i; k < end && k < i + MOST_TOLD; k++)
            if (!add_told(p, &told[k], &truth))
                return false;
        memset(truth.taken, 0, truth.count * sizeof *truth.taken);
    }
    return true;
}

void xr_precision_add(xr_precision *p, const exray_result *told, const exray_result *other)
{
    size_t count, truth_count;
    frame_box *boxes = boxes_of(told, false, &count);
    frame_box *truths = boxes_of(other, is_scored(other), &truth_count);
    frame_truth room = {.overlap = malloc((other->box_count + (size_t)1) * sizeof(double)),
                        .near = malloc((other->box_count + (size_t)1) * sizeof(uint32_t)),
                        .taken = calloc(other->box_count + (size_t)1, sizeof(uint16_t))};
    if (boxes && truths && room.overlap && room.near && room.taken) {
        qsort(boxes, count, sizeof *boxes, by_class_and_score);
        qsort(truths, truth_count, sizeof *truths, by_class_and_crowd);
        p->failed = !add_truth(p, truths, truth_count) ||
                    !add_classes(p, boxes, count, &room, truths, truth_count) || p->failed;
        p->frames++;
    } else
        p->failed = true;
    free(boxes);
    free(truths);
    free(room.overlap);
    free(room.near);
    free(room.taken);
}

/* ---- All frames ---- */

static int by_score(const void *x, const void *y)
{
    const xr_precision_box *a = x, *b = y;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return a->score > b->score ? -1 : a->score < b->score ? 1 : order_of(a->order, b->order);
}

/* The precision at each of 101 recalls, mean: at a recall the best precision that is reached at it or beyond.
 * `precision` and `recall` have room for count. */
static double average(const xr_precision_box *box, size_t count, uint64_t boxes, int threshold,
                      double *precision, double *recall)
{
    double right = 0, wrong = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        const bool found = box[i].found >> threshold & 1, ignored = box[i].ignored >> threshold & 1;
        right += found && !ignored;
        wrong += !found && !ignored;
        recall[i] = right / (double)boxes;
        precision[i] = right / (right + wrong + 2.220446049250313e-16);
    }
    for (size_t i = count; i-- > 1;)
        precision[i - 1] = fmax(precision[i - 1], precision[i]);
    size_t at = 0;
    for (int r = 0; r < RECALLS; r++) {
        while (at < count && recall[at] < r * 0.01)
            at++;
        sum += at < count ? precision[at] : 0;
    }
    return sum / RECALLS;
}

/* box: sorted. */
static void mean_of(const xr_precision_box *box, size_t count, const xr_precision_class *class,
                    size_t classes, double *room, double *map50, double *map)
{
    double sum[THRESHOLDS] = {0}, all = 0;
    size_t at = 0;
    for (size_t c = 0; c < classes; c++) {
        while (at < count && box[at].id < class[c].id)
            at++;
        const size_t begin = at;
        while (at < count && box[at].id == class[c].id)
            at++;
        for (int t = 0; t < THRESHOLDS; t++)
            sum[t] += average(&box[begin], at - begin, class[c].boxes, t, room, room + count);
    }
    for (int t = 0; t < THRESHOLDS; t++)
        all += sum[t];
    *map50 = sum[0] / (double)classes;
    *map = all / THRESHOLDS / (double)classes;
}

void xr_precision_mean(const xr_precision *p, double *map50, double *map)
{
    *map50 = *map = NAN;
    if (p->failed || p->classes == 0)
        return;
    xr_precision_box *box = malloc((p->count + 1) * sizeof *box);
    xr_precision_class *class = malloc(p->classes * sizeof *class);
    double *room = malloc((2 * p->count + 1) * sizeof *room);
    if (box && class && room) {
        if (p->count)
            memcpy(box, p->box, p->count * sizeof *box);
        memcpy(class, p->class, p->classes * sizeof *class);
        qsort(box, p->count, sizeof *box, by_score);
        qsort(class, p->classes, sizeof *class, by_id);
        mean_of(box, p->count, class, join_classes(class, p->classes), room, map50, map);
    }
    free(box);
    free(class);
    free(room);
}

void xr_precision_clear(xr_precision *p)
{
    free(p->box);
    free(p->class);
    *p = (xr_precision){0};
}
