#include "checks/told/classes/class_search.h"

#include "checks/told/boxes/box_reasons.h"

#include <math.h>

enum { FURTHEST_LAG = 4 };

/* So many frames may decide otherwise where noise may have changed them. */
#define NOISY_SHARE 0.1

static size_t shorter(const xr_class_frame *f)
{
    return f->list[0].count < f->list[1].count ? f->list[0].count : f->list[1].count;
}

typedef bool explains(const xr_class_frame *f);

static bool is_none(const xr_class_frame *f)
{
    return f->list[0].count == 0;
}

static bool is_added(const xr_class_frame *f)
{
    return f->list[1].count == 0;
}

/* The edge's list is the reference's from its end; or its scores rise where the reference's fall. */
static bool is_reversed(const xr_class_frame *f)
{
    const xr_class_list *edge = &f->list[0], *reference = &f->list[1];
    bool turned = edge->count == reference->count && edge->count > 1, rises = edge->count > 1, falls = true;
    for (size_t i = 0; turned && i < edge->count; i++)
        turned = edge->id[i] == reference->id[edge->count - 1 - i];
    for (size_t i = 1; i < edge->count; i++)
        rises = rises && edge->score[i] > edge->score[i - 1];
    for (size_t i = 1; i < reference->count; i++)
        falls = falls && reference->score[i] < reference->score[i - 1];
    return turned || (rises && falls && edge->score[0] < reference->score[0]);
}

static bool best_is_same(const xr_class_frame *f)
{
    return shorter(f) > 1 && f->list[0].id[0] == f->list[1].id[0];
}

/* In all frames that differ, noise aside. */
static bool all(const xr_class_frames *frames, explains *explain)
{
    size_t supporting = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_class_frame *at = &frames->frame[f];
        if (!at->differs)
            continue;
        bool so = explain(at);
        if (!so && !at->noisy)
            return false;
        supporting += so;
    }
    return supporting > 0 && 2 * supporting >= frames->differ;
}

static bool is_constant(const xr_class_frames *frames)
{
    const xr_class_frame *first = NULL;
    bool varied = false;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_class_frame *at = &frames->frame[f];
        if (shorter(at) == 0)
            continue;
        first = first ? first : at;
        if (at->list[0].id[0] != first->list[0].id[0])
            return false;
        varied = varied || at->list[1].id[0] != first->list[1].id[0];
    }
    return varied && frames->differ >= 2;
}

static bool is_late(const xr_class_frames *frames, long lag)
{
    size_t changes = 0;
    for (size_t f = 0; f < frames->count; f++) {
        long from = (long)f - lag;
        if (from < 0 || (size_t)from >= frames->count)
            continue;
        bool so = xr_same_classes(&frames->frame[f].list[0], &frames->frame[from].list[1]);
        if (!so && !frames->frame[f].noisy)
            return false;
        changes += so && frames->frame[f].differs;
    }
    return changes >= 2;
}

static long find_lag(const xr_class_frames *frames)
{
    for (long lag = 1; lag <= FURTHEST_LAG; lag++)
        for (long sign = 1; sign >= -1; sign -= 2)
            if (is_late(frames, sign * lag))
                return sign * lag;
    return 0;
}

/* Each of the reference's classes is one of the edge's, always; those of the same place in the lists. */
static xr_class_way find_names(const xr_class_frames *frames)
{
    enum { MOST = 2048 };
    int64_t from[MOST], to[MOST];
    size_t count = 0, repeats = 0;
    bool offset = true;
    for (size_t f = 0; f < frames->count; f++)
        for (size_t i = 0; i < shorter(&frames->frame[f]) && count < MOST; i++) {
            int64_t edge = frames->frame[f].list[0].id[i], reference = frames->frame[f].list[1].id[i];
            bool seen = false;
            for (size_t k = 0; k < count; k++) {
                if ((from[k] == reference) != (to[k] == edge))
                    return XR_CLASSES_UNKNOWN;
                seen = seen || from[k] == reference;
            }
            repeats += seen;
            if (seen)
                continue;
            from[count] = reference;
            to[count++] = edge;
            offset = offset && edge - reference == to[0] - from[0];
        }
    return offset && count > 1 ? XR_CLASSES_OFFSET : repeats > 0 ? XR_CLASSES_RENAMED : XR_CLASSES_UNKNOWN;
}

static bool rest_is_constant(const xr_class_frames *frames)
{
    const xr_class_list *first = NULL;
    size_t seen = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_class_list *list = &frames->frame[f].list[0];
        if (list->count < 2)
            continue;
        first = first ? first : list;
        for (size_t i = 1; i < list->count && i < first->count; i++)
            if (list->id[i] != first->id[i])
                return false;
        seen++;
    }
    return seen > 1;
}

/* ---- Scores of the same classes ---------------------------------------------------------------------- */

static bool scores_are(const xr_class_frames *frames, xr_class_way way, double gain, bool some)
{
    for (size_t f = 0; f < frames->count; f++)
        for (size_t i = 0; i < shorter(&frames->frame[f]) && (!some || frames->frame[f].differs); i++) {
            double x = frames->frame[f].list[1].score[i], y = frames->frame[f].list[0].score[i];
            double made = way == XR_CLASSES_SCALED ? gain * x : 1 - x;
            if (!(fabs(y - made) <= 2e-3 * fabs(made) + 1e-6))
                return false;
        }
    return true;
}

/* Two digits. */
static bool has_other_scores(const xr_class_frame *f)
{
    for (size_t i = 0; i < shorter(f); i++)
        if (!(fabs(f->list[0].score[i] - f->list[1].score[i]) <= 0.0055 + 0.005 * fabs(f->list[1].score[i])))
            return true;
    return false;
}

/* How the scores of all frames, or of those that differ, are related. */
static void relate_scores(const xr_class_frames *frames, xr_class_story *out)
{
    double cross = 0, square = 0, n = 0, least = INFINITY, most = -INFINITY;
    for (size_t f = 0; f < frames->count; f++) {
        if (out->some && !frames->frame[f].differs)
            continue;
        for (size_t i = 0; i < shorter(&frames->frame[f]); i++, n++) {
            double x = frames->frame[f].list[1].score[i];
            cross += x * frames->frame[f].list[0].score[i];
            square += x * x;
            least = fmin(least, x);
            most = fmax(most, x);
        }
    }
    out->gain = square > 0 ? cross / square : 0;
    /* A few, or all alike, are any multiple of each other. */
    if (n < 4 || !(most > least + 0.05 * fabs(most)))
        return;
    if (out->gain > 0 && fabs(out->gain - 1) > 0.02 && !xr_is_unit(out->gain) &&
        scores_are(frames, XR_CLASSES_SCALED, out->gain, out->some))
        out->way = XR_CLASSES_SCALED;
    else if (scores_are(frames, XR_CLASSES_INVERSE, 0, out->some))
        out->way = XR_CLASSES_INVERSE;
}

/* Marks exact frames with other scores, where others have the same ones: one function of all of them would be
 * no fault.  How many. */
static size_t mark_scores(xr_class_frames *frames)
{
    size_t other = 0, same = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_class_frame *at = &frames->frame[f];
        const bool told = at->exact && shorter(at) > 0, differs = told && has_other_scores(at);
        other += differs;
        same += told && !differs;
    }
    for (size_t f = 0; other && same && f < frames->count; f++)
        frames->frame[f].differs = frames->frame[f].exact && has_other_scores(&frames->frame[f]);
    return same ? other : 0;
}

static void search_scores(xr_class_frames *frames, xr_class_story *out)
{
    relate_scores(frames, out);
    if (out->way != XR_CLASSES_SAME || frames->differ || !mark_scores(frames))
        return;
    out->some = true;
    relate_scores(frames, out);
    if (out->way == XR_CLASSES_SAME)
        out->way = XR_CLASSES_SCORES;
}

/* ---- All ------------------------------------------------------------------------------------------------
 */

static size_t surely_differ(const xr_class_frames *frames)
{
    size_t count = 0;
    for (size_t f = 0; f < frames->count; f++)
        count += frames->frame[f].differs && !frames->frame[f].noisy;
    return count;
}

/* Frames in which one side alone tells a class. */
static bool any_silent(const xr_class_frames *frames)
{
    for (size_t f = 0; f < frames->count; f++)
        if (frames->frame[f].differs && shorter(&frames->frame[f]) == 0)
            return true;
    return false;
}

xr_class_story xr_class_search(xr_class_frames *frames, bool follow)
{
    xr_class_story s = {.way = XR_CLASSES_SAME, .gain = 1};
    for (size_t f = 0; f < frames->count; f++)
        s.listed = shorter(&frames->frame[f]) > s.listed ? shorter(&frames->frame[f]) : s.listed;
    if (frames->differ == 0 || (follow && !any_silent(frames))) {
        search_scores(frames, &s);
        return s;
    }
    s.rest_always = rest_is_constant(frames);
    if (all(frames, is_none))
        s.way = XR_CLASSES_NONE;
    else if (all(frames, is_added))
        s.way = XR_CLASSES_ADDED;
    else if (is_constant(frames))
        s.way = XR_CLASSES_CONSTANT;
    else if (all(frames, is_reversed))
        s.way = XR_CLASSES_REVERSED;
    else if ((s.lag = find_lag(frames)) != 0)
        s.way = XR_CLASSES_LATE;
    else if (all(frames, best_is_same))
        s.way = XR_CLASSES_REST;
    else
        s.way = find_names(frames);
    bool few = (double)frames->differ <= NOISY_SHARE * (double)frames->count + 1;
    if (s.way == XR_CLASSES_UNKNOWN && surely_differ(frames) == 0 && few)
        s.way = XR_CLASSES_SAME;
    return s;
}
