#include "checks/told/stages/told_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MASK, POINTS, SCORES, VECTORS, MOST_VECTORS = 8, MOST_VALUES = 1 << 24, IGNORED = 255 };

typedef struct told_work {
    const exray_comparison *comparison;
    size_t position;
    exray_slot *slot[2], *output[2];
    const xr_silence *silence;
    const char *name; /* of the vector, or NULL */
    bool only;        /* its side tells no other vector */
} told_work;

static bool read_told(const told_work *w, exray_side side, size_t frame, exray_result *out)
{
    exray_error error;
    return exray_log_read_told(exray_comparison_log(w->comparison, side),
                               exray_comparison_frame(w->comparison, frame).frame[side], EXRAY_MESSAGE_RESULT,
                               w->slot[side], out, &error) == EXRAY_OK;
}

/* Both sides' results of a frame; a side without one told nothing there, where it tells in other frames and
 * lost no record.  False: the frame says nothing. */
static bool read_both(const told_work *w, size_t frame, exray_result told[2])
{
    bool has[2];
    for (int s = 0; s < 2; s++) {
        told[s] = (exray_result){0};
        has[s] = read_told(w, (exray_side)s, frame, &told[s]);
        if (!has[s])
            told[s] = (exray_result){0};
    }
    return xr_may_compare_results(w->silence, has);
}

static bool take(xr_stage_values *out, size_t count)
{
    out->count = count;
    out->value = calloc(count + 1, sizeof *out->value);
    return out->value != NULL;
}

static bool take_mask(const exray_mask *mask, xr_stage_values *out)
{
    const uint8_t *ids = mask->ids;
    const size_t count = (size_t)mask->width * mask->height;
    if (!take(out, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const unsigned id = mask->wide ? ids[2 * i] | (unsigned)ids[2 * i + 1] << 8 : ids[i];
        out->value[i] = (float)(mask->wide && id == UINT16_MAX ? IGNORED : id);
    }
    out->rank = 2;
    out->shape[0] = mask->height;
    out->shape[1] = mask->width;
    return true;
}

static bool take_points(const exray_result *result, xr_stage_values *out)
{
    if (!take(out, 2 * (size_t)result->keypoint_count))
        return false;
    for (uint32_t i = 0; i < result->keypoint_count; i++) {
        out->value[2 * i] = result->keypoints[i].x;
        out->value[2 * i + 1] = result->keypoints[i].y;
    }
    out->rank = 2;
    out->shape[0] = result->keypoint_count;
    out->shape[1] = 2;
    return true;
}

/* How sure each point is. */
static bool take_scores(const exray_result *result, xr_stage_values *out)
{
    if (!take(out, result->keypoint_count))
        return false;
    for (uint32_t i = 0; i < result->keypoint_count; i++)
        out->value[i] = result->keypoints[i].score;
    out->rank = 1;
    out->shape[0] = result->keypoint_count;
    return true;
}

/* An application that has no scores leaves them at 1, or at 0. */
static bool has_scores(const exray_result *result)
{
    for (uint32_t i = 0; i < result->keypoint_count; i++)
        if (result->keypoints[i].score != 0 && result->keypoints[i].score != 1)
            return true;
    return false;
}

static bool take_vector(const exray_vector *vector, xr_stage_values *out)
{
    if (!take(out, vector->count))
        return false;
    memcpy(out->value, vector->values, vector->count * sizeof *out->value);
    out->rank = 1;
    out->shape[0] = vector->count;
    return true;
}

static bool has_name(const exray_vector *vector, const char *name)
{
    return strncmp(vector->name ? vector->name : "", name, XR_TOLD_NAME - 1) == 0;
}

/* The vector that both sides tell under one name; their only ones need none. */
static const exray_vector *vector_of(const told_work *w, const exray_result *result)
{
    for (uint32_t i = 0; w->name && i < result->vector_count; i++)
        if (has_name(&result->vectors[i], w->name))
            return &result->vectors[i];
    return w->only && result->vector_count == 1 ? &result->vectors[0] : NULL;
}

/* Finds the name of that position among the edge's vectors of all frames. */
static bool find_name(told_work *w, const xr_equal_frames *equal, size_t frames, char name[XR_TOLD_NAME])
{
    char seen[MOST_VECTORS][XR_TOLD_NAME];
    size_t count = 0, wanted = w->position - VECTORS;
    w->only = true;
    for (size_t f = 0; f < frames; f++) {
        exray_result told;
        if (equal->of[f] == XR_FRAME_OTHER || !read_told(w, EXRAY_SIDE_EDGE, f, &told))
            continue;
        w->only = w->only && told.vector_count <= 1;
        for (uint32_t i = 0; i < told.vector_count && count < MOST_VECTORS; i++) {
            size_t k = 0;
            while (k < count && !has_name(&told.vectors[i], seen[k]))
                k++;
            if (k == count)
                snprintf(seen[count++], XR_TOLD_NAME, "%s", told.vectors[i].name ? told.vectors[i].name : "");
        }
    }
    w->only = w->only && count == 1;
    if (wanted >= count)
        return false;
    memcpy(name, seen[wanted], XR_TOLD_NAME);
    w->name = name;
    return true;
}

static bool has(const told_work *w, const exray_result *result)
{
    const exray_vector *vector;
    switch (w->position) {
    case MASK:
        return result->mask != NULL && result->mask->width && result->mask->height;
    case POINTS:
        return result->keypoint_count > 0;
    case SCORES:
        return has_scores(result);
    default:
        vector = vector_of(w, result);
        return vector && vector->count;
    }
}

/* Whether a vector is an output of its side, value for value. */
static bool is_output(const told_work *w, int side, size_t frame, size_t output, const xr_stage_values *told)
{
    exray_tensor_view view;
    const float *v;
    exray_error error;
    if (exray_comparison_values(w->comparison, (exray_side)side, frame, EXRAY_KIND_OUTPUT, output,
                                w->output[side], &view, &v, &error) != EXRAY_OK ||
        view.count != told->count)
        return false;
    for (size_t i = 0; i < told->count; i++)
        if (!(fabsf(told->value[i] - v[i]) <= 1e-5F * fabsf(v[i])))
            return false;
    return true;
}

/* What each side told is its own output: the outputs may differ by noise, and then by much of a small value,
 * but neither was told wrongly. */
static bool are_outputs(const told_work *w, size_t frame, const xr_stage_values side[2])
{
    for (size_t i = 0; i < exray_comparison_output_count(w->comparison); i++)
        if (is_output(w, 0, frame, i, &side[0]) && is_output(w, 1, frame, i, &side[1]))
            return true;
    return false;
}

static bool take_side(const told_work *w, const exray_result *told, xr_stage_values *out)
{
    switch (w->position) {
    case MASK:
        return take_mask(told->mask, out);
    case POINTS:
        return take_points(told, out);
    case SCORES:
        return take_scores(told, out);
    default:
        return take_vector(vector_of(w, told), out);
    }
}

/* Adds a frame in which both told it.  False: out of memory. */
static bool add_frame(const told_work *w, size_t frame, bool exact, const exray_result told[2],
                      xr_stage_series *out)
{
    bool here[2] = {has(w, &told[0]), has(w, &told[1])}, good = true;
    if (!here[0] || !here[1]) {
        for (int s = 0; s < 2; s++)
            if (out->lacks && !here[s] && here[1 - s]) {
                out->absent[s]++;
                out->lacks[frame] = (unsigned char)(1 + s);
            }
        return true;
    }
    xr_stage_frame *f = &out->frame[out->count];
    *f = (xr_stage_frame){.frame = frame, .exact = exact};
    for (int s = 0; s < 2; s++)
        good = take_side(w, &told[s], &f->side[s]) && good;
    const size_t bytes = f->side[1].count * sizeof *f->side[1].value;
    if (good && w->position >= VECTORS && !exact && f->side[0].count == f->side[1].count &&
        memcmp(f->side[0].value, f->side[1].value, bytes) != 0 && are_outputs(w, frame, f->side))
        memcpy(f->side[0].value, f->side[1].value, bytes);
    if (good)
        out->count++;
    else
        for (int s = 0; s < 2; s++)
            free(f->side[s].value);
    return good;
}

static bool add_frames(const told_work *w, const xr_equal_frames *equal, size_t frames, xr_stage_series *out)
{
    size_t used = 0;
    for (size_t f = 0; f < frames && used < MOST_VALUES; f++) {
        exray_result told[2];
        if (equal->of[f] == XR_FRAME_OTHER || !read_both(w, f, told))
            continue;
        const size_t before = out->count;
        if (!add_frame(w, f, equal->of[f] == XR_FRAME_EXACT, told, out))
            return false;
        if (out->count > before)
            used += out->frame[before].side[0].count + out->frame[before].side[1].count;
    }
    return true;
}

exray_status xr_told_series_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 const xr_silence *silence, size_t position, xr_stage_series *out,
                                 bool *found, exray_error *error)
{
    static const char *const names[] = {"mask", "keypoints", XR_SCORES_OF_POINTS, "vector"};
    const size_t frames = exray_comparison_frame_count(comparison);
    told_work w = {.comparison = comparison,
                   .position = position,
                   .slot = {exray_slot_new(), exray_slot_new()},
                   .output = {exray_slot_new(), exray_slot_new()},
                   .silence = silence};
    *out = (xr_stage_series){.name = names[position < VECTORS ? position : VECTORS],
                             .whole = position == MASK,
                             .place = "/result",
                             .frame = calloc(frames + 1, sizeof *out->frame),
                             .lacks = position == SCORES ? NULL : calloc(frames + 1, sizeof *out->lacks)};
    bool good = w.slot[0] && w.slot[1] && w.output[0] && w.output[1] && out->frame &&
                (out->lacks || position == SCORES);
    *found = good && position < VECTORS + MOST_VECTORS;
    if (*found && position >= VECTORS)
        *found = find_name(&w, equal, frames, out->told_name);
    if (*found && *out->told_name)
        out->name = out->told_name;
    if (*found)
        good = add_frames(&w, equal, frames, out);
    for (int s = 0; s < 2; s++) {
        exray_slot_free(w.slot[s]);
        exray_slot_free(w.output[s]);
    }
    if (good)
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
    return EXRAY_E_MEMORY;
}
