#include "checks/told/stages/told_series.h"

#include "checks/told/stages/mask_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 1 << 24, MOST_LISTED = 512 };

typedef struct told_work {
    const exray_comparison *comparison;
    size_t position;
    exray_slot *slot[2], *output[2];
    const xr_silence *silence;
    const char *name;                     /* of the vector, or NULL */
    bool only;                            /* the edge tells no other one */
    exray_keypoint point[2][MOST_LISTED]; /* of a frame, by their ids */
} told_work;

static bool read_told(const told_work *w, exray_side side, size_t frame, exray_result *out)
{
    exray_error error;
    return exray_log_read_told(exray_comparison_log(w->comparison, side),
                               exray_comparison_frame(w->comparison, frame).frame[side], EXRAY_MESSAGE_RESULT,
                               w->slot[side], out, &error) == EXRAY_OK;
}

static int by_id(const void *a, const void *b)
{
    const int64_t x = ((const exray_keypoint *)a)->id, y = ((const exray_keypoint *)b)->id;
    return (x > y) - (x < y);
}

/* Points that both sides name by the same ids, one each, are put in the order of these: what a list begins
 * with does not matter then.  Other lists stay as they are. */
static void list_by_id(told_work *w, exray_result told[2])
{
    const uint32_t count = told[0].keypoint_count;
    if (count == 0 || count > MOST_LISTED || told[1].keypoint_count != count)
        return;
    for (int s = 0; s < 2; s++) {
        memcpy(w->point[s], told[s].keypoints, count * sizeof *w->point[s]);
        qsort(w->point[s], count, sizeof *w->point[s], by_id);
    }
    for (uint32_t i = 0; i < count; i++)
        if (w->point[0][i].id != w->point[1][i].id || (i && w->point[0][i].id == w->point[0][i - 1].id))
            return;
    for (int s = 0; s < 2; s++)
        told[s].keypoints = w->point[s];
}

/* Both sides' results of a frame; a side without one told nothing there, where it tells in other frames and
 * lost no record.  False: the frame says nothing. */
static bool read_both(told_work *w, size_t frame, exray_result told[2])
{
    bool has[2];
    for (int s = 0; s < 2; s++) {
        told[s] = (exray_result){0};
        has[s] = read_told(w, (exray_side)s, frame, &told[s]);
        if (!has[s])
            told[s] = (exray_result){0};
    }
    list_by_id(w, told);
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
        out->value[i] = (float)(mask->wide && id == UINT16_MAX ? XR_MASK_IGNORED : id);
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

static bool take_depths(const exray_result *result, xr_stage_values *out)
{
    if (!take(out, result->keypoint_count))
        return false;
    for (uint32_t i = 0; i < result->keypoint_count; i++)
        out->value[i] = result->keypoints[i].z;
    out->rank = 1;
    out->shape[0] = result->keypoint_count;
    return true;
}

static bool has_depths(const exray_result *result)
{
    for (uint32_t i = 0; i < result->keypoint_count; i++)
        if (result->keypoints[i].z != 0)
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

static bool has_mask(const exray_result *result)
{
    return result->mask != NULL && result->mask->width && result->mask->height;
}

static bool has(const told_work *w, const exray_result *result)
{
    const exray_vector *vector;
    switch (w->position) {
    case XR_TOLD_MASK:
        return has_mask(result);
    case XR_TOLD_POINTS:
        return result->keypoint_count > 0;
    case XR_TOLD_SCORES:
        return has_scores(result);
    case XR_TOLD_DEPTHS:
        return has_depths(result);
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
    case XR_TOLD_MASK:
        return take_mask(told->mask, out);
    case XR_TOLD_POINTS:
        return take_points(told, out);
    case XR_TOLD_SCORES:
        return take_scores(told, out);
    case XR_TOLD_DEPTHS:
        return take_depths(told, out);
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
            if (out->lacks && !here[s] && here[1 - s])
                out->lacks[frame] = (unsigned char)(1 + s);
        return true;
    }
    xr_stage_frame *f = &out->frame[out->count];
    *f = (xr_stage_frame){.frame = frame, .exact = exact};
    for (int s = 0; s < 2; s++)
        good = take_side(w, &told[s], &f->side[s]) && good;
    const size_t bytes = f->side[1].count * sizeof *f->side[1].value;
    if (good && w->position >= XR_TOLD_VECTORS && !exact && f->side[0].count == f->side[1].count &&
        memcmp(f->side[0].value, f->side[1].value, bytes) != 0 && are_outputs(w, frame, f->side))
        memcpy(f->side[0].value, f->side[1].value, bytes);
    if (good)
        out->count++;
    else
        for (int s = 0; s < 2; s++)
            free(f->side[s].value);
    return good;
}

static bool add_frames(told_work *w, const xr_equal_frames *equal, size_t frames, xr_stage_series *out)
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

static exray_status out_of_memory(exray_error *error)
{
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
    return EXRAY_E_MEMORY;
}

static void note_kinds(const exray_result *told, bool any[XR_TOLD_VECTORS + 1])
{
    any[XR_TOLD_MASK] = any[XR_TOLD_MASK] || has_mask(told);
    any[XR_TOLD_POINTS] = any[XR_TOLD_POINTS] || told->keypoint_count > 0;
    any[XR_TOLD_SCORES] = any[XR_TOLD_SCORES] || has_scores(told);
    any[XR_TOLD_DEPTHS] = any[XR_TOLD_DEPTHS] || has_depths(told);
    any[XR_TOLD_VECTORS] = any[XR_TOLD_VECTORS] || told->vector_count > 0;
}

static void note_names(const exray_result *told, xr_told_kinds *out)
{
    out->only = out->only && told->vector_count <= 1;
    for (uint32_t i = 0; i < told->vector_count && out->vectors < XR_MOST_TOLD_VECTORS; i++) {
        const exray_vector *v = &told->vectors[i];
        size_t k = 0;
        while (k < out->vectors && !has_name(v, out->vector[k]))
            k++;
        if (k == out->vectors)
            snprintf(out->vector[out->vectors++], XR_TOLD_NAME, "%s", v->name ? v->name : "");
    }
}

exray_status xr_told_kinds_find(const exray_comparison *comparison, const xr_equal_frames *equal,
                                xr_told_kinds *out, exray_error *error)
{
    told_work w = {.comparison = comparison, .slot = {exray_slot_new(), exray_slot_new()}};
    const bool room = w.slot[0] && w.slot[1];
    bool any[2][XR_TOLD_VECTORS + 1] = {{false}};
    *out = (xr_told_kinds){.only = true};
    for (size_t f = 0; room && f < exray_comparison_frame_count(comparison); f++)
        for (int s = 0; s < 2 && equal->of[f] != XR_FRAME_OTHER; s++) {
            exray_result told;
            if (!read_told(&w, (exray_side)s, f, &told))
                continue;
            note_kinds(&told, any[s]);
            if (s == EXRAY_SIDE_EDGE)
                note_names(&told, out);
        }
    out->only = out->only && out->vectors == 1;
    for (int k = 0; k <= XR_TOLD_VECTORS; k++)
        out->both[k] = any[0][k] && any[1][k];
    exray_slot_free(w.slot[0]);
    exray_slot_free(w.slot[1]);
    return room ? EXRAY_OK : out_of_memory(error);
}

exray_status xr_told_series_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 const xr_told_kinds *kinds, size_t position, xr_stage_series *out,
                                 bool *found, exray_error *error)
{
    static const char *const names[] = {"mask", "keypoints", XR_SCORES_OF_POINTS, XR_DEPTHS_OF_POINTS,
                                        "vector"};
    const size_t frames = exray_comparison_frame_count(comparison);
    const size_t kind = position < XR_TOLD_VECTORS ? position : XR_TOLD_VECTORS;
    *out = (xr_stage_series){.name = names[kind], .whole = position == XR_TOLD_MASK, .place = "/result"};
    *found = position < XR_TOLD_VECTORS + kinds->vectors;
    if (!*found || !kinds->both[kind])
        return EXRAY_OK;
    told_work w = {.comparison = comparison,
                   .position = position,
                   .slot = {exray_slot_new(), exray_slot_new()},
                   .output = {exray_slot_new(), exray_slot_new()},
                   .silence = &equal->silence,
                   .only = kinds->only};
    if (kind == XR_TOLD_VECTORS)
        w.name = memcpy(out->told_name, kinds->vector[position - XR_TOLD_VECTORS], XR_TOLD_NAME);
    if (*out->told_name)
        out->name = out->told_name;
    out->frame = calloc(frames + 1, sizeof *out->frame);
    const bool own = kind != XR_TOLD_SCORES && kind != XR_TOLD_DEPTHS; /* no part of another kind */
    if (own)
        out->lacks = calloc(frames + 1, sizeof *out->lacks);
    const bool good = w.slot[0] && w.slot[1] && w.output[0] && w.output[1] && out->frame &&
                      (out->lacks || !own) && add_frames(&w, equal, frames, out);
    for (int s = 0; s < 2; s++) {
        exray_slot_free(w.slot[s]);
        exray_slot_free(w.output[s]);
    }
    return good ? EXRAY_OK : out_of_memory(error);
}
