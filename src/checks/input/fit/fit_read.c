#include "checks/input/fit/fit_read.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/input/tokens/token_texts.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, BLOCKS_ACROSS = 16 };

/* Sums of the blocks in the current rows of pixels. */
typedef struct block_row {
    double *value; /* [blocks][2 * channels + 1]: edge, reference, number of pixels */
    size_t blocks, size;
} block_row;

static void flush_block_row(block_row *s, size_t channels, xr_fit_sums *out)
{
    size_t width = 2 * channels + 1;
    for (size_t b = 0; b < s->blocks; b++) {
        double *v = s->value + b * width, n = v[2 * channels];
        /* Averages of too few pixels (at the border, or because of NaN) are left out. */
        if (2 * n >= (double)(s->size * s->size)) {
            for (size_t i = 0; i < 2 * channels; i++)
                v[i] /= n;
            xr_sums_add_pixel(out, channels, v, v + channels, n);
        }
    }
    memset(s->value, 0, s->blocks * width * sizeof *s->value);
}

/* Not fmin: a call for every value costs more than all the sums. */
static void widen(double *low, double *high, double value)
{
    if (value < *low)
        *low = value;
    if (value > *high)
        *high = value;
}

/* Both sides' views and values of one frame. */
typedef struct both_sides {
    xr_pixel_view view[2];
    const float *values[2];
} both_sides;

/* One pixel of both sides; false where a value is not finite. */
static bool load_pixel(const both_sides *in, size_t y, size_t x, double out[2][XR_FIT_CHANNELS])
{
    bool finite = true;
    for (int s = 0; s < 2; s++) {
        const xr_pixel_view *v = &in->view[s];
        size_t at = xr_row_place(v, y) + x * v->column_stride;
        for (size_t c = 0; c < v->channels; c++) {
            out[s][c] = xr_value_at(in->values[s], at + c * v->channel_stride);
            finite = finite && isfinite(out[s][c]);
        }
    }
    return finite;
}

static void add_row(xr_input_values *inputs, const both_sides *in, size_t y, block_row *blocks,
                    xr_fit_sums *pixels)
{
    size_t channels = in->view[0].channels, width = 2 * channels + 1;
    for (size_t x = 0; x < in->view[0].columns; x++) {
        double pixel[2][XR_FIT_CHANNELS];
        if (!load_pixel(in, y, x, pixel))
            continue;
        for (int s = 0; s < 2; s++)
            for (size_t c = 0; c < channels; c++)
                widen(&inputs->min[s][c], &inputs->max[s][c], pixel[s][c]);
        xr_sums_add_pixel(pixels, channels, pixel[0], pixel[1], 1);
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

static void add_frame(xr_input_values *inputs, const both_sides *in, block_row *blocks_of,
                      xr_fit_sums *pixels, xr_fit_sums *blocks)
{
    const xr_pixel_view *v = &in->view[0];
    for (size_t y = 0; y < v->rows; y++) {
        add_row(inputs, in, y, blocks_of, pixels);
        if (blocks_of->value && ((y + 1) % blocks_of->size == 0 || y + 1 == v->rows))
            flush_block_row(blocks_of, v->channels, blocks);
    }
    if (!blocks_of->value)
        *blocks = *pixels;
}

static bool make_block_row(block_row *s, const xr_pixel_view *v, bool picture)
{
    size_t smaller = v->rows < v->columns ? v->rows : v->columns;
    size_t size = smaller / BLOCKS_ACROSS < BLOCK ? smaller / BLOCKS_ACROSS : BLOCK;
    *s = (block_row){0};
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

static bool is_float(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_FLOAT32 || info->dtype == EXRAY_DTYPE_FLOAT64;
}

/* Counts values that the edge's tensor cannot hold: the edge is at the end of its range, the reference
 * beyond it. */
static void count_clipped(xr_input_values *inputs, const exray_tensor_view *edge,
                          const float *const values[2], uint64_t count)
{
    double low, high;
    if (!xr_byte_limits(&edge->info, &low, &high))
        return;
    double step = edge->info.quantization.scale[0];
    for (uint64_t i = 0; i < count; i++) {
        double e = xr_value_at(values[0], i), r = xr_value_at(values[1], i);
        inputs->clipped +=
            (e <= low + step / 2 && r < low - 2 * step) || (e >= high - step / 2 && r > high + 2 * step);
    }
    inputs->limit[0] = low;
    inputs->limit[1] = high;
    inputs->counted += (double)count;
}

/* Takes what is the same in all frames from the first one. */
static void note_first(xr_input_values *inputs, const both_sides *in, const exray_tensor_view tensor[2])
{
    inputs->channels = in->view[0].channels;
    inputs->rows = in->view[0].rows;
    inputs->columns = in->view[0].columns;
    inputs->picture = in->view[0].rows > 1;
    inputs->floats = is_float(&tensor[0].info) && is_float(&tensor[1].info);
    inputs->tokens = !inputs->picture && xr_is_unitless(&tensor[0].info) && xr_is_unitless(&tensor[1].info);
    const int unitless = xr_is_unitless(&tensor[0].info) ? 0 : 1;
    if (xr_is_unitless(&tensor[0].info) == xr_is_unitless(&tensor[1].info))
        return;
    inputs->open_unit = inputs->picture && xr_is_byte(tensor[unitless].info.dtype);
    if (!inputs->open_unit)
        inputs->problem = "one side's input is an integer without quantization: its unit is not known";
}

/* Takes both sides from the placement, instead of the recorded values. */
static exray_status place(const xr_placement *placement, size_t frame, both_sides *in, exray_error *error)
{
    xr_placed placed;
    exray_status status = placement->read(placement->user, frame, &placed, error);
    if (status != EXRAY_OK)
        return status;
    in->view[0] = in->view[1] = xr_plane_view(placed.width, placed.height, placed.channels);
    in->values[0] = placed.plane[0];
    in->values[1] = placed.plane[1];
    return EXRAY_OK;
}

static exray_status read_frame(const exray_comparison *comparison, size_t pair, const xr_placement *placement,
                               xr_input_values *inputs, size_t frame, exray_slot *const slot[2],
                               xr_fit_frames *out, exray_error *error)
{
    exray_tensor_view tensor[2];
    both_sides in;
    for (int s = 0; s < 2; s++) {
        exray_status status = exray_comparison_values(comparison, (exray_side)s, frame, EXRAY_KIND_INPUT,
                                                      pair, slot[s], &tensor[s], &in.values[s], error);
        if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_FORMAT)
            return EXRAY_OK; /* this frame cannot be used */
        if (status != EXRAY_OK)
            return status;
        in.view[s] = xr_pixel_view_of(&tensor[s].info, tensor[s].count);
    }
    if (!exray_comparison_same_shape(comparison, frame, EXRAY_KIND_INPUT, pair) || tensor[0].count == 0) {
        inputs->other_shape++;
        return EXRAY_OK;
    }
    if (placement) {
        exray_status status = place(placement, frame, &in, error);
        if (status != EXRAY_OK)
            return status == EXRAY_E_STATE ? EXRAY_OK : status;
    }
    if (!xr_is_same_size(&in.view[0], &in.view[1]))
        in.view[0] = in.view[1] = xr_row_view((size_t)tensor[0].count);
    if (out->count == 0)
        note_first(inputs, &in, tensor);
    else if (in.view[0].channels != inputs->channels)
        return EXRAY_OK;
    if (in.view[0].channel_stride == in.view[1].channel_stride)
        count_clipped(inputs, &tensor[0], in.values,
                      in.view[0].rows * in.view[0].columns * in.view[0].channels);
    block_row s;
    if (!make_block_row(&s, &in.view[0], inputs->picture))
        return EXRAY_E_MEMORY;
    add_frame(inputs, &in, &s, &out->pixels[out->count], &out->blocks[out->count]);
    free(s.value);
    out->frame[out->count++] = frame;
    return EXRAY_OK;
}

exray_status xr_fit_read(const exray_comparison *comparison, size_t pair, const xr_placement *placement,
                         xr_input_values *inputs, xr_fit_frames *out, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison);
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++)
        for (int s = 0; s < 2; s++) {
            inputs->min[s][c] = INFINITY;
            inputs->max[s][c] = -INFINITY;
        }
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_status status = room(out, frames) && slot[0] && slot[1] ? EXRAY_OK : EXRAY_E_MEMORY;
    for (size_t f = 0; f < frames && status == EXRAY_OK && !inputs->problem;
         f += placement ? placement->step : 1)
        status = read_frame(comparison, pair, placement, inputs, f, slot, out, error);
    if (status == EXRAY_E_MEMORY)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
    inputs->tokens =
        inputs->tokens &&
        !(exray_comparison_input(comparison, pair)->metrics.min[EXRAY_SIDE_REFERENCE] < XR_LEAST_ID);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return status;
}
