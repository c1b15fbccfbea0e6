#include "checks/told/stages/mask_scores.h"

#include <math.h>
#include <string.h>

enum { LOOK_AT = 4 }; /* frames */

/* A mask may have been made of scores that round otherwise in so many pixels. */
#define SAME_SHARE 0.999

/* Scores [p, q] of each class: of element (i, k) and class c at i * row + k * column + c * class. */
typedef struct score_view {
    const float *value;
    size_t row, column, step, classes;
} score_view;

static float score_at(const score_view *v, size_t i, size_t k, size_t class)
{
    float x;
    size_t at = i * v->row + k * v->column + class * v->step;
    memcpy(&x, (const char *)v->value + at * sizeof x, sizeof x);
    return x;
}

/* The output's dimensions without those of 1; 0: not two or three. */
static size_t plain_shape(const exray_tensor_view *view, size_t shape[3])
{
    size_t rank = 0, product = 1;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] == 1)
            continue;
        if (rank == 3 || view->info.shape[i] < 1)
            return 0;
        shape[rank++] = (size_t)view->info.shape[i];
        product *= (size_t)view->info.shape[i];
    }
    return product == view->count && rank >= 2 ? rank : 0;
}

/* The scores with classes along an axis, where the rest has the mask's shape. */
static bool view_along(const size_t shape[3], size_t rank, size_t axis, const xr_stage_values *mask,
                       const float *value, score_view *out)
{
    size_t stride[3] = {0}, product = 1, rest[2], kept = 0;
    for (size_t i = rank; i > 0; i--) {
        stride[i - 1] = product;
        product *= shape[i - 1];
    }
    if (mask->rank != 2)
        return false;
    *out = (score_view){value, 0, 0, 0, 1};
    for (size_t i = 0; i < rank; i++) {
        if (rank == 3 && i == axis)
            continue;
        rest[kept] = shape[i];
        *(kept++ == 0 ? &out->row : &out->column) = stride[i];
    }
    if (rank == 3) {
        out->step = stride[axis];
        out->classes = shape[axis];
    }
    return kept == 2 && rest[0] == mask->shape[0] && rest[1] == mask->shape[1];
}

static bool is_best(const score_view *v, const xr_stage_values *mask)
{
    size_t same = 0;
    for (size_t i = 0; i < mask->shape[0]; i++)
        for (size_t k = 0; k < mask->shape[1]; k++) {
            size_t best = 0;
            for (size_t c = 1; c < v->classes; c++)
                best = score_at(v, i, k, c) > score_at(v, i, k, best) ? c : best;
            same += mask->value[i * mask->shape[1] + k] == (float)best;
        }
    return v->classes > 1 && (double)same >= SAME_SHARE * (double)mask->count;
}

/* The mask has two labels; the scores of the higher one are all above those of the lower one. */
static bool is_threshold(const score_view *v, const xr_stage_values *mask, size_t class, xr_mask_habit *out)
{
    float least = mask->value[0], most = mask->value[0];
    for (size_t i = 1; i < mask->count; i++) {
        least = fminf(least, mask->value[i]);
        most = fmaxf(most, mask->value[i]);
    }
    if (least == most)
        return false;
    for (size_t i = 0; i < mask->shape[0]; i++)
        for (size_t k = 0; k < mask->shape[1]; k++) {
            float label = mask->value[i * mask->shape[1] + k], score = score_at(v, i, k, class);
            if (label != least && label != most)
                return false;
            if (label == most)
                out->high = fmin(out->high, score);
            else
                out->low = fmax(out->low, score);
            if (!(out->low <= out->high))
                return false;
        }
    return true;
}

typedef struct habit_search {
    const exray_comparison *comparison;
    const xr_stage_series *series;
    exray_side side;
    exray_slot *slot;
} habit_search;

/* Tries one reading on the first frames. */
static bool holds(const habit_search *s, size_t pair, xr_mask_habit *h)
{
    size_t tried = 0;
    h->low = -INFINITY;
    h->high = INFINITY;
    for (size_t f = 0; f < s->series->count && tried < LOOK_AT; f++) {
        exray_tensor_view view;
        const float *values;
        exray_error error;
        size_t shape[3], rank;
        score_view scores;
        const xr_stage_values *mask = &s->series->frame[f].side[s->side];
        if (exray_comparison_values(s->comparison, s->side, s->series->frame[f].frame, EXRAY_KIND_OUTPUT,
                                    pair, s->slot, &view, &values, &error) != EXRAY_OK)
            continue;
        rank = plain_shape(&view, shape);
        if (!rank || !view_along(shape, rank, h->axis, mask, values, &scores) ||
            h->class >= (long)scores.classes)
            return false;
        h->classes = scores.classes;
        bool threshold = h->kind == XR_MASK_HABIT_THRESHOLD;
        if (threshold ? !is_threshold(&scores, mask, (size_t)h->class, h) : !is_best(&scores, mask))
            return false;
        tried++;
    }
    return tried > 0;
}

static bool find_in_output(const habit_search *s, size_t pair, xr_mask_habit *out)
{
    enum { MOST_CLASSES = 256, AXES = 3 };
    for (size_t axis = AXES; axis-- > 0;) {
        *out = (xr_mask_habit){.kind = XR_MASK_HABIT_BEST, .axis = axis, .class = 0};
        if (holds(s, pair, out))
            return true;
        for (long class = 0; class < MOST_CLASSES; class ++) {
            *out = (xr_mask_habit){.kind = XR_MASK_HABIT_THRESHOLD, .axis = axis, .class = class};
            if (holds(s, pair, out))
                return true;
            if (out->classes == 0 || class + 1 >= (long)out->classes)
                break;
        }
    }
    return false;
}

exray_status xr_mask_habit_find(const exray_comparison *comparison, const xr_stage_series *series,
                                exray_side side, xr_mask_habit *out, exray_error *error)
{
    habit_search s = {comparison, series, side, exray_slot_new()};
    *out = (xr_mask_habit){0};
    if (!s.slot) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing masks with outputs"};
        return EXRAY_E_MEMORY;
    }
    bool found = false;
    for (size_t i = 0; !found && i < exray_comparison_output_count(comparison); i++) {
        found = find_in_output(&s, i, out);
        out->output = exray_comparison_output(comparison, i)->name[side];
    }
    if (!found)
        *out = (xr_mask_habit){0};
    exray_slot_free(s.slot);
    return EXRAY_OK;
}
