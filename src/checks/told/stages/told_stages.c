/* Stages of one name behind the model, and results: masks, keypoints, vectors that both sides made of equal
 * outputs. */
#include "checks/told/boxes/box_reasons.h"
#include "checks/told/stages/stage_words.h"
#include "checks/told/stages/told_series.h"
#include "checks/told/told_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Series of few values are kept, as each may be held against each. */
enum { MOST_STAGES = 32, MOST_KEPT = 1 << 20 };

/* What other kernels do to values where outputs are not recorded. */
#define NOISE_BY_INPUTS 0.05

typedef struct kept_series {
    bool made, found;
    xr_stage_series series;
} kept_series;

typedef struct stage_check {
    const exray_comparison *comparison;
    const xr_equal_frames *equal;
    exray_findings *findings;
    bool other_points;   /* a finding tells keypoints */
    bool told;           /* /result; else stages */
    xr_told_kinds kinds; /* of /result */
    kept_series kept[MOST_STAGES];
    char exchanged[MOST_STAGES][XR_TOLD_NAME]; /* names that a finding tells already */
    size_t exchanged_count;
} stage_check;

static void free_series(kept_series *k)
{
    xr_stage_series_free(&k->series);
    k->made = false;
}

/* *out: the series at that position; NULL: there is none.  Until leave_series. */
static exray_status take_series(stage_check *c, size_t position, const xr_stage_series **out,
                                exray_error *error)
{
    kept_series *k = &c->kept[position];
    exray_status status = EXRAY_OK;
    *out = NULL;
    if (!k->made)
        status = c->told
                     ? xr_told_series_make(c->comparison, c->equal, &c->kinds, position, &k->series,
                                           &k->found, error)
                     : xr_stage_series_make(c->comparison, c->equal, position, &k->series, &k->found, error);
    k->made = true;
    if (status != EXRAY_OK)
        free_series(k);
    else if (k->found)
        *out = &k->series;
    return status;
}

static void leave_series(stage_check *c, size_t position)
{
    const xr_stage_series *series = &c->kept[position].series;
    size_t values = 0;
    for (size_t f = 0; f < series->count; f++)
        values += series->frame[f].side[0].count + series->frame[f].side[1].count;
    if (values > MOST_KEPT)
        free_series(&c->kept[position]);
}

/* How far values made of the outputs may be apart. */
static double noise_of(const stage_check *c)
{
    double most = 0;
    if (!c->equal->by_outputs)
        return NOISE_BY_INPUTS;
    for (size_t i = 0; i < exray_comparison_output_count(c->comparison); i++) {
        double error = exray_comparison_output(c->comparison, i)->error;
        most = isfinite(error) ? fmax(most, error) : most;
    }
    return fmin(fmax(4 * most, 1e-4), 0.3);
}

/* follows: by exray_side, whether it is known how that side's are made of its own outputs. */
static exray_status finish(const stage_check *c, exray_finding *f, const xr_stage_series *series,
                           const bool *differs, bool some, const bool follows[2], exray_error *error)
{
    bool *all = calloc(exray_comparison_frame_count(c->comparison) + 1, sizeof *all);
    if (!all) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reporting stages"};
        return EXRAY_E_MEMORY;
    }
    for (size_t i = 0; i < series->count; i++)
        all[series->frame[i].frame] = differs[i];
    xr_told_side side = follows[0] == follows[1] ? XR_TOLD_UNKNOWN
                        : follows[1]             ? XR_TOLD_EDGE_WRONG
                                                 : XR_TOLD_REFERENCE_WRONG;
    xr_say_told_frames(f, c->comparison, c->equal, all, some, side);
    free(all);
    return EXRAY_OK;
}

static exray_status check_mask(const stage_check *c, const xr_stage_series *series, exray_error *error)
{
    xr_mask_story story;
    xr_mask_habit habit[2];
    exray_status status = EXRAY_OK;
    if (!xr_mask_search(series, &story)) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing masks"};
        status = EXRAY_E_MEMORY;
    }
    bool differs = status == EXRAY_OK && story.way != XR_MASKS_SAME;
    for (int s = 0; s < 2 && differs && status == EXRAY_OK; s++)
        status = xr_mask_habit_find(c->comparison, series, (exray_side)s, &habit[s], error);
    if (differs && status == EXRAY_OK) {
        exray_finding *f = xr_say_mask(c->findings, series, &story, habit);
        bool follows[2] = {habit[0].kind != XR_MASK_HABIT_UNKNOWN, habit[1].kind != XR_MASK_HABIT_UNKNOWN};
        status = finish(c, f, series, story.differs, story.way == XR_MASKS_UNKNOWN, follows, error);
    }
    xr_mask_story_free(&story);
    return status;
}

/* Whether each of two has the other's values on the edge. */
static bool are_exchanged(const xr_stage_series *one, const xr_stage_series *other, double noise)
{
    bool same = one->count == other->count && one->count > 0;
    for (size_t f = 0; same && f < one->count; f++) {
        const xr_stage_frame *a = &one->frame[f], *b = &other->frame[f];
        double allow = fmax(xr_vector_noise(a, noise), xr_vector_noise(b, noise));
        same = a->frame == b->frame && xr_vector_error(&a->side[0], &b->side[1]) <= allow &&
               xr_vector_error(&b->side[0], &a->side[1]) <= allow;
    }
    return same;
}

/* The name of another stage whose values the edge has here, and this one's there; "" where there is none. */
static exray_status find_exchange(stage_check *c, const xr_stage_series *series, size_t position,
                                  char name[XR_TOLD_NAME], exray_error *error)
{
    const xr_stage_series *other = series;
    const double noise = noise_of(c);
    *name = '\0';
    for (size_t i = position + 1; i < MOST_STAGES && other && !*name; i++) {
        exray_status status = take_series(c, i, &other, error);
        if (status != EXRAY_OK)
            return status;
        if (other && are_exchanged(series, other, noise))
            snprintf(name, XR_TOLD_NAME, "%s", other->name);
        leave_series(c, i);
    }
    return EXRAY_OK;
}

static bool is_exchanged(const stage_check *c, const char *name)
{
    for (size_t i = 0; i < c->exchanged_count; i++)
        if (strcmp(c->exchanged[i], name) == 0)
            return true;
    return false;
}

static exray_finding *say_exchange(stage_check *c, const xr_stage_series *series, const char *other)
{
    exray_finding *f = xr_told_finding(c->findings, "exchanged", "stage", series->name, 0.97);
    exray_finding_summary(f, "The edge's %.80s and %.80s are exchanged: each is the reference's other.",
                          series->name, other);
    exray_finding_fix(f, "Read each output by its name, not by its place.");
    exray_finding_alternative(f, "output.order", 0.3);
    if (c->exchanged_count < MOST_STAGES)
        snprintf(c->exchanged[c->exchanged_count++], XR_TOLD_NAME, "%s", other);
    return f;
}

static exray_status report_vector(stage_check *c, const xr_stage_series *series, const xr_vector_story *story,
                                  size_t position, exray_error *error)
{
    char other[XR_TOLD_NAME];
    xr_pooling_habit pooling[2];
    exray_status status = find_exchange(c, series, position, other, error);
    for (int s = 0; s < 2 && status == EXRAY_OK; s++)
        status = xr_pooling_find(c->comparison, series, (exray_side)s, &pooling[s], error);
    if (status != EXRAY_OK)
        return status;
    exray_finding *f =
        *other ? say_exchange(c, series, other) : xr_say_vector(c->findings, series, story, pooling);
    bool follows[2] = {pooling[0].pooling != XR_POOL_UNKNOWN, pooling[1].pooling != XR_POOL_UNKNOWN};
    const bool some = story->some || story->way == XR_VECTORS_UNKNOWN ||
                      (story->way != XR_VECTORS_LATE && story->frames < series->count);
    return finish(c, f, series, story->differs, some, follows, error);
}

/* Two digits, as of boxes. */
static bool are_near(const xr_stage_series *series)
{
    const float near = 0.0055F;
    for (size_t f = 0; f < series->count; f++) {
        const xr_stage_values *a = &series->frame[f].side[0], *b = &series->frame[f].side[1];
        for (size_t i = 0; a->count == b->count && i < a->count; i++)
            if (!(fabsf(a->value[i] - b->value[i]) <= near))
                return false;
    }
    return true;
}

/* Scores of points: percent is no fault, as of classes and boxes; other points have other scores. */
static bool is_told_by_points(const stage_check *c, const xr_stage_series *series,
                              const xr_vector_story *story)
{
    if (c->told && strcmp(series->name, XR_DEPTHS_OF_POINTS) == 0)
        return c->other_points;
    if (!c->told || strcmp(series->name, XR_SCORES_OF_POINTS) != 0)
        return false;
    return c->other_points || are_near(series) ||
           (story->way == XR_VECTORS_GAIN && story->offset == 0 && xr_is_unit(story->gain));
}

static exray_status check_vector(stage_check *c, const xr_stage_series *series, size_t position,
                                 exray_error *error)
{
    xr_vector_story story;
    exray_status status = EXRAY_OK;
    if (!xr_vector_search(series, noise_of(c), &story)) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing stages"};
        status = EXRAY_E_MEMORY;
    } else if (story.way != XR_VECTORS_SAME && !is_told_by_points(c, series, &story)) {
        c->other_points = c->other_points || (c->told && strcmp(series->name, "keypoints") == 0);
        status = report_vector(c, series, &story, position, error);
    }
    xr_vector_story_free(&story);
    return status;
}

/* One side tells it in frames of which the other tells nothing: a threshold, an early return. */
static exray_status report_absence(const stage_check *c, const xr_stage_series *series, exray_error *error)
{
    const size_t frames = exray_comparison_frame_count(c->comparison);
    bool *lacks = calloc(frames + 1, sizeof *lacks);
    size_t count[2] = {0, 0};
    if (!lacks) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reporting results"};
        return EXRAY_E_MEMORY;
    }
    for (size_t f = 0; f < frames; f++) /* noise takes what is near a threshold across it */
        if (series->lacks[f] && c->equal->of[f] == XR_FRAME_EXACT) {
            lacks[f] = true;
            count[series->lacks[f] - 1]++;
        }
    if (count[0] + count[1]) {
        const bool missing = count[0] >= count[1];
        exray_finding *f =
            xr_told_finding(c->findings, missing ? "missing" : "extra", "stage", series->name, 0.95);
        exray_finding_summary(f, "The %s tells no %.80s in %zu of the frames in which the %s tells one: %s.",
                              missing ? "edge" : "reference", series->name, count[missing ? 0 : 1],
                              missing ? "reference" : "edge",
                              missing ? "they are missing" : "they are extra");
        exray_finding_fix(f,
                          "Compare when the two sides tell it at all: a threshold, an early return, an error "
                          "that is swallowed.");
        exray_finding_number(f, "frames_missing", (double)count[0]);
        exray_finding_number(f, "frames_extra", (double)count[1]);
        xr_say_told_frames(f, c->comparison, c->equal, lacks, true, XR_TOLD_UNKNOWN);
    }
    free(lacks);
    return EXRAY_OK;
}

static exray_status check_series(stage_check *c, const xr_stage_series *series, size_t position,
                                 exray_error *error)
{
    if (series->count == 0)
        return EXRAY_OK;
    exray_status status =
        xr_is_mask(series) ? check_mask(c, series, error) : check_vector(c, series, position, error);
    return status == EXRAY_OK && series->lacks ? report_absence(c, series, error) : status;
}

static exray_status check_all(stage_check *c, exray_error *error)
{
    exray_status status = EXRAY_OK;
    const xr_stage_series *series = NULL;
    for (size_t i = 0; status == EXRAY_OK && i < MOST_STAGES && (i == 0 || series); i++) {
        status = take_series(c, i, &series, error);
        if (status == EXRAY_OK && series && !is_exchanged(c, series->name))
            status = check_series(c, series, i, error);
        leave_series(c, i);
    }
    for (size_t i = 0; i < MOST_STAGES; i++)
        free_series(&c->kept[i]);
    return status;
}

exray_status xr_check_told_stages(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  exray_findings *findings, exray_error *error)
{
    stage_check c = {.comparison = comparison, .equal = equal, .findings = findings};
    exray_status status = check_all(&c, error);
    c.told = true;
    c.exchanged_count = 0;
    if (status == EXRAY_OK)
        status = xr_told_kinds_find(comparison, equal, &c.kinds, error);
    return status == EXRAY_OK ? check_all(&c, error) : status;
}
