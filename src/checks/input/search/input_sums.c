/* Reads the inputs of all matched frames into sums; see input_fit.h. */
#include "checks/input/search/input_fit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, BLOCKS_ACROSS = 16 };

static bool is_layout(const exray_tensor_info *info, const char *a, const char *b)
{
    return info->layout && (strcmp(info->layout, a) == 0 || strcmp(info->layout, b) == 0);
}

static bool few(int64_t channels)
{
    return channels >= 1 && channels <= XR_FIT_CHANNELS;
}

xr_view xr_view_of(const exray_tensor_info *info, uint64_t count)
{
    xr_view v = {1, 1, (size_t)count, 1, 0, 0, 1, 0};
    if (info->rank < 3 || info->rank > 4)
        return v;
    const int64_t *s = info->shape + (info->rank - 3);
    bool last = few(s[2]) && !is_layout(info, "NCHW", "CHW");
    bool first = few(s[0]) && !is_layout(info, "NHWC", "HWC");
    if (!last && !first)
        return v;
    v.batch = info->rank == 4 ? (size_t)info->shape[0] : 1;
    v.batch_stride = (size_t)s[0] * (size_t)s[1] * (size_t)s[2];
    if (last) {
        v.rows = (size_t)s[0], v.columns = (size_t)s[1], v.channels = (size_t)s[2];
        v.channel_stride = 1, v.column_stride = v.channels, v.row_stride = v.columns * v.channels;
    } else {
        v.channels = (size_t)s[0], v.rows = (size_t)s[1], v.columns = (size_t)s[2];
        v.column_stride = 1, v.row_stride = v.columns, v.channel_stride = v.rows * v.columns;
    }
    return v;
}

static float load(const float *p, size_t i)
{
    float value;
    memcpy(&value, (const char *)p + i * sizeof value, sizeof value);
    return value;
}

static void add_pixel(xr_fit_sums *s, size_t channels, const double *edge, const double *reference,
                      double weight)
{
    s->n += weight;
    for (size_t c = 0; c < channels; c++) {
        double e = weight * edge[c], r = weight * reference[c];
        s->edge[c] += e;
        s->reference[c] += r;
        for (size_t k = 0; k < channels; k++)
            s->er[c][k] += e * reference[k];
        for (size_t k = 0; k <= c; k++) {
            s->ee[c][k] += e * edge[k];
            s->rr[c][k] += r * reference[k];
        }
    }
}

/* Sums of one row of blocks while its pixels pass by. */
typedef struct strip {
    double *value; /* [blocks][2 * channels + 1]: edge, reference, how many */
    size_t blocks, size;
} strip;

static void flush_strip(strip *s, size_t channels, xr_fit_sums *out)
{
    size_t width = 2 * channels + 1;
    for (size_t b = 0; b < s->blocks; b++) {
        double *v = s->value + b * width, n = v[2 * channels];
        /* Blocks cut by the border, or by NaN, weigh too little to average well. */
        if (2 * n >= (double)(s->size * s->size)) {
            for (size_t i = 0; i < 2 * channels; i++)
                v[i] /= n;
            add_pixel(out, channels, v, v + channels, n);
        }
    }
    memset(s->value, 0, s->blocks * width * sizeof *s->value);
}

/* Not fmin: a call for every value would cost more than all the sums. */
static void widen(double *low, double *high, double value)
{
    if (value < *low)
        *low = value;
    if (value > *high)
        *high = value;
}

/* Both sides' views and values of one frame. */
typedef struct both {
    xr_view view[2];
    const float *values[2];
} both;

/* One pixel of both sides; false where a value is not finite. */
static bool load_pixel(xr_input_fit *fit, const both *in, size_t n, size_t y, size_t x,
                       double out[2][XR_FIT_CHANNELS])
{
    bool finite = true;
    for (int s = 0; s < 2; s++) {
        const xr_view *v = &in->view[s];
        size_t at = n * v->batch_stride + y * v->row_stride + x * v->column_stride;
        for (size_t c = 0; c < v->channels; c++) {
            out[s][c] = load(in->values[s], at + c * v->channel_stride);
            if (!isfinite(out[s][c])) {
                fit->not_finite[s]++;
                finite = false;
            }
        }
    }
    return finite;
}

static void add_row(xr_input_fit *fit, const both *in, size_t n, size_t y, strip *blocks, xr_fit_sums *pixels)
{
    size_t channels = in->view[0].channels, width = 2 * channels + 1;
    for (size_t x = 0; x < in->view[0].columns; x++) {
        double pixel[2][XR_FIT_CHANNELS];
        if (!load_pixel(fit, in, n, y, x, pixel))
            continue;
        for (int s = 0; s < 2; s++)
            for (size_t c = 0; c < channels; c++)
                widen(&fit->min[s][c], &fit->max[s][c], pixel[s][c]);
        add_pixel(pixels, channels, pixel[0], pixel[1], 1);
        if (!blocks->value)
            continue;
        double *v = blocks->value + x / blocks->size * width;
        for (size_t c = 0; c < channels; c++) {
            v[c] += pixel[0][c];
            v[channels + c] += pixel[1][c];
        }
        v[2 * channels] += 1;
    }
}

static void add_frame(xr_input_fit *fit, const both *in, strip *strip_of, xr_fit_sums *pixels,
                      xr_fit_sums *blocks)
{
    const xr_view *v = &in->view[0];
    for (size_t n = 0; n < v->batch; n++)
        for (size_t y = 0; y < v->rows; y++) {
            add_row(fit, in, n, y, strip_of, pixels);
            if (strip_of->value && ((y + 1) % strip_of->size == 0 || y + 1 == v->rows))
                flush_strip(strip_of, v->channels, blocks);
        }
    if (!strip_of->value)
        *blocks = *pixels;
}

static bool make_strip(strip *s, const xr_view *v, bool picture)
{
    size_t smaller = v->rows < v->columns ? v->rows : v->columns;
    size_t size = smaller / BLOCKS_ACROSS < BLOCK ? smaller / BLOCKS_ACROSS : BLOCK;
    *s = (strip){0};
    if (!picture || size < 2)
        return true;
    s->size = size;
    s->blocks = (v->columns + size - 1) / size;
    s->value = calloc(s->blocks * (2 * v->channels + 1), sizeof *s->value);
    return s->value != NULL;
}

static bool room(xr_fit_frames *f, size_t frames)
{
    f->pixels = calloc(frames + 1, sizeof *f->pixels);
    f->blocks = calloc(frames + 1, sizeof *f->blocks);
    f->frame = calloc(frames + 1, sizeof *f->frame);
    return f->pixels && f->blocks && f->frame;
}

void xr_fit_frames_free(xr_fit_frames *f)
{
    free(f->pixels);
    free(f->blocks);
    free(f->frame);
    *f = (xr_fit_frames){0};
}

static bool same_size(const xr_view *a, const xr_view *b)
{
    return a->batch == b->batch && a->rows == b->rows && a->columns == b->columns &&
           a->channels == b->channels;
}

/* A type whose numbers have no unit: an integer without quantization. */
static bool is_unitless(const exray_tensor_info *info)
{
    return info->quantization.count == 0 && info->dtype >= EXRAY_DTYPE_INT8 &&
           info->dtype != EXRAY_DTYPE_FLOAT8_E4M3 && info->dtype != EXRAY_DTYPE_FLOAT8_E5M2;
}

static bool is_float(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_FLOAT32 || info->dtype == EXRAY_DTYPE_FLOAT64;
}

/* What an 8-bit tensor can hold; false where the type sets no such limit. */
static bool limits_of(const exray_tensor_info *info, double *low, double *high)
{
    if (info->quantization.count != 1 ||
        (info->dtype != EXRAY_DTYPE_INT8 && info->dtype != EXRAY_DTYPE_UINT8))
        return false;
    double zero = info->quantization.zero_point ? (double)info->quantization.zero_point[0] : 0;
    double least = info->dtype == EXRAY_DTYPE_INT8 ? -128 : 0, scale = info->quantization.scale[0];
    *low = scale * (least - zero);
    *high = scale * (least + 255 - zero);
    return scale > 0;
}

/* Values that the edge's tensor cannot hold: it is at its end, the reference beyond. */
static void count_clipped(xr_input_fit *fit, const exray_tensor_view *edge, const float *const values[2],
                          uint64_t count)
{
    double low, high;
    if (!limits_of(&edge->info, &low, &high))
        return;
    double step = edge->info.quantization.scale[0];
    for (uint64_t i = 0; i < count; i++) {
        double e = load(values[0], i), r = load(values[1], i);
        fit->clipped +=
            (e <= low + step / 2 && r < low - 2 * step) || (e >= high - step / 2 && r > high + 2 * step);
    }
    fit->limit[0] = low;
    fit->limit[1] = high;
    fit->counted += (double)count;
}

/* What holds for all frames is taken from the first. */
static void note_first(xr_input_fit *fit, const both *in, const exray_tensor_view tensor[2])
{
    fit->channels = in->view[0].channels;
    fit->rows = in->view[0].rows;
    fit->columns = in->view[0].columns;
    fit->picture = in->view[0].rows > 1;
    fit->floats = is_float(&tensor[0].info) && is_float(&tensor[1].info);
    fit->tokens = !fit->picture && is_unitless(&tensor[0].info) && is_unitless(&tensor[1].info);
    if (is_unitless(&tensor[0].info) == is_unitless(&tensor[1].info))
        return;
    fit->state = XR_FIT_UNJUDGED;
    fit->why = "one side's input is an integer without quantization: its unit is not known";
}

/* What a placement made of the frame, in place of the records' own values. */
static exray_status place(const xr_placement *placement, size_t frame, both *in, exray_error *error)
{
    xr_placed placed;
    exray_status status = placement->read(placement->user, frame, &placed, error);
    if (status != EXRAY_OK)
        return status;
    size_t pixels = placed.width * placed.height;
    in->view[0] = in->view[1] = (xr_view){
        1, placed.height, placed.width, placed.channels, placed.channels * pixels, placed.width, 1, pixels};
    in->values[0] = placed.plane[0];
    in->values[1] = placed.plane[1];
    return EXRAY_OK;
}

static exray_status read_frame(const exray_comparison *comparison, const xr_placement *placement,
                               xr_input_fit *fit, size_t frame, exray_slot *const slot[2], xr_fit_frames *out,
                               exray_error *error)
{
    exray_tensor_view tensor[2];
    both in;
    for (int s = 0; s < 2; s++) {
        exray_status status = exray_comparison_values(comparison, (exray_side)s, frame, EXRAY_KIND_INPUT,
                                                      fit->pair, slot[s], &tensor[s], &in.values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_FORMAT)
            return EXRAY_OK; /* this frame tells nothing */
        if (status != EXRAY_OK)
            return status;
        in.view[s] = xr_view_of(&tensor[s].info, tensor[s].count);
    }
    if (placement) {
        exray_status status = place(placement, frame, &in, error);
        if (status != EXRAY_OK)
            return status == EXRAY_E_STATE ? EXRAY_OK : status;
    } else if (tensor[0].count != tensor[1].count || tensor[0].count == 0) {
        fit->state = XR_FIT_SHAPES;
        return EXRAY_OK;
    }
    if (!same_size(&in.view[0], &in.view[1]))
        in.view[0] = in.view[1] = (xr_view){1, 1, (size_t)tensor[0].count, 1, 0, 0, 1, 0};
    if (out->count == 0)
        note_first(fit, &in, tensor);
    else if (in.view[0].channels != fit->channels)
        return EXRAY_OK;
    if (in.view[0].channel_stride == in.view[1].channel_stride)
        count_clipped(fit, &tensor[0], in.values,
                      in.view[0].batch * in.view[0].rows * in.view[0].columns * in.view[0].channels);
    strip s;
    if (!make_strip(&s, &in.view[0], fit->picture))
        return EXRAY_E_MEMORY;
    add_frame(fit, &in, &s, &out->pixels[out->count], &out->blocks[out->count]);
    free(s.value);
    out->frame[out->count++] = frame;
    return EXRAY_OK;
}

exray_status xr_fit_read(const exray_comparison *comparison, const xr_placement *placement, xr_input_fit *fit,
                         xr_fit_frames *out, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison);
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
        for (int s = 0; s < 2; s++) {
            fit->min[s][c] = INFINITY;
            fit->max[s][c] = -INFINITY;
        }
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = room(out, frames) && slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    for (size_t f = 0; f < frames && status == EXRAY_OK && fit->state == XR_FIT_EQUAL;
         f += placement ? placement->step : 1)
        status = read_frame(comparison, placement, fit, f, slot, out, error);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return status;
}
