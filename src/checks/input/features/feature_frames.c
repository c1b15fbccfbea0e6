#include "checks/input/features/feature_frames.h"

#include "checks/input/picture/sensor_picture.h"
#include "checks/input/sound/sound_frames.h"
#include "checks/port/tensor_type.h"

#include <exray/picture.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAMES = 64,
    MOST_NARROW = 512,
    NARROW = 1024,
    MOST_VALUES = 1 << 16,
    LEAST_ROWS = 4,
    LEAST_BINS = 4
};

/* ---- Shape ------------------------------------------------------------------------------------- */

/* The dimensions of more than 1, if there are two at most; 0: more. */
static size_t two_dimensions(const exray_tensor_info *info, size_t size[2])
{
    size_t found = 0;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] == 1)
            continue;
        if (found == 2 || info->shape[i] <= 0)
            return 0;
        size[found++] = (size_t)info->shape[i];
    }
    return found;
}

static bool is_feature_type(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_FLOAT32 || dtype == EXRAY_DTYPE_FLOAT64 || dtype == EXRAY_DTYPE_FLOAT16 ||
           dtype == EXRAY_DTYPE_INT8 || dtype == EXRAY_DTYPE_UINT8 || dtype == EXRAY_DTYPE_INT16;
}

/* ---- Which axis is time ---------------------------------------------------------------------------- */

/* Whether the second half or more of one frame's rows are the first of the next's, for most neighbors. */
static bool goes_on(const xr_feature_frames *f, size_t rows, size_t bins, bool last)
{
    size_t judged = 0, found = 0;
    for (size_t i = 0; i + 1 < f->count && judged < 6; i++) {
        const float *a = f->list[i].side[1], *b = f->list[i + 1].side[1];
        bool same = memcmp(a, b, rows * bins * sizeof *a) == 0, moved = false;
        judged += !same;
        for (size_t by = 1; !same && !moved && 2 * by <= rows; by++) {
            moved = true;
            for (size_t r = 0; moved && r + by < rows; r++)
                for (size_t c = 0; moved && c < bins; c++) {
                    size_t from = last ? c * rows + r + by : (r + by) * bins + c;
                    size_t to = last ? c * rows + r : r * bins + c;
                    moved = fabsf(a[from] - b[to]) <= 1e-6F * (fabsf(a[from]) + 1e-3F);
                }
        }
        found += moved;
    }
    return judged > 0 && 3 * found >= 2 * judged;
}

/* The logarithm of the loudness of `n` parts of a sound that follow each other; a microphone's bias is none.
 */
static bool loudness_of(const exray_sound *sound, size_t n, double part, double *out)
{
    uint32_t channels = exray_sound_channels(sound);
    const float *v = exray_sound_samples(sound);
    size_t length = exray_sound_length(sound);
    for (size_t i = 0; i < n; i++) {
        size_t from = (size_t)((double)i * part), to = (size_t)((double)(i + 1) * part);
        double sum = 0, mean = 0;
        if (to > length || to <= from)
            return false;
        for (size_t k = from; k < to; k++)
            sum += (double)v[k * channels] * v[k * channels], mean += (double)v[k * channels];
        mean /= (double)(to - from);
        out[i] = log(fmax(sum / (double)(to - from) - mean * mean, 0) + 1e-7);
    }
    return true;
}

static double correlation(const double *a, const double *b, size_t n)
{
    double ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
    for (size_t i = 0; i < n; i++)
        ma += a[i] / (double)n, mb += b[i] / (double)n;
    for (size_t i = 0; i < n; i++)
        aa += (a[i] - ma) * (a[i] - ma), bb += (b[i] - mb) * (b[i] - mb), ab += (a[i] - ma) * (b[i] - mb);
    return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* How well the reference's levels along an axis follow the loudness of the sound in the log: the mean
 * correlation over a few frames, at the hop of those tried that fits best. */
static double follows_sound(const xr_feature_frames *f, size_t first, size_t second, bool along_second)
{
    enum { MOST = 4, HOPS = 4 };
    static const double hops[HOPS] = {0.01, 0.02, 0.016, 0}; /* seconds; 0: the whole sound */
    size_t n = along_second ? second : first, judged = 0;
    double *level = malloc((n + 1) * sizeof *level), *loud = malloc((n + 1) * sizeof *loud), sum[HOPS] = {0},
           best = 0;
    for (size_t i = 0; level && loud && i < f->count && judged < MOST; i++) {
        exray_sound *sound = xr_sensor_sound(f->comparison, f->list[i].frame);
        double rate = sound && exray_sound_rate(sound) ? exray_sound_rate(sound) : 16000;
        for (size_t k = 0; k < n; k++)
            level[k] = 0;
        for (size_t k = 0; k < first * second; k++)
            level[along_second ? k % second : k / second] += f->list[i].side[EXRAY_SIDE_REFERENCE][k];
        for (int h = 0; sound && h < HOPS; h++) {
            double part = hops[h] > 0 ? hops[h] * rate : (double)exray_sound_length(sound) / (double)n;
            if (loudness_of(sound, n, part, loud))
                sum[h] += correlation(level, loud, n);
        }
        judged += sound != NULL;
        exray_sound_free(sound);
    }
    for (int h = 0; h < HOPS && judged; h++)
        best = fmax(best, sum[h] / (double)judged);
    free(level);
    free(loud);
    return best;
}

/* ---- What looks like spectra ---------------------------------------------------------------------- */

/* Whether the reference's values are what no usual normalization makes of pixels of one channel: of 0..1,
 * -1..1, a mean and a deviation, 0..255, or less a mean of these.  Logarithms are: of what is quiet they are
 * far below 0. */
static bool is_beyond_pixels(const xr_feature_frames *f)
{
    const double of_deviation = 3, of_mean = 130, bright = 64;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->size[0] * f->size[1]; k++) {
            const double v = f->list[i].side[EXRAY_SIDE_REFERENCE][k];
            low = fmin(low, v), high = fmax(high, v);
        }
    return low < -of_deviation && !(low >= -of_mean && high >= bright);
}

/* How much of the variance the levels along an axis are that all frames share. */
static double shared_levels(const xr_feature_frames *f, int axis)
{
    const size_t n = f->size[axis], across = f->size[1 - axis];
    double *sum = calloc(2 * n, sizeof *sum), *level = sum ? sum + n : NULL, squares = 0, shared = 0,
           variance = 0;
    for (size_t i = 0; sum && i < f->count; i++) {
        const float *v = f->list[i].side[EXRAY_SIDE_REFERENCE];
        double mean = 0;
        for (size_t k = 0; k < n; k++)
            level[k] = 0;
        for (size_t k = 0; k < n * across; k++)
            level[axis ? k % n : k / across] += v[k] / (double)across, mean += v[k] / (double)(n * across);
        for (size_t k = 0; k < n * across; k++)
            variance += (v[k] - mean) * (v[k] - mean) / (double)(n * across);
        for (size_t k = 0; k < n; k++)
            sum[k] += level[k] - mean, squares += (level[k] - mean) * (level[k] - mean);
    }
    for (size_t k = 0; sum && k < n; k++)
        shared += sum[k] * sum[k];
    free(sum);
    const double count = (double)f->count, pairs = count * (count - 1);
    return variance > 0 && pairs > 0 ? (shared - squares) / (double)n / pairs / (variance / count) : 0;
}

/* Whether they are spectra of sounds in logarithms: beyond pixels, and each bin has a level of its own in all
 * frames while moments have none.  *bins: the dimension of the bins. */
static bool looks_like_spectra(const xr_feature_frames *f, int *bins)
{
    enum { LEAST_FRAMES = 3 };
    const double least = 0.05, much = 3, chance = 0.005;
    if (f->count < LEAST_FRAMES || f->size[0] < LEAST_ROWS || f->size[1] < LEAST_BINS || !is_beyond_pixels(f))
        return false;
    const double along[2] = {shared_levels(f, 0), shared_levels(f, 1)};
    *bins = along[1] > along[0];
    return along[*bins] >= least && along[*bins] >= much * fmax(along[1 - *bins], chance);
}

/* ---- Reading ------------------------------------------------------------------------------------------ */

static bool read_side(const xr_feature_frames *f, int side, size_t frame, exray_slot *slot,
                      exray_tensor_view *view, float **out)
{
    exray_error error;
    const float *values;
    size_t size[2];
    *out = NULL;
    if (exray_comparison_values(f->comparison, (exray_side)side, frame, EXRAY_KIND_INPUT, f->pair, slot, view,
                                &values, &error) != EXRAY_OK ||
        !is_feature_type(view->info.dtype) || view->count > MOST_VALUES || view->count < 64 ||
        !two_dimensions(&view->info, size))
        return false;
    *out = malloc((size_t)view->count * sizeof **out);
    if (*out)
        memcpy(*out, values, (size_t)view->count * sizeof **out);
    return *out != NULL;
}

void xr_measure_features(xr_feature_frame *f, size_t n)
{
    double sum[2] = {0}, square[2] = {0}, difference = 0;
    for (size_t i = 0; i < n; i++) {
        double d = (double)f->side[0][i] - f->side[1][i];
        difference += d * d;
        for (int s = 0; s < 2; s++)
            sum[s] += f->side[s][i], square[s] += (double)f->side[s][i] * f->side[s][i];
    }
    double variance[2];
    for (int s = 0; s < 2; s++)
        variance[s] = square[s] / (double)n - sum[s] / (double)n * (sum[s] / (double)n);
    f->rest = variance[1] > 0 ? difference / (double)n / variance[1] : INFINITY;
    f->differs = isfinite(difference) && variance[0] > 0 && variance[1] > 0 && f->rest > 1e-8;
}

static void note_type(xr_feature_frames *f, const exray_tensor_view view[2])
{
    const exray_quantization *q[2] = {&view[0].info.quantization, &view[1].info.quantization};
    f->bytes = true;
    for (int s = 0; s < 2; s++) {
        f->bytes = f->bytes && q[s]->count == 1 && view[s].info.dtype == view[0].info.dtype &&
                   xr_is_byte(view[s].info.dtype);
        f->zero[s] = f->bytes && q[s]->zero_point ? (double)q[s]->zero_point[0] : 0;
    }
    f->other_steps = f->bytes && (q[0]->scale[0] != q[1]->scale[0] || f->zero[0] != f->zero[1]);
    f->bytes = f->bytes && !f->other_steps && q[0]->scale[0] > 0;
    f->scale = f->bytes ? q[0]->scale[0] : 0;
    f->low = view[0].info.dtype == EXRAY_DTYPE_INT8 ? -128 : 0;
}

/* false: the frame cannot be used. */
static bool read_frame(xr_feature_frames *f, size_t frame, exray_slot *const slot[2],
                       exray_tensor_view view[2])
{
    xr_feature_frame one = {.frame = frame};
    bool read = exray_comparison_same_shape(f->comparison, frame, EXRAY_KIND_INPUT, f->pair);
    for (int s = 0; s < 2 && read; s++)
        read = read_side(f, s, frame, slot[s], &view[s], &one.side[s]);
    if (!read || view[0].count != view[1].count ||
        (f->count && view[0].count != (uint64_t)f->rows * (uint64_t)f->bins)) {
        free(one.side[0]);
        free(one.side[1]);
        return false;
    }
    if (f->count == 0) {
        f->rows = 1, f->bins = (size_t)view[0].count;
        f->dimensions = two_dimensions(&view[0].info, f->size);
        note_type(f, view);
    }
    xr_measure_features(&one, (size_t)view[0].count);
    f->differing += one.differs;
    f->list[f->count++] = one;
    return true;
}

/* Puts time first. */
static bool turn_table(float *v, size_t rows, size_t bins)
{
    float *out = malloc(rows * bins * sizeof *out);
    for (size_t c = 0; out && c < bins; c++)
        for (size_t r = 0; r < rows; r++)
            out[r * bins + c] = v[c * rows + r];
    if (out)
        memcpy(v, out, rows * bins * sizeof *v);
    free(out);
    return out != NULL;
}

static bool turn_all(xr_feature_frames *f)
{
    size_t rows = f->bins, bins = f->rows;
    for (size_t i = 0; i < f->count; i++)
        for (int s = 0; s < 2; s++)
            if (!turn_table(f->list[i].side[s], rows, bins))
                return false;
    f->rows = rows, f->bins = bins;
    return true;
}

bool xr_looks_like_spectra(const exray_comparison *comparison, size_t pair)
{
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    xr_feature_frames *f = io->problem ? NULL : xr_feature_frames_read(comparison, pair);
    int bins;
    const bool found = f && f->dimensions == 2 && looks_like_spectra(f, &bins);
    xr_feature_frames_free(f);
    return found;
}

bool xr_turn_features(xr_feature_frames *f)
{
    return f->dimensions == 2 && !f->axis_known && turn_all(f);
}

/* The rows and bins of the tables; false: they are none. */
static bool find_axes(xr_feature_frames *f)
{
    const size_t *size = f->size, n = f->bins;
    if (f->dimensions == 1) {
        const float *values[4];
        size_t used = 0;
        for (size_t i = 0; i < f->count && used < 4; i++)
            if (f->list[i].differs)
                values[used++] = f->list[i].side[EXRAY_SIDE_REFERENCE];
        size_t width = xr_row_width(values, used, n);
        if (!width)
            return false;
        f->rows = n / width, f->bins = width;
        return true;
    }
    bool first = goes_on(f, size[0], size[1], false), last = !first && goes_on(f, size[1], size[0], true);
    int bins = f->io->table_channels;
    f->rows_by_graph = !first && !last && !f->has_sensor && f->io->table;
    const bool known = first || last || f->has_sensor || f->rows_by_graph;
    if (!known && !looks_like_spectra(f, &bins))
        return false;
    f->axis_known = first || last || bins >= 0;
    last = last || bins == 0;
    if (!f->axis_known && f->has_sensor)
        last = follows_sound(f, size[0], size[1], true) > follows_sound(f, size[0], size[1], false);
    f->rows = size[0], f->bins = size[1];
    return !last || turn_all(f);
}

static bool has_picture(const exray_comparison *comparison, exray_slot *slot)
{
    exray_media media;
    exray_picture *picture = xr_sensor_picture(comparison, 0, NULL, slot, &media);
    bool found = picture != NULL;
    exray_picture_free(picture);
    return found;
}

void xr_set_allowed_features(xr_feature_frames *f)
{
    double sum = 0, square = 0, n = (double)(f->rows * f->bins * f->count);
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->rows * f->bins; k++)
            sum += f->list[i].side[1][k], square += (double)f->list[i].side[1][k] * f->list[i].side[1][k];
    double variance = square / n - sum / n * (sum / n), steps = 0;
    for (int s = 0; s < 2; s++)
        steps += f->bytes ? f->scale * f->scale / 4 : 0;
    f->allowed = fmax(4e-4, variance > 0 ? fmin(steps / variance, 0.02) : 0);
}

/* Of few values each, those of a stream, more are read. */
static size_t most_frames(const xr_feature_frames *f)
{
    return f->rows * f->bins <= NARROW ? MOST_NARROW : MOST_FRAMES;
}

xr_feature_frames *xr_feature_frames_read(const exray_comparison *comparison, size_t pair)
{
    size_t count = exray_comparison_frame_count(comparison);
    xr_feature_frames *f = calloc(1, sizeof *f);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_tensor_view view[2];
    bool read = f && slot[0] && slot[1] && count > 0;
    if (read) {
        *f = (xr_feature_frames){.comparison = comparison,
                                 .pair = pair,
                                 .io = exray_comparison_input(comparison, pair),
                                 .list = calloc(MOST_NARROW + 1, sizeof *f->list)};
        read = f->list != NULL;
    }
    for (size_t i = 0; read && i < count && f->count < most_frames(f); i++)
        if (!read_frame(f, i, slot, view) && i >= 4 && f->count == 0)
            break;
    bool useful = read && f->count && f->differing;
    if (useful) {
        exray_sound *sound = xr_sensor_sound(comparison, f->list[0].frame);
        f->has_sensor = sound != NULL;
        exray_sound_free(sound);
        useful = f->has_sensor || !has_picture(comparison, slot[0]);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (useful) {
        f->table = find_axes(f) && f->rows >= LEAST_ROWS && f->bins >= LEAST_BINS;
        xr_set_allowed_features(f);
        return f;
    }
    xr_feature_frames_free(f);
    return NULL;
}

void xr_free_feature_list(xr_feature_frame *list, size_t count)
{
    for (size_t i = 0; list && i < count; i++) {
        free(list[i].side[0]);
        free(list[i].side[1]);
    }
    free(list);
}

void xr_feature_frames_free(xr_feature_frames *f)
{
    if (f)
        xr_free_feature_list(f->list, f->count);
    free(f);
}
