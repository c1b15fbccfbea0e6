#include "checks/told/boxes/box_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FURTHEST_LAG = 4, LONGEST_HOLD = 32, ENOUGH_OF_MANY = 8 };

/* Of boxes behind other kernels, so many may have no counterpart. */
#define NOISY_SHARE 0.1

typedef struct search_work {
    const xr_box_frames *frames;
    xr_box_story *story;
    xr_box_match match;
    bool exact;  /* all frames are */
    size_t same; /* pairs of the frames that differ, as they are */
} search_work;

typedef struct box_tally {
    size_t pairs, missing, extra, frames;
} box_tally;

/* ---- One rule -------------------------------------------------------------------------------- */

/* Over the frames that differ; of a lag over all that have such a frame. */
static box_tally tally(search_work *w, const xr_box_rule *rule)
{
    box_tally t = {0};
    for (size_t f = 0; f < w->frames->count; f++) {
        if ((!rule->lag && !w->story->differs[f]) || !xr_box_match_make(w->frames, f, rule, &w->match))
            continue;
        t.pairs += w->match.pairs;
        t.missing += w->match.missing;
        t.extra += w->match.extra;
        t.frames += w->match.pairs > 0;
    }
    return t;
}

static size_t allowed(const search_work *w, size_t pairs)
{
    return w->exact ? 0 : (size_t)(NOISY_SHARE * (double)pairs);
}

static bool leaves_nothing(const search_work *w, const box_tally *t)
{
    return t->pairs > 0 && t->missing + t->extra <= allowed(w, t->pairs);
}

/* Fewer, or more, and otherwise by the rule. */
static bool leaves_one_side(const search_work *w, const box_tally *t)
{
    size_t allow = allowed(w, t->pairs);
    return t->pairs >= 3 && (t->missing <= allow || t->extra <= allow) && t->pairs >= t->missing + t->extra;
}

/* Suppression and threshold act on what is told otherwise: then boxes are both missing and extra.  So many
 * have their counterpart by the rule, and hardly any without it, that the rule is no chance. */
static bool leaves_some(const search_work *w, const box_tally *t)
{
    const size_t fewer = t->pairs + (t->missing < t->extra ? t->missing : t->extra);
    return t->pairs >= ENOUGH_OF_MANY && 2 * t->pairs >= fewer && t->pairs >= 2 * w->same;
}

typedef bool accepts(const search_work *w, const box_tally *t);

static bool adopt(search_work *w, xr_box_way way, const xr_box_rule *rule, accepts *accept)
{
    box_tally t = tally(w, rule);
    if (!accept(w, &t))
        return false;
    w->story->way = way;
    w->story->rule = *rule;
    w->story->pairs = t.pairs;
    w->story->missing = t.missing;
    w->story->extra = t.extra;
    return true;
}

/* ---- The ways, the simplest first ----------------------------------------------------------------- */

static bool try_sets(search_work *w)
{
    box_tally t = tally(w, &xr_box_rule_same);
    size_t allow = allowed(w, t.pairs);
    w->same = w->story->pairs = t.pairs;
    w->story->missing = t.missing;
    w->story->extra = t.extra;
    w->story->way = t.extra <= allow     ? XR_BOXES_MISSING
                    : t.missing <= allow ? XR_BOXES_EXTRA
                                         : XR_BOXES_UNKNOWN;
    return w->story->way != XR_BOXES_UNKNOWN;
}

static bool try_turns(search_work *w, accepts *accept)
{
    static const int simplest_first[] = {XR_TURN_X,
                                         XR_TURN_Y,
                                         XR_TURN_X | XR_TURN_Y,
                                         XR_TURN_EXCHANGED,
                                         XR_TURN_EXCHANGED | XR_TURN_X,
                                         XR_TURN_EXCHANGED | XR_TURN_Y,
                                         XR_TURN_EXCHANGED | XR_TURN_X | XR_TURN_Y};
    bool found = false;
    for (size_t i = 0; i < sizeof simplest_first / sizeof *simplest_first; i++) {
        xr_box_rule rule = xr_box_rule_same;
        rule.map.turn = simplest_first[i];
        box_tally t = tally(w, &rule);
        if (found)
            w->story->together += accept(w, &t);
        else
            found = adopt(w, XR_BOXES_TURNED, &rule, accept);
    }
    return found;
}

/* The boxes of the frame before; at least two frames must show it. */
static bool is_late(const search_work *w, const box_tally *t)
{
    return leaves_nothing(w, t) && t->frames >= 2 && w->story->frames >= 2;
}

static bool try_lags(search_work *w)
{
    for (long lag = 1; lag <= FURTHEST_LAG; lag++)
        for (int sign = 1; sign >= -1; sign -= 2) {
            xr_box_rule rule = xr_box_rule_same;
            rule.lag = sign * lag;
            if (adopt(w, XR_BOXES_LATE, &rule, is_late))
                return true;
        }
    return false;
}

/* How many frames before another frame told what is told here; 0: none did. */
static long held_since(search_work *w, size_t f)
{
    for (long lag = 1; lag <= LONGEST_HOLD && (size_t)lag <= f; lag++) {
        xr_box_rule rule = xr_box_rule_same;
        rule.lag = lag;
        if (xr_box_match_make(w->frames, f, &rule, &w->match) && w->match.pairs > 0 &&
            w->match.missing + w->match.extra == 0)
            return lag;
    }
    return 0;
}

/* Each frame that differs tells a frame before once more, not all the same number of frames before. */
static bool try_held(search_work *w)
{
    size_t pairs = 0, frames = 0;
    long furthest = 0;
    for (size_t f = 0; f < w->frames->count; f++) {
        if (!w->story->differs[f])
            continue;
        const long lag = held_since(w, f);
        if (!lag)
            return false;
        furthest = lag > furthest ? lag : furthest;
        pairs += w->match.pairs;
        frames++;
    }
    if (frames < 2)
        return false;
    w->story->way = XR_BOXES_HELD;
    w->story->rule = xr_box_rule_same;
    w->story->pairs = pairs;
    w->story->missing = w->story->extra = 0;
    w->story->furthest = (size_t)furthest;
    return true;
}

static bool try_values(search_work *w, accepts *accept)
{
    xr_box_rule classes = xr_box_rule_same, scores = xr_box_rule_same, both = xr_box_rule_same;
    classes.any_class = scores.any_score = both.any_class = both.any_score = true;
    return adopt(w, XR_BOXES_CLASSES, &classes, accept) || adopt(w, XR_BOXES_SCORES, &scores, accept) ||
           adopt(w, XR_BOXES_VALUES, &both, accept);
}

static bool try_places(search_work *w, accepts *accept)
{
    for (int turn = 0; turn <= XR_TURN_EXCHANGED; turn++)
        for (int model = 0; model < XR_PLACE_MODELS; model++) {
            xr_box_rule rule = xr_box_rule_same;
            if (!xr_box_place_fit(w->frames, w->story->differs, (xr_box_place_model)model, turn,
                                  w->story->own))
                continue;
            rule.own = w->story->own;
            rule.map = w->story->own[0];
            if (adopt(w, XR_BOXES_PLACED, &rule, accept)) {
                w->story->model = (xr_box_place_model)model;
                return true;
            }
        }
    return false;
}

static bool try_forms(search_work *w, accepts *accept)
{
    for (int form = XR_FORM_CORNERS + 1; form < XR_FORM_COUNT; form++)
        for (int turn = 0; turn <= XR_TURN_EXCHANGED; turn++) {
            xr_box_rule rule = xr_box_rule_same;
            rule.map.form = (xr_box_form)form;
            rule.map.turn = turn;
            if (adopt(w, XR_BOXES_FORM, &rule, accept))
                return true;
        }
    /* A center is moved and scaled back to the sensor's picture as a corner is, a size is not. */
    xr_box_rule rule = xr_box_rule_same;
    rule.map.form = XR_FORM_CENTER_SIZE;
    rule.any_second = true;
    return adopt(w, XR_BOXES_FORM, &rule, accept) && w->story->pairs >= 3;
}

static bool try_sizes(search_work *w, accepts *accept)
{
    static const xr_box_form forms[] = {XR_FORM_CORNERS, XR_FORM_SIDES};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        xr_box_rule rule = xr_box_rule_same;
        if (xr_box_grow_fit(w->frames, forms[i], &rule.map) && adopt(w, XR_BOXES_GROWN, &rule, accept))
            return true;
    }
    xr_box_rule rule = xr_box_rule_same;
    rule.any_size = true;
    return adopt(w, XR_BOXES_SIZES, &rule, accept);
}

static void search_ways(search_work *w)
{
    if (try_sets(w) || try_turns(w, leaves_nothing) || try_lags(w) || try_held(w) ||
        try_values(w, leaves_nothing) || try_places(w, leaves_nothing) || try_forms(w, leaves_nothing) ||
        try_sizes(w, leaves_nothing))
        return;
    /* Two at once: so, and fewer or more; then fewer and more. */
    if (try_turns(w, leaves_one_side) || try_values(w, leaves_one_side) || try_places(w, leaves_one_side) ||
        try_sizes(w, leaves_one_side))
        return;
    if (try_turns(w, leaves_some) || try_values(w, leaves_some) || try_places(w, leaves_some) ||
        try_forms(w, leaves_some) || try_sizes(w, leaves_some))
        return;
    w->story->rule = xr_box_rule_same;
    try_sets(w);
}

/* Whether a frame whose boxes are the same speaks against the rule; symmetric ones, and none, do not. */
static bool is_contradicted(search_work *w)
{
    for (size_t f = 0; f < w->frames->count; f++)
        if (!w->story->differs[f] && xr_box_match_make(w->frames, f, &w->story->rule, &w->match) &&
            w->match.missing + w->match.extra > 0)
            return true;
    return w->story->way == XR_BOXES_HELD;
}

/* ---- Nearly the same --------------------------------------------------------------------------------- */

static size_t mark_differing(search_work *w)
{
    size_t pairs = 0, rest = 0;
    for (size_t f = 0; f < w->frames->count; f++) {
        const xr_box_match *m = &w->match;
        xr_box_match_make(w->frames, f, &xr_box_rule_same, &w->match);
        w->story->differs[f] = m->missing + m->extra > 0;
        w->story->frames += w->story->differs[f];
        w->story->boxes += w->story->differs[f] ? m->count[1] : 0;
        pairs += m->pairs;
        rest += m->missing + m->extra;
    }
    return rest <= allowed(w, pairs) ? 0 : rest;
}

/* A shift that is smaller than the tolerance of one box, and the same in all. */
static void judge_small_shift(search_work *w)
{
    double n = 0, sum[2] = {0, 0}, squares[2] = {0, 0}, spread[2], mean[2];
    for (size_t f = 0; f < w->frames->count; f++) {
        xr_box_match_make(w->frames, f, &xr_box_rule_same, &w->match);
        for (size_t i = 0; i < w->match.count[1]; i++) {
            if (w->match.partner[i] == SIZE_MAX)
                continue;
            const xr_told_box *edge = &w->match.box[0][w->match.partner[i]], *reference = &w->match.box[1][i];
            n++;
            for (int k = 0; k < 2; k++) {
                double d = (edge->at[k] + edge->at[k + 2] - reference->at[k] - reference->at[k + 2]) / 2;
                sum[k] += d;
                squares[k] += d * d;
            }
        }
    }
    for (int k = 0; k < 2 && n > 0; k++) {
        mean[k] = sum[k] / n;
        spread[k] = sqrt(fmax(squares[k] / n - mean[k] * mean[k], 0));
        bool sure = w->exact ? n >= 3 && fabs(mean[k]) > 0.003 && fabs(mean[k]) >= 4 * spread[k]
                             : n >= 8 && fabs(mean[k]) > 0.01 && fabs(mean[k]) > 6 * spread[k] / sqrt(n);
        w->story->shifted = w->story->shifted || sure;
        w->story->rule.map.shift[k] = sure ? mean[k] : 0;
    }
    w->story->pairs = (size_t)n;
}

/* -1: scores fall, 1: they rise, 0: neither, or all are equal. */
static int direction(const xr_told_box *box, size_t count)
{
    bool falls = true, rises = true;
    for (size_t i = 1; i < count; i++) {
        falls = falls && box[i].score <= box[i - 1].score;
        rises = rises && box[i].score >= box[i - 1].score;
    }
    return falls == rises ? 0 : rises ? 1 : -1;
}

static bool is_worst_first(const xr_box_frames *frames)
{
    size_t reversed = 0, boxes = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const xr_box_frame *at = &frames->frame[f];
        int edge = direction(at->box[0], at->count[0]), reference = direction(at->box[1], at->count[1]);
        if (edge == 0 && reference == 0 && at->count[1] < 2)
            continue;
        if (edge != 1 || reference != -1)
            return false;
        reversed++;
        boxes += at->count[1];
    }
    return reversed > 0 && boxes >= 3;
}

/* ---- All -------------------------------------------------------------------------------------------------
 */

/* Frames in which one side alone tells boxes that have values that are no number: nothing else is asked of
 * them. */
static bool try_numbers(const xr_box_frames *frames, xr_box_story *out)
{
    for (size_t f = 0; f < frames->count; f++) {
        const xr_box_frame *at = &frames->frame[f];
        if ((at->not_numbers[0] > 0) == (at->not_numbers[1] > 0))
            continue;
        out->way = XR_BOXES_NAN;
        out->differs[f] = true;
        out->frames++;
        out->boxes += at->not_numbers[0] + at->not_numbers[1];
    }
    return out->frames > 0;
}

bool xr_box_search(const xr_box_frames *frames, xr_box_story *out)
{
    search_work w = {.frames = frames, .story = out, .exact = true};
    *out = (xr_box_story){.rule = xr_box_rule_same,
                          .own = calloc(frames->count + 1, sizeof *out->own),
                          .differs = calloc(frames->count + 1, sizeof *out->differs)};
    for (size_t f = 0; f < frames->count; f++)
        w.exact = w.exact && frames->frame[f].exact;
    bool ok = out->own && out->differs && xr_box_match_begin(&w.match, frames);
    if (ok && try_numbers(frames, out)) {
        xr_box_match_end(&w.match);
        return true;
    }
    if (ok && mark_differing(&w)) {
        search_ways(&w);
        out->contradicted = is_contradicted(&w);
    } else if (ok) {
        judge_small_shift(&w);
        out->way = !out->shifted && is_worst_first(frames) ? XR_BOXES_ORDER : XR_BOXES_SAME;
    }
    xr_box_match_end(&w.match);
    return ok;
}

void xr_box_story_free(xr_box_story *story)
{
    free(story->own);
    free(story->differs);
    *story = (xr_box_story){0};
}
