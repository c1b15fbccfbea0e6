#include "checks/told/stages/told_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MASK, POINTS, VECTORS, MOST_VECTORS = 8, MOST_VALUES = 1 << 24, IGNORED = 255 };

typedef struct told_work {
    const exray_comparison *comparison;
    size_t position;
    exray_slot *slot[2], *output[2];
} told_work;

static bool read_told(const told_work *w, exray_side side, size_t frame, exray_result *out)
{
    exray_error error;
    return exray_log_read_told(exray_comparison_log(w->comparison, side),
                               exray_comparison_frame(w->comparison, frame).frame[side], EXRAY_MESSAGE_RESULT,
                               w->slot[side], out, &error) == EXRAY_OK;
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

static bool take_vector(const exray_vector *vector, xr_stage_values *out)
{
    if (!take(out, vector->count))
        return false;
    memcpy(out->value, vector->values, vector->count * sizeof *out->value);
    out->rank = 1;
    out->shape[0] = vector->count;
    return true;
}

/* The vector that both sides tell under one name; their only ones need none. */
static const exray_vector *vector_of(const exray_result *result, const char *name, bool only)
{
    for (uint32_t i = 0; i < result->vector_count; i++)
        if (result->vectors[i].name && strcmp(result->vectors[i].name, name) == 0)
            return &result->vectors[i];
    return only && result->vector_count == 1 ? &result->vectors[0] : NULL;
}

static bool has(const exray_result *result, size_t position)
{
    return position == MASK     ? result->mask != NULL && result->mask->width && result->mask->height
           : position == POINTS ? result->keypoint_count > 0
                                : result->vector_count > position - VECTORS;
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

/* Adds a frame in which both told it.  False: out of memory. */
static bool add_frame(const told_work *w, size_t frame, bool exact, const exray_result told[2],
                      xr_stage_series *out)
{
    const exray_vector *vector[2] = {NULL, NULL};
    if (!has(&told[0], w->position))
        return true;
    if (w->position >= VECTORS) {
        vector[0] = &told[0].vectors[w->position - VECTORS];
        vector[1] = vector_of(&told[1], vector[0]->name ? vector[0]->name : "", told[0].vector_count == 1);
        if (!vector[1] || !vector[0]->count || !vector[1]->count)
            return true;
    } else if (!has(&told[1], w->position))
        return true;
    xr_stage_frame *f = &out->frame[out->count];
    *f = (xr_stage_frame){.frame = frame, .exact = exact};
    bool good = true;
    for (int s = 0; s < 2; s++)
        good = (w->position == MASK     ? take_mask(told[s].mask, &f->side[s])
                : w->position == POINTS ? take_points(&told[s], &f->side[s])
                                        : take_vector(vector[s], &f->side[s])) &&
               good;
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
        if (equal->of[f] == XR_FRAME_OTHER || !read_told(w, EXRAY_SIDE_EDGE, f, &told[0]) ||
            !read_told(w, EXRAY_SIDE_REFERENCE, f, &told[1]))
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
                                 size_t position, xr_stage_series *out, bool *found, exray_error *error)
{
    static const char *const names[] = {"mask", "keypoints", "vector"};
    const size_t frames = exray_comparison_frame_count(comparison);
    told_work w = {
        comparison, position, {exray_slot_new(), exray_slot_new()}, {exray_slot_new(), exray_slot_new()}};
    *out = (xr_stage_series){.name = names[position < VECTORS ? position : VECTORS],
                             .whole = position == MASK,
                             .place = "/result",
                             .frame = calloc(frames + 1, sizeof *out->frame)};
    *found = position < VECTORS + MOST_VECTORS;
    bool good = w.slot[0] && w.slot[1] && w.output[0] && w.output[1] && out->frame;
    if (good && *found)
        good = add_frames(&w, equal, frames, out);
    *found = *found && (position < VECTORS || out->count > 0);
    for (int s = 0; s < 2; s++) {
        exray_slot_free(w.slot[s]);
        exray_slot_free(w.output[s]);
    }
    if (good)
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
    return EXRAY_E_MEMORY;
}
