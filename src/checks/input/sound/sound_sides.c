#include "checks/input/sound/sound_sides.h"

#include "checks/input/pipeline_of.h"
#include "checks/input/sound/sound_math.h"
#include "checks/input/sound/sound_relation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames; samples of one; channels that are told from each other. */
enum { MOST_FRAMES = 2, MOST_READ = 1 << 14, MOST_CHANNELS = XR_MIXED_CHANNELS };
/* The variance that two resamplers may differ by, relative to the signal: another rate leaves nearly all. */
#define RESAMPLED 0.05
/* A recording may go on after the frame, or before it. */
#define SAME_GAIN 0.02
/* Channels that are one, but for less than this of their energy, are not told from each other. */
#define RIDGE 1e-9

static size_t length_of(const exray_sound *sound)
{
    enum { MOST = 1 << 20 };
    size_t n = exray_sound_length(sound);
    return n < MOST ? n : MOST;
}

/* Whether a side's samples are these, from some place on, in the unit in which full scale is 1 or 32768. */
static bool is_of(const xr_sound_frame *f, int side, const float *made, size_t n, double allowed)
{
    size_t read = f->count < MOST_READ ? f->count : MOST_READ, count = read < n ? read : n;
    if (count < 64)
        return false;
    xr_line line = xr_fit_line(f->side[side], made, count);
    if (line.rest > allowed && n > f->count) {
        /* The frame is a part of the recording. */
        xr_lag lag;
        if (!xr_find_lag(f->side[side], read, made, n, n, &lag) || lag.share < 0.9 || lag.shift < 0 ||
            (size_t)lag.shift + read > n)
            return false;
        line = xr_fit_line(f->side[side], made + lag.shift, read);
    }
    double scale = line.gain > 100 ? line.gain / 32768 : line.gain;
    return line.rest <= allowed && fabs(scale - 1) < SAME_GAIN &&
           fabs(line.offset) < SAME_GAIN * fabs(line.gain) * line.deviation;
}

/* The same behind what a resampler leaves of the band. */
static bool is_resampled_of(const xr_sound_frame *f, int side, const float *made, size_t n, double ratio)
{
    xr_sound_frame low = *f;
    low.count = f->count < MOST_READ ? f->count : MOST_READ;
    low.side[side] = malloc((low.count + 1) * sizeof *low.side[side]);
    bool same = low.side[side] &&
                xr_low_pass(f->side[side], low.count, XR_KEPT_BAND * fmin(1, 1 / ratio), low.side[side]) &&
                is_of(&low, side, made, n, RESAMPLED);
    free(low.side[side]);
    return same;
}

typedef struct tally {
    size_t frames, proper[2], raw[2], channel[2][MOST_CHANNELS], careless[2][EXRAY_RESAMPLER_HOLD + 1];
    double rate[2], careless_rate[2];
    size_t mixed[2];
    double mix[2][MOST_CHANNELS];
} tally;

/* Whether a side is one of several channels, and not their mean. */
static void look_at_channels(const xr_sound_frame *f, const exray_sound *sound, tally *t)
{
    bool mean[2] = {t->raw[0] == t->frames, t->raw[1] == t->frames};
    uint32_t channels = exray_sound_channels(sound);
    size_t n = length_of(sound);
    const float *samples = exray_sound_samples(sound);
    float *one = channels > 1 ? malloc((n + 1) * sizeof *one) : NULL;
    for (uint32_t c = 0; one && c < channels && c < MOST_CHANNELS; c++) {
        for (size_t i = 0; i < n; i++)
            one[i] = samples[i * channels + c];
        for (int s = 0; s < 2; s++)
            t->channel[s][c] += !mean[s] && is_of(f, s, one, n, XR_SOUND_NOISE / 4);
    }
    free(one);
}

/* The factors of the record's channels whose sum a side is, from the frame's beginning on; false: it is none.
 */
static bool find_mix(const xr_sound_frame *f, int side, const exray_sound *sound, double mix[MOST_CHANNELS])
{
    const uint32_t channels = exray_sound_channels(sound);
    const float *x = exray_sound_samples(sound), *y = f->side[side];
    const size_t n = f->count < length_of(sound) ? f->count : length_of(sound);
    double a[MOST_CHANNELS][MOST_CHANNELS] = {{0}}, rest = 0, yy = 0;
    for (uint32_t c = 0; c < channels; c++)
        mix[c] = 0;
    for (size_t i = 0; i < n; i++, x += channels)
        for (uint32_t p = 0; p < channels; p++) {
            for (uint32_t q = 0; q <= p; q++)
                a[p][q] += (double)x[p] * x[q];
            mix[p] += (double)x[p] * y[i];
        }
    for (uint32_t p = 0; p < channels; p++)
        a[p][p] *= 1 + RIDGE;
    if (n < 64 * channels || !xr_solve_positive(a[0], MOST_CHANNELS, mix, channels))
        return false;
    x = exray_sound_samples(sound);
    for (size_t i = 0; i < n; i++, x += channels) {
        double made = 0;
        for (uint32_t c = 0; c < channels; c++)
            made += mix[c] * x[c];
        rest += (y[i] - made) * (y[i] - made), yy += (double)y[i] * y[i];
    }
    return rest <= XR_SOUND_NOISE / 4 * yy;
}

/* Whether a side is one sum of channels in all frames. */
static void look_at_mixes(const xr_sound_frame *f, const exray_sound *sound, tally *t)
{
    const uint32_t channels = exray_sound_channels(sound);
    double mix[MOST_CHANNELS];
    for (int s = 0; s < 2 && channels > 1 && channels <= MOST_CHANNELS; s++) {
        bool same = find_mix(f, s, sound, mix);
        for (uint32_t c = 0; same && c < channels; c++) {
            same = t->frames == 1 || fabs(mix[c] - t->mix[s][c]) < SAME_GAIN * fmax(1, fabs(mix[c]));
            t->mix[s][c] = mix[c];
        }
        t->mixed[s] += same;
    }
}

/* What rounding to 16 bits leaves: no filter makes samples that are so near to the record's own. */
static double rounding_of(const xr_sound_frame *f, int side)
{
    const double step = f->energy[side] > 4 ? 1 : 1.0 / 32768;
    return fmax(1e-7, step * step / f->energy[side]);
}

/* Whether a side is the record at that rate without a low pass. */
static void look_at_careless(const xr_sound_frame *f, const float *mono, size_t n, double rate, double to,
                             tally *t)
{
    const uint32_t from = (uint32_t)rate, wanted = (uint32_t)to;
    const size_t count = exray_resampling_length(n, from, wanted);
    float *made = malloc((count + 1) * sizeof *made);
    for (int kind = EXRAY_RESAMPLER_LINEAR; made && kind <= EXRAY_RESAMPLER_HOLD; kind++) {
        exray_resampling how = EXRAY_RESAMPLING_INIT;
        exray_error error;
        how.kind = (exray_resampler)kind;
        if (exray_resampling_run(&how, mono, n, from, wanted, made, &error) != EXRAY_OK)
            continue;
        for (int s = 0; s < 2; s++)
            if (is_of(f, s, made, count, rounding_of(f, s))) {
                t->careless[s][kind]++;
                t->careless_rate[s] = to;
            }
    }
    free(made);
}

/* The record at usual rates, until both sides are known. */
static void look_at_rates(const xr_sound_frame *f, const float *mono, size_t n, double rate, tally *t)
{
    bool known[2] = {t->raw[0] == t->frames, t->raw[1] == t->frames};
    size_t window = f->count < MOST_READ ? f->count : MOST_READ, room = n <= 4 * f->count ? window : 4 * n;
    float *made = malloc((room + 1) * sizeof *made);
    for (size_t i = 0; made && xr_usual_rates[i] > 0 && !(known[0] && known[1]); i++) {
        double ratio = xr_usual_rates[i] / rate;
        if (ratio == 1 || ratio > 6 || ratio < 1.0 / 6)
            continue;
        size_t got = xr_change_rate(mono, n, ratio, made, room);
        bool found = false;
        for (int s = 0; s < 2; s++) {
            bool other = t->rate[s] > 0 && t->rate[s] != xr_usual_rates[i];
            if (known[s] || other || !is_resampled_of(f, s, made, got, ratio))
                continue;
            known[s] = true;
            t->proper[s]++;
            t->rate[s] = xr_usual_rates[i];
            found = true;
        }
        if (found)
            look_at_careless(f, mono, n, rate, xr_usual_rates[i], t);
    }
    free(made);
}

static void look_at(const xr_sound_frame *f, const exray_sound *sound, tally *t)
{
    const size_t n = length_of(sound);
    float *mono = xr_mean_of_channels(exray_sound_samples(sound), n, exray_sound_channels(sound));
    double rate = exray_sound_rate(sound) ? exray_sound_rate(sound) : XR_RATE_OF_SPEECH;
    if (mono && n > 64) {
        t->frames++;
        for (int s = 0; s < 2; s++)
            if (is_of(f, s, mono, n, XR_SOUND_NOISE)) {
                t->raw[s]++, t->proper[s]++;
                t->rate[s] = rate;
            }
        look_at_rates(f, mono, n, rate, t);
        look_at_channels(f, sound, t);
        look_at_mixes(f, sound, t);
    }
    free(mono);
}

void xr_find_sound_sides(const xr_sound_frames *frames, xr_sound_sides *out)
{
    tally t = {0};
    *out = (xr_sound_sides){.stated = xr_pipeline_rate(frames->comparison)};
    for (size_t i = 0; frames->has_sensor && i < frames->count && t.frames < MOST_FRAMES; i++) {
        const xr_sound_frame *f = &frames->list[i];
        exray_sound *sound = f->equal || f->silent ? NULL : xr_sensor_sound(frames->comparison, f->frame);
        if (!sound)
            continue;
        out->known = true;
        out->rate = exray_sound_rate(sound);
        out->channels = exray_sound_channels(sound);
        look_at(f, sound, &t);
        exray_sound_free(sound);
    }
    for (int s = 0; s < 2; s++) {
        out->proper[s] = t.frames && t.proper[s] >= t.frames;
        out->raw[s] = t.frames && t.raw[s] == t.frames;
        for (int how = EXRAY_RESAMPLER_LINEAR; how <= EXRAY_RESAMPLER_HOLD; how++)
            if (t.frames && t.careless[s][how] == t.frames)
                out->careless[s] = (exray_resampler)how, out->careless_rate[s] = t.careless_rate[s];
        for (int c = 0; c < MOST_CHANNELS && !out->channel_of[s]; c++)
            if (t.frames && t.channel[s][c] == t.frames)
                out->channel_of[s] = c + 1;
        out->at_rate[s] = out->proper[s] ? t.rate[s] : 0;
        out->mixed[s] = t.frames && t.mixed[s] == t.frames;
        memcpy(out->mix[s], t.mix[s], sizeof out->mix[s]);
    }
}

/* Of two sides that are the record at two rates. */
static int wrong_of_two_rates(const xr_sound_sides *sides)
{
    if (sides->stated > 0) {
        const bool right[2] = {sides->at_rate[0] == sides->stated, sides->at_rate[1] == sides->stated};
        if (right[0] == right[1])
            return -1;
        return right[0] ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    }
    /* Who resamples means to, unless the record has the rate that most models of speech take. */
    if (sides->raw[0] != sides->raw[1])
        return sides->raw[0] == (sides->rate != 16000) ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    return -1;
}

int xr_wrong_sound_side(const xr_sound_sides *sides)
{
    if (!sides->careless[0] != !sides->careless[1])
        return sides->careless[0] ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    if (sides->proper[0] && sides->proper[1])
        return wrong_of_two_rates(sides);
    if (sides->proper[0] == sides->proper[1])
        return -1;
    const int one = sides->proper[0] ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    /* The record as it should be, or at a rate that the model does not take. */
    return sides->stated > 0 && sides->at_rate[one] != sides->stated ? one : 1 - one;
}
