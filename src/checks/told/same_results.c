#include "checks/told/same_results.h"

#include <math.h>
#include <string.h>

static bool same_numbers(const float *a, const float *b, size_t count)
{
    const double rounding = 1e-4;
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - (double)b[i]) <= rounding * fmax(1, fabs((double)b[i]))))
            return false;
    return true;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_classes(const exray_result *a, const exray_result *b)
{
    if (a->class_count != b->class_count)
        return false;
    for (uint32_t i = 0; i < a->class_count; i++)
        if (a->classes[i].id != b->classes[i].id ||
            !same_numbers(&a->classes[i].score, &b->classes[i].score, 1) ||
            !same_text(a->classes[i].label, b->classes[i].label))
            return false;
    return true;
}

static bool same_boxes(const exray_result *a, const exray_result *b)
{
    if (a->box_count != b->box_count)
        return false;
    for (uint32_t i = 0; i < a->box_count; i++) {
        const exray_box *x = &a->boxes[i], *y = &b->boxes[i];
        const float left[] = {x->x_min, x->y_min, x->x_max, x->y_max, x->score};
        const float right[] = {y->x_min, y->y_min, y->x_max, y->y_max, y->score};
        if (x->id != y->id || !same_numbers(left, right, sizeof left / sizeof *left) ||
            !same_text(x->label, y->label))
            return false;
    }
    return true;
}

static bool same_points(const exray_result *a, const exray_result *b)
{
    if (a->keypoint_count != b->keypoint_count)
        return false;
    for (uint32_t i = 0; i < a->keypoint_count; i++) {
        const exray_keypoint *x = &a->keypoints[i], *y = &b->keypoints[i];
        const float left[] = {x->x, x->y, x->z, x->score}, right[] = {y->x, y->y, y->z, y->score};
        if (x->id != y->id || !same_numbers(left, right, sizeof left / sizeof *left))
            return false;
    }
    return true;
}

static bool same_vectors(const exray_result *a, const exray_result *b)
{
    if (a->vector_count != b->vector_count)
        return false;
    for (uint32_t i = 0; i < a->vector_count; i++) {
        const exray_vector *x = &a->vectors[i], *y = &b->vectors[i];
        if (!same_text(x->name, y->name) || x->count != y->count ||
            !same_numbers(x->values, y->values, x->count))
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

static bool same(const exray_result *a, const exray_result *b)
{
    return same_text(a->text, b->text) && same_classes(a, b) && same_boxes(a, b) && same_points(a, b) &&
           same_vectors(a, b) && same_mask(a->mask, b->mask);
}

bool xr_same_results(const exray_comparison *comparison)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool all = slot[0] && slot[1] && frames > 0;
    for (size_t f = 0; all && f < frames; f++) {
        exray_result told[2];
        exray_error ignored;
        for (int s = 0; s < 2 && all; s++)
            all = exray_log_read_told(exray_comparison_log(comparison, (exray_side)s),
                                      exray_comparison_frame(comparison, f).frame[s], EXRAY_MESSAGE_RESULT,
                                      slot[s], &told[s], &ignored) == EXRAY_OK;
        all = all && same(&told[0], &told[1]);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return all;
}
