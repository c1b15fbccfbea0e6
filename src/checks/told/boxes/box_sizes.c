#include "checks/told/boxes/box_sizes.h"

#include <math.h>
#include <stdint.h>

/* ---- Sizes ------------------------------------------------------------------------------------ */

/* Detectors have up to four levels with a handful of anchors each. */
enum { MOST_FACTORS = 24, PAIRS_A_FACTOR = 3 };

/* Told boxes are rounded. */
#define SAME_FACTOR 0.02

typedef struct factor_list {
    double of[MOST_FACTORS][2];
    size_t count;
    bool full;
} factor_list;

static bool is_same(double a, double b)
{
    return fabs(a / b - 1) <= SAME_FACTOR;
}

static void note_factor(factor_list *list, const double factor[2])
{
    for (size_t i = 0; i < list->count; i++)
        if (is_same(list->of[i][0], factor[0]) && is_same(list->of[i][1], factor[1]))
            return;
    list->full = list->full || list->count == MOST_FACTORS;
    if (list->count < MOST_FACTORS) {
        list->of[list->count][0] = factor[0];
        list->of[list->count++][1] = factor[1];
    }
}

static void note_sizes(const xr_told_box *edge, const xr_told_box *reference, factor_list *list,
                       xr_box_sizes *out)
{
    double factor[2];
    for (int axis = 0; axis < 2; axis++) {
        const double from = reference->at[axis + 2] - reference->at[axis];
        factor[axis] = from > 0 ? (edge->at[axis + 2] - edge->at[axis]) / from : NAN;
        if (!(factor[axis] > 0))
            return;
    }
    for (int axis = 0; axis < 2; axis++) {
        out->least[axis] = fmin(out->least[axis], factor[axis]);
        out->most[axis] = fmax(out->most[axis], factor[axis]);
    }
    out->inverse = out->inverse && is_same(factor[0] * factor[1], 1);
    out->pairs++;
    note_factor(list, factor);
}

bool xr_box_sizes_judge(const xr_box_frames *frames, const xr_box_story *story, xr_box_sizes *out)
{
    xr_box_match match;
    factor_list list = {.count = 0};
    const bool ok = xr_box_match_begin(&match, frames);
    *out = (xr_box_sizes){.inverse = true, .least = {INFINITY, INFINITY}, .most = {-INFINITY, -INFINITY}};
    for (size_t f = 0; ok && f < frames->count; f++) {
        if (!story->differs[f] || !xr_box_match_make(frames, f, &story->rule, &match))
            continue;
        for (size_t i = 0; i < match.count[1]; i++)
            if (match.partner[i] != SIZE_MAX)
                note_sizes(&match.box[0][match.partner[i]], &match.box[1][i], &list, out);
    }
    xr_box_match_end(&match);
    out->factors = list.full || list.count * PAIRS_A_FACTOR > out->pairs ? 0 : list.count;
    return ok;
}

/* ---- Corners ---------------------------------------------------------------------------------- */

enum { CORNERS = 4 };

/* Rounding to whole pixels of a small picture. */
#define SAME_CORNER 0.01

/* The largest distance between the corners of two outlines, listed from any of them, in either direction. */
static double apart(const float *a, const double b[2 * CORNERS])
{
    double best = INFINITY;
    for (int first = 0; first < CORNERS; first++)
        for (int way = -1; way <= 1; way += 2) {
            double most = 0;
            for (int k = 0; k < CORNERS; k++) {
                const int at = (first + way * k + 2 * CORNERS) % CORNERS;
                for (int axis = 0; axis < 2; axis++)
                    most = fmax(most, fabs((double)a[2 * k + axis] - b[2 * at + axis]));
            }
            best = fmin(best, most);
        }
    return best;
}

/* Whether two outlines are one; mirrored: the second one about the middle of its bounds. */
static bool are_alike(const xr_told_box *edge, const xr_told_box *reference, bool mirrored)
{
    double corner[2 * CORNERS];
    for (int i = 0; i < 2 * CORNERS; i++)
        corner[i] = mirrored && i % 2 == 0
                        ? reference->at[0] + reference->at[2] - (double)reference->corner[i]
                        : (double)reference->corner[i];
    const double size = fmax(reference->at[2] - reference->at[0], reference->at[3] - reference->at[1]);
    return apart(edge->corner, corner) <= SAME_CORNER * fmax(size, 1);
}

static bool has_turned(const xr_box_frame *frame, int side)
{
    for (size_t i = 0; i < frame->count[side]; i++)
        if (frame->box[side][i].turned)
            return true;
    return false;
}

/* Whether a frame has corners to compare; most boxes have none. */
static bool tells_corners(const xr_box_frame *frame)
{
    return frame->exact && has_turned(frame, 0) && has_turned(frame, 1);
}

bool xr_box_corners_judge(const xr_box_frames *frames, xr_box_story *story, xr_box_corners *out)
{
    xr_box_match match;
    const bool ok = xr_box_match_begin(&match, frames);
    *out = (xr_box_corners){.mirrored = true};
    for (size_t f = 0; ok && f < frames->count; f++) {
        if (!tells_corners(&frames->frame[f]) || !xr_box_match_make(frames, f, &xr_box_rule_same, &match))
            continue;
        for (size_t i = 0; i < match.count[1]; i++) {
            const xr_told_box *reference = &match.box[1][i],
                              *edge = match.partner[i] == SIZE_MAX ? NULL : &match.box[0][match.partner[i]];
            if (!edge || !edge->turned || !reference->turned)
                continue;
            out->pairs++;
            if (are_alike(edge, reference, false))
                continue;
            out->mirrored = out->mirrored && are_alike(edge, reference, true);
            out->other++;
            story->frames += !story->differs[f];
            story->differs[f] = true;
        }
    }
    xr_box_match_end(&match);
    return ok;
}
