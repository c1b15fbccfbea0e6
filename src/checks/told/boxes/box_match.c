#include "checks/told/boxes/box_match.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Of equal outputs: rounding to whole pixels of a small picture, scores in two digits. */
#define EXACT_PLACE 0.01
#define EXACT_SCORE 0.0055
/* Behind other kernels, whose 8-bit rounding moves boxes (measured with SSD MobileNet: up to 0.05 of scores).
 */
#define NOISY_PLACE   0.03
#define NOISY_SCORE   0.08
#define NOISY_OVERLAP 0.5

const xr_box_rule xr_box_rule_same = {
    {XR_FORM_CORNERS, 0, {1, 1}, {0, 0}, {0, 0}}, NULL, false, false, false, false, 0};

double xr_score_noise(const xr_box_frame *frame)
{
    return frame->exact ? EXACT_SCORE : NOISY_SCORE;
}

bool xr_box_match_begin(xr_box_match *match, const xr_box_frames *frames)
{
    size_t most[2] = {0, 0};
    for (size_t f = 0; f < frames->count; f++)
        for (int s = 0; s < 2; s++)
            most[s] = frames->frame[f].count[s] > most[s] ? frames->frame[f].count[s] : most[s];
    *match = (xr_box_match){.partner = calloc(most[1] + 1, sizeof *match->partner),
                            .taken = calloc(most[0] + 1, sizeof *match->taken)};
    return match->partner && match->taken;
}

void xr_box_match_end(xr_box_match *match)
{
    free(match->partner);
    free(match->taken);
    *match = (xr_box_match){0};
}

typedef struct frame_rule {
    const xr_box_rule *rule;
    const xr_box_map *map;
    bool exact;
    double place, score;
} frame_rule;

static double between_centers(const double a[4], const double b[4])
{
    return fmax(fabs(a[0] + a[2] - b[0] - b[2]), fabs(a[1] + a[3] - b[1] - b[3])) / 2;
}

/* Mirrored corners may be told as they come: the larger first. */
static void in_order(const double box[4], bool turned, double out[4])
{
    for (int axis = 0; axis < 2; axis++) {
        const double a = box[axis], b = box[axis + 2];
        out[axis] = turned ? fmin(a, b) : a;
        out[axis + 2] = turned ? fmax(a, b) : b;
    }
}

static double distance(const xr_box_rule *rule, const double a[4], const double b[4])
{
    return rule->any_second ? fmax(fabs(a[0] - b[0]), fabs(a[1] - b[1]))
           : rule->any_size ? between_centers(a, b)
                            : xr_box_distance(a, b);
}

/* How well a box of the edge fits one of the reference, which the map was applied to; INFINITY: not. */
static double cost_of(const frame_rule *r, const xr_told_box *edge, const xr_told_box *reference,
                      const double at[4])
{
    double score = r->rule->any_score ? 0 : fabs(edge->score - reference->score);
    if ((!r->rule->any_class && edge->id != reference->id) || score > r->score)
        return INFINITY;
    double own[4];
    in_order(edge->at, r->map->turn != 0, own);
    double place = distance(r->rule, own, at);
    double size = fmax(r->map->scale[0], r->map->scale[1]);
    if (place <= r->place * fmax(size, 1))
        return place + score;
    return !r->exact && xr_box_overlap(own, at) >= NOISY_OVERLAP ? place + score : INFINITY;
}

static void match_box(const frame_rule *r, size_t i, xr_box_match *m)
{
    double at[4], best = INFINITY;
    xr_box_map_apply(r->map, m->box[1][i].at, at);
    m->partner[i] = SIZE_MAX;
    for (size_t k = 0; k < m->count[0]; k++) {
        if (m->taken[k])
            continue;
        double cost = cost_of(r, &m->box[0][k], &m->box[1][i], at);
        if (cost < best) {
            best = cost;
            m->partner[i] = k;
        }
    }
    if (m->partner[i] != SIZE_MAX) {
        m->taken[m->partner[i]] = true;
        m->pairs++;
    }
}

/* The lowest score of a frame that is as full as any, else 0: where the best N are told, the last of them. */
static double last_of_best(const xr_box_frames *frames, int side, const xr_box_match *m)
{
    if (m->count[side] < frames->most[side] || m->count[side] < 2)
        return 0;
    double least = INFINITY;
    for (size_t i = 0; i < m->count[side]; i++)
        least = fmin(least, m->box[side][i].score);
    return least;
}

/* A box comes and goes with noise where its score is near the lowest told: of all frames (a threshold) or of
 * its own (the best N). */
static bool may_come_and_go(const xr_box_frames *frames, int side, bool exact, const xr_told_box *box,
                            double least_here)
{
    return !exact && frames->scored && box->score <= fmax(frames->least[side], least_here) + NOISY_SCORE;
}

static void count_rest(const xr_box_frames *frames, bool exact, xr_box_match *m)
{
    double least[2] = {last_of_best(frames, 0, m), last_of_best(frames, 1, m)};
    for (size_t i = 0; i < m->count[1]; i++) {
        bool excused =
            m->partner[i] == SIZE_MAX && may_come_and_go(frames, 1, exact, &m->box[1][i], least[1]);
        m->excused += excused;
        m->missing += m->partner[i] == SIZE_MAX && !excused;
    }
    for (size_t k = 0; k < m->count[0]; k++) {
        bool excused = !m->taken[k] && may_come_and_go(frames, 0, exact, &m->box[0][k], least[0]);
        m->excused += excused;
        m->extra += !m->taken[k] && !excused;
    }
}

bool xr_box_match_make(const xr_box_frames *frames, size_t f, const xr_box_rule *rule, xr_box_match *m)
{
    long from = (long)f - rule->lag;
    if (from < 0 || (size_t)from >= frames->count)
        return false;
    const xr_box_frame *edge = &frames->frame[f], *reference = &frames->frame[from];
    bool exact = edge->exact && reference->exact;
    frame_rule r = {rule, rule->own ? &rule->own[from] : &rule->map, exact,
                    exact ? fmax(EXACT_PLACE, 1.01 * frames->grid) : NOISY_PLACE,
                    exact ? EXACT_SCORE : NOISY_SCORE};
    m->pairs = m->missing = m->extra = m->excused = 0;
    m->box[0] = edge->box[0];
    m->box[1] = reference->box[1];
    m->count[0] = edge->count[0];
    m->count[1] = reference->count[1];
    memset(m->taken, 0, m->count[0] * sizeof *m->taken);
    for (size_t i = 0; i < m->count[1]; i++)
        match_box(&r, i, m);
    count_rest(frames, exact, m);
    return true;
}
