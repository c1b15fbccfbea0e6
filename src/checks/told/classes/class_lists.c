#include "checks/told/classes/class_lists.h"

#include "checks/output/interpretation.h"
#include "checks/told/classes/told_labels.h"
#include "checks/told/decision_ties.h"
#include "checks/told/silence.h"

#include <math.h>
#include <stdlib.h>

/* Behind other kernels, classes whose scores are so near (of the list's range) may change places. */
#define NOISY_TIE 0.05

/* Differences of class numbers must fit. */
#define FARTHEST_ID ((int64_t)1 << 60)

/* Puts a class at a place of the list, of which the last may fall out. */
static void insert(xr_class_list *out, size_t place, const exray_class *told)
{
    if (place == XR_CLASSES_COMPARED)
        return;
    out->count += out->count < XR_CLASSES_COMPARED;
    for (size_t i = out->count - 1; i > place; i--) {
        out->id[i] = out->id[i - 1];
        out->score[i] = out->score[i - 1];
    }
    out->id[place] = told->id > FARTHEST_ID ? FARTHEST_ID : told->id < -FARTHEST_ID ? -FARTHEST_ID : told->id;
    out->score[place] = told->score;
}

/* As it was told; of labels, which are a set, the best first. */
static void read_list(const exray_result *result, bool labels, xr_class_list *out)
{
    *out = (xr_class_list){.count = 0};
    for (uint32_t i = 0; i < result->class_count; i++) {
        size_t place = out->count;
        while (labels && place > 0 && (double)result->classes[i].score > out->score[place - 1])
            place--;
        insert(out, place, &result->classes[i]);
    }
}

static size_t shorter(const xr_class_list *a, const xr_class_list *b)
{
    return a->count < b->count ? a->count : b->count;
}

bool xr_same_classes(const xr_class_list *a, const xr_class_list *b)
{
    size_t count = shorter(a, b);
    for (size_t i = 0; i < count; i++)
        if (a->id[i] != b->id[i])
            return false;
    return count > 0 || a->count == b->count;
}

/* Where the class is in the list, else its count. */
static size_t place_of(const xr_class_list *list, int64_t id)
{
    size_t i = 0;
    while (i < list->count && list->id[i] != id)
        i++;
    return i;
}

/* How far the scores of one class are apart on the two sides, where both tell scores of one kind; else 0. */
static double score_noise(const xr_class_frame *f, double range)
{
    double most = 0;
    for (size_t i = 0; i < f->list[0].count; i++) {
        size_t place = place_of(&f->list[1], f->list[0].id[i]);
        if (place < f->list[1].count)
            most = fmax(most, fabs(f->list[0].score[i] - f->list[1].score[place]));
    }
    return most <= 0.2 * range ? most : 0;
}

/* Whether the reference's scores let the edge's class stand there as well. */
static bool is_tie(const xr_class_frame *f, size_t i)
{
    const xr_class_list *edge = &f->list[0], *reference = &f->list[1];
    size_t place = place_of(reference, edge->id[i]), last = reference->count - 1;
    double range = fabs(reference->score[0] - reference->score[last]);
    double allow =
        f->exact ? 1e-6 * fabs(reference->score[i]) : NOISY_TIE * range + 3 * score_noise(f, range);
    if (!(range > 0))
        return f->noisy || (!f->exact && i > 0); /* no scores */
    if (place < reference->count)
        return fabs(reference->score[place] - reference->score[i]) <= allow;
    /* One that the reference's list does not reach: by the edge's own score. */
    return fabs(edge->score[i] - reference->score[last]) <= allow &&
           fabs(edge->score[i] - reference->score[i]) <= allow;
}

static bool lists_differ(const xr_class_frame *f)
{
    size_t count = shorter(&f->list[0], &f->list[1]);
    if (count == 0)
        return f->list[0].count != f->list[1].count;
    for (size_t i = 0; i < count; i++)
        if (f->list[0].id[i] != f->list[1].id[i] && !is_tie(f, i))
            return true;
    return false;
}

exray_status xr_class_frames_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  xr_class_frames *out, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const bool labels = xr_tells_labels(comparison);
    const xr_silence *silence = &equal->silence;
    *out = (xr_class_frames){.frame = calloc(frames + 1, sizeof *out->frame)};
    bool ok = slot[0] && slot[1] && out->frame;
    for (size_t f = 0; ok && !xr_tells_otherwise(silence, XR_TOLD_CLASSES) && f < frames; f++) {
        xr_class_frame *to = &out->frame[out->count];
        bool has[2];
        if (equal->of[f] == XR_FRAME_OTHER)
            continue;
        *to = (xr_class_frame){.frame = f, .exact = equal->of[f] == XR_FRAME_EXACT};
        for (int s = 0; s < 2; s++) {
            exray_result result;
            has[s] = xr_frame_result(comparison, (exray_side)s, f, slot[0], &result);
            if (has[s])
                read_list(&result, labels, &to->list[s]);
        }
        if (!xr_may_compare_results(silence, has))
            continue;
        out->count++;
        to->noisy = !to->exact && !xr_same_classes(&to->list[0], &to->list[1]) &&
                    xr_decisions_are_tied(comparison, f, slot);
        to->differs = lists_differ(to);
        out->differ += to->differs;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading classes"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

void xr_class_frames_free(xr_class_frames *frames)
{
    free(frames->frame);
    *frames = (xr_class_frames){0};
}
