#include "checks/told/boxes/box_reasons.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 512 };

#define OVERLAPS 0.4

/* ---- Boxes of one side alone -------------------------------------------------------------------- */

typedef struct lone_box {
    size_t frame;
    const xr_told_box *box;
    bool repeated; /* of the edge: like one that has a partner */
} lone_box;

typedef struct set_work {
    const xr_box_frames *frames;
    const xr_box_story *story;
    int side; /* whose boxes are alone */
    lone_box *lone;
    size_t count;
} set_work;

static bool is_repeated(const xr_box_match *m, const xr_told_box *box, size_t at)
{
    for (size_t k = 0; k < m->count[0]; k++)
        if (k != at && m->taken[k] && m->box[0][k].id == box->id &&
            xr_box_distance(m->box[0][k].at, box->at) < 1e-4 && fabs(m->box[0][k].score - box->score) < 1e-4)
            return true;
    return false;
}

static void add_lone(set_work *w, size_t frame, const xr_box_match *m)
{
    for (size_t i = 0; i < m->count[w->side]; i++) {
        bool alone = w->side == EXRAY_SIDE_EDGE ? !m->taken[i] : m->partner[i] == SIZE_MAX;
        if (alone)
            w->lone[w->count++] = (lone_box){frame, &m->box[w->side][i],
                                             w->side == EXRAY_SIDE_EDGE && is_repeated(m, &m->box[0][i], i)};
    }
}

static bool none_told(const set_work *w)
{
    return w->frames->boxes[!w->side] == 0;
}

static bool silent(const set_work *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (w->frames->frame[w->lone[i].frame].count[!w->side])
            return false;
    return true;
}

static double best_told(const set_work *w, size_t frame, bool least)
{
    const xr_box_frame *f = &w->frames->frame[frame];
    double found = least ? INFINITY : -INFINITY;
    for (size_t i = 0; i < f->count[!w->side]; i++)
        found = least ? fmin(found, f->box[!w->side][i].score) : fmax(found, f->box[!w->side][i].score);
    return found;
}

/* The other side tells the best N of a frame, in all frames where boxes are alone. */
static bool best_only(const set_work *w, xr_box_sets *out)
{
    out->most = w->frames->most[!w->side];
    for (size_t i = 0; i < w->count; i++) {
        size_t frame = w->lone[i].frame;
        if (w->frames->frame[frame].count[!w->side] != out->most ||
            w->lone[i].box->score > best_told(w, frame, true) + 1e-6)
            return false;
    }
    return out->most > 0 && w->frames->scored;
}

static bool below_threshold(const set_work *w, xr_box_sets *out)
{
    out->high = w->frames->least[!w->side];
    out->low = -INFINITY;
    for (size_t i = 0; i < w->count; i++)
        out->low = fmax(out->low, w->lone[i].box->score);
    return w->frames->scored && isfinite(out->high) && out->low <= out->high;
}

static bool tells_class(const set_work *w, int64_t class)
{
    for (size_t f = 0; f < w->frames->count; f++)
        for (size_t i = 0; i < w->frames->frame[f].count[!w->side]; i++)
            if (w->frames->frame[f].box[!w->side][i].id == class)
                return true;
    return false;
}

static bool classes_only(const set_work *w, xr_box_sets *out)
{
    int64_t seen[MOST_CLASSES];
    out->classes = 0;
    for (size_t i = 0; i < w->count; i++) {
        size_t k = 0;
        while (k < out->classes && seen[k] != w->lone[i].box->id)
            k++;
        if (k < out->classes)
            continue;
        if (k == MOST_CLASSES || tells_class(w, w->lone[i].box->id))
            return false;
        seen[out->classes++] = w->lone[i].box->id;
    }
    out->class = w->count ? seen[0] : 0;
    return w->frames->boxes[!w->side] > 0;
}

/* Each overlaps a better box that is told: what a suppression that is too broad (or none at all) leaves. */
static bool overlap_only(const set_work *w)
{
    for (size_t i = 0; i < w->count; i++) {
        const xr_box_frame *f = &w->frames->frame[w->lone[i].frame];
        const xr_told_box *lone = w->lone[i].box;
        bool found = false;
        for (size_t k = 0; k < f->count[!w->side] && !found; k++) {
            const xr_told_box *told = &f->box[!w->side][k];
            bool other = told->id != lone->id;
            found = other == (w->side == EXRAY_SIDE_REFERENCE) && told->score >= lone->score &&
                    xr_box_overlap(told->at, lone->at) >= OVERLAPS;
        }
        if (!found)
            return false;
    }
    return w->count > 0;
}

static bool repeated(const set_work *w, xr_box_sets *out)
{
    for (size_t i = 0; i < w->count; i++)
        if (!w->lone[i].repeated)
            return false;
    size_t of = 0;
    for (size_t f = 0; f < w->frames->count; f++)
        of += w->story->differs[f] ? w->frames->frame[f].count[!w->side] : 0;
    out->most = of ? 1 + w->count / of : 0;
    return w->side == EXRAY_SIDE_EDGE && w->count > 0;
}

static xr_box_reason reason_of(const set_work *w, xr_box_sets *out)
{
    if (repeated(w, out))
        return XR_REASON_REPEATED;
    if (none_told(w))
        return XR_REASON_NONE_TOLD;
    if (below_threshold(w, out))
        return XR_REASON_THRESHOLD;
    if (best_only(w, out))
        return XR_REASON_MOST;
    if (classes_only(w, out))
        return XR_REASON_CLASSES;
    if (overlap_only(w))
        return XR_REASON_OVERLAP;
    return silent(w) ? XR_REASON_SILENT : XR_REASON_UNKNOWN;
}

bool xr_box_sets_judge(const xr_box_frames *frames, const xr_box_story *story, exray_side side,
                       xr_box_sets *out)
{
    xr_box_match match;
    set_work w = {frames, story, side, calloc(frames->boxes[side] + 1, sizeof *w.lone), 0};
    bool ok = xr_box_match_begin(&match, frames) && w.lone;
    for (size_t f = 0; ok && f < frames->count; f++)
        if (story->differs[f] && xr_box_match_make(frames, f, &story->rule, &match))
            add_lone(&w, f, &match);
    *out = (xr_box_sets){.boxes = w.count};
    if (ok)
        out->reason = reason_of(&w, out);
    xr_box_match_end(&match);
    free(w.lone);
    return ok;
}

/* ---- Classes and scores of the same boxes --------------------------------------------------------- */

typedef struct value_pair {
    const xr_told_box *edge, *reference;
} value_pair;

static void judge_classes(const value_pair *p, size_t count, xr_box_values *out)
{
    bool constant = true, offset = true, renamed = true;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        constant = constant && p[i].edge->id == p[0].edge->id;
        offset = offset && p[i].edge->id - p[i].reference->id == p[0].edge->id - p[0].reference->id;
        for (size_t k = 0; k < i; k++) {
            bool same = p[i].reference->id == p[k].reference->id;
            seen = seen || same;
            renamed = renamed && same == (p[i].edge->id == p[k].edge->id);
        }
        out->distinct += !seen;
        if (p[i].edge->id != p[i].reference->id && out->other++ == 0) {
            out->edge = p[i].edge->id;
            out->reference = p[i].reference->id;
        }
    }
    out->difference = count ? p[0].edge->id - p[0].reference->id : 0;
    out->constant = count ? p[0].edge->id : 0;
    out->classes = out->distinct > 1 && constant ? XR_VALUES_CONSTANT
                   : offset                      ? XR_VALUES_OFFSET
                   : renamed                     ? XR_VALUES_RENAMED
                                                 : XR_VALUES_OTHER;
}

static double expected(xr_value_relation relation, double gain, double score)
{
    switch (relation) {
    case XR_VALUES_GAIN:
        return gain * score;
    case XR_VALUES_INVERSE:
        return 1 - score;
    case XR_VALUES_SQUARED:
        return score * score;
    case XR_VALUES_ROOT:
        return sqrt(fmax(score, 0));
    case XR_VALUES_SIGMOID:
        return 1 / (1 + exp(-score));
    default:
        return score;
    }
}

static bool holds(const value_pair *p, size_t count, xr_value_relation relation, double gain)
{
    for (size_t i = 0; i < count; i++) {
        double right = expected(relation, gain, p[i].reference->score);
        if (!(fabs(p[i].edge->score - right) <= 0.0055 + 0.005 * fabs(right)))
            return false;
    }
    return true;
}

/* Whole numbers of a unit, such as percent: one side's are the other's times a power of ten, rounded.  0:
 * not. */
static double rounded_unit(const value_pair *p, size_t count, double gain)
{
    const double unit = pow(10, rint(log10(fabs(gain) + 1e-300)));
    double most = 0;
    if (unit == 1 || !(fabs(gain / unit - 1) < 0.05))
        return 0;
    for (size_t i = 0; i < count; i++) {
        const double whole = unit > 1 ? p[i].edge->score : p[i].reference->score;
        const double share = unit > 1 ? unit * p[i].reference->score : p[i].edge->score / unit;
        if (whole != rint(whole) || fabs(whole - share) > 0.5001)
            return 0;
        most = fmax(most, whole);
    }
    return most >= 10 ? unit : 0;
}

static void judge_scores(const value_pair *p, size_t count, xr_box_values *out)
{
    static const xr_value_relation tried[] = {XR_VALUES_GAIN, XR_VALUES_INVERSE, XR_VALUES_SQUARED,
                                              XR_VALUES_ROOT, XR_VALUES_SIGMOID};
    double cross = 0, square = 0;
    bool constant = true, varied = false;
    for (size_t i = 0; i < count; i++) {
        cross += p[i].edge->score * p[i].reference->score;
        square += p[i].reference->score * p[i].reference->score;
        constant = constant && fabs(p[i].edge->score - p[0].edge->score) < 1e-6;
        varied = varied || fabs(p[i].reference->score - p[0].reference->score) > 0.02;
    }
    out->gain = square > 0 ? cross / square : 1;
    out->scores = constant && varied ? XR_VALUES_CONSTANT : XR_VALUES_OTHER;
    for (size_t i = 0; i < sizeof tried / sizeof *tried && out->scores == XR_VALUES_OTHER; i++)
        if (holds(p, count, tried[i], out->gain))
            out->scores = tried[i];
    const double unit = out->scores == XR_VALUES_OTHER ? rounded_unit(p, count, out->gain) : 0;
    if (unit != 0) {
        out->scores = XR_VALUES_GAIN;
        out->gain = unit;
    }
}

/* A class that is the score's whole part, and a score that is the class. */
static bool are_exchanged(const value_pair *p, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (p[i].edge->score != (double)p[i].reference->id ||
            fabs((double)p[i].edge->id - p[i].reference->score) > 1)
            return false;
    return count > 0;
}

bool xr_box_values_judge(const xr_box_frames *frames, const xr_box_story *story, xr_box_values *out)
{
    enum { ENOUGH = 4096 }; /* pairs; each is compared with each */
    xr_box_match match;
    value_pair *pair = calloc(ENOUGH, sizeof *pair);
    size_t count = 0;
    bool ok = xr_box_match_begin(&match, frames) && pair;
    for (size_t f = 0; ok && f < frames->count; f++) {
        if (!story->differs[f] || !xr_box_match_make(frames, f, &story->rule, &match))
            continue;
        for (size_t i = 0; i < match.count[1] && count < ENOUGH; i++)
            if (match.partner[i] != SIZE_MAX)
                pair[count++] = (value_pair){&match.box[0][match.partner[i]], &match.box[1][i]};
    }
    *out = (xr_box_values){.pairs = count};
    if (ok && are_exchanged(pair, count))
        out->classes = out->scores = XR_VALUES_EXCHANGED;
    else if (ok) {
        judge_classes(pair, count, out);
        judge_scores(pair, count, out);
    }
    xr_box_match_end(&match);
    free(pair);
    return ok;
}

bool xr_is_unit(double gain)
{
    double digits = log10(fabs(gain) + 1e-300);
    return fabs(digits - rint(digits)) < 5e-3 && fabs(digits) < 3.5;
}
