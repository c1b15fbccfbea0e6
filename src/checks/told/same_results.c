#include "checks/told/same_results.h"

#include "checks/told/silence.h"
#include "checks/told/value_steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDING 1e-4

static bool same_numbers(const float *a, const float *b, size_t count, double rounding)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= rounding * fmax(1, fabs((double)b[i]))))
            return false;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_classes(const exray_result *a, const exray_result *b, double rounding)
{
    if (a->class_count != b->class_count)
        return false;
    for (uint32_t i = 0; i < a->class_count; i++)
        if (a->classes[i].id != b->classes[i].id ||
            !same_numbers(&a->classes[i].score, &b->classes[i].score, 1, rounding) ||
            !same_text(a->classes[i].label, b->classes[i].label))
            return false;
    return true;
}

static bool same_corners(const float *a, const float *b, double rounding)
{
    enum { NUMBERS = 8 };
    return a && b ? same_numbers(a, b, NUMBERS, rounding) : !a == !b;
}

static bool same_boxes(const exray_result *a, const exray_result *b, double rounding)
{
    if (a->box_count != b->box_count)
        return false;
    for (uint32_t i = 0; i < a->box_count; i++) {
        const exray_box *x = &a->boxes[i], *y = &b->boxes[i];
        const float left[] = {x->x_min, x->y_min, x->x_max, x->y_max, x->score};
        const float right[] = {y->x_min, y->y_min, y->x_max, y->y_max, y->score};
        if (x->id != y->id || !same_numbers(left, right, sizeof left / sizeof *left, rounding) ||
            !same_text(x->label, y->label) || !same_corners(x->corners, y->corners, rounding))
            return false;
    }
    return true;
}

static bool same_points(const exray_result *a, const exray_result *b, double rounding)
{
    if (a->keypoint_count != b->keypoint_count)
        return false;
    for (uint32_t i = 0; i < a->keypoint_count; i++) {
        const exray_keypoint *x = &a->keypoints[i], *y = &b->keypoints[i];
        const float left[] = {x->x, x->y, x->z, x->score}, right[] = {y->x, y->y, y->z, y->score};
        if (x->id != y->id || !same_numbers(left, right, sizeof left / sizeof *left, rounding))
            return false;
    }
    return true;
}

static bool same_vectors(const exray_result *a, const exray_result *b, double rounding)
{
    if (a->vector_count != b->vector_count)
        return false;
    for (uint32_t i = 0; i < a->vector_count; i++) {
        const exray_vector *x = &a->vectors[i], *y = &b->vectors[i];
        if (!same_text(x->name, y->name) || x->count != y->count ||
            !same_numbers(x->values, y->values, x->count, rounding))
            return false;
    }
    return true;
}

static bool same_mask(const exray_mask *a, const exray_mask *b)
{
    if (!a || !b)
        return a == b;
    return a->width == b->width && a->height == b->height && a->wide == b->wide &&
           memcmp(a->ids, b->ids, (size_t)a->width * a->height * (a->wide ? 2 : 1)) == 0;
}

static bool same(const exray_result *a, const exray_result *b, double rounding)
{
    return same_text(a->text, b->text) && same_classes(a, b, rounding) && same_boxes(a, b, rounding) &&
           same_points(a, b, rounding) && same_vectors(a, b, rounding) && same_mask(a->mask, b->mask);
}

bool xr_is_same_result(const exray_result *edge, const exray_result *reference)
{
    return same(edge, reference, ROUNDING);
}

bool xr_decide_alike(const exray_result *edge, const exray_result *reference)
{
    return same_text(edge->text, reference->text) && !edge->class_count == !reference->class_count &&
           edge->box_count == reference->box_count &&
           (!edge->class_count || edge->classes[0].id == reference->classes[0].id) &&
           (!edge->box_count || edge->boxes[0].id == reference->boxes[0].id);
}

static bool read_both(const exray_comparison *c, size_t frame, exray_slot *const slot[2],
                      exray_result told[2])
{
    exray_error ignored;
    for (int s = 0; s < 2; s++)
        if (exray_log_read_told(exray_comparison_log(c, (exray_side)s),
                                exray_comparison_frame(c, frame).frame[s], EXRAY_MESSAGE_RESULT, slot[s],
                                &told[s], &ignored) != EXRAY_OK)
            return false;
    return true;
}

bool xr_same_results(const exray_comparison *comparison)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool all = slot[0] && slot[1] && frames > 0, any = false;
    for (size_t f = 0; all && f < frames; f++) {
        exray_result told[2];
        all = read_both(comparison, f, slot, told) && same(&told[0], &told[1], ROUNDING);
        any = any || (all && xr_result_says(&told[0]));
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return all && any;
}

/* ---- Noise -------------------------------------------------------------------------------------- */

enum { ENOUGH = 16, MOST = 4096 };

typedef struct number_list {
    double *of; /* [MOST] */
    size_t count;
} number_list;

/* Whole numbers are what anything is rounded or limited to. */
static void add(number_list *list, double value)
{
    if (list->count < MOST && isfinite(value) && value != rint(value))
        list->of[list->count++] = value;
}

static void add_result(number_list *list, const exray_result *r)
{
    for (uint32_t i = 0; i < r->class_count; i++)
        add(list, (double)r->classes[i].score);
    for (uint32_t i = 0; i < r->box_count; i++) {
        const exray_box *b = &r->boxes[i];
        add(list, (double)b->x_min), add(list, (double)b->y_min);
        add(list, (double)b->x_max), add(list, (double)b->y_max);
        add(list, (double)b->score);
    }
    for (uint32_t i = 0; i < r->keypoint_count; i++)
        add(list, (double)r->keypoints[i].x), add(list, (double)r->keypoints[i].y);
    for (uint32_t i = 0; i < r->vector_count; i++)
        for (uint32_t k = 0; k < r->vectors[i].count; k++)
            add(list, (double)r->vectors[i].values[k]);
}

static bool has_integers(const exray_comparison *c)
{
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(exray_comparison_log(c, (exray_side)s));
        for (size_t i = 0; model && i < model->tensor_count; i++)
            if (model->tensors[i].quantization.count)
                return true;
    }
    return false;
}

static bool are_fine(number_list *list)
{
    return list->count >= ENOUGH && !xr_are_in_steps(list->of, list->count);
}

bool xr_results_are_exact(const exray_comparison *comparison)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    number_list list = {calloc(MOST, sizeof *list.of), 0};
    size_t equal = 0, other = 0;
    const bool room = slot[0] && slot[1] && list.of && !has_integers(comparison);
    for (size_t f = 0; room && f < frames; f++) {
        exray_result told[2];
        const bool both = read_both(comparison, f, slot, told), alike = both && same(&told[0], &told[1], 0);
        equal += alike;
        other += !alike;
        if (alike)
            add_result(&list, &told[1]);
    }
    const bool exact = room && equal > 0 && equal >= other && are_fine(&list);
    free(list.of);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return exact;
}
