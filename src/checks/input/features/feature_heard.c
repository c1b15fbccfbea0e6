#include "checks/input/features/feature_heard.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number is taken for another where that leaves so much less. */
#define BETTER 0.95

/* The features of frames that differ may do so by this many times what noise was found to make; in any one
 * frame.  What is more is no noise, whatever the front end makes of it. */
#define MUCH_NOISE 3
#define IN_A_FRAME 12
#define MOST_NOISE 0.1

/* ---- What the front end hears ------------------------------------------------------------------ */

static float clipped(double v)
{
    return (float)fmax(-1, fmin(32767.0 / 32768, v));
}

static float swapped(float v)
{
    int whole = (int)fmax(-32768, fmin(32767, round(v * 32768.0)));
    unsigned bits = (unsigned)whole & 0xFFFFU, turned = (bits >> 8 | bits << 8) & 0xFFFFU;
    return (float)((double)(turned >= 0x8000U ? (int)turned - 0x10000 : (int)turned) / 32768);
}

/* Resampled to a rate and back, as sound of that rate is. */
static float *narrowed(const float *v, size_t n, double rate, size_t *length)
{
    const uint32_t low = (uint32_t)rate, high = XR_FEATURE_RATE;
    size_t few = exray_resampling_length(n, high, low), many = exray_resampling_length(few, low, high);
    float *between = malloc((few + 1) * sizeof *between), *out = malloc((many + 1) * sizeof *out);
    exray_error error;
    bool made = between && out && exray_resampling_run(NULL, v, n, high, low, between, &error) == EXRAY_OK &&
                exray_resampling_run(NULL, between, few, low, high, out, &error) == EXRAY_OK;
    free(between);
    *length = many;
    if (made)
        return out;
    free(out);
    return NULL;
}

/* The record at 16 kHz without a low pass; NULL: memory, or a rate that is too far away. */
static float *careless(const float *v, size_t n, double rate, exray_resampler kind, size_t *length)
{
    exray_resampling how = EXRAY_RESAMPLING_INIT;
    exray_error error;
    how.kind = kind;
    *length = exray_resampling_length(n, (uint32_t)rate, XR_FEATURE_RATE);
    float *out = malloc((*length + 1) * sizeof *out);
    if (out && exray_resampling_run(&how, v, n, (uint32_t)rate, XR_FEATURE_RATE, out, &error) == EXRAY_OK)
        return out;
    free(out);
    return NULL;
}

/* The samples, changed; `from` becomes the first that is known. */
static float *changed(const xr_feature_sounds *h, size_t i, const xr_heard *heard, size_t *length,
                      size_t *from)
{
    const bool raw = heard->kind == XR_HEARD_RAW, mixed = heard->kind == XR_HEARD_INTERLEAVED;
    const float *v = raw ? h->raw[i] : mixed ? h->mixed[i] : h->made[i];
    size_t n = raw ? h->raw_length[i] : mixed ? h->mixed_length[i] : h->made_length[i], skip = 0;
    long late = heard->kind == XR_HEARD_LATE ? (long)heard->number : 0;
    *from = late > 0 ? (size_t)late : 0;
    if (heard->kind == XR_HEARD_BAND)
        return narrowed(v, n, heard->number, length);
    if (heard->kind == XR_HEARD_LINEAR || heard->kind == XR_HEARD_HOLD)
        return h->raw_length[i]
                   ? careless(h->raw[i], h->raw_length[i], h->rate,
                              heard->kind == XR_HEARD_HOLD ? EXRAY_RESAMPLER_HOLD : EXRAY_RESAMPLER_LINEAR,
                              length)
                   : NULL;
    if (late < 0)
        skip = (size_t)-late < n ? (size_t)-late : n;
    *length = n - skip;
    float *out = malloc((n + 1) * sizeof *out);
    if (!out || !v) {
        free(out);
        return NULL;
    }
    for (size_t k = 0; k < *length; k++) {
        double now = late > 0 ? (k >= (size_t)late ? v[k - (size_t)late] : 0) : v[k + skip];
        if (heard->kind == XR_HEARD_SWAPPED)
            now = swapped((float)now);
        else if (heard->kind == XR_HEARD_GAIN)
            now = clipped(now * heard->number);
        else if (heard->kind == XR_HEARD_EMPHASIS)
            now = clipped(now - (k ? heard->number * v[k - 1] : 0));
        out[k] = (float)now;
    }
    return out;
}

typedef struct heard_search {
    const xr_feature_sounds *h;
    xr_heard_rest rest;
    const void *front_end, *coarse;
    xr_heard best;
} heard_search;

static double rest_of(const heard_search *s, const xr_heard *heard, size_t sounds, const void *front_end)
{
    float *samples[XR_FEATURE_SOUNDS] = {0};
    size_t length[XR_FEATURE_SOUNDS], from = 0;
    bool made = true;
    for (size_t i = 0; made && i < sounds; i++)
        made = (samples[i] = changed(s->h, i, heard, &length[i], &from)) != NULL;
    double rest = made ? s->rest(front_end, samples, length, sounds, from) : 1;
    for (size_t i = 0; i < sounds; i++)
        free(samples[i]);
    return rest;
}

static void attempt(heard_search *s, xr_heard_kind kind, double number)
{
    xr_heard now = {kind, number, 1};
    now.rest = rest_of(s, &now, s->h->count, s->front_end);
    if (now.rest < BETTER * s->best.rest)
        s->best = now;
}

static void attempt_list(heard_search *s, xr_heard_kind kind, const double *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        attempt(s, kind, numbers[i]);
}

/* Levels by halves, tenths and full scales first, then finer. */
static void attempt_gains(heard_search *s)
{
    static const double gains[] = {0.5, 2,        0.25, 4,        0.125, 8,    0.1,
                                   10,  1.0 / 16, 16,   1.0 / 32, 32,    0.01, 1.0 / 32768};
    attempt_list(s, XR_HEARD_GAIN, gains, sizeof gains / sizeof *gains);
    const double around = s->best.number;
    if (s->best.kind == XR_HEARD_GAIN)
        for (int i = -4; i <= 4; i++)
            if (i)
                attempt(s, XR_HEARD_GAIN, around * pow(2, i / 8.0));
}

/* A shift: coarsely on one sound, then finer on all. */
static void attempt_shifts(heard_search *s)
{
    enum { MOST = 3200, COARSE = 80 };
    xr_heard best = {XR_HEARD_LATE, 0, 1};
    for (long size = COARSE; size <= MOST; size += COARSE)
        for (int sign = -1; sign < 2; sign += 2) {
            xr_heard now = {XR_HEARD_LATE, (double)(sign * size), 1};
            now.rest = rest_of(s, &now, 1, s->coarse);
            if (now.rest < best.rest)
                best = now;
        }
    for (double step = COARSE / 2.0; step >= 1 && best.rest < 0.5; step = floor(step / 2))
        for (int sign = -1; sign < 2; sign += 2) {
            xr_heard now = {XR_HEARD_LATE, best.number + sign * step, 1};
            now.rest = rest_of(s, &now, 1, s->coarse);
            if (now.rest < best.rest)
                best = now;
        }
    const xr_heard before = s->best;
    if (best.number != 0)
        attempt(s, XR_HEARD_LATE, best.number);
    /* Rows that a shift leaves out may be all that was wrong. */
    if (s->best.kind == XR_HEARD_LATE && best.number > 0 &&
        s->best.rest >=
            BETTER * s->rest(s->front_end, s->h->made, s->h->made_length, s->h->count, (size_t)best.number))
        s->best = before;
}

xr_heard xr_find_heard(const xr_feature_sounds *sounds, xr_heard_rest rest, const void *front_end,
                       const void *coarse, double enough)
{
    static const double bands[] = {8000, 11025, 12000, 4000}, emphases[] = {0.97, 0.95};
    heard_search s = {sounds, rest, front_end, coarse, {XR_HEARD_AS_IS, 1, 1}};
    s.best.rest = rest_of(&s, &s.best, sounds->count, front_end);
    if (sounds->rate != XR_FEATURE_RATE)
        for (int kind = XR_HEARD_RAW; kind <= XR_HEARD_HOLD; kind++)
            attempt(&s, (xr_heard_kind)kind, sounds->rate);
    if (sounds->channels > 1 && s.best.rest > enough)
        attempt(&s, XR_HEARD_INTERLEAVED, sounds->channels);
    if (s.best.rest > enough)
        attempt_gains(&s);
    if (s.best.rest > enough)
        attempt(&s, XR_HEARD_SWAPPED, 1);
    if (s.best.rest > enough)
        attempt_list(&s, XR_HEARD_BAND, bands, sizeof bands / sizeof *bands);
    if (s.best.rest > enough)
        attempt_list(&s, XR_HEARD_EMPHASIS, emphases, sizeof emphases / sizeof *emphases);
    if (s.best.rest > enough)
        attempt_shifts(&s);
    return s.best;
}

/* ---- Noise -------------------------------------------------------------------------------------- */

/* -1 to 1, the same in every run. */
static double next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (double)(*state >> 11) / 4503599627370496.0 - 1;
}

/* The sound with steps of dither, and noise of that share of its loudness. */
static float *with_noise(const float *v, size_t n, double share)
{
    float *out = malloc((n + 1) * sizeof *out);
    double square = 0;
    uint64_t state = 1;
    for (size_t k = 0; k < n; k++)
        square += (double)v[k] * v[k];
    /* Noise of even distribution up to that size. */
    double size = n ? share * sqrt(3 * square / (double)n) : 0;
    for (size_t k = 0; out && k < n; k++) {
        double step = round(1.5 * next_random(&state)) / 32768;
        out[k] = clipped(v[k] + step + size * next_random(&state));
    }
    return out;
}

static double rest_with_noise(const xr_feature_sounds *h, xr_heard_rest rest, const void *reference,
                              double share, double band)
{
    float *samples[XR_FEATURE_SOUNDS] = {0};
    bool made = true;
    for (size_t i = 0; made && i < h->count; i++) {
        samples[i] = with_noise(h->made[i], h->made_length[i], share);
        made = samples[i] && (band >= 1 || xr_low_pass(h->made[i], h->made_length[i], band, samples[i]));
    }
    double left = made ? rest(reference, samples, h->made_length, h->count, 0) : 0;
    for (size_t i = 0; i < h->count; i++)
        free(samples[i]);
    return left;
}

/* Filters of usual resamplers: where they begin and end, of half of the lower rate, and
 * how far down: short ones, whose
 * slope lies around the end, and gentle ones before it.  The default made the sounds that are there already.
 */
static const exray_resampling usual_resamplers[] = {
    {sizeof(exray_resampling), EXRAY_RESAMPLER_SINC, 0.84F, 1.16F, 54},
    {sizeof(exray_resampling), EXRAY_RESAMPLER_SINC, 0.73F, 1.25F, 44},
    {sizeof(exray_resampling), EXRAY_RESAMPLER_SINC, 0.70F, 1, 80},
    {sizeof(exray_resampling), EXRAY_RESAMPLER_SINC, 0.82F, 0.99F, 80},
};

/* What the front end makes of the record by another resampler. */
static double rest_resampled(const xr_feature_sounds *h, xr_heard_rest rest, const void *front_end,
                             const exray_resampling *how)
{
    float *samples[XR_FEATURE_SOUNDS] = {0};
    exray_error error;
    bool made = true;
    for (size_t i = 0; made && i < h->count; i++) {
        samples[i] = malloc((h->made_length[i] + 1) * sizeof *samples[i]);
        made = samples[i] && exray_resampling_run(how, h->raw[i], h->raw_length[i], (uint32_t)h->rate,
                                                  XR_FEATURE_RATE, samples[i], &error) == EXRAY_OK;
    }
    double left = made ? rest(front_end, samples, h->made_length, h->count, 0) : 1;
    for (size_t i = 0; i < h->count; i++)
        free(samples[i]);
    return left;
}

xr_feature_difference xr_feature_difference_of(const xr_feature_frames *frames)
{
    xr_feature_difference d = {0, 0};
    double differing = 0;
    for (size_t i = 0; i < frames->count; i++)
        if (frames->list[i].differs)
            d.mean += frames->list[i].rest, d.most = fmax(d.most, frames->list[i].rest), differing++;
    d.mean /= differing;
    return d;
}

static bool is_as_faint(xr_feature_difference d, double noise)
{
    return d.mean <= MOST_NOISE && d.mean <= MUCH_NOISE * noise && d.most <= IN_A_FRAME * noise;
}

xr_feature_noise xr_find_feature_noise(const xr_feature_sounds *h, xr_feature_difference difference,
                                       xr_heard_rest rest, const void *reference, const void *edge)
{
    const double least = 1e-3, lower = fmin(1, h->rate / XR_FEATURE_RATE);
    /* What the front end as it was found leaves by itself is no noise of the sound. */
    const double own = rest(reference, h->made, h->made_length, h->count, 0);
    xr_feature_noise out = {.of_dither = fmax(0, rest_with_noise(h, rest, reference, 0, 1) - own),
                            .of_noise = fmax(0, rest_with_noise(h, rest, reference, least, 1) - own),
                            .edge_resampled = 1};
    const bool resampled = h->rate != XR_FEATURE_RATE;
    if (resampled) /* the end of the band is where resamplers differ */
        out.of_noise = fmax(out.of_noise, rest_with_noise(h, rest, reference, 0, 0.93 * lower) - own);
    out.is_dither = is_as_faint(difference, out.of_dither);
    out.is_faint = is_as_faint(difference, fmax(out.of_noise, out.of_dither));
    if (!resampled || out.is_dither)
        return out;
    out.edge_resampled = fmin(1, rest(edge, h->made, h->made_length, h->count, 0));
    for (size_t i = 0; i < sizeof usual_resamplers / sizeof *usual_resamplers; i++)
        out.edge_resampled = fmin(out.edge_resampled, rest_resampled(h, rest, edge, &usual_resamplers[i]));
    return out;
}

/* ---- Words ---------------------------------------------------------------------------------------- */

void xr_heard_words(const xr_heard *heard, char *text, size_t size)
{
    double n = heard->number;
    switch (heard->kind) {
    case XR_HEARD_RAW:
        snprintf(text, size, "the sound in the log as it is, at %g Hz, as if it were of 16000 Hz", n);
        return;
    case XR_HEARD_LINEAR:
    case XR_HEARD_HOLD:
        snprintf(text, size, "the sound in the log resampled from %g Hz %s, without a low pass", n,
                 heard->kind == XR_HEARD_HOLD ? "by the sample before" : "by lines between samples");
        return;
    case XR_HEARD_INTERLEAVED:
        snprintf(text, size, "the sound in the log with its %g interleaved channels read as one", n);
        return;
    case XR_HEARD_SWAPPED:
        snprintf(text, size, "the sound in the log with the two bytes of each sample exchanged (byte order)");
        return;
    case XR_HEARD_GAIN:
        snprintf(text, size, "samples that are %.3g times those of the sound in the log (%+.1f dB)%s", n,
                 20 * log10(n), n > 1 ? ", clipped at full scale" : "");
        return;
    case XR_HEARD_BAND:
        snprintf(text, size, "the sound in the log without what is above %g Hz, as sound of %g Hz has it",
                 n / 2, n);
        return;
    case XR_HEARD_EMPHASIS:
        snprintf(text, size, "the sound in the log behind a pre-emphasis filter (y[i] = x[i] - %g x[i - 1])",
                 n);
        return;
    case XR_HEARD_LATE:
        snprintf(text, size, "the sound in the log %s by %g samples (%.4g ms)", n > 0 ? "late" : "early",
                 fabs(n), fabs(n) / 16);
        return;
    default:
        snprintf(text, size, "the sound in the log");
    }
}

static const struct {
    const char *cause, *name, *fix;
} told[] = {
    [XR_HEARD_AS_IS] = {"input.features", "", ""},
    [XR_HEARD_RAW] = {"input.sample_rate", "rate",
                      "Resample to 16000 Hz before the front end (pipeline: `rate: 16000`)."},
    [XR_HEARD_LINEAR] = {"input.sample_rate", "resampler",
                         "Resample with a low pass (pipeline: `rate: 16000`, not `linear`)."},
    [XR_HEARD_HOLD] = {"input.sample_rate", "resampler",
                       "Resample with a low pass (pipeline: `rate: 16000`, not `hold`)."},
    [XR_HEARD_INTERLEAVED] = {"input.layout", "interleaved",
                              "Take the mean of the channels of each sample before the front end (pipeline: "
                              "`channels: mono`)."},
    [XR_HEARD_SWAPPED] = {"input.dtype", "byte_order",
                          "Read the samples in the byte order in which the microphone's driver writes them."},
    [XR_HEARD_GAIN] = {"input.gain", "level",
                       "Give the front end 16-bit samples at the level of the reference (pipeline: `scale: "
                       "int16`)."},
    [XR_HEARD_BAND] = {"input.sample_rate", "band",
                       "Record at 16000 Hz or more on the side that lacks the band, or train and validate "
                       "with what it has."},
    [XR_HEARD_EMPHASIS] = {"input.gain", "filter", "Take the pre-emphasis out, or have it on both sides."},
    [XR_HEARD_LATE] = {"input.delay", "samples",
                       "Let both sides take the samples from the same moment on: look for a buffer that is "
                       "filled before recording begins, or samples that are skipped at the start."},
};

const char *xr_heard_fix(const xr_heard *heard)
{
    return told[heard->kind].fix;
}

const char *xr_heard_cause(const xr_heard *heard)
{
    return told[heard->kind].cause;
}

const char *xr_heard_name(const xr_heard *heard)
{
    return told[heard->kind].name;
}
