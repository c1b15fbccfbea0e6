#include "checks/told/stages/mask_search.h"

#include "checks/told/boxes/box_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FURTHEST_LAG = 4, FURTHEST_SHIFT = 16, COARSE = 4 };

typedef struct mask_work {
    const xr_stage_series *series;
    xr_mask_story *story;
    bool exact;
    double *
        count; /* [XR_MASK_LABELS][XR_MASK_LABELS] pixels with that label of the reference, and of the edge */
    xr_mask_rule same;
    size_t step; /* pixels are looked at in steps, so that large maps cost no more than small ones */
} mask_work;

static xr_mask_sums sum(const mask_work *w, const xr_mask_rule *rule, size_t step)
{
    xr_mask_sums sums = {0};
    for (size_t f = 0; f < w->series->count; f++)
        if (rule->lag || w->story->differs[f])
            xr_mask_add(w->series, f, rule, step, &sums);
    return sums;
}

static bool adopt(mask_work *w, xr_mask_way way, const xr_mask_rule *rule)
{
    xr_mask_sums after = sum(w, rule, w->step);
    /* What was brought together may not lie beyond the border for the most part. */
    /* Nor is a map that is sampled anew the same to the pixel. */
    const bool anew = way == XR_MASKS_SCALED;
    if (!xr_mask_fits(&after, w->exact && !anew) || after.pixels < 0.3 * w->story->before.pixels ||
        (anew && 3 * after.other > w->story->before.other))
        return false;
    w->story->way = way;
    w->story->rule = *rule;
    w->story->after = after;
    return true;
}

/* Whether what does not count in the frame is no border: one side tells a label that the other, which says so
 * of some pixels, does not tell, or there are no two labels that a border would be between (a mask of 0 and
 * 255). */
static bool ignores_more(const xr_stage_frame *f)
{
    enum { LEAST = 16 };
    size_t count[2][XR_MASK_LABELS] = {{0}};
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < f->side[s].count; i++)
            if (f->side[s].value[i] >= 0 && f->side[s].value[i] < XR_MASK_LABELS)
                count[s][(size_t)f->side[s].value[i]]++;
    size_t labels[2] = {0, 0};
    for (size_t k = 0; k < XR_MASK_IGNORED; k++)
        for (int s = 0; s < 2; s++) {
            labels[s] += count[s][k] > 0;
            if (count[s][k] >= LEAST && !count[!s][k] && count[!s][XR_MASK_IGNORED])
                return true;
        }
    return labels[0] < 2 && labels[1] < 2;
}

static bool fits_as_it_is(const mask_work *w, size_t f, const xr_mask_rule *as)
{
    xr_mask_sums one = {0};
    xr_mask_rule own = *as;
    own.ignore = own.ignore && !ignores_more(&w->series->frame[f]);
    xr_mask_add(w->series, f, &own, w->step, &one);
    return xr_mask_fits(&one, xr_is_exact_mask(&w->series->frame[f]));
}

/* Of another size: as the nearest pixel is found in either convention. */
static bool mark_differing(mask_work *w)
{
    xr_mask_rule corner = w->same;
    corner.corner = true;
    for (size_t f = 0; f < w->series->count; f++) {
        const xr_stage_frame *at = &w->series->frame[f];
        const bool same = fits_as_it_is(w, f, &w->same) ||
                          (at->side[0].count != at->side[1].count && fits_as_it_is(w, f, &corner));
        w->story->differs[f] = !same;
        w->story->frames += w->story->differs[f];
    }
    w->story->before = sum(w, &w->same, w->step);
    return w->story->frames > 0;
}

/* ---- Places ------------------------------------------------------------------------------------- */

static bool try_turns(mask_work *w)
{
    static const int simplest_first[] = {XR_TURN_X,
                                         XR_TURN_Y,
                                         XR_TURN_EXCHANGED,
                                         XR_TURN_X | XR_TURN_Y,
                                         XR_TURN_EXCHANGED | XR_TURN_X,
                                         XR_TURN_EXCHANGED | XR_TURN_Y,
                                         XR_TURN_EXCHANGED | XR_TURN_X | XR_TURN_Y};
    for (size_t i = 0; i < sizeof simplest_first / sizeof *simplest_first; i++) {
        xr_mask_rule rule = w->same;
        rule.turn = simplest_first[i];
        if (adopt(w, XR_MASKS_TURNED, &rule))
            return true;
    }
    return false;
}

static bool try_lags(mask_work *w)
{
    for (long lag = 1; lag <= FURTHEST_LAG && w->story->frames >= 2; lag++)
        for (int sign = 1; sign >= -1; sign -= 2) {
            xr_mask_rule rule = w->same;
            rule.lag = sign * lag;
            if ((size_t)lag + 1 < w->series->count && adopt(w, XR_MASKS_LATE, &rule))
                return true;
        }
    return false;
}

static bool try_shifts(mask_work *w)
{
    xr_mask_rule best = w->same;
    double least = INFINITY;
    for (long dy = -FURTHEST_SHIFT; dy <= FURTHEST_SHIFT; dy++)
        for (long dx = -FURTHEST_SHIFT; dx <= FURTHEST_SHIFT; dx++) {
            xr_mask_rule rule = w->same;
            rule.shift[0] = dx;
            rule.shift[1] = dy;
            xr_mask_sums s = sum(w, &rule, COARSE * w->step);
            double share = s.pixels > 0 ? s.other / s.pixels : 1;
            if (share < least) {
                least = share;
                best = rule;
            }
        }
    return (best.shift[0] || best.shift[1]) && adopt(w, XR_MASKS_SHIFTED, &best);
}

/* The box around all labels but the most common one, in shares; false: there are no others. */
static bool bounds_of(const xr_stage_values *v, float background, double box[4])
{
    size_t width = v->shape[1], height = v->shape[0];
    size_t least[2] = {width, height}, most[2] = {0, 0}, seen = 0;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            if (v->value[y * width + x] == background)
                continue;
            seen++;
            least[0] = x < least[0] ? x : least[0];
            least[1] = y < least[1] ? y : least[1];
            most[0] = x > most[0] ? x : most[0];
            most[1] = y > most[1] ? y : most[1];
        }
    if (seen < 16)
        return false;
    for (int k = 0; k < 2; k++) {
        double size = k ? (double)height : (double)width;
        box[k] = (double)least[k] / size;
        box[k + 2] = (double)(most[k] + 1) / size;
    }
    return true;
}

/* Scale and shift by the boxes around what is no background, of the first frame that tells. */
static bool try_scale(mask_work *w)
{
    for (size_t f = 0; f < w->series->count; f++) {
        double edge[4], reference[4];
        const xr_stage_frame *at = &w->series->frame[f];
        if (!w->story->differs[f] || !bounds_of(&at->side[0], w->same.background, edge) ||
            !bounds_of(&at->side[1], w->same.background, reference))
            continue;
        xr_mask_rule rule = w->same;
        for (int k = 0; k < 2; k++) {
            rule.scale[k] = (edge[k + 2] - edge[k]) / (reference[k + 2] - reference[k]);
            rule.move[k] = edge[k] - rule.scale[k] * reference[k];
        }
        bool possible = rule.scale[0] > 0.2 && rule.scale[0] < 5 && rule.scale[1] > 0.2 && rule.scale[1] < 5;
        return possible && adopt(w, XR_MASKS_SCALED, &rule);
    }
    return false;
}

/* ---- A part of the map, stretched ------------------------------------------------------------------ */

enum { PARTS = 24, SOME_FRAMES = 4, ROUNDS = 3 };

/* From `from` to `to` of the reference's map is all of the edge's; inside: all of the reference's lies there
 * in the edge's. */
typedef struct map_part {
    double from, to;
    bool inside;
} map_part;

static xr_mask_rule stretched(const xr_mask_rule *rule, int axis, const map_part *p)
{
    xr_mask_rule out = *rule;
    const double length = p->to - p->from;
    out.scale[axis] = p->inside ? length : 1 / length;
    out.move[axis] = p->inside ? p->from : -p->from / length;
    return out;
}

/* The share of pixels that differ, of a few frames. */
static double share_of(const mask_work *w, const xr_mask_rule *rule)
{
    xr_mask_sums s = {0};
    size_t used = 0;
    for (size_t f = 0; f < w->series->count && used < SOME_FRAMES; f++)
        if (w->story->differs[f])
            used += xr_mask_add(w->series, f, rule, COARSE * w->step, &s);
    return s.pixels > 0 && s.pixels * COARSE * COARSE >=
                               0.2 * w->story->before.pixels * (double)used / (double)w->story->frames
               ? s.other / s.pixels
               : 1;
}

static double try_part(const mask_work *w, const xr_mask_rule *rule, int axis, const map_part *p,
                       map_part *best, double least)
{
    if (!(p->from >= 0 && p->to <= 1 && p->to - p->from >= 0.25))
        return least;
    const xr_mask_rule own = stretched(rule, axis, p);
    const double share = share_of(w, &own);
    if (share < least)
        *best = *p;
    return fmin(share, least);
}

/* The best part along one axis: coarsely, then each end finer and finer. */
static xr_mask_rule stretch(const mask_work *w, const xr_mask_rule *rule, int axis)
{
    map_part best = {0, 1, false};
    double least = share_of(w, rule);
    for (int inside = 0; inside < 2; inside++)
        for (int from = 0; from < PARTS; from++)
            for (int to = from + 1; to <= PARTS; to++) {
                const map_part p = {(double)from / PARTS, (double)to / PARTS, inside != 0};
                least = try_part(w, rule, axis, &p, &best, least);
            }
    double step = 0.5 / PARTS;
    for (int round = 0; round < ROUNDS; round++, step /= 2)
        for (int end = 0; end < 2; end++)
            for (int k = -1; k <= 1; k += 2) {
                map_part p = best;
                *(end ? &p.to : &p.from) += k * step;
                least = try_part(w, rule, axis, &p, &best, least);
            }
    return best.to - best.from < 1 ? stretched(rule, axis, &best) : *rule;
}

/* What a letterbox that is left, or taken off otherwise, makes of maps without a background that would show
 * it. */
static bool try_stretch(mask_work *w)
{
    for (int axis = 0; axis < 2; axis++) {
        const xr_mask_rule one = stretch(w, &w->same, axis);
        if (adopt(w, XR_MASKS_SCALED, &one))
            return true;
        const xr_mask_rule both = stretch(w, &one, !axis);
        if (adopt(w, XR_MASKS_SCALED, &both))
            return true;
    }
    return false;
}

/* ---- Labels ------------------------------------------------------------------------------------------ */

static void count_labels(mask_work *w)
{
    for (size_t f = 0; f < w->series->count; f++) {
        const xr_stage_values *edge = &w->series->frame[f].side[0], *reference = &w->series->frame[f].side[1];
        if (!w->story->differs[f] || edge->count != reference->count)
            continue;
        for (size_t i = 0; i < edge->count; i += w->step) {
            float from = reference->value[i], to = edge->value[i];
            if (from >= 0 && from < XR_MASK_LABELS && to >= 0 && to < XR_MASK_LABELS)
                w->count[(size_t)from * XR_MASK_LABELS + (size_t)to]++;
        }
    }
}

typedef struct label_facts {
    size_t reference, edge; /* distinct labels */
    bool binary;            /* the edge has 0 and 1 alone */
    long constant;          /* the edge's only label, or -1 */
} label_facts;

/* The most frequent label of the edge for each of the reference's. */
static label_facts map_labels(mask_work *w)
{
    label_facts facts = {0, 0, true, -1};
    bool seen[XR_MASK_LABELS] = {false};
    for (size_t from = 0; from < XR_MASK_LABELS; from++) {
        const double *to = w->count + from * XR_MASK_LABELS;
        size_t best = from;
        double all = 0;
        for (size_t k = 0; k < XR_MASK_LABELS; k++) {
            all += to[k];
            best = to[k] > to[best] ? k : best;
            if (to[k] > 0 && !seen[k]) {
                seen[k] = true;
                facts.edge++;
                facts.constant = (long)k;
                facts.binary = facts.binary && k <= 1;
            }
        }
        facts.reference += all > 0;
        w->story->label[from] = (float)best;
    }
    if (facts.edge != 1)
        facts.constant = -1;
    return facts;
}

static bool has_label(const mask_work *w, size_t label)
{
    for (size_t k = 0; k < XR_MASK_LABELS; k++)
        if (w->count[label * XR_MASK_LABELS + k] > 0)
            return true;
    return false;
}

static bool is_offset(const mask_work *w, long *step)
{
    bool first = true;
    for (size_t k = 0; k < XR_MASK_LABELS; k++) {
        if (!has_label(w, k))
            continue;
        long own = (long)w->story->label[k] - (long)k;
        if (!first && own != *step)
            return false;
        *step = own;
        first = false;
    }
    return !first && *step != 0;
}

/* Labels that are told as another one: how many; the last. */
static size_t changed(const mask_work *w, long *label)
{
    size_t count = 0;
    for (size_t k = 0; k < XR_MASK_LABELS; k++)
        if (has_label(w, k) && w->story->label[k] != (float)k) {
            *label = (long)k;
            count++;
        }
    return count;
}

static size_t told_as_one(const mask_work *w, long *label)
{
    size_t count = 0;
    for (size_t k = 0; k < XR_MASK_LABELS; k++)
        if (has_label(w, k) && w->story->label[k] == 1) {
            *label = (long)k;
            count++;
        }
    return count;
}

static void name_labels(mask_work *w, const label_facts *facts)
{
    long label = 0;
    size_t others = changed(w, &label);
    bool swapped =
        facts->binary && facts->reference == 2 && w->story->label[0] == 1 && w->story->label[1] == 0;
    w->story->way = XR_MASKS_LABELS;
    if (swapped)
        w->story->way = XR_MASKS_INVERSE;
    else if (facts->binary && facts->reference > 2 && told_as_one(w, &label) == 1) {
        w->story->way = XR_MASKS_CLASS;
        w->story->class = label;
    } else if (is_offset(w, &w->story->class))
        w->story->way = XR_MASKS_OFFSET;
    else if (others == 1 && w->count[(size_t)label * XR_MASK_LABELS + (size_t)label] == 0) {
        w->story->way = XR_MASKS_MISSING;
        w->story->class = label;
    }
}

static bool try_labels(mask_work *w)
{
    label_facts facts = map_labels(w);
    if (facts.constant >= 0 && facts.reference > 1) {
        w->story->way = XR_MASKS_CONSTANT;
        w->story->class = facts.constant;
        return true;
    }
    xr_mask_rule rule = w->same;
    rule.label = w->story->label;
    if (facts.edge < 2 || !adopt(w, XR_MASKS_LABELS, &rule))
        return false;
    name_labels(w, &facts);
    return true;
}

/* ---- All ---------------------------------------------------------------------------------------------- */

static size_t step_of(const xr_stage_series *series)
{
    size_t most = 0, step = 1;
    for (size_t f = 0; f < series->count; f++)
        most = series->frame[f].side[0].count > most ? series->frame[f].side[0].count : most;
    while (most / (step * step) > 400000)
        step++;
    return step;
}

static float most_common(const xr_stage_series *series, size_t step)
{
    double count[XR_MASK_LABELS] = {0};
    size_t best = 0;
    for (size_t f = 0; f < series->count; f++)
        for (size_t i = 0; i < series->frame[f].side[1].count; i += step) {
            float label = series->frame[f].side[1].value[i];
            if (label >= 0 && label < XR_MASK_LABELS)
                count[(size_t)label]++;
        }
    for (size_t k = 1; k < XR_MASK_LABELS; k++)
        best = count[k] > count[best] ? k : best;
    return (float)best;
}

/* Whether a side says of pixels at borders that they do not count. */
static bool ignores_some(const xr_stage_series *series)
{
    for (size_t f = 0; f < series->count; f++) {
        bool some = false;
        for (int s = 0; s < 2; s++)
            for (size_t i = 0; !some && i < series->frame[f].side[s].count; i++)
                some = series->frame[f].side[s].value[i] == XR_MASK_IGNORED;
        if (some && !ignores_more(&series->frame[f]))
            return true;
    }
    return false;
}

/* Whether both sides have the very same maps, each with a label that counts. */
static bool are_equal(const xr_stage_series *series)
{
    for (size_t f = 0; f < series->count; f++) {
        const xr_stage_values *edge = &series->frame[f].side[0], *reference = &series->frame[f].side[1];
        if (edge->shape[0] != reference->shape[0] || edge->shape[1] != reference->shape[1] ||
            !(edge->value[0] >= 0) ||
            memcmp(edge->value, reference->value, edge->count * sizeof *edge->value) != 0)
            return false;
    }
    return true;
}

bool xr_mask_search(const xr_stage_series *series, xr_mask_story *out)
{
    *out = (xr_mask_story){.way = XR_MASKS_SAME, .rule = xr_mask_rule_same};
    out->differs = calloc(series->count + 1, sizeof *out->differs);
    if (are_equal(series))
        return out->differs != NULL;
    mask_work w = {.series = series, .story = out, .exact = true, .step = step_of(series)};
    w.same = xr_mask_rule_same;
    w.same.background = most_common(series, w.step);
    w.same.ignore = strcmp(series->place, "/result") == 0 && ignores_some(series);
    out->rule = w.same;
    w.count = calloc((size_t)XR_MASK_LABELS * XR_MASK_LABELS, sizeof *w.count);
    for (size_t f = 0; f < series->count; f++)
        w.exact = w.exact && xr_is_exact_mask(&series->frame[f]);
    bool ok = out->differs && w.count;
    if (ok && mark_differing(&w)) {
        count_labels(&w);
        bool found = try_labels(&w) || try_turns(&w) || try_lags(&w) || try_shifts(&w) || try_scale(&w) ||
                     try_stretch(&w);
        out->way = found ? out->way : XR_MASKS_UNKNOWN;
    }
    free(w.count);
    return ok;
}

void xr_mask_story_free(xr_mask_story *story)
{
    free(story->differs);
    *story = (xr_mask_story){0};
}
