#include "checks/input/sound/sound_frames.h"

#include "checks/input/frames/stream_hop.h"
#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST = 256, MOST_FRAMES = 512, MOST_VALUES = 1 << 22 };

/* Of rows of features, what neighbors have in common at least, and by how much more than what is beside. */
#define LEAST_ALIKE 0.4
#define LEAST_PEAK  0.03
/* A side swings about its mean: that is no more than this many deviations from 0. */
#define MOST_MEAN 0.5
/* Or it has a bias: the means of frames are one number, up to this part of a deviation. */
#define SAME_MEAN 0.15
/* Of samples, no more lie at the least value: features of silence all do. */
#define MOST_AT_LEAST 0.2
/* The difference's deviation relative to the signal that float arithmetic leaves. */
#define FLOAT_NOISE 1e-6

/* ---- The microphone's record -------------------------------------------------------------------- */

static bool is_sound_format(const exray_media *media)
{
    const char *f = media->format;
    return f && (strcmp(f, "wav") == 0 || strcmp(f, "s16") == 0 || strcmp(f, "f32") == 0);
}

static exray_sound *sound_of(const exray_log *log, size_t frame, exray_slot *slot)
{
    const exray_record *records = exray_log_records(log, frame);
    for (size_t i = 0; records && i < exray_log_frame(log, frame)->record_count; i++) {
        exray_tensor_view view;
        exray_error error;
        if (records[i].message != EXRAY_MESSAGE_TENSOR || records[i].kind != EXRAY_KIND_SENSOR ||
            !records[i].has_data ||
            exray_log_read_tensor(log, &records[i], slot, &view, &error) != EXRAY_OK || !view.data ||
            !view.has_media || !is_sound_format(&view.media))
            continue;
        exray_sound *sound = exray_sound_decode(&view.media, view.data, view.size, &error);
        if (sound)
            return sound;
    }
    return NULL;
}

exray_sound *xr_sensor_sound(const exray_comparison *comparison, size_t frame)
{
    exray_frame_pair pair = exray_comparison_frame(comparison, frame);
    exray_slot *slot = exray_slot_new();
    exray_sound *sound = NULL;
    for (int s = 0; s < 2 && slot && !sound; s++)
        sound = sound_of(exray_comparison_log(comparison, (exray_side)s), pair.frame[s], slot);
    exray_slot_free(slot);
    return sound;
}

static void note_sensor(xr_sound_frames *frames)
{
    exray_sound *sound = xr_sensor_sound(frames->comparison, frames->list[0].frame);
    if (!sound)
        return;
    frames->has_sensor = true;
    frames->sensor_channels = exray_sound_channels(sound);
    exray_sound_free(sound);
}

/* ---- What is a sound ------------------------------------------------------------------------------ */

/* How much of the variance values so far apart have in common. */
static double alike_at(const float *v, size_t count, size_t lag)
{
    double mean = 0, all = 0, shared = 0;
    for (size_t i = 0; i < count; i++)
        mean += v[i];
    mean /= (double)count;
    for (size_t i = 0; i < count; i++)
        all += (v[i] - mean) * (v[i] - mean);
    for (size_t i = lag; i < count; i++)
        shared += (v[i] - mean) * (v[i - lag] - mean);
    return all > 0 ? shared / all * (double)count / (double)(count - lag) : 0;
}

/* Whether each row swings about zero: then its columns are phases of a tone. */
static bool swings_in_rows(const float *v, size_t count, size_t width)
{
    double all = 0, means = 0;
    for (size_t i = 0; i < count; i++)
        all += (double)v[i] * v[i];
    for (size_t r = 0; r < count / width; r++) {
        double sum = 0;
        for (size_t c = 0; c < width; c++)
            sum += v[r * width + c];
        means += sum * sum / (double)width;
    }
    return means < 0.05 * all;
}

/* How well rows of that width are those of a table, in the frame that speaks least for it: neighboring rows
 * are alike, and more so than what is two columns apart in them. */
static double is_table_of(const float *const *values, size_t frames, size_t count, size_t width)
{
    double least = 1;
    for (size_t i = 0; i < frames; i++) {
        double alike = alike_at(values[i], count, width);
        double beside = fmax(alike_at(values[i], count, width - 2), alike_at(values[i], count, width + 2));
        if (alike < LEAST_ALIKE || alike < beside + LEAST_PEAK || swings_in_rows(values[i], count, width))
            return 0;
        least = fmin(least, alike);
    }
    return least;
}

size_t xr_row_width(const float *const *values, size_t frames, size_t count)
{
    enum { LEAST_WIDTH = 8, MOST_WIDTH = 512, LEAST_ROWS = 4, MOST_COUNT = 1 << 17, MOST_READ = 4 };
    size_t best = 0;
    double most = 0;
    if (count > MOST_COUNT || frames == 0)
        return 0;
    for (size_t width = LEAST_WIDTH; width <= MOST_WIDTH && width * LEAST_ROWS <= count; width++) {
        if (count % width)
            continue;
        double alike = is_table_of(values, frames < MOST_READ ? frames : MOST_READ, count, width);
        /* Every second row is nearly as much alike: the narrower rows are taken. */
        if (alike > most + 0.02)
            most = alike, best = width;
    }
    return best;
}

static bool is_one_row(const exray_tensor_info *info, uint64_t count)
{
    int64_t largest = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        largest = info->shape[i] > largest ? info->shape[i] : largest;
    return count >= LEAST && (info->rank == 0 || (uint64_t)largest == count);
}

static bool is_sample_type(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_FLOAT32 || dtype == EXRAY_DTYPE_FLOAT16 || dtype == EXRAY_DTYPE_FLOAT64 ||
           dtype == EXRAY_DTYPE_INT16 || dtype == EXRAY_DTYPE_INT8 || dtype == EXRAY_DTYPE_UINT8 ||
           dtype == EXRAY_DTYPE_INT32;
}

/* ---- Reading -------------------------------------------------------------------------------------- */

static void measure_side(xr_sound_frame *f, int s)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < f->count; i++)
        sum += f->side[s][i];
    f->mean[s] = sum / (double)f->count;
    for (size_t i = 0; i < f->count; i++)
        square += (f->side[s][i] - f->mean[s]) * (f->side[s][i] - f->mean[s]);
    f->energy[s] = square / (double)f->count;
}

static void measure(xr_sound_frame *f)
{
    double square = 0;
    bool finite = true;
    for (size_t i = 0; i < f->count; i++) {
        double d = (double)f->side[0][i] - f->side[1][i];
        square += d * d;
        finite = finite && isfinite(f->side[0][i]) && isfinite(f->side[1][i]);
    }
    square /= (double)f->count;
    for (int s = 0; s < 2; s++)
        measure_side(f, s);
    f->rest = f->energy[1] > 0 ? square / f->energy[1] : INFINITY;
    f->equal = square <= FLOAT_NOISE * FLOAT_NOISE * f->energy[1];
    for (int s = 0; s < 2; s++)
        f->zero[s] = finite && !(f->energy[s] > 0) && f->mean[s] == 0 && f->energy[!s] > 0;
    f->silent = !finite || !(f->energy[0] > 0) || !(f->energy[1] > 0);
}

static bool read_side(const xr_sound_frames *frames, int side, size_t frame, exray_slot *slot,
                      exray_tensor_view *view, float **out)
{
    exray_error error;
    const float *values;
    *out = NULL;
    if (exray_comparison_values(frames->comparison, (exray_side)side, frame, EXRAY_KIND_INPUT, frames->pair,
                                slot, view, &values, &error) != EXRAY_OK ||
        !is_one_row(&view->info, view->count) || !is_sample_type(view->info.dtype) ||
        view->count > MOST_VALUES)
        return false;
    *out = malloc((size_t)view->count * sizeof **out);
    if (*out)
        memcpy(*out, values, (size_t)view->count * sizeof **out);
    return *out != NULL;
}

/* false: the frame cannot be used. */
static bool read_frame(xr_sound_frames *frames, size_t frame, exray_slot *const slot[2])
{
    xr_sound_frame f = {.frame = frame};
    exray_tensor_view view[2];
    bool read = exray_comparison_same_shape(frames->comparison, frame, EXRAY_KIND_INPUT, frames->pair);
    for (int s = 0; s < 2 && read; s++)
        read = read_side(frames, s, frame, slot[s], &view[s], &f.side[s]);
    if (!read || view[0].count != view[1].count) {
        free(f.side[0]);
        free(f.side[1]);
        return false;
    }
    f.count = (size_t)view[0].count;
    measure(&f);
    for (int s = 0; s < 2; s++)
        frames->dtype[s] = view[s].info.dtype;
    frames->differing += !f.equal && !f.silent;
    frames->list[frames->count++] = f;
    return true;
}

/* Whether so many samples are the microphone's, at its rate or another usual one. */
static bool has_length_of_sensor(const xr_sound_frames *frames)
{
    exray_sound *sound =
        frames->has_sensor ? xr_sensor_sound(frames->comparison, frames->list[0].frame) : NULL;
    double n = sound ? (double)exray_sound_length(sound) : 0, count = (double)frames->list[0].count;
    double rate = sound && exray_sound_rate(sound) ? exray_sound_rate(sound) : 16000;
    bool fits = sound && (count == n || count == n * exray_sound_channels(sound));
    exray_sound_free(sound);
    for (size_t i = 0; n > 0 && !fits && xr_usual_rates[i] > 0; i++)
        fits = fabs(count - n * xr_usual_rates[i] / rate) < 2;
    return fits;
}

static bool lies_at_least(const xr_sound_frames *frames, int side, size_t count)
{
    float least = INFINITY;
    size_t values = 0, at = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < frames->list[i].count; k++) {
                const float v = frames->list[i].side[side][k];
                least = pass == 0 ? fminf(least, v) : least;
                values += pass, at += pass && v == least;
            }
    return (double)at > MOST_AT_LEAST * (double)values;
}

/* Whether a side's samples swing about one mean in all frames: those of a microphone with a bias. */
static bool is_biased(const xr_sound_frames *frames, int side)
{
    enum { LEAST_FRAMES = 3, MOST_JUDGED = 64 };
    double sum = 0, square = 0, energy = 0, judged = 0;
    for (size_t i = 0; i < frames->count && judged < MOST_JUDGED; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (f->silent)
            continue;
        sum += f->mean[side], square += f->mean[side] * f->mean[side], energy += f->energy[side], judged++;
    }
    if (judged < LEAST_FRAMES)
        return false;
    const double mean = sum / judged, spread = square / judged - mean * mean;
    return spread <= SAME_MEAN * SAME_MEAN * energy / judged &&
           !lies_at_least(frames, side, frames->count < MOST_JUDGED ? frames->count : MOST_JUDGED);
}

/* Whether either side's frames swing about zero, and are no table of features. */
static bool is_sound(const xr_sound_frames *frames)
{
    enum {
        READ = 4,
        MOST_JUDGED = 64
    }; /* a short piece of a hum, or of what is nearly silence, is all on one side */
    size_t swings = 0, judged = 0;
    const float *values[READ];
    size_t count = frames->list[0].count;
    for (size_t i = 0; i < frames->count && judged < MOST_JUDGED; i++) {
        const xr_sound_frame *f = &frames->list[i];
        if (f->silent || f->count != count)
            continue;
        if (judged++ < READ)
            values[judged - 1] = f->side[1];
        for (int s = 0; s < 2; s++)
            if (fabs(f->mean[s]) < MOST_MEAN * sqrt(f->energy[s])) {
                swings++;
                break;
            }
    }
    const bool fits = has_length_of_sensor(frames);
    const bool swings_so = 2 * swings > judged ||
                           ((fits || !frames->has_sensor) && (is_biased(frames, 0) || is_biased(frames, 1)));
    /* A short piece of a voice falls into rows, too: the periods of its pitch. */
    return judged > 0 &&
           ((swings_so && fits) ||
            ((swings_so || fits) && !xr_row_width(values, judged < READ ? judged : READ, count)));
}

xr_sound_frames *xr_sound_frames_read(const exray_comparison *comparison, size_t pair)
{
    size_t count = exray_comparison_frame_count(comparison), values = 0;
    xr_sound_frames *frames = calloc(1, sizeof *frames);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool read = frames && slot[0] && slot[1];
    if (read) {
        *frames = (xr_sound_frames){.comparison = comparison,
                                    .pair = pair,
                                    .io = exray_comparison_input(comparison, pair),
                                    .list = calloc(count + 1, sizeof *frames->list)};
        read = frames->list != NULL;
    }
    for (size_t f = 0; read && f < count && frames->count < MOST_FRAMES && values < MOST_VALUES; f++) {
        if (read_frame(frames, f, slot))
            values += frames->list[frames->count - 1].count;
        else if (f >= 8 && frames->count == 0)
            break; /* no sound */
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (read && frames->count) {
        note_sensor(frames);
        if (is_sound(frames))
            return frames;
    }
    xr_sound_frames_free(frames);
    return NULL;
}

static void free_list(xr_sound_frame *list, size_t count)
{
    for (size_t i = 0; list && i < count; i++) {
        free(list[i].side[0]);
        free(list[i].side[1]);
    }
    free(list);
}

void xr_sound_frames_free(xr_sound_frames *frames)
{
    if (!frames)
        return;
    free_list(frames->list, frames->count);
    free(frames);
}

/* ---- Streams ---------------------------------------------------------------------------------------- */

enum { SHORT = 4096, LEAST_JOINED = 4, LONGEST_JOINED = 1 << 18 };

/* Whether a hop, which is in samples of the recording, is in samples of the tensor, too: where windows
 * overlap, what the reference has twice tells; where they only touch, the length of the microphone's record
 * does. */
static bool goes_on(const xr_sound_frames *f, size_t i, size_t hop)
{
    const xr_sound_frame *now = &f->list[i], *next = &f->list[i + 1];
    const float *a = now->side[EXRAY_SIDE_REFERENCE], *b = next->side[EXRAY_SIDE_REFERENCE];
    if (hop < now->count)
        return memcmp(a + hop, b, (now->count - hop) * sizeof *a) == 0;
    exray_sound *sound = f->has_sensor ? xr_sensor_sound(f->comparison, now->frame) : NULL;
    const bool same = sound && exray_sound_length(sound) == now->count;
    exray_sound_free(sound);
    return same;
}

/* How many frames from i on follow each other at one hop without a gap. */
static size_t run_from(const xr_sound_frames *f, size_t i, size_t *hop)
{
    size_t n = 1, count = f->list[i].count;
    long first = xr_hop_to_next(f->comparison, f->list[i].frame);
    *hop = first > 0 ? (size_t)first : 0;
    if (*hop == 0 || *hop > count)
        return 1;
    while (i + n < f->count && f->list[i + n].frame == f->list[i].frame + n &&
           f->list[i + n].count == count &&
           xr_hop_to_next(f->comparison, f->list[i + n - 1].frame) == first &&
           n * *hop + count <= LONGEST_JOINED && goes_on(f, i + n - 1, *hop))
        n++;
    return n;
}

/* false: memory is lacking. */
static bool join_frames(const xr_sound_frames *f, size_t i, size_t n, size_t hop, xr_sound_frame *out)
{
    const size_t count = f->list[i].count;
    *out = (xr_sound_frame){.frame = f->list[i].frame, .joined = n, .count = hop * (n - 1) + count};
    for (int s = 0; s < 2; s++)
        out->side[s] = malloc((out->count + 1) * sizeof *out->side[s]);
    bool made = out->side[0] && out->side[1];
    for (size_t j = 0; made && j < n; j++)
        for (int s = 0; s < 2; s++)
            memcpy(out->side[s] + j * hop, f->list[i + j].side[s],
                   (j + 1 < n ? hop : count) * sizeof *out->side[s]);
    if (made)
        measure(out);
    return made;
}

bool xr_join_sound(xr_sound_frames *f)
{
    if (f->count < LEAST_JOINED || f->list[0].count > SHORT)
        return false;
    xr_sound_frame *list = calloc(f->count + 1, sizeof *list);
    size_t count = 0, run;
    bool made = list != NULL;
    for (size_t i = 0; made && i < f->count; i += run) {
        size_t hop;
        run = run_from(f, i, &hop);
        if (run >= LEAST_JOINED)
            made = join_frames(f, i, run, hop, &list[count++]);
    }
    if (!made || count == 0) {
        free_list(list, count);
        return false;
    }
    free_list(f->list, f->count);
    f->list = list, f->count = count, f->differing = 0;
    for (size_t i = 0; i < count; i++)
        f->differing += !list[i].equal && !list[i].silent;
    return true;
}
