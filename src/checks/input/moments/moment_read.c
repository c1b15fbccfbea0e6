#include "checks/input/moments/moment_read.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/input/tokens/token_texts.h"
#include "checks/port/tensor_type.h"
#include <exray/recorder.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One side of a frame, as it was recorded or computed. */
typedef struct side_summary {
    exray_stats stats;
    exray_channel_stats channels;
    exray_channel_room room;
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    uint64_t count;
    bool has_data;
} side_summary;

/* false: there are no statistics, and none can be made. */
static bool summarize(const exray_tensor_view *view, side_summary *out)
{
    out->has_data = view->data != NULL;
    out->info = view->info;
    out->count = view->count;
    if (view->data) {
        out->channels = (exray_channel_stats){0};
        if (exray_stats_compute(&view->info, view->data, view->size, &out->stats) != EXRAY_OK)
            return false;
        exray_channel_stats_compute(&view->info, view->data, view->size, &out->stats, &out->room,
                                    &out->channels);
    } else if (view->has_stats) {
        out->stats = view->stats;
        out->channels = view->channels;
        if (out->channels.bin_count != EXRAY_HISTOGRAM_BINS)
            out->channels.bin_count = 0;
        if (out->channels.channel_count > EXRAY_MAX_CHANNEL_STATS)
            out->channels.channel_count = 0;
    }
    return (view->data || view->has_stats) && out->stats.count > 0;
}

static bool is_float(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_FLOAT32 || info->dtype == EXRAY_DTYPE_FLOAT64;
}

/* Takes what is the same in all frames from the first one. */
static void note_first(const side_summary s[2], xr_moment_frames *out)
{
    const uint32_t channels = s[0].channels.channel_count;
    out->channels = channels > 1 && channels == s[1].channels.channel_count;
    out->parts = out->channels ? channels : 1;
    const xr_pixel_view view = xr_pixel_view_of(&s[0].info, s[0].count);
    out->picture = view.rows > 1;
    out->ordered = out->channels && (!out->picture || view.channels == channels);
    out->floats = is_float(&s[0].info) && is_float(&s[1].info);
    out->ids = !out->picture && xr_is_unitless(&s[0].info) && xr_is_unitless(&s[1].info) &&
               !(s[EXRAY_SIDE_REFERENCE].stats.min < XR_LEAST_ID);
    out->elements = s[0].stats.count;
    for (int k = 0; k < 2; k++) {
        const exray_quantization *q = &s[k].info.quantization;
        out->type[k] = s[k].info.dtype;
        out->scale[k] = q->count == 1 ? (double)q->scale[0] : 0;
        out->zero_point[k] = q->count == 1 && q->zero_point ? (double)q->zero_point[0] : 0;
    }
    if (xr_is_unitless(&s[0].info) != xr_is_unitless(&s[1].info))
        out->problem = "one side's input is an integer without quantization: its unit is not known";
}

static size_t floats_of_side(const xr_moment_frames *out)
{
    return 2 * out->parts + EXRAY_HISTOGRAM_BINS;
}

static xr_input_moments moments_of(const side_summary *s, const xr_moment_frames *out, float *room)
{
    const double n = (double)s->stats.count;
    xr_input_moments m = {s->stats.mean,
                          sqrt(fmax(s->stats.variance, 0)),
                          s->stats.min,
                          s->stats.max,
                          (double)s->stats.low_count / n,
                          (double)s->stats.high_count / n,
                          room,
                          NULL};
    for (size_t c = 0; c < out->parts; c++) {
        room[2 * c] = out->channels ? s->channels.mean[c] : (float)m.mean;
        room[2 * c + 1] = out->channels ? sqrtf(fmaxf(s->channels.variance[c], 0)) : (float)m.std;
    }
    if (s->channels.bin_count) {
        float *bin = room + 2 * out->parts;
        for (size_t i = 0; i < EXRAY_HISTOGRAM_BINS; i++)
            bin[i] = (float)(s->channels.histogram[i] / n);
        m.bin = bin;
    }
    return m;
}

static bool is_usable(const side_summary s[2], const xr_moment_frames *out)
{
    const bool channels =
        s[0].channels.channel_count == out->parts && s[1].channels.channel_count == out->parts;
    return s[0].stats.count == s[1].stats.count && (!out->channels || channels);
}

static bool is_finite(const exray_stats *s)
{
    return s->nan_count == 0 && s->inf_count == 0 && isfinite(s->mean) && isfinite(s->variance) &&
           isfinite(s->min) && isfinite(s->max);
}

/* Keeps a frame. */
static bool add(const side_summary s[2], size_t frame, size_t frames, xr_moment_frames *out)
{
    if (!is_finite(&s[EXRAY_SIDE_EDGE].stats) || !is_finite(&s[EXRAY_SIDE_REFERENCE].stats)) {
        if (is_finite(&s[EXRAY_SIDE_REFERENCE].stats))
            out->not_finite += s[EXRAY_SIDE_EDGE].stats.nan_count + s[EXRAY_SIDE_EDGE].stats.inf_count;
        return true;
    }
    if (!out->room) {
        note_first(s, out);
        out->room = calloc(2 * frames * floats_of_side(out), sizeof *out->room);
        if (!out->room)
            return false;
    }
    if (!is_usable(s, out))
        return true;
    for (int k = 0; k < 2; k++) {
        float *room = out->room + (2 * out->count + (size_t)k) * floats_of_side(out);
        out->of[k][out->count] = moments_of(&s[k], out, room);
        out->summarized[k] = out->summarized[k] || !s[k].has_data;
    }
    out->frame[out->count++] = frame;
    return true;
}

/* The record of a side, made in the slot. */
static const exray_record *record_of(const exray_comparison *comparison, const exray_io_pair *io,
                                     exray_side side, size_t frame, exray_slot *slot)
{
    size_t count;
    const exray_record *record =
        exray_log_records_in(exray_comparison_log(comparison, side),
                             exray_comparison_frame(comparison, frame).frame[side], slot, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_INPUT &&
            record[i].occurrence == 0 && strcmp(record[i].name, io->name[side]) == 0)
            return &record[i];
    return NULL;
}

exray_status xr_moments_read(const exray_comparison *comparison, size_t pair, xr_moment_frames *out,
                             exray_error *error)
{
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    const size_t frames = exray_comparison_frame_count(comparison);
    *out = (xr_moment_frames){
        .frame = calloc(frames + 1, sizeof *out->frame),
        .of = {calloc(frames + 1, sizeof *out->of[0]), calloc(frames + 1, sizeof *out->of[1])}};
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    side_summary *s = calloc(2, sizeof *s);
    bool ok = out->frame && out->of[0] && out->of[1] && slot[0] && slot[1] && s;
    for (size_t f = 0; ok && f < frames && !out->problem; f++) {
        bool both = exray_comparison_same_shape(comparison, f, EXRAY_KIND_INPUT, pair), data = true;
        const exray_record *record[2];
        for (int k = 0; k < 2; k++) {
            record[k] = record_of(comparison, io, (exray_side)k, f, slot[k]);
            both = both && record[k];
            data = data && record[k] && record[k]->has_data;
        }
        for (int k = 0; k < 2 && both && !data; k++) {
            exray_tensor_view view;
            exray_error ignored; /* measuring counted what is damaged */
            both = exray_log_read_tensor(exray_comparison_log(comparison, (exray_side)k), record[k], slot[k],
                                         &view, &ignored) == EXRAY_OK &&
                   summarize(&view, &s[k]);
        }
        if (both && !data)
            ok = add(s, f, frames, out);
    }
    free(s);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

void xr_moments_free(xr_moment_frames *frames)
{
    free(frames->frame);
    free(frames->of[0]);
    free(frames->of[1]);
    free(frames->room);
    *frames = (xr_moment_frames){0};
}
