#include "checks/told/stages/stage_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_VALUES = 1 << 24, LOOK_AT = 16, MOST_STAGES = 64 };

/* ---- Which stages are results --------------------------------------------------------------------- */

static bool is_later(const exray_record *a, const exray_record *b)
{
    return a->log_time != b->log_time ? a->log_time > b->log_time : a->position > b->position;
}

/* The last of the model's inputs; where none is recorded, its first output; NULL: the frame does not tell. */
static const exray_record *model_run(const exray_record *record, size_t count)
{
    const exray_record *input = NULL, *output = NULL;
    for (size_t i = 0; i < count; i++) {
        const exray_record *r = &record[i];
        if (r->message != EXRAY_MESSAGE_TENSOR)
            continue;
        if (r->kind == EXRAY_KIND_INPUT && (!input || is_later(r, input)))
            input = r;
        if (r->kind == EXRAY_KIND_OUTPUT && (!output || is_later(output, r)))
            output = r;
    }
    return input ? input : output;
}

/* Whether a frame's own records show that the model ran, and none is of that stage: not even one without
 * data, or before the model's last run. */
static bool lacks_stage(const exray_comparison *comparison, exray_side side, size_t frame, const char *name)
{
    const exray_log *log = exray_comparison_log(comparison, side);
    const size_t position = exray_comparison_frame(comparison, frame).frame[side];
    const exray_record *record = exray_log_records(log, position);
    const size_t count = exray_log_frame(log, position)->record_count;
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_STAGE &&
            strcmp(record[i].name, name) == 0)
            return false;
    return model_run(record, count) != NULL;
}

/* The frame's record of that name behind the model; NULL name: its n-th such record. */
static const exray_record *find_stage(const exray_log *log, size_t frame, const char *name, size_t n)
{
    const exray_record *record = exray_log_records(log, frame);
    size_t count = exray_log_frame(log, frame)->record_count;
    const exray_record *run = model_run(record, count);
    for (size_t i = 0; run && i < count; i++) {
        const exray_record *r = &record[i];
        bool stage = r->message == EXRAY_MESSAGE_TENSOR && r->kind == EXRAY_KIND_STAGE && r->has_data &&
                     r->occurrence == 0 && is_later(r, run);
        if (stage && (name ? strcmp(r->name, name) == 0 : n-- == 0))
            return r;
    }
    return NULL;
}

static const exray_record *stage_of(const exray_comparison *comparison, exray_side side, size_t frame,
                                    const char *name, size_t n)
{
    size_t position = exray_comparison_frame(comparison, frame).frame[side];
    return find_stage(exray_comparison_log(comparison, side), position, name, n);
}

static bool seen_before(const exray_comparison *comparison, size_t frame, const char *name)
{
    for (size_t f = 0; f < frame; f++)
        if (stage_of(comparison, EXRAY_SIDE_EDGE, f, name, 0))
            return true;
    return false;
}

static bool reference_has(const exray_comparison *comparison, const char *name)
{
    size_t frames = exray_comparison_frame_count(comparison);
    for (size_t f = 0; f < frames && f < LOOK_AT; f++)
        if (stage_of(comparison, EXRAY_SIDE_REFERENCE, f, name, 0))
            return true;
    return false;
}

static const char *name_at(const exray_comparison *comparison, size_t position)
{
    size_t frames = exray_comparison_frame_count(comparison);
    for (size_t f = 0; f < frames && f < LOOK_AT; f++) {
        const exray_record *r;
        for (size_t n = 0; n < MOST_STAGES && (r = stage_of(comparison, EXRAY_SIDE_EDGE, f, NULL, n)) != NULL;
             n++)
            if (!seen_before(comparison, f, r->name) && reference_has(comparison, r->name) && position-- == 0)
                return r->name;
    }
    return NULL;
}

/* ---- Their values ----------------------------------------------------------------------------------- */

static bool is_whole(exray_dtype type)
{
    return type != EXRAY_DTYPE_FLOAT32 && type != EXRAY_DTYPE_FLOAT16 && type != EXRAY_DTYPE_BFLOAT16 &&
           type != EXRAY_DTYPE_FLOAT64 && type != EXRAY_DTYPE_FLOAT8_E4M3 && type != EXRAY_DTYPE_FLOAT8_E5M2;
}

static void set_shape(const exray_tensor_view *view, xr_stage_values *out)
{
    size_t product = 1;
    out->rank = 0;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] == 1)
            continue;
        if (out->rank == 4 || view->info.shape[i] < 1) {
            product = 0;
            break;
        }
        out->shape[out->rank++] = (size_t)view->info.shape[i];
        product *= (size_t)view->info.shape[i];
    }
    if (product != out->count || out->rank == 0) {
        out->rank = 1;
        out->shape[0] = out->count;
    }
}

static exray_status read_side(const exray_comparison *comparison, exray_side side, const exray_record *record,
                              exray_slot *slot, xr_stage_series *series, xr_stage_values *out,
                              exray_error *error)
{
    exray_tensor_view view;
    const float *values;
    exray_status status =
        exray_log_read_values(exray_comparison_log(comparison, side), record, slot, &view, &values, error);
    if (status != EXRAY_OK)
        return status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_STATE ? EXRAY_OK : status;
    out->count = (size_t)view.count;
    out->value = calloc(out->count + 1, sizeof *out->value);
    if (!out->value) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading stages"};
        return EXRAY_E_MEMORY;
    }
    memcpy(out->value, values, out->count * sizeof *out->value);
    set_shape(&view, out);
    series->whole = series->whole && is_whole(view.info.dtype);
    return EXRAY_OK;
}

static void free_frame(xr_stage_frame *f)
{
    free(f->side[0].value);
    free(f->side[1].value);
}

static exray_status read_frame(const exray_comparison *comparison, size_t frame, exray_slot *slot,
                               xr_stage_series *series, exray_error *error)
{
    const exray_record *record[2];
    for (int s = 0; s < 2; s++)
        record[s] = stage_of(comparison, (exray_side)s, frame, series->name, 0);
    for (int s = 0; s < 2; s++)
        if (!record[s] && record[!s] && lacks_stage(comparison, (exray_side)s, frame, series->name))
            series->lacks[frame] = (unsigned char)(1 + s);
    if (!record[0] || !record[1])
        return EXRAY_OK;
    xr_stage_frame *f = &series->frame[series->count];
    *f = (xr_stage_frame){.frame = frame};
    exray_status status = EXRAY_OK;
    for (int s = 0; s < 2 && status == EXRAY_OK; s++)
        status = read_side(comparison, (exray_side)s, record[s], slot, series, &f->side[s], error);
    if (status == EXRAY_OK && f->side[0].count && f->side[1].count)
        series->count++;
    else
        free_frame(f);
    return status;
}

/* Who records a stage now and then, or lost records, says nothing by frames without it. */
static void drop_samples(const xr_equal_frames *equal, size_t frames, xr_stage_series *series)
{
    enum { PART = 4 };
    size_t lacking[2] = {0, 0};
    for (size_t f = 0; f < frames; f++)
        if (series->lacks[f])
            lacking[series->lacks[f] - 1]++;
    for (size_t f = 0; f < frames; f++) {
        const int side = (int)series->lacks[f] - 1;
        if (side >= 0 && (equal->silence.lossy[side] || PART * lacking[side] > series->count + lacking[side]))
            series->lacks[f] = 0;
    }
}

exray_status xr_stage_series_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  size_t position, xr_stage_series *out, bool *found, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison), used = 0;
    *out = (xr_stage_series){.name = name_at(comparison, position), .whole = true};
    *found = out->name != NULL;
    if (!*found)
        return EXRAY_OK;
    snprintf(out->place, sizeof out->place, "/stage/%.80s", out->name);
    exray_slot *slot = exray_slot_new();
    out->frame = calloc(frames + 1, sizeof *out->frame);
    out->lacks = calloc(frames + 1, sizeof *out->lacks);
    exray_status status = slot && out->frame && out->lacks ? EXRAY_OK : EXRAY_E_MEMORY;
    if (status != EXRAY_OK)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading stages"};
    for (size_t f = 0; status == EXRAY_OK && f < frames && used < MOST_VALUES; f++) {
        if (equal->of[f] == XR_FRAME_OTHER)
            continue;
        size_t before = out->count;
        status = read_frame(comparison, f, slot, out, error);
        if (status == EXRAY_OK && out->count > before) {
            out->frame[before].exact = equal->of[f] == XR_FRAME_EXACT;
            used += out->frame[before].side[0].count + out->frame[before].side[1].count;
        }
    }
    exray_slot_free(slot);
    if (status == EXRAY_OK)
        drop_samples(equal, frames, out);
    return status;
}

void xr_stage_series_free(xr_stage_series *series)
{
    for (size_t f = 0; f < series->count; f++)
        free_frame(&series->frame[f]);
    free(series->frame);
    free(series->lacks);
    *series = (xr_stage_series){0};
}
