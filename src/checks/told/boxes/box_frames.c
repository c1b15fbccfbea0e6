#include "checks/told/boxes/box_frames.h"

#include "checks/output/interpretation.h"
#include "checks/told/silence.h"
#include "checks/told/value_steps.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_A_FRAME = 500,   /* boxes that are looked at; applications tell fewer */
    MOST_BOXES = 1 << 18, /* in all frames */
    COARSEST = 8,         /* pixels of a picture's side */
    FINEST = 100,
};

/* Differences of class numbers must fit. */
#define FARTHEST_ID ((int64_t)1 << 60)

/* False: a value is no number. */
static bool copy_box(const exray_box *from, xr_told_box *to)
{
    const double values[] = {from->x_min, from->y_min, from->x_max, from->y_max, from->score};
    bool numbers = true;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        numbers = numbers && isfinite(values[i]);
    *to = (xr_told_box){{from->x_min, from->y_min, from->x_max, from->y_max},
                        from->score,
                        from->id,
                        from->corners != NULL,
                        {0}};
    if (from->corners)
        memcpy(to->corner, from->corners, sizeof to->corner);
    for (size_t i = 0; i < sizeof to->corner / sizeof *to->corner; i++) {
        numbers = numbers && isfinite(to->corner[i]);
        to->corner[i] = isfinite(to->corner[i]) ? to->corner[i] : -1e9F;
    }
    for (int i = 0; i < 4; i++)
        to->at[i] = isfinite(to->at[i]) ? to->at[i] : -1e9;
    to->score = isfinite(to->score) ? to->score : 0;
    to->id = to->id > FARTHEST_ID ? FARTHEST_ID : to->id < -FARTHEST_ID ? -FARTHEST_ID : to->id;
    return numbers;
}

static bool read_side(const exray_comparison *comparison, exray_side side, exray_slot *slot, xr_box_frame *f)
{
    exray_result result;
    f->told[side] = xr_frame_result(comparison, side, f->frame, slot, &result);
    size_t count = f->told[side] ? result.box_count : 0;
    count = count < MOST_A_FRAME ? count : MOST_A_FRAME;
    f->box[side] = calloc(count + 1, sizeof *f->box[side]);
    for (size_t i = 0; f->box[side] && i < count; i++)
        f->not_numbers[side] += !copy_box(&result.boxes[i], &f->box[side][i]);
    f->count[side] = count;
    return f->box[side] != NULL;
}

/* Whether all coordinates are multiples of 1 / n, up to rounding. */
static bool on_grid(const xr_box_frames *frames, int side, int n)
{
    size_t seen = 0;
    for (size_t f = 0; f < frames->count; f++)
        for (size_t i = 0; i < frames->frame[f].count[side]; i++)
            for (int k = 0; k < 4; k++, seen++) {
                double x = frames->frame[f].box[side][i].at[k] * n;
                if (fabs(x - rint(x)) > 1e-3)
                    return false;
            }
    return seen >= 8;
}

static double grid_of(const xr_box_frames *frames)
{
    for (int n = COARSEST; n <= FINEST; n++)
        if (on_grid(frames, 0, n) != on_grid(frames, 1, n))
            return 1.0 / n;
    return 0;
}

/* Whether the shorter list is the other one without some boxes: scores and classes, in their order. */
static bool is_contained(const xr_box_frame *f)
{
    const int fewer = f->count[1] < f->count[0];
    size_t k = 0;
    for (size_t i = 0; i < f->count[fewer]; i++, k++) {
        const xr_told_box *box = &f->box[fewer][i];
        while (k < f->count[!fewer] &&
               (f->box[!fewer][k].score != box->score || f->box[!fewer][k].id != box->id))
            k++;
        if (k == f->count[!fewer])
            return false;
    }
    return true;
}

static bool has_other_scores(const xr_box_frame *f)
{
    for (size_t i = 1; i < f->count[1]; i++)
        if (f->box[1][i].score != f->box[1][0].score)
            return true;
    return false;
}

/* Whether the scores that both sides tell are many and fine enough not to be the same by chance. */
static bool tell_noise(const xr_box_frames *frames)
{
    enum { ENOUGH = 16 };
    size_t both = 0, count = 0;
    for (size_t f = 0; f < frames->count; f++) {
        const size_t *n = frames->frame[f].count;
        both += n[0] < n[1] ? n[0] : n[1];
        count += n[1];
    }
    double *score = both >= ENOUGH ? calloc(count, sizeof *score) : NULL;
    size_t at = 0;
    for (size_t f = 0; score && f < frames->count; f++)
        for (size_t i = 0; i < frames->frame[f].count[1]; i++)
            score[at++] = frames->frame[f].box[1][i].score;
    const bool tell = score && !xr_are_in_steps(score, count);
    free(score);
    return tell;
}

/* Other kernels make other scores: where all are the same, of the same classes, no noise moved the boxes
 * either.  Where all boxes that both sides tell have the same scores in all frames, none took a box away
 * either, as far as the scores would tell it.  Asked where outputs were not recorded, which tell that better:
 * scores of 8 bits may be the same by chance. */
static void find_exact(xr_box_frames *frames)
{
    bool all = true, fewer = false;
    for (size_t i = 0; i < frames->count; i++) {
        xr_box_frame *f = &frames->frame[i];
        const bool same = is_contained(f);
        f->exact = same && f->count[0] == f->count[1] && f->count[1] >= 2 && has_other_scores(f);
        all = all && same;
        fewer = fewer || f->count[0] != f->count[1];
    }
    const bool exact = all && fewer && tell_noise(frames);
    for (size_t i = 0; exact && i < frames->count; i++)
        frames->frame[i].exact = true;
}

void xr_box_frames_sum(xr_box_frames *frames)
{
    double most = -INFINITY;
    for (int s = 0; s < 2; s++) {
        frames->boxes[s] = frames->most[s] = 0;
        frames->least[s] = INFINITY;
        for (size_t f = 0; f < frames->count; f++) {
            size_t count = frames->frame[f].count[s];
            frames->boxes[s] += count;
            frames->most[s] = count > frames->most[s] ? count : frames->most[s];
            for (size_t i = 0; i < count; i++) {
                frames->least[s] = fmin(frames->least[s], frames->frame[f].box[s][i].score);
                most = fmax(most, frames->frame[f].box[s][i].score);
            }
        }
    }
    frames->scored = most > fmin(frames->least[0], frames->least[1]) + 1e-4;
    frames->grid = grid_of(frames);
}

exray_status xr_box_frames_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                xr_box_frames *out, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison), boxes = 0;
    exray_slot *slot = exray_slot_new();
    const xr_silence *silence = &equal->silence;
    *out = (xr_box_frames){.frame = calloc(frames + 1, sizeof *out->frame)};
    bool ok = slot && out->frame;
    for (size_t f = 0; ok && !xr_tells_otherwise(silence, XR_TOLD_BOXES) && f < frames && boxes < MOST_BOXES;
         f++) {
        if (equal->of[f] == XR_FRAME_OTHER)
            continue;
        xr_box_frame *to = &out->frame[out->count++];
        *to = (xr_box_frame){.frame = f, .exact = equal->of[f] == XR_FRAME_EXACT};
        ok = read_side(comparison, EXRAY_SIDE_EDGE, slot, to) &&
             read_side(comparison, EXRAY_SIDE_REFERENCE, slot, to);
        if (ok && !xr_may_compare_results(silence, to->told)) {
            free(to->box[0]);
            free(to->box[1]);
            out->count--;
            continue;
        }
        boxes += to->count[0] + to->count[1];
    }
    exray_slot_free(slot);
    if (!ok) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading boxes"};
        return EXRAY_E_MEMORY;
    }
    if (!equal->by_outputs)
        find_exact(out);
    xr_box_frames_sum(out);
    return EXRAY_OK;
}

void xr_box_frames_free(xr_box_frames *frames)
{
    for (size_t f = 0; f < frames->count; f++) {
        free(frames->frame[f].box[0]);
        free(frames->frame[f].box[1]);
    }
    free(frames->frame);
    *frames = (xr_box_frames){0};
}
